"""IDX files, written for tests."""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The bytes before the data of an IDX file that holds unsigned bytes of this shape."""
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def write_idx(path: str | Path, array: NDArray[np.uint8]) -> None:
    """Write uint8 of 1 to 4 dimensions as IDX, compressed where the name ends in .gz."""
    content = idx_header(array.shape) + array.tobytes()
    Path(path).write_bytes(gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content)
