"""Facts about loading labelled digits."""

from pathlib import Path

import numpy as np
import pytest

from digitwatch.training.data.digits import DataError, Digits, hold_out, load


def arrays(count: int = 6) -> dict[str, np.ndarray]:
    """Return the four arrays of a tiny data file."""
    pictures = np.arange(count * 784, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28)
    labels = np.arange(count) % 10
    return {"x_train": pictures, "y_train": labels, "x_test": pictures[:2], "y_test": labels[:2]}


def saved(folder: Path, **changes: np.ndarray) -> Path:
    """Save the tiny arrays with changes; return the file."""
    np.savez(folder / "tiny.npz", **(arrays() | changes))
    return folder / "tiny.npz"


def test_npz_gives_train_and_test_digits(tmp_path: Path) -> None:
    """The four arrays come back as uint8 pictures and labels."""
    train, test = load(saved(tmp_path))

    assert train.pictures.shape == (6, 28, 28)
    assert test.labels.tolist() == [0, 1]
    assert train.writers is None


def test_trailing_channel_is_accepted(tmp_path: Path) -> None:
    """Pictures of (N, 28, 28, 1) are the same as (N, 28, 28)."""
    train, _ = load(saved(tmp_path, x_train=arrays()["x_train"][..., None]))

    assert train.pictures.shape == (6, 28, 28)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((6, 32, 32), np.uint8)}, r"expected images .* \(N, 28, 28\), found \(6, 32, 32\)"),
        ({"x_train": np.ones((6, 28, 28))}, "expected images as uint8 .* found float64 from 1 to 1"),
        ({"y_train": np.zeros(5, int)}, r"one whole number for each of the 6 images, found int64 \(5,\)"),
        ({"y_train": np.zeros((6, 10))}, "one whole number for each"),
        ({"y_test": np.array([3, 12])}, "expected labels from 0 to 9, found 3 to 12"),
        ({"x_test": np.zeros((0, 28, 28), np.uint8)}, "x_test"),
        ({"writers_train": np.zeros(4, int)}, "a writer for each"),
    ],
)  # fmt: skip
def test_unusable_arrays_are_named(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    """The message says which array is wrong, what was expected and what came."""
    with pytest.raises(DataError, match=message):
        load(saved(tmp_path, **changes))


def test_missing_key_is_named_with_what_was_found(tmp_path: Path) -> None:
    """A file with other keys is refused with both lists."""
    np.savez(tmp_path / "other.npz", images=np.zeros(3), labels=np.zeros(3))

    with pytest.raises(DataError, match="expected the arrays x_train, y_train, x_test, y_test, found images, labels"):
        load(tmp_path / "other.npz")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 torn"])
def test_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    """Torn and foreign files give a sentence, not a traceback of numpy."""
    (tmp_path / "bad.npz").write_bytes(content)

    with pytest.raises(DataError, match=r"expected an \.npz file"):
        load(tmp_path / "bad.npz")


def test_absent_file_is_refused(tmp_path: Path) -> None:
    """A name that does not exist is said to be that."""
    with pytest.raises(DataError, match="there is no such file"):
        load(tmp_path / "absent.npz")


def test_writers_file_beside_is_found(tmp_path: Path) -> None:
    """NAME_writers.npz beside NAME.npz tells who wrote each training picture."""
    np.savez(tmp_path / "tiny_writers.npz", train=np.array([7, 7, 8, 8, 9, 9]))

    train, _ = load(saved(tmp_path))

    assert (train.writers if train.writers is None else train.writers.tolist()) == [7, 7, 8, 8, 9, 9]


def test_held_out_writers_are_not_trained_on() -> None:
    """No writer is on both sides, and nothing is lost."""
    writers = np.repeat(np.arange(50), 4)
    digits = Digits(np.zeros((200, 28, 28), np.uint8), np.zeros(200, np.uint8), writers)

    learn, held = hold_out(digits, share=0.1)

    assert learn.writers is not None and held.writers is not None
    assert not set(learn.writers) & set(held.writers)
    assert (len(learn) + len(held), len(held)) == (200, 20)


def test_unknown_writers_hold_out_the_end() -> None:
    """Without writers the last pictures are held out."""
    digits = Digits(np.zeros((40, 28, 28), np.uint8), np.arange(40, dtype=np.uint8))

    _, held = hold_out(digits, share=0.05)

    assert held.labels.tolist() == [38, 39]


@pytest.mark.parametrize("writers", [1, 2, 4])
def test_few_writers_hold_out_the_end(writers: int) -> None:
    """Where each writer made more than the share, the last pictures are held out, so that something is."""
    who = np.arange(40) % writers
    digits = Digits(np.zeros((40, 28, 28), np.uint8), np.arange(40, dtype=np.uint8), who)

    learn, held = hold_out(digits, share=0.05)

    assert (len(learn), held.labels.tolist()) == (38, [38, 39])


def test_a_busy_writer_does_not_keep_the_others_from_being_held_out() -> None:
    """Those who made little are found behind one who made most, whatever the lot says."""
    who = np.r_[np.zeros(80, int), np.repeat(np.arange(1, 21), 1)]
    digits = Digits(np.zeros((100, 28, 28), np.uint8), np.zeros(100, np.uint8), who)

    assert [len(hold_out(digits, share=0.05, seed=seed)[1]) for seed in range(5)] == [5] * 5
