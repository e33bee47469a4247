"""One process at a time in a folder: a lock that the system lets go of when its process ends, however it ends."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from deltarule.errors import FileError

if sys.platform == "win32":
    import msvcrt

    def _lock(stream: BinaryIO) -> None:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(stream: BinaryIO) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


NAME = ".lock"


class FolderLock:
    """A folder, made where there is none, that one process may hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stream: BinaryIO | None = None

    def acquire(self) -> None:
        """Hold the folder, from now on. FileError where another process does, or it cannot be made or written to."""
        if self._stream is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            stream = (self.folder / NAME).open("a+b")
        except OSError as error:
            raise FileError(
                f"checkpoints need a folder that can be written to: got {self.folder}: {error.strerror}"
            ) from error
        try:
            _lock(stream)
        except OSError as error:
            stream.seek(0)
            holder = stream.read(32).decode(errors="replace").strip() or "another"
            stream.close()
            raise FileError(
                f"one run at a time may keep its checkpoints in a folder: got {self.folder}, where process {holder} "
                "keeps its own; wait for it, stop it, or give another folder"
            ) from error
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n".encode())
        stream.flush()
        self._stream = stream

    def release(self) -> None:
        """Let another process have the folder."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
