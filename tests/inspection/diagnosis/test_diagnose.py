"""diagnose: faults that were put there are found and named, and sound networks have none."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.cli.options import SubjectOptions
from deltarule.cli.resolve import resolve
from deltarule.errors import DataError, ShapeError
from deltarule.inspection.diagnosis.diagnose import diagnose_training
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.nn.arrays import Array

pytestmark = pytest.mark.usefixtures("fewer_steps")
DIGITS = dr.load_data("digits").train.take(slice(600))
IMAGES, LABELS = DIGITS.inputs.reshape(-1, 28, 28)[:, ::2, ::2].reshape(600, 196), DIGITS.targets  # every other pixel
NEW_IMAGES, NEW_LABELS, IMAGES, LABELS = IMAGES[400:], LABELS[400:], IMAGES[:400], LABELS[:400]
RNG = np.random.default_rng(0)
ONE_HOT = np.eye(10, dtype=int)[LABELS]
look = dr.diagnose
POINTS = RNG.normal(size=(600, 5))
SUMS = POINTS @ RNG.normal(size=(5, 2))


def digits_net(*hidden: int, **settings: Any) -> dr.Network:
    return dr.Network((196, *(hidden or (30,)), 10), **settings)


def values_net(output: dr.Activation = dr.Identity(), **settings: Any) -> dr.Network:
    return dr.Network((5, 20, 2), output=output, loss=dr.Quadratic(), **settings)


def levels(diagnosis: Diagnosis) -> dict[str, str]:
    return {each.id: each.level for each in diagnosis}


def shuffled(targets: Array) -> Array:
    return np.random.default_rng(1).permutation(targets)


def biased(network: dr.Network, bias: float) -> dr.Network:
    network.biases[0][:] = bias
    return network


def scaled(network: dr.Network, factor: float) -> dr.Network:
    network.parameters.vector[:] *= factor
    return network


def broken(network: dr.Network) -> dr.Network:
    network.weights[0][3, 4] = np.nan
    return network


def one_column(factor: float) -> Array:
    points = POINTS.copy()
    points[:, 2] *= factor
    return points


def by_class(n_last: int) -> Array:
    """Examples of which few are of the class 9."""
    return np.concatenate([np.flatnonzero(LABELS != 9), np.flatnonzero(LABELS == 9)[:n_last]])


N = dr.standard_normal
FAULTS: dict[str, tuple[dict[str, str], Callable[[], Diagnosis]]] = {
    "pixels 0 to 255": ({"inputs-not-scaled": "fault"}, lambda: look(
        digits_net(), IMAGES.astype(np.float32).reshape(-1, 14, 14), LABELS)),
    "a column in thousands": ({"inputs-not-scaled": "fault"}, lambda: look(values_net(), one_column(5000.0), SUMS)),
    "pixels divided twice": ({"inputs-too-small": "fault"}, lambda: look(
        digits_net(), (IMAGES / 255**2).reshape(-1, 14, 14), LABELS)),
    "one image again and again": ({"inputs-all-alike": "fault"}, lambda: look(
        digits_net(), np.repeat(IMAGES[:1], 400, axis=0), LABELS)),
    "blank images": ({"blank-examples": "warning"}, lambda: look(
        digits_net(), (IMAGES * (np.arange(400) % 5 > 0)[:, None]).reshape(-1, 14, 14).astype(np.uint8), LABELS)),
    "labels shuffled": ({"labels-shuffled": "fault"}, lambda: look(digits_net(), IMAGES, shuffled(LABELS))),
    "values shuffled": ({"labels-shuffled": "fault"}, lambda: look(values_net(), POINTS, shuffled(SUMS))),
    "one class only": ({"one-class": "fault"}, lambda: look(digits_net(), IMAGES[LABELS == 3], LABELS[LABELS == 3])),
    "cut from sorted data": ({"classes-missing": "warning"}, lambda: look(
        digits_net(), IMAGES[LABELS < 6], LABELS[LABELS < 6])),
    "few of one class": ({"shares-far-apart": "note"}, lambda: look(
        digits_net(), IMAGES[by_class(4)], LABELS[by_class(4)])),
    "a constant target": ({"constant-target": "warning"}, lambda: look(values_net(), POINTS, SUMS * [1.0, 0.0])),
    "targets in thousands": ({"targets-not-scaled": "fault"}, lambda: look(values_net(), POINTS, SUMS * 1e3)),
    "targets out of reach": ({"targets-out-of-reach": "fault"}, lambda: look(values_net(dr.Sigmoid()), POINTS, SUMS)),
    "test images among the training images": ({"validation-in-training": "fault"}, lambda: look(
        digits_net(), IMAGES, LABELS, validation=(IMAGES[:100], LABELS[:100]))),
    "one test image among them": ({"validation-in-training": "warning"}, lambda: look(
        digits_net(), IMAGES, LABELS, validation=(np.vstack([NEW_IMAGES, IMAGES[:1]]), [*NEW_LABELS, LABELS[0]]))),
    "sigmoids saturated": ({"saturated-units": "fault"}, lambda: look(
        digits_net(hidden=dr.Sigmoid(initializer=dr.uniform)), IMAGES, LABELS, optimizer="sgd", learning_rate=0.1)),
    "tanhs saturated, and it learns": ({"saturated-units": "note"}, lambda: look(
        digits_net(hidden=dr.Tanh(initializer=N)), IMAGES, LABELS)),
    "ReLUs dead": ({"dead-relus": "fault"}, lambda: look(biased(digits_net(), -50.0), IMAGES, LABELS)),
    "weights too large, and it learns": ({"weights-too-large": "note"}, lambda: look(
        digits_net(hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "weights too small, and it learns": ({"weights-too-small": "note"}, lambda: look(
        scaled(digits_net(), 0.01), IMAGES, LABELS)),
    "weights of 0": ({"weights-all-equal": "fault", "dead-relus": "fault", "stuck-at-chance": "fault"}, lambda: look(
        digits_net(hidden=dr.ReLU(initializer=dr.zeros)), IMAGES, LABELS)),
    "parameters not finite": ({"parameters-not-finite": "fault"}, lambda: look(broken(digits_net()), IMAGES, LABELS)),
    "sure before it knows, and it learns": ({"starts-too-sure": "note"}, lambda: look(
        digits_net(output=dr.Softmax(initializer=N), hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "gradient exploding": ({"exploding-gradient": "fault"}, lambda: look(
        digits_net(*[40] * 8, hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "rate too high": (
        {"learning-rate-too-high": "fault", "dead-relus": "fault"}, lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=1.0)),
    "rate far too high": ({"learning-rate-too-high": "fault"}, lambda: look(
        values_net(), POINTS, SUMS, learning_rate=5.0, optimizer=dr.SGD())),
    "rate too low": ({"learning-rate-too-low": "fault"}, lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=1e-6)),
    "equal images with different labels": ({"cannot-overfit-one-batch": "fault"}, lambda: look(
        digits_net(), np.repeat(IMAGES[:2], 200, axis=0), np.arange(400) % 10)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_found_and_named(name: str) -> None:
    expected, make = FAULTS[name]
    diagnosis = make()
    assert expected.items() <= levels(diagnosis).items(), str(diagnosis)
    for found in (each for each in diagnosis if each.id in expected):
        assert found.says.endswith(".")
        assert found.evidence
        assert all(isinstance(number, int | float) for number in found.evidence.values())
        assert found.fix


def test_a_recipe_has_no_fault_on_mnist(mnist: dr.Splits) -> None:
    job = resolve(SubjectOptions(name="quick", offline=True))
    assert diagnose_training(job.trainer, job.train.take(slice(500)), job.test).faults == ()


def test_the_network_and_the_optimizer_are_left_as_they_were() -> None:
    network, optimizer = digits_net(dropout=0.2), dr.Adam()
    before = network.parameters.vector.copy()
    look(network, IMAGES, LABELS, optimizer=optimizer)
    np.testing.assert_array_equal(network.parameters.vector, before)
    assert (optimizer.steps, network.dropout) == (0, (0.2,))


def test_the_same_question_gets_the_same_answer() -> None:
    first, second = (look(values_net(), POINTS, SUMS, learning_rate=1e-6) for _ in range(2))
    assert first == second
    assert first


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"196 features and 10 outputs .classes.: got a network with 5 inputs"):
        look(dr.Network((5, 10)), IMAGES, LABELS)
    with pytest.raises(ShapeError, match="5 features"):
        look(digits_net(), IMAGES, LABELS, validation=(POINTS, LABELS[:1].repeat(600)))
    with pytest.raises(DataError, match="X must be finite"):
        look(values_net(), one_column(np.nan), SUMS)


def test_a_reach_without_end_is_a_number_in_json() -> None:
    network = dr.Network((5, 20, 2), output="exponential", loss="quadratic")
    assert "targets-out-of-reach" in json.dumps(look(network, POINTS, SUMS).to_json_list(), allow_nan=False)


def test_large_counts_are_not_to_be_standardized() -> None:
    network = dr.Network((5, 20, 2), output="exponential", loss="poisson")
    assert "targets-not-scaled" not in levels(look(network, POINTS, np.rint(np.exp(6.0 + SUMS))))
