"""Examples to redo on paper: every number below can be worked out without a machine.

A 2-2-1 network of sigmoids with the quadratic loss. Since e^(ln 3) = 3, a weighted input of ln 3 gives the activation
1 / (1 + 1/3) = 3/4, and one of 0 gives 1/2; all that follows are fractions with powers of 2 below.
"""

import math

import numpy as np
import pytest

from deltarule.nn.activations import Identity, Sigmoid
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network, backward, forward, loss_and_gradient, loss_value
from deltarule.nn.optimizers import SGD, AdamW, Momentum
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2

X = np.array([[1.0, 2.0]])
WEIGHTS_GRADIENTS = [[[-3 / 64, 1 / 8], [-3 / 32, 1 / 4]], [[-3 / 32], [-1 / 16]]]
BIASES_GRADIENTS = [[-3 / 64, 1 / 8], [-1 / 8]]


@pytest.fixture
def network() -> Network:
    network = Network((2, 2, 1), hidden=Sigmoid(), output=Sigmoid(), loss=Quadratic(), dtype=np.float64)
    network.weights[0][:] = [[math.log(3), 2.0], [0.0, -1.0]]
    network.biases[0][:] = [0.0, 0.0]
    network.weights[1][:] = [[2.0], [-4.0]]
    network.biases[1][:] = [0.5]
    return network


def assert_gradient(grads: Parameters, factor: float = 1.0) -> None:
    for l in (0, 1):
        np.testing.assert_allclose(grads.weights[l], factor * np.array(WEIGHTS_GRADIENTS[l]), rtol=1e-15)
        np.testing.assert_allclose(grads.biases[l], factor * np.array(BIASES_GRADIENTS[l]), rtol=1e-15)


def test_forward_and_the_four_equations(network: Network) -> None:
    ws, grads = network.workspace(1), network.parameters.zeros_like()
    y = np.array([[1.0]])

    np.testing.assert_allclose(forward(network, X, ws), [[1 / 2]], rtol=1e-15)
    np.testing.assert_allclose(ws.z[0], [[math.log(3), 0.0]], rtol=1e-15)  # 1 ln 3 + 2 * 0,  1 * 2 + 2 * -1
    np.testing.assert_allclose(ws.a[0], [[3 / 4, 1 / 2]], rtol=1e-15)
    np.testing.assert_allclose(ws.z[1], [[0.0]], atol=1e-15)  # 3/4 * 2 + 1/2 * -4 + 1/2
    assert loss_value(network, y, ws) == pytest.approx(1 / 8, rel=1e-15)  # 1/2 (1/2 - 1)^2

    backward(network, y, ws, grads)
    np.testing.assert_allclose(ws.delta[1], [[-1 / 8]], rtol=1e-15)  # BP1: (1/2 - 1) * 1/2 * 1/2
    np.testing.assert_allclose(ws.delta[0], [[-3 / 64, 1 / 8]], rtol=1e-15)  # BP2: -1/4 * 3/16,  1/2 * 1/4
    assert_gradient(grads)  # BP3: the deltas; BP4: x = (1, 2), or a = (3/4, 1/2), times them


def test_a_batch_is_a_mean(network: Network) -> None:
    """The same x with the answers 1 and 0: the output 1/2 is wrong by as much either way, and the pulls cancel."""
    twice, answers = X[[0, 0]], np.array([[1.0], [0.0]])
    value, grads = loss_and_gradient(network, twice, answers)
    assert value == pytest.approx(1 / 8, rel=1e-15)
    assert_gradient(grads, 0.0)

    value, grads = loss_and_gradient(network, twice, answers, sample_weight=np.array([3.0, 1.0]))
    assert value == pytest.approx(1 / 8, rel=1e-15)
    assert_gradient(grads, 3 / 4 - 1 / 4)


def test_a_divisor_makes_it_a_part_of_a_larger_mean(network: Network) -> None:
    ws, grads = network.workspace(1), network.parameters.zeros_like()
    forward(network, X, ws)
    backward(network, np.array([[1.0]]), ws, grads, divisor=4.0)
    assert loss_value(network, np.array([[1.0]]), ws, divisor=4.0) == pytest.approx(1 / 32, rel=1e-15)
    assert_gradient(grads, 1 / 4)


