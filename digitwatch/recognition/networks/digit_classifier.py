"""The digit classifier: a batch of pictures to calibrated probabilities, by an exported model on LiteRT."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from digitwatch.errors import UsageError
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.litert import interpreter

Probabilities = NDArray[np.float32]

# LiteRT plans its memory for one batch size and plans again when that changes, so there is one interpreter
# for each of these sizes, made on first use; a batch is cut to fit and its last part padded with paper. In larger ones
# a picture takes longer: the activations no longer fit the processor's cache.
BATCH_SIZES = (1, 4, 16)
TWO_THREADS_FROM = 100  # pictures in a batch, of a full page, for which THREADS are used
THREADS = 2  # for a large batch: other scans do not wait long, and a core may be idle
OBJECTS = "objects"  # what the card of a model `reads` that sorts whole pictures
CARD_KEYS = ("labels", "reject", "input", "output", "temperature", "review_below")


class ModelError(UsageError):
    """A model that cannot be used; the message says what was expected, what was found and what to do."""


class DigitClassifier:
    """A model in memory, checked against its card. Not to be shared between threads or forks."""

    def __init__(self, content: bytes, card: dict[str, Any], name: str = "model") -> None:
        """Check that the model does what its card says.

        Args:
            content: the bytes of a .tflite file that takes (N, 28, 28, 1) float32; one that sorts whole pictures
                (its card says `reads: objects`) takes (N, height, width, 1 or 3).
            card: its JSON card; CARD_KEYS lists its required keys.
            name: what the model is called in messages and in `name`.

        Raises:
            ModelError: the bytes are no model, or the model and the card disagree.
        """
        missing = [key for key in CARD_KEYS if key not in card]
        if missing:
            raise ModelError(f"the card of {name} lacks {', '.join(missing)}: train the model again")
        self._content = content
        self._interpreters: dict[tuple[int, int], Interpreter] = {}  # by batch size and threads
        self.card = card
        self.name = f"{name}-{hashlib.sha256(content).hexdigest()[:8]}"
        self.labels: tuple[str, ...] = tuple(card["labels"])
        self.sorts_pictures = card.get("reads") == OBJECTS
        self.shape: tuple[int, ...] = tuple(card["input"]["shape"])
        self._given = (*self.shape, 1) if len(self.shape) == 2 else self.shape
        self.reject: int | None = None if card["reject"] is None else self.labels.index(card["reject"])
        self._check(name)

    @classmethod
    def load(cls, path: Path) -> "DigitClassifier":
        """Read NAME.tflite and its card NAME.json; `path` may be given with or without the ending.

        Raises:
            ModelError: a file is missing or unreadable, or the two do not belong together.
        """
        stem = path.with_suffix("") if path.suffix in (".tflite", ".json") else path
        model, card = Path(f"{stem}.tflite"), Path(f"{stem}.json")
        try:
            content, facts = model.read_bytes(), json.loads(card.read_text(encoding="utf-8"))
            check_digest(content, facts, stem.name)
            return cls(content, facts, stem.name)
        except OSError as error:
            raise ModelError(
                f"cannot read the model {stem.name}: {error.filename}: {error.strerror}; a model is two "
                f"files, {model.name} and {card.name}: name one that exists, or train it"
            ) from error
        except ValueError as error:
            raise ModelError(f"{card} is not a model card: {error}; train the model again") from error

    def __call__(self, batch: Pixels) -> Probabilities:
        """Return calibrated probabilities, (N, classes) float32 whose rows sum to 1.

        Args:
            batch: (N, 28, 28) uint8, 0 = paper to 255 = ink, or (N, *shape) for whole pictures. N may be 0.
        """
        parts = []
        done, threads = 0, THREADS if len(batch) >= TWO_THREADS_FROM else 1
        while done < len(batch):
            left = len(batch) - done
            size = next((size for size in BATCH_SIZES if size >= left), BATCH_SIZES[-1])
            parts.append(self._run(batch[done : done + size], size, threads))
            done += size
        if not parts:
            return np.zeros((0, len(self.labels)), np.float32)
        return _softmax(np.concatenate(parts) / np.float32(self.card["temperature"]))

    def _run(self, batch: Pixels, size: int, threads: int) -> Probabilities:
        """Return the logits of at most `size` pictures."""
        if (size, threads) not in self._interpreters:
            self._interpreters[size, threads] = interpreter(self._content, (size, *self._given), threads)
        low, high = self.card["input"]["range"]
        padded = np.full((size, *self._given), low, np.float32)
        padded[: len(batch)] = batch.reshape(-1, *self._given) * np.float32((high - low) / 255) + np.float32(low)
        model = self._interpreters[size, threads]
        model.set_tensor(model.get_input_details()[0]["index"], padded)
        model.invoke()
        answer: Probabilities = model.get_tensor(model.get_output_details()[0]["index"])
        out = answer[: len(batch)]
        # The logarithm of probabilities is the logits up to a constant, which the softmax cancels.
        return out if self.card["output"] == "logits" else np.log(np.maximum(out, np.float32(1e-30)))

    def _check(self, name: str) -> None:
        """Compare what the model takes and gives with what its card says."""
        invalid = [label for label in self.labels if not label.isprintable() or label[:1] in tuple("=+-@") or not label]
        if invalid:
            raise ModelError(f"the card of {name} has the label {invalid[0]!r}, which a log or table cannot hold")
        try:
            model = self._interpreters[1, 1] = interpreter(self._content, (1, *self._given))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{name}.tflite is not a model that LiteRT can run: {error}") from error
        given, out = model.get_input_details()[0], model.get_output_details()[0]
        found = f"{given['shape'].tolist()} {np.dtype(given['dtype']).name} -> {out['shape'].tolist()}"
        shape = self._given if self.sorts_pictures else (28, 28, 1)
        expected = f"{[1, *shape]} float32 -> [1, {len(self.labels)}]"
        if found != expected or shape != self._given:
            raise ModelError(
                f"{name}.tflite does not match its card: expected {expected}, found {found}; "
                f"copy both files of a model together, or train it again"
            )


def check_digest(content: bytes, card: dict[str, Any], name: str) -> None:
    """Compare a network with the SHA-256 in its card; cards of earlier versions have none.

    Raises:
        ModelError: the two do not belong together.
    """
    expected, found = card.get("sha256"), hashlib.sha256(content).hexdigest()
    if expected not in (None, found):
        raise ModelError(
            f"{name}.tflite is not the network of its card: expected SHA-256 {str(expected)[:12]}..., found "
            f"{found[:12]}...; copy both files of a model together, or train it again"
        )


def _softmax(logits: Probabilities) -> Probabilities:
    """Return rows that sum to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
