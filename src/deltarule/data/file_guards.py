"""What may be opened, and how much may come out of it.

To open a pipe is to wait for whoever writes to it, and a device has no end. What a file declares is refused before
memory is taken for it: 2 GiB is 45 times MNIST, which deflate shrinks to a fifth. Real data never shrink
two-hundredfold; those made to fill the memory do so a thousandfold.
"""

import os
from pathlib import Path

from deltarule.errors import DataError

LARGEST = 2**31  # bytes
MOST_SHRUNK = 200
UNSUSPICIOUS = 2**20  # bytes that a few compressed ones may hold, such as blank images


def refuse_special(path: str | os.PathLike[str]) -> None:
    """Raise DataError where a path leads to a pipe, a device or a socket; a missing file is for whoever opens it."""
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{path}: a file was expected: got a pipe, a device or a socket; save what it gives to a file")


def most_believed(compressed_bytes: int) -> int:
    """How many bytes so many compressed ones are believed to hold."""
    return MOST_SHRUNK * compressed_bytes + UNSUSPICIOUS
