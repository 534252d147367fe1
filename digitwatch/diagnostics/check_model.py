"""Checks of the model: found as by the daemon, converted if necessary, and tried on one page."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digitwatch.diagnostics.check_folders import writable
from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.models.provisioning import NoModelError, Plan, convert, plan, require_tensorflow
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.reader import Reader


def model(named: Path | str, data: Path | None) -> Iterator[Finding]:
    """Check the model in use; `data` is the training data for a missing one."""
    try:
        found, how = plan(named)
        if how is not Plan.READY:
            require_tensorflow(found)
    except NoModelError as error:
        yield fail(f"model: {error}")
        return
    if how is Plan.READY:
        yield _reads(found)
        return
    assert isinstance(found, Path)
    place = writable("model", found.parent) if found.parent.is_dir() else ok("")
    if place.has_failed:
        yield place
    elif how is Plan.CONVERT:
        yield _convertible(found)
    elif data is not None and not data.is_file():
        yield fail(f"model: {found} would be trained from {data}, which does not exist (training.data in config.yaml)")
    else:
        yield note(
            f"model: {found} does not exist; the start trains it, which may take an hour; or run digitwatch train"
        )


def _convertible(keras: Path) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert(keras, Path(folder) / keras.stem)
        except NoModelError as error:
            return fail(f"model: {error}")
        finding = _reads(Path(folder) / keras.stem)
    return finding if finding.has_failed else note(f"model: {keras} will be converted at the start; a trial succeeded")


def _reads(found: Path | str) -> Finding:
    """Check that a model loads and reads a page."""
    try:
        reader = Reader(found)
        page = np.full((200, 200), 255, np.uint8)
        cv2.line(page, (100, 50), (100, 150), 0, 10)
        reader.read(page)
    except ModelError as error:
        return fail(f"model: {error}")
    return ok(f"model: {reader.model} loads and reads")
