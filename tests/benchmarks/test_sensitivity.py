"""dC/dx against the complex step, and flips whose distance is known from geometry."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.errors import SettingError
from deltarule.inspection.presentation import plain
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Quadratic
from deltarule.nn.network import Network, forward, loss_value

PROGRAM: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "sensitivity.py"))
flip, input_gradient = PROGRAM["flip"], PROGRAM["input_gradient"]
STEP = 1e-200


@pytest.mark.parametrize(
    ("hidden", "output", "loss"),
    [
        (ReLU(), Softmax(), CrossEntropy()),
        (Tanh(), Softmax(), Quadratic()),
        (Sigmoid(), Sigmoid(), BinaryCrossEntropy()),
        (Tanh(), Identity(), Quadratic()),
    ],
)
def test_the_input_gradient_is_the_complex_steps(hidden: Any, output: Any, loss: Any) -> None:
    rng = np.random.default_rng(0)
    network = Network((6, 5, 4, 3), hidden=hidden, output=output, loss=loss, dtype=np.float64, rng=1)
    X = rng.normal(size=(7, 6))
    y = rng.integers(0, 3, 7) if isinstance(loss, CrossEntropy) else rng.integers(0, 2, (7, 3))
    complex_network, numeric = network.astype(np.complex128), np.empty_like(X)
    ws = complex_network.workspace(1)
    for i, k in np.ndindex(X.shape):
        stepped = X[i : i + 1].astype(np.complex128)
        stepped[0, k] += STEP * 1j
        forward(complex_network, stepped, ws)
        numeric[i, k] = complex(loss_value(complex_network, y[i : i + 1], ws)).imag / STEP
    np.testing.assert_allclose(input_gradient(network, X, y), numeric, rtol=1e-11, atol=1e-15)


def linear(weights: Any, biases: Any, **more: Any) -> Model:
    W = np.array(weights, np.float64)
    network = Network(W.shape, dtype=np.float64, **more)
    network.weights[0][:], network.biases[0][:] = W, biases
    return Model(network)


def test_the_distance_to_a_straight_boundary() -> None:
    """z_1 - z_0 = 3 x_0 + 4 x_1 - 10, so a point at the origin is 2 away from the boundary, straight along (3, 4)."""
    found = flip(linear([[0, 3], [0, 4]], [10, 0]), np.zeros(2))
    assert (found.answer, found.becomes) == ("0", "1")
    assert found.distance == pytest.approx(2.0, rel=1e-9)
    assert found.changed == pytest.approx([1.2, 1.6], rel=1e-9)
    assert found.gradient[1] / found.gradient[0] == pytest.approx(4 / 3)
    assert found.confidence == pytest.approx(1.0 / (1.0 + np.exp(-10.0)))
    content = plain(found)
    assert json.loads(json.dumps(content)) == content


@pytest.mark.parametrize(("point", "answer", "becomes"), [(1.0, "not 0", "0"), (4.0, "0", "not 0")])
def test_one_sigmoid_flips_at_its_threshold(point: float, answer: str, becomes: str) -> None:
    found = flip(linear([[4.0]], [-10.0], output=Sigmoid(), loss=BinaryCrossEntropy()), np.array([point]))
    assert (found.answer, found.becomes) == (answer, becomes)
    assert found.changed == pytest.approx([2.5], rel=1e-9)
    assert found.distance == pytest.approx(1.5, rel=1e-9)


def test_distance_is_in_the_networks_units_and_the_change_in_the_users() -> None:
    model = linear([[4.0]], [-10.0], output=Sigmoid(), loss=BinaryCrossEntropy())
    standard = Standardization(np.array([100.0]), np.array([20.0]))
    found = flip(Model(model.network, "labels", input_scaling=standard), np.array([140.0]))  # 2 for the network
    assert found.distance == pytest.approx(0.5, rel=1e-9)
    assert found.changed == pytest.approx([150.0], rel=1e-9)


def test_pixels_stay_pixels() -> None:
    """The steepest pixel is full after a step of 0.2 along (4, 3) / 5; the other must do the rest alone."""
    model = linear([[0, 4], [0, 3]], [5.5, 0], pixels=True)
    for raw in (np.array([255, 0], np.uint8), np.array([1.0, 0.0])):
        found = flip(model, raw)
        assert found.changed == pytest.approx([1.0, 0.5], rel=1e-9)
        assert found.distance == pytest.approx(0.5, rel=1e-9)


def test_label_smoothing_does_not_turn_the_gradient_around() -> None:
    """With smoothed labels an answer that is surer than they are costs more: their gradient makes it surer still."""
    sure = linear([[0, 3], [0, 4]], [10, 0], loss=CrossEntropy(label_smoothing=0.2))
    assert flip(sure, np.zeros(2)).distance == pytest.approx(2.0, rel=1e-9)


def test_an_answer_that_hangs_on_nothing_stays() -> None:
    found = flip(linear(np.zeros((2, 2)), [1, 0]), np.array([0.3, 0.4]))
    assert (found.answer, found.becomes, found.changed, found.distance) == ("0", None, None, None)


def test_values_do_not_flip() -> None:
    with pytest.raises(SettingError, match="only a class or a label can flip: got a model that answers values"):
        flip(linear([[1.0]], [0.0], output=Identity(), loss=Quadratic()), np.array([1.0]))
