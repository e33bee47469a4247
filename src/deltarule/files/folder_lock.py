"""One process at a time in a folder: a lock that the system lets go of when its process ends, however it ends."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from deltarule.errors import FileError

if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes]) -> None:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(stream: IO[bytes]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


NAME = ".lock"
LOG = logging.getLogger("deltarule")


class FolderLock:
    """A folder, made where there is none, that one process may hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stream: IO[bytes] | None = None

    def acquire(self) -> None:
        """Hold the folder, from now on. FileError where another process does, or it cannot be made or written to."""
        if self._stream is not None:
            return
        place = self.folder / NAME
        if place.is_symlink():  # in a folder from a stranger it may lead anywhere, and is written to
            raise FileError(f"the lock of a folder is a file: got {place}, a link; remove it, or give another folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            stream = place.open("a+b", buffering=0)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", error)
            raise FileError(
                f"a run needs a folder that can be written to: got {self.folder}: {why}; give another"
            ) from error
        try:
            _lock(stream)
        except OSError as error:
            stream.seek(0)
            holder = stream.read(32).decode(errors="replace").strip() or "another"
            stream.close()
            raise FileError(
                f"one run at a time may write to a folder: got {self.folder}, which process {holder} writes to; wait "
                "for it, stop it, or give another folder"
            ) from error
        stream.seek(0)
        if not re.fullmatch(rb"\d*\n?", stream.read(32)):
            stream.close()
            raise FileError(
                f"the lock of a folder holds the number of a process: got {place}, which holds something else; "
                "give another folder"
            )
        self._stream = stream
        with _log_failures(self.folder):  # the number is only for the message above
            stream.truncate(0)
            stream.write(f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another process have the folder."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with _log_failures(self.folder):  # the system lets go of it in any case
                stream.close()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *ending: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


@contextmanager
def _log_failures(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        LOG.warning("the lock of %s: %s", folder, error.strerror or error)
