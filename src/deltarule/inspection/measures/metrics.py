"""Metrics: how good the answers are, by class and by output, how confident, and the most confident mistakes."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import PREDICTION_ROWS, Network, forward
from deltarule.training.plan import SCORE_NAMES, Score

MOST_MISTAKES = 25  # five rows of five on a sheet
N_BINS = 10
Z_95 = 1.959964  # 95 % of a normal distribution lie within this many standard deviations


def rows_of(record: Any) -> list[dict[str, Any]]:
    """The rows of a record whose arrays are the columns of a table: a list with a dict for each row."""
    columns = {name: column.tolist() for name, column in vars(record).items() if isinstance(column, np.ndarray)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@dataclass(frozen=True)
class ClassScore:
    """How well one class, or one of several independent labels, is recognized. A share of no examples is None.

    support: the number of examples of the class.
    recall: the share of these that are recognized; with 95 % confidence it is between recall_low and recall_high.
    precision: the share of the examples predicted as this class that belong to it.
    f1: the harmonic mean of precision and recall.
    accuracy: the share of examples for which the class is correctly predicted, or correctly not predicted.
    """

    name: str
    support: int
    recall: float | None
    recall_low: float
    recall_high: float
    precision: float | None
    f1: float | None
    accuracy: float


@dataclass(frozen=True)
class ValueScore:
    """How well one output of a regression is predicted.

    r2: 1 - squared error / squared distance from the mean; None if all targets are the same.
    mean_absolute_error: in the target's unit.
    """

    name: str
    r2: float | None
    mean_absolute_error: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Misclassified examples, the most confident mistake first; all arrays are (n_mistakes,).

    example: the index of each in the dataset. predicted, true: the predicted and the right class, int64.
    activation: the output of the predicted class, its probability if the outputs are probabilities.
    """

    example: Array
    predicted: Array
    true: Array
    activation: Array

    def __len__(self) -> int:
        return len(self.example)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers in bins by confidence, the probability that the network gives its answer; every array is (n_bins,).

    low, high: the bin's ends; a confidence of exactly `high` belongs to it. Bins without answers are left out.
    examples: the number of answers in the bin. confidence: their mean confidence.
    accuracy: the share of them that is right. accuracy_low, accuracy_high: its 95 % confidence interval.
    expected_calibration_error: the absolute difference of a bin's accuracy and confidence, averaged over all examples.

    Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.
    """

    low: Array
    high: Array
    examples: Array
    confidence: Array
    accuracy: Array
    accuracy_low: Array
    accuracy_high: Array
    expected_calibration_error: float

    def to_json_dict(self) -> dict[str, Any]:
        """The expected calibration error and a list of the bins, in types of JSON."""
        return {"expected_calibration_error": self.expected_calibration_error, "bins": rows_of(self)}


@dataclass(frozen=True, eq=False)
class Report:
    """The result of `evaluate_model`.

    examples: the number of examples. loss: the mean loss, without penalty.
    score: the accuracy, from 0 to 1, or R2, as score_name says. per_output: a score for each class, label or value.
    top_losses, confusion, mistakes: what top_losses, confusion_matrix, top_mistakes return; the last two may be None.
    reliability: how well probabilities match the accuracy; None if outputs are not probabilities.
    """

    examples: int
    loss: float
    score_name: str
    score: float
    per_output: tuple[ClassScore, ...] | tuple[ValueScore, ...]
    top_losses: list[dict[str, Any]]
    confusion: Array | None = None
    mistakes: Mistakes | None = None
    reliability: Reliability | None = None

    def to_json_dict(self) -> dict[str, Any]:
        """The report in dicts, lists and numbers: what `deltarule evaluate --json` prints."""
        content: dict[str, Any] = {"examples": self.examples, self.score_name: self.score, "loss": self.loss}
        content["per_output" if self.score_name == "r2" else "per_class"] = [asdict(score) for score in self.per_output]
        if self.confusion is not None and self.mistakes is not None:
            content |= {"confusion": self.confusion.tolist(), "mistakes": rows_of(self.mistakes)}
        content["top_losses"] = self.top_losses
        if self.reliability is not None:
            content["reliability"] = self.reliability.to_json_dict()
        return content


def evaluate_model(model: Model, dataset: Dataset) -> Report:
    """A Report of how good a model is on a dataset. ShapeError or SettingError if the two do not fit each other.

    >>> from deltarule.nn.network import Network
    >>> data = Dataset(np.eye(3, dtype=np.float32), np.array([0, 1, 2]))
    >>> evaluate_model(Model(Network((3, 8, 3))), data).examples
    3
    """
    scaled, y, names, task = model.scaled(dataset), dataset.targets, model.class_names, dataset.task
    a, losses = outputs_and_losses(model.inner, scaled)
    score = Score(task)
    score.add(a, scaled.targets)
    summary = (dataset.n_samples, losses.mean().item(), SCORE_NAMES[task], score.value)
    if task == "values":
        answers = a if model.target_scaling is None else model.target_scaling.undo(a)
        return Report(*summary, value_scores(y, answers, names), top_losses(losses))
    reliability = reliability_of(a, y) if model.has_probabilities else None
    if task == "labels":
        return Report(*summary, class_scores(y, a >= 0.5, names), top_losses(losses), reliability=reliability)
    predicted, one_hot = a.argmax(axis=1), np.eye(len(names), dtype=np.uint8)
    scores, matrix = class_scores(one_hot[y], one_hot[predicted], names), confusion_matrix(y, predicted, len(names))
    return Report(*summary, scores, top_losses(losses), matrix, top_mistakes(y, a), reliability)


def outputs_and_losses(network: Network, dataset: Dataset) -> tuple[Array, Array]:
    """A network's outputs a^L, (n_samples, outputs), and losses C_i, (n_samples,); dataset: scaled for the network."""
    n_samples, loss = dataset.n_samples, network.loss
    ws = network.workspace(min(n_samples, PREDICTION_ROWS))
    outputs, losses = np.empty((n_samples, network.layer_sizes[-1]), network.dtype), np.empty(n_samples)
    for start in range(0, n_samples, PREDICTION_ROWS):
        rows = slice(start, start + PREDICTION_ROWS)
        a = outputs[rows] = forward(network, dataset.inputs[rows], ws)
        targets, of_z = loss.targets(a, dataset.targets[rows]), network.has_shortcut
        losses[rows] = loss.sample_losses_from_z(ws.z[-1], targets) if of_z else loss.sample_losses(a, targets)
    return outputs, losses


