"""Images that are not as a network knows them: shifted, turned, drawn with a thinner or a thicker pen.

images: (n_samples, height, width) float32 from 0 to 1.
"""

import math
from typing import Any

import numpy as np

from deltarule.data.augment import warp

PEN_DIRECTIONS = 8
Images = np.ndarray[Any, Any]


def transform(images: Images, linear: Any, offset: tuple[float, float] = (0.0, 0.0)) -> Images:
    """Take the pixel at p, (row, column) from the middle, from linear @ p + offset of each image."""
    n_samples, height, width = images.shape
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    grid = np.indices((height, width)).reshape(2, -1) - middle[:, np.newaxis]
    points = linear @ grid + (middle + offset)[:, np.newaxis]
    points = np.broadcast_to(points.reshape(2, 1, height, width), (2, *images.shape)).astype(images.dtype)
    return warp(images.reshape(n_samples, -1), points).reshape(images.shape)


def rotate(images: Images, degrees: float) -> Images:
    """Turn images counterclockwise about the middle."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return transform(images, np.array([[cos, sin], [-sin, cos]]))


def widen_pen(images: Images, pixels: float) -> Images:
    """Draw with a pen so many pixels wider, or narrower where negative: gray dilation or erosion by a disk."""
    angles = np.arange(PEN_DIRECTIONS) * (2.0 * np.pi / PEN_DIRECTIONS)
    rim = 0.5 * abs(pixels) * np.stack([np.sin(angles), np.cos(angles)], axis=1)  # (directions, 2): down, right
    choose, out = np.maximum if pixels > 0.0 else np.minimum, images.copy()
    for down, right in rim:
        choose(out, transform(images, np.eye(2), (down, right)), out=out)
    return out
