"""The estimators among scikit-learn's own tools: pipelines, searches, cross-validation, calibration."""

from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.nn.arrays import Array

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Table = tuple[Array, Array]


def quick(**settings: Any) -> Any:
    return dr.MLPClassifier(**({"hidden_layer_sizes": (20,), "random_state": 0, "max_iter": 25} | settings))


def test_a_pipeline_is_cross_validated(wine: Table) -> None:
    X, y = wine
    pipeline = make_pipeline(StandardScaler(), quick(solver="lbfgs"))
    assert cross_val_score(pipeline, 100.0 * X + 7.0, y, cv=5).mean() > 0.95
    pipeline.fit(100.0 * X + 7.0, y)
    assert pipeline[-1].model_.network.layer_sizes == (13, 20, 3)


def test_a_grid_is_searched_in_two_processes(wine: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")  # a process of its own does not know this file's filters
    grid = {"alpha": [1e-4, 1e4], "activation": ["relu", "tanh"]}
    search = GridSearchCV(quick(solver="lbfgs"), grid, n_jobs=2, cv=3).fit(*wine)
    assert search.best_params_["alpha"] == 1e-4
    assert search.best_score_ > 0.95
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    alone = GridSearchCV(quick(solver="lbfgs"), grid, cv=3).fit(*wine)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_probabilities_are_calibrated(tumors: Table) -> None:
    X, y = tumors
    overconfident = quick(solver="lbfgs", alpha=0.0, max_iter=200)
    calibrated = CalibratedClassifierCV(overconfident, cv=3).fit(X[::2], y[::2])
    alone = overconfident.fit(X[::2], y[::2])
    of_others = {"y_true": y[1::2]}
    before = brier_score_loss(y_proba=alone.predict_proba(X[1::2])[:, 1], **of_others)
    assert brier_score_loss(y_proba=calibrated.predict_proba(X[1::2])[:, 1], **of_others) < before


class Wide(dr.MLPClassifier):
    """What users write: a class of their own with fewer parameters, and one more."""

    def __init__(self, width: int = 10, *, solver: str = "lbfgs") -> None:
        super().__init__(hidden_layer_sizes=(width,), solver=solver, random_state=0)
        self.width = width


def test_a_class_derived_from_it_is_an_estimator(wine: Table) -> None:
    derived = clone(Wide(width=7))
    assert derived.get_params() == {"width": 7, "solver": "lbfgs"}
    assert derived.fit(*wine).coefs_[0].shape == (13, 7)


def test_names_are_found_on_the_package() -> None:
    from deltarule import estimators

    assert dr.MLPClassifier is estimators.MLPClassifier
    assert dr.MLPRegressor is estimators.MLPRegressor
