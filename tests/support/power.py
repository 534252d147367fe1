"""A disk whose power can be cut after any call: what was synced survives, and of the rest whatever a test says.

The calls of a real run are read from strace and applied to a model: files with their bytes, folders with their
names, and for both what a sync has made durable. Each change of names (create, rename, unlink, mkdir, rmdir) is
atomic, as on every journaling filesystem; it is durable once a folder that it touches has been synced.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "openat,write,pwrite64,ftruncate,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,fdatasync"
ON_HANDLES = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync")
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?(?: .*)?$")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACE = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')  # an open folder, a name in it
_HANDLE = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>")


@dataclass(eq=False)
class Node:
    """A file or a folder."""

    is_folder: bool
    data: bytes = b""
    durable: bytes = b""
    synced: bool = False


@dataclass(eq=False)
class Change:
    """One atomic change of names: (folder, name, what it leads to now)."""

    names: list[tuple[Node, str, Node | None]]
    durable: bool = False


@dataclass
class Disk:
    """Everything below one folder of the real machine."""

    top: Path
    root: Node = field(default_factory=lambda: Node(True, synced=True))
    changes: list[Change] = field(default_factory=list)

    def load(self) -> None:
        """Mark the present files as durable."""
        for path in sorted(self.top.rglob("*")):
            node = Node(path.is_dir(), synced=True)
            if not node.is_folder:
                node.data = node.durable = path.read_bytes()
            self._change(path, node).durable = True

    def find(self, path: Path) -> Node | None:
        """Return what a path leads to for a living process."""
        node: Node | None = self.root
        for name in path.relative_to(self.top).parts:
            node = self._names(lambda change: True).get(node, {}).get(name) if node else None
        return node

    def apply(self, call: str, arguments: str, result: int, opened: str) -> None:
        """Apply one call of the trace."""
        if result < 0:
            return
        paths = [_path(folder) / _path(name) for folder, name in _PLACE.findall(arguments) if call not in ON_HANDLES]
        handle = _HANDLE.match(arguments)
        if call == "openat":
            self._open(_path(opened), arguments)
        elif call in ("mkdir", "mkdirat"):
            self._change(paths[0], Node(True))
        elif call in ("unlink", "unlinkat", "rmdir"):
            self._change(paths[0], None)
        elif call in ("rename", "renameat", "renameat2"):
            moved = self.find(paths[0])
            change = self._change(paths[0], None)
            change.names += self._change(paths[1], moved, note=False).names
        elif handle and (node := self._find_below(_path(handle.group(1)))) is not None:
            self._on_handle(call, node, arguments, result)

    def survivor(self, base: Path, survives: Callable[[int], bool], tail: Callable[[bytes], bytes]) -> None:
        """Write into `base` what is there after the power cut.

        `survives` says of each change that was not synced whether it came through, by its number; `tail`
        makes of the bytes that were not synced those that came through.
        """
        numbers = {id(change): number for number, change in enumerate(self.changes)}
        tree = self._names(lambda change: change.durable or survives(numbers[id(change)]))
        _write(self.root, base, tree, tail)

    def _names(self, counts: Callable[[Change], bool]) -> dict[Node, dict[str, Node]]:
        tree: dict[Node, dict[str, Node]] = {}
        for change in filter(counts, self.changes):
            for folder, name, node in change.names:
                if node is None:
                    tree.setdefault(folder, {}).pop(name, None)
                else:
                    tree.setdefault(folder, {})[name] = node
        return tree

    def _change(self, path: Path, node: Node | None, note: bool = True) -> Change:
        folder = self.find(path.parent)
        assert folder is not None, path
        change = Change([(folder, path.name, node)])
        if note:
            self.changes.append(change)
        return change

    def _find_below(self, path: Path) -> Node | None:
        return self.find(path) if path.is_relative_to(self.top) else None

    def _open(self, path: Path, arguments: str) -> None:
        if not path.is_relative_to(self.top):
            return
        node = self.find(path)
        if node is None:
            self._change(path, Node(False))
        elif "O_TRUNC" in arguments:
            node.data = b""

    def _on_handle(self, call: str, node: Node, arguments: str, result: int) -> None:
        if call in ("fsync", "fdatasync"):
            node.durable, node.synced = node.data, True
            for change in self.changes:
                change.durable = change.durable or any(folder is node for folder, _, _ in change.names)
        elif call == "ftruncate":
            node.data = node.data[: int(arguments.rpartition(", ")[2])]
        else:  # all files of ours are written at their end
            node.data += _bytes(_PATH.findall(arguments)[0])[:result]


def trace(path: Path, top: Path) -> Iterator[tuple[str, str, int, str]]:
    """Yield the calls of a trace (strace -y -xx -s 100000) that have to do with files below `top`."""
    for line in path.read_text().splitlines():
        if (match := _CALL.match(line)) is None:
            continue
        call, arguments, result, opened = match.groups()
        if str(top).encode().hex() in (arguments + (opened or "")).replace("\\x", ""):
            yield call, arguments, int(result), opened or ""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _path(text: str) -> Path:
    return Path(os.fsdecode(_bytes(text)))


def _write(node: Node, path: Path, tree: dict[Node, dict[str, Node]], tail: Callable[[bytes], bytes]) -> None:
    if not node.is_folder:
        same = node.data.startswith(node.durable)
        path.write_bytes(node.durable + tail(node.data[len(node.durable) :]) if same else node.durable)
        return
    path.mkdir(exist_ok=True)
    for name, child in tree.get(node, {}).items():
        _write(child, path / name, tree, tail)
