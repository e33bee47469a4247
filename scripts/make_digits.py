"""Writes src/deltarule/data/digits.npz, the bundled digits as UCI published them: python scripts/make_digits.py.

The bundle has the 8x8 cells, which can be compared with the published ones, and the 28x28 images that MNIST would have
made of them. Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998 (CC BY 4.0), the test part, as scikit-learn ships it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 28  # pixels of an image
INK_SIDE = 20  # pixels of the longer side of its ink
CENTER = 14  # row and column of the ink's rounded center of mass
FINE = 8  # how many times finer the grid is on which ink is found
# A cell is the share of its 4x4 scanned pixels that are ink. Between cells, less than 0.3 is the blur of enlarging and
# 0.9 is solid: chosen among ten such ramps by how well a network that learned them reads MNIST's training images.
NO_INK, SOLID_INK = 0.3, 0.9


def like_mnist(cells: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Images (n, 28, 28) of coarse ones (n, height, width), whose cells are shares of ink from 0 to 1.

    Enlarge smoothly; crop to the ink; scale so that its longer side is 20 pixels, by area averaging; make its darkest
    pixel 255; move it by whole pixels so that its rounded center of mass is at row 14, column 14 (counted from 0).
    """
    ink = _enlarge(cells)
    top, height = _extent(np.any(ink > 0.0, axis=2))
    left, width = _extent(np.any(ink > 0.0, axis=1))
    longer = np.maximum(height, width)
    down = _area_weights(top, height, np.rint(INK_SIDE * height / longer), ink.shape[1])
    right = _area_weights(left, width, np.rint(INK_SIDE * width / longer), ink.shape[2])
    scaled = down @ ink @ right.transpose(0, 2, 1)
    pixels = np.rint(scaled * (255.0 / scaled.max(axis=(1, 2), keepdims=True)))
    rows = _centering(pixels.sum(axis=2))
    columns = _centering(pixels.sum(axis=1))
    sample = np.arange(len(pixels))[:, np.newaxis, np.newaxis]
    return pixels[sample, rows[:, :, np.newaxis], columns[:, np.newaxis, :]].astype(np.uint8)


def _enlarge(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares of ink between the cells, on a finer grid with half a cell more on every side: Catmull-Rom's cubic."""
    down, right = (_cubic_weights(size) for size in cells.shape[1:])
    return np.clip((down @ cells @ right.T - NO_INK) / (SOLID_INK - NO_INK), 0.0, 1.0)


def _cubic_weights(size: int) -> NDArray[np.float32]:
    """What each of `size` cells gives to each point of the finer grid: ((size + 1) FINE, size)."""
    points = (np.arange((size + 1) * FINE) + 0.5) / FINE - 1.0
    distance = np.abs(points[:, np.newaxis] - np.arange(size))
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((2.5 - 0.5 * distance) * distance - 4.0) * distance + 2.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0)).astype(np.float32)


def _extent(inked: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The first inked row (or column) of each image, and how many there are to the last: (n, size) to twice (n,)."""
    first = inked.argmax(axis=1).astype(np.float32)
    end = inked.shape[1] - inked[:, ::-1].argmax(axis=1).astype(np.float32)
    return first, end - first


def _area_weights(
    first: NDArray[np.float32], length: NDArray[np.float32], target: NDArray[np.float32], size: int
) -> NDArray[np.float32]:
    """The shares in which `length` of `size` rows, from `first` on, make up `target` rows: (n, SIDE, size)."""
    step = (length / target)[:, np.newaxis, np.newaxis]
    start = first[:, np.newaxis, np.newaxis] + np.arange(SIDE, dtype=np.float32)[:, np.newaxis] * step
    row = np.arange(size, dtype=np.float32)
    overlap = np.minimum(row + 1.0, start + step) - np.maximum(row, start)
    made = np.arange(SIDE)[:, np.newaxis] < target[:, np.newaxis, np.newaxis]
    return np.where(made, np.clip(overlap, 0.0, None) / step, np.float32(0.0))


def _centering(mass: NDArray[Any]) -> NDArray[Any]:
    """Which rows to read, in order, so that the center of `mass` (n, SIDE) comes to CENTER: indices (n, SIDE).

    They go around: the blank rows behind the ink come before it.
    """
    center = np.rint(mass @ np.arange(SIDE) / mass.sum(axis=1))
    return (np.arange(SIDE) - (CENTER - center.astype(np.int64))[:, np.newaxis]) % SIDE


def main() -> None:
    """Write the bundle."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    path = Path(__file__).parents[1] / "src/deltarule/data/digits.npz"
    cells, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    np.savez_compressed(path, cells=cells, labels=labels, images=like_mnist(cells / np.float32(16.0)))
    print(f"{path}: {len(labels):,} digits, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
