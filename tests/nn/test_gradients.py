"""Backpropagation against two derivatives that know nothing of it.

The complex step, dC/dp = Im C(p + ih) / h, forms no difference, so nothing cancels and it is right to the last digits
(Squire & Trapp 1998). Central differences, (C(p + h) - C(p - h)) / 2h, lose half the digits but need no complex
numbers.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest

from deltarule.nn.activations import ELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, backward, forward, loss_and_gradient, loss_value
from deltarule.nn.optimizers import Adam
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.nn.workspace import Workspace

TOLERANCES = {  # normwise relative error of each layer's weights and biases
    "complex step": 1e-12,
    "central differences": 1e-6,
    "float32": 1e-5,
    "the same in float64": 1e-13,
}
N_SAMPLES, LAYER_SIZES, NO_PENALTY = 7, (4, 5, 4, 3), Penalty()


class GeneralCrossEntropy(CrossEntropy):
    shortcut_for = ()


class GeneralBinaryCrossEntropy(BinaryCrossEntropy):
    shortcut_for = ()


ACTIVATIONS = (Identity(), Sigmoid(), Tanh(), ReLU(), LeakyReLU(slope=0.1), ELU(alpha=0.7), SiLU(), Softmax())


def cross_entropies(smoothing: float) -> list[tuple[Activation, Loss]]:
    for_softmax = [CrossEntropy(smoothing), GeneralCrossEntropy(smoothing), BinaryCrossEntropy(smoothing)]
    for_sigmoid = [BinaryCrossEntropy(smoothing), GeneralBinaryCrossEntropy(smoothing)]
    return [*product([Softmax()], for_softmax), *product([Sigmoid()], for_sigmoid)]


PAIRS: list[tuple[Activation, Loss]] = [*((output, Quadratic()) for output in ACTIVATIONS), *cross_entropies(0.0)]


def pair_name(part: Any) -> str:
    return type(part).__name__ if isinstance(part, Activation | Loss) else str(part)


def network_of(hidden: Any, output: Activation, loss: Loss, dropout: Any = 0.0) -> Network:
    network = Network(LAYER_SIZES, hidden=hidden, output=output, loss=loss, dropout=dropout, dtype=np.float64)
    rng = np.random.default_rng(3)
    network.parameters.vector[:] = rng.normal(0.1, 0.5, network.parameters.size)  # saturates nothing
    return network


def batch(loss: Loss, labels: str) -> tuple[Array, Array]:
    """X and y: `classes` are integers; `targets` are what the loss reads in two dimensions."""
    rng = np.random.default_rng(4)
    X, classes = rng.normal(size=(N_SAMPLES, LAYER_SIZES[0])), rng.integers(LAYER_SIZES[-1], size=N_SAMPLES)
    if labels == "classes":
        return X, classes
    if isinstance(loss, CrossEntropy):
        return X, rng.dirichlet(np.ones(LAYER_SIZES[-1]), N_SAMPLES)
    if isinstance(loss, BinaryCrossEntropy):
        return X, rng.integers(2, size=(N_SAMPLES, LAYER_SIZES[-1])).astype(np.uint8)
    return X, rng.normal(size=(N_SAMPLES, LAYER_SIZES[-1]))


@dataclass
class Problem:
    """A network with everything that its loss depends on. The dropout masks are the same at every evaluation."""

    network: Network
    X: Array
    y: Array
    sample_weight: Array | None = None
    penalty: Penalty = NO_PENALTY

    def forward(self, network: Network) -> Workspace:
        ws = network.workspace(len(self.X))
        if any(network.dropout):
            ws.draw_masks(5)
        forward(network, self.X, ws)
        return ws

    def value(self, network: Network) -> Any:
        loss = loss_value(network, self.y, self.forward(network), sample_weight=self.sample_weight)
        return loss + self.penalty.value(network.parameters)

    def gradient(self) -> Parameters:
        network, grads = self.network, self.network.parameters.zeros_like()
        backward(network, self.y, self.forward(network), grads, sample_weight=self.sample_weight)
        self.penalty.add_gradient(network.parameters, grads)
        return grads

    def complex_step(self, h: float = 1e-30) -> Parameters:
        network, expected = self.network.astype(np.complex128), self.network.parameters.zeros_like()
        vector = network.parameters.vector
        for k in range(len(vector)):
            vector[k] += h * 1j
            expected.vector[k] = self.value(network).imag / h
            vector[k] = vector[k].real
        return expected

    def central_differences(self, h: float = 1e-5) -> Parameters:
        network, expected = self.network.astype(np.float64), self.network.parameters.zeros_like()
        vector = network.parameters.vector
        for k in range(len(vector)):
            middle = vector[k]
            vector[k] = middle + h
            above = self.value(network)
            vector[k] = middle - h
            expected.vector[k] = (above - self.value(network)) / (2 * h)
            vector[k] = middle
        return expected

    def check(self) -> None:
        assert_close(self.gradient(), self.complex_step(), "complex step")
        assert_close(self.gradient(), self.central_differences(), "central differences")


def assert_close(found: Parameters, expected: Parameters, oracle: str) -> None:
    for l, W in enumerate(expected.weights):
        right = np.concatenate([W.ravel(), expected.biases[l]])
        error = np.concatenate([found.weights[l].ravel(), found.biases[l]]) - right
        assert np.linalg.norm(right) > 1e-6, "a gradient of zeros would prove nothing"
        assert np.linalg.norm(error) <= TOLERANCES[oracle] * np.linalg.norm(right), f"layer {l}, {oracle}"


@pytest.mark.parametrize("labels", ["classes", "targets"])
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=pair_name)
@pytest.mark.parametrize("hidden", ACTIVATIONS, ids=pair_name)
def test_every_activation_with_every_loss(hidden: Activation, output: Activation, loss: Loss, labels: str) -> None:
    Problem(network_of(hidden, output, loss), *batch(loss, labels)).check()


@pytest.mark.parametrize("labels", ["classes", "targets"])
@pytest.mark.parametrize(("output", "loss"), cross_entropies(0.2), ids=pair_name)
def test_label_smoothing(output: Activation, loss: Loss, labels: str) -> None:
    Problem(network_of(Tanh(), output, loss), *batch(loss, labels)).check()


@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=pair_name)
def test_dropout_sample_weights_and_penalties_together(output: Activation, loss: Loss) -> None:
    weights = np.array([1.0, 0.0, 2.5, 0.3, 1.0, 4.0, 0.1])
    for penalty in (L2(0.3), L1(0.2)):
        network = network_of((SiLU(), Tanh()), output, loss, dropout=(0.5, 0.25))
        Problem(network, *batch(loss, "classes"), sample_weight=weights, penalty=penalty).check()


@pytest.mark.parametrize("labels", ["classes", "targets"])
@pytest.mark.parametrize(
    ("output", "loss", "general"),
    [
        (Softmax(), CrossEntropy(), GeneralCrossEntropy()),
        (Sigmoid(), BinaryCrossEntropy(), GeneralBinaryCrossEntropy()),
    ],
    ids=pair_name,
)
def test_the_shortcut_is_the_general_equation(output: Activation, loss: Loss, general: Loss, labels: str) -> None:
    X, y = batch(loss, labels)
    by_shortcut, by_equation = network_of(Tanh(), output, loss), network_of(Tanh(), output, general)
    assert by_shortcut.has_shortcut
    assert not by_equation.has_shortcut
    value, grads = loss_and_gradient(by_shortcut, X, y)
    general_value, general_grads = loss_and_gradient(by_equation, X, y)
    assert value == pytest.approx(general_value, rel=TOLERANCES["the same in float64"])
    assert_close(grads, general_grads, "the same in float64")


def test_integer_labels_are_one_hot_rows() -> None:
    for output, loss in PAIRS:
        network, (X, classes) = network_of(Tanh(), output, loss), batch(loss, "classes")
        value, grads = loss_and_gradient(network, X, classes)
        same_value, same_grads = loss_and_gradient(network, X, np.eye(3)[classes])
        assert value == pytest.approx(same_value, rel=TOLERANCES["the same in float64"])
        assert_close(grads, same_grads, "the same in float64")


@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=pair_name)
@pytest.mark.parametrize("hidden", ACTIVATIONS, ids=pair_name)
def test_float32_is_float64_rounded(hidden: Activation, output: Activation, loss: Loss) -> None:
    network, (X, y) = network_of(hidden, output, loss), batch(loss, "targets")
    value, grads = loss_and_gradient(network.astype(np.float32), X, y)
    exact_value, exact_grads = loss_and_gradient(network, X, y)
    assert grads.vector.dtype == np.float32
    assert value == pytest.approx(exact_value, rel=TOLERANCES["float32"])
    assert_close(grads, exact_grads, "float32")


class Sine(Activation):
    def value(self, z: Array) -> Array:
        return np.sin(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.cos(z)


class LogCosh(Loss):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return np.log(np.cosh(a - t)).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return np.tanh(a - t)


def test_an_activation_and_a_loss_of_ones_own() -> None:
    network = network_of(Sine(), Identity(), LogCosh())
    Problem(network, *batch(network.loss, "targets")).check()


def test_an_activation_and_a_loss_of_ones_own_train() -> None:
    network = network_of(Sine(), Identity(), LogCosh())
    X, y = batch(network.loss, "targets")
    optimizer = Adam()
    before, grads = loss_and_gradient(network, X, y)
    for _ in range(500):
        _, grads = loss_and_gradient(network, X, y)
        optimizer.step(network.parameters, grads, 0.02)
    assert loss_and_gradient(network, X, y)[0] < before / 1000


@pytest.mark.parametrize(
    ("mine", "method", "arguments"),
    [
        (Activation, "value", "z"),
        (Activation, "derivative", "z, a"),
        (Loss, "sample_losses", "a, t"),
        (Loss, "sample_gradients", "a, t"),
    ],
)
def test_what_ones_own_part_lacks_is_named(mine: type, method: str, arguments: str) -> None:
    unfinished = type("Unfinished", (mine,), {})()
    with pytest.raises(TypeError, match=rf"Unfinished must define {method}\({arguments}\)"):
        getattr(unfinished, method)(*[np.ones((1, 3)) for _ in arguments.split()])
