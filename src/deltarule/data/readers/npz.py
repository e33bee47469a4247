"""Reads data sets in npz, NumPy's archives of arrays: Keras's mnist.npz, or inputs and targets."""

import math
import zipfile
import zlib
from collections.abc import Collection, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits, default_class_names
from deltarule.data.reading import LARGEST, MOST_SHRUNK, Announce, most_believed, open_file, print_to_stderr
from deltarule.errors import DataError, sentence

# The names of inputs and of targets, and their patterns for training and test parts, or for a single part.
SIDES = (("x", "inputs", "images", "data", "features"), ("y", "targets", "target", "labels", "label"))
PARTS = (("{}_train", "{}_test"), ("train_{}", "test_{}"), ("{}",))

# zipfile raises RuntimeError for an encrypted member, and its subclass for an unknown compression.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


def read_npz(path: AnyPath, announce: Announce = print_to_stderr) -> Splits:
    """Read inputs and targets from an npz: x_train, y_train, x_test, y_test (Keras), X and y, or similar names.

    Inputs (n_samples, n_features) or images (n_samples, height, width), perhaps with a channel: uint8 and floats stay,
    integers and booleans become float64. Targets: integers (n_samples,) or strings are classes, as are one-hot rows,
    which `announce` reports; other integers or booleans (n_samples, n_outputs) are labels, floats are values.

    Returns Splits, whose test is None if there is only one part. Raises DataError, naming the file and the array, if
    the archive is damaged, lacks an array or has it twice, needs pickle, or declares more than it can contain.
    """
    try:
        with open_file(path, "an npz file") as file, zipfile.ZipFile(file) as archive:
            found = {name.removesuffix(".npy").lower(): name.removesuffix(".npy") for name in archive.namelist()}
            keys = [found[key] for key in layout_of(found)]
            if not keys:
                got = ", ".join(sorted(found.values())) or "none"
                raise DataError(sentence("readers.npz_layout", path=path, got=got))
            if others := [key for key in found.values() if key not in keys and key[:2].lower() in ("x_", "y_", "va")]:
                announce(f"{path}: skipped: {', '.join(others)}")
            names = [f"{path}, {key}" for key in keys]
            arrays = list(map(_read_array, repeat(archive), keys, names))
            targets, class_names = _as_classes(arrays[1::2], names[1], announce)
            return Splits(*map(_dataset, arrays[::2], targets, repeat(class_names), names[::2]))
    except DAMAGE as error:
        raise DataError(f"{path}: an npz file was expected, but it is damaged or none: {error}") from error


def layout_of(found: Collection[str]) -> list[str]:
    """The names, among these in lower case, of training inputs and targets and, if any, test ones; [] if none fit."""
    for ways in PARTS:
        sides = [
            [next((way.format(word) for word in words if way.format(word) in found), "") for words in SIDES]
            for way in ways
        ]
        if all(sides[0]):
            return [name for part in sides if all(part) for name in part]
    return next(([f"arr_{k}" for k in range(n)] for n in (4, 2) if f"arr_{n - 1}" in found), [])


def read_arrays(path: AnyPath) -> dict[str, NDArray[Any]]:
    """Read all arrays in an npz file, of numbers or strings, by name. Raises DataError as `read_npz`."""
    try:
        with open_file(path, "an npz file") as file, zipfile.ZipFile(file) as archive:
            keys = [name.removesuffix(".npy") for name in archive.namelist()]
            return {key: _read_array(archive, key, f"{path}, {key}") for key in keys}
    except DAMAGE as error:
        raise DataError(f"{path}: an npz file was expected, but it is damaged or none: {error}") from error


def read_npy(path: AnyPath) -> NDArray[Any]:
    """Read the inputs in an npy file as rows, (n_samples, features). Raises DataError for anything else."""
    with open_file(path, "an npy file") as file:
        X = _array_in(file, Path(path).stat().st_size, str(path))
    return _dataset(X, np.zeros(len(X) if X.ndim else 0, np.int64), ("0",), str(path)).inputs


def _as_classes(
    targets: Sequence[NDArray[Any]], name: str, announce: Announce
) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Turn class targets of all parts (a column, strings, one-hot rows) into indices; return targets and names."""
    targets = [y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind != "f" else y for y in targets]
    if all(y.dtype.kind == "U" and y.ndim == 1 for y in targets):
        known = sorted({*np.concatenate(targets).tolist()})
        return [np.searchsorted(known, y) for y in targets], tuple(known)
    if all(y.ndim == 2 and len(y) and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all() for y in targets):
        announce(f"{name}: each row holds one 1 and zeros: classes, not independent labels")
        return [y.argmax(axis=1) for y in targets], tuple(map(str, range(targets[0].shape[1])))
    if all(y.dtype.kind == "f" and y.size == len(y) and (np.unique(y) % 1 == 0).all() for y in targets):
        announce(f"{name}: floats are values to predict; y.astype(int) makes classes of them")
    classes = [y.astype(np.int64) for y in targets if y.ndim == 1 and y.dtype.kind in "iu"]
    if lowest := min((int(y.min(initial=0)) for y in classes), default=0):
        raise DataError(sentence("readers.below_0", name=name, got=lowest))
    return targets, default_class_names(*classes, name=name) if classes else ()


def _read_array(archive: zipfile.ZipFile, key: str, name: str) -> NDArray[Any]:
    """Read one array of the archive, after checking that its compressed size can contain what it declares."""
    entry, *others = (each for each in archive.infolist() if each.filename.removesuffix(".npy") == key)
    if others:
        raise DataError(f"{name}: one array of that name was expected: got several")
    if entry.file_size > min(LARGEST, most_believed(entry.compress_size)):
        raise DataError(sentence("readers.npz_bytes", name=name, most=MOST_SHRUNK, entry=entry))
    with archive.open(entry) as file:
        return _array_in(file, entry.file_size, name)


def _array_in(file: Any, n_bytes: int, name: str) -> NDArray[Any]:
    """Read the array of numbers or strings in an npy file of `n_bytes`. DataError for anything else."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        held = n_bytes - file.tell()
        if dtype.kind in "buifU" and math.prod(shape) * dtype.itemsize == held:
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)
    # Python's parser raises the latter two for expressions that are nested too deeply.
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{name}: an array of numbers was expected: {str(error) or type(error).__name__}") from error
    if dtype.kind not in "buifU":
        raise DataError(f"{name}: numbers or strings were expected: got {dtype}; .astype(str) makes strings of it")
    raise DataError(f"{name}: numbers that take {held:,} bytes were expected: got {dtype} of shape {shape}")


def _dataset(X: NDArray[Any], y: NDArray[Any], class_names: tuple[str, ...], name: str) -> Dataset:
    """Make a Dataset of `X`, inputs or images, and `y`, whose shape and dtype show the task."""
    if X.ndim == 4 and 1 in (X.shape[1], X.shape[3]):
        X = X[:, 0] if X.shape[1] == 1 else X[..., 0]
    if X.ndim not in (2, 3) or X.dtype.kind == "U" or (len(X) != len(y) and X.shape[-1] in y.shape):
        raise DataError(sentence("readers.npz_inputs", name=name, shape=X.shape, dtype=X.dtype, n_targets=len(y)))
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
