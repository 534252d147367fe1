"""What decoders write to standard error."""

import os

import pytest

from digitwatch.recognition.image.decoder_messages import captured, damage


def test_lines_of_decoders_are_collected_and_others_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """The log line of another thread is not lost."""
    with captured() as lines:
        os.write(2, b"Corrupt JPEG data: bad Huffman code\nWARNING: the disk is full\n")

    assert lines == ["Corrupt JPEG data: bad Huffman code\n"]
    assert capfd.readouterr().err == "WARNING: the disk is full\n"


def test_decoding_works_without_standard_error() -> None:
    """A daemon may have closed it."""
    kept = os.dup(2)
    os.close(2)
    try:
        with captured() as lines:
            os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
    finally:
        os.dup2(kept, 2)
        os.close(kept)

    assert damage(lines, b"")


@pytest.mark.parametrize(
    "line",
    [
        "[ WARN:0@3.3] global grfmt_tiff.cpp:123 TIFF_Warning TIFFReadDirectory: Unknown field with tag 50674",
        "[ WARN:0@3.3] global grfmt_tiff.cpp:811 readData OpenCV TIFF: TIFFRGBAImageOK: Sorry, requested method",
        "[ERROR:0@3.3] global grfmt_tiff.cpp:117 TIFF_Error ZSTD compression support is not configured",
        "Warning: unknown JFIF revision number 2.01",
    ],
)
def test_notes_on_what_is_not_the_picture_are_no_damage(line: str) -> None:
    """A tag that nobody knows, or a compression that is not built in."""
    assert not damage([line], b"")
