"""Finds the ink in a picture: dark on light or light on dark, on a plain background or on unevenly lit paper.

All arithmetic is float64 in a fixed order and only whole numbers are summed, so that paper.js gives the same bits.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

MOST_PIXELS = 512  # pixels of the longer side: a larger picture is averaged down first
FAINTEST = 16  # ink differs from a plain background by at least so many of 255 levels
FAINTEST_ON_PAPER = 20  # the same on paper in uneven light
PLAIN = 1 / 32  # a background is plain if its border varies by less than this share of the strongest ink
QUIET = 1 / 64  # levels closer than this share of the picture's range count as the same
BLOT = 6  # half the width of a stroke is never more than the longer side divided by this
BRUSH = 12  # half the width of a stroke in a photo is less than the longer side divided by this
SPLIT = 0.85  # at least this share of the variance is between ink and paper, if the picture shows nothing else
CROPPED = 1 / 8  # at least this share of a picture that is cropped to its ink is ink
GROUND = 0.3  # levels up to this share of the way from paper to ink are paper
ALONG = 0.7  # a stroke that runs along the border has at least this share of the darkest ink
GRAIN = 1.4826  # the standard deviation of normal noise, divided by its median absolute deviation
STROKE = 0.35  # a pixel belongs to a stroke if it has at least this share of the darkest ink
GAP = 0.12  # paper between two digits is wider than this share of their height
WIDE = 1.2  # ink that is wider than this times its height is more than one digit
TALL = 0.5  # a digit beside others has at least this share of the whole height; a dot has less
SPECK = 1 / 20  # a piece of ink with less than this share of the largest piece's area is dust

Plane = NDArray[np.float64]
quantile = partial(np.quantile, method="lower")  # always one of the values, not interpolated


def find_ink(gray: NDArray[np.uint8]) -> Plane | None:
    """The strength of the ink in each pixel, from 0 for none to 255, (height, width); None if there is no ink.

    gray: (height, width) uint8. A picture with more than 512 pixels on a side is shrunk first.
    """
    level = shrink(gray)
    ground, unrest = plain_ground(level)
    darker, lighter = ground - float(level.min()), float(level.max()) - ground
    contrast = max(darker, lighter)
    if unrest > contrast * PLAIN:
        cropped = ink_of_crop(level)
        return ink_on_paper(level) if cropped is None else cropped
    if contrast < FAINTEST:
        return None
    return np.maximum((ground - level if darker >= lighter else level - ground) - 2.0 * unrest, 0.0)


def plain_ground(level: Plane) -> tuple[float, float]:
    """The gray level of the background, and the distance within which 3/4 of the border lie (large in a photo).

    The level is the border's median. If ink touches the border of a cropped picture, it is the border's most frequent
    level instead, provided that most of the picture has that level, or differs from it strongly, in strokes.
    """
    around = np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]])  # corners twice
    ground, span = float(quantile(around, 0.5)), float(level.max() - level.min())
    unrest = float(quantile(np.abs(around - ground), 0.75))
    near = span * QUIET
    if unrest <= span * PLAIN / 2.0:
        return ground, unrest
    values = np.sort(around)
    counts = np.searchsorted(values, values + near, "right") - np.searchsorted(values, values - near, "left")
    often = float(values[counts.argmax()])
    apart = np.abs(level - often)
    n_near, n_around = np.count_nonzero(apart <= near), np.count_nonzero(apart <= 4.0 * near)
    n_told = n_near + np.count_nonzero(apart >= span / 2.0)
    is_told = 10 * n_near >= 9 * n_around and 10 * n_told >= 6 * level.size and 5 * n_near >= level.size
    return (often, near / 2.0) if is_told and not has_area(apart > span / 4.0) else (ground, unrest)


def has_area(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask contains a filled square a third as wide as its longer side: a shadow, not a stroke."""
    radius = max(mask.shape) // BLOT + 1
    return bool(extreme(np.minimum, np.pad(mask, radius), radius).any())


