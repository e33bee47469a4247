"""Reliability, worked by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.errors import ShapeError
from deltarule.inspection.measures.calibration import reliability
from deltarule.inspection.measures.intervals import wilson_interval


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
    found = reliability(probabilities, np.array([0, 0, 1, 1, 0, 1]))
    assert found.examples.tolist() == [0, 0, 0, 0, 0, 0, 3, 1, 0, 2]
    used = found.examples > 0
    np.testing.assert_allclose(found.confidence[used], [2.0 / 3.0, 0.75, 0.975])
    np.testing.assert_allclose(found.accuracy[used], [1.0 / 3.0, 1.0, 1.0])
    assert np.isnan(found.accuracy[~used]).all()
    # 3/6 |1/3 - 2/3| + 1/6 |1 - 0.75| + 2/6 |1 - 0.975|
    assert found.expected_calibration_error == pytest.approx(1 / 6 + 1 / 24 + 1 / 120)
    assert (found.accuracy_low[6], found.accuracy_high[6]) == wilson_interval(1, 3)


def test_one_sigmoid_answers_with_what_is_likelier() -> None:
    found = reliability(np.array([[0.2], [0.9]]), np.array([[0], [0]]))
    np.testing.assert_allclose(found.confidence[[7, 8]], [0.8, 0.9])
    assert found.accuracy[[7, 8]].tolist() == [1.0, 0.0]


def test_its_json_has_the_bins_that_hold_examples() -> None:
    content = reliability(np.array([[0.35, 0.65]]), np.array([1])).to_json_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    (only,) = content["bins"]
    assert (only["low"], only["high"], only["examples"], only["accuracy"]) == (0.6, 0.7, 1, 1.0)


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_an_error_is_at_most_the_worst_bins(seed: int, n_samples: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), n_samples)
    found = reliability(probabilities, rng.integers(0, 3, n_samples))
    used = found.examples > 0
    gaps = np.abs(found.accuracy - found.confidence)[used]
    assert gaps.min() - 1e-12 <= found.expected_calibration_error <= gaps.max() + 1e-12
    assert found.examples.sum() == n_samples
    assert (found.low[used] <= found.confidence[used]).all()
    assert (found.confidence[used] <= found.high[used] + 1e-12).all()


def test_answers_and_truths_of_different_number() -> None:
    with pytest.raises(ShapeError, match="an answer for each of 3 examples was expected: got 2"):
        reliability(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1, 1]))
