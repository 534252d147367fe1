"""From the bytes or pixels of a page to a reading; no paths, clock, log or settings."""
