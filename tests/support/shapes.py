"""Pictures of two classes, for training on whole images."""

from pathlib import Path

import cv2
import numpy as np


def draw(folder: Path, name: str, count: int) -> None:
    """Draw circles or squares at different places."""
    (folder / name).mkdir(parents=True)
    for number in range(count):
        paper = np.full((24, 24, 3), 250, np.uint8)
        if name == "round":
            cv2.circle(paper, (10 + number % 5, 12), 7, (0, 0, 0), 2)
        else:
            cv2.rectangle(paper, (3 + number % 5, 5), (17 + number % 5, 19), (0, 0, 0), 2)
        paper[number // 24, number % 24] = 240  # no two are alike
        cv2.imwrite(str(folder / name / f"{number}.png"), paper)
