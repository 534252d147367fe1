"""Decoders that are not installed by default: loaded when the first file of their format comes."""

import importlib
import importlib.util
import sys
from types import ModuleType

from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.image.formats import FORMATS


def load(kind: str) -> ModuleType:
    """Return the library that decodes a format.

    Raises:
        ImageError: it is not installed; the message has the command for the Python that runs.
    """
    wanted = next(each for each in FORMATS if each.name == kind)
    try:
        return importlib.import_module(wanted.package)
    except ImportError as error:
        raise ImageError(
            f"{kind} files need {wanted.package}, which is not installed ({error}). "
            f"Install it with: {install_command(wanted.extra)}"
        ) from error


def install_command(extra: str) -> str:
    """Return the command that installs an extra for the Python that runs."""
    return f"{sys.executable} -m pip install 'digitwatch[{extra}]'"
