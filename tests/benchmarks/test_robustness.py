"""Changed images, against NumPy and SciPy where they can do the same exactly, and accuracies counted by hand."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError
from deltarule.inspection.measures.metrics import evaluate_model, wilson_interval
from deltarule.inspection.presentation import plain
from deltarule.model import Model
from deltarule.nn.network import Network

PROGRAM: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "robustness.py"))
NAMES = ("CHANGES", "add_noise", "robustness", "rotate", "scale", "shift", "widen_pen")
CHANGES, add_noise, robustness, rotate, scale, shift, widen_pen = (PROGRAM[name] for name in NAMES)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 9, 9), dtype=np.float32)


def neutral_amount(name: str) -> float:
    return 1.0 if name == "scale" else 0.0


@pytest.mark.parametrize("name", CHANGES)
def test_the_neutral_amount_changes_nothing(images: np.ndarray, name: str) -> None:
    change, neutral = CHANGES[name], neutral_amount(name)
    assert neutral in change.amounts
    np.testing.assert_allclose(change.apply(images, neutral), images, atol=1e-6)


def test_a_shift_by_whole_pixels_moves_columns(images: np.ndarray) -> None:
    np.testing.assert_array_equal(shift(images, 2.0)[:, :, 2:], images[:, :, :-2])
    assert not shift(images, 2.0)[:, :, :2].any()
    np.testing.assert_array_equal(shift(images, -1.0)[:, :, :-1], images[:, :, 1:])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counterclockwise(images: np.ndarray, quarters: int) -> None:
    theirs = np.rot90(images, quarters, axes=(1, 2))
    np.testing.assert_allclose(rotate(images, 90.0 * quarters), theirs, atol=1e-5)


def test_half_the_size_against_scipy(images: np.ndarray) -> None:
    """Every second pixel from the middle; what lies outside is paper."""
    theirs = ndimage.affine_transform(images[0], np.diag([2.0, 2.0]), offset=[-4.0, -4.0], order=1)
    np.testing.assert_allclose(scale(images, 0.5)[0], theirs, atol=1e-6)
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


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    gray = np.full((100, 28, 28), 0.5, np.float32)
    noise = add_noise(gray, 0.1) - gray
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean()) < 0.002
    assert 0.0 == add_noise(gray, 0.6).min() < add_noise(gray, 0.6).max() == 1.0
    np.testing.assert_array_equal(add_noise(gray, 0.1), add_noise(gray, 0.1))


def bars() -> tuple[Model, Dataset]:
    """Five images of 5x5, a bar in each column, and a network that says in which."""
    network = Network((25, 5), pixels=True)
    network.weights[0][:] = np.tile(np.eye(5), (5, 1))
    columns = np.tile(np.eye(5, dtype=np.uint8)[:, np.newaxis] * 255, (1, 5, 1)).reshape(5, 25)
    data = Dataset(columns, np.arange(5), image_shape=(5, 5), name="bars")
    return Model(network, "classes", image_shape=(5, 5)), data


def test_accuracy_under_a_shift_by_hand() -> None:
    """A shifted bar is in another column; one that left the image leaves nothing, which this network calls 0."""
    response = robustness(*bars())[0]
    assert (response.change, response.unit, response.examples) == ("shift", "pixels to the right", 5)
    assert response.amounts.tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4]
    assert response.accuracy.tolist() == [0.2, 0.2, 0.2, 0.2, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert (response.low[0], response.high[0]) == wilson_interval(1, 5)
    turned = plain(robustness(*bars())[1])
    assert turned["accuracy"][turned["amounts"].index(0.0)] == 1.0


def test_images_as_they_are_are_read_as_evaluate_reads_them() -> None:
    digits = load_data("digits").test
    assert digits is not None
    data = digits.take(slice(60))
    model = Model(Network((784, 10), pixels=True, rng=0))
    for response in robustness(model, data):
        neutral = response.amounts.tolist().index(neutral_amount(response.change))
        assert response.accuracy[neutral] == pytest.approx(evaluate_model(model, data).score)


@pytest.mark.parametrize("task", ["values", "no images"])
def test_what_is_no_image_of_a_class(task: str) -> None:
    model, data = bars()
    targets = np.zeros((5, 1)) if task == "values" else data.targets
    shape = (5, 5) if task == "values" else None
    wrong = Dataset(data.inputs, targets, "values" if task == "values" else "classes", image_shape=shape, name="iris")
    with pytest.raises(SettingError, match=f"images of classes: got iris, which holds {task}"):
        robustness(model, wrong)


def test_a_model_of_another_width() -> None:
    with pytest.raises(ShapeError, match=r"this network takes \(n_samples, 9\)"):
        robustness(Model(Network((9, 5))), bars()[1])
