"""Data sets by name: what there is, where it lies, and how it comes here."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deltarule.data.announcing import Announce, to_stderr
from deltarule.data.dataset import Splits, numbered_classes
from deltarule.data.digits import load_digits
from deltarule.data.generated import arithmetic, cute_dog, xor
from deltarule.data.idx import labeled_images, read_idx
from deltarule.data.images import read_image_folder
from deltarule.data.npz import read_npz
from deltarule.data.places import VARIABLE, cache_folder, idx_files, search_folders
from deltarule.data.sources import SOURCES, PublishedFile, Source
from deltarule.data.tables import read_pixels
from deltarule.errors import DataError, DownloadError, SettingError, closest
from deltarule.public import public
from deltarule.settings import shown

MNIST = "mnist"
IMAGES, LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"  # how the names of IDX files end


@dataclass(frozen=True)
class BuiltIn:
    """A data set that comes with deltarule."""

    says: str
    license: str
    citation: str
    load: Callable[[], Splits]


BUILT_IN = {
    "digits": BuiltIn(
        "1,797 handwritten digits of 8x8 cells, brought to 28x28 as MNIST's were, 360 of them to test on",
        "CC BY 4.0",
        "E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI Machine Learning Repository, 1998",
        load_digits,
    ),
    "xor": BuiltIn("exclusive or: four points", "MIT", "made by deltarule", xor),
    "arithmetic": BuiltIn("from a and b to a + b, a - b and |a - b|", "MIT", "made by deltarule", arithmetic),
    "cute-dog": BuiltIn("is a dog cute, from the size of its eyes", "MIT", "made by deltarule", cute_dog),
}


@dataclass(frozen=True)
class FileState:
    """One file of a data set on this machine.

    path: where the genuine file is, None if it is not there. passed_over: what is wrong with others of its name.
    """

    name: str
    path: Path | None
    passed_over: tuple[str, ...] = ()


def load(
    name: str | os.PathLike[str],
    *,
    offline: bool = False,
    announce: Announce = to_stderr,
    sources: Mapping[str, Source] = SOURCES,
) -> Splits:
    """The data set of that name, or the data in a file or folder.

    name: what `names()` lists, such as "digits" or "mnist"; or a path: a CSV of pixels, an npz, a folder with MNIST's
        four IDX files or with a folder of images for each class, or what stands before "-images-idx3-ubyte" in the
        names of a pair of IDX files. A name goes before a path: write ./digits for a folder of your own.
    offline: download nothing. Otherwise a file that is neither in the folder of this name in DELTARULE_DATA nor in the
        user's cache is downloaded to the latter, once.
    announce: is told of a download before it starts, and of a file that is passed over because it is a wrong one.
    sources: what can be downloaded, and where from.

    Raises SettingError for what is neither a name nor a path, DataError for wrong content, DownloadError where a file
    could not be fetched.

    >>> load("xor").train.n_samples
    4
    """
    if not isinstance(name, str | os.PathLike):
        raise SettingError(f'load_data takes a name or a path: got {shown(name)}; use load_data("digits")')
    name = os.fspath(name)
    if name in BUILT_IN:
        return BUILT_IN[name].load()
    if name in sources:
        return _published(name, sources[name], offline, announce)[0]
    return _load_path(name, names(sources))


def find_default(
    *, offline: bool = False, announce: Announce = to_stderr, sources: Mapping[str, Source] = SOURCES
) -> tuple[Splits, str]:
    """MNIST if it is on this machine or can be downloaded, else the bundled digits; and a sentence: which, and why."""
    try:
        splits, folder = _published(MNIST, sources[MNIST], offline, announce)
    except DownloadError as error:
        return load_digits(), _instead(error)
    return splits, f"MNIST, because it is in {folder}"


@public('load_data("digits"), which has train and test')
def load_data(
    name: str | os.PathLike[str],
    *,
    offline: bool = False,
    fallback: bool = True,
    announce: Announce = to_stderr,
    sources: Mapping[str, Source] = SOURCES,
) -> Splits:
    """As `load`; the bundled digits where MNIST is asked for and cannot be downloaded, which `announce` explains.

    fallback: False raises DownloadError instead, and so does offline=True. The digits say so: `train.name` is "digits".

    >>> load_data("xor").train.n_samples
    4
    """
    try:
        return load(name, offline=offline, announce=announce, sources=sources)
    except DownloadError as error:
        if offline or not fallback or os.fspath(name) != MNIST:
            raise
        announce(f"data: {_instead(error)}")
        return load_digits()


def _instead(error: DownloadError) -> str:
    """Why there are digits in MNIST's place, and how to have MNIST."""
    return (
        f"the bundled digits (1,797 images), because {str(error).partition(chr(10))[0]}; to have {MNIST}, run  "
        f"deltarule data fetch {MNIST}  or set {VARIABLE} to the folder that holds {MNIST}/"
    )


def can_find(name: str, sources: Mapping[str, Source] = SOURCES) -> bool:
    """Whether `load` knows the name, or there is something at the path."""
    path = Path(name)
    return name in names(sources) or path.exists() or bool(idx_files(path.parent, path.name + IMAGES))


def names(sources: Mapping[str, Source] = SOURCES) -> list[str]:
    """What `load` takes besides paths."""
    return [*BUILT_IN, *sources]


def describe(name: str, sources: Mapping[str, Source] = SOURCES) -> BuiltIn | Source:
    """What is known of a data set, among it `says`, `license` and `citation`. Raises SettingError for another name."""
    if name not in names(sources):
        raise SettingError(f"no data set is called {name!r}: {closest(name, names(sources))}")
    return BUILT_IN.get(name) or sources[name]


