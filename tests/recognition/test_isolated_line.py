"""The first reader on the writing of a crop alone."""

import cv2
import numpy as np

from digitwatch.recognition.isolated_line import IsolatedLine
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.page_reader import PageReader
from digitwatch.recognition.reader import BUNDLED
from digitwatch.recognition.result import Box
from digitwatch.recognition.segmentation.crop_views import View


def test_a_frame_around_the_digits_is_not_read() -> None:
    """The digits are found at their place on the page."""
    page = np.full((80, 120), 220, np.uint8)
    cv2.rectangle(page, (8, 6), (112, 74), (90,), 3)
    cv2.putText(page, "37", (32, 58), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (90,), 4, cv2.LINE_AA)
    first = PageReader(DigitClassifier.load(BUNDLED / "cnn"), LineRecognizer.load(BUNDLED / "line"), 0.95)
    isolated = IsolatedLine(ForegroundNetwork.load(BUNDLED / "foreground"), first)

    found = isolated.read(View(page, Box(1000, 500, 120, 80)))

    assert found.text == "37"
    three, seven = (digit.box for digit in found.digits)
    assert 1025 < three.left < seven.left < 1095
    assert 515 < three.top < three.top + three.height < 565
