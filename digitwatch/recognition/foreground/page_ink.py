"""A page with its ink and its handwriting, which several steps of a reading need: each is found only once."""

from functools import cached_property

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.foreground.binarise import Ink, find_ink
from digitwatch.recognition.foreground.writing_mask import writing_mask
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork


class PageInk:
    """A page, and what is found on it when it is first asked for."""

    def __init__(self, page: Page, network: ForegroundNetwork) -> None:
        """Take the page, and the network that tells its handwriting from other ink."""
        self.page = page
        self._network = network

    @cached_property
    def ink(self) -> Ink:
        """All of its ink, by an adaptive threshold."""
        return find_ink(self.page.grey)

    @cached_property
    def writing(self) -> Pixels:
        """(h, w) uint8, 1 where ink is handwriting, at the size of `ink`."""
        return writing_mask(self.page.grey, self.ink, self._network)

    def turned(self, degrees: int) -> "PageInk":
        """Return the page after a turn clockwise by 0, 90, 180 or 270 degrees."""
        return PageInk(self.page.turned(degrees), self._network) if degrees else self
