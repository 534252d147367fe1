"""What `RayPool` uses of Ray, without a cluster: actors that answer at once, or not before a test lets them."""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from importlib.machinery import ModuleSpec
from types import SimpleNamespace
from typing import Any

import pytest


class Reference:
    """The answer to a call."""

    def __init__(self) -> None:
        """Wait for the answer."""
        self.answer: Future[Any] = Future()

    def future(self) -> "Future[Any]":
        """Return the answer."""
        return self.answer


class Handle:
    """An actor; calls reach it always, and the answers of the methods in `held` are kept back."""

    def __init__(self, reader: Any) -> None:
        """Make the reader."""
        self.reader = reader
        self.held: tuple[str, ...] = ()
        self.has_died = False
        self.dies: Callable[[str, tuple[Any, ...]], bool] = lambda name, values: False
        self.batches: list[int] = []  # sizes
        self._kept: list[Callable[[], None]] = []

    def __getattr__(self, name: str) -> Any:
        """Return what calls a method of the reader."""
        method = SimpleNamespace(remote=lambda *values: self._call(name, values))
        method.options = lambda **_: method
        return method

    def _call(self, name: str, values: tuple[Any, ...]) -> Reference:
        reference = Reference()
        self.batches += [len(values[0])] if name == "read" else []
        if self.has_died or self.dies(name, values):
            self.has_died = True
            reference.answer.set_exception(RuntimeError("the actor has died"))
            return reference
        result = getattr(self.reader, name)(*values)
        self._kept.append(lambda: reference.answer.set_result(result))
        if name not in self.held:
            self._kept.pop()()
        return reference

    def cut_off(self) -> None:
        """Keep all answers back."""
        self.held = "read", "progress"

    def reconnect(self) -> None:
        """Let the answers through."""
        self.held = ()
        while self._kept:
            self._kept.pop(0)()


class Ray:
    """The module, with a cluster of some processors."""

    __spec__ = ModuleSpec("ray", None)
    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self, processors: int) -> None:
        """Start with no actor."""
        self.actors: list[Handle] = []
        self.dies: Callable[[str, tuple[Any, ...]], bool] = lambda name, values: False  # of which calls an actor dies
        self.processors = processors

    def init(self, **_: object) -> None:
        """Connect."""

    def shutdown(self) -> None:
        """Disconnect."""

    def cluster_resources(self) -> dict[str, float]:
        """Return the processors."""
        return {"CPU": float(self.processors)}

    def remote(self, **_: object) -> Callable[[type], Any]:
        """Return what makes an actor of a class."""
        return lambda reader: SimpleNamespace(remote=lambda: self._start(reader))

    def _start(self, reader: type) -> Handle:
        self.actors.append(Handle(reader()))
        self.actors[-1].dies = self.dies
        return self.actors[-1]

    def wait(self, references: list[Reference], timeout: float) -> tuple[list[Reference], list[Reference]]:
        """Return the first answer that is there."""
        return [each for each in references if each.answer.done()][:1], []

    def get(self, reference: Reference) -> Any:
        """Return an answer."""
        return reference.answer.result()

    def kill(self, handle: Handle) -> None:
        """Kill an actor."""
        handle.cut_off()


def stand_in(monkeypatch: pytest.MonkeyPatch, processors: int) -> Ray:
    """Return a cluster that `import ray` leads to."""
    ray = Ray(processors)
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray
