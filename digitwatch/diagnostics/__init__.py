"""The checks of `digitwatch check`."""
