"""Composed and degraded training examples."""