def fetch(name: str, *, announce: Announce = to_stderr, sources: Mapping[str, Source] = SOURCES) -> Path | None:
    """Download what is missing of a data set; where it lies, or None if it comes with deltarule. Raises as `load`."""
    known = describe(name, sources)
    return _published(name, known, False, announce)[1] if isinstance(known, Source) else None


def located(name: str, sources: Mapping[str, Source] = SOURCES) -> list[Path]:
    """The files of a data set on this machine, as found by name alone; none for one that comes with deltarule."""
    known = describe(name, sources)
    stems = [file.name.removesuffix(".gz") for file in known.files] if isinstance(known, Source) else []
    return [path for folder in search_folders(name) for stem in stems for path in idx_files(folder, stem)]


def files_of(name: str) -> list[Path]:
    """The files and the folder that `load` may read for a name or a path; the folder stands for all that is in it."""
    if name in names():
        return located(name)
    path = Path(name)
    return [path, *(file for part in (IMAGES, LABELS) for file in idx_files(path.parent, path.name + part))]


def verify(name: str, sources: Mapping[str, Source] = SOURCES) -> list[FileState]:
    """The files of a data set, each compared with its hashes; none for one that comes with deltarule."""
    known = describe(name, sources)
    return [_state(name, file) for file in known.files] if isinstance(known, Source) else []


def _state(name: str, file: PublishedFile) -> FileState:
    passed_over: list[str] = []
    found = _find(name, file, passed_over.append)
    return FileState(file.name, found[0] if found else None, tuple(passed_over))


def _published(name: str, source: Source, offline: bool, announce: Announce) -> tuple[Splits, Path]:
    """A published data set and the folder of its first file; what is missing is downloaded first."""
    found = {file: place for file in source.files if (place := _find(name, file, announce))}
    missing = [file for file in source.files if file not in found]
    if missing:
        folder = _download(name, source, missing, offline, announce)
        found |= {file: (folder / file.name, file.read(folder / file.name)) for file in missing}
    (path, train_images), (_, train_labels), (_, test_images), (_, test_labels) = map(found.__getitem__, source.files)
    train = labeled_images(train_images, train_labels, class_names=source.class_names, name=name)
    test = labeled_images(test_images, test_labels, class_names=source.class_names, name=name)
    return Splits(train, test), path.parent


def _find(name: str, file: PublishedFile, announce: Announce) -> tuple[Path, NDArray[np.uint8]] | None:
    """The first genuine copy of a file on this machine, and its array; tells of those that are not."""
    for folder in search_folders(name):
        for path in idx_files(folder, file.name.removesuffix(".gz")):
            try:
                return path, file.read(path)
            except DataError as error:
                announce(f"passing over a file: {error}")
    return None


def _download(name: str, source: Source, missing: list[PublishedFile], offline: bool, announce: Announce) -> Path:
    """Fetch these files into the cache; the folder where they then are."""
    # Imported here, because it brings the network's libraries with it.
    from deltarule.data.download import Mirrors

    advice = (
        f"put the files in a folder called {name} and set {VARIABLE} to the folder above it, "
        "or use the data that come with deltarule: --data digits"
    )
    if offline:
        looked = ", ".join(map(str, search_folders(name)))
        lacking = ", ".join(file.name for file in missing)
        raise DownloadError(
            f"{name} is not on this machine, and --offline forbids a download\n"
            f"  no {lacking} in {looked}\n{advice}, or leave out --offline"
        )
    folder = cache_folder() / name
    announce(f"downloading {name}, up to {source.megabytes} MB, to {folder}")
    mirrors = Mirrors(source.mirrors)
    for file in missing:
        try:
            mirrors.fetch(file, folder / file.name)
        except DownloadError as error:
            raise DownloadError(f"{name} could not be downloaded: {error}\n{advice}") from error
    return folder


def _load_path(name: str, known: list[str]) -> Splits:
    """The data in a file or folder: see `load`."""
    path = Path(name)
    if path.is_dir():
        return _load_idx(path, "train", "t10k") if idx_files(path, f"train{IMAGES}") else read_image_folder(path)
    if path.suffix.lower() == ".csv" and path.exists():
        return Splits(read_pixels(path))
    if path.suffix.lower() == ".npz" and path.exists():
        return read_npz(path)
    if idx_files(path.parent, path.name + IMAGES):
        return _load_idx(path.parent, path.name)
    if path.exists():
        what = f"a .csv, a .npz, a folder, or what stands before {IMAGES} in the names of two IDX files"
        raise SettingError(f"data in files must be {what}: got {path}")
    raise SettingError(f"data must be a name or a path that exists: got {name!r}; {closest(name, known)}")


def _load_idx(folder: Path, *prefixes: str) -> Splits:
    """The pairs of IDX files whose names begin with these prefixes, in as far as they are there."""
    parts = []
    for prefix in prefixes:
        images, labels = idx_files(folder, prefix + IMAGES), idx_files(folder, prefix + LABELS)
        if images and not labels:
            raise DataError(f"{folder}: {prefix}{LABELS} beside {images[0].name} was expected: got no such file")
        if images:
            parts.append((images[0], read_idx(images[0]), read_idx(labels[0])))
    class_names = numbered_classes(*(labels.astype(np.int64) for _, _, labels in parts), name=str(folder))
    return Splits(*(labeled_images(*arrays, class_names=class_names, name=str(path)) for path, *arrays in parts))
