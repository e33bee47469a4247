"""PNG and JPEG files: one image, or a folder that has a folder of images for each class."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset, Splits
from deltarule.data.problems import refuse
from deltarule.errors import DataError, require

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def read_image(path: str | os.PathLike[str], image_shape: tuple[int, int] | None = (28, 28)) -> NDArray[np.uint8]:
    """A PNG or JPEG as it is: no size and no brightness is changed, 0 is black.

    image_shape: the (height, width) that the image must have; None for any.

    Returns (height, width) uint8; a color image becomes its luminance. Raises DataError, naming the file, where it is
    missing, damaged, of another size, transparent, or of more than 8 bits a color; MissingExtraError without Pillow.
    """
    pillow = require("PIL.Image", "page")
    # Pillow's readers answer damage with any of these; its bomb warning is an error wherever warnings are.
    damage = (OSError, SyntaxError, ValueError, pillow.DecompressionBombError, pillow.DecompressionBombWarning)
    try:
        with pillow.open(path, formats=sorted(set(FORMATS.values()))) as image:
            got_shape = (image.height, image.width)
            problem = _problem(got_shape, image.mode, image_shape)
            rgba = None if problem else image.convert("RGBA")
    except damage as error:
        raise DataError(f"{path}: a PNG or JPEG image was expected, but it cannot be read: {error}") from error
    if rgba is not None and rgba.getchannel("A").getextrema()[0] < 255:
        problem = "an image without transparency was expected: got transparent pixels; save it on a background"
    if problem:
        raise DataError(f"{path}: {problem}")
    return np.array(rgba.convert("L"))
