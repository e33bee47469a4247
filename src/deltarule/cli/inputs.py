"""The files that a model is asked about, and how to read them for it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deltarule.cli.resolve import note_table, training_record
from deltarule.data.readers.kinds import PICTURE_ENDINGS
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.model import Model


def how_to_read(model: Model) -> dict[str, Any]:
    """How `data.readers.kinds.read` reads files for a model to answer: as the data that it was trained on were read.

    Where it tells MNIST's ten digits, a picture of any size becomes such an image. What was learned from images whose
    ink was 0 to 1 is shown others in the same way. A table's texts are places among their categories.
    """
    record = training_record(model)
    how: dict[str, Any] = {"rows_only": True, "announce": note_table}
    if not (model.pixels or model.image_shape):
        how |= {"columns": model.columns, "target": record.target if record else None}
    return how | {
        "image_shape": model.image_shape or (28, 28),
        "size": record.size if record else None,
        "is_digit": model.image_shape == (28, 28) and model.class_names == tuple("0123456789"),
        "is_unit": model.reads_ink,
    }


@contextmanager
def name_file(path: Path) -> Iterator[None]:
    """Let an error about the rows of a file say which file it was."""
    try:
        yield
    except (ShapeError, DataError) as error:
        raise type(error)(f"{path}: {error}") from error


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, and in place of a folder the images in it and in the folders in it, by name.

    Raises SettingError for a folder without images.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            pictures = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS)
        else:
            pictures = [path]
        if not pictures:
            raise SettingError(
                f"a file of examples, or a folder of pictures (PNG, JPEG, WebP, BMP), must exist: got {path}"
            )
        files += pictures
    return files
