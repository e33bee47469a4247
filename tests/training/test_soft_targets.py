"""Probabilities instead of classes: what label smoothing is a case of, and what distillation needs."""

from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.dataset import data_hash
from deltarule.errors import DataError, ShapeError
from deltarule.nn.arrays import Array
from deltarule.training.trainer import Trainer

DIGITS = dr.load_data("digits").train.take(slice(300))


def smooth(y: Array, share: float) -> Array:
    return (1.0 - share) * np.eye(10)[y] + share / 10


def network(**settings: Any) -> dr.Network:
    return dr.Network((784, 12, 10), rng=1, **settings)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_label_smoothing_is_a_case_of_them(engine: str) -> None:
    soft, smoothed = network(), network(loss=dr.CrossEntropy(label_smoothing=0.2))
    history = dr.fit(soft, DIGITS.inputs, smooth(DIGITS.targets, 0.2), epochs=3, engine=engine)
    expected = dr.fit(smoothed, DIGITS, epochs=3, engine=engine)
    np.testing.assert_allclose(soft.parameters.vector, smoothed.parameters.vector, atol=1e-6)
    np.testing.assert_allclose(history["train_loss"], expected["train_loss"], rtol=1e-6)
    assert history["train_accuracy"] == expected["train_accuracy"]
    assert soft.task == "classes"


def test_the_gradient_is_the_complex_steps() -> None:
    rng = np.random.default_rng(0)
    rows = rng.random((7, 10))
    soft = rows / rows.sum(axis=1, keepdims=True)
    report = dr.gradcheck(network(dtype=np.float64), DIGITS.inputs[:7] / 255.0, soft)
    assert report.ok
    assert dr.gradcheck(network(dtype=np.float64), DIGITS.inputs[:7] / 255.0, soft.argmax(axis=1)).ok


def test_a_network_learns_what_another_answers() -> None:
    teacher, student = network(), network()
    dr.fit(teacher, DIGITS, epochs=5, learning_rate=0.01)
    answers = teacher.outputs(DIGITS.inputs / 255.0)
    dr.fit(student, DIGITS.inputs, answers, epochs=25, learning_rate=0.01)
    assert np.abs(student.outputs(DIGITS.inputs / 255.0) - answers).mean() < 0.01
    loss, score = dr.evaluate(student, DIGITS.inputs, answers)
    assert score > 0.95
    entropy = -(answers * np.log(answers)).sum(axis=1).mean()
    assert loss == pytest.approx(entropy, abs=0.05)
    assert loss >= entropy


def test_they_stay_with_their_samples() -> None:
    soft = smooth(DIGITS.targets, 0.1)
    data = dr.Dataset(DIGITS.inputs, DIGITS.targets, class_names=DIGITS.class_names, soft_targets=soft)
    part = data.split_stratified(100, 0).test
    assert part is not None
    np.testing.assert_array_equal(part.loss_targets.argmax(axis=1), part.targets)
    assert data_hash(data) != data_hash(DIGITS)
    trained = network()
    Trainer(network=trained, epochs=1).fit(data)
    again = network()
    dr.fit(again, DIGITS.inputs, soft, epochs=1, batch_size=128)
    assert trained.predict(DIGITS.inputs / 255.0).shape == again.predict(DIGITS.inputs / 255.0).shape


@pytest.mark.parametrize(("wrong", "says"), [(2.0, r"got 2 in a row.* use y / y\.sum"), (-1.0, "y holds values")])
def test_rows_that_do_not_sum_to_1_are_refused(wrong: float, says: str) -> None:
    soft = wrong * smooth(DIGITS.targets, 0.1)
    with pytest.raises(DataError, match=says):
        dr.fit(network(), DIGITS.inputs, soft)
    with pytest.raises(DataError, match=r"whose rows sum to 1.*use soft / soft\.sum"):
        dr.Dataset(DIGITS.inputs, DIGITS.targets, soft_targets=soft)


def test_one_hot_rows_are_still_classes_to_be_counted() -> None:
    with pytest.raises(ShapeError, match=r"one-hot rows.*argmax\(axis=1\)"):
        dr.fit(network(), DIGITS.inputs, np.eye(10)[DIGITS.targets])


def test_the_row_that_does_not_sum_to_1_is_the_one_that_is_shown() -> None:
    soft = smooth(DIGITS.targets, 0.1)
    soft[4] *= 2.0
    with pytest.raises(DataError, match="got 2 in a row of y"):
        dr.fit(network(), DIGITS.inputs, soft)