def top_losses(losses: Array, n_most: int = MOST_MISTAKES) -> list[dict[str, Any]]:
    """The index and the loss of each of the `n_most` largest `losses` (n_samples,), as dicts, the largest first."""
    order = np.argsort(-losses, kind="stable")[:n_most].tolist()
    return [{"example": i, "loss": losses[i].item()} for i in order]


def confusion_matrix(true: Array, predicted: Array, n_classes: int) -> Array:
    """(n_classes, n_classes) int64: how often class i, the row, was predicted as class j, the column.

    true, predicted: (n_samples,) integers, 0 to n_classes - 1.
    """
    return np.bincount(true * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def top_mistakes(true: Array, a: Array, n_most: int = MOST_MISTAKES) -> Mistakes:
    """At most `n_most` mistakes, the surest first, by true classes (n_samples,) and outputs a (n_samples, outputs)."""
    predicted, activation = a.argmax(axis=1), a.max(axis=1)
    wrong = np.flatnonzero(predicted != true)
    wrong = wrong[np.argsort(-activation[wrong], kind="stable")[:n_most]]
    return Mistakes(wrong, predicted[wrong], true[wrong], activation[wrong])


def class_scores(true: Array, predicted: Array, names: Sequence[str]) -> tuple[ClassScore, ...]:
    """A score for each class (one-hot) or independent label; true, predicted: (n_samples, outputs), 0 or 1."""
    scores, n_samples = [], len(true)
    counts = ((each != 0).sum(axis=0).tolist() for each in (true * predicted, predicted, true))
    for name, both, called, support in zip(names, *counts, strict=True):
        recall, precision = both / support if support else None, both / called if called else None
        f1 = 2 * both / (support + called) if support + called else None
        accuracy = (n_samples - support - called + 2 * both) / n_samples
        scores.append(ClassScore(name, support, recall, *wilson_interval(both, support), precision, f1, accuracy))
    return tuple(scores)


def value_scores(true: Array, predicted: Array, names: Sequence[str]) -> tuple[ValueScore, ...]:
    """A score for each output of a regression; true, predicted: (n_samples, outputs), in the targets' own units."""
    scores = []
    for name, y, a in zip(names, true.T, predicted.T, strict=True):
        r2 = None if y.min() == y.max() else 1.0 - (((y - a) ** 2).sum() / ((y - y.mean()) ** 2).sum()).item()
        scores.append(ValueScore(name, r2, np.abs(y - a).mean().item()))
    return tuple(scores)


def reliability_of(probabilities: Array, true: Array) -> Reliability:
    """The Reliability of probabilities (n_samples, outputs): how well they match the accuracy.

    true: (n_samples,), the right classes; for a single output, 0 or 1, (n_samples, 1).

    >>> reliability_of(np.array([[0.5], [1.0]]), np.array([[1], [1]])).expected_calibration_error
    0.25
    """
    if probabilities.shape[1] == 1:  # the probability of 1; the rest is that of 0
        probabilities, true = np.hstack([1.0 - probabilities, probabilities]), true.reshape(-1)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    bins = np.clip(np.ceil(confidence * N_BINS).astype(np.intp) - 1, 0, N_BINS - 1)
    used, places, examples = np.unique(bins, return_inverse=True, return_counts=True)
    hits, total = np.bincount(places, weights=right), np.bincount(places, weights=confidence)
    low, high = np.transpose([wilson_interval(*each) for each in zip(hits.tolist(), examples.tolist(), strict=True)])
    ends, error = (used / N_BINS, (used + 1) / N_BINS), (np.abs(hits - total).sum() / len(true)).item()
    return Reliability(*ends, examples, total / examples, hits / examples, low, high, error)


def wilson_interval(hits: float, trials: int) -> tuple[float, float]:
    """The 95 % confidence interval (low, high) of a share, given `hits` in `trials` (Wilson 1927); (0, 1) for 0 trials.

    Unlike hits / trials plus or minus two standard deviations, it is right near 0 and 1, where good networks are.
    """
    if trials == 0:
        return 0.0, 1.0
    share, z_squared = hits / trials, Z_95**2 / trials
    center = (share + z_squared / 2.0) / (1.0 + z_squared)
    reach = math.sqrt(z_squared * (share * (1.0 - share) + z_squared / 4.0)) / (1.0 + z_squared)
    # The share lies within it, and both ends within 0 and 1; rounding must not change that.
    return max(0.0, min(share, center - reach)), min(1.0, max(share, center + reach))
