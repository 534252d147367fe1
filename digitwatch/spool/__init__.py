"""Where the files are: the inbox, every rename, and the CSV log."""
