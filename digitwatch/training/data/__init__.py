"""Labelled digits, images and crops."""
