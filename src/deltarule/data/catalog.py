"""Data sets by name: which there are, where they are stored, and how they are downloaded."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from deltarule.data.built_in import BUILT_IN, load_digits
from deltarule.data.dataset import Splits
from deltarule.data.readers.idx import IMAGES, LABELS, idx_files, image_dataset
from deltarule.data.readers.kinds import kind_of, read, what_it_is
from deltarule.data.reading import Announce, print_to_stderr
from deltarule.data.sources import SOURCES, VARIABLE, PublishedFile, Source, cache_folder, find_genuine, search_folders
from deltarule.elsewhere import line_for
from deltarule.errors import DownloadError, SettingError, closest, sentence
from deltarule.public import public
from deltarule.settings import brief

MNIST = "mnist"


@public('load_data("digits"), which has train and test')
def load_data(
    name: str | os.PathLike[str],
    *,
    label: str | None = None,
    offline: bool = False,
    fallback: bool = True,
    announce: Announce = print_to_stderr,
) -> Splits:
    """Load a data set by its name, or the data in a file or folder, as Splits.

    name: "digits", "mnist" or another name that `deltarule data list` shows; or a path: a CSV of pixels, an npz, a
        folder with MNIST's four IDX files or with a folder of images for each class, or the common beginning of a pair
        of IDX files, before "-images-idx3-ubyte". A name wins over a path: write ./digits for your own folder.
    label: the column of labels in a CSV of pixels, by its name or its number from 1. None: the reader finds it.
    offline: download nothing. Otherwise a file that is neither in the folder of this name in DELTARULE_DATA nor in the
        user's cache is downloaded to the cache, once.
    fallback: if MNIST cannot be downloaded, the bundled digits replace it, `train.name` is "digits", and `announce`
        explains it. False raises DownloadError instead, and so does offline=True.
    announce: called with a sentence before a download, when a wrong file is skipped, and for how each part of the
        data was read.

    Raises SettingError if `name` is neither a known name nor an existing path, DataError for wrong content,
    DownloadError if a file could not be fetched.

    >>> load_data("xor").train.n_samples
    4
    """
    if not isinstance(name, str | os.PathLike):
        line = "dr.read_table(frame, target)" if hasattr(name, "columns") else 'load_data("digits")'
        raise SettingError(f"load_data takes a name or a path: got {brief(name)}; use {line}")
    name = os.fspath(name)
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if name not in SOURCES:
        path = Path(name)
        if not can_find(name):
            offer = f"use {line}" if (line := line_for("deltarule", f"load_{name}")) else closest(name, SOURCES)
            raise SettingError(f"data must be a name or a path that exists: got {name!r}; {offer}")
        if not (kind := kind_of(path)).has_targets:
            raise SettingError(sentence("catalog.kind", images=IMAGES, path=path, got=what_it_is(path, kind)))
        return read(path, label=label, announce=announce).splits
    if offline or not fallback or name != MNIST:
        return _load_published(name, offline, announce)[0]
    splits, which = find_default(announce=announce)
    if splits.train.name != MNIST:
        announce(f"data: {which}")
    return splits


load = partial(load_data, fallback=False)  # it raises DownloadError where MNIST is missing: callers may replace it


def find_default(*, offline: bool = False, announce: Announce = print_to_stderr) -> tuple[Splits, str]:
    """MNIST if it is here or can be downloaded, else the bundled digits; and a sentence that says which and why."""
    try:
        splits, folder = _load_published(MNIST, offline, announce)
    except DownloadError as error:
        why, _, _ = str(error).partition("\n")
        return load_digits(), sentence("catalog.bundled", why=why, name=MNIST, variable=VARIABLE)
    return splits, f"MNIST, because it is in {folder}"


def can_find(name: str) -> bool:
    """Whether `name` is a known data set, an existing path, or the common beginning of a pair of IDX files."""
    return name in SOURCES or any(path.exists() for path in files_of(name))


def describe(name: str) -> Source:
    """The catalog's entry for the data set called `name`. Raises SettingError if there is none."""
    if name not in SOURCES:
        cure = f"use  deltarule data info {name}" if can_find(name) else closest(name, SOURCES)
        raise SettingError(f"no data set is called {name!r}: {cure}")
    return SOURCES[name]


def fetch(name: str, *, announce: Announce = print_to_stderr) -> Path | None:
    """Download a data set's missing files; return its folder, None if it comes with deltarule. Raises as `load`."""
    return _load_published(name, False, announce)[1] if describe(name).files else None


def locate(name: str) -> list[Path]:
    """Find a data set's downloaded files on this machine, by name only; [] for one that comes with deltarule."""
    stems = [file.name.removesuffix(".gz") for file in describe(name).files]
    return [path for folder in search_folders(name) for stem in stems for path in idx_files(folder, stem)]


def files_of(name: str) -> list[Path]:
    """List the paths that `load` may read for a name or a path; a folder in the list stands for all files in it."""
    if name in SOURCES:
        return locate(name)
    path = Path(name)
    return [path, *(file for part in (IMAGES, LABELS) for file in idx_files(path.parent, path.name + part))]


def verify(name: str) -> list[dict[str, Any]]:
    """Compare each file of a data set with its published hashes; [] for one that comes with deltarule.

    Returns a dict for each file: "file", its name; "genuine", the path of a copy with the right hash, or None;
    "wrong", what is wrong with other files of that name.
    """
    states = []
    for file in describe(name).files:
        wrong: list[str] = []
        found = find_genuine(name, file, wrong.append)
        states.append({"file": file.name, "genuine": found[0] if found else None, "wrong": wrong})
    return states


def _load_published(name: str, offline: bool, announce: Announce) -> tuple[Splits, Path]:
    """Load a published data set, after downloading its missing files; return it and the folder of its first file."""
    source = SOURCES[name]
    places = {file: find_genuine(name, file, announce) for file in source.files}
    if missing := [file for file, place in places.items() if place is None]:
        folder = _download(name, source, missing, offline, announce)
        places |= {file: (folder / file.name, file.read(folder / file.name)) for file in missing}
    paths, arrays = zip(*filter(None, places.values()), strict=True)
    parts = (image_dataset(*pair, class_names=source.class_names, name=name) for pair in (arrays[:2], arrays[2:]))
    return Splits(*parts), paths[0].parent


def _download(name: str, source: Source, missing: list[PublishedFile], offline: bool, announce: Announce) -> Path:
    """Download the `missing` files to the cache; return their folder. DownloadError if `offline`, or if it fails."""
    # Imported here, because it imports the libraries for HTTP.
    from deltarule.data.download import Mirrors

    advice = sentence("catalog.by_hand", name=name, variable=VARIABLE)
    if offline:
        files, folders = ", ".join(file.name for file in missing), ", ".join(map(str, search_folders(name)))
        raise DownloadError(sentence("catalog.offline", name=name, files=files, folders=folders, advice=advice))
    folder = cache_folder() / name
    announce(f"downloading {name}, up to {source.megabytes} MB, to {folder}")
    mirrors = Mirrors(source.mirrors)
    for file in missing:
        try:
            mirrors.fetch(file, folder / file.name)
        except DownloadError as error:
            raise DownloadError(f"{name} could not be downloaded: {error}\n{advice}") from error
    return folder
