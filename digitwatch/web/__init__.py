"""A page to watch, correct and upload; needs the extra `web`, and runs in a process of its own."""
