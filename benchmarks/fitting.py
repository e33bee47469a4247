"""Five tables, and who fits an MLP to them: deltarule's estimators and scikit-learn's own, with the same parameters."""

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

Array = NDArray[Any]
Result = dict[str, float | int | str]
SIZES = {"n_samples": 20_000, "n_features": 20, "n_informative": 10, "n_classes": 4, "random_state": 0}


@dataclass(frozen=True)
class Table:
    """A table of scikit-learn's: the function that loads or makes it, and what the estimators are told.

    epochs: how many a timed fit takes, a fraction of a second. settings: parameters other than the defaults.
    """

    source: str
    epochs: int
    is_regression: bool = False
    options: dict[str, Any] = field(default_factory=lambda: {"return_X_y": True})
    settings: dict[str, Any] = field(default_factory=dict)

    def load(self) -> tuple[Array, Array]:
        """X (n_samples, n_features) float64, y (n_samples,)."""
        X, y = getattr(datasets, self.source)(**self.options)
        return X, y

    def estimator(self, library: str, **settings: Any) -> Any:
        """An estimator of "deltarule" or "scikit-learn"."""
        if library == "deltarule":
            from deltarule import estimators as home
        else:
            from sklearn import neural_network as home

            settings.pop("engine", None)
        kind = home.MLPRegressor if self.is_regression else home.MLPClassifier
        return kind(**self.settings, **settings)


TABLES = {
    "digits": Table("load_digits", 60),
    "breast cancer": Table("load_breast_cancer", 200),
    "wine": Table("load_wine", 600),
    "diabetes": Table("load_diabetes", 200, is_regression=True, settings={"learning_rate_init": 0.01}),
    "synthetic": Table("make_classification", 8, options=SIZES),
}


class Fitting:
    """One who fits the same table again and again, in a process of its own."""

    def __init__(self, library: str, table: str, engine: str) -> None:
        work = TABLES[table]
        X, self.y = work.load()
        self.X = StandardScaler().fit_transform(X)
        same = {"max_iter": work.epochs, "n_iter_no_change": work.epochs, "random_state": 0}  # no other end than that
        self.estimator = work.estimator(library, engine=engine, **same)

    def fit(self) -> float:
        """Seconds of a fit."""
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            began = time.perf_counter()
            self.estimator.fit(self.X, self.y)
            return time.perf_counter() - began

    def report(self) -> Result:
        """What the last fit came to."""
        return {"epochs": int(self.estimator.n_iter_), "loss": float(self.estimator.loss_)}


def scores(table: str, library: str, n_seeds: int, n_folds: int) -> list[float]:
    """Accuracy, or R2, on every fold of every seed, each of which shuffles the folds and draws the weights anew.

    Inputs are standardized on the folds that are learned from; the number of epochs is the default.
    """
    work, found = TABLES[table], []
    X, y = work.load()
    for seed in range(n_seeds):
        folds = (KFold if work.is_regression else StratifiedKFold)(n_folds, shuffle=True, random_state=seed)
        for train, test in folds.split(X, y):
            scaler = StandardScaler().fit(X[train])
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                fitted = work.estimator(library, random_state=seed).fit(scaler.transform(X[train]), y[train])
            found.append(float(fitted.score(scaler.transform(X[test]), y[test])))
    return found


def compared_scores(ours: list[float], theirs: list[float]) -> Result:
    """Both means, the mean difference of the pairs and its standard error, and whether ours is worse by more."""
    differences = np.subtract(ours, theirs)
    error = float(differences.std(ddof=1) / np.sqrt(len(differences)))
    difference = float(differences.mean())
    return {
        "fits": len(ours),
        "ours_score": float(np.mean(ours)),
        "peer_score": float(np.mean(theirs)),
        "score_difference": difference,
        "score_standard_error": error,
        "not_worse": bool(difference >= -max(error, 1e-9)),  # equal networks differ by rounding alone
    }
