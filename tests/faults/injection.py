"""A disk that fails on demand: every operation on files in a folder is counted, and any of them can go wrong.

What Python does to files passes through here, in the manner of SQLite's test VFS: each operation is shown to an action,
which may record it, raise an OSError in its place, or kill the process; only then does the real one take place.
"""

import errno
import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


class Operation(NamedTuple):
    """What a program does to a file: open, write, fsync, close, rename or unlink. `target`: a rename's new name."""

    kind: str
    path: str
    data: bytes = b""
    target: str = ""


Action = Callable[[Operation], None]


class WatchedFile(io.FileIO):
    """A file whose operations are shown to an action before they take place."""

    def __init__(self, path: str, mode: str, disk: "Disk") -> None:
        disk.act(Operation("open", path))
        super().__init__(path, mode)
        self.path, self.disk = path, disk
        disk.paths[self.fileno()] = path

    def write(self, data: Any) -> int:
        self.disk.act(Operation("write", self.path, bytes(data)))
        return super().write(data)

    def close(self) -> None:
        """As the system has it: a close that fails has closed the file."""
        if not self.closed and hasattr(self, "disk"):
            self.disk.paths.pop(self.fileno(), None)
            try:
                self.disk.act(Operation("close", self.path))
            finally:
                super().close()
        super().close()


class Disk:
    """Shows what is done inside a folder to an action, one operation at a time."""

    def __init__(self, folder: Path, action: Action) -> None:
        self.folder, self.action = os.path.realpath(folder), action
        self.paths: dict[int, str] = {}
        self._lock = threading.Lock()

    def act(self, operation: Operation) -> None:
        with self._lock:
            self.action(operation)

    def is_inside(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.path.realpath(path).startswith(self.folder)

    def open_file(self, file: Any, mode: str = "r", buffering: int = -1, *more: Any, **others: Any) -> Any:
        if not self.is_inside(file) or "b" not in mode:
            return REAL["open"](file, mode, buffering, *more, **others)
        raw = WatchedFile(os.fspath(file), mode, self)
        if buffering == 0:
            return raw
        return io.BufferedReader(raw) if mode == "rb" else io.BufferedWriter(raw)

    def open_descriptor(self, path: Any, *arguments: Any, **others: Any) -> int:
        if not self.is_inside(path):
            return int(REAL["os.open"](path, *arguments, **others))
        self.act(Operation("open", os.fspath(path)))
        descriptor = int(REAL["os.open"](path, *arguments, **others))
        self.paths[descriptor] = os.fspath(path)
        return descriptor

    def fsync(self, descriptor: int) -> None:
        if descriptor in self.paths:
            self.act(Operation("fsync", self.paths[descriptor]))
        REAL["fsync"](descriptor)

    def close(self, descriptor: int) -> None:
        path = self.paths.pop(descriptor, None)
        try:
            if path is not None:
                self.act(Operation("close", path))
        finally:
            REAL["close"](descriptor)

    def rename(self, source: Any, target: Any, **others: Any) -> None:
        if self.is_inside(source):
            self.act(Operation("rename", os.fspath(source), target=os.fspath(target)))
        REAL["replace"](source, target, **others)

    def unlink(self, path: Any, **others: Any) -> None:
        if self.is_inside(path):
            self.act(Operation("unlink", os.fspath(path)))
        REAL["unlink"](path, **others)


REAL: dict[str, Any] = {"open": io.open, "os.open": os.open}
REAL |= {name: getattr(os, name) for name in ("fsync", "close", "replace", "unlink")}


@contextmanager
def watched(folder: Path, action: Action) -> Iterator[None]:
    """A block in which every operation inside the folder is shown to the action first."""
    disk = Disk(folder, action)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", disk.open_file)
        patch.setattr(os, "open", disk.open_descriptor)
        patch.setattr(os, "fsync", disk.fsync)
        patch.setattr(os, "close", disk.close)
        patch.setattr(os, "replace", disk.rename)
        patch.setattr(os, "unlink", disk.unlink)
        yield


class Failing:
    """Lets the n-th operation (counted from 0) fail with an error; from there on all that take room, if it is full."""

    def __init__(self, n: int, code: int, *, stays_full: bool = False) -> None:
        self.n, self.code, self.stays_full, self.count = n, code, stays_full, 0

    def __call__(self, operation: Operation) -> None:
        if operation.kind == "unlink":  # makes room, and is not among the calls that this is about
            return
        index, self.count = self.count, self.count + 1
        lasts = self.stays_full and operation.kind in ("open", "write", "fsync") and index > self.n
        if index == self.n or lasts:
            raise OSError(self.code, os.strerror(self.code), operation.path)


class Killing:
    """Kills its own process, as nothing can prevent, before the n-th operation (counted from 0)."""

    def __init__(self, n: int) -> None:
        self.n, self.count = n, 0

    def __call__(self, operation: Operation) -> None:
        if self.count == self.n:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
