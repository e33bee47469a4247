"""A picture of one digit in a file, from a camera, a scanner or a drawing program, as upright gray pixels.

Pillow opens and decodes the file; its size is checked before that, so that a file which claims to hold a huge picture
costs nothing.
"""

import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.file_guards import refuse_special
from deltarule.data.ink.normalization import ink_image
from deltarule.data.readers.images import check_size, opened
from deltarule.errors import DataError, NoDigitError

FORMATS = ["PNG", "JPEG", "WEBP", "BMP"]
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
ORIENTATION = 0x0112  # the tag of Exif
ROWS_AT_ONCE = 256  # whose colors are in memory as wide numbers
RED, GREEN, BLUE = 19595, 38470, 7471  # shares of 65536 in the luminance, ITU-R BT.601

Gray = NDArray[np.uint8]


def read_digit(source: str | os.PathLike[str] | bytes) -> Gray:
    """The picture of a digit in a file, or in its bytes, as MNIST would have it: (28, 28) uint8.

    Raises NoDigitError where the picture is blank, and DataError as `read_picture` does.
    """
    image = ink_image(read_picture(source)).image
    if image is None:
        name = _name(source)
        raise NoDigitError(f"{name}: a picture of a digit was expected: got no ink on the paper; draw one, and darker")
    return image


def read_picture(source: str | os.PathLike[str] | bytes) -> Gray:
    """A PNG, JPEG, WebP or BMP file, or its bytes, as gray pixels (height, width) uint8, upright as its Exif tag says.

    Colors become their luminance; what is transparent shows white where the ink is dark, black where it is light. The
    range of 16-bit pixels becomes 0 to 255. Of a moving picture, the first one counts.

    Raises DataError, naming the file, where it is missing, damaged, in another format or of more than 16 megapixels
    (before it is decoded); MissingExtraError without Pillow.
    """
    name = _name(source)
    if not isinstance(source, bytes):
        refuse_special(source)
    file: Any = BytesIO(source) if isinstance(source, bytes) else source
    _check_webp(file, name)
    with opened(file, FORMATS, name) as image:
        gray = _wide(image) if image.mode[0] in "IF" else _colored(image)
        return np.ascontiguousarray(upright(gray, _orientation(image, name)))


def _name(source: str | os.PathLike[str] | bytes) -> str:
    return "this file" if isinstance(source, bytes) else os.fspath(source)


def _check_webp(file: Any, name: str) -> None:
    """Look up the size of a WebP file: Pillow reserves room for all of its pixels as soon as it opens one.

    Source: RFC 9649, "WebP Image Format", section 2.
    """
    try:
        head = file.getvalue()[:30] if isinstance(file, BytesIO) else _first_bytes(Path(file), 30)
    except OSError:
        return  # Pillow will say what is wrong with it
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[k : k + 3], "little") + 1 for k in (4, 7))
    elif kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(body[k : k + 2], "little") & 0x3FFF for k in (6, 8))
    check_size(width, height, name)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _orientation(image: Any, name: str) -> object:
    """What the Exif tag says; 1 where there is none. DataError where it was lost, for the answer would be a guess."""
    with warnings.catch_warnings(record=True) as damage:
        warnings.simplefilter("always")
        exif = image.getexif()
        if "exif" in image.info:
            type(exif)().load(image.info["exif"])  # once more, for it is kept from when the file was opened
        found = exif.get(ORIENTATION)
    if found is None and damage:
        expected = "Exif data that say which side is up were expected"
        raise DataError(f"{name}: {expected}: got damaged ones ({damage[0].message}); save it without them")
    return 1 if found is None else found


def _wide(image: Any) -> Gray:
    """Pixels of more than 8 bits, their own range made 0 to 255."""
    values = np.array(image, np.float64)
    least, most = values.min(), values.max()
    if not np.isfinite(most - least) or most == least:
        return np.zeros(values.shape, np.uint8)
    return np.floor((values - least) / (most - least) * 255.0 + 0.5).astype(np.uint8)


def _colored(image: Any) -> Gray:
    """The luminance of 8-bit pixels, on a ground unlike the ink where they are transparent."""
    colors = np.asarray(image.convert("RGBA"))
    alpha = colors[:, :, 3]
    gray = np.empty(alpha.shape, np.uint8)
    for start in range(0, len(colors), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        red, green, blue = np.moveaxis(colors[rows, :, :3].astype(np.uint32), 2, 0)
        gray[rows] = (RED * red + GREEN * green + BLUE * blue + 32768) >> 16
    if alpha.min() == 255:
        return gray
    # int64 sums of products below 2^16 of at most 16 million pixels
    ink = np.multiply(gray, alpha, dtype=np.uint16).sum(dtype=np.int64) / max(alpha.sum(dtype=np.int64), 1)
    ground = 255 if ink < 127.5 else 0
    shown = np.multiply(gray, alpha, dtype=np.uint16) + np.uint16(ground) * (255 - alpha).astype(np.uint16)
    return ((shown + np.uint32(127)) // 255).astype(np.uint8)


def upright(pixels: Gray, orientation: object) -> Gray:
    """Pixels as a camera stored them, turned the way it was held: Exif's orientations 1 to 8, others as 1.

    Source: CIPA DC-008, "Exchangeable image file format for digital still cameras: Exif 2.32", section 4.6.4.
    """
    if not isinstance(orientation, int) or not 1 <= orientation <= 8:
        return pixels
    if orientation >= 5:  # the first row stored is the left or right side
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
