"""The examples in a user's file, for a model to answer."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deltarule.cli.examples import say
from deltarule.cli.record import training_record
from deltarule.data.idx import read_idx
from deltarule.data.images import SUFFIXES, read_image, read_scaled_image
from deltarule.data.npz import read_npz
from deltarule.data.tables import read_numbers, read_pixel_rows, read_rows
from deltarule.errors import SettingError, ShapeError
from deltarule.model import Model
from deltarule.nn.arrays import Array


def read_inputs(path: Path, model: Model) -> Array:
    """The examples in a file as they are stored, (n_samples, features): uint8 pixels, or numbers in their own units.

    A table's texts are places among their categories, as in `data/columns.py`.

    Raises SettingError where there is no such file, DataError where its content is wrong, ShapeError where it does not
    fit the model.
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
    record = training_record(model)
    if suffix in SUFFIXES:
        if record and record.size:
            return read_scaled_image(path, record.size)[np.newaxis]
        return read_image(path, model.image_shape or (28, 28))[np.newaxis]
    if suffix == ".npz":
        splits = read_npz(path)
        return (splits.test or splits.train).inputs
    if suffix != ".csv":
        return read_idx(path)
    if model.image_shape is not None:
        return read_pixel_rows(path)[0]
    target = record.target if record else None
    if model.columns:
        return read_rows(path, model.columns, target=target, announce=say)
    return read_numbers(path, target)


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, and in place of a folder the images in it and in the folders in it, by name.

    Raises SettingError for a folder without images.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not found:
            raise SettingError(f"a file of examples, or a folder of PNG or JPEG images, must exist: got {path}")
        files += found
    return files
