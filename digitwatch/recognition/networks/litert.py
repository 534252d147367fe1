"""LiteRT interpreters, without their messages on standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from digitwatch.recognition.arrays import Floats, Pixels


def interpreter(content: bytes, shape: tuple[int, ...], threads: int = 1) -> Interpreter:
    """Return an interpreter of the .tflite bytes that takes exactly `shape`; the results do not depend on `threads`.

    Raises:
        ValueError, RuntimeError: the bytes are no model, or it cannot take this shape.
    """
    with _silence():
        made = Interpreter(model_content=content, num_threads=threads)
        made.resize_tensor_input(made.get_input_details()[0]["index"], shape)
        made.allocate_tensors()
    return made


class ByWidth:
    """A network for pictures of one height and any width; each width gets an interpreter when it is first needed."""

    def __init__(self, content: bytes, height: int, width: int) -> None:
        """Take the bytes of a .tflite file, and prove them with pictures of one width.

        Raises:
            ValueError, RuntimeError: the bytes are no model, or it cannot take pictures of this height.
        """
        self._content, self._height = content, height
        self._interpreters = {width: interpreter(content, (1, height, width, 1))}

    def __call__(self, picture: Pixels, threads: int = 1) -> Floats:
        """Return the network's answer to an (H, W) uint8 picture, without the axis of the batch.

        `threads` counts when a picture of this width is seen for the first time.
        """
        width = picture.shape[1]
        if width not in self._interpreters:
            self._interpreters[width] = interpreter(self._content, (1, self._height, width, 1), threads)
        model = self._interpreters[width]
        values = picture[None, :, :, None].astype(np.float32) / np.float32(255)
        model.set_tensor(model.get_input_details()[0]["index"], values)
        model.invoke()
        return np.asarray(model.get_tensor(model.get_output_details()[0]["index"])[0], np.float32)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep LiteRT from writing "Created TensorFlow Lite XNNPACK delegate" to standard error; it has no switch."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
