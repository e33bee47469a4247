"""gradcheck: right gradients pass to the last digits, whatever the loss depends on; kinks are named, not failed."""

import json
import math
from typing import Any

import numpy as np
import pytest
from small_network import CLASSES, VALUES, RealOnly, X, network_of

import deltarule as dr
from deltarule.errors import SettingError, ShapeError
from deltarule.inspection.diagnosis import diagnose as diagnosis
from deltarule.inspection.gradcheck import check as gradient_check
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.nn.arrays import Array

RNG = np.random.default_rng(2)


def kind(activation: dr.Activation) -> str:
    return type(activation).__name__


def test_all_79510_parameters_to_the_last_digits() -> None:
    network = dr.Network((784, 100, 10), hidden=dr.Sigmoid(), rng=1)
    check = gradcheck(network, RNG.random((8, 784)), RNG.integers(10, size=8), penalty=dr.L2(1e-3))
    assert (check.parameters, check.method, check.ok) == (79_510, "complex step", True)
    assert sum(each.parameters for each in check.per_layer) == 79_510
    assert check.max_relative_error <= 1e-12
    assert max(each.second_opinion for each in check.per_layer) <= 1e-6


@pytest.mark.parametrize("output", [dr.Softmax(), dr.Sigmoid(), dr.Identity()], ids=kind)
@pytest.mark.parametrize(
    "hidden",
    [dr.Sigmoid(), dr.Tanh(), dr.ReLU(), dr.LeakyReLU(), dr.ELU(alpha=0.5), dr.SiLU(), dr.Softmax(), dr.Identity()],
    ids=kind,
)
def test_with_masks_weights_and_penalty(hidden: dr.Activation, output: dr.Activation) -> None:
    settings: dict[str, Any] = {"output": output, "loss": dr.Quadratic(), "task": "values"}
    network = dr.Network((4, 9, 8, 3), hidden=hidden, dropout=0.3, rng=2, **settings)
    weights = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0, 3.0])
    for penalty in (dr.L2(0.1), dr.L1(0.1)):
        check = gradcheck(network, X, VALUES, sample_weight=weights, penalty=penalty)
        assert check.ok
        assert check.max_relative_error <= 1e-12


def test_a_dropped_neuron_has_no_gradient() -> None:
    """So the masks are there: without them the worst parameter would be no zero."""
    network = dr.Network((4, 50, 3), hidden=dr.Tanh(), dropout=0.9)
    check = gradcheck(network, X[:1], CLASSES[:1])
    dense = gradcheck(dr.Network((4, 50, 3), hidden=dr.Tanh()), X[:1], CLASSES[:1])
    assert check.ok
    assert check.worst != dense.worst


def test_pixels_and_images_are_read_as_the_network_reads_them() -> None:
    images = RNG.integers(256, size=(5, 3, 2), dtype=np.uint8)
    network = dr.Network((6, 4, 3), hidden=dr.Tanh())
    assert gradcheck(network, images, CLASSES[:5]) == gradcheck(network, images.reshape(5, 6) / 255, CLASSES[:5])


def test_a_very_large_network_is_checked_along_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_check, "MOST_WORK", 0)
    check = gradcheck(network_of(), X, CLASSES)
    assert (check.method, check.worst, check.ok) == ("complex step along random directions", None, True)
    assert 0.0 < check.max_relative_error <= 1e-12


def test_the_network_is_left_as_it_was() -> None:
    network = dr.Network((4, 5, 3), dropout=0.2)
    before = network.parameters.vector.copy()
    gradcheck(network, X, CLASSES, gradient=dr.loss_and_gradient)
    np.testing.assert_array_equal(network.parameters.vector, before)
    assert network.dropout == (0.2,)


# Kinks


def test_a_sample_on_a_kink_is_named_and_left_out() -> None:
    network = dr.Network((4, 5, 3), rng=3)  # biases of 0: a blank image puts every neuron at z = 0
    blank = np.vstack([X, np.zeros(4)])
    check = gradcheck(network, blank, [*CLASSES, 1])
    assert check.ok
    assert check.samples == 7
    assert check.kinks == (
        "sample 7 is left out: it is on a kink, where there is no derivative (neuron 0 of layer 0, ReLU at 0, "
        "and 4 more)",
    )
    without = gradcheck(network, X, CLASSES)
    assert check.worst is not None
    assert without.worst is not None
    assert check.per_layer[0].parameters == without.per_layer[0].parameters


def test_a_kink_of_ones_own_is_found_too() -> None:
    class Absolute(dr.Activation):
        def value(self, z: Array) -> Array:
            return np.where(z.real > 1.0, z - 1.0, 1.0 - z)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.where(z.real > 1.0, 1.0, -1.0)

    network = dr.Network((2, 2, 2), hidden=Absolute(), rng=0)
    network.weights[0][:] = np.eye(2)
    assert gradcheck(network, [[1.0, 0.0], [0.3, 0.2]], [0, 1]).samples == 1
    with pytest.raises(SettingError, match=r"needs samples that are not on a kink: got none .sample 0 .*Absolute at 1"):
        gradcheck(network, [[1.0, 0.0]], [0])


