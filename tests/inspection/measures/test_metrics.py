"""Metrics against scikit-learn and SciPy, and by hand where those take another convention; reliability by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sklearn_metrics

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError
from deltarule.inspection.measures.metrics import (
    ClassScore,
    ValueScore,
    class_scores,
    confusion_matrix,
    evaluate_model,
    outputs_and_losses,
    reliability_of,
    top_losses,
    top_mistakes,
    value_scores,
    wilson_interval,
)
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Identity, Sigmoid
from deltarule.nn.losses import BinaryCrossEntropy, Quadratic
from deltarule.nn.network import Network
from deltarule.training.evaluation import evaluate

NAMES = ("ant", "bee", "cat", "dog")
answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def assert_agree(scores: tuple[ClassScore, ...], support: np.ndarray, *theirs: np.ndarray) -> None:
    """Their NaN, for a share of nothing, is our None."""
    for name, their in zip(("precision", "recall", "f1"), theirs, strict=True):
        ours = [np.nan if getattr(score, name) is None else getattr(score, name) for score in scores]
        np.testing.assert_allclose(ours, their, rtol=1e-14)
    assert [score.support for score in scores] == support.tolist()


@given(answers)
def test_classes_against_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, predicted = np.array(pairs).T
    matrix = confusion_matrix(true, predicted, 4)
    np.testing.assert_array_equal(matrix, sklearn_metrics.confusion_matrix(true, predicted, labels=range(4)))
    *theirs, support = sklearn_metrics.precision_recall_fscore_support(
        true, predicted, labels=range(4), zero_division=np.nan
    )
    scores = class_scores(np.eye(4)[true], np.eye(4)[predicted], NAMES)
    assert_agree(scores, support, *theirs)
    for k, score in enumerate(scores):
        assert score.name == NAMES[k]
        assert score.accuracy == sklearn_metrics.accuracy_score(true == k, predicted == k)


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=40))
def test_labels_against_scikit_learn(rows: list[list[bool]]) -> None:
    true, predicted = np.split(np.array(rows, dtype=np.uint8), 2, axis=1)
    *theirs, support = sklearn_metrics.precision_recall_fscore_support(true, predicted, zero_division=np.nan)
    scores = class_scores(true, predicted == 1, NAMES[:3])
    assert_agree(scores, support, *theirs)
    assert [score.accuracy for score in scores] == [
        sklearn_metrics.accuracy_score(true[:, k], predicted[:, k]) for k in range(3)
    ]


def test_values_against_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(3.0, 10.0, (50, 4)), rng.normal(3.0, 10.0, (50, 4))
    scores = value_scores(true, predicted, NAMES)
    r2 = sklearn_metrics.r2_score(true, predicted, multioutput="raw_values")
    error = sklearn_metrics.mean_absolute_error(true, predicted, multioutput="raw_values")
    np.testing.assert_allclose([(score.r2, score.mean_absolute_error) for score in scores], np.stack([r2, error], 1))


def test_a_constant_target_has_no_r2() -> None:
    assert value_scores(np.full((3, 1), 0.1), np.full((3, 1), 0.6), ["a"]) == (ValueScore("a", None, 0.5),)


def test_a_class_that_never_occurs_has_no_scores() -> None:
    always_ants = np.tile([1, 0], (5, 1))
    score = class_scores(always_ants, always_ants, ("ant", "bee"))[1]
    assert score == ClassScore("bee", 0, None, 0.0, 1.0, None, None, 1.0)


@pytest.mark.parametrize("trials", [1, 2, 10, 980, 10_000])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.98, 1.0])
def test_wilson_against_scipy(trials: int, share: float) -> None:
    hits = round(share * trials)
    theirs = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(hits, trials)
    np.testing.assert_allclose((low, high), (theirs.low, theirs.high), rtol=1e-6, atol=1e-9)
    assert 0.0 <= low <= hits / trials <= high <= 1.0


def test_mistakes_by_hand() -> None:
    true = np.array([0, 1, 2, 2, 0])
    a = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.0, 0.9, 0.1], [0.1, 0.3, 0.6], [0.2, 0.6, 0.2]])
    found = top_mistakes(true, a)
    assert len(found) == 3
    assert found.example.tolist() == [2, 1, 4]  # of two with 0.6, the first comes first
    assert found.predicted.tolist() == [1, 0, 1]
    assert found.true.tolist() == [2, 1, 0]
    assert found.activation.tolist() == [0.9, 0.6, 0.6]
    assert top_mistakes(true, a, n_most=1).example.tolist() == [2]
    assert len(top_mistakes(np.array([0]), a[:1])) == 0


def test_the_dearest_examples_by_hand() -> None:
    """Costs -ln 0.5, -ln 0.25, -ln 0.125: half, and half again."""
    network = Network((3, 2), dtype=np.float64)
    network.weights[0][:] = [[0.0, 0.0], [np.log(3.0), 0.0], [np.log(7.0), 0.0]]
    outputs, losses = outputs_and_losses(network, Dataset(np.eye(3), np.array([0, 1, 1])))
    np.testing.assert_allclose(outputs[:, 0], [1 / 2, 3 / 4, 7 / 8])
    np.testing.assert_allclose(losses, np.log([2.0, 4.0, 8.0]))
    found = top_losses(losses, n_most=2)
    assert [row["example"] for row in found] == [2, 1]
    np.testing.assert_allclose([row["loss"] for row in found], np.log([8.0, 4.0]))


@pytest.mark.parametrize(("output", "loss"), [(Sigmoid(), Quadratic()), (Sigmoid(), BinaryCrossEntropy())])
def test_losses_of_examples_average_to_the_loss(output: Sigmoid, loss: Quadratic) -> None:
    rng = np.random.default_rng(0)
    data = Dataset(rng.normal(size=(2500, 4)), rng.integers(0, 2, (2500, 3), dtype=np.uint8), "labels")
    network = Network((4, 3), output=output, loss=loss, dtype=np.float64)
    outputs, losses = outputs_and_losses(network, data)
    np.testing.assert_allclose(outputs, network.outputs(data.inputs), 1e-14)  # the library's, to rounding
    assert losses.mean() == pytest.approx(evaluate(network, data)[0], rel=1e-12)


def test_a_report_on_classes() -> None:
    rng = np.random.default_rng(1)
    data = Dataset(rng.integers(0, 256, (3000, 6), dtype=np.uint8), rng.integers(0, 4, 3000), class_names=NAMES)
    network, scaling = Network((6, 5, 4), pixels=True, rng=2), Standardization.of(data.inputs / 255.0)
    model = Model(network, "classes", NAMES, input_scaling=scaling)
    report = evaluate_model(model, data)
    probabilities, predicted = model.probabilities(data.inputs), model.predict(data.inputs)
    assert report.score == sklearn_metrics.accuracy_score(data.targets, predicted)
    np.testing.assert_allclose(report.loss, sklearn_metrics.log_loss(data.targets, probabilities), rtol=1e-6)
    content = report.to_json_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {
        "examples",
        "accuracy",
        "loss",
        "confusion",
        "per_class",
        "mistakes",
        "top_losses",
        "reliability",
    }
    assert content["examples"] == np.sum(content["confusion"]) == 3000
    assert [row["name"] for row in content["per_class"]] == list(NAMES)
    assert len(content["mistakes"]) == 25
    assert content["top_losses"][0]["loss"] == pytest.approx(-np.log(probabilities[range(3000), data.targets].min()))
    calibration = content["reliability"]
    assert sum(row["examples"] for row in calibration["bins"]) == 3000
    worst = content["mistakes"][0]
    wrong = probabilities[predicted != data.targets]
    assert worst["activation"] == wrong.max()
    assert predicted[worst["example"]] == worst["predicted"] != worst["true"] == data.targets[worst["example"]]


def test_a_report_on_labels() -> None:
    rng = np.random.default_rng(1)
    data = Dataset(rng.normal(size=(50, 6)), rng.integers(0, 2, (50, 3), dtype=np.uint8), "labels")
    model = Model(Network((6, 3), output=Sigmoid(), loss=BinaryCrossEntropy()), "labels")
    report = evaluate_model(model, data)
    predicted = model.predict(data.inputs)
    np.testing.assert_allclose(report.score, np.mean(predicted == data.targets))
    np.testing.assert_allclose(np.mean([score.accuracy for score in report.per_output]), report.score)
    content = report.to_json_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {"examples", "accuracy", "loss", "per_class", "top_losses"}


def test_a_report_on_values_is_in_their_own_units() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(50.0, 20.0, (2000, 2))
    targets = inputs @ np.array([[1.0, 1.0], [1.0, -1.0]]) + rng.normal(0.0, 5.0, (2000, 2))
    network = Network((2, 2), output=Identity(), loss=Quadratic(), dtype=np.float64)
    model = Model(
        network,
        "values",
        ("sum", "difference"),
        input_scaling=Standardization.of(inputs),
        target_scaling=Standardization.of(targets),
    )
    # The sum of standardized inputs, in the targets' scale: as good an answer as there is.
    network.weights[0][:] = np.outer(inputs.std(axis=0), 1.0 / targets.std(axis=0)) * np.array(
        [[1.0, 1.0], [1.0, -1.0]]
    )
    report = evaluate_model(model, Dataset(inputs, targets, "values"))
    predicted = model.predict(inputs)
    np.testing.assert_allclose(report.score, sklearn_metrics.r2_score(targets, predicted))
    assert report.score > 0.95
    assert [score.mean_absolute_error for score in report.per_output] == pytest.approx([4.0, 4.0], abs=0.2)
    np.testing.assert_allclose(np.mean([score.r2 for score in report.per_output]), report.score)
    content = report.to_json_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert set(content) == {"examples", "r2", "loss", "per_output", "top_losses"}


def test_data_that_do_not_fit() -> None:
    model = Model(Network((4, 3)))
    with pytest.raises(SettingError, match="this model answers 3 classes"):
        evaluate_model(model, Dataset(np.zeros((2, 4)), np.zeros((2, 3)), "values"))
    with pytest.raises(ShapeError, match="this network takes"):
        evaluate_model(model, Dataset(np.zeros((3, 5)), np.array([0, 1, 2])))


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_against_the_published_table(hits: int, trials: int, low: float, high: float) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, table I."""
    assert wilson_interval(hits, trials) == pytest.approx((low, high), abs=5e-5)


