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
    """The data set of that name, or the data in a file or folder.

    name: "digits", "mnist" or another name that `deltarule data list` shows; or a path: a CSV of pixels, an npz, a
        folder with MNIST's four IDX files or with a folder of images for each class, or the names of a pair of IDX
        files up to "-images-idx3-ubyte". A name wins over a path: write ./digits for your own folder.
    label: the column of a CSV of pixels that holds the labels, by its name or number from 1; None if the file shows it.
    offline: download nothing. Otherwise a file that is neither in the folder of this name in DELTARULE_DATA nor in the
        user's cache is downloaded to the cache, once.
    fallback: if MNIST cannot be downloaded, the bundled digits replace it, `train.name` is "digits", and `announce`
        explains it. False raises DownloadError instead, and so does offline=True.
    announce: gets a sentence before a download, for a file that is skipped as wrong, and for what each part of the
        data was read as.

    Raises SettingError for neither a name nor a path, DataError for wrong content, DownloadError if a file could not
    be fetched.

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


load = partial(load_data, fallback=False)  # for callers that explain the replacement of MNIST themselves


def find_default(*, offline: bool = False, announce: Announce = print_to_stderr) -> tuple[Splits, str]:
    """MNIST if it is on this machine or can be downloaded, else the bundled digits; and a sentence: which, and why."""
    try:
        splits, folder = _load_published(MNIST, offline, announce)
    except DownloadError as error:
        why, _, _ = str(error).partition("\n")
        return load_digits(), sentence("catalog.bundled", why=why, name=MNIST, variable=VARIABLE)
    return splits, f"MNIST, because it is in {folder}"


def can_find(name: str) -> bool:
    """Whether `load` knows the name, or there is something at the path."""
    return name in SOURCES or any(path.exists() for path in files_of(name))


def describe(name: str) -> Source:
    """The entry of a data set. Raises SettingError for another name."""
    if name not in SOURCES:
        cure = f"use  deltarule data info {name}" if can_find(name) else closest(name, SOURCES)
        raise SettingError(f"no data set is called {name!r}: {cure}")
    return SOURCES[name]


def fetch(name: str, *, announce: Announce = print_to_stderr) -> Path | None:
    """Download the missing files of a data set; its folder, or None if it comes with deltarule. Raises as `load`."""
    return _load_published(name, False, announce)[1] if describe(name).files else None


def locate(name: str) -> list[Path]:
    """The files of a data set on this machine, found by name only; none for one that comes with deltarule."""
    stems = [file.name.removesuffix(".gz") for file in describe(name).files]
    return [path for folder in search_folders(name) for stem in stems for path in idx_files(folder, stem)]


def files_of(name: str) -> list[Path]:
    """The files and the folder that `load` may read for a name or a path; the folder stands for all that is in it."""
    if name in SOURCES:
        return locate(name)
    path = Path(name)
    return [path, *(file for part in (IMAGES, LABELS) for file in idx_files(path.parent, path.name + part))]


def verify(name: str) -> list[dict[str, Any]]:
    """The files of a data set, each compared with its hashes; none for one that comes with deltarule.

    For each a dict: "file", its name; "genuine", its path, None if it is missing; "wrong", what is wrong with other
    files of its name.
    """
    states = []
    for file in describe(name).files:
        wrong: list[str] = []
        found = find_genuine(name, file, wrong.append)
        states.append({"file": file.name, "genuine": found[0] if found else None, "wrong": wrong})
    return states


def _load_published(name: str, offline: bool, announce: Announce) -> tuple[Splits, Path]:
    """A published data set and the folder of its first file; missing files are downloaded first."""
    source = SOURCES[name]
    places = {file: find_genuine(name, file, announce) for file in source.files}
    missing = [file for file, place in places.items() if place is None]
    if missing:
        folder = _download(name, source, missing, offline, announce)
        places |= {file: (folder / file.name, file.read(folder / file.name)) for file in missing}
    paths, arrays = zip(*filter(None, places.values()), strict=True)
    parts = (image_dataset(*pair, class_names=source.class_names, name=name) for pair in (arrays[:2], arrays[2:]))
    return Splits(*parts), paths[0].parent


def _download(name: str, source: Source, missing: list[PublishedFile], offline: bool, announce: Announce) -> Path:
    """Fetch these files into the cache; their folder."""
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
