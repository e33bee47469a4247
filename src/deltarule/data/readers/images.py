"""Reads pictures as rows of pixels: a single file, or a folder that has a folder of pictures for each class."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.ink.normalization import SIDE, ink_image, reading_of, resize_rows, round_half_up
from deltarule.data.ink.pictures import FORMATS, read_picture
from deltarule.data.readers.idx import IMAGES, image_dataset
from deltarule.data.reading import Announce, How, Reading, refuse
from deltarule.errors import DataError, NoDigitError, SeveralDigitsError, sentence
from deltarule.inputs import Size

SUFFIXES = frozenset(chain.from_iterable(FORMATS.values()))
# The names of folders to learn from and to test on, the latter in order of preference.
PARTS = (("train", "training"), ("test", "testing", "val", "valid", "validation"))


def read_picture_rows(path: Path, how: How) -> Reading:
    """Read a picture as one row of pixels: in MNIST's format if `how.is_digit`, else unchanged or resized.

    Raises NoDigitError if a digit was expected and the picture is blank or shows several, DataError as `read_picture`
    and `read_image` do.
    """
    if how.is_digit:
        made = ink_image(read_picture(path))
        if made.image is None:
            raise NoDigitError(sentence("readers.no_ink", path=path))
        if not how.anyway and made.shows_several:
            raise SeveralDigitsError(sentence("readers.several", path=path))
        pixels, turned = made.image, "dark on light, inverted" if made.is_inverted else "light on dark"
        read = f"as MNIST's digits: {turned}, centered"
    else:
        pixels = read_image(path, how.image_shape, size=how.size)
        size = "scaled to " * (how.size is not None) + " x ".join(map(str, pixels.shape))
        read = f"as in training: {size}, not centered"
    return Reading(pixels.reshape(1, -1), report={"holds": "pixels", "read": read})


def read_image(path: AnyPath, image_shape: Size | None = (28, 28), *, size: int | None = None) -> NDArray[np.uint8]:
    """Read a picture as gray pixels in its own size and brightness: 0 is black.

    image_shape: the (height, width) that the image must have; None for any.
    size: resizes an image of any shape to `size` x `size` pixels, each side independently: pixels are averaged by area
        or, along a side that grows, interpolated.

    Returns (height, width) uint8. Raises DataError, naming the file, for a size other than image_shape, for more than 8
    bits per color, and as `read_picture` does.
    """
    gray = read_picture(path, stretches=False)
    if size is None and image_shape not in (None, gray.shape):
        raise DataError(sentence("readers.image_size", path=path, needed=image_shape, got=gray.shape))
    return gray if size is None else round_half_up(resize_rows(resize_rows(gray, size).T, size).T)


def read_image_folder(root: AnyPath, **how: Any) -> Splits:
    """Read the pictures in root/CLASS/*.png (or another ending), classes and files in the order of their names.

    how: the fields of `How`: `size`, the height and width to resize to, None if all have one size; `is_digit`, to read
        each in MNIST's format; `skip_bad`, to leave out what cannot be read.

    If `root` has folders train and test (or training and testing), these contain the folders of the classes and become
    the two parts. If the only folder in `root` has folders itself, it is read instead. Hidden files are ignored.

    Returns Splits of uint8 images of one size, with the folders as class names. Raises DataError, naming the files, if
    one cannot be read or differs in size from the first, a class has no image, or there is no class.
    """
    wish = How(**how)
    train, *test = _parts(Path(root), wish.announce)
    class_names = _subfolders(train)
    if unknown := {name for part in test for name in _subfolders(part)} - set(class_names):
        raise DataError(f"{root}: classes of test that train has too were expected: got {', '.join(sorted(unknown))}")
    return Splits(*(_read_classes(part, class_names, wish) for part in (train, *test)))


def pictures_among(paths: Iterable[Path], folder: Path, announce: Announce) -> list[Path]:
    """The files among `paths` that are pictures by their ending, sorted, not hidden; other files are announced."""
    files = [path for path in sorted(paths) if path.is_file() and not path.name.startswith(".")]
    others = Counter(path.suffix.lower() or path.name for path in files if path.suffix.lower() not in SUFFIXES)
    if others:
        passed_over = ", ".join(f"{n} {suffix}" for suffix, n in sorted(others.items()))
        announce(sentence("readers.passed_over", folder=folder, others=passed_over, read=" ".join(sorted(SUFFIXES))))
    return [path for path in files if path.suffix.lower() in SUFFIXES]


def _parts(root: Path, announce: Announce) -> list[Path]:
    """The folders of training and of test pictures in `root`; without these, `root` itself or its only folder."""
    folders = {name.casefold(): root / name for name in _subfolders(root)}
    parts = [next((folders[name] for name in names if name in folders), None) for names in PARTS]
    if None not in parts:
        if others := [path.name for path in folders.values() if path not in parts]:
            announce(f"{root}: skipped: {', '.join(others)}")
        return [each for part in parts if part for each in _parts(part, announce)[:1]]
    only = next(iter(folders.values()), root)
    return _parts(only, announce) if len(folders) == 1 and _subfolders(only) else [root]


def _subfolders(folder: Path) -> tuple[str, ...]:
    """The sorted names of the folders in a folder, except hidden ones and __MACOSX, which a Mac adds to archives."""
    names = (each.name for each in folder.iterdir() if each.is_dir())
    return tuple(sorted(name for name in names if name[0] != "." and name != "__MACOSX"))


def _read_classes(folder: Path, class_names: Sequence[str], how: How) -> Dataset:
    """Read all pictures below `folder`, which has a folder for each of the classes."""
    files = [pictures_among((folder / name).glob("*"), folder / name, how.announce) for name in class_names]
    if not all(files) or not files:
        empty = [name for name, images in zip(class_names, files, strict=True) if not images]
        siblings = {each.parent for each in folder.parent.glob("*/*.[pjPJ]*")}
        cure = f"; use {folder.parent}" if len(siblings) > 1 else sentence("readers.one_folder", folder=folder)
        cure = cure if folder in siblings else ""  # else it is the folder of one class
        if pairs := sorted(folder.glob(f"*{IMAGES}*")):
            cure = f"; use {str(pairs[0]).partition(IMAGES)[0]}"
        got = f"none in {', '.join(empty)}" if empty else f"no folders{cure}"
        got = got if _subfolders(folder) or not class_names else sentence("readers.unlabeled", folder=folder)
        raise DataError(f"{folder}: pictures in a folder for each class were expected: got {got}")
    image_shape = (how.size, how.size) if how.size else None
    images, labels, problems = [], [], list[str]()
    for label, file in ((label, file) for label, each in enumerate(files) for file in each):
        try:
            if how.is_digit:
                gray = read_picture_rows(file, replace(how, anyway=True)).rows.reshape(SIDE, SIDE)
            else:
                gray = read_image(file, image_shape, size=how.size)
            image_shape = gray.shape
        except DataError as error:
            problems.append(str(error))
        else:
            images.append(gray)
            labels.append(label)
    if not (how.skip_bad and images):
        refuse(folder, sentence("readers.one_size"), problems)
    elif problems:
        n_all = len(problems) + len(images)
        how.announce(f"{folder}: {len(problems):,} of {n_all:,} files are left out: {problems[0]}")
    data = image_dataset(np.stack(images), np.array(labels), class_names=class_names, name=str(folder))
    if reading_of(data.inputs, data.image_shape) == "digits":  # a few may be off by a pixel: `predict` centers them
        made = (ink_image(image).image for image in images)
        rows = [row if image is None else image.ravel() for row, image in zip(data.inputs, made, strict=True)]
        data = replace(data, inputs=np.stack(rows))
    return data
