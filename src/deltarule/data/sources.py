"""Published data sets: their license, where their files are, and how to verify them."""

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deltarule.data.readers.idx import idx_files, read_idx
from deltarule.data.reading import Announce, open_stored
from deltarule.errors import DataError, SettingError, read_tables

VARIABLE = "DELTARULE_DATA"


@dataclass(frozen=True)
class PublishedFile:
    """One IDX file as it was published, compressed with gzip.

    name: the file's name on every mirror, with .gz.
    content_bytes: its decompressed size.
    sha256, content_sha256: of the compressed and of the decompressed bytes; the latter "" if it is not published.
    """

    name: str
    content_bytes: int
    sha256: str
    content_sha256: str = ""

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Read the array in the file `path`, compressed or not. Raises DataError if neither published hash matches."""
        content = read_idx(path, most_bytes=self.content_bytes)
        with path.open("rb") as stored, open_stored(path, "an IDX file") as unpacked:
            for file, published in ((stored, self.sha256), (unpacked, self.content_sha256)):
                if hashlib.file_digest(file, "sha256").hexdigest() == published:  # type: ignore[arg-type]
                    return content
        raise DataError(f"{path}: the SHA-256 of {self.name} as published was expected: got that of another file")


@dataclass(frozen=True)
class Source:
    """A data set: its content, license and source.

    mirrors: base URLs, to which a file's name is appended.
    megabytes: the size of the download, rounded up.
    files: images and labels to train on, images and labels to test on; () if the data come with deltarule.
    """

    says: str
    license: str
    citation: str
    class_names: Sequence[str] = ()
    mirrors: Sequence[str] = ()
    megabytes: int = 0
    files: Sequence[PublishedFile] = ()


SOURCES = {
    name: Source(**table | {"files": [PublishedFile(*file) for file in table.get("files", ())]})
    for name, table in read_tables("data/sources").items()
}


def search_folders(name: str) -> list[Path]:
    """The folders for the data set `name`, in search order. SettingError if DELTARULE_DATA is not a folder."""
    given = os.environ.get(VARIABLE)
    if given and not Path(given).is_dir():
        raise SettingError(f"{VARIABLE} must name a folder that exists: got {given}; create it, or unset the variable")
    return [Path(folder, name) for folder in (given, cache_folder()) if folder]


def cache_folder() -> Path:
    """The folder for downloads: deltarule's, in this user's cache folder of the operating system."""
    bases = {
        "win32": os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local",
        "darwin": Path.home() / "Library" / "Caches",
    }
    return Path(bases.get(sys.platform) or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "deltarule")


def find_genuine(name: str, file: PublishedFile, announce: Announce) -> tuple[Path, NDArray[np.uint8]] | None:
    """Find the first copy of `file` with a published hash; return path and array, or None. Others are announced."""
    for folder in search_folders(name):
        for path in idx_files(folder, file.name.removesuffix(".gz")):
            try:
                return path, file.read(path)
            except DataError as error:
                announce(f"skipping a file: {error}")
    return None
