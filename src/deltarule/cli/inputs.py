"""The examples in a user's file, for a model to answer."""

from pathlib import Path

import numpy as np

from deltarule.cli.record import training_record
from deltarule.data.idx import read_idx
from deltarule.data.images import SUFFIXES, read_image
from deltarule.data.npz import read_npz
from deltarule.data.pictures import SUFFIXES as PICTURES
from deltarule.data.pictures import read_digit
from deltarule.data.tables import read_pixel_rows
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.model import Model
from deltarule.nn.arrays import Array


def read_inputs(path: Path, model: Model) -> Array:
    """The examples in a file as they are stored, (n_samples, features): uint8 pixels, or numbers in their own units.

    Where the model reads digits as MNIST has them, a picture of any size becomes such an image.

    Raises SettingError where there is no such file, NoDigitError for a blank picture, DataError where the content is
    wrong, ShapeError where it does not fit the model.
    """
    if not path.is_file():
        raise SettingError(f"a file of examples must exist: got {path}")
    raw = _read(path, model)
    try:
        model.inputs(raw[:1])
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}") from error
    return raw.reshape(len(raw), -1)


def _read(path: Path, model: Model) -> Array:
    suffix = path.suffix.lower()
    if suffix in PICTURES and reads_digits(model):
        return read_digit(path)[np.newaxis]
    if suffix in SUFFIXES:
        return read_image(path, model.image_shape or (28, 28))[np.newaxis]
    if suffix == ".npz":
        splits = read_npz(path)
        return (splits.test or splits.train).inputs
    if suffix != ".csv":
        return read_idx(path)
    if model.image_shape is not None:
        return read_pixel_rows(path)[0]
    record = training_record(model)
    return read_numbers(path, record.target if record else None)


def reads_digits(model: Model) -> bool:
    """Whether a model tells the ten digits of images like MNIST's."""
    return model.image_shape == (28, 28) and model.class_names == tuple("0123456789")


def read_numbers(path: Path, target: str | None) -> Array:
    """The inputs in a CSV with a header, (n_samples, features) float64: every column but `target`, which may be there.

    Raises DataError where a cell holds no finite number.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines() or [""]
    except OSError as error:
        raise DataError(f"{path}: a CSV file was expected, but it cannot be read: {error.strerror}") from error
    columns = [k for k, name in enumerate(header.split(",")) if name.strip() != target]
    if not any(map(str.strip, lines)):
        raise DataError(f"{path}: a header and rows of numbers were expected: got no rows")
    try:
        numbers = np.loadtxt(lines, delimiter=",", comments=None, quotechar='"', usecols=columns, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: a header and rows of numbers were expected: {error} (counted from 0)") from error
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise DataError(f"{path}: finite numbers were expected: got {numbers[row, column]} in row {row} (from 0)")
    return numbers
