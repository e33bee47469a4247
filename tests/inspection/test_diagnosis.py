"""diagnose: faults that were put there are found and named, and sound networks have none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.cli.examples import job_of
from deltarule.inspection.diagnosis import diagnose_training
from deltarule.inspection.finding import Diagnosis
from deltarule.nn.arrays import Array

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
FAULTS: dict[str, tuple[str, str, Callable[[], Diagnosis]]] = {
    "pixels 0 to 255": ("fault", "inputs-not-scaled", lambda: look(
        digits_net(), IMAGES.astype(np.float32).reshape(-1, 14, 14), LABELS)),
    "a column in thousands": ("fault", "inputs-not-scaled", lambda: look(values_net(), one_column(5000.0), SUMS)),
    "a column in tens": ("warning", "inputs-not-scaled", lambda: look(values_net(), one_column(10.0), SUMS)),
    "pixels divided twice": ("warning", "inputs-too-small", lambda: look(
        digits_net(), (IMAGES / 255**2).reshape(-1, 14, 14), LABELS)),
    "one image again and again": ("fault", "inputs-all-alike", lambda: look(
        digits_net(), np.repeat(IMAGES[:1], 400, axis=0), LABELS)),
    "blank images": ("warning", "blank-examples", lambda: look(
        digits_net(), (IMAGES * (np.arange(400) % 5 > 0)[:, None]).reshape(-1, 14, 14).astype(np.uint8), LABELS)),
    "labels shuffled": ("fault", "labels-shuffled", lambda: look(digits_net(), IMAGES, RNG.permutation(LABELS))),
    "values shuffled": ("fault", "labels-shuffled", lambda: look(values_net(), POINTS, RNG.permutation(SUMS))),
    "one class only": ("fault", "one-class", lambda: look(digits_net(), IMAGES[LABELS == 3], LABELS[LABELS == 3])),
    "cut from sorted data": ("warning", "classes-missing", lambda: look(
        digits_net(), IMAGES[LABELS < 6], LABELS[LABELS < 6])),
    "few of one class": ("warning", "shares-far-apart", lambda: look(
        digits_net(), IMAGES[by_class(4)], LABELS[by_class(4)])),
    "a constant target": ("warning", "constant-target", lambda: look(values_net(), POINTS, SUMS * [1.0, 0.0])),
    "targets in thousands": ("warning", "targets-not-scaled", lambda: look(values_net(), POINTS, SUMS * 1e3)),
    "targets out of reach": ("fault", "targets-out-of-reach", lambda: look(values_net(dr.Sigmoid()), POINTS, SUMS)),
    "test images among the training images": ("fault", "validation-in-training", lambda: look(
        digits_net(), IMAGES, LABELS, validation=(IMAGES[:100], LABELS[:100]))),
    "one test image among them": ("warning", "validation-in-training", lambda: look(
        digits_net(), IMAGES, LABELS, validation=(np.vstack([NEW_IMAGES, IMAGES[:1]]), [*NEW_LABELS, LABELS[0]]))),
    "sigmoids saturated": ("fault", "saturated-units", lambda: look(
        digits_net(hidden=dr.Sigmoid(initializer=dr.uniform)), IMAGES, LABELS)),
    "tanhs saturated": ("warning", "saturated-units", lambda: look(
        digits_net(hidden=dr.Tanh(initializer=N)), IMAGES, LABELS)),
    "ReLUs dead": ("fault", "dead-relus", lambda: look(biased(digits_net(), -50.0), IMAGES, LABELS)),
    "ReLUs that die": ("fault", "dead-relus", lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=0.5)),
    "weights too large": ("warning", "weights-too-large", lambda: look(
        digits_net(hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "weights too small": ("warning", "weights-too-small", lambda: look(scaled(digits_net(), 0.01), IMAGES, LABELS)),
    "weights of 0": ("fault", "weights-all-equal", lambda: look(
        digits_net(hidden=dr.ReLU(initializer=dr.zeros)), IMAGES, LABELS)),
    "parameters not finite": ("fault", "parameters-not-finite", lambda: look(broken(digits_net()), IMAGES, LABELS)),
    "sure before it knows": ("warning", "starts-too-sure", lambda: look(
        digits_net(output=dr.Softmax(initializer=N), hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "gradient vanishing": ("fault", "vanishing-gradient", lambda: look(
        digits_net(*[20] * 8, hidden=dr.Sigmoid()), IMAGES, LABELS)),
    "gradient exploding": ("fault", "exploding-gradient", lambda: look(
        digits_net(*[40] * 8, hidden=dr.ReLU(initializer=N)), IMAGES, LABELS)),
    "rate too high": ("fault", "learning-rate-too-high", lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=1.0)),
    "rate far too high": ("fault", "learning-rate-too-high", lambda: look(
        values_net(), POINTS, SUMS, learning_rate=5.0, optimizer=dr.SGD())),
    "rate too low": ("fault", "learning-rate-too-low", lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=1e-7)),
    "steps too small": ("warning", "steps-too-small", lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=1e-8)),
    "steps too large": ("warning", "steps-too-large", lambda: look(
        digits_net(), IMAGES, LABELS, learning_rate=0.5)),
    "nothing to learn": ("fault", "stuck-at-chance", lambda: look(
        scaled(digits_net(hidden=dr.ReLU(initializer=dr.zeros)), 0.0), IMAGES, LABELS)),
    "equal images with different labels": ("fault", "cannot-overfit-one-batch", lambda: look(
        digits_net(), np.repeat(IMAGES[:2], 200, axis=0), np.arange(400) % 10)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_found_and_named(name: str) -> None:
    level, fault, make = FAULTS[name]
    diagnosis = make()
    assert levels(diagnosis).get(fault) == level, str(diagnosis)
    found = next(each for each in diagnosis if each.id == fault)
    assert found.says.endswith(".")
    assert found.evidence
    assert all(isinstance(number, int | float) for number in found.evidence.values())
    assert found.mend


SOUND = {
    "softmax": lambda: look(digits_net(), IMAGES, LABELS, validation=(NEW_IMAGES, NEW_LABELS)),
    "as images": lambda: look(digits_net(), IMAGES.reshape(-1, 14, 14), LABELS),
    "two hidden layers": lambda: look(digits_net(64, 32), IMAGES, LABELS),
    "linear": lambda: look(dr.Network((196, 10)), IMAGES, LABELS),
    "tanh": lambda: look(digits_net(hidden=dr.Tanh()), IMAGES, LABELS),
    "sigmoid": lambda: look(digits_net(hidden=dr.Sigmoid()), IMAGES, LABELS, learning_rate=0.003),
    "elu with dropout": lambda: look(digits_net(hidden=dr.ELU(), dropout=0.3), IMAGES, LABELS),
    "sgd": lambda: look(digits_net(), IMAGES, LABELS, optimizer=dr.SGD(), learning_rate=0.1),
    "momentum": lambda: look(digits_net(), IMAGES, LABELS, optimizer=dr.Momentum(), learning_rate=0.02),
    "full batch": lambda: look(digits_net(), IMAGES, LABELS, batch_size=None),
    "ten sigmoids": lambda: look(
        digits_net(hidden=dr.Tanh(), output=dr.Sigmoid(), loss=dr.BinaryCrossEntropy()), IMAGES, ONE_HOT
    ),
    "values": lambda: look(values_net(), POINTS, SUMS, learning_rate=0.01),
    "a recipe": lambda: recipe("cute-dog"),
}  # fmt: skip


def recipe(name: str) -> Diagnosis:
    job = job_of(name, None, None, offline=True)
    return diagnose_training(job.trainer, job.train, None if job.test is None else job.model.scaled(job.test))


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_network_has_no_fault(name: str) -> None:
    diagnosis = SOUND[name]()
    assert {each.id for each in diagnosis if each.level != "note"} == set(), str(diagnosis)


@pytest.mark.parametrize("name", ["xor", "arithmetic", "digits"])
def test_recipes_that_learn_have_no_fault(name: str) -> None:
    assert recipe(name).faults == ()


def test_the_posts_network_as_written(mnist: dr.Splits) -> None:
    job = job_of("sigmoid-16-16-as-written", None, None, offline=True)
    faults = {each.id for each in diagnose_training(job.trainer, job.train.take(slice(500))).faults}
    assert {"inputs-not-scaled", "saturated-units", "stuck-at-chance"} <= faults


@pytest.mark.parametrize("name", ["nielsen-30", "four-equations", "sigmoid-16-16", "relu-10", "quick"])
def test_the_posts_networks_mended_have_no_fault(mnist: dr.Splits, name: str) -> None:
    job = job_of(name, None, None, offline=True)
    assert diagnose_training(job.trainer, job.train.take(slice(500)), job.test).faults == ()
