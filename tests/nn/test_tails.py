"""Activations far out and near 0, in every engine, against 50 digits: relative errors, not absolute ones."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from one_step import passed

from deltarule.errors import FileError
from deltarule.nn.activations import ELU, SILU_FLAT, Activation, Exp, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import CrossEntropy
from deltarule.nn.network import Network
from deltarule.training.engine import Engine, engine

TOGETHER = 512  # samples in a batch: a power of 2, by which an error is divided without rounding
BOUND = 4  # units in the last place, of which an exponential alone may cost three
ONE = Decimal(1)


def sigmoid(z: Decimal) -> Decimal:
    return ONE / (ONE + (-z).exp())


def sigmoid_slope(z: Decimal) -> Decimal:
    return sigmoid(z) * sigmoid(-z)


EXACT: dict[Activation, tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]]] = {
    Identity(): (lambda z: z, lambda z: ONE),
    Sigmoid(): (sigmoid, sigmoid_slope),
    Tanh(): (lambda z: ((2 * z).exp() - 1) / ((2 * z).exp() + 1), lambda z: 4 * sigmoid_slope(2 * z)),
    ReLU(): (lambda z: max(z, Decimal(0)), lambda z: Decimal(z > 0)),
    LeakyReLU(slope=0.125): (lambda z: z if z > 0 else z / 8, lambda z: ONE if z > 0 else ONE / 8),
    ELU(alpha=0.5): (lambda z: z if z > 0 else (z.exp() - 1) / 2, lambda z: ONE if z > 0 else z.exp() / 2),
    SiLU(): (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    Exp(): (Decimal.exp, Decimal.exp),
}
ENDS = {np.float32: 110.0, np.float64: 760.0}  # beyond 87 and 708 there is no normal number below e^-z


@pytest.fixture(params=["numpy", "native"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    try:
        return engine(request.param)
    except FileError as error:
        pytest.skip(str(error))


def name(thing: Any) -> str:
    return getattr(thing, "__name__", type(thing).__name__)


def points(dtype: Any) -> Array:
    """z on both sides of 0, from tiny ones to where nothing changes any more."""
    near, far = np.logspace(-30, 0, 61), np.linspace(1.0, ENDS[dtype], 3 * int(ENDS[dtype]))
    steps = np.concatenate([near, far]).astype(dtype)
    return np.concatenate([-steps[::-1], [dtype(0.0)], steps])


def through(any_engine: Engine, network: Network, z: Array, target: float) -> tuple[Array, Array]:
    """What a hidden layer, or the output, says of z, and the first layer's error: TOGETHER samples at a time."""
    spread = np.concatenate([z, np.zeros(-len(z) % TOGETHER, z.dtype)]).reshape(-1, TOGETHER, 1)
    y = np.full((TOGETHER, network.layer_sizes[-1]), target)
    found = [passed(any_engine, network, rows, y).workspace for rows in spread]
    a, delta = (np.concatenate([getattr(ws, name)[0] for ws in found])[: len(z)] for name in ("a", "delta"))
    return a, delta


def value_and_slope(any_engine: Engine, activation: Activation, z: Array) -> tuple[Array, Array]:
    """sigma(z) and sigma'(z), (n,), as a network computes them whose output has the same error whatever a is.

    The error is far larger than the output, whose weight is as much smaller: it comes back as 1 / TOGETHER.
    """
    network = Network((1, 1, 1), hidden=activation, output="sigmoid", loss="binary_cross_entropy", dtype=z.dtype)
    network.parameters.vector[:] = [1.0, 2.0**-80, 0.0, 0.0]
    a, delta = through(any_engine, network, z, -(2.0**80))
    return a[:, 0], delta[:, 0] * z.dtype.type(TOGETHER)


def worst(found: Array, exact: list[Decimal], z: Array) -> float:
    """The largest error in units in the last place, beyond what a number that is not normal any more may lose."""
    info = np.finfo(found.dtype)
    smallest, eps = Decimal(float(info.tiny)), Decimal(float(info.eps))
    errors = []
    with localcontext(prec=50):
        for ours, theirs, at in zip(found.tolist(), exact, z.tolist(), strict=True):
            lost = 4 * smallest * max(ONE, abs(Decimal(at)))
            errors.append(max(abs(Decimal(ours) - theirs) - lost, Decimal(0)) / (eps * (abs(theirs) + smallest)))
    return float(max(errors))


def at_50_digits(formula: Callable[[Decimal], Decimal], z: Array) -> list[Decimal]:
    with localcontext(prec=50, Emin=-(10**6), Emax=10**6):
        return [formula(Decimal(number)) for number in z.tolist()]


@pytest.mark.parametrize("dtype", ENDS, ids=name)
@pytest.mark.parametrize("activation", EXACT, ids=name)
def test_values_and_derivatives_keep_their_digits_in_both_tails(
    any_engine: Engine, activation: Activation, dtype: Any
) -> None:
    flat = np.array(SILU_FLAT, dtype) * (1 + np.arange(-8, 9) * np.finfo(dtype).eps).astype(dtype)
    z = np.concatenate([points(dtype), flat, flat + dtype(1e-4)])  # where SiLU's derivative crosses 0, too
    z = z[z < np.log(np.finfo(dtype).max)] if isinstance(activation, Exp) else z
    a, slope = value_and_slope(any_engine, activation, z)
    value, derivative = EXACT[activation]
    assert a.dtype == slope.dtype == dtype
    assert worst(a, at_50_digits(value, z), z) <= BOUND
    assert worst(slope, at_50_digits(derivative, z), z) <= BOUND


@pytest.mark.parametrize("dtype", ENDS, ids=name)
def test_softmax_keeps_the_digits_of_small_probabilities(any_engine: Engine, dtype: Any) -> None:
    z = points(dtype)
    network = Network((1, 2), loss=CrossEntropy(), dtype=dtype)
    network.parameters.vector[:] = [1.0, 0.0, 0.0, 0.0]
    a, _ = through(any_engine, network, z, 0.0)
    assert worst(a[:, 0], at_50_digits(sigmoid, z), z) <= BOUND
    assert worst(a[:, 1], at_50_digits(lambda z: sigmoid(-z), z), z) <= BOUND


@pytest.mark.parametrize("activation", EXACT, ids=name)
def test_a_complex_step_finds_the_derivative_in_both_tails(activation: Activation) -> None:
    z = points(np.float64)
    z = z[(z != 0.0) & (np.abs(z) < 200.0)]  # a ReLU has no derivative at 0
    found = activation.value(z[:, None] + 1e-100j).imag[:, 0] / 1e-100
    wanted = np.array([float(each) for each in at_50_digits(EXACT[activation][1], z)])
    np.testing.assert_allclose(found, wanted, rtol=1e-13)
