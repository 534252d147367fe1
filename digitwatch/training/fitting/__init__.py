"""Architectures, the trainer and one module for each thing that is trained."""
