"""A picture of a drawing, turned into 28x28 pixels as MNIST's digits were.

What MNIST did: crop to the ink; scale the longer side to 20 pixels, by area averaging, and the darkest pixel to 255;
move by whole pixels so that the rounded center of mass is at row 14, column 14 (counted from 0). On MNIST's own images
all of that changes nothing. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

All arithmetic is float64 in a fixed order, without library sums, so that ink.js of the playground gives the same bits.
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
FEWEST_PIXELS = 5  # of a digit's longer side, if pieces are counted: smaller is a speck
EDGE = 0.35  # of the darkest: lighter pixels of a picture finer than MNIST's are blur
MOST_LOOKED_AT = 50
FULL_INK = 254  # MNIST's own darkest pixels are 254 or 255, and stay as they are

Gray = NDArray[np.uint8]


class InkImage(NamedTuple):
    """The normalized drawing: `image`, (28, 28) uint8 as in MNIST, or None if there is no digit.

    stages: the intermediate pictures by name, (height, width) uint8, ink white on black. is_inverted: whether the ink
    is darker than the paper. shows_several: whether it looks like digits side by side.
    """

    image: Gray | None
    stages: Mapping[str, Gray] = MappingProxyType({})
    is_inverted: bool = False
    shows_several: bool = False


def ink_image(gray: Gray) -> InkImage:
    """A picture of one digit, in MNIST's format.

    gray: (height, width) uint8, of any size, dark on light or light on dark; a photo of paper in uneven light, too.

    Returns an InkImage; its image is None if nothing stands out from the paper. Raises ShapeError for another array.

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
    """How images (n, pixels) were made: "digits" if `ink_image` leaves nine in ten unchanged, else "images".

    It checks at most 50, evenly spaced. `known` stays for numbers outside 0 to 255, such as standardized ones.
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
    """Whether `ink_image` leaves nine in ten images of 28x28 unchanged; cached, because every fit to the data asks."""
    images = np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE)
    made = (ink_image(image).image for image in images)
    n_same = sum(one is not None and np.array_equal(one, image) for one, image in zip(made, images, strict=True))
    return n_same >= 0.9 * len(images)


def ink_box(ink: NDArray[np.float64]) -> tuple[slice, slice]:
    """The rows and columns that contain the ink. In a picture finer than MNIST's, ink is what is dark enough."""
    inked = box(ink > 0.0)
    return inked if max(ink[inked].shape) <= INK_SIDE else box(ink >= EDGE * ink.max())


def box(inked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """From the first row that is true anywhere to the last, and the same for columns."""
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def scale_ink(ink: NDArray[np.float64]) -> Gray:
    """Cropped ink with a longer side of 20 pixels, its darkest pixel 255; unchanged if it had both already."""
    longer = max(ink.shape)
    if longer != INK_SIDE:
        height, width = (max(1, (2 * INK_SIDE * side + longer) // (2 * longer)) for side in ink.shape)
        ink = resize_rows(resize_rows(ink, height).T, width).T
    return as_gray(ink)


def as_gray(ink: NDArray[np.float64]) -> Gray:
    """Ink with its darkest pixel at 255, in whole numbers."""
    peak = ink.max()
    return round_half_up(ink if peak >= FULL_INK else ink * (255.0 / peak))


def round_half_up(ink: NDArray[np.float64]) -> Gray:
    """To the nearest whole number, halves upwards."""
    return np.floor(ink + 0.5).astype(np.uint8)


def resize_rows(ink: NDArray[Any], n_rows: int) -> NDArray[np.float64]:
    """(height, width) to (n_rows, width): fewer rows by area averaging, more by linear interpolation."""
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
    """A 28x28 image of ink (height, width), at most 20 pixels each, its rounded center of mass at 14, 14."""
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