def shrink(gray: NDArray[np.uint8]) -> Plane:
    """Shrink a picture to at most 512 pixels a side: each new pixel is the mean of a square (cut at the far edges)."""
    factor = -(-max(gray.shape) // MOST_PIXELS)
    if factor == 1:
        return gray.astype(np.float64)
    starts = [np.arange(0, side, factor) for side in gray.shape]
    sums = np.add.reduceat(np.add.reduceat(gray, starts[0], axis=0, dtype=np.int64), starts[1], axis=1)
    height, width = (np.diff(start, append=side) for start, side in zip(starts, gray.shape, strict=True))
    return sums / np.multiply.outer(height, width)


def ink_of_crop(level: Plane) -> Plane | None:
    """The ink, 0 to 255, in a photo cropped to a digit; None if it shows more than ink and paper, or little ink.

    A threshold splits the gray levels into the two classes that differ most relative to their spread (Otsu 1979). The
    class of most of the border is paper; the other is ink if it consists of strokes, however thick.
    """
    even = smooth(level)
    counts = np.bincount(np.floor(even).astype(np.int64).ravel(), minlength=256)
    below, mass = counts.cumsum(), (counts * np.arange(256)).cumsum()
    n, total = even.size, int(mass[-1])
    apart = (total * below - mass * n).astype(np.float64)
    between = apart * apart / np.maximum(below * (n - below), 1)
    best = int(between.argmax())
    variance = int((counts * np.arange(256) ** 2).sum()) * n - total * total
    dark = even < best + 1
    around = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    ink = dark if 2 * np.count_nonzero(around) < around.size else ~dark
    n_ink = np.count_nonzero(ink)
    is_split = between[best] >= SPLIT * variance and CROPPED * n <= n_ink <= (1.0 - CROPPED) * n
    if not is_split or has_area(ink):
        return None
    paper, full = quantile(even[~ink], 0.5), quantile(even[ink], 0.5)
    depth = (even - paper) / (full - paper)
    return np.where(depth > GROUND, np.minimum(255.0 * depth, 255.0), 0.0)


def ink_on_paper(level: Plane) -> Plane | None:
    """The ink, 0 to 255, on paper in uneven light; None if nothing stands out from the paper and its grain.

    A gray closing by a square (an opening for light ink) removes everything as narrow as a stroke: what remains is
    paper. If the picture is padded with its border, a stroke along the border looks like paper; if it is padded with
    its mirror image, the stroke stands out. Such a stroke is kept if it is connected to other ink.
    """
    even = smooth(level)
    radius = max(level.shape) // BRUSH + 1
    sign = -1.0 if is_dark(even, radius) else 1.0
    framed = np.pad(-sign * even, 2 * radius, mode="edge"), np.pad(-sign * even, 2 * radius, mode="symmetric")
    filled = (extreme(np.minimum, extreme(np.maximum, each, radius), radius) for each in framed)
    depth, mirrored = (each + sign * even for each in filled)
    base = quantile(depth, 0.5)
    grain = GRAIN * quantile(np.abs(depth - base), 0.5)
    peak = float(depth.max()) - base
    if peak < FAINTEST_ON_PAPER or peak < 8.0 * grain:
        return None
    least = max(4.0 * grain, 0.25 * peak)
    within = depth - base > least
    depth = np.where(mirrored - base >= ALONG * peak, mirrored, depth)
    inked = depth - base > least
    label = pieces(inked)
    areas = np.bincount(label[within], minlength=int(label.max()) + 1)
    kept = inked & (areas[label] >= SPECK * areas.max())  # leaves out dust
    full = quantile(depth[kept], 0.5) - base
    return np.where(kept, np.minimum(255.0 * ((depth - base) / full), 255.0), 0.0)


def smooth(level: Plane) -> Plane:
    """Replace each pixel by the mean of itself and its eight neighbors; the border is repeated outside."""
    framed = np.pad(level, 1, mode="edge")
    columns = framed[:-2] + framed[1:-1] + framed[2:]
    return (columns[:, :-2] + columns[:, 1:-1] + columns[:, 2:]) / 9.0


def extreme(chosen: np.ufunc, level: NDArray[Any], radius: int) -> NDArray[Any]:
    """Apply `chosen`, np.maximum or np.minimum, to the square of 2 radius + 1 pixels a side around each inner pixel.

    level: (height, width), both above 2 radius. Returns (height - 2 radius, width - 2 radius).
    """
    for axis in (0, 1):
        level = chosen.reduce(sliding_window_view(level, 2 * radius + 1, axis), axis=-1)
    return level


def is_dark(level: Plane, radius: int) -> bool:
    """Whether the pixels that differ most from the mean around them, presumably ink, are darker (skewness at most 0).

    Only whole numbers are summed, so that the order of summation does not matter.
    """
    height, width = level.shape
    whole = np.floor(level).astype(np.int64)
    sums = np.pad(whole.cumsum(axis=0).cumsum(axis=1), [(1, 0), (1, 0)])
    top, bottom = (np.clip(np.arange(height) + edge, 0, height)[:, np.newaxis] for edge in (-radius, radius + 1))
    left, right = (np.clip(np.arange(width) + edge, 0, width) for edge in (-radius, radius + 1))
    around = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    apart = np.trunc(whole - around / ((bottom - top) * (right - left))).astype(np.int64)
    return bool((apart**3).sum() <= 0)


def is_inverted(gray: NDArray[np.uint8], ink: NDArray[Any]) -> bool:
    """Whether the `ink` that `find_ink` found in the picture `gray` is darker than its paper."""
    level = shrink(gray)
    return bool(np.average(level, weights=ink) < level.mean())


def has_several(ink: NDArray[Any]) -> bool:
    """Whether ink looks like several digits side by side: at least two tall groups of strokes with paper between.

    Strokes above one another, such as the bar of a 5, form one group. A narrow gap counts as a gap within a digit, such
    as between the strokes of a 4, unless all ink together is more than 1.2 times as wide as high.
    """
    mask = ink >= STROKE * ink.max()
    label = pieces(mask)
    areas = np.bincount(label[mask])
    rows, columns = np.nonzero(mask & (areas[label] >= SPECK * areas.max()))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    inked = np.flatnonzero(np.bincount(columns))
    breaks = np.flatnonzero(np.diff(inked) > (GAP if width < WIDE * height else 0.0) * height + 1)
    group = np.searchsorted(inked[breaks], columns)
    heights = np.array([np.ptp(rows[group == k]) + 1 for k in range(len(breaks) + 1)])
    return int((heights >= TALL * height).sum()) > 1


def pieces(mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Label the connected pieces (also over corners) of a mask: a number per pixel, (height, width), arbitrary outside.

    Each run of pixels in a row gets a number; runs that touch in neighboring rows then take their lowest number.
    """
    framed = np.pad(mask, [(0, 0), (1, 1)])
    begins = framed[:, 1:] & ~framed[:, :-1]
    runs = np.cumsum(begins.ravel()).reshape(begins.shape)[:, :-1] - 1  # within the mask: the number of a pixel's run
    width, pairs = mask.shape[1], []
    for shift in (-1, 0, 1):
        below, above = slice(max(shift, 0), width + min(shift, 0)), slice(max(-shift, 0), width + min(-shift, 0))
        touching = mask[1:, below] & mask[:-1, above]
        pairs.append([runs[1:, below][touching], runs[:-1, above][touching]])
    one, other = np.concatenate(pairs, axis=1)
    number = np.arange(max(int(begins.sum()), 1))
    while (number[one] != number[other]).any():
        lowest = np.minimum(number[one], number[other])
        np.minimum.at(number, number[one], lowest)
        np.minimum.at(number, number[other], lowest)
        number = number[number]
    return number[np.maximum(runs, 0)]
