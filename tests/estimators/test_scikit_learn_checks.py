"""scikit-learn's own checks of an estimator's manners, for every solver and with what is beyond scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

import sklearn.utils.estimator_checks as checks

from deltarule.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

EQUIVALENCE = [f"check_sample_weight_equivalence_on_{data}_data" for data in ("dense", "sparse")]
PARTIAL_FIT = [
    "check_fit_score_takes_y",
    "check_n_features_in_after_fitting",
    "check_estimators_partial_fit_n_features",
]
SMALL: dict[str, Any] = {"hidden_layer_sizes": (20,)}
FEW: dict[str, Any] = SMALL | {
    "max_iter": 60,
    "learning_rate_init": 0.01,
}  # one estimator of each kind takes all epochs
STOP: dict[str, Any] = {"early_stopping": True, "validation_fraction": 0.4, "learning_rate_init": 0.01}  # of 10 samples
ESTIMATORS: list[Any] = [
    *(MLPClassifier(), MLPRegressor()),
    MLPClassifier(solver="sgd", **FEW),
    MLPRegressor(solver="adamw", **FEW),
    *(kind(solver="lbfgs", max_iter=60, **SMALL) for kind in (MLPClassifier, MLPRegressor)),
    MLPClassifier(**STOP, **SMALL),
    MLPRegressor(dropout=0.1, **FEW | {"hidden_layer_sizes": (50,)}),
    MLPClassifier(class_weight="balanced", **FEW),
    MLPRegressor(loss="poisson", learning_rate_init=0.03, max_iter=60, **SMALL),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    """What cannot be: by the check's name, why."""
    failures = {}
    if estimator.dropout or estimator.early_stopping:
        failures |= dict.fromkeys(EQUIVALENCE, "a sample twice is dropped, or held out, apart from its double")
    if getattr(estimator, "class_weight", None) == "balanced":
        failures |= dict.fromkeys(PARTIAL_FIT, "a part of the samples does not say how many there are of each class")
    return failures


@checks.parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_an_estimator_behaves(estimator: Any, check: Callable[[Any], None]) -> None:
    with np.errstate(under="ignore", divide="ignore"):  # some checks take logarithms and exponentials themselves
        check(estimator)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_hardest_checks_are_among_them(kind: Any) -> None:
    """A weight of 2 is a sample twice, and of 0 a sample less: scikit-learn's own MLPs fail these with Adam."""
    names = {check.func.__name__ for _, check in checks.estimator_checks_generator(kind())}
    assert {*EQUIVALENCE, "check_estimators_pickle", "check_fit2d_1sample", "check_n_features_in"} <= names
