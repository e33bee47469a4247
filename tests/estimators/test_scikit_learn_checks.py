"""scikit-learn's own checks of an estimator's manners: all of them, and none expected to fail."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule[sklearn]"')

import sklearn.utils.estimator_checks as checks

from deltarule.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@checks.parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_an_estimator_behaves(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_hardest_checks_are_among_them(kind: Any) -> None:
    """A weight of 2 is a sample twice, and of 0 a sample less: scikit-learn's own MLPs fail these with Adam."""
    names = {check.func.__name__ for _, check in checks.estimator_checks_generator(kind())}
    assert {f"check_sample_weight_equivalence_on_{data}_data" for data in ("dense", "sparse")} <= names
    assert {"check_estimators_pickle", "check_fit2d_1sample", "check_n_features_in"} <= names
