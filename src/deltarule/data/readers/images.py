"""PNG and JPEG files: one image, or a folder that has a folder of images for each class.

Pillow opens and decodes them; their size is checked before that, so that a file which claims to hold a huge picture
costs nothing.
"""

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.idx import image_dataset
from deltarule.data.reading import refuse, refuse_special
from deltarule.errors import DataError, require, sentence

SUFFIXES = {".png", ".jpg", ".jpeg"}
MOST_PIXELS = 16_000_000
TOO_LARGE = f"a picture of at most {MOST_PIXELS // 1_000_000} megapixels was expected"


@contextmanager
def open_image(source: AnyPath | bytes, formats: Sequence[str], name: str) -> Iterator[Any]:
    """A file, or its bytes, as a Pillow image of one of these formats, not decoded yet; `name` is for messages.

    Raises DataError where it cannot be read, now or when its pixels are decoded, or is of more than 16 megapixels;
    MissingExtraError without Pillow.
    """
    pillow = require("PIL.Image", "page")
    # Pillow's readers answer damage with any of these.
    damage = (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error)
    if not isinstance(source, bytes):
        refuse_special(source)
    try:
        with BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
            check_pixels(*webp_size(file.read(30)), name)
            file.seek(0)
            with warnings.catch_warnings(action="ignore"):
                warnings.simplefilter("error", pillow.DecompressionBombWarning)
                image = pillow.open(file, formats=formats)
            check_pixels(image.width, image.height, name)
            yield image
    except DataError:
        raise
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise DataError(f"{name}: {TOO_LARGE}: got far more; make it smaller") from error
    except damage as error:
        expected = f"{', '.join(formats[:-1])} or {formats[-1]}"
        # Pillow's own words for a content of another kind name an object in memory
        why = "its content is something else" if isinstance(error, pillow.UnidentifiedImageError) else error
        raise DataError(f"{name}: a {expected} image was expected, but it cannot be read: {why}") from error


def check_pixels(width: int, height: int, name: str) -> None:
    """Raise DataError for more pixels than anybody needs to see a digit."""
    if width * height > MOST_PIXELS:
        raise DataError(f"{name}: {TOO_LARGE}: got {width} x {height}; make it smaller")


def webp_size(head: bytes) -> tuple[int, int]:
    """The width and height that a WebP file begins with; 0 for others. Pillow takes memory as soon as it opens one.

    Source: RFC 9649, "WebP Image Format", section 2.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return 0, 0
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def read_image(
    path: AnyPath, image_shape: tuple[int, int] | None = (28, 28), *, size: int | None = None
) -> NDArray[np.uint8]:
    """A PNG or JPEG as it is: no size and no brightness is changed, 0 is black.

    image_shape: the (height, width) that the image must have; None for any.
    size: brings an image of any shape to `size` x `size` pixels, its sides each on their own: pixels are averaged by
        area or, where one of the sides has to grow, interpolated.

    Returns (height, width) uint8; a color image becomes its luminance. Raises DataError, naming the file, where it is
    missing, damaged, of another size, transparent, of more than 8 bits a color or of more than 16 megapixels (before it
    is decoded); MissingExtraError without Pillow.
    """
    with open_image(path, ["PNG", "JPEG"], str(path)) as image:
        if size is None and image_shape not in (None, (image.height, image.width)):
            raise DataError(sentence("readers.image_size", path=path, needed=image_shape, image=image))
        if image.mode[0] in "IF":
            raise DataError(sentence("readers.image_bits", path=path, image=image))
        colors = image.convert("RGBA")
        if colors.getchannel("A").getextrema()[0] < 255:
            raise DataError(f"{path}: an opaque image was expected: got transparent pixels; save it on a background")
        gray = colors.convert("L")
        if size is not None and gray.size != (size, size):
            kinds = require("PIL.Image", "page").Resampling
            gray = gray.resize((size, size), kinds.BOX if size <= min(gray.size) else kinds.BILINEAR)
        return np.array(gray, dtype=np.uint8)


def read_image_folder(root: AnyPath, *, size: int | None = None) -> Splits:
    """The images in root/CLASS/*.png (.jpg, .jpeg), classes and files in the order of their names.

    size: the height and width that images of any size are brought to; None where all have one size already.

    Where `root` holds the folders train and test, those two have the folders of the classes, and become the two parts.

    Returns Splits of uint8 images of one size, whose classes are called as their folders. Raises DataError, naming the
    files, where one cannot be read or has another size than the first, a class has no image, or there is no class.
    """
    root = Path(root)
    if not ((root / "train").is_dir() and (root / "test").is_dir()):
        return Splits(_read_classes(root, _subfolders(root), size))
    class_names = _subfolders(root / "train")
    unknown = set(_subfolders(root / "test")) - set(class_names)
    if unknown:
        raise DataError(f"{root}: classes of test that train has too were expected: got {', '.join(sorted(unknown))}")
    return Splits(*(_read_classes(root / part, class_names, size) for part in ("train", "test")))


def _subfolders(folder: Path) -> tuple[str, ...]:
    names = (entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return tuple(sorted(names))


def _read_classes(folder: Path, class_names: tuple[str, ...], size: int | None) -> Dataset:
    """All images below `folder`, which has a folder for each of the classes."""
    inside = (sorted((folder / name).glob("*")) for name in class_names)
    files = [[file for file in each if file.suffix.lower() in SUFFIXES] for each in inside]
    if not all(files) or not files:
        empty = [name for name, images in zip(class_names, files, strict=True) if not images]
        cure = f"; use {folder.parent}" if any(folder.glob("*.[pjPJ]*")) else ""  # it is the folder of a class
        got = f"none in {', '.join(empty)}" if empty else f"no folders{cure}"
        raise DataError(f"{folder}: PNG or JPEG images in a folder for each class were expected: got {got}")
    image_shape = (size, size) if size else read_image(files[0][0], None).shape
    images, problems = [], []
    for file in chain.from_iterable(files):
        try:
            images.append(read_image(file, image_shape, size=size))
        except DataError as error:
            problems.append(str(error))
    refuse(folder, "readable images of one size (--size brings them to one)", problems)
    labels = np.repeat(np.arange(len(files)), [*map(len, files)])
    return image_dataset(np.stack(images), labels, class_names=class_names, name=str(folder))
