"""Turns a picture of a digit into a 28x28 image in MNIST's format.

MNIST's format: the picture is cropped to the ink; its longer side is scaled to 20 pixels, by area averaging, and its
darkest pixel to 255; it is moved by whole pixels so that the rounded center of mass is at row 14, column 14 (counted
from 0). MNIST's own images stay unchanged. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
digits". All arithmetic is float64 in a fixed order, without library sums, so that ink.js gives the same bits.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deltarule.data.ink.detection import find_ink, has_several, is_inverted
from deltarule.errors import ShapeError

SIDE = 28  # pixels of an image
INK_SIDE = 20  # pixels of the longer side of its ink
CENTER = 14  # row and column of the ink's rounded center of mass
FEWEST_PIXELS = 5  # the longer side of a digit in a picture has at least so many: anything smaller is a speck
EDGE = 0.35  # in a picture finer than MNIST's, pixels with less than this share of the darkest ink are blur
MOST_LOOKED_AT = 50
FULL_INK = 254  # MNIST's own darkest pixels are 254 or 255, and stay as they are

Gray = NDArray[np.uint8]


class InkImage(NamedTuple):
    """The normalized picture: `image`, (28, 28) uint8 as in MNIST, or None if there is no digit.

    stages: the intermediate pictures by name, (height, width) uint8, ink white on black. is_inverted: whether the ink
    is darker than the paper. shows_several: whether it looks like digits side by side.
    """

    image: Gray | None
    stages: Mapping[str, Gray] = MappingProxyType({})
    is_inverted: bool = False
    shows_several: bool = False


def ink_image(gray: Gray) -> InkImage:
    """Convert a picture of one digit to MNIST's format.

    gray: (height, width) uint8, of any size, dark on light or light on dark; a photo of paper in uneven light, too.

    Returns an InkImage; its image is None if at most a speck stands out. Raises ShapeError for other shapes or dtypes.

    >>> picture = np.full((100, 60), 200, np.uint8)
    >>> picture[20:80, 27:33] = 30  # a stroke, three pixels wide where it is 30 pixels high
    >>> image = ink_image(picture).image
    >>> np.argwhere(image).min(axis=0).tolist(), np.argwhere(image).max(axis=0).tolist()
    ([4, 13], [23, 14])
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise ShapeError(f"a picture (height, width) of uint8 was expected: got {gray.dtype} of shape {gray.shape}")
    ink = find_ink(gray)
    if ink is None:
        return InkImage(None)
    crop = ink[ink_box(ink)]
    if max(crop.shape) < FEWEST_PIXELS:
        return InkImage(None)
    small = scale_ink(crop)
    image = center(small)
    stages = {"ink found": as_gray(ink), "crop": as_gray(crop), "20x20": small, "centered": image}
    return InkImage(image, stages, is_inverted(gray, ink), has_several(ink))


def reading_of(rows: Any, image_shape: tuple[int, int] | None, known: str | None = None) -> str | None:
    """Find out the format of images (n, pixels): "digits" if nine in ten are in MNIST's format, else "images".

    Only about 50 rows, evenly spaced, are checked: `ink_image` leaves images in MNIST's format unchanged. Returns
    `known` for numbers outside 0 to 255, such as standardized ones, and for rows not known to be images.
    """
    if not isinstance(rows, np.ndarray) or (image_shape or (SIDE, SIDE)) != (SIDE, SIDE) or rows.shape[1] != SIDE**2:
        return known if image_shape is None else "images"
    some = rows[:: -(-len(rows) // MOST_LOOKED_AT)]
    if not 0 <= some.min() <= some.max() <= 255:
        return known
    white = 255.0 if some.dtype.kind == "f" and some.max() <= 1.0 else 1.0
    return "digits" if are_digits(np.rint(some * white).astype(np.uint8).tobytes()) else "images"


@lru_cache(maxsize=8)
def are_digits(pixels: bytes) -> bool:
    """Whether `ink_image` leaves nine in ten images of 28x28 bytes unchanged; cached, because each `fit` calls it."""
    images = np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE)
    made = (ink_image(image).image for image in images)
    n_same = sum(one is not None and np.array_equal(one, image) for one, image in zip(made, images, strict=True))
    return n_same >= 0.9 * len(images)


def ink_box(ink: NDArray[np.float64]) -> tuple[slice, slice]:
    """The slices of rows and columns around the ink; if over 20 pixels, only ink above 35 % of the darkest counts."""
    inked = box(ink > 0.0)
    return inked if max(ink[inked].shape) <= INK_SIDE else box(ink >= EDGE * ink.max())


def box(inked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest box around the true pixels of a mask: a slice of rows and a slice of columns."""
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def scale_ink(ink: NDArray[np.float64]) -> Gray:
    """Scale cropped ink so that its longer side is 20 pixels and its darkest pixel 255; no change if it is so."""
    longer = max(ink.shape)
    if longer != INK_SIDE:
        height, width = (max(1, (2 * INK_SIDE * side + longer) // (2 * longer)) for side in ink.shape)
        ink = resize_rows(resize_rows(ink, height).T, width).T
    return as_gray(ink)


def as_gray(ink: NDArray[np.float64]) -> Gray:
    """Scale ink so that its darkest pixel is 255 (254 stays as it is), rounded to uint8."""
    peak = ink.max()
    return round_half_up(ink if peak >= FULL_INK else ink * (255.0 / peak))


def round_half_up(ink: NDArray[np.float64]) -> Gray:
    """Round to the nearest whole number, halves upwards, as uint8."""
    return np.floor(ink + 0.5).astype(np.uint8)


def resize_rows(ink: NDArray[Any], n_rows: int) -> NDArray[np.float64]:
    """Resize (height, width) to (n_rows, width): to fewer rows by area averaging, to more by linear interpolation."""
    step = len(ink) / n_rows
    i = np.arange(n_rows)
    if step >= 1.0:
        start, end = i * step, (i + 1) * step
        first, n_terms = np.floor(start).astype(np.intp), math.ceil(step) + 1
    else:
        middle = np.clip((i + 0.5) * step - 0.5, 0.0, len(ink) - 1.0)
        first, n_terms = np.floor(middle).astype(np.intp), 2
    out = np.zeros((n_rows, ink.shape[1]))
    for k in range(n_terms):
        row = first + k
        if step >= 1.0:
            share = np.maximum(np.minimum(row + 1.0, end) - np.maximum(row, start), 0.0) / step
        else:
            share = 1.0 - np.abs(middle - row)
        out += share[:, np.newaxis] * ink[np.minimum(row, len(ink) - 1)] * (row < len(ink))[:, np.newaxis]
    return out


def center(small: Gray) -> Gray:
    """Place ink, at most 20 pixels high and wide, in a 28x28 image, its rounded center of mass at row and column 14."""
    mass = small.astype(np.int64)
    total = int(mass.sum())
    place = []
    for axis, side in enumerate(small.shape):
        moment = int(mass.sum(axis=1 - axis) @ np.arange(side))
        middle = (2 * moment + total) // (2 * total)
        start = min(max(CENTER - middle, 0), SIDE - side)
        place.append(slice(start, start + side))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[place[0], place[1]] = small
    return image
