"""Deforms images at random, as if a digit had been written again: rotated, shifted, bent, with another pen.

Sources: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual
document analysis", ICDAR 2003, section 2; D. Ciresan, U. Meier, L. Gambardella, J. Schmidhuber, "Deep, big, simple
neural nets for handwritten digit recognition", Neural Computation 22 (2010), section 2.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from deltarule.errors import LOG, SettingError, ShapeError, sentence
from deltarule.inputs import Size
from deltarule.parts import with_settings
from deltarule.public import part
from deltarule.settings import brief, check_settings

UTMOST_PEN = 2.0  # pixels by which dilation by a 3x3 square makes strokes wider: no stroke is changed by more

Array = NDArray[Any]


@part(frozen=True, kw_only=True)
class Deformation:
    """How strongly to deform images at most: each image draws its own amounts, uniform from minus to plus these.

    rotation: degrees about the center of the image; positive is counterclockwise.
    scale: the fraction, below 1, by which height and width independently grow or shrink: with 0.1, to 0.9 to 1.1 times.
    shift: pixels down and, drawn separately, pixels to the right.
    shear: degrees by which upright strokes lean to the right; below 90.
    elastic_alpha: strength of the elastic field; 0 for none. Each pixel moves by alpha times smoothed noise (uniform
        from -1 to 1 before): a standard deviation of 0.16 alpha / sigma pixels, 1.4 with Simard's alpha 34, sigma 4.
    elastic_sigma: standard deviation, in pixels, of the Gaussian that smooths the noise: pixels closer than that move
        together. 4 bends a digit, 1 tears it, 20 moves it as a whole. At least 0.1.
    stroke: pixels by which strokes become wider or narrower, before anything is bent. An amount of 2 replaces each
        pixel by the largest of itself and its eight neighbors, -2 by the smallest (gray dilation and erosion by a 3x3
        square). Smaller amounts go part of the way; larger ones count as 2: with 3 they are a third of the images.
    fade: the last fraction of a run's epochs, below 1, in which all amounts shrink evenly toward 0, so that training
        ends on almost unchanged images. `deform` uses the full amounts.

    Raises SettingError for an amount outside these ranges.

    >>> Deformation(rotation=12, scale=0.15, shift=1.5, elastic_alpha=34).elastic_sigma
    4.0
    """

    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    elastic_alpha: float = 0.0
    elastic_sigma: float = 4.0
    stroke: float = 0.0
    fade: float = 0.0

    def __post_init__(self) -> None:
        check_settings(self)
        if 0.0 < self.rotation < 1.0 and 0.0 <= self.shift < 1.0:
            LOG.warning(sentence("data.small_deformation", rotation=self.rotation, shift=self.shift))

    def at_epoch(self, epoch: int, n_epochs: int) -> "Deformation":
        """The deformation to use in `epoch`, from 1, of `n_epochs`: its amounts shrink in the last `fade` of them."""
        left = (n_epochs - epoch + 1) / n_epochs
        if left >= self.fade:
            return self
        amounts = ("rotation", "scale", "shift", "shear", "elastic_alpha", "stroke")
        return replace(self, **{each: getattr(self, each) * left / self.fade for each in amounts})


def deformation_of(given: Any) -> Deformation | None:
    """Return a given Deformation, or make one from a dict of its fields; None for None. SettingError otherwise."""
    if given is None or isinstance(given, Deformation):
        return given
    if isinstance(given, Mapping):
        return with_settings("augment", Deformation, given)
    raise SettingError(sentence("data.deformation", got=brief(given)))


def deform(
    images: Array, image_shape: Size, deformation: Deformation, rng: Generator, out: Array | None = None
) -> Array:
    """Deform each image at random, in its own way.

    images: (n_samples, height * width), float32 or float64; 0 is the background, also outside the image.
    out: the array to write to, of the shape and dtype of `images`; may be `images` itself. None makes a new one.

    Returns `out`; equal to `images`, bit for bit, if all amounts are 0. Raises ShapeError for other shapes or dtypes.
    """
    check_images(images, image_shape)
    points = sampling_points(len(images), image_shape, deformation, rng, images.dtype)
    out = np.empty_like(images) if out is None else out
    out[:] = warp(redraw(images, image_shape, pen_widths(len(images), deformation, rng)), points)
    return out


def check_images(images: Array, image_shape: Size) -> None:
    """Raise ShapeError unless `images` is an array (n_samples, height * width) of float32 or float64."""
    height, width = image_shape
    if images.ndim != 2 or images.shape[1] != height * width or images.dtype not in (np.float32, np.float64):
        raise ShapeError(sentence("data.to_deform", n_pixels=height * width, images=images))


def sampling_points(
    n_samples: int, image_shape: Size, deformation: Deformation, rng: Generator, dtype: np.dtype[Any]
) -> Array:
    """The row and column in the original at which to read each deformed pixel: (2, n_samples, height, width)."""
    rows, columns = np.indices(image_shape).reshape(2, -1)
    grid = np.stack([rows, columns, np.ones_like(rows)])  # (3, height * width)
    maps = affine_maps(n_samples, image_shape, deformation, rng)
    noise = elastic_noise(n_samples, image_shape, deformation, rng)
    points: Array = (maps.astype(dtype) @ grid.astype(dtype)).reshape(2, n_samples, *image_shape)
    if noise.size:
        height, width = image_shape
        # Rows are the first axis and columns the last: one matrix product smooths the whole batch along each.
        fields = np.subtract(noise, dtype.type(127.5), dtype=dtype).reshape(height, -1)
        smooth = gaussian_matrix(height, deformation.elastic_sigma) * (deformation.elastic_alpha / 127.5)
        fields = (smooth.astype(dtype) @ fields).reshape(-1, width)
        fields = fields @ gaussian_matrix(width, deformation.elastic_sigma).astype(dtype).T
        points += fields.reshape(noise.shape).transpose(1, 2, 0, 3)
    return points


def affine_maps(n_samples: int, image_shape: Size, deformation: Deformation, rng: Generator) -> NDArray[np.float64]:
    """Random matrices, (2, n_samples, 3): each maps (row, column, 1) in a deformed image to a point in the original.

    Each matrix is the inverse of: scale, shear, rotate about the center, shift. Rows count downwards, so a
    counterclockwise rotation takes a point on the right, (0, 1), to the top, (-1, 0).
    """
    middle = np.array([(image_shape[0] - 1) / 2, (image_shape[1] - 1) / 2])[:, np.newaxis]
    amounts = rng.uniform(-1.0, 1.0, (6, n_samples))
    angle = amounts[0] * math.radians(deformation.rotation)
    lean = np.tan(amounts[1] * math.radians(deformation.shear))
    growth = 1.0 + amounts[2:4] * deformation.scale  # down, and to the right
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, sin], [lean * cos - sin, lean * sin + cos]])  # (2, 2, n_samples)
    linear /= growth[:, np.newaxis]
    origin = middle + amounts[4:6] * deformation.shift  # the new place of the original's center
    offset = middle - linear[:, 0] * origin[0] - linear[:, 1] * origin[1]
    return np.stack([linear[:, 0], linear[:, 1], offset], axis=2)


def elastic_noise(n_samples: int, image_shape: Size, deformation: Deformation, rng: Generator) -> NDArray[np.uint8]:
    """Random bytes for each pixel's shift down and right, (height, 2, n_samples, width); empty without elastic_alpha.

    The noise has only 256 levels because it is smoothed afterwards: finer levels would look the same.
    """
    shape = (image_shape[0], 2, n_samples, image_shape[1])
    if deformation.elastic_alpha == 0.0:
        return np.empty((0, *shape[1:]), np.uint8)
    return np.frombuffer(rng.bytes(math.prod(shape)), np.uint8).reshape(shape)


def gaussian_matrix(size: int, sigma: float) -> NDArray[np.float64]:
    """A matrix G (size, size): G @ v smooths v (size,) by a Gaussian of standard deviation `sigma`, zeros outside v."""
    weights = np.exp(-0.5 * (np.arange(1 - size, size) / sigma) ** 2)
    distance = np.arange(size)[:, np.newaxis] - np.arange(size)
    return np.take(weights / weights.sum(), distance + (size - 1))


def pen_widths(n_samples: int, deformation: Deformation, rng: Generator) -> NDArray[np.float64]:
    """Random changes in the stroke width of each image, -2 to 2 pixels, (n_samples,); empty if `stroke` is 0."""
    widths = rng.uniform(-deformation.stroke, deformation.stroke, n_samples if deformation.stroke else 0)
    return np.clip(widths, -UTMOST_PEN, UTMOST_PEN)


def redraw(images: Array, image_shape: Size, widths: NDArray[np.float64]) -> Array:
    """Widen the strokes in images, (n_samples, height * width), by `widths`, -2 to 2 pixels; no change if empty."""
    if not widths.size:
        return images
    height, width = image_shape
    wider = narrower = np.pad(images.reshape(-1, height, width), [(0, 0), (1, 1), (1, 1)])
    for _ in ("rows", "columns"):  # each pass reduces three rows to one and transposes: after two, rows are rows again
        wider = np.maximum.reduce([wider[:, :-2], wider[:, 1:-1], wider[:, 2:]]).swapaxes(1, 2)
        narrower = np.minimum.reduce([narrower[:, :-2], narrower[:, 1:-1], narrower[:, 2:]]).swapaxes(1, 2)
    extreme = np.where(widths[:, np.newaxis] > 0.0, wider.reshape(images.shape), narrower.reshape(images.shape))
    share = np.abs(widths / UTMOST_PEN).astype(images.dtype)
    return images + share[:, np.newaxis] * (extreme - images)


def warp(images: Array, points: Array) -> Array:
    """Resample images, (n_samples, height * width), at `points` by bilinear interpolation between pixels.

    points: rows and columns in each image, (2, n_samples, height, width); an image is 0 beyond its border.
    """
    _, n_samples, height, width = points.shape
    # A border of zeros, one pixel before and two after, gives every point, once clipped, four neighbors.
    padded = np.pad(images.reshape(n_samples, height, width), [(0, 0), (1, 2), (1, 2)])
    rows, columns = np.clip(points[0], -1.0, height) + 1.0, np.clip(points[1], -1.0, width) + 1.0
    image, top, left = np.arange(n_samples).reshape(-1, 1, 1), rows.astype(np.intp), columns.astype(np.intp)
    down, right = rows - top.astype(rows.dtype), columns - left.astype(columns.dtype)  # how far to the next pixel
    upper, lower = (
        padded[image, row, left] + right * (padded[image, row, left + 1] - padded[image, row, left])
        for row in (top, top + 1)
    )
    return (upper + down * (lower - upper)).reshape(images.shape)
