"""sigma and C against 50-digit arithmetic, where floats run out, and where the answer is known beforehand."""

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from itertools import chain
from typing import Any

import numpy as np
import pytest

from deltarule.errors import DataError
from deltarule.nn.activations import ELU, Activation, Exp, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.initializers import lecun_normal, uniform
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Poisson, Quadratic
from deltarule.nn.network import Network, loss_and_gradient

EXACT: dict[Activation, Callable[[Decimal], Decimal]] = {
    Identity(): lambda z: z,
    Sigmoid(): lambda z: 1 / (1 + (-z).exp()),
    Tanh(): lambda z: ((2 * z).exp() - 1) / ((2 * z).exp() + 1),
    ReLU(): lambda z: max(z, Decimal(0)),
    LeakyReLU(slope=0.125): lambda z: z if z > 0 else z / 8,
    ELU(alpha=0.5): lambda z: z if z > 0 else (z.exp() - 1) / 2,
    SiLU(): lambda z: z / (1 + (-z).exp()),
}
FLOATS = [np.float32, np.float64]
FAR = np.array([[-1e4, -1000.0, -100.0, 100.0, 1000.0, 1e4]], np.float32)


def name(thing: Any) -> str:
    return getattr(thing, "__name__", type(thing).__name__)


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
@pytest.mark.parametrize("activation", EXACT, ids=name)
def test_values(activation: Activation, dtype: Any) -> None:
    z = np.linspace(-40, 40, 321, dtype=dtype).reshape(3, 107)
    a = np.empty_like(z)
    activation.forward(z, out=a)
    assert a.dtype == dtype
    with localcontext(prec=50):
        exact = [[EXACT[activation](Decimal(number)) for number in row] for row in z.tolist()]
    assert (abs(a - np.array(exact, float)) <= 2 * np.finfo(dtype).eps * np.maximum(1, abs(z))).all()


