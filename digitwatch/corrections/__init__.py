"""Corrections of people: export, and reviewed pages for training."""
