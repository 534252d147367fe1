"""Labelled pictures of anything: Keras' sets from small copies of what it fetches, .npz files, folders."""

import gzip
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from shapes import draw

from digitwatch.training.data import images
from digitwatch.training.data.digits import DataError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where Keras keeps what it has fetched; the sums of the real files are not asked for."""
    pytest.importorskip("tensorflow")
    from keras.src.utils import file_utils

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setattr(file_utils, "validate_file", lambda *_, **__: True)
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def test_fashion_mnist_by_keras(cache: Path) -> None:
    """Four packed files of 28x28 pictures; the names of the clothes are known."""
    (cache / "fashion-mnist").mkdir()
    for name, count in (("train", 20), ("t10k", 10)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pictures = np.repeat(labels, 784) * 20
        for kind, header, values in (("labels-idx1", 8, labels), ("images-idx3", 16, pictures)):
            packed = gzip.compress(bytes(header) + values.tobytes())
            (cache / "fashion-mnist" / f"{name}-{kind}-ubyte.gz").write_bytes(packed)

    data = images.load("fashion_mnist")

    assert (len(data.learn), len(data.test), data.shape) == (20, 10, (28, 28))
    assert data.labels[data.test.labels[9]] == "Ankle boot"
    assert data.learn.pictures[13].max() == 60


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cifar10_by_keras(cache: Path) -> None:
    """An archive of six batches in colours, channels first; each of ours holds one picture that fills its place."""
    with tarfile.open(cache / "cifar-10-batches-py-target_archive", "w:gz") as archive:
        for number, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
            pixels = np.zeros((1, 3072), np.uint8)
            pixels[0, :1024] = 10 * number  # red
            path = cache / name
            path.write_bytes(pickle.dumps({b"data": pixels, b"labels": [number]}))
            archive.add(path, f"cifar-10-batches-py/{name}")

    data = images.load("cifar10")

    assert (len(data.learn), len(data.test), data.shape) == (50_000, 1, (32, 32, 3))
    assert data.labels[data.test.labels[0]] == "dog"
    assert data.test.pictures[0, 3, 3].tolist() == [50, 0, 0]


def test_mnist_by_keras(cache: Path) -> None:
    """The digits themselves come from the same place."""
    from digitwatch.training.data.digits import load

    pictures, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
    np.savez(cache / "mnist.npz", x_train=pictures, y_train=labels, x_test=pictures[:5], y_test=labels[:5])

    assert [len(part) for part in load()] == [20, 5]


def saved(folder: Path, **changes: np.ndarray) -> str:
    """Save a small file of three classes with changes; return its name."""
    x, y = np.zeros((9, 16, 12, 3), np.uint8), np.arange(9) % 3
    np.savez(folder / "own.npz", **({"x_train": x, "y_train": y, "x_test": x, "y_test": y} | changes))  # type: ignore[arg-type]
    return str(folder / "own.npz")


def test_npz_with_names_and_without(tmp_path: Path) -> None:
    """Names are taken from `labels`, else the classes are numbered."""
    assert images.load(saved(tmp_path, labels=np.array(["ant", "bee", "cow"]))).labels == ("ant", "bee", "cow")
    data = images.load(saved(tmp_path))

    assert (data.labels, data.shape, data.name) == (("0", "1", "2"), (16, 12, 3), "own")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((9, 16, 12, 3))}, "x_train: expected uint8 images .* found float64"),
        ({"x_test": np.zeros((9, 16, 16, 3), np.uint8)}, r"expected test images of \(16, 12, 3\)"),
        ({"x_train": np.zeros((9, 16, 500), np.uint8)}, "of 8 to 256 pixels"),
        ({"y_train": np.zeros((9, 3), int)}, "one whole number from 0"),
        ({"y_test": np.full(9, 7)}, "a name for each, found 3, label 7"),
        ({"labels": np.array(["only one"])}, "found 1, label 2"),
    ],
)  # fmt: skip
def test_unusable_files_are_named(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    """What was expected and what came."""
    with pytest.raises(DataError, match=message):
        images.load(saved(tmp_path, **changes))


def test_a_folder_with_one_sub_folder_for_each_class(tmp_path: Path) -> None:
    """Grey pictures make a grey model of about their size; notes are passed over, copies counted once."""
    for name in ("round", "angular"):
        draw(tmp_path, name, 10)
    (tmp_path / "round" / "note.txt").write_text("mine")
    (tmp_path / "round" / "copy.png").write_bytes((tmp_path / "round" / "0.png").read_bytes())

    data = images.load(str(tmp_path))

    assert (data.labels, data.shape) == (("angular", "round"), (24, 24))
    assert (len(data.learn), np.bincount(data.test.labels).tolist()) == (16, [2, 2])


def test_folders_that_hold_too_little_are_named(tmp_path: Path) -> None:
    """One class, a class of three pictures, nothing at all."""
    draw(tmp_path / "a", "round", 10)
    with pytest.raises(DataError, match="2 to 200 sub-folders, one for each class, found 1"):
        images.load(str(tmp_path / "a"))
    draw(tmp_path / "a", "angular", 3)
    with pytest.raises(DataError, match=r"angular: expected 5 images or more, found 3"):
        images.load(str(tmp_path / "a"))
    with pytest.raises(DataError, match=r"expected mnist, .*, an \.npz file or a folder, found nope"):
        images.load("nope")
