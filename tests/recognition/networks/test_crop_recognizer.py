"""The crop recogniser: how a crop becomes the network's input, and what the committed network reads."""

import cv2
import numpy as np

from digitwatch.recognition.decoding.ctc import likely_texts
from digitwatch.recognition.networks.crop_recognizer import LABELS, CropRecognizer, framed, level, to_height
from digitwatch.recognition.reader import BUNDLED


def test_a_crop_is_stretched_to_all_grey_levels() -> None:
    """Faint ink on grey paper becomes black on white, but grain alone stays weak."""
    faint = np.full((40, 60), 150, np.uint8)
    faint[10:30, 28:32] = 120
    grain = np.full((40, 60), 150, np.uint8)
    grain[::2] = 152

    assert (level(faint).min(), level(faint).max()) == (0, 255)
    assert int(level(grain).max()) - int(level(grain).min()) < 64


def test_a_crop_is_forty_pixels_high_and_padded_to_a_known_width() -> None:
    """Proportions are kept up to the longest width, which longer lines are squeezed into."""
    assert to_height(np.zeros((80, 200), np.uint8)).shape == (40, 100)
    assert framed(np.zeros((40, 100), np.uint8)).shape == (40, 128)
    assert framed(np.zeros((40, 2000), np.uint8)).shape == (40, 640)


def test_the_committed_network_reads_a_number_in_a_printed_box() -> None:
    """It needs neither threshold nor pieces: the frame around the digits is not read."""
    page = np.full((80, 260), 230, np.uint8)
    cv2.rectangle(page, (3, 3), (256, 76), (90,), 3)
    for number, digit in enumerate("3752"):
        cv2.putText(page, digit, (25 + 55 * number, 60), cv2.FONT_HERSHEY_DUPLEX, 1.6, (60,), 4, cv2.LINE_AA)
    frames = CropRecognizer.load(BUNDLED / "crop")(page)

    assert np.allclose(np.exp(frames).sum(axis=1), 1)
    assert "".join(LABELS[symbol] for symbol in likely_texts(frames, 1)[0]) == "3752"
