"""Texts of operating system errors."""


def describe(error: OSError) -> str:
    """Return what the system refused and on which path."""
    where = error.filename2 or error.filename
    return f"{error.strerror or error}{f': {where}' if where else ''}"
