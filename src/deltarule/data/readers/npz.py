"""npz, NumPy's archive of arrays, read as data sets are found in it: Keras's mnist.npz, or inputs and targets."""

import math
import zipfile
import zlib
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits, default_class_names
from deltarule.data.reading import LARGEST, MOST_SHRUNK, most_believed, open_file
from deltarule.errors import DataError, sentence

LAYOUTS = (("x_train", "y_train", "x_test", "y_test"), ("X", "y"), ("inputs", "targets"))


def read_npz(path: AnyPath) -> Splits:
    """The data in an npz: x_train, y_train, x_test, y_test (Keras's mnist.npz), or X, y, or inputs, targets.

    Inputs (n_samples, n_features) or images (n_samples, height, width): uint8 and floats stay, integers and booleans
    become float64. Targets: integers (n_samples,) are classes, integers or booleans (n_samples, n_outputs) are labels,
    floats are values.

    Returns Splits, whose test is None where there is one part only. Raises DataError, naming the file and the array,
    where the archive is damaged, lacks an array or holds it twice, needs pickle, or declares more than it can hold.
    """
    try:
        with open_file(path, "an npz file") as file, zipfile.ZipFile(file) as archive:
            found = {name.removesuffix(".npy") for name in archive.namelist()}
            keys = next((keys for keys in LAYOUTS if found >= set(keys)), None)
            if keys is None:
                wanted = "; or ".join(", ".join(keys) for keys in LAYOUTS)
                got = ", ".join(sorted(found)) or "none"
                raise DataError(f"{path}: arrays called {wanted} were expected: got {got}")
            names = [f"{path}, {key}" for key in keys]
            arrays = list(map(_read_array, repeat(archive), keys, names))
            classes = [y.astype(np.int64) for y in arrays[1::2] if y.ndim == 1 and y.dtype.kind in "iu"]
            class_names = default_class_names(*classes, name=names[1]) if classes else ()
            return Splits(*map(_dataset, arrays[::2], arrays[1::2], repeat(class_names), names[::2]))
    # zipfile raises RuntimeError for an encrypted member, and its subclass for an unknown compression.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(f"{path}: an npz file was expected, but it is damaged or none: {error}") from error


def _read_array(archive: zipfile.ZipFile, key: str, name: str) -> NDArray[Any]:
    """One array of the archive, once what it declares is known to be numbers that such a file can hold."""
    entry, *others = (each for each in archive.infolist() if each.filename.removesuffix(".npy") == key)
    if others:
        raise DataError(f"{name}: one array of that name was expected: got several")
    if entry.file_size > min(LARGEST, most_believed(entry.compress_size)):
        raise DataError(sentence("readers.npz_bytes", name=name, most=MOST_SHRUNK, entry=entry))
    try:
        with archive.open(entry) as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            held = entry.file_size - file.tell()
            if dtype.kind in "buif" and math.prod(shape) * dtype.itemsize == held:
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
    # Python's parser answers expressions that nest too deeply with the latter two.
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{name}: an array of numbers was expected: {str(error) or type(error).__name__}") from error
    raise DataError(f"{name}: numbers that take {held:,} bytes were expected: got {dtype} of shape {shape}")


def _dataset(X: NDArray[Any], y: NDArray[Any], class_names: tuple[str, ...], name: str) -> Dataset:
    """A Dataset of `X`, inputs or images, and `y`, whose shape and dtype tell the task."""
    if X.ndim not in (2, 3):
        raise DataError(sentence("readers.npz_inputs", name=name, shape=X.shape))
    n_features = math.prod(X.shape[1:])
    if X.dtype != np.uint8:
        X = X.astype(X.dtype.newbyteorder("=") if X.dtype.kind == "f" else np.float64)
    side = math.isqrt(n_features)
    square = (side, side) if X.dtype == np.uint8 and side**2 == n_features else None
    image_shape = X.shape[1:] if X.ndim == 3 else square
    X = X.reshape(len(X), n_features)
    if y.dtype.kind == "f":
        y = y.astype(np.float64)
        return Dataset(X, y if y.ndim > 1 else y[:, np.newaxis], "values", (), image_shape, name)
    if y.ndim == 1:
        return Dataset(X, y.astype(np.int64), "classes", class_names, image_shape, name)
    if y.size and not 0 <= y.min() <= y.max() <= 1:
        raise DataError(f"{name}: labels of 0 and 1 were expected: got {y.min()} to {y.max()}")
    return Dataset(X, y.astype(np.uint8), "labels", (), image_shape, name)
