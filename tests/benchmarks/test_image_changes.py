"""Changed images, against NumPy and SciPy where they can do the same exactly."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

CHANGES: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "image_changes.py"))
transform, rotate, widen_pen = (CHANGES[name] for name in ("transform", "rotate", "widen_pen"))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 9, 9), dtype=np.float32)


def test_no_change_changes_nothing(images: np.ndarray) -> None:
    for same in (transform(images, np.eye(2)), rotate(images, 0.0), widen_pen(images, 0.0)):
        np.testing.assert_allclose(same, images, atol=1e-6)


def test_a_shift_by_whole_pixels_moves_columns(images: np.ndarray) -> None:
    right, left = (transform(images, np.eye(2), (0.0, offset)) for offset in (-2.0, 1.0))
    np.testing.assert_array_equal(right[:, :, 2:], images[:, :, :-2])
    assert not right[:, :, :2].any()
    np.testing.assert_array_equal(left[:, :, :-1], images[:, :, 1:])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counterclockwise(images: np.ndarray, quarters: int) -> None:
    theirs = np.rot90(images, quarters, axes=(1, 2))
    np.testing.assert_allclose(rotate(images, 90.0 * quarters), theirs, atol=1e-5)


def test_half_the_size_against_scipy(images: np.ndarray) -> None:
    """Every second pixel from the middle; what lies outside is paper."""
    theirs = ndimage.affine_transform(images[0], np.diag([2.0, 2.0]), offset=[-4.0, -4.0], order=1)
    np.testing.assert_allclose(transform(images, 2.0 * np.eye(2))[0], theirs, atol=1e-6)
    np.testing.assert_array_equal(theirs[2:7, 2:7], images[0, ::2, ::2])


def test_a_pen_two_pixels_wider_draws_two_pixels_wider() -> None:
    line = np.zeros((1, 15, 15), np.float32)
    line[0, :, 6:9] = 1.0
    thick, thin = (widen_pen(line, amount)[0, 7] for amount in (2.0, -2.0))
    assert np.flatnonzero(thick == 1.0).tolist() == [5, 6, 7, 8, 9]
    assert np.flatnonzero(thin > 0.0).tolist() == [7]


def test_thick_and_thin_are_on_both_sides_of_an_image(images: np.ndarray) -> None:
    assert (widen_pen(images, 1.0) >= images).all()
    assert (widen_pen(images, -1.0) <= images).all()
    # One is the other, on the negative (away from the border, where paper is 0 for both).
    negative = 1.0 - widen_pen(1.0 - images, -1.0)
    np.testing.assert_allclose(negative[:, 2:-2, 2:-2], widen_pen(images, 1.0)[:, 2:-2, 2:-2], atol=1e-6)
