"""The labels of an image classifier, which are the possible corrections."""

import json
from pathlib import Path

from digitwatch.web.web_settings import WebSettings


def labels(settings: WebSettings) -> tuple[str, ...]:
    """Return the labels of the model in use; none when it reads digits or its card cannot be read."""
    model = settings.model()
    if isinstance(model, str):  # the bundled ones read digits
        return ()
    stem = model.with_suffix("") if model.suffix in (".tflite", ".keras") else model
    return _of_card(stem.with_name(f"{stem.name}.json"))


def _of_card(path: Path) -> tuple[str, ...]:
    try:
        card = json.loads(path.read_text("utf-8"))
        return tuple(map(str, card["labels"])) if card.get("reads") == "objects" else ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no valid card: the daemon reports it
        return ()
