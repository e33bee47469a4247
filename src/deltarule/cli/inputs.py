"""The examples in a user's file, for a model to answer."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deltarule.cli.resolve import note_table, training_record
from deltarule.data.idx import read_idx
from deltarule.data.images import SUFFIXES, read_image, read_scaled_image
from deltarule.data.npz import read_npz
from deltarule.data.pictures import SUFFIXES as PICTURES
from deltarule.data.pictures import read_digit
from deltarule.data.tables import read_numbers, read_pixel_rows, read_rows
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.model import Model
from deltarule.nn.arrays import Array


def read_inputs(path: Path, model: Model) -> Array:
    """The examples in a file as they are stored, (n_samples, features): uint8 pixels, or numbers in their own units.

    Where the model reads digits as MNIST has them, a picture of any size becomes such an image. A table's texts are
    places among their categories, as in `data/columns.py`.

    Raises SettingError where there is no such file, NoDigitError for a blank picture, DataError where the content is
    wrong, ShapeError where it does not fit the model.
    """
    if not path.is_file():
        raise SettingError(f"a file of examples must exist: got {path}")
    raw = _read(path, model)
    try:
        model.unscaled(raw)
    except (ShapeError, DataError) as error:
        raise type(error)(f"{path}: {error}") from error
    return raw.reshape(len(raw), -1)


def _read(path: Path, model: Model) -> Array:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        splits = read_npz(path)
        return (splits.test or splits.train).inputs
    if suffix == ".csv" and not (model.pixels or model.image_shape):
        record = training_record(model)
        target = record.target if record else None
        if model.columns:
            return read_rows(path, model.columns, target=target, announce=note_table)
        return read_numbers(path, target)
    pixels = _pixels_in(path, suffix, model)
    return pixels / 255.0 if model.reads_ink else pixels


def _pixels_in(path: Path, suffix: str, model: Model) -> Array:
    if suffix in PICTURES and reads_digits(model):
        return read_digit(path)[np.newaxis]
    record = training_record(model)
    if suffix in SUFFIXES:
        if record and record.size:
            return read_scaled_image(path, record.size)[np.newaxis]
        return read_image(path, model.image_shape or (28, 28))[np.newaxis]
    return read_pixel_rows(path)[0] if suffix == ".csv" else read_idx(path)


def reads_digits(model: Model) -> bool:
    """Whether a model tells the ten digits of images like MNIST's."""
    return model.image_shape == (28, 28) and model.class_names == tuple("0123456789")


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, and in place of a folder the images in it and in the folders in it, by name.

    Raises SettingError for a folder without images.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        if not found:
            raise SettingError(
                f"a file of examples, or a folder of pictures (PNG, JPEG, WebP, BMP), must exist: got {path}"
            )
        files += found
    return files
