"""The answers that a page may get where the model sorts whole pictures: the labels of its card."""

import json
from pathlib import Path

from digitwatch.web.web_settings import WebSettings


def labels(site: WebSettings) -> tuple[str, ...]:
    """Give the names of what the model that reads now sorts; nothing where it reads digits, or cannot be told."""
    model = site.model()
    if isinstance(model, str):  # the bundled ones read digits
        return ()
    stem = model.with_suffix("") if model.suffix in (".tflite", ".keras") else model
    return _of_card(stem.with_name(f"{stem.name}.json"))


def _of_card(path: Path) -> tuple[str, ...]:
    try:
        card = json.loads(path.read_text("utf-8"))
        return tuple(map(str, card["labels"])) if card.get("reads") == "objects" else ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no card: the daemon has more to say of that
        return ()
