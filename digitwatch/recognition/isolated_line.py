"""The first reader's second look: it reads one crop in which the foreground network left nothing but handwriting."""

from dataclasses import replace

from digitwatch.recognition.decoding.expected import Expected
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.foreground.writing_only import writing_only
from digitwatch.recognition.hypotheses import THRESHOLD
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.page_reader import PageReader
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.segmentation.crop_views import View


class IsolatedLine:
    """Reads crops of one line without what surrounds the writing. Not to be shared between threads or forks."""

    def __init__(self, network: ForegroundNetwork, page_reader: PageReader) -> None:
        """Take the network that finds the writing, and the reader of pages."""
        self._network, self._page_reader = network, page_reader

    def read(self, view: View, expected: Expected | None = None) -> Reading:
        """Return what the page reader sees in the writing of a crop, at its place on the page."""
        alone, margin = writing_only(view.grey, self._network(view.grey))
        page = PageInk(Page(1, alone, expected=expected), self._network)
        found = self._page_reader.read(page, (THRESHOLD,)).reading()
        return replace(found, rows=tuple(tuple(_moved(digit, view.box, margin) for digit in row) for row in found.rows))


def _moved(digit: Digit, crop: Box, margin: int) -> Digit:
    """Return the digit at its place on the page, inside the crop."""
    left = min(max(digit.box.left - margin, 0), crop.width - 1)
    top = min(max(digit.box.top - margin, 0), crop.height - 1)
    width, height = min(digit.box.width, crop.width - left), min(digit.box.height, crop.height - top)
    return replace(digit, box=Box(crop.left + left, crop.top + top, max(1, width), max(1, height)))
