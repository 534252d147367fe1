"""What the page is built of, told without loading any of it."""

import importlib.util

PARTS = ("starlette", "uvicorn", "jinja2")  # the extra `web`


def missing() -> str:
    """Say which parts are not installed and how they are; nothing where all are there."""
    absent = [name for name in PARTS if importlib.util.find_spec(name) is None]
    return f"this needs {', '.join(absent)}: pip install 'digitwatch[web]'" if absent else ""
