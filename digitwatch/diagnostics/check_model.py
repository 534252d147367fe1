"""The model: found as the daemon finds it, converted on trial where that is still to be done, and asked once."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digitwatch.diagnostics.check_folders import writable
from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.models.provisioning import NoModelError, Plan, convert, needs_tensorflow, plan
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.reader import Reader


def model(named: Path | str, data: Path | None) -> Iterator[Finding]:
    """Look at the model that config.yaml names; `data` is what a missing one would be trained from."""
    try:
        found, how = plan(named)
        if how is not Plan.READY:
            needs_tensorflow(found)
    except NoModelError as error:
        yield mend(f"model: {error}")
        return
    if how is Plan.READY:
        yield answers(found)
        return
    assert isinstance(found, Path)
    place = writable("model", found.parent) if found.parent.is_dir() else ok("")
    if not place.well:
        yield place
    elif how is Plan.CONVERT:
        yield _convertible(found)
    elif data is not None and not data.is_file():
        yield mend(f"model: {found} would be trained from {data}, which does not exist (training.data in config.yaml)")
    else:
        yield note(f"model: {found} does not exist; the start trains it, which may take an hour. Now: digitwatch train")


def _convertible(keras: Path) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert(keras, Path(folder) / keras.stem)
        except NoModelError as error:
            return mend(f"model: {error}")
        finding = answers(Path(folder) / keras.stem)
    return note(f"model: {keras} will be converted at the start; on trial it answers") if finding.well else finding


def answers(found: Path | str) -> Finding:
    """Load a model and let it read a page."""
    try:
        reader = Reader(found)
        page = np.full((200, 200), 255, np.uint8)
        cv2.line(page, (100, 50), (100, 150), 0, 10)
        reader.read(page)
    except ModelError as error:
        return mend(f"model: {error}")
    return ok(f"model: {reader.model} answers")
