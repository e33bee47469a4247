"""IDX, the format of MNIST: two zero bytes, a dtype, the number of dimensions, each dimension, and the bytes.

All numbers are big-endian; 0x08 is the code of unsigned bytes, the only dtype that images and labels come in.
Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import math
import os
import struct
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset
from deltarule.data.file_guards import LARGEST, most_believed, refuse_special
from deltarule.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
MOST_DIMENSIONS = 4
DEFLATE_LIMIT = 1032  # deflate never expands a byte to more


def read_idx(path: str | os.PathLike[str], *, most_bytes: int = LARGEST) -> NDArray[np.uint8]:
    """The array in an IDX file, plain or compressed with gzip (told by its content, not by its name).

    most_bytes: a file that declares more is refused.

    Returns uint8 of the shape that the header declares, 1 to 4 dimensions. Raises DataError, naming the file, where it
    is missing, empty, damaged, longer or shorter than its header says, or holds other than unsigned bytes.
    """
    refuse_special(path)
    try:
        with Path(path).open("rb") as stored:
            size = os.fstat(stored.fileno()).st_size
            compressed = stored.read(2) == GZIP_MAGIC
            stored.seek(0)
            with gzip.GzipFile(fileobj=stored) if compressed else nullcontext(stored) as file:
                return _parse(file, size, compressed, most_bytes, str(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: expected a whole gzip file, but it is damaged or truncated: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: expected an IDX file, but it cannot be read: {error.strerror}") from error


def _parse(
    file: BinaryIO | gzip.GzipFile, stored_bytes: int, compressed: bool, most_bytes: int, name: str
) -> NDArray[np.uint8]:
    """The array behind the header of an open file that takes `stored_bytes` on disk."""
    shape = _read_header(file, name)
    header_bytes, data_bytes = 4 + 4 * len(shape), math.prod(shape)
    n_bytes = header_bytes + data_bytes
    expected = f"{name}: its header declares {' x '.join(map(str, shape))}, so {n_bytes:,} bytes were expected"
    if not compressed and n_bytes != stored_bytes:
        raise DataError(f"{expected}: got {stored_bytes:,}; the file is truncated or no IDX file")
    if n_bytes > stored_bytes * DEFLATE_LIMIT:
        raise DataError(f"{expected}: got {stored_bytes:,} compressed ones, which cannot hold so many")
    if compressed and n_bytes > most_believed(stored_bytes):
        raise DataError(
            f"{expected}: got {stored_bytes:,} compressed ones; a file like this is made to fill the memory"
        )
    if n_bytes > most_bytes:
        raise DataError(f"{expected}: that is more than the {most_bytes:,} that are read of such a file")
    content = np.empty(data_bytes, dtype=np.uint8)
    filled = 0
    # In pieces, because GzipFile.readinto makes a copy of what it is asked for.
    while chunk := file.read(min(2**20, data_bytes - filled)):
        content[filled : filled + len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
        filled += len(chunk)
    if filled < data_bytes:
        raise DataError(f"{expected}: got {header_bytes + filled:,}; the file is truncated")
    if file.read(1):
        raise DataError(f"{expected}: got more; the file is no IDX file, or its header is wrong")
    return content.reshape(shape)


def _read_header(file: BinaryIO | gzip.GzipFile, name: str) -> tuple[int, ...]:
    """The dimensions that the header declares; leaves the file at the first byte of data."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:3] != b"\x00\x00\x08" or not 1 <= magic[3] <= MOST_DIMENSIONS:
        got = magic.hex(" ") or "an empty file"
        raise DataError(f"{name}: an IDX file of unsigned bytes starts with 00 00 08 and 01 to 04: got {got}")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{name}: {magic[3]} dimensions of 4 bytes were expected: got {len(sizes)} bytes, then the end")
    return struct.unpack(f">{magic[3]}I", sizes)


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The bytes before the data of an IDX file that holds unsigned bytes of this shape."""
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)


def labeled_images(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], *, class_names: tuple[str, ...] = (), name: str = "images"
) -> Dataset:
    """A Dataset of images (n_samples, height, width) and labels (n_samples,), both uint8."""
    if images.ndim != 3 or labels.ndim != 1:
        got = f"{images.ndim} and {labels.ndim}"
        raise DataError(f"{name}: 3 dimensions of images and 1 of labels were expected: got {got}; are they swapped?")
    if len(images) != len(labels):
        raise DataError(f"{name}: a label for each of {len(images):,} images was expected: got {len(labels):,} labels")
    height, width = images.shape[1:]
    pixels = images.reshape(len(images), height * width)
    return Dataset(pixels, labels.astype(np.int64), "classes", class_names, (height, width), name)
