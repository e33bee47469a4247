"""Files that hold results: whether they can be written is asked before the work, and not when it is done."""

import os
from pathlib import Path

from deltarule.atomic import write_atomically
from deltarule.errors import SettingError, require
from deltarule.inspection.picture import DESCRIPTION_KEYS, Picture


def check_place(path: Path) -> None:
    """Raise SettingError unless a file can be written at `path`."""
    folder = path.resolve().parent
    if path.is_dir():
        raise SettingError(f"an output is a file: got {path}, a folder; give a file's name")
    if not folder.is_dir():
        raise SettingError(f"{path} cannot be written: its folder does not exist; make it first, or write elsewhere")
    if not os.access(folder, os.W_OK):
        raise SettingError(f"{path} cannot be written: writing into its folder is not permitted; choose another")


def check_picture_place(path: Path) -> None:
    """Raise SettingError unless a picture can be written at `path`, MissingExtraError unless it can be drawn."""
    if path.suffix not in DESCRIPTION_KEYS:
        raise SettingError(f"a picture's file ends in .png, .svg or .pdf: got {path}")
    check_place(path)
    require("matplotlib", "plot")


def write_picture(picture: Picture, path: Path) -> None:
    """Write a picture, whole or not at all, in the format that the file's name ends in."""
    write_atomically(path, picture.to_bytes(path.suffix))
