"""Measures of a model, and the report."""
