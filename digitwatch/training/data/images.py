"""Labelled images of any classes: data sets of Keras, an .npz file, or a folder with one sub-folder per class."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.image.decode import ImageError, decode
from digitwatch.recognition.networks.letterbox import letterbox
from digitwatch.training.data import digits
from digitwatch.training.data.digits import DataError, Digits

NAMES = {
    "fashion_mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}  # fmt: skip
"""The classes of the data sets of Keras, in the order of their labels."""

SIDES = (16, 64)  # smallest and largest side in pixels of the images made of a folder
TESTED = 5  # one image in five of a folder is a test image
FEWEST = 5  # images per class
MOST = 200  # classes; a label is one byte
SMALLEST, LARGEST = 8, 256  # pixels of a side of an input image


@dataclass(frozen=True)
class Collection:
    """Images with the names of their classes.

    The pictures are (N, height, width) or (N, height, width, 3) uint8 in red, green, blue; labels count the names.
    """

    name: str
    labels: tuple[str, ...]
    learn: Digits
    test: Digits

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width) for grey, (height, width, 3) for colours."""
        return self.learn.pictures.shape[1:]


def load(source: str) -> Collection:
    """Return fashion_mnist or cifar10 through Keras, or what an .npz file or a folder holds.

    Raises:
        DataError: there is no such thing, or it cannot be used.
    """
    path = Path(source)
    if source in NAMES:
        return _checked(source, NAMES[source], digits.download(source))
    if path.is_dir():
        return _folder(path)
    if path.suffix != ".npz":
        known = ", ".join(["mnist", *NAMES])
        raise DataError(f"--dataset: expected {known}, an .npz file or a folder, found {source}")
    arrays = digits.read(path)
    names = arrays.get("labels")
    count = int(arrays["y_train"].max()) + 1 if arrays["y_train"].size and arrays["y_train"].dtype.kind in "iu" else 0
    return _checked(path.stem, tuple(map(str, names if names is not None else range(count))), arrays)


def _checked(name: str, labels: tuple[str, ...], arrays: dict[str, NDArray[np.generic]]) -> Collection:
    parts = [_part(arrays[f"x_{which}"], arrays[f"y_{which}"], f"{name}: x_{which}") for which in ("train", "test")]
    learn, test = parts
    if learn.pictures.shape[1:] != test.pictures.shape[1:]:
        raise DataError(f"{name}: expected test images of {learn.pictures.shape[1:]}, found {test.pictures.shape[1:]}")
    if not 2 <= len(labels) <= MOST or max(learn.labels.max(), test.labels.max()) >= len(labels):
        most = max(learn.labels.max(), test.labels.max())
        raise DataError(f"{name}: expected 2 to {MOST} classes with a name for each, found {len(labels)}, label {most}")
    return Collection(name, labels, learn, test)


def _part(pictures: NDArray[Any], labels: NDArray[Any], where: str) -> Digits:
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    if labels.ndim == 2 and labels.shape[1] == 1:  # as in CIFAR
        labels = labels[:, 0]
    fits = pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[-1] == 3)
    fits = fits and all(SMALLEST <= side <= LARGEST for side in pictures.shape[1:3])
    if not fits or not len(pictures) or pictures.dtype != np.uint8:
        raise DataError(
            f"{where}: expected uint8 images (N, height, width) or (N, height, width, 3) of {SMALLEST} to {LARGEST} "
            f"pixels, found {pictures.dtype} {pictures.shape}"
        )
    if (
        labels.shape != (len(pictures),)
        or labels.dtype.kind not in "iu"
        or not 0 <= labels.min() <= labels.max() < MOST
    ):
        raise DataError(
            f"{where}: expected one whole number from 0 for each of the {len(pictures)} images, "
            f"found {labels.dtype} {labels.shape}"
        )
    return Digits(np.ascontiguousarray(pictures), labels.astype(np.uint8))


def _folder(folder: Path) -> Collection:
    """Read a folder of folders; one image in TESTED, chosen by its content, is a test image."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not 2 <= len(classes) <= MOST:
        raise DataError(f"{folder}: expected 2 to {MOST} sub-folders, one for each class, found {len(classes)}")
    found = [(digest, image, k) for k, path in enumerate(classes) for digest, image in _images(path)]
    counts = Counter(k for _, _, k in found)
    for k, path in enumerate(classes):
        if counts[k] < FEWEST:
            raise DataError(f"{path}: expected {FEWEST} images or more, found {counts[k]} that can be read")
    found.sort(key=lambda entry: entry[0])  # by digest: shuffled, and always in the same order
    shape = _shape([image for _, image, _ in found])
    framed = [letterbox(image, shape) for _, image, _ in found]
    pictures = np.stack([np.zeros(shape, np.uint8) if picture is None else picture for picture in framed])
    labels = np.array([k for _, _, k in found], np.uint8)
    tested = np.zeros(len(found), bool)
    for k in range(len(classes)):
        tested[np.flatnonzero(labels == k)[::TESTED]] = True
    return Collection(folder.name, tuple(path.name for path in classes), *_parted(pictures, labels, tested))


def _parted(pictures: NDArray[np.uint8], labels: NDArray[np.uint8], tested: NDArray[np.bool_]) -> tuple[Digits, Digits]:
    everything = Digits(pictures, labels)
    return everything[~tested], everything[tested]


def _images(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield digest and first page of each distinct image in a folder, downscaled to the largest input size."""
    known = set()
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            continue
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest in known:
            continue
        known.add(digest)
        try:
            image = next(iter(decode(data))).image
        except (ImageError, StopIteration):  # other files may lie among the images; the count is checked
            continue
        scale = LARGEST / min(image.shape[:2])
        yield digest, image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _shape(images: list[NDArray[np.uint8]]) -> tuple[int, ...]:
    """Return the input shape: a square about as large as the images, grey if all of them are."""
    usual = int(np.median([min(image.shape[:2]) for image in images]))
    side = int(np.clip(usual // 8 * 8, *SIDES))
    coloured = any(image.ndim == 3 and int(np.ptp(image, axis=2).max()) > 8 for image in images)
    return (side, side, 3) if coloured else (side, side)
