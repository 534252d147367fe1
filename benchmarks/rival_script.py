"""Rival (a): the usual script. Reads, resizes and inverts, asks model.predict for one image, saves a pyplot figure."""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import matplotlib
import numpy as np

matplotlib.use("Agg")
import keras
import matplotlib.pyplot as plt


def load() -> keras.Model:
    """Return an untrained network of the usual shape: its answers cost the same as a trained one's."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dense(64, "relu"),
            layers.Dense(10, "softmax"),
        ]
    )


def read(model: keras.Model, path: Path, out: Path) -> int:
    """Read one scan the usual way and save its figure."""
    page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    picture = 255 - cv2.resize(page, (28, 28))
    answer = model.predict(picture[None] / 255.0, verbose=0)[0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
    left.imshow(page, cmap="gray")
    left.set_title(f"prediction: {np.argmax(answer)} ({answer.max():.1%})")
    right.bar(range(10), answer)
    figure.savefig(out / f"{path.name}.png")
    plt.close(figure)
    return int(np.argmax(answer))


def main() -> None:
    """Read all scans of a folder; print the seconds per scan without the start: wall-clock time and processor time."""
    folder, out = map(Path, sys.argv[1:3])
    out.mkdir(exist_ok=True)
    model = load()
    paths = sorted(folder.iterdir())
    read(model, paths[0], out)  # warm up
    began, processor = time.perf_counter(), time.process_time()
    for path in paths:
        read(model, path, out)
    print((time.perf_counter() - began) / len(paths), (time.process_time() - processor) / len(paths))


if __name__ == "__main__":
    main()