def test_a_bend_without_a_kink_is_checked() -> None:
    """Formulas that branch at 0 and are smooth there, met exactly at 0: the complex step must take one side of them."""
    network = dr.Network((2, 4, 1), hidden=dr.ELU(), output=dr.Sigmoid(), loss=dr.BinaryCrossEntropy())
    check = gradcheck(network, [[0.0, 0.0], [0.0, 1.0]], [[1], [0]])
    assert (check.ok, check.samples, check.method) == (True, 2, "complex step")


def test_a_kinked_loss() -> None:
    class Distance(dr.Loss):
        def sample_losses(self, a: Array, t: Array) -> Array:
            return np.where(a.real > t, a - t, t - a).sum(axis=1)

        def sample_gradients(self, a: Array, t: Array) -> Array:
            return np.sign(a.real - t)

    network = dr.Network((4, 5, 3), hidden=dr.Tanh(), output=dr.Identity(), loss=Distance())
    exact = VALUES.copy()
    exact[2] = network.astype(np.float64).outputs(X)[2]
    check = gradcheck(network, X, exact)
    assert (check.ok, check.samples) == (True, 6)
    assert "sample 2 is left out" in check.kinks[0]
    assert "output 0, Distance" in check.kinks[0]


# Without complex numbers


class RefusesComplex(dr.Activation):
    def value(self, z: Array) -> Array:
        return np.vectorize(math.atan)(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return 1.0 / (1.0 + z * z)


@pytest.mark.parametrize("activation", [RealOnly(), RefusesComplex()], ids=kind)
def test_without_complex_numbers_central_differences_do(activation: dr.Activation) -> None:
    check = gradcheck(network_of(activation), X, CLASSES)
    assert (check.method, check.ok) == ("central differences", True)
    assert check.max_relative_error <= check.tolerance == 1e-5
    assert f"{type(activation).__name__} cannot take complex numbers" in check.notes[0]


# What it says, and what it refuses


def test_what_does_not_fit_is_refused() -> None:
    network = dr.Network((4, 5, 3))
    with pytest.raises(ShapeError, match="6 features and 3 outputs"):
        gradcheck(network, np.ones((2, 6)), [0, 1])
    with pytest.raises(ShapeError, match="one number per training sample"):
        gradcheck(network, X, CLASSES, sample_weight=[1.0])


def test_a_network_that_is_sure_of_everything_is_not_called_wrong() -> None:
    """Of a gradient of 1e-40 the numeric derivative sees only zeros."""
    network = dr.Network((2, 4, 2), hidden=dr.Tanh(), rng=3)
    network.weights[1][:] *= 100.0
    inputs = np.array([[1.0, 2.0], [-1.0, 0.5]])
    check = gradcheck(network, inputs, network.predict(inputs))
    assert check.ok
    assert "so sure of these samples" in check.notes[-1]
    assert json.loads(json.dumps(check.to_json_dict()))["ok"] is True
    wrong = gradcheck(network, inputs, 1 - network.predict(inputs))
    assert wrong.ok
    assert wrong.notes == ()


def test_matrix_products_keep_to_one_thread_and_have_theirs_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """On busy cores threads that wait for each other cost several times what they save."""
    threadpoolctl, seen = pytest.importorskip("threadpoolctl"), []

    def note_threads() -> None:
        seen.append({each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"})

    def gradient(network: dr.Network, inputs: Array, y: Array) -> Any:
        note_threads()
        return dr.loss_and_gradient(network, inputs, y)

    def findings(*arguments: Any) -> tuple[()]:
        note_threads()
        return ()

    monkeypatch.setattr(diagnosis, "training_findings", findings)
    with threadpoolctl.threadpool_limits(2, "blas"):
        note_threads()
        assert gradcheck(network_of(), X, CLASSES, gradient=gradient).ok
        dr.diagnose(network_of(), X, CLASSES)
        note_threads()
    assert seen == [seen[0], {1}, {1}, seen[0]]
    assert max(seen[0], default=0) == 2


def test_an_assert_of_a_check_fails_for_a_wrong_gradient() -> None:
    def reversed_gradient(network: dr.Network, X: Any, y: Any) -> Any:
        loss, grads = dr.loss_and_gradient(network, X, y)
        grads.vector[:] *= -1
        return loss, grads

    network = dr.Network((4, 5, 3), rng=0)
    assert gradcheck(network, X, CLASSES)
    assert not gradcheck(network, X, CLASSES, gradient=reversed_gradient)
