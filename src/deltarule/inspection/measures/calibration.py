"""Whether probabilities keep their word: of all answers that are given with 80 %, 80 % should be right."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.errors import ShapeError
from deltarule.inspection.measures.intervals import wilson_interval
from deltarule.nn.arrays import Array

N_BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers sorted into bins by their confidence, the probability of what was answered; every array is (n_bins,).

    low, high: the bin's ends; a confidence of exactly `high` belongs to it.
    examples: how many answers are in it. confidence: their mean confidence, NaN for none.
    accuracy: the share of them that is right, NaN for none. accuracy_low, accuracy_high: where it
        lies with 95 % confidence.
    expected_calibration_error: the distance of accuracy from confidence, averaged over all examples.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017, equation 3.
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
        """The error, and a list of the bins that hold examples."""
        columns = {name: column.tolist() for name, column in vars(self).items() if isinstance(column, np.ndarray)}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return {
            "expected_calibration_error": self.expected_calibration_error,
            "bins": [row for row in rows if row["examples"]],
        }


def reliability(probabilities: Array, true: Array, n_bins: int = N_BINS) -> Reliability:
    """How well probabilities (n_samples, outputs) keep their word.

    true: (n_samples,), the right classes; for a single output, 0 or 1, (n_samples, 1).

    >>> reliability(np.array([[0.5], [1.0]]), np.array([[1], [1]])).expected_calibration_error
    0.25
    """
    if len(probabilities) != len(true):
        raise ShapeError(f"an answer for each of {len(true)} examples was expected: got {len(probabilities)}")
    if probabilities.shape[1] == 1:  # the probability of 1, which leaves the rest for 0
        probabilities, true = np.hstack([1.0 - probabilities, probabilities]), true.reshape(-1)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    bins = np.clip(np.ceil(confidence * n_bins).astype(np.intp) - 1, 0, n_bins - 1)
    examples, hits = np.bincount(bins, minlength=n_bins), np.bincount(bins[right], minlength=n_bins)
    total = np.bincount(bins, weights=confidence, minlength=n_bins)
    divisor = np.where(examples == 0, np.nan, examples)
    intervals = [wilson_interval(*counts) for counts in zip(hits.tolist(), examples.tolist(), strict=True)]
    edges = np.arange(n_bins + 1) / n_bins
    return Reliability(
        low=edges[:-1],
        high=edges[1:],
        examples=examples,
        confidence=total / divisor,
        accuracy=hits / divisor,
        accuracy_low=np.array(intervals)[:, 0],
        accuracy_high=np.array(intervals)[:, 1],
        expected_calibration_error=(np.abs(hits - total).sum() / len(true)).item(),
    )
