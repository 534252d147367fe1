"""The pages of a scan, each read as a whole or field by field."""

from collections.abc import Iterator
from dataclasses import replace

from digitwatch.forms.form_reader import NOT_FOUND, FormPage, FormReader
from digitwatch.recognition.image.decode import ImageError, Page
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading

ReadPage = tuple[Page, Reading] | FormPage
"""A page as it was read with its reading, or a page on which a form was found."""


def read_pages(reader: Reader, forms: FormReader | None, data: bytes, first: int = 1) -> Iterator[ReadPage]:
    """Yield the pages of a scan from number `first` on; with `forms`, one on which no form is found is for review.

    Raises:
        ImageError: the data, or one of its pages, cannot be decoded.
    """
    try:
        for page in reader.pages(data, first):
            if forms is None:
                yield reader.read_page(page)
            elif (found := forms.read(page)) is not None:
                yield found
            else:
                yield reader.read_page(replace(page, caveats=(*page.caveats, NOT_FOUND)))
    except OSError as error:  # of a decoder: it concerns this scan only
        raise ImageError(f"It could not be decoded ({error}).") from error
