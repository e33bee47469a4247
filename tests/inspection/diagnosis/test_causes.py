"""The true cause comes first: programs of learners that do not learn, each with what is wrong with it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.inspection.diagnosis.causes import Trials
from deltarule.inspection.diagnosis.diagnose import diagnose_network, diagnose_training, history_findings
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.inspection.diagnosis.static_findings import output_findings
from deltarule.nn.arrays import Array
from deltarule.recipes import read
from deltarule.recipes.build import Job, build

pytestmark = pytest.mark.usefixtures("fewer_steps")
DIGITS = dr.load_data("digits").train
IMAGES, LABELS = DIGITS.inputs.reshape(-1, 28, 28), DIGITS.targets
SMALL, FEW = IMAGES[:600, ::2, ::2], LABELS[:600]
RNG = np.random.default_rng(0)
ANGLES = RNG.uniform(0.0, np.pi, 400)
SIDE = np.arange(400) % 2
MOONS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) * (1 - 2 * SIDE[:, None]) + SIDE[:, None] * [1.0, 0.5]
RING = (np.hypot(*(CLOUD := RNG.normal(size=(400, 2))).T) > 1.2).astype(int)
TABLE = RNG.normal(size=(400, 8))
SUMS = TABLE @ RNG.normal(size=(8, 1)) / 3.0
YES = (SUMS[:, 0] > 0.0).astype(int)
SIGMOIDS: dict[str, Any] = {"output": "sigmoid", "loss": "quadratic", "task": "classes"}
YES_OR_NO: dict[str, Any] = {"output": "sigmoid", "loss": "binary_cross_entropy"}
VALUES: dict[str, Any] = {"output": "identity", "loss": "quadratic"}
look = dr.diagnose


def net(*sizes: int, **settings: Any) -> dr.Network:
    return dr.Network(sizes, **settings)


def sgd(rate: float, batch_size: int = 32) -> dict[str, Any]:
    return {"optimizer": "sgd", "learning_rate": rate, "batch_size": batch_size}


def normal(factor: float) -> Callable[..., Array]:
    return lambda rng, fan_in, fan_out: factor * rng.standard_normal((fan_in, fan_out))


def nielsen(seed: int = 0, rate: float = 3.0, data: dr.Splits | None = None) -> Job:
    recipe = read("nielsen-30").with_changes([f"schedule.rate={rate}"])
    return build(recipe, data or dr.Splits(DIGITS), seed=seed, engine="numpy")


class TanhWithAWrongSlope(dr.Activation):
    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return 1.0 - a


class LossUphill(dr.Loss):
    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return t - a


class NetworkWithItsOwnBackward(dr.Network):
    def backward(self) -> None:
        """Nobody calls it."""


def small_relus(n_inputs: int, *sizes: int, factor: float = 0.1) -> dr.Network:
    start = normal(factor)
    return net(
        n_inputs,
        *sizes,
        1,
        hidden=dr.ReLU(initializer=start),
        output=dr.Sigmoid(initializer=start),
        loss=YES_OR_NO["loss"],
    )


def network_killed_by_its_rate() -> dr.Network:
    network = net(196, 30, 10)
    with suppress(dr.DeltaruleError):
        dr.fit(network, SMALL, FEW, epochs=2, **sgd(30.0))
    network.biases[0][:] = -1e3
    return network


def overfitted() -> Diagnosis:
    targets = SUMS + 2.0 * RNG.normal(size=SUMS.shape)
    network = net(8, 60, 60, 1, **VALUES)
    dr.fit(network, TABLE[:150], targets[:150], epochs=150, learning_rate=0.01, batch_size=32)
    return look(network, TABLE[:150], targets[:150], validation=(TABLE[150:], targets[150:]))


def train(job: Job) -> Diagnosis:
    return diagnose_training(job.trainer, job.train)


PATIENTS: dict[str, tuple[str, Callable[[], Diagnosis]]] = {
    "a rate 100 times too high": ("learning-rate-too-high", lambda: train(nielsen(rate=300.0))),
    "a rate that diverges": ("learning-rate-too-high", lambda: look(net(8, 20, 1, **VALUES), TABLE, SUMS, **sgd(20.0))),
    "units that the rate killed": (
        "learning-rate-too-high", lambda: look(network_killed_by_its_rate(), SMALL, FEW, **sgd(30.0))),
    "a rate 1000 times too low": ("learning-rate-too-low", lambda: look(net(8, 16, 2), TABLE, YES, **sgd(1e-4))),
    "deep sigmoids": ("vanishing-gradient", lambda: look(
        net(196, 50, 50, 50, 10, hidden=dr.Sigmoid(initializer=dr.lecun_normal), **SIGMOIDS), SMALL, FEW, **sgd(0.1))),
    "six layers of sigmoids for a table": ("vanishing-gradient", lambda: look(
        net(8, *[16] * 6, 1, hidden="sigmoid", **YES_OR_NO), TABLE, YES, **sgd(0.1))),
    "small weights in a deep network": ("weights-too-small", lambda: look(
        small_relus(2, 4, 6, 6, 4), MOONS, SIDE, learning_rate=0.01)),
    "smaller weights, wider layers": ("weights-too-small", lambda: look(
        small_relus(8, 20, 20, 20, factor=0.01), TABLE, YES, **sgd(0.1))),
    "pixels as floats to 255": ("inputs-not-scaled", lambda: look(
        net(196, 30, 10, hidden="sigmoid", **SIGMOIDS), SMALL.reshape(600, -1).astype(np.float32), FEW, **sgd(3.0))),
    "33 subtracted in uint8": ("pixels-wrapped", lambda: look(net(784, 30, 10), IMAGES[:600] - np.uint8(33), FEW)),
    "pixels as int8": ("pixels-wrapped", lambda: look(net(784, 30, 10), IMAGES[:600].astype(np.int8), FEW)),
    "wrapped pixels as floats of 0 to 1": ("pixels-wrapped", lambda: look(
        net(784, 30, 10), (IMAGES[:600] - np.uint8(100)).reshape(600, -1) / 255.0, FEW)),
    "one sigmoid for ten classes": ("one-output-for-classes", lambda: look(
        net(196, 30, 1, output="sigmoid", loss="quadratic"), SMALL, FEW.astype(float), **sgd(3.0))),
    "one tanh for three classes": ("one-output-for-classes", lambda: look(
        net(8, 30, 1, output="tanh", loss="quadratic"), TABLE, np.digitize(SUMS[:, 0], [-0.4, 0.4]))),
    "a wrong derivative": ("derivative-wrong", lambda: look(net(8, 16, 2, hidden=TanhWithAWrongSlope()), TABLE, YES)),
    "a loss whose gradient leads uphill": ("derivative-wrong", lambda: look(
        net(8, 16, 2, output="sigmoid", loss=LossUphill(), task="classes"), TABLE, YES)),
    "a backward of its own": ("own-pass-unused", lambda: look(NetworkWithItsOwnBackward((8, 16, 2)), TABLE, YES)),
    "one column near a million": ("inputs-not-scaled", lambda: look(
        net(8, 16, 1, **VALUES), TABLE * [1, 1, 1e6, 1, 1, 1, 1, 1], SUMS)),
    "an overfitted table": ("overfitting", overfitted),
    "targets moved by a row": ("labels-shifted", lambda: look(net(8, 16, 2), TABLE[1:], YES[:-1])),
    "targets in ten thousands": ("targets-not-scaled", lambda: look(
        net(8, 16, 1, **VALUES), TABLE, SUMS * 1e4, learning_rate=0.01)),
    "inverted images in the test": ("validation-inverted", lambda: look(
        net(196, 30, 10), SMALL[:400], FEW[:400], validation=(255 - SMALL[400:], FEW[400:]))),
    "a test on another scale": ("validation-on-another-scale", lambda: look(
        net(8, 16, 2), TABLE[:300], YES[:300], validation=(TABLE[300:] * 20.0, YES[300:]))),
    "images stored transposed": ("images-turned", lambda: look(
        net(784, 30, 10), IMAGES.transpose(0, 2, 1), LABELS)),
    "softmax in the middle": ("softmax-between-layers", lambda: look(
        net(8, 30, 30, 2, hidden="softmax"), TABLE, YES, **sgd(0.1))),
    "a ring without a nonlinearity": ("no-nonlinearity", lambda: look(
        net(2, 16, 16, 2, hidden="identity"), CLOUD, RING, learning_rate=0.01)),
    "a ring without a hidden layer": ("no-nonlinearity", lambda: look(
        net(2, 1, **YES_OR_NO), CLOUD, RING, learning_rate=0.01)),
    "moons, linear, and that is not bad": ("no-nonlinearity", lambda: look(
        net(2, 16, 2, hidden="identity"), MOONS, SIDE, learning_rate=0.01)),
    "equal sigmoids": ("weights-all-equal", lambda: look(
        net(8, 16, 2, hidden=dr.Sigmoid(initializer=dr.zeros)), TABLE, YES, **sgd(0.1))),
    "nearly all dropped": ("too-much-dropout", lambda: look(
        net(8, 16, 16, 2, dropout=0.97), TABLE, YES, learning_rate=0.01)),
    "repeated columns": ("columns-alike", lambda: look(
        net(16, 16, 2), np.hstack([TABLE, TABLE]), YES, learning_rate=0.01)),
}  # fmt: skip


@pytest.mark.parametrize("name", PATIENTS)
def test_the_true_cause_comes_first(name: str) -> None:
    expected, make = PATIENTS[name]
    diagnosis = make()
    assert next(iter(diagnosis)).id == expected, str(diagnosis)


def test_what_a_cause_explains_stands_below_it_and_is_named() -> None:
    diagnosis = look(small_relus(8, 20, 20, 20, factor=0.01), TABLE, YES, **sgd(0.1))
    cause, *others = diagnosis
    assert "stuck-at-chance" in cause.explains
    assert set(cause.explains) <= {each.id for each in others}
    assert f"This explains: {cause.explains[0]}" in str(diagnosis)
    assert diagnosis.to_json_list()[0]["explains"] == list(cause.explains)


def test_a_rate_that_alone_would_do_is_said_beside_the_cause() -> None:
    first, *others = look(net(8, 16, 1, **VALUES), TABLE, SUMS * 1e4)
    assert (first.id, first.level) == ("targets-not-scaled", "fault")
    assert [(each.id, each.level) for each in others] == [("learning-rate-too-low", "note")]


def test_outputs_that_never_fire_are_named_with_their_classes(mnist: dr.Splits) -> None:
    job = nielsen(5, data=mnist)
    found = list(Trials.of(job.trainer, job.train).stuck_findings(job.train))
    assert {(each.id, each.evidence["output"]) for each in found} == {("output-never-fires", k) for k in (0, 4)}
    assert all("cross-entropy" in each.fix for each in found)


def test_a_sound_seed_has_no_output_that_never_fires(mnist: dr.Splits) -> None:
    job = nielsen(0, data=mnist)
    assert list(Trials.of(job.trainer, job.train).stuck_findings(job.train)) == []


def test_a_trained_network_is_told_the_class_that_it_lost() -> None:
    network = net(196, 10, **SIGMOIDS)
    dr.fit(network, SMALL, FEW, epochs=20, **sgd(1.0))
    assert list(output_findings(network, dr.Dataset(SMALL.reshape(600, -1), FEW))) == []
    network.biases[0][3] = -40.0
    data = dr.Dataset(SMALL.reshape(600, -1), FEW, image_shape=(14, 14))
    first = next(iter(diagnose_network(network, data)))
    assert (first.id, first.level, first.evidence["output"]) == ("output-never-fires", "fault", 3)
    assert "3 is never predicted" in first.says


def test_tables_that_overfit_are_not_advised_to_deform_images() -> None:
    rows = [{"train_loss": 1.0 / epoch, "validation_loss": 0.3 + 0.1 * epoch} for epoch in range(1, 9)]
    (of_table,) = history_findings(rows)
    assert "L2" in of_table.fix
    assert "fewer epochs" in of_table.fix
    assert "deformed" not in of_table.fix
    assert "deformed" not in next(iter(overfitted())).fix


def test_pixels_are_to_be_divided_and_columns_standardized() -> None:
    pixels = SMALL.reshape(600, -1).astype(float)
    for X, cure in ((pixels, "divide them by 255"), (np.rint(pixels / 16.0) * 2.0, "divide them by 32")):
        found = {each.id: each for each in look(net(196, 30, 10), X, FEW)}
        assert cure in found["inputs-not-scaled"].fix
    constant = TABLE * [1e5, 0, 1, 1, 1, 1, 1, 1]
    found = {each.id: each for each in look(net(8, 16, 1, **VALUES), constant, SUMS)}
    assert "standardize" in found["inputs-not-scaled"].fix
    assert "leave constant columns out" in found["inputs-not-scaled"].fix
