"""Readings that belong together, such as those of one meter: what may follow what."""
