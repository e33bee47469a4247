"""A picture of one digit in a file, from a camera, a scanner or a drawing program, as upright gray pixels."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.atomic import AnyPath
from deltarule.data.ink.normalization import Gray, ink_image
from deltarule.data.readers.images import open_image, read_image
from deltarule.data.reading import How, Reading
from deltarule.errors import DataError, NoDigitError, require, sentence

FORMATS = ["PNG", "JPEG", "WEBP", "BMP"]
ORIENTATION = 0x0112  # the tag of Exif
# Exif's orientations, and Pillow's transpositions that turn the pixels the way the camera was held; others are upright.
# Source: CIPA DC-008, "Exchangeable image file format for digital still cameras: Exif 2.32", section 4.6.4.
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def read_picture_rows(path: Path, how: How) -> Reading:
    """A picture as a row of pixels: `how` it was in training, or a digit as MNIST has them.

    Raises NoDigitError where a digit was to be read and the picture is blank, DataError as `read_picture` and
    `read_image` do.
    """
    if not how.is_digit:
        pixels = read_image(path, how.image_shape, size=how.size)
        return Reading(pixels.reshape(1, -1), report={"holds": "pixels", "scaled to": how.size})
    image = ink_image(read_picture(path)).image
    if image is None:
        raise NoDigitError(f"{path}: a picture of a digit was expected: got no ink on the paper; draw one, and darker")
    return Reading(image.reshape(1, -1), report={"holds": "pixels", "normalized": "as the digits of MNIST"})


def read_picture(source: AnyPath | bytes) -> Gray:
    """A PNG, JPEG, WebP or BMP file, or its bytes, as gray pixels (height, width) uint8, upright as its Exif tag says.

    Colors become their luminance; what is transparent shows white where the ink is dark, black where it is light. The
    range of 16-bit pixels becomes 0 to 255. Of a moving picture, the first one counts.

    Raises DataError, naming the file, where it is missing, damaged, in another format or of more than 16 megapixels
    (before it is decoded); MissingExtraError without Pillow.
    """
    name = "this file" if isinstance(source, bytes) else os.fspath(source)
    with open_image(source, FORMATS, name) as image:
        turn = TURNS.get(orientation(image, name))
        if image.mode[0] in "IF":
            wide = np.array(image, np.float64)
            least, span = wide.min(), wide.max() - wide.min()
            gray = np.zeros(wide.shape, np.uint8)
            if span > 0.0 and np.isfinite(span):
                gray = np.floor((wide - least) / span * 255.0 + 0.5).astype(np.uint8)
        else:
            colors = image.convert("RGBA")
            gray, alpha = np.array(colors.convert("L")), np.asarray(colors.getchannel("A"))
            if alpha.min() < 255:
                gray = lay_on_ground(gray, alpha)
        return gray if turn is None else np.array(require("PIL.Image", "page").fromarray(gray).transpose(turn))


def orientation(image: Any, name: str) -> Any:
    """What the Exif tag says, or None. DataError where the tag was lost, for the answer would be a guess."""
    with warnings.catch_warnings(record=True, action="always") as damage:
        exif = image.getexif()
        if "exif" in image.info:
            type(exif)().load(image.info["exif"])  # once more, for it is kept from when the file was opened
        found = exif.get(ORIENTATION)
    if found is None and damage:
        raise DataError(sentence("readers.exif", name=name, damage=damage[0].message))
    return found


def lay_on_ground(gray: Gray, alpha: Gray) -> Gray:
    """Gray pixels that are transparent in part, on a ground unlike the ink: white where the ink is dark, else black."""
    # int64 sums of products below 2^16 of at most 16 million pixels
    weighted = np.multiply(gray, alpha, dtype=np.uint16)
    ink = weighted.sum(dtype=np.int64) / max(alpha.sum(dtype=np.int64), 1)
    ground = np.uint16(255 if ink < 127.5 else 0)
    mixed = weighted + ground * (255 - alpha).astype(np.uint16)
    return ((mixed + np.uint32(127)) // 255).astype(np.uint8)
