"""Scores, as scikit-learn counts them, whatever the blocks they were counted in."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data.dataset import Dataset
from deltarule.nn.activations import Identity, Sigmoid, Softmax
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Quadratic
from deltarule.nn.network import PREDICTION_ROWS, Network
from deltarule.settings import Task
from deltarule.training.evaluation import evaluate
from deltarule.training.plan import Score

cuts = st.lists(st.integers(1, 59), max_size=6).map(lambda inner: [0, *sorted(set(inner)), 60])
seeds = st.integers(0, 2**32 - 1)


def scored(task: Task, a: np.ndarray, y: np.ndarray, edges: list[int]) -> float:
    """The score of outputs a against y, counted from edge to edge."""
    score = Score(task)
    for start, stop in pairwise(edges):
        score.add(a[start:stop], y[start:stop])
    assert score.n_samples == len(y)
    return score.value


@given(cuts, seeds)
def test_accuracy_of_classes(edges: list[int], seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    a, y = rng.random((60, 4), dtype=np.float32), rng.integers(4, size=60)
    assert scored("classes", a, y, edges) == pytest.approx(metrics.accuracy_score(y, a.argmax(axis=1)), rel=1e-15)


@given(cuts, seeds)
def test_accuracy_of_labels_counts_single_answers(edges: list[int], seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    a, y = rng.random((60, 3), dtype=np.float32), rng.integers(2, size=(60, 3)).astype(np.uint8)
    expected = metrics.accuracy_score(y.ravel(), (a >= 0.5).ravel())
    assert scored("labels", a, y, edges) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("far", [0.0, 1e6, -1e9])
@given(cuts, seeds)
def test_r2_of_values(far: float, edges: list[int], seed: int) -> None:
    """Also where the values lie far from 0: R2 compares distances, which must not drown in the mean."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    y = far + rng.normal(size=(60, 3))
    a = y + rng.normal(size=(60, 3)) * [0.1, 1.0, 3.0]
    assert scored("values", a, y, edges) == pytest.approx(metrics.r2_score(y, a), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("off", "of_the_constant"), [(0.0, 1.0), (0.25, 0.0)])
def test_r2_of_a_constant(off: float, of_the_constant: float) -> None:
    """No distance from the mean is left to explain: 1 if exactly right, else 0.

    (scikit-learn has the same rule, but takes the rounding of the mean of 0.1 for a distance.)
    """
    y = np.stack([np.full(60, 0.1), np.arange(60.0)], axis=1)
    a = y + np.array([off, 1.0])
    of_the_count = 1 - 60 / 17995  # 17,995 is the sum of squared distances of 0 ... 59 from their mean
    expected = (of_the_constant + of_the_count) / 2
    assert scored("values", a, y, [0, 7, 60]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("task", ["classes", "labels", "values"])
def test_no_score_of_nothing(task: Task) -> None:
    assert math.isnan(Score(task).value)


@pytest.mark.parametrize("n_samples", [1, 5, PREDICTION_ROWS + 1])
def test_evaluate_is_the_mean_loss_and_the_score(n_samples: int) -> None:
    rng = np.random.default_rng(n_samples)
    X, y = rng.normal(size=(n_samples, 3)), rng.integers(4, size=n_samples)
    network = Network((3, 6, 4), dropout=0.5, dtype=np.float64)
    loss, accuracy = evaluate(network, Dataset(X, y, class_names=("a", "b", "c", "d")))
    a = network.outputs(X)
    assert loss == pytest.approx(-np.log(a[np.arange(n_samples), y]).mean(), rel=1e-12)
    assert accuracy == (a.argmax(axis=1) == y).mean()
    assert (type(loss), type(accuracy)) == (float, float)


def test_evaluate_every_task() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    labels, values = rng.integers(2, size=(50, 2)).astype(np.uint8), rng.normal(size=(50, 2))
    asked = Network((3, 2), output=Sigmoid(), loss=BinaryCrossEntropy(), dtype=np.float64)
    a = asked.outputs(X)
    loss, score = evaluate(asked, Dataset(X, labels, "labels"))
    assert loss == pytest.approx(-np.log(np.where(labels == 1, a, 1 - a)).sum() / 50, rel=1e-12)
    assert score == pytest.approx(((a >= 0.5) == labels).mean(), rel=1e-15)
    valued = Network((3, 2), output=Identity(), loss=Quadratic(), dtype=np.float64)
    a = valued.outputs(X)
    loss, score = evaluate(valued, Dataset(X, values, "values"))
    assert loss == pytest.approx(((a - values) ** 2).sum() / 100, rel=1e-12)
    explained = 1 - ((a - values) ** 2).sum(axis=0) / ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    assert score == pytest.approx(explained.mean(), rel=1e-12)


def test_pixels_are_scored_as_they_are_trained_on() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(9, 16), dtype=np.uint8)
    y = np.arange(9) % 3
    network = Network((16, 3), output=Softmax(), loss=CrossEntropy(), pixels=True, dtype=np.float64)
    as_floats = evaluate(network, Dataset(pixels / 255.0, y))
    assert evaluate(network, Dataset(pixels, y)) == pytest.approx(as_floats, rel=1e-12)