def test_a_step_of_gradient_descent(network: Network) -> None:
    _, grads = loss_and_gradient(network, X, np.array([[1.0]]))
    SGD().step(network.parameters, grads, 8.0)
    np.testing.assert_allclose(network.weights[1], [[2.75], [-3.5]], rtol=1e-15)  # 2 + 8 * 3/32,  -4 + 8 * 1/16
    np.testing.assert_allclose(network.biases[1], [1.5], rtol=1e-15)  # 1/2 + 8 * 1/8
    np.testing.assert_allclose(network.weights[0][1], [0.75, -3.0], rtol=1e-15)  # 0 + 8 * 3/32,  -1 - 8 * 1/4
    np.testing.assert_allclose(network.biases[0], [0.375, -1.0], rtol=1e-15)  # 8 * 3/64,  -8 * 1/8


def test_penalties(network: Network) -> None:
    """On the weights 2, -1, 0, 2, -4 and ln 3 here put to 1; the bias 1/2 costs nothing."""
    network.weights[0][0, 0] = 1.0
    grads = network.parameters.zeros_like()
    grads.vector[:] = 1.0
    assert L2(0.5).value(network.parameters) == 6.5  # 1/4 (1 + 4 + 0 + 1 + 4 + 16)
    L2(0.5).add_gradient(network.parameters, grads)
    assert grads.vector.tolist() == [1.5, 2.0, 1.0, 0.5, 2.0, -1.0, 1.0, 1.0, 1.0]  # 1 + w / 2; the biases' stay 1
    grads.vector[:] = 1.0
    assert L1(0.5).value(network.parameters) == 5.0  # 1/2 (1 + 2 + 0 + 1 + 2 + 4)
    L1(0.5).add_gradient(network.parameters, grads)
    assert grads.vector.tolist() == [1.5, 1.5, 1.0, 0.5, 1.5, 0.5, 1.0, 1.0, 1.0]  # 1 + 1/2, 1 or 1 - 1/2


def test_momentum_stands_outside_the_learning_rate() -> None:
    """Two steps against a gradient of 1, the rate 0.5, then 0.25: v = 1, then 1.5; so 0 - 0.5 - 0.25 * 1.5."""
    params, grads = Parameters((1, 1), np.zeros(2)), Parameters((1, 1), np.ones(2))
    optimizer = Momentum(momentum=0.5)
    optimizer.step(params, grads, 0.5)
    optimizer.step(params, grads, 0.25)
    assert params.vector.tolist() == [-0.875, -0.875]


def test_weight_decay_spares_the_biases() -> None:
    """Without a gradient Adam stands still, so only the decay is left: 8 (1 - 0.5 * 0.25) = 7, and the bias stays 8."""
    params, grads = Parameters((1, 1), np.full(2, 8.0)), Parameters((1, 1), np.zeros(2))
    AdamW(weight_decay=0.25).step(params, grads, 0.5)
    assert params.vector.tolist() == [7.0, 8.0]


def test_dropout() -> None:
    """A 1-4-1 network, all weights 1, x = 3: a dropped neuron says 0, one that stays 3 / (1 - 3/4) = 12."""
    network = Network((1, 4, 1), hidden=Identity(), output=Identity(), loss=Quadratic(), dropout=0.75, dtype=np.float64)
    network.parameters.weight_block[:] = 1.0
    ws, grads = network.workspace(1), network.parameters.zeros_like()
    ws.draw_masks(0)
    assert ws.masks is not None
    ws.masks[0][:] = [[4.0, 0.0, 4.0, 0.0]]

    assert forward(network, np.array([[3.0]]), ws).tolist() == [[24.0]]
    backward(network, np.array([[23.0]]), ws, grads)
    assert ws.delta[0].tolist() == [[4.0, 0.0, 4.0, 0.0]]
    assert grads.weights[1].tolist() == [[12.0], [0.0], [12.0], [0.0]]
    assert grads.weights[0].tolist() == [[12.0, 0.0, 12.0, 0.0]]

    ws.masks = None
    assert forward(network, np.array([[3.0]]), ws).tolist() == [[12.0]]
    assert network.outputs(np.array([[3.0]])).tolist() == [[12.0]]


def test_masks_are_drawn_with_each_layers_rate() -> None:
    network = Network((1, 400, 300, 1), output=Identity(), loss=Quadratic(), dropout=(0.2, 0.5))
    ws = network.workspace(50)
    ws.draw_masks(0)
    assert ws.masks is not None
    for mask, rate in zip(ws.masks, (0.2, 0.5), strict=True):
        assert set(np.unique(mask).tolist()) == {0.0, np.float32(1 / (1 - rate)).item()}
        assert (mask == 0).mean() == pytest.approx(rate, abs=0.02)  # five standard deviations or more
    before = [mask.copy() for mask in ws.masks]
    ws.draw_masks(1)
    assert all((mask != old).any() for mask, old in zip(ws.masks, before, strict=True))