def test_calibration_error_by_hand() -> None:
    """Six answers; 0.65, 0.65, 0.7 fall into the bin to 0.7, 0.75 into that to 0.8, 0.95 and 1.0 into the last."""
    probabilities = np.array([[0.65, 0.35], [0.35, 0.65], [0.7, 0.3], [0.25, 0.75], [0.95, 0.05], [0.0, 1.0]])
    found = reliability_of(probabilities, np.array([0, 0, 1, 1, 0, 1]))
    np.testing.assert_allclose([found.low, found.high], [[0.6, 0.7, 0.9], [0.7, 0.8, 1.0]])
    assert found.examples.tolist() == [3, 1, 2]
    np.testing.assert_allclose(found.confidence, [2.0 / 3.0, 0.75, 0.975])
    np.testing.assert_allclose(found.accuracy, [1.0 / 3.0, 1.0, 1.0])
    # 3/6 |1/3 - 2/3| + 1/6 |1 - 0.75| + 2/6 |1 - 0.975|
    assert found.expected_calibration_error == pytest.approx(1 / 6 + 1 / 24 + 1 / 120)
    assert (found.accuracy_low[0], found.accuracy_high[0]) == wilson_interval(1, 3)


def test_one_sigmoid_answers_with_what_is_likelier() -> None:
    found = reliability_of(np.array([[0.2], [0.9]]), np.array([[0], [0]]))
    np.testing.assert_allclose(found.confidence, [0.8, 0.9])
    assert found.accuracy.tolist() == [1.0, 0.0]


def test_its_json_has_the_bins_that_hold_examples() -> None:
    content = reliability_of(np.array([[0.35, 0.65]]), np.array([1])).to_json_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    (only,) = content["bins"]
    assert (only["low"], only["high"], only["examples"], only["accuracy"]) == (0.6, 0.7, 1, 1.0)


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_an_error_is_at_most_the_worst_bins(seed: int, n_samples: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), n_samples)
    found = reliability_of(probabilities, rng.integers(0, 3, n_samples))
    gaps = np.abs(found.accuracy - found.confidence)
    assert gaps.min() - 1e-12 <= found.expected_calibration_error <= gaps.max() + 1e-12
    assert found.examples.sum() == n_samples
    assert (found.low <= found.confidence).all()
    assert (found.confidence <= found.high + 1e-12).all()
