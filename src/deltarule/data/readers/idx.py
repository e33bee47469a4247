"""IDX, the format of MNIST: two zero bytes, a dtype, the number of dimensions, each dimension, and the bytes.

All numbers are big-endian; 0x08 is the code of unsigned bytes, the only dtype that images and labels come in.
Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import math
import re
import struct
from collections.abc import Sequence
from gzip import GzipFile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits, default_class_names
from deltarule.data.reading import LARGEST, Announce, most_believed, open_stored, print_to_stderr
from deltarule.errors import DataError, read_tables, sentence

SIGNATURE = read_tables("data/readers/kinds")["kinds"]["IDX"][0].encode()  # a dtype, and 1 to 4 dimensions
DTYPES = {8: "uint8", 9: "int8", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # as NumPy calls them
IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"  # the ends of file names that belong together
TRAIN, TEST = "train", "t10k"  # how the names of MNIST's files begin


def read_idx(path: AnyPath, *, most_bytes: int = LARGEST) -> NDArray[np.uint8]:
    """Read the array in an IDX file, plain or compressed with gzip.

    most_bytes: a file whose header declares more bytes is refused before memory is allocated.

    Returns uint8 of the shape in the header, 1 to 4 dimensions. Raises DataError, naming the file, if it is missing,
    empty, damaged, longer or shorter than its header says, or does not contain unsigned bytes.
    """
    with open_stored(path, "an IDX file") as file:
        magic = file.read(4)
        if not re.fullmatch(SIGNATURE, magic):
            raise DataError(sentence("readers.idx", path=path, got=magic.hex(" ") or "an empty file"))
        code, n_axes = magic[2:]
        header_bytes = 4 + 4 * n_axes
        if code != 8:
            raise DataError(sentence("readers.idx_dtype", path=path, dtype=DTYPES[code], code=code, start=header_bytes))
        sizes = file.read(4 * n_axes)
        if len(sizes) < 4 * n_axes:
            raise DataError(sentence("readers.idx_sizes", path=path, n_axes=n_axes, n_bytes=len(sizes)))
        shape = struct.unpack(f">{n_axes}I", sizes)
        n_bytes = math.prod(shape)
        declared = header_bytes + n_bytes
        stored, is_compressed = Path(path).stat().st_size, isinstance(file, GzipFile)
        expected = f"{path}: its header declares {' x '.join(map(str, shape))}, so {declared:,} bytes were expected"
        if not is_compressed and declared != stored:
            why = "truncated" if stored < declared else "longer than its header says"
            raise DataError(f"{expected}: got {stored:,}; the file is {why}, or not an IDX file")
        if is_compressed and declared > most_believed(stored):
            raise DataError(f"{expected}: got {stored:,} compressed ones; a file like this is made to fill the memory")
        if declared > most_bytes:
            raise DataError(f"{expected}: that is more than the {most_bytes:,} that are read of such a file")
        pixels = np.empty(n_bytes, dtype=np.uint8)
        filled = 0
        # In pieces, because GzipFile.readinto copies everything that it reads.
        while chunk := file.read(min(2**20, n_bytes - filled)):
            pixels[filled : filled + len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
            filled += len(chunk)
        if filled < n_bytes:
            raise DataError(f"{expected}: got {header_bytes + filled:,}; the file is truncated")
        if file.read(1):
            raise DataError(f"{expected}: got more; this is not an IDX file, or its header is wrong")
        return pixels.reshape(shape)


def idx_files(folder: Path, name: str) -> list[Path]:
    """Find the files in `folder` that may be the IDX file called `name`, such as "train-labels-idx1-ubyte".

    The files may be compressed, or called "train-labels.idx1-ubyte", as some programs unpack them.
    """
    spellings = (name, name.replace("-idx", ".idx"))
    candidates = [folder / f"{spelling}{suffix}" for spelling in spellings for suffix in ("", ".gz")]
    return [path for path in candidates if path.is_file()]


def read_idx_pairs(path: Path, announce: Announce = print_to_stderr) -> Splits:
    """Read images and labels from a folder with MNIST's file names, or from the pair of files that begin with `path`.

    Raises DataError if images have no labels, or the two do not fit each other.
    """
    folder, prefixes = (path, (TRAIN, TEST)) if path.is_dir() else (path.parent, (path.name,))
    parts = []
    for prefix in prefixes:
        images, labels = idx_files(folder, prefix + IMAGES), idx_files(folder, prefix + LABELS)
        if images and not labels:
            raise DataError(f"{folder}: {prefix}{LABELS} beside {images[0].name} was expected: got no such file")
        if images:
            parts.append((images[0], read_idx(images[0]), read_idx(labels[0])))
    if path.name.startswith("emnist"):
        announce(sentence("readers.emnist", path=path))
    class_names = default_class_names(*(labels.astype(np.int64) for _, _, labels in parts), name=str(folder))
    return Splits(*(image_dataset(*arrays, class_names=class_names, name=str(path)) for path, *arrays in parts))


def image_dataset(
    images: NDArray[np.uint8], labels: NDArray[Any], *, class_names: Sequence[str] = (), name: str = "images"
) -> Dataset:
    """Make a Dataset of images (n_samples, height, width), uint8, and labels (n_samples,), whole numbers."""
    if images.ndim != 3 or labels.ndim != 1:
        raise DataError(sentence("readers.idx_dimensions", name=name, images=images, labels=labels))
    if len(images) != len(labels):
        raise DataError(f"{name}: a label for each of {len(images):,} images was expected: got {len(labels):,} labels")
    height, width = images.shape[1:]
    pixels = images.reshape(len(images), height * width)
    return Dataset(pixels, labels.astype(np.int64), "classes", tuple(class_names), (height, width), name)
