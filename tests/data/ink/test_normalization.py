"""The ink normalizer: against MNIST itself, Pillow, SciPy, geometry, and shapes worked by hand."""

import math
from typing import Any

import numpy as np
import pytest
from strokes import ink_strokes

from deltarule.data.catalog import load
from deltarule.data.dataset import Splits
from deltarule.data.ink.detection import extreme, pieces, shrink, smooth
from deltarule.data.ink.normalization import ink_image, scale_ink
from deltarule.errors import DataError, ShapeError


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    test = load("digits").test
    assert test is not None
    return test.inputs[:100].reshape(-1, 28, 28)


def image_of(gray: np.ndarray) -> np.ndarray:
    image = ink_image(gray).image
    assert image is not None
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    return image


def test_mnists_images_stay_as_they_are_wherever_they_lie(mnist: Splits) -> None:
    assert mnist.test is not None
    images = mnist.test.inputs[:2000].reshape(-1, 28, 28)
    assert sum(np.array_equal(image_of(image), image) for image in images) >= 1998
    rng = np.random.default_rng(0)
    for k, image in enumerate(images[:100]):
        pad = np.zeros((280, 200), np.uint8)
        top, left = rng.integers(252), rng.integers(172)
        pad[top : top + 28, left : left + 28] = image
        assert np.array_equal(image_of(255 - pad if k % 2 else pad), image)


def test_enlarged_digits_come_back(digits: np.ndarray) -> None:
    """Not bit by bit: pixels become squares, whose faintest are taken for blur."""
    for digit in digits[:30]:
        large = np.pad(digit.repeat(7, axis=0).repeat(7, axis=1), [(40, 3), (0, 60)])
        apart = np.abs(image_of(large).astype(int) - digit)
        assert np.median(apart[digit > 0]) < 80
        assert np.corrcoef(image_of(large).ravel(), digit.ravel())[0, 1] > 0.85


def test_a_block_worked_by_hand() -> None:
    """80 x 40 pixels become 20 x 10; the middle of 20 rows is 9.5, rounded 10, which goes to 14."""
    gray = np.full((120, 300), 255, np.uint8)
    gray[30:110, 200:240] = 0
    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 9:19] = 255
    assert np.array_equal(image_of(gray), expected)


def test_stages_lead_from_the_ink_to_the_image() -> None:
    gray = np.zeros((50, 60), np.uint8)
    gray[10:40, 20:30] = 120
    reading = ink_image(gray)
    assert list(reading.stages) == ["ink found", "crop", "20x20", "centered"]
    found, crop, small, last = reading.stages.values()
    assert found.shape == (50, 60)
    assert crop.shape == (30, 10)
    assert crop.min() == 255  # faint ink is shown, and read, as strong as any
    assert small.shape == (20, 7)
    assert np.array_equal(last, image_of(gray))


@pytest.mark.parametrize("shape", [(20, 20), (33, 21), (200, 47), (51, 300), (21, 1)])
def test_scaling_down_averages_areas(shape: tuple[int, int]) -> None:
    """Each pixel repeated so often that the new ones consist of whole parts: their mean is the area's."""
    ink = np.random.default_rng(1).integers(256, size=shape).astype(np.float64)
    small = scale_ink(ink)
    (height, width), (rows, columns) = shape, small.shape
    assert max(rows, columns) == 20
    parts = ink.repeat(rows, axis=0).repeat(columns, axis=1).reshape(rows, height, columns, width)
    means = parts.mean(axis=(1, 3))
    assert np.abs(small - means * (255 / means.max())).max() <= 0.500001


def test_what_is_smaller_than_20_pixels_is_enlarged_without_steps() -> None:
    gray = np.zeros((30, 30), np.uint8)
    gray[10:20, 10:15] = np.linspace(60, 255, 10).astype(np.uint8)[:, np.newaxis]
    image = image_of(gray)
    ramp = image[np.flatnonzero(image.any(axis=1)), 14].astype(int)
    assert len(ramp) == 20
    assert (np.diff(ramp) >= 0).all()
    assert np.diff(ramp).max() < 20


def test_no_ink_is_cut_off_where_its_mass_lies_to_one_side() -> None:
    gray = np.zeros((28, 28), np.uint8)
    gray[4, 4:24] = 60
    gray[4:10, 4:8] = 255
    assert image_of(gray).astype(int).sum() == gray.astype(int).sum()


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_a_blank_picture_is_no_digit(level: int) -> None:
    for shape in ((28, 28), (1, 1), (280, 280), (700, 1)):
        reading = ink_image(np.full(shape, level, np.uint8))
        assert (reading.image, reading.stages) == (None, {})


