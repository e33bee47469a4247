"""Every equation's check, with every activation and every loss; and that a wrong formula does not pass."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from deltarule.inspection.gradcheck.equation_checks import CHECKS, MOST, Check
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.activations import ELU, Activation, Exp, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.equations import EQUATIONS, Equation
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Poisson, Quadratic
from deltarule.nn.network import Network

ACTIVATIONS = (Identity(), Sigmoid(), Tanh(), ReLU(), LeakyReLU(slope=0.1), ELU(alpha=0.7), SiLU(), Exp(), Softmax())
PAIRS: list[tuple[Activation, Loss]] = [
    *product(ACTIVATIONS, [Quadratic()]),
    *product([Softmax()], [CrossEntropy(), CrossEntropy(0.2), BinaryCrossEntropy()]),
    *product([Sigmoid()], [BinaryCrossEntropy(), BinaryCrossEntropy(0.2)]),
    (Exp(), Poisson()),
]


def name(part: Any) -> str:
    return repr(part) if isinstance(part, Loss) else type(part).__name__


def batch(n_samples: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(n_samples, 4)), rng.integers(3, size=n_samples)


def network_of(hidden: Activation, output: Activation, loss: Loss) -> Network:
    network = Network((4, 5, 4, 3), hidden=hidden, output=output, loss=loss, dtype=np.float64)
    size = 0.2 if isinstance(hidden, Exp) else 1.0  # e^(e^z) has no float soon
    network.parameters.vector[:] = size * np.random.default_rng(3).normal(0.1, 0.5, network.parameters.size)
    return network


def checks_of(equation: Equation, network: Network, X: Array, y: Array) -> list[Check]:
    return CHECKS[equation.id](Problem.of(network, X, y)) if equation.applies_to(network) else []


def failures(network: Network, *keys: str) -> list[str]:
    checks = [check for key in keys for check in checks_of(EQUATIONS[key], network, *batch())]
    assert checks
    return [f"{check.says}: {check.relative_error}" for check in checks if not check.ok]


def test_every_equation_has_a_check() -> None:
    assert list(CHECKS) == list(EQUATIONS)


@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=name)
@pytest.mark.parametrize("hidden", ACTIVATIONS, ids=name)
def test_every_equation_holds(hidden: Activation, output: Activation, loss: Loss) -> None:
    network = network_of(hidden, output, loss)
    applying = [key for key, equation in EQUATIONS.items() if equation.applies_to(network)]
    shortcuts = {key for key in applying if key.startswith("BP1-")}
    assert len(shortcuts) == network.has_shortcut
    for key in applying:
        checks = checks_of(EQUATIONS[key], network, *batch())
        assert all(check.ok for check in checks), [check.says for check in checks if not check.ok]
        assert max(check.relative_error for check in checks) <= (1e-6 if key == "C" else 1e-12)


def test_without_a_hidden_layer_there_is_no_bp2() -> None:
    network = Network((4, 3), dtype=np.float64)
    assert checks_of(EQUATIONS["BP2"], network, *batch()) == []
    assert failures(network, "C", "forward", "BP1", "BP1-softmax", "BP3", "BP4", "update") == []


def test_float32_and_pixels_are_checked_in_float64() -> None:
    rng = np.random.default_rng(0)
    network, X, y = Network((784, 30, 10), rng=0), rng.integers(256, size=(2, 784)).astype(np.uint8), np.array([3, 9])
    for equation in EQUATIONS.values():
        checks = checks_of(equation, network, X, y)
        assert [check.says for check in checks if not check.ok] == []
    assert network.weights[0].size > MOST


def test_a_weighted_input_of_exactly_0() -> None:
    """Where a ReLU has its kink, and where the formula of binary cross-entropy has a seam."""
    for hidden in (Tanh(), ReLU(), ELU()):
        network = Network((2, 3, 1), hidden=hidden, output=Sigmoid(), loss=BinaryCrossEntropy(), dtype=np.float64)
        assert not network.parameters.vector[network.parameters.weight_block.size :].any()
        X, y = np.zeros((1, 2)), np.array([[1]], np.uint8)
        for key in ("BP1", "BP2", "BP3", "BP4"):
            assert all(check.ok for check in checks_of(EQUATIONS[key], network, X, y)), (hidden, key)


def test_a_saturated_network_leaves_only_rounding() -> None:
    network = network_of(Sigmoid(), Softmax(), CrossEntropy())
    network.biases[-1][:] = [40.0, 0.0, 0.0]
    X, y = batch()
    checks = checks_of(EQUATIONS["BP2"], network, X, np.zeros_like(y))
    assert all(check.ok for check in checks)
    assert max(check.absolute_error for check in checks) < 1e-15


class LostMinus(Sigmoid):
    """The sigmoid as 1 / (1 + e^z), with the derivative that belongs to the other."""

    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(z))


class TwiceTooSteep(Quadratic):
    def sample_gradients(self, a: Array, t: Array) -> Array:
        return 2.0 * (a - t)


class Summed(Quadratic):
    """A sum over samples that calls itself a mean."""

    def value(self, a: Array, y: Array, shares: Array | None = None, *, from_z: bool = False) -> float:
        return super().value(a, y, np.ones(len(a)))


class Unproven(CrossEntropy):
    shortcut_for = (Sigmoid,)
    fits = (Sigmoid,)

    def sample_losses_from_z(self, z: Array, t: Array) -> Array:
        return self.sample_losses(Sigmoid().value(z), t)


@pytest.mark.parametrize(
    ("key", "hidden", "output", "loss"),
    [
        ("BP2", LostMinus(), Identity(), Quadratic()),
        ("BP1", Tanh(), LostMinus(), Quadratic()),
        ("BP1", Tanh(), Identity(), TwiceTooSteep()),
        ("BP3", Tanh(), Identity(), TwiceTooSteep()),
        ("BP4", LostMinus(), Identity(), Quadratic()),
        ("update", LostMinus(), Identity(), Quadratic()),
        ("BP1", Tanh(), Sigmoid(), Unproven()),
        ("C", Tanh(), Identity(), Summed()),
    ],
)
def test_a_wrong_formula_does_not_pass(key: str, hidden: Activation, output: Activation, loss: Loss) -> None:
    assert failures(network_of(hidden, output, loss), key)


def test_an_error_is_measured_by_norms() -> None:
    check = Check.of("", np.array([3.0, 4.0 + 5e-6]), np.array([3.0, 4.0]))
    assert check.relative_error == pytest.approx(1e-6)
    assert not check.ok
    assert Check.of("", 0.0, 0.0).relative_error == 0.0
    assert not Check.of("", 1.0, 0.0).ok
