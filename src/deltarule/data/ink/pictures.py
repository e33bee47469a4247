"""Reads a picture file, from a camera, a scanner or a drawing program, as upright gray pixels.

Pillow opens and decodes the file. Its size is checked first, so that a file that claims to be huge takes no memory.
"""

import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.atomic import AnyPath
from deltarule.data.ink.normalization import Gray
from deltarule.data.reading import refuse_special
from deltarule.errors import DataError, require, sentence

# Pillow's names of formats, and the endings of their files' names.
FORMATS = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",), "BMP": (".bmp",), "TIFF": (".tif", ".tiff")}
MOST_PIXELS = 16_000_000
THIS_FILE = "this file"  # the name in messages for a picture that came as bytes
TOO_LARGE = f"a picture of at most {MOST_PIXELS // 1_000_000} megapixels was expected"
ORIENTATION = 0x0112  # the number of Exif's tag
# Exif's orientations, and Pillow's transpositions that turn the picture upright; others need none.
# Source: CIPA DC-008, "Exchangeable image file format for digital still cameras: Exif 2.32", section 4.6.4.
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


@contextmanager
def open_image(source: AnyPath | bytes, name: str) -> Iterator[Any]:
    """Open a file, or its bytes, as a Pillow image in one of FORMATS, not decoded yet; `name` is for messages.

    Raises DataError if it cannot be read, now or when its pixels are decoded, or has more than 16 megapixels (after
    reduction, for a JPEG); MissingExtraError without Pillow.
    """
    pillow = require("PIL.Image")
    # Pillow's readers raise any of these for damaged files.
    damage = (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error)
    if not isinstance(source, bytes):
        refuse_special(source)
    try:
        with BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
            check_pixels(*webp_size(file.read(30)), name)
            file.seek(0)
            with warnings.catch_warnings(action="ignore"):
                warnings.simplefilter("error", pillow.DecompressionBombWarning)
                image = pillow.open(file, formats=list(FORMATS))
            # A larger JPEG is decoded at a half, a quarter or an eighth, which takes no more memory; but a
            # progressive one takes memory for all of it.
            n_pixels = image.width * image.height
            factor = next((each for each in (1, 2, 4, 8) if n_pixels <= MOST_PIXELS * each**2), 1)
            if image.format == "JPEG" and factor > 1 and "progressive" not in image.info:
                image.draft(image.mode, (image.width // factor, image.height // factor))
            check_pixels(image.width, image.height, name)
            yield image
    except DataError:
        raise
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise DataError(f"{name}: {TOO_LARGE}: got far more; make it smaller") from error
    except damage as error:
        *formats, last = FORMATS
        expected = f"{', '.join(formats)} or {last}"
        # Pillow's own message for other content names an object in memory.
        why = "its content is something else" if isinstance(error, pillow.UnidentifiedImageError) else error
        raise DataError(f"{name}: a {expected} image was expected, but it cannot be read: {why}") from error


def check_pixels(width: int, height: int, name: str) -> None:
    """Raise DataError for more than 16 megapixels; `name` is the file's, for the message."""
    if width * height > MOST_PIXELS:
        line = "" if name == THIS_FILE else sentence("readers.shrink", path=name)
        raise DataError(f"{name}: {TOO_LARGE}: got {width} x {height}; make it smaller{line}")


def webp_size(head: bytes) -> tuple[int, int]:
    """The width and height in the `head` of a WebP file; 0, 0 for others. Pillow allocates memory on opening one.

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


def read_picture(source: AnyPath | bytes, *, stretches: bool = True) -> Gray:
    """Read a PNG, JPEG, WebP, BMP or TIFF file, or its bytes, as gray pixels (height, width) uint8, upright.

    The file's Exif tag says which side is up. Colors become their luminance; transparent pixels become white if the ink
    is dark, black if it is light. With `stretches`, the range of 16-bit pixels is stretched to 0 to 255; without, such
    pixels are refused. If a file has several pictures, the first is read.

    Raises DataError, naming the file, if it is missing, damaged, in another format or has more than 16 megapixels
    (before decoding); MissingExtraError without Pillow.
    """
    name, pillow = THIS_FILE if isinstance(source, bytes) else os.fspath(source), require("PIL.Image")
    with open_image(source, name) as image:
        turn = TURNS.get(orientation(image, name))
        if image.mode[0] in "IF":
            if not stretches:
                raise DataError(sentence("readers.image_bits", path=name, image=image))
            wide = np.array(image, np.float64)
            least, span = wide.min(), wide.max() - wide.min()
            gray = np.zeros(wide.shape, np.uint8)
            if span > 0.0 and np.isfinite(span):
                gray = np.floor((wide - least) / span * 255.0 + 0.5).astype(np.uint8)
        else:
            colors = image.convert("RGBA")
            shades, opacity = colors.convert("L"), colors.getchannel("A")
            gray, alpha = np.array(shades), np.asarray(opacity)
            if alpha.min() < 255:  # sums of products below 2^16 of at most 16 million pixels
                ink = np.multiply(gray, alpha, dtype=np.uint16).sum(dtype=np.int64) / max(alpha.sum(dtype=np.int64), 1)
                ground = pillow.new("L", shades.size, 255 if ink < 127.5 else 0)
                gray = np.array(pillow.composite(shades, ground, opacity))
        return gray if turn is None else np.array(pillow.fromarray(gray).transpose(turn))


def orientation(image: Any, name: str) -> Any:
    """The orientation in a picture's Exif data, 1 to 8, or None. DataError for damaged data: it would be a guess."""
    with warnings.catch_warnings(record=True, action="always") as damage:
        exif = image.getexif()
        if "exif" in image.info:
            type(exif)().load(image.info["exif"])  # parsed again: Pillow keeps the result of opening the file
        found = exif.get(ORIENTATION)
    if found is None and damage:
        raise DataError(sentence("readers.exif", name=name, damage=damage[0].message))
    return found
