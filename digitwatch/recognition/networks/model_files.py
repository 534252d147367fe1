"""The two files of a model that reads lines: the network and its card."""

import json
from pathlib import Path
from typing import Any

from digitwatch.recognition.networks.digit_classifier import ModelError, check_digest
from digitwatch.recognition.networks.litert import ByWidth


def read(stem: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of `stem`.tflite and the card `stem`.json, which belong together.

    Raises:
        ModelError: a file is missing or damaged, or the network is not that of the card.
    """
    try:
        content = stem.with_suffix(".tflite").read_bytes()
        card = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        float(card["temperature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"cannot read the model {stem}: {error!r}; install digitwatch again") from error
    check_digest(content, card, stem.name)
    return content, card


def by_width(name: str, content: bytes, height: int, width: int) -> ByWidth:
    """Return the network of a .tflite file's bytes, for pictures of one height; `width` is one to try it with.

    Raises:
        ModelError: the bytes are no such network.
    """
    try:
        return ByWidth(content, height, width)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the {name} model is not one that LiteRT can run: {error}") from error
