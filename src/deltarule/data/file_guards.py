"""What may be opened, and how much may come out of it.

To open a pipe is to wait for whoever writes to it, and a device has no end. What a file declares is refused before
memory is taken for it: 2 GiB is 45 times MNIST, which deflate shrinks to a fifth. Real data never shrink
two-hundredfold; those made to fill the memory do so a thousandfold.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

from deltarule.errors import DataError

LARGEST = 2**31  # bytes
MOST_SHRUNK = 200
UNSUSPICIOUS = 2**20  # bytes that a few compressed ones may hold, such as blank images
GZIP_MAGIC = b"\x1f\x8b"


class StoredFile(NamedTuple):
    """An open file: its content, unpacked on the way where it is compressed, and how many bytes it takes on disk."""

    content: BinaryIO | gzip.GzipFile
    n_bytes: int
    is_compressed: bool


@contextmanager
def open_stored(path: str | os.PathLike[str], expected: str) -> Iterator[StoredFile]:
    """A file, plain or compressed with gzip: its content tells, not its name. `expected`: what messages call it.

    Raises DataError where it cannot be read, now or while its content is.
    """
    refuse_special(path)
    try:
        with Path(path).open("rb") as stored:
            is_compressed = stored.read(2) == GZIP_MAGIC
            stored.seek(0)
            with gzip.GzipFile(fileobj=stored) if is_compressed else nullcontext(stored) as content:
                yield StoredFile(content, os.fstat(stored.fileno()).st_size, is_compressed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: expected a whole gzip file, but it is damaged or truncated: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: expected {expected}, but it cannot be read: {error.strerror}") from error


def refuse_special(path: str | os.PathLike[str]) -> None:
    """Raise DataError where a path leads to a pipe, a device or a socket; a missing file is for whoever opens it."""
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{path}: a file was expected: got a pipe, a device or a socket; save what it gives to a file")


def most_believed(compressed_bytes: int) -> int:
    """How many bytes so many compressed ones are believed to hold."""
    return MOST_SHRUNK * compressed_bytes + UNSUSPICIOUS
