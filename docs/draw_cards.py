"""Let matplotlib draw anew the templates of the cards that digitwatch keeps: python docs/draw_cards.py."""

import cv2

from digitwatch.recognition.annotation.digit_card import TEMPLATES, drawn_template, kept_template

for size, plot, classes in TEMPLATES:
    kept_template(size, classes).parent.mkdir(exist_ok=True)
    cv2.imwrite(str(kept_template(size, classes)), drawn_template(size, plot, classes))
