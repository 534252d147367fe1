"""One module for each part of the web interface."""
