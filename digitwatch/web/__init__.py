"""Web interface to watch, correct and upload; needs the extra `web` and runs in a separate process."""
