"""The same random_state gives the same network as scikit-learn's, to rounding, in the same number of epochs."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from deltarule.nn.arrays import Array

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

import sklearn.neural_network as theirs
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification

from deltarule import estimators as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Table = tuple[Array, Array]
TASKS: dict[str, Callable[[Table, Table, Table], Table]] = {
    "classes": lambda wine, tumors, diabetes: wine,
    "two classes": lambda wine, tumors, diabetes: (tumors[0][:150], np.array([-3, 7])[tumors[1][:150]]),
    "labels": lambda wine, tumors, diabetes: (wine[0], (wine[0][:, :4] + wine[0][:, 4:8] > 0.5).astype(int)),
    "values": lambda wine, tumors, diabetes: (diabetes[0][:200], diabetes[1][:200]),
    "several values": lambda wine, tumors, diabetes: (
        diabetes[0][:150],
        np.column_stack([diabetes[1][:150], diabetes[1][:150] ** 2]),
    ),
    "counts": lambda wine, tumors, diabetes: (wine[0], wine[1] * np.arange(1.0, 1.0 + len(wine[1])) // 20),
    "several counts": lambda wine, tumors, diabetes: (
        diabetes[0][:150],
        np.column_stack([diabetes[1][:150] // 40, diabetes[1][:150] / 90]),
    ),
}
SGD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.05}
STOP: dict[str, Any] = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 30}
CASES: list[tuple[str, str, dict[str, Any]]] = [  # task, way (see `trained`), parameters
    *(
        (task, "fit", {"solver": solver, "activation": activation, "max_iter": 4 if solver == "lbfgs" else 15})
        for task, solver, activation in product(
            TASKS, ("sgd", "adam", "lbfgs"), ("identity", "logistic", "tanh", "relu")
        )
        if (task, solver) != ("several values", "lbfgs")  # where scikit-learn's loss and gradient do not agree
    ),
    ("classes", "fit", {"hidden_layer_sizes": (), "alpha": 1.0}),
    ("values", "fit", {"hidden_layer_sizes": 8, "alpha": 3.0}),
    ("classes", "fit", {"batch_size": "auto", "hidden_layer_sizes": (100,)}),
    ("classes", "fit", {"batch_size": 1, "max_iter": 2}),
    ("labels", "fit", {"batch_size": 178}),
    ("several values", "fit", {"batch_size": 40, "shuffle": False}),
    ("values", "fit", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    ("two classes", "fit", {"epsilon": 0.1, "learning_rate_init": 0.01}),
    ("classes", "fit", SGD | {"momentum": 0.0}),
    ("labels", "fit", SGD | {"momentum": 0.8, "nesterovs_momentum": False}),
    ("values", "fit", SGD | {"momentum": 0.5, "alpha": 1.0}),
    ("classes", "fit", SGD | {"learning_rate": "invscaling", "power_t": 0.1}),
    ("values", "fit", SGD | {"learning_rate": "invscaling", "nesterovs_momentum": False}),
    ("classes", "fit", SGD | {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2, "max_iter": 90}),
    ("values", "fit", SGD | {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2, "momentum": 0.0}),
    ("several values", "fit", SGD | {"learning_rate": "adaptive", "tol": 0.1, "nesterovs_momentum": False}),
    ("classes", "fit", {"tol": 0.05, "n_iter_no_change": 3, "max_iter": 60}),
    ("values", "fit", {"n_iter_no_change": np.inf, "tol": 1.0}),
    *((task, "fit", STOP) for task in TASKS),
    ("classes", "fit", STOP | SGD),
    ("two classes", "fit", STOP | SGD | {"learning_rate": "adaptive", "tol": 0.01}),
    ("values", "fit", STOP | SGD | {"learning_rate": "invscaling", "validation_fraction": 0.3}),
    ("values", "fit", STOP | {"solver": "lbfgs", "max_iter": 4}),
    ("counts", "fit", STOP | SGD | {"learning_rate": "adaptive", "tol": 0.01}),
    ("classes", "warm start", {"max_iter": 5}),
    ("values", "warm start", SGD | {"learning_rate": "invscaling", "max_iter": 5}),
    ("two classes", "warm start", STOP | {"max_iter": 6}),
    ("labels", "warm start", {"solver": "lbfgs", "max_iter": 2}),
    ("counts", "warm start", {"solver": "lbfgs", "max_iter": 2}),
    ("classes", "stream", {}),
    ("counts", "stream", SGD | {"learning_rate_init": 0.01}),
    ("several counts", "stream", {}),
    ("two classes", "stream", SGD | {"momentum": 0.8}),
    ("labels", "stream", SGD | {"learning_rate": "invscaling"}),
    ("several values", "stream", {"shuffle": False}),
    *((task, "weights", {"shuffle": False}) for task in TASKS),
    ("classes", "weights", SGD | {"batch_size": 178}),
    ("values", "weights", {"solver": "lbfgs", "max_iter": 4}),
    ("several counts", "weights", {"solver": "lbfgs", "max_iter": 4}),
    ("two classes", "weights", STOP | {"batch_size": 135}),
]


def case_name(case: Any) -> str:
    task, way, settings = case
    return " ".join([task, way, *(f"{name}={value}" for name, value in settings.items())])


def trained(home: Any, way: str, data: Table, **settings: Any) -> Any:
    """An estimator of `home`, that has learned in one of four ways."""
    (X, y), is_regression = data, data[1].dtype.kind == "f"
    estimator = (home.MLPRegressor if is_regression else home.MLPClassifier)(**{"random_state": 3} | settings)
    if way == "fit":
        return estimator.fit(X, y)
    if way == "weights":  # even batches weigh as much as they have samples: see the loss in docs/scikit-learn.md
        return estimator.fit(X, y, np.where(np.arange(len(y)) % 2, 1.6, 0.4))
    if way == "warm start":
        return estimator.set_params(warm_start=True).fit(X, y).fit(X[20:], y[20:])
    classes = {} if is_regression else {"classes": np.unique(y) if y.ndim == 1 else range(y.shape[1])}
    for rows in (slice(0, 90), slice(60, None), slice(20, 100)):
        estimator.partial_fit(X[rows], y[rows], **classes)
    return estimator


def hold_to_each_other(mine: Any, other: Any, X: Any, *, rtol: float = 1e-12) -> None:
    """Weights, predictions, losses and epochs; for float32 at its own precision."""
    assert (mine.n_iter_, mine.n_layers_, mine.n_outputs_) == (other.n_iter_, other.n_layers_, other.n_outputs_)
    assert mine.out_activation_ == other.out_activation_
    for name in ("coefs_", "intercepts_"):
        for array, wanted in zip(getattr(mine, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(array, wanted, rtol, rtol)
    method = "predict_proba" if hasattr(other, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(mine, method)(X), getattr(other, method)(X), rtol, rtol)
    assert getattr(mine, method)(X).dtype == getattr(other, method)(X).dtype
    if method == "predict_proba":
        np.testing.assert_array_equal(mine.predict(X), other.predict(X))
    assert mine.loss_ == pytest.approx(other.loss_, rel=rtol)
    if other.solver != "lbfgs":
        assert mine.t_ == other.t_
        assert mine.loss_curve_ == pytest.approx(other.loss_curve_, rel=rtol)
        for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
            value, wanted = getattr(mine, name), getattr(other, name)
            assert value is wanted is None or value == pytest.approx(wanted, rel=rtol)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_networks_and_curves_are_equal_to_rounding(wine: Table, tumors: Table, diabetes: Table, case: Any) -> None:
    task, way, settings = case
    data = TASKS[task](wine, tumors, diabetes)
    settings = {"hidden_layer_sizes": (9, 6), "batch_size": 50, "max_iter": 15} | settings
    settings |= {"loss": "poisson"} if task.endswith("counts") else {}
    if way == "weights" and not hasattr(theirs.MLPClassifier, "set_fit_request"):
        pytest.skip("scikit-learn takes sample_weight from 1.7 on")
    if "loss" in settings and "loss" not in theirs.MLPRegressor().get_params():
        pytest.skip("scikit-learn has the Poisson loss from 1.7 on")
    both = [trained(home, way, data, **settings) for home in (ours, theirs)]
    hold_to_each_other(*both, data[0])


def test_there_are_more_than_60_configurations() -> None:
    assert len({case_name(case) for case in CASES}) == len(CASES) > 60


@pytest.mark.parametrize("settings", [{}, {"shuffle": False}, {"solver": "lbfgs"}], ids=str)
def test_sparse_inputs_and_more_samples_than_a_piece(settings: dict[str, Any]) -> None:
    X, y = make_classification(2500, 12, n_informative=6, n_classes=3, random_state=0)
    X = csr_matrix(X * (np.abs(X) > 1.0))
    settings = settings | {"max_iter": 4, "batch_size": 1500}
    mine, other = (trained(home, "fit", (X, y), **settings) for home in (ours, theirs))
    hold_to_each_other(mine, other, X)
    np.testing.assert_allclose(mine.predict_proba(X), mine.predict_proba(X.toarray()), 1e-12)
    hold_to_each_other(trained(ours, "fit", (X.toarray(), y), **settings), other, X)


def test_float32_stays_float32(wine: Table) -> None:
    X, y = wine[0].astype(np.float32), wine[1]
    mine, other = (trained(home, "fit", (X, y), max_iter=40) for home in (ours, theirs))
    hold_to_each_other(mine, other, X, rtol=2e-4)
    assert {W.dtype for W in mine.coefs_ + mine.intercepts_} == {np.dtype(np.float32)}
    assert mine.hidden_activations(X)[0].dtype == np.float32


def test_every_dtype_counts_at_its_value(wine: Table) -> None:
    """uint8 counts as value / 255 after `fit`; here 2 is 2, and in model_, too, whatever the dtype."""
    X, y = np.clip(wine[0] + 3.0, 0.0, 9.0).astype(np.uint8), wine[1]
    mine, other = (trained(home, "fit", (X, y), max_iter=40) for home in (ours, theirs))
    hold_to_each_other(mine, other, X)
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        np.testing.assert_array_equal(mine.predict_proba(X.astype(dtype)), mine.predict_proba(X))
        np.testing.assert_array_equal(mine.model_.probabilities(X.astype(dtype)), mine.predict_proba(X))


@pytest.mark.parametrize("settings", [{}, SGD, {"solver": "lbfgs", "max_iter": 4}, STOP], ids=str)
def test_compiled_kernels_train_the_same(wine: Table, settings: dict[str, Any]) -> None:
    settings = {"batch_size": 50, "max_iter": 15} | settings
    mine = trained(ours, "fit", wine, engine="native", **settings)
    hold_to_each_other(mine, trained(theirs, "fit", wine, **settings), wine[0], rtol=1e-11)
