"""Reads handwritten digits and numbers from scans, as a service, a command or a call."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Reader", "__version__"]

if TYPE_CHECKING:
    from digitwatch.recognition.reader import Reader


def __getattr__(name: str) -> Any:
    """Import the reader on first use, so that `digitwatch --help` does not wait for OpenCV."""
    if name == "Reader":
        from digitwatch.recognition.reader import Reader  # noqa: PLC0415

        return Reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