SMALL = Decimal(-100).exp(Context(prec=50))  # a number to float64, a subnormal one to float32
LIMITS = {  # a and sigma' at FAR, to 40 digits: sigma' is what one error of 1 becomes
    Sigmoid(): ([0, 0, SMALL, 1, 1, 1], [0, 0, SMALL, SMALL, 0, 0]),
    Tanh(): ([-1, -1, -1, 1, 1, 1], [0, 0, 4 * SMALL**2, 4 * SMALL**2, 0, 0]),
    ReLU(): ([0, 0, 0, 100, 1000, 10000], [0, 0, 0, 1, 1, 1]),
    LeakyReLU(slope=0.5): ([-5000, -500, -50, 100, 1000, 10000], [0.5, 0.5, 0.5, 1, 1, 1]),
    ELU(): ([-1, -1, -1, 100, 1000, 10000], [0, 0, SMALL, 1, 1, 1]),
    SiLU(): ([0, 0, -100 * SMALL, 100, 1000, 10000], [0, 0, -99 * SMALL, 1, 1, 1]),
    Softmax(): ([0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
@pytest.mark.parametrize("activation", LIMITS, ids=name)
def test_nothing_overflows_far_out(activation: Activation, dtype: Any) -> None:
    """A normal number has its digits; one below them may be anything from 0 to what it is."""
    z, info = FAR.astype(dtype), np.finfo(dtype)
    a, delta = z.copy(), np.ones_like(z)
    activation.forward(a, out=a)
    activation.backward(delta, z, a)
    for ours, exact in zip([*a[0], *delta[0]], chain(*LIMITS[activation]), strict=True):
        if abs(exact) >= info.tiny:
            assert abs(Decimal(float(ours)) / Decimal(exact) - 1) <= 4 * Decimal(float(info.eps))
        else:
            least, most = sorted([0, float(exact)])
            assert least - info.smallest_subnormal <= ours <= most + info.smallest_subnormal
            assert exact or ours == 0


def test_the_derivative_of_relu_at_its_kink_is_0() -> None:
    assert ReLU().derivative(np.zeros((1, 1)), np.zeros((1, 1))).item() == 0


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
def test_softmax(dtype: Any) -> None:
    z = np.array([[0.0, math.log(2), math.log(5)], [7.0, 7.0, 7.0], [-1e4, 1e4, 1e4]], dtype)
    expected = [[1 / 8, 2 / 8, 5 / 8], [1 / 3, 1 / 3, 1 / 3], [0, 1 / 2, 1 / 2]]
    np.testing.assert_allclose(Softmax().value(z), expected, rtol=2 * np.finfo(dtype).eps)


def test_softmax_backward_multiplies_by_the_jacobian() -> None:
    rng = np.random.default_rng(0)
    z, delta = rng.normal(size=(2000, 7)), rng.normal(size=(2000, 7))
    a = Softmax().value(z)
    expected = (delta[:, None, :] @ Softmax().derivative(z, a))[:, 0, :]
    Softmax().backward(delta, z, a)
    np.testing.assert_allclose(delta, expected, atol=1e-15)


def test_quadratic_is_half_the_squared_error_a_mean_over_samples() -> None:
    a, y = np.array([[1.0, 2.0], [5.0, 3.0]]), np.array([[0.0, 0.0], [2.0, -1.0]])
    assert Quadratic().value(a, y) == 7.5  # (1 + 4) / 2 and (9 + 16) / 2
    assert Quadratic().gradient(a, y).tolist() == [[0.5, 1.0], [1.5, 2.0]]


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
def test_an_exponential_beyond_the_largest_float_is_infinite(dtype: Any) -> None:
    a = Exp().value(FAR.astype(dtype))[0]
    assert a.tolist()[:2] == [0.0, 0.0]
    assert a.tolist()[-2:] == [np.inf, np.inf]


def test_poisson_is_half_the_deviance() -> None:
    a, y = np.array([[2.0, 3.0], [1.0, 0.5]]), np.array([[2.0, 0.0], [math.e, 1.0]])
    assert Poisson().value(a, y, np.ones(2)) == pytest.approx(0.0 + 3.0 + 1.0 + (math.log(2.0) - 0.5), rel=1e-15)
    assert Poisson().gradient(a, y, np.ones(2)).tolist() == [[0.0, 1.0], [1.0 - math.e, -1.0]]
    assert Poisson().value(a, y) == Poisson().value(
        a, y, np.full(2, 0.5)
    )  # a rate above 1 is no probability gone wrong
    assert Poisson().lowest(3) == 0.0


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
@pytest.mark.parametrize("z", [-1e4, -1000.0, -30.0, -2.5, 0.0, 0.75, 30.0])
def test_poisson_from_z(z: float, dtype: Any) -> None:
    """Against 50 digits; at -1000 the output itself is 0 in any float."""
    for target in (0.0, 0.125, 1.0, 7.0, 1e6):
        found = Poisson().value(np.array([[z]], dtype), np.array([[target]]), from_z=True)
        with localcontext(prec=50, Emin=-(10**6)):
            t, at = Decimal(target), Decimal(z)
            exact = float((t * (t.ln() - at) if t else Decimal(0)) - t + at.exp())
        lost = 4.0 * float(np.finfo(dtype).eps) * (target * (abs(math.log(target or 1.0)) + 1.0 + abs(z)))
        assert found == pytest.approx(exact, rel=4 * float(np.finfo(dtype).eps), abs=lost + 1e-38)


def test_targets_below_0_have_no_poisson_loss() -> None:
    network = Network((3, 2), output="exponential", loss="poisson")
    with pytest.raises(DataError, match=r'y holds -0.5, .* needs targets of 0 or more: .* output="identity"'):
        loss_and_gradient(network, np.ones((2, 3)), np.array([[0.0, 1.0], [3.0, -0.5]]))


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_a_network_that_knows_nothing_pays_for_guessing(smoothing: float) -> None:
    """All weights 0: one class of ten costs ln 10, ten yes-or-no questions cost 10 ln 2."""
    X, y = np.ones((4, 3), np.float32), np.array([0, 3, 9, 9])
    for output, loss, price in (
        (Softmax(), CrossEntropy(smoothing), math.log(10)),
        (Sigmoid(), BinaryCrossEntropy(smoothing), 10 * math.log(2)),
    ):
        network = Network((3, 10), output=output, loss=loss)
        network.parameters.vector[:] = 0.0
        assert loss_and_gradient(network, X, y)[0] == pytest.approx(price, rel=1e-6)


def test_label_smoothing_moves_the_targets_towards_even() -> None:
    y = np.array([1])
    np.testing.assert_allclose(CrossEntropy(0.2).targets(np.ones((1, 4)), y), [[0.05, 0.85, 0.05, 0.05]])
    np.testing.assert_allclose(BinaryCrossEntropy(0.2).targets(np.ones((1, 4)), y), [[0.1, 0.9, 0.1, 0.1]])


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
def test_cross_entropy_from_z(dtype: Any) -> None:
    """Against 50 digits: ordinary z, and z for which the probability of the answer is 0 in any float."""
    precision = 2 * float(np.finfo(dtype).eps)
    z = np.array([[1.5, -0.5, 0.25], [30.0, 0.0, -30.0], [1000.0, 0.0, -1000.0], [-1e4, 1e4, 1e4]], dtype)
    for answer in range(3):
        found = CrossEntropy().value(z, np.full(4, answer), np.ones(4), from_z=True)
        with localcontext(prec=50):
            rows = [[Decimal(x) for x in row] for row in z.tolist()]
            exact = sum(sum((x.exp() for x in row), Decimal(0)).ln() - row[answer] for row in rows)
        assert found == pytest.approx(float(exact), rel=precision, abs=precision)


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
def test_binary_cross_entropy_from_z(dtype: Any) -> None:
    for z in (-1e4, -1000.0, -30.0, -2.5, 0.0, 0.75, 30.0, 1000.0, 1e4):
        for answer in (0, 1):
            found = BinaryCrossEntropy().value(np.array([[z]], dtype), np.array([[answer]]), from_z=True)
            with localcontext(prec=50, Emin=-(10**6)):
                exact = float((1 + Decimal(-z if answer else z).exp()).ln())
            assert found == pytest.approx(exact, rel=2 * float(np.finfo(dtype).eps), abs=1e-38)


@pytest.mark.parametrize("dtype", FLOATS, ids=name)
@pytest.mark.parametrize(
    ("output", "loss"),
    [(Softmax(), CrossEntropy()), (Softmax(), BinaryCrossEntropy()), (Sigmoid(), BinaryCrossEntropy())],
    ids=name,
)
def test_the_general_way_stays_finite_where_probabilities_underflow(output: Activation, loss: Loss, dtype: Any) -> None:
    z, y = np.array([[1000.0, -1000.0, 0.0]] * 3, dtype), np.array([0, 1, 2])
    a = output.value(z)
    delta = loss.gradient(a, y)
    output.backward(delta, z, a)
    assert np.isfinite(delta).all()
    surest = -math.log(np.finfo(dtype).tiny)
    assert surest / 3 <= loss.value(a, y) <= 3 * surest  # one answer at least has the probability 0


def test_a_loss_takes_labels_of_any_integer_type() -> None:
    a = np.array([[0.25, 0.75]])
    for dtype in (np.uint8, np.int32, np.int64):
        assert CrossEntropy().value(a, np.array([1], dtype)) == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize(
    ("activation", "written"),
    [
        (ReLU(), "ReLU()"),
        (LeakyReLU(slope=0.2), "LeakyReLU(slope=0.2)"),
        (ELU(initializer=lecun_normal, alpha=0.5), "ELU(initializer=lecun_normal, alpha=0.5)"),
        (Softmax(bias_initializer=uniform), "Softmax(bias_initializer=uniform)"),
    ],
)
def test_an_activation_prints_as_it_is_written(activation: Activation, written: str) -> None:
    assert repr(activation) == written
