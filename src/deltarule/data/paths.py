"""Where data lie on this machine, and whether the files of published ones are genuine."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deltarule.data.readers.idx import idx_files
from deltarule.data.reporting import Announce
from deltarule.data.sources import PublishedFile
from deltarule.errors import DataError, SettingError

VARIABLE = "DELTARULE_DATA"


def search_folders(name: str) -> list[Path]:
    """Where the files of the data set `name` may lie, in the order of search: the folder given, then the cache.

    Raises SettingError where DELTARULE_DATA is set to what is not a folder.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return [cache_folder() / name]
    if not Path(given).is_dir():
        raise SettingError(f"{VARIABLE} must name a folder that exists: got {given}; create it, or unset the variable")
    return [Path(given, name), cache_folder() / name]


def cache_folder() -> Path:
    """Where downloads are kept: as the system wants it, for this user alone."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "deltarule")


def find_genuine(name: str, file: PublishedFile, announce: Announce) -> tuple[Path, NDArray[np.uint8]] | None:
    """The first genuine copy of a file of the data set `name`, and its array; others are announced."""
    for folder in search_folders(name):
        for path in idx_files(folder, file.name.removesuffix(".gz")):
            try:
                return path, file.read(path)
            except DataError as error:
                announce(f"passing over a file: {error}")
    return None


@dataclass(frozen=True)
class FileState:
    """One file of a data set on this machine.

    path: where the genuine file is, None if it is not there. passed_over: what is wrong with others of its name.
    """

    name: str
    path: Path | None
    passed_over: tuple[str, ...] = ()


def state_of(name: str, file: PublishedFile) -> FileState:
    """Where a file of the data set `name` is, compared with its hashes."""
    passed_over: list[str] = []
    found = find_genuine(name, file, passed_over.append)
    return FileState(file.name, found[0] if found else None, tuple(passed_over))
