"""Labelled digits: MNIST from Keras, or an .npz file with the same four arrays."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitwatch.errors import UsageError
from digitwatch.recognition.arrays import Pixels

Labels = NDArray[np.uint8]

KEYS = ("x_train", "y_train", "x_test", "y_test")
HELD_OUT_SHARE = 0.05  # of the training images, held out for calibration


class DataError(UsageError):
    """The data cannot be used; the message says what was expected and what was found."""


@dataclass(frozen=True)
class Digits:
    """Images of digits and their labels.

    pictures: (N, 28, 28) uint8, 0 = paper to 255 = ink. labels: (N,) uint8, 0 to 9.
    writers: (N,) int64 who wrote each, or None when nobody knows.
    """

    pictures: Pixels
    labels: Labels
    writers: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.pictures)

    def __getitem__(self, which: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "Digits":
        """Return the digits of a slice, a mask or an array of indices."""
        writers = None if self.writers is None else self.writers[which]
        return Digits(self.pictures[which], self.labels[which], writers)


def load(data: Path | None = None) -> tuple[Digits, Digits]:
    """Return the training and the test digits of the .npz file `data`, or of MNIST when it is None.

    The file holds x_train, y_train, x_test and y_test as keras.datasets.mnist returns them, and may hold
    writers_train (N,), the writer of each training picture. A file NAME_writers.npz beside NAME.npz with
    the key `train` serves as well.

    Raises:
        DataError: the file cannot be read or does not hold such arrays, or MNIST cannot be downloaded.
    """
    arrays = download("mnist") if data is None else read(data)
    origin = "MNIST" if data is None else str(data)
    writers = arrays.get("writers_train")
    if writers is not None and writers.shape != arrays["y_train"].shape:
        expected = arrays["y_train"].shape
        raise DataError(f"{origin}: expected a writer for each training image {expected}, found {writers.shape}")
    train = _digits(arrays["x_train"], arrays["y_train"], f"{origin}: x_train, y_train")
    test = _digits(arrays["x_test"], arrays["y_test"], f"{origin}: x_test, y_test")
    if writers is not None:
        train = Digits(train.pictures, train.labels, writers.astype(np.int64))
    return train, test


def hold_out(train: Digits, *, share: float = HELD_OUT_SHARE, seed: int = 0) -> tuple[Digits, Digits]:
    """Return `train` without a held-out part, and that part: about `share` of it, all by other writers.

    Where the writers are unknown, or each one made more than that share, the last pictures are held out.
    """
    count = max(1, round(len(train) * share))
    chosen = _few_writers(train.writers, count, seed)
    if train.writers is None or not len(chosen):
        return train[: len(train) - count], train[len(train) - count :]
    held = np.isin(train.writers, chosen)
    return train[~held], train[held]


def _few_writers(written: NDArray[np.int64] | None, count: int, seed: int) -> NDArray[np.int64]:
    """Return random writers with at most `count` images together; none if that is impossible."""
    if written is None:
        return np.empty(0, np.int64)
    writers, sizes = np.unique(written, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(writers))
    fit = order[sizes[order] <= count]  # a writer with more images than that can never be chosen
    chosen: NDArray[np.int64] = writers[fit[np.cumsum(sizes[fit]) <= count]]
    return chosen


def download(name: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays KEYS of a data set of keras.datasets, downloaded once into the cache of Keras.

    Raises:
        DataError: they cannot be downloaded.
    """
    from keras import datasets  # noqa: PLC0415  # here only: the processes of epochs.py need no Keras

    try:
        (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data()
    except Exception as error:  # Keras wraps whatever the network does in a bare Exception
        shown = "MNIST" if name == "mnist" else name
        raise DataError(
            f"{shown} could not be downloaded ({error}). Connect this machine to the internet, or name a file "
            f"that holds {', '.join(KEYS)} with --data FILE.npz."
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def read(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of the .npz file, with the writers from NAME_writers.npz in the same folder.

    Raises:
        DataError: it cannot be read, or lacks one of KEYS.
    """
    arrays = _unpack(path)
    missing = [key for key in KEYS if key not in arrays]
    if missing:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(f"{path}: expected the arrays {', '.join(KEYS)}, found {found}; {missing[0]} is missing")
    beside = path.with_name(f"{path.stem}_writers.npz")
    if "writers_train" not in arrays and beside.exists():
        arrays["writers_train"] = _unpack(beside).get("train", np.empty(0))
    return arrays


def _unpack(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return every array of the .npz file."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if isinstance(file, np.ndarray):
                raise DataError(f"{path}: expected an .npz file of several arrays, found a single array (.npy)")
            return {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; name an .npz file with {', '.join(KEYS)}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: expected an .npz file as numpy.savez writes it, but: {error}") from error


def _digits(pictures: NDArray[np.generic], labels: NDArray[np.generic], where: str) -> Digits:
    """Return the checked arrays; (N, 28, 28, 1) is accepted for (N, 28, 28)."""
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        pictures = pictures[..., 0]
    if pictures.ndim != 3 or pictures.shape[1:] != (28, 28) or len(pictures) == 0:
        raise DataError(f"{where}: expected images of the shape (N, 28, 28), found {pictures.shape}")
    if pictures.dtype != np.uint8:
        raise DataError(
            f"{where}: expected images as uint8 from 0 (paper) to 255 (ink), found {pictures.dtype} "
            f"from {pictures.min():g} to {pictures.max():g}"
        )
    if labels.shape != (len(pictures),) or labels.dtype.kind not in "iu":
        raise DataError(
            f"{where}: expected one whole number for each of the {len(pictures)} images, "
            f"found {labels.dtype} {labels.shape}"
        )
    if int(labels.min()) < 0 or int(labels.max()) > 9:
        raise DataError(f"{where}: expected labels from 0 to 9, found {labels.min()} to {labels.max()}")
    return Digits(pictures, labels.astype(np.uint8))  # type: ignore[arg-type]
