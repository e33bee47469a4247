"""gradcheck: an activation or a loss of one's own whose derivative is wrong, and what is wrong with it."""

import numpy as np
import pytest
from small_network import CLASSES, VALUES, RealOnly, X, network_of

import deltarule as dr
from deltarule.errors import ShapeError
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.nn.arrays import Array

RNG = np.random.default_rng(2)


class LostMinus(dr.Activation):
    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(z))

    def derivative(self, z: Array, a: Array) -> Array:
        return a * (1.0 - a)


class LostMinusAtTheOutput(dr.Sigmoid):
    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(z))


class Doubled(dr.Tanh):
    def derivative(self, z: Array, a: Array) -> Array:
        return 2.0 * (1.0 - a * a)


class DerivativeOfA(dr.Tanh):
    def derivative(self, z: Array, a: Array) -> Array:
        return 1.0 - z * z


class DiagonalSoftmax(dr.Softmax):
    def backward(self, delta: Array, z: Array, a: Array) -> None:
        delta *= a * (1.0 - a)


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        (
            LostMinus(),
            "LostMinus.derivative is not the derivative of value: its sign is reversed; where it is a sigmoid",
        ),
        (Doubled(), "Doubled.derivative is not the derivative of value: it is 2 times what it should be"),
        (DerivativeOfA(), "DerivativeOfA.derivative is not the derivative of value: at z = "),
        (DiagonalSoftmax(), "DiagonalSoftmax.derivative is not the derivative of value: at z = "),
    ],
)
def test_a_wrong_activation_is_named(activation: dr.Activation, named: str) -> None:
    check = gradcheck(network_of((dr.Tanh(), activation)), X, CLASSES)
    assert not check.ok
    assert len(check.mistakes) == 1
    assert named in check.mistakes[0]


class Unhalved(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return ((a - t) ** 2).sum(axis=1)


class Reversed(dr.Quadratic):
    def sample_gradients(self, a: Array, t: Array) -> Array:
        return t - a


class MeanOfOutputs(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).mean(axis=1)


class OverTheBatch(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum()


class OverTheBatchAxis(dr.Quadratic):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum(axis=0)


class SummedGradient(dr.Quadratic):
    def sample_gradients(self, a: Array, t: Array) -> Array:
        return (a - t).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (Unhalved(), "Unhalved.sample_gradients is not the derivative of sample_losses: it is 0.5 times"),
        (Reversed(), "Reversed.sample_gradients is not the derivative of sample_losses: its sign is reversed"),
        (MeanOfOutputs(), "it is 3 times what it should be, the number of outputs is a factor too many"),
        (SummedGradient(), "SummedGradient.sample_gradients must have the outputs' shape (7, 3): got (7, 1)"),
    ],
)
def test_a_wrong_loss_is_named(loss: dr.Loss, named: str) -> None:
    check = gradcheck(network_of(output=dr.Identity(), loss=loss), X, VALUES)
    assert not check.ok
    assert len(check.mistakes) == 1
    assert named in check.mistakes[0]


@pytest.mark.parametrize(("loss", "got"), [(OverTheBatch(), r"\(\)"), (OverTheBatchAxis(), r"\(3,\)")])
@pytest.mark.parametrize("n_samples", [3, 7])
def test_a_loss_over_the_wrong_axis_is_named(loss: dr.Loss, got: str, n_samples: int) -> None:
    """Even where there are as many samples as outputs, and no shape betrays it."""
    message = rf"{type(loss).__name__}.sample_losses must return one number a sample, shape \(\d,\): got {got}; "
    with pytest.raises(ShapeError, match=message + "it sums over the wrong axis"):
        gradcheck(network_of(output=dr.Identity(), loss=loss), X[:n_samples], VALUES[:n_samples])


def test_a_lost_minus_where_the_shortcut_is_taken() -> None:
    network = network_of(output=LostMinusAtTheOutput(), loss=dr.BinaryCrossEntropy())
    check = gradcheck(network, X, RNG.integers(2, size=(7, 3)))
    assert not check.ok
    assert "a - t, the shortcut, is not the derivative of sample_losses" in check.mistakes[0]


def test_without_complex_numbers_mistakes_are_named_too() -> None:
    class Wrong(RealOnly):
        def derivative(self, z: Array, a: Array) -> Array:
            return -super().derivative(z, a)

    check = gradcheck(network_of(Wrong()), X, CLASSES)
    assert not check.ok
    assert "Wrong.derivative is not the derivative of value: its sign is reversed" in check.mistakes[0]