def test_specks_and_faint_stains_are_no_digit() -> None:
    speck = np.zeros((280, 280), np.uint8)
    speck[100:104, 50:54] = 255
    stain = np.full((280, 280), 200, np.uint8)
    stain[100:200, 100:110] -= 15
    assert ink_image(speck).image is None
    assert ink_image(stain).image is None


@pytest.mark.parametrize("gray", [np.zeros((28, 28)), np.zeros((2, 28, 28), np.uint8), np.zeros((0, 5), np.uint8)])
def test_refuses_what_is_no_gray_picture(gray: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"a picture \(height, width\) of uint8 was expected: got"):
        ink_image(gray)


def lit(name: str, shape: tuple[int, int]) -> np.ndarray:
    """How light paper is in uneven light."""
    y, x = np.indices(shape) / max(shape)
    lights: dict[str, Any] = {
        "slope": 120 + 80 * x + 40 * y,
        "lamp": 80 + 150 * np.exp(-8 * ((x - 0.7) ** 2 + (y - 0.3) ** 2)),
        "corners": 220 - 250 * ((x - 0.5) ** 2 + (y - 0.4) ** 2),
    }
    return lights[name]


@pytest.mark.parametrize("light", ["slope", "lamp", "corners"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_photo_of_paper_in_uneven_light(light: str, sign: int) -> None:
    """The digit is found where it is, wholly, though the paper differs by more than the ink does."""
    shape = (600, 800)
    digit = np.zeros(shape, bool)
    digit[200:400, 300:320] = digit[200:220, 300:400] = digit[380:400, 300:400] = True
    grain = np.random.default_rng(2).normal(0.0, 3.0, shape)
    paper = lit(light, shape)
    assert np.ptp(paper) > 70
    level = paper + grain - 60 * digit
    reading = ink_image(np.clip(level if sign < 0 else 255 - level, 0, 255).astype(np.uint8))
    found = reading.stages["ink found"] > 127
    expected = shrink((255 * digit).astype(np.uint8)) > 127
    assert (found & expected).sum() / (found | expected).sum() > 0.85
    assert reading.stages["20x20"].shape == (20, 10)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_picture_cropped_to_its_ink(digits: np.ndarray, sign: int) -> None:
    """Sharp digits, cut out so that the ink touches the border, are read as with paper around them."""
    same = []
    for digit in digits:
        sharp = np.where(digit > 127, 255, 0).astype(np.uint8)
        rows, columns = np.flatnonzero(sharp.any(axis=1)), np.flatnonzero(sharp.any(axis=0))
        if min(np.ptp(rows), np.ptp(columns)) < 9:
            continue  # a one, which fills all of such a picture
        crop = sharp[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        image = ink_image(crop if sign > 0 else 255 - crop).image
        same.append(np.array_equal(image, image_of(sharp)))
    assert len(same) > 20
    assert np.mean(same) > 0.95


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("pen", [8, 14])
def test_a_stroke_along_the_border_of_a_photo_is_ink(pen: int, sign: int) -> None:
    """A 7 cropped to its ink: its bar lies along the border, its stem goes down from there."""
    y, x = np.indices((200, 140))
    inked = (y < pen) | (np.abs(x - 130 + 0.4 * y) < pen / 2)
    level = 150 + 30 * x / 140 + np.random.default_rng(1).normal(0.0, 2.0, inked.shape) - 90 * inked
    found = ink_image(np.clip(level if sign < 0 else 255 - level, 0, 255).astype(np.uint8)).stages["ink found"] > 127
    assert found[: pen - 2].mean() > 0.95
    assert (found & inked).sum() / (found | inked).sum() > 0.85


def test_the_edge_of_a_shadow_is_no_ink() -> None:
    y, x = np.indices((600, 800))
    photo = np.where(x + y > 700, 120.0, 200.0) + np.random.default_rng(6).normal(0.0, 3.0, (600, 800))
    assert ink_image(photo.astype(np.uint8)).image is None
    photo[100:300, 150:170] -= 60
    crop = ink_image(photo.astype(np.uint8)).stages["crop"]
    assert 98 <= crop.shape[0] <= 102  # its picture is half as large
    assert 9 <= crop.shape[1] <= 12


@pytest.mark.parametrize("light", ["slope", "lamp", "corners"])
def test_paper_in_uneven_light_without_ink_is_no_digit(light: str) -> None:
    grain = np.random.default_rng(3).normal(0.0, 4.0, (600, 800))
    assert ink_image((lit(light, (600, 800)) + grain).clip(0, 255).astype(np.uint8)).image is None


def test_dust_on_a_photo_is_left_out() -> None:
    photo = lit("slope", (300, 300))
    photo[100:200, 140:150] -= 70
    photo[20:24, 20:24] -= 70
    crop = ink_image(photo.astype(np.uint8)).stages["crop"]
    assert 95 < crop.shape[0] < 105


def test_what_tells_ink_from_paper_is_scipys() -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="compares with SciPy")
    level = np.random.default_rng(4).uniform(0, 255, (31, 44))
    for radius in (1, 2, 3, 8, 50):
        size, beyond = 2 * radius + 1, {np.maximum: -np.inf, np.minimum: np.inf}
        for chosen, peer in ((np.maximum, ndimage.maximum_filter), (np.minimum, ndimage.minimum_filter)):
            expected = peer(level, size, mode="constant", cval=beyond[chosen])
            framed = np.pad(level, radius, constant_values=beyond[chosen])
            assert np.array_equal(extreme(chosen, framed, radius), expected)
    assert np.allclose(smooth(level), ndimage.uniform_filter(level, 3, mode="nearest"))
    for seed in range(20):
        mask = np.random.default_rng(seed).random((30, 40)) < (seed + 1) / 25
        theirs, n_pieces = ndimage.label(mask, np.ones((3, 3)))
        pairs = np.unique(np.stack([pieces(mask)[mask], theirs[mask]]), axis=1)
        assert pairs.shape[1] == n_pieces == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))


