"""What ink.js makes of strokes on the page's pad, in Python: the reference that the page is held to, bit for bit.

`data/ink/normalization.py` says what MNIST did.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.ink.detection import has_several
from deltarule.data.ink.normalization import INK_SIDE, SIDE, Gray, InkImage, center, ink_box, round_half_up
from deltarule.errors import DataError

PEN = 2.5  # pixels: the median width of MNIST's strokes
PAD_SIDE = 280
DOT = 1 / 40  # of a pad's side: strokes that reach no further are a dot
SKETCH_SIDE = 56  # pixels of the picture of a pad among the stages
MOST_SEGMENTS = 256  # whose distances to all pixels are in memory at once
Stroke = Sequence[Sequence[float]]


def ink_strokes(strokes: Sequence[Stroke], size: float = PAD_SIDE) -> InkImage:
    """What was drawn on a pad, as MNIST would have it: points are scaled, then inked with a round pen of 2.5 pixels.

    strokes: one or more, each a sequence of points (x, y), x to the right and y downwards, in the pad's pixels.
    size: the side of the pad.

    Returns an InkImage; its image is None where there is no stroke, or only a dot. Raises DataError for a point that is
    not a pair of finite numbers.

    >>> ink_strokes([[(100, 40), (100, 240)]]).image.max()
    np.uint8(255)
    >>> ink_strokes([]).image is None
    True
    """
    paths = [path_of(stroke) for stroke in strokes if len(stroke)]
    points = np.concatenate(paths) if paths else np.zeros((1, 2))
    first, last = points.min(axis=0), points.max(axis=0)
    extent = float((last - first).max())
    if not extent >= size * DOT:
        return InkImage(None)
    scale = (INK_SIDE - PEN) / extent
    width, height = (math.ceil(min(float(INK_SIDE), side * scale + PEN)) for side in last - first)
    small = inked([(path - first) * scale + PEN / 2 for path in paths], (height, width), PEN / 2)
    grain = SKETCH_SIDE / size
    sketch = inked([path * grain for path in paths], (SKETCH_SIDE, SKETCH_SIDE), PEN * SKETCH_SIDE / SIDE / 2)
    stages = {"ink found": sketch}
    if sketch.any():
        stages["crop"] = sketch[ink_box(sketch.astype(np.float64))]
    image = center(small)
    shows_several = bool(sketch.any()) and has_several(sketch)
    return InkImage(image, stages | {"20x20": small, "centered": image}, shows_several=shows_several)


def path_of(stroke: Stroke) -> NDArray[np.float64]:
    """The points of a stroke, (n_points, 2)."""
    try:
        points = np.array(stroke, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise DataError(f"a stroke must be points (x, y) of finite numbers: got {str(stroke)[:60]}")
    return points


def inked(paths: Sequence[NDArray[np.float64]], shape: tuple[int, int], radius: float) -> Gray:
    """Paths of points (x, y) drawn by a round pen, (height, width); a pixel on its rim is inked in part."""
    start = np.concatenate([path[:-1] if len(path) > 1 else path for path in paths])
    end = np.concatenate([path[1:] if len(path) > 1 else path for path in paths])
    rows, columns = np.indices(shape) + 0.5
    nearest = np.full(shape, np.inf)
    for k in range(0, len(start), MOST_SEGMENTS):
        chunk = slice(k, k + MOST_SEGMENTS)
        distances = squared_distances(columns, rows, start[chunk], end[chunk])
        np.minimum(nearest, distances.min(axis=0), out=nearest)
    covered = np.clip(radius + 0.5 - np.sqrt(nearest), 0.0, 1.0)
    return round_half_up(255.0 * covered)


def squared_distances(
    columns: NDArray[Any], rows: NDArray[Any], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From each of n segments to each pixel's middle: (n, height, width)."""
    from_x, from_y = start.T[:, :, np.newaxis, np.newaxis]
    right, down = (end - start).T[:, :, np.newaxis, np.newaxis]
    length = right * right + down * down
    along = (columns - from_x) * right + (rows - from_y) * down
    along = np.clip(along / np.where(length > 0.0, length, 1.0), 0.0, 1.0)
    beside, below = columns - (from_x + along * right), rows - (from_y + along * down)
    squared: NDArray[np.float64] = beside * beside + below * below
    return squared
