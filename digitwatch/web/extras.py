"""Check that the packages of the extra `web` are installed, without importing them."""

import importlib.util

PACKAGES = ("starlette", "uvicorn", "jinja2")  # the extra `web`


def missing() -> str:
    """Return which packages are missing and how to install them, or an empty text."""
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    return f"this needs {', '.join(absent)}: pip install 'digitwatch[web]'" if absent else ""
