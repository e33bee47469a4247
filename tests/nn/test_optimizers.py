"""Every optimizer walks as defined, finds a minimum, resumes exactly, and refuses what makes no sense."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltarule.errors import SettingError, ShapeError
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from deltarule.nn.parameters import Parameters
from deltarule.parts import PARTS

ALL = [SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW]


def undecayed(kind: type[Optimizer]) -> Optimizer:
    """Weight decay would move the minimum."""
    return AdamW(weight_decay=0.0) if kind is AdamW else kind()


def parabola(p: Array) -> Array:
    """The gradient of a bowl whose minimum lies at (1, -2, 3, -4), thirty times as steep one way as another."""
    return np.array([1.0, 3.0, 10.0, 30.0]) * (p - [1.0, -2.0, 3.0, -4.0])


def rosenbrock(p: Array) -> Array:
    """The gradient of (1 - x)^2 + 100 (y - x^2)^2, a bent valley that is nearly flat along its floor to (1, 1)."""
    return np.array([-2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] ** 2), 200 * (p[1] - p[0] ** 2)])


FIND = {  # the rate for the parabola; rate and number of steps for Rosenbrock's function
    SGD: (0.05, 1e-3, 20_000),
    Momentum: (0.01, 3e-4, 10_000),
    Nesterov: (0.01, 3e-4, 10_000),
    AdaGrad: (0.5, 0.5, 10_000),
    RMSProp: (0.003, 1e-3, 10_000),
    Adam: (0.02, 0.02, 5_000),
    AdamW: (0.02, 0.02, 5_000),
}


# Were the gradient g the same at every step, step n would be -r g times this: the sums of the series that each formula
# runs through, worked out on paper. size is |g|.
SERIES: dict[type[Optimizer], Callable[[Any, int, Array], Any]] = {
    SGD: lambda rule, n, size: 1.0,
    Momentum: lambda rule, n, size: (1.0 - rule.momentum**n) / (1.0 - rule.momentum),
    Nesterov: lambda rule, n, size: (1.0 - rule.momentum ** (n + 1)) / (1.0 - rule.momentum),
    AdaGrad: lambda rule, n, size: 1.0 / (math.sqrt(n) * size + rule.epsilon),
    RMSProp: lambda rule, n, size: 1.0 / (math.sqrt(1.0 - rule.decay**n) * size + rule.epsilon),
    Adam: lambda rule, n, size: 1.0 / (size + rule.epsilon),
    AdamW: lambda rule, n, size: 1.0 / (size + rule.epsilon),
}


def test_every_optimizer_is_tested() -> None:
    assert len(ALL) == len(PARTS["optimizer"])


@pytest.mark.parametrize("kind", ALL)
def test_steps_with_one_gradient_are_a_series(kind: type[Optimizer]) -> None:
    rng, rule, rate = np.random.default_rng(0), kind(), 0.01
    params, grads = (Parameters((30, 1), rng.normal(size=31)) for _ in range(2))
    start, expected = params.vector.copy(), params.vector.copy()
    for n in range(1, 6):
        rule.step(params, grads, rate)
        expected[:-1] *= 1.0 - rate * getattr(rule, "weight_decay", 0.0)  # not the bias
        expected -= rate * grads.vector * SERIES[kind](rule, n, np.abs(grads.vector))
    np.testing.assert_allclose(params.vector - start, expected - start, rtol=1e-11)


@pytest.mark.parametrize("kind", ALL)
def test_the_minimum_of_a_parabola(kind: type[Optimizer]) -> None:
    params, grads, optimizer = Parameters((1, 2), np.zeros(4)), Parameters((1, 2), np.zeros(4)), undecayed(kind)
    for _ in range(2000):
        grads.vector[:] = parabola(params.vector)
        optimizer.step(params, grads, FIND[kind][0])
    np.testing.assert_allclose(params.vector, [1.0, -2.0, 3.0, -4.0], rtol=1e-9)


@pytest.mark.parametrize("kind", ALL)
def test_the_minimum_of_rosenbrocks_function(kind: type[Optimizer]) -> None:
    params, grads, optimizer = (
        Parameters((1, 1), np.array([-1.2, 1.0])),
        Parameters((1, 1), np.zeros(2)),
        undecayed(kind),
    )
    _, rate, n_steps = FIND[kind]
    for _ in range(n_steps):
        grads.vector[:] = rosenbrock(params.vector)
        optimizer.step(params, grads, rate)
    np.testing.assert_allclose(params.vector, [1.0, 1.0], atol=2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ALL)
def test_state_resumes_exactly(kind: type[Optimizer], dtype: type) -> None:
    rng = np.random.default_rng(0)
    gradients = [Parameters((3, 4, 2), rng.normal(size=26).astype(dtype)) for _ in range(20)]
    whole, paused = Parameters((3, 4, 2), dtype=dtype), Parameters((3, 4, 2), dtype=dtype)
    first, second, other = kind(), kind(), kind()

    for grads in gradients:
        first.step(whole, grads, 0.01)
    for grads in gradients[:10]:
        second.step(paused, grads, 0.01)
    state = second.state()
    for grads in gradients[:3]:
        second.step(paused.copy(), grads, 0.5)  # what was handed out stays as it was
    other.load_state(state)
    for vector in state.values():
        vector[...] = 0  # what was taken in stays as it was
    for grads in gradients[10:]:
        other.step(paused, grads, 0.01)

    assert other.steps == 20
    assert paused.vector.dtype == dtype
    np.testing.assert_array_equal(paused.vector, whole.vector)
    for name, vector in first.state().items():
        np.testing.assert_array_equal(other.state()[name], vector)


def test_a_state_before_the_first_step() -> None:
    adam = Adam()
    adam.load_state(Adam().state())
    params, grads = Parameters((1, 1)), Parameters((1, 1), np.ones(2, np.float32))
    adam.step(params, grads, 0.5)
    np.testing.assert_allclose(params.vector, [-0.5, -0.5], rtol=1e-6)  # Adam's first step is the rate itself


def test_a_state_from_another_optimizer_is_refused() -> None:
    momentum = Momentum()
    momentum.step(Parameters((1, 1)), Parameters((1, 1)), 0.1)
    with pytest.raises(
        SettingError, match="the state of Adam holds steps and mean, squares: got steps, velocity; load"
    ):
        Adam().load_state(momentum.state())
    with pytest.raises(SettingError, match="the state of SGD holds steps and no moments: got nothing; load"):
        SGD().load_state({})


@pytest.mark.parametrize("kind", ALL)
def test_sizes_that_differ_are_refused(kind: type[Optimizer]) -> None:
    small, large = Parameters((1, 1)), Parameters((2, 1))
    with pytest.raises(ShapeError, match=f"the state of {kind.__name__} must have one size: got 2, 3"):
        kind().step(small, large, 0.1)
    optimizer = kind()
    optimizer.step(small, small, 0.1)
    if optimizer.moments:
        with pytest.raises(ShapeError, match=r"must have one size: got 3, 3, 2.*; make a new optimizer"):
            optimizer.step(large, large, 0.1)


@pytest.mark.parametrize(
    ("kind", "setting", "legal"),
    [
        (Momentum, {"momentum": 1.0}, "at least 0 and less than 1"),
        (Nesterov, {"momentum": -0.1}, "at least 0 and less than 1"),
        (AdaGrad, {"epsilon": 0.0}, "above 0 and finite"),
        (RMSProp, {"decay": float("nan")}, "at least 0 and less than 1"),
        (Adam, {"beta_1": 1.0}, "at least 0 and less than 1"),
        (Adam, {"beta_2": 2}, "at least 0 and less than 1"),
        (AdamW, {"weight_decay": -0.5}, "0 or more and finite"),
        (AdamW, {"epsilon": float("inf")}, "above 0 and finite"),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind: type[Optimizer], setting: dict[str, float], legal: str) -> None:
    ((name, value),) = setting.items()
    with pytest.raises(SettingError) as caught:
        kind(**setting)
    refused, _, cure = str(caught.value).partition(f"; use {name}=")
    assert refused == f"{name} of {kind.__name__} must be {legal}: got {value}"
    assert getattr(kind(**{name: float(cure)}), name) == float(cure)


class Signs(Optimizer):
    """p -= r sign(g + h), where h is the gradient before."""

    moments = ("before",)

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (before,) = moments
        p -= learning_rate * np.sign(g + before)
        before[:] = g


def test_an_optimizer_of_ones_own() -> None:
    params, grads, optimizer = Parameters((1, 1)), Parameters((1, 1)), Signs()
    for gradient in ([2.0, -1.0], [-1.0, 3.0], [0.5, -4.0]):
        grads.vector[:] = gradient
        optimizer.step(params, grads, 1.0)
    assert params.vector.tolist() == [-1.0, 1.0]  # signs of (2, -1), (1, 2), (-0.5, -1)
    assert optimizer.state()["before"].tolist() == [0.5, -4.0]


def test_what_ones_own_optimizer_lacks_is_named() -> None:
    with pytest.raises(TypeError, match=r"Optimizer must define update\(p, g, learning_rate, \*moments\)"):
        Optimizer().step(Parameters((1, 1)), Parameters((1, 1)), 0.1)
