"""Deformation, against SciPy, against what is known of rotations and shifts, and against itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data.augment import (
    Deformation,
    deform,
    gaussian_matrix,
    pen_widths,
    redraw,
    sampling_points,
    warp,
)
from deltarule.data.dataset import Splits
from deltarule.errors import SettingError, ShapeError

SHAPE = (9, 12)
BENT = Deformation(rotation=25, scale=0.2, shift=2, shear=15, elastic_alpha=20, elastic_sigma=3)
EVERYTHING = replace(BENT, stroke=1.5)
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
FLOATS = pytest.mark.parametrize("dtype", TOLERANCE)


def images_of(shape: tuple[int, int], dtype: type, n_samples: int = 5) -> np.ndarray:
    return np.random.default_rng(3).random((n_samples, shape[0] * shape[1])).astype(dtype)


class Utmost:
    """A generator that always draws the upper end, so that every amount is known."""

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> np.ndarray:
        return np.full(size, high)


def utmost(image: list[list[float]], **amounts: float) -> np.ndarray:
    pixels = np.array(image, dtype=float)
    return deform(pixels.reshape(1, -1), pixels.shape, Deformation(**amounts), Utmost()).reshape(pixels.shape)


@FLOATS
def test_no_deformation_changes_no_bit(dtype: type) -> None:
    for shape in (SHAPE, (28, 28), (1, 1)):
        images = images_of(shape, dtype)
        assert np.array_equal(deform(images, shape, Deformation(), np.random.default_rng(0)), images)


def test_a_quarter_turn_is_counterclockwise() -> None:
    for shape in ((5, 5), (6, 6)):
        image = np.random.default_rng(0).random(shape)
        assert np.allclose(utmost(image, rotation=90), np.rot90(image), atol=1e-14)


def test_a_shift_goes_down_and_right_and_lets_background_in() -> None:
    assert utmost([[1, 2, 3], [4, 5, 6], [7, 8, 9]], shift=1).tolist() == [[0, 0, 0], [0, 1, 2], [0, 4, 5]]
    assert utmost([[4, 0, 0], [0, 8, 0], [0, 0, 0]], shift=0.5).tolist() == [[1, 1, 0], [1, 3, 2], [0, 2, 2]]
    assert not utmost([[1, 2, 3]] * 3, shift=1000).any()


def test_scale_grows_about_the_middle() -> None:
    # At 1.5 times its size, the outermost of 4 pixels, 1.5 from the middle, shows what lay 1 from it: halfway between.
    assert np.allclose(utmost([[0, 6, 12, 18]] * 4, scale=0.5)[1], [3, 7, 11, 15])


def test_shear_leans_upright_strokes_to_the_right() -> None:
    stroke = [[0, 0, 1, 0, 0]] * 5
    leaning = utmost(stroke, shear=45)
    assert np.allclose(leaning, np.fliplr(np.eye(5)))


class Given:
    """A generator that draws what it is given."""

    def __init__(self, draws: list[float]) -> None:
        self.draws = np.array(draws)

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> np.ndarray:
        return self.draws.reshape(size)


def test_amounts_undo_growing_leaning_turning_and_shifting_in_this_order() -> None:
    amounts = Deformation(rotation=30, scale=0.4, shift=2, shear=20)
    points = sampling_points(1, SHAPE, amounts, Given([1, -0.5, 0.5, -1, 0.25, -0.75]), np.dtype(float))
    turn, lean = np.deg2rad(30), np.tan(np.deg2rad(-10))
    grown = np.diag([1.2, 0.6])  # down, right
    leaning = np.array([[1, 0], [-lean, 1]])  # what is above the middle goes to the right
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle, shift = np.array([[4.0], [5.5]]), np.array([[0.5], [-1.5]])
    forward = turned @ leaning @ grown @ (points.reshape(2, -1) - middle) + middle + shift
    assert np.allclose(forward, np.indices(SHAPE).reshape(2, -1))


@FLOATS
def test_warping_is_scipys_interpolation(dtype: type) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="compares with SciPy")
    images = images_of(SHAPE, dtype)
    points = sampling_points(5, SHAPE, BENT, np.random.default_rng(1), np.dtype(dtype))
    assert np.abs(points[0] - np.arange(SHAPE[0])[:, np.newaxis]).max() > 3  # they do leave the image
    expected = [
        ndimage.map_coordinates(np.pad(image.reshape(SHAPE), 9), points[:, k] + 9, order=1)
        for k, image in enumerate(images.astype(np.float64))
    ]
    deformed = deform(images, SHAPE, BENT, np.random.default_rng(1))
    assert deformed.dtype == dtype
    assert np.allclose(deformed.reshape(5, *SHAPE), expected, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("sigma", [0.1, 1.0, 4.0, 30.0])
def test_smoothing_is_scipys_with_zeros_outside(sigma: float) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="compares with SciPy")
    noise = np.random.default_rng(2).uniform(-1, 1, SHAPE)
    smoothed = gaussian_matrix(SHAPE[0], sigma) @ noise @ gaussian_matrix(SHAPE[1], sigma).T
    radius = (SHAPE[0] - 1, SHAPE[1] - 1)
    assert np.allclose(smoothed, ndimage.gaussian_filter(noise, sigma, mode="constant", radius=radius), atol=1e-14)


@FLOATS
def test_pens_are_scipys_dilation_and_erosion(dtype: type) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="compares with SciPy")
    images = images_of(SHAPE, dtype, 3)
    planes = images.reshape(3, *SHAPE)
    wider = ndimage.grey_dilation(planes, (1, 3, 3), mode="constant")
    narrower = ndimage.grey_erosion(planes, (1, 3, 3), mode="constant")
    redrawn_images = redraw(images, SHAPE, np.array([2.0, -2.0, 0.0])).reshape(3, *SHAPE)
    assert redrawn_images.dtype == dtype
    assert np.allclose(redrawn_images, [wider[0], narrower[1], planes[2]], atol=TOLERANCE[dtype])
    halfway = redraw(images, SHAPE, np.array([1.0, -1.0, 0.5])).reshape(3, *SHAPE)
    expected = [(planes[0] + wider[0]) / 2, (planes[1] + narrower[1]) / 2, (3 * planes[2] + wider[2]) / 4]
    assert np.allclose(halfway, expected, atol=TOLERANCE[dtype])


def test_pens_are_drawn_both_ways_and_3_draws_a_third_from_the_ends() -> None:
    mild, strong = (pen_widths(3000, Deformation(stroke=amount), np.random.default_rng(0)) for amount in (1.5, 3.0))
    assert -1.5 <= mild.min() < -1.4 < 1.4 < mild.max() <= 1.5
    assert abs(mild.mean()) < 0.1
    assert (strong.min(), strong.max()) == (-2.0, 2.0)
    assert np.mean(np.abs(strong) == 2.0) == pytest.approx(1 / 3, abs=0.03)
    assert pen_widths(3000, Deformation(), np.random.default_rng(0)).size == 0


def test_a_pen_moves_no_other_draw() -> None:
    points = [sampling_points(5, SHAPE, each, np.random.default_rng(4), np.dtype(float)) for each in (BENT, EVERYTHING)]
    assert np.array_equal(*points)


@FLOATS
def test_elastic_fields_move_as_far_as_said(dtype: type) -> None:
    simard = Deformation(elastic_alpha=34, elastic_sigma=4)
    points = sampling_points(400, (28, 28), simard, np.random.default_rng(0), np.dtype(dtype))
    moved = points - np.indices((28, 28)).reshape(2, 1, 28, 28)
    inside = moved[:, :, 10:18, 10:18]  # where nothing of the Gaussian is cut off
    assert inside.std() == pytest.approx(34 * np.sqrt(1 / 3) / (2 * np.sqrt(np.pi) * 4), rel=0.05)
    assert abs(inside.mean()) < 0.05
    assert abs(np.corrcoef(moved[0, :, 14, 14], moved[1, :, 14, 14])[0, 1]) < 0.2
    assert np.corrcoef(moved[0, :, 14, 14], moved[0, :, 14, 15])[0, 1] > 0.95


@pytest.mark.parametrize("amounts", [{"rotation": 20}, {"scale": 0.3}, {"shift": 2}, {"shear": 20}])
def test_amounts_are_drawn_in_both_directions_up_to_the_utmost(amounts: dict[str, float]) -> None:
    moved, moved_half = (
        sampling_points(500, SHAPE, Deformation(**drawn), np.random.default_rng(0), np.dtype(float))
        - np.indices(SHAPE).reshape(2, 1, *SHAPE)
        for drawn in (amounts, {name: amount / 2 for name, amount in amounts.items()})
    )
    assert moved.max() > 0 > moved.min()
    assert abs(moved.mean()) < 0.1 * np.abs(moved).max()
    assert np.abs(moved_half).max() < 0.75 * np.abs(moved).max()


def test_every_image_is_bent_in_its_own_way_and_the_generator_decides_how() -> None:
    images = np.repeat(images_of(SHAPE, np.float64, 1), 3, axis=0)
    first, again, other = (deform(images, SHAPE, EVERYTHING, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first, other)


@given(st.integers(0, 2**32), st.sampled_from([np.float32, np.float64]))
def test_values_stay_within_their_range(seed: int, dtype: type) -> None:
    deformed = deform(images_of(SHAPE, dtype), SHAPE, EVERYTHING, np.random.default_rng(seed))
    assert -TOLERANCE[dtype] <= deformed.min() <= deformed.max() <= 1 + TOLERANCE[dtype]


def test_writes_where_it_is_told_even_over_its_input() -> None:
    images = images_of(SHAPE, np.float32)
    expected = deform(images, SHAPE, EVERYTHING, np.random.default_rng(0))
    out = np.empty((5, 200), np.float32)[:, :108]
    assert deform(images, SHAPE, EVERYTHING, np.random.default_rng(0), out) is out
    assert np.array_equal(out, expected)
    deform(images, SHAPE, EVERYTHING, np.random.default_rng(0), images)
    assert np.array_equal(images, expected)


def test_a_batch_of_no_images_stays_one() -> None:
    images = np.random.default_rng(0).random((2, 130 * 131), np.float32)
    assert np.array_equal(deform(images, (130, 131), Deformation(), np.random.default_rng(1)), images)
    assert deform(images[:0], (130, 131), EVERYTHING, np.random.default_rng(1)).shape == (0, 130 * 131)


def test_the_background_begins_one_pixel_beyond_the_border() -> None:
    at = np.array([-7.0, -1.0, -0.25, 0.0, 0.5, 1.0, 1.5, 2.0, 9.0])
    points = np.zeros((2, len(at), 2, 2))
    for axis in (0, 1):
        points[axis], points[1 - axis] = at[:, np.newaxis, np.newaxis], 0.0
        assert warp(np.ones((len(at), 4)), points)[:, 0].tolist() == [0, 0, 0.75, 1, 1, 1, 0.5, 0, 0]


def test_all_amounts_fade_evenly_over_the_last_part_of_a_run() -> None:
    amounts = replace(BENT, stroke=1.0, fade=0.4)
    whole, half = (amounts.at_epoch(epoch, 10) for epoch in (7, 9))
    assert whole == amounts
    for name in ("rotation", "scale", "shift", "shear", "elastic_alpha", "stroke"):
        assert getattr(half, name) == pytest.approx(getattr(amounts, name) / 2)
    assert (half.elastic_sigma, half.fade) == (amounts.elastic_sigma, 0.4)
    assert BENT.at_epoch(10, 10) is BENT


@pytest.mark.parametrize(
    ("name", "amount", "legal"),
    [
        ("rotation", -1, "0 degrees or more and finite"),
        ("scale", 1.0, "at least 0 and less than 1"),
        ("shift", float("inf"), "0 pixels or more and finite"),
        ("shear", 90, "at least 0 and less than 90 degrees"),
        ("elastic_alpha", float("nan"), "0 or more and finite"),
        ("elastic_sigma", 0.0, "0.1 pixels or more and finite"),
        ("stroke", -0.1, "0 pixels or more and finite"),
        ("stroke", float("inf"), "0 pixels or more and finite"),
        ("fade", 1.0, "at least 0 and less than 1"),
    ],
)
def test_refuses_amounts(name: str, amount: float, legal: str) -> None:
    with pytest.raises(SettingError) as caught:
        Deformation(**{name: amount})
    refused, _, cure = str(caught.value).partition(f"; use {name}=")
    assert refused == f"{name} of Deformation must be {legal}: got {amount}"
    assert getattr(Deformation(**{name: float(cure)}), name) == float(cure)


@pytest.mark.parametrize("images", [np.zeros((2, 108), np.uint8), np.zeros((2, 107)), np.zeros((2, 9, 12))])
def test_refuses_images(images: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"float64 images of shape \(n_samples, 108\) were expected"):
        deform(images, SHAPE, EVERYTHING, np.random.default_rng(0))


def test_a_digit_keeps_its_ink(mnist: Splits) -> None:
    images = mnist.test.inputs[:500] / np.float32(255)
    mild = Deformation(rotation=12, scale=0.1, shift=1, elastic_alpha=34)
    deformed = deform(images, (28, 28), mild, np.random.default_rng(0))
    assert deformed.mean() == pytest.approx(images.mean(), rel=0.05)
    assert 0.03 < np.abs(deformed - images).mean() < 0.13
