"""LiteRT interpreters, without their messages on standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ai_edge_litert.interpreter import Interpreter


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