def test_a_straight_stroke_has_the_area_that_geometry_says() -> None:
    """17.5 pixels long, 2.5 wide, round at both ends: 43.75 + 4.91 full pixels; longer where it is slanted."""
    area = 17.5 * 2.5 + math.pi * 1.25**2
    for end in [(0, 100), (100, 0), (100, 100), (40, 100)]:
        image = ink_strokes([[(60, 60), (60 + end[0], 60 + end[1])]]).image
        assert image is not None
        length = math.hypot(*end) / max(end) * 17.5
        assert image.astype(int).sum() / 255 == pytest.approx(area + (length - 17.5) * 2.5, rel=0.05)


def test_a_drawing_is_read_the_same_at_any_size_and_place() -> None:
    rng = np.random.default_rng(5)
    strokes = [rng.uniform(100, 180, (30, 2)), rng.uniform(100, 180, (2, 2))]
    image = ink_strokes(strokes).image
    assert image is not None
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    for factor, place in ((0.3, 20.0), (1.5, -40.0), (1.0, 77.7)):
        again = ink_strokes([factor * stroke + place for stroke in strokes]).image
        assert again is not None
        assert np.abs(again.astype(int) - image).max() <= 1
    large = ink_strokes([4 * stroke for stroke in strokes], 4 * 280)
    assert np.array_equal(large.stages["ink found"], ink_strokes(strokes).stages["ink found"])


def test_points_drawn_twice_and_many_of_them_change_nothing() -> None:
    line = [(40.0, 40.0), (200.0, 120.0)]
    image = ink_strokes([line]).image
    many = [(40.0 + 160.0 * k / 2048, 40.0 + 80.0 * k / 2048) for k in range(2049)]
    for same in ([line, line], [[line[0], *line]], [many], [[], line]):
        assert np.array_equal(ink_strokes(same).image, image)


@pytest.mark.parametrize("strokes", [[], [[]], [[(140, 140)]], [[(140, 140), (143, 141)]]])
def test_nothing_or_a_dot_is_no_digit(strokes: list[Any]) -> None:
    assert ink_strokes(strokes).image is None


@pytest.mark.parametrize("stroke", [[(1, 2, 3)], [1, 2], [(1, math.nan)], [(math.inf, 2), (1, 2)], [("a", 2)], ["ab"]])
def test_refuses_strokes_that_are_no_points(stroke: Any) -> None:
    with pytest.raises(DataError, match=r"a stroke must be points \(x, y\) of finite numbers: got"):
        ink_strokes([[(0, 0), (100, 100)], stroke])


FOUR = [(40, 110, 100, 110), (100, 110, 100, 150), (40, 160, 156, 166)]  # three strokes, the third apart
FIVE = [(40, 50, 110, 160), (56, 100, 100, 110), (95, 105, 100, 150), (105, 150, 150, 160), (150, 160, 100, 150)]
ELEVEN = [(40, 160, 80, 92), (40, 160, 150, 162)]
TEN = [(40, 160, 60, 72), (50, 60, 120, 190), (50, 150, 120, 130), (50, 150, 180, 190), (140, 150, 120, 190)]


@pytest.mark.parametrize(("strokes", "shows_several"), [(FOUR, False), (FIVE, False), (ELEVEN, True), (TEN, True)])
def test_digits_side_by_side_are_told_from_broken_ones(strokes: list[tuple[int, ...]], shows_several: bool) -> None:
    gray = np.full((200, 300), 240, np.uint8)
    for top, bottom, left, right in strokes:
        gray[top:bottom, left:right] = 20
    assert ink_image(gray).shows_several is shows_several
