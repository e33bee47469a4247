"""The same random_state gives the same network as scikit-learn's, to rounding, in the same number of epochs."""

from typing import Any

import numpy as np
import pytest

from deltarule.nn.arrays import Array

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule[sklearn]"')

import sklearn.neural_network as theirs
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification

from deltarule.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.01, "max_iter": 200},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.05, "power_t": 0.1},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.8},
    "plain": {"solver": "sgd", "momentum": 0.0},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 3},
    "deep": {"hidden_layer_sizes": (9, 7, 5), "activation": "tanh", "batch_size": 32},
    "no hidden layer": {"hidden_layer_sizes": (), "alpha": 1.0},
    "logistic": {"activation": "logistic", "hidden_layer_sizes": 8, "batch_size": 50, "alpha": 3.0},
    "unshuffled": {"shuffle": False, "batch_size": 40, "activation": "identity"},
    "adam": {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "batch_size": 64},
}


def hold_to_each_other(ours: Any, other: Any, X: Any, *, rtol: float = 1e-9) -> None:
    """Weights, predictions, losses and epochs; for float32 at its own precision."""
    assert (ours.n_iter_, ours.n_layers_, ours.n_outputs_) == (other.n_iter_, other.n_layers_, other.n_outputs_)
    assert ours.out_activation_ == other.out_activation_
    for name in ("coefs_", "intercepts_"):
        for mine, their in zip(getattr(ours, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(mine, their, rtol, rtol)
    method = "predict_proba" if hasattr(other, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(ours, method)(X), getattr(other, method)(X), rtol, rtol)
    assert getattr(ours, method)(X).dtype == getattr(other, method)(X).dtype
    assert ours.loss_ == pytest.approx(other.loss_, rel=rtol)
    if other.solver != "lbfgs":
        assert ours.t_ == other.t_
        assert ours.loss_curve_ == pytest.approx(other.loss_curve_, rel=rtol)
        for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
            mine, their = getattr(ours, name), getattr(other, name)
            assert mine is their is None or mine == pytest.approx(their, rel=rtol)


def fitted(kind: Any, *data: Any, **settings: Any) -> Any:
    return kind(**({"random_state": 3, "max_iter": 40} | settings)).fit(*data)


@pytest.mark.parametrize("name", SETTINGS)
def test_three_classes(wine: tuple[Array, Array], name: str) -> None:
    ours, other = (fitted(kind, *wine, **SETTINGS[name]) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, wine[0])
    assert ours.predict(wine[0]).tolist() == other.predict(wine[0]).tolist()


@pytest.mark.parametrize("name", SETTINGS)
def test_values(diabetes: tuple[Array, Array], name: str) -> None:
    ours, other = (fitted(kind, *diabetes, **SETTINGS[name]) for kind in (MLPRegressor, theirs.MLPRegressor))
    hold_to_each_other(ours, other, diabetes[0], rtol=1e-5 if name == "lbfgs" else 1e-9)  # its line searches diverge


@pytest.mark.parametrize("name", ["as it comes", "early stopping", "lbfgs"])
def test_two_classes(tumors: tuple[Array, Array], name: str) -> None:
    names: list[Any] = [-3, 7] if name == "early stopping" else ["bad", "good"]  # scikit-learn 1.6 fails at strings
    X, y = tumors[0], np.array(names)[tumors[1]]
    ours, other = (fitted(kind, X, y, **SETTINGS[name]) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, X)
    assert ours.predict(X).tolist() == other.predict(X).tolist()
    assert ours.score(X, y) > 0.9


def test_labels(wine: tuple[Array, Array]) -> None:
    X, y = wine[0], (wine[0][:, :4] + wine[0][:, 4:8] > 0.5).astype(int)
    ours, other = (fitted(kind, X, y) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, X)
    np.testing.assert_array_equal(ours.predict(X), other.predict(X))


def test_several_values(diabetes: tuple[Array, Array]) -> None:
    """scikit-learn averages squared errors over the outputs when it tells the loss, and so do we."""
    X, y = diabetes
    both = np.column_stack([y, y**2])
    ours, other = (fitted(kind, X, both, batch_size=50, alpha=1.0) for kind in (MLPRegressor, theirs.MLPRegressor))
    hold_to_each_other(ours, other, X)
    assert ours.predict(X).shape == both.shape


@pytest.mark.parametrize("name", ["as it comes", "unshuffled", "lbfgs"])
def test_sparse_inputs_and_more_samples_than_a_piece(name: str) -> None:
    X, y = make_classification(2500, 12, n_informative=6, n_classes=3, random_state=0)
    X = csr_matrix(X * (np.abs(X) > 1.0))
    options = SETTINGS[name] | {"max_iter": 4, "batch_size": 1500}
    ours, other = (fitted(kind, X, y, **options) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, X)
    np.testing.assert_allclose(ours.predict_proba(X), ours.predict_proba(X.toarray()), 1e-12)
    hold_to_each_other(fitted(MLPClassifier, X.toarray(), y, **options), other, X)


def test_float32_stays_float32(wine: tuple[Array, Array]) -> None:
    X, y = wine[0].astype(np.float32), wine[1]
    ours, other = (fitted(kind, X, y) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, X, rtol=2e-4)
    assert {W.dtype for W in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    assert ours.hidden_activations(X)[0].dtype == np.float32


def test_weighted_samples(wine: tuple[Array, Array]) -> None:
    X, y = wine
    weights = np.random.default_rng(0).uniform(0.0, 3.0, len(y))
    ours = fitted(MLPClassifier, X, y, weights)
    try:
        other = fitted(theirs.MLPClassifier, X, y, weights)
    except TypeError:
        pytest.skip("scikit-learn takes sample_weight from 1.7 on")
    hold_to_each_other(ours, other, X)


def test_partial_fit_and_warm_start(wine: tuple[Array, Array]) -> None:
    X, y = wine
    pairs = [kind(random_state=1, batch_size=30) for kind in (MLPClassifier, theirs.MLPClassifier)]
    for each in pairs:
        for rows in (slice(0, 90), slice(60, 178), slice(20, 100)):
            each.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    hold_to_each_other(*pairs, X)
    warm = [kind(random_state=1, warm_start=True, max_iter=5) for kind in (MLPClassifier, theirs.MLPClassifier)]
    for each in warm:
        each.fit(X, y).fit(X, y)
    hold_to_each_other(*warm, X)


def test_every_dtype_counts_at_its_value(wine: tuple[Array, Array]) -> None:
    """uint8 counts as value / 255 after `fit`; here 2 is 2, and in model_, too, whatever the dtype."""
    X, y = np.clip(wine[0] + 3.0, 0.0, 9.0).astype(np.uint8), wine[1]
    ours, other = (fitted(kind, X, y) for kind in (MLPClassifier, theirs.MLPClassifier))
    hold_to_each_other(ours, other, X)
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        np.testing.assert_array_equal(ours.predict_proba(X.astype(dtype)), ours.predict_proba(X))
        np.testing.assert_array_equal(ours.model_.probabilities(X.astype(dtype)), ours.predict_proba(X))


def test_compiled_kernels_train_the_same(wine: tuple[Array, Array]) -> None:
    pytest.importorskip("numba", reason='needs Numba: pip install "deltarule[fast]"')
    ours, other = fitted(MLPClassifier, *wine, engine="numba"), fitted(theirs.MLPClassifier, *wine)
    hold_to_each_other(ours, other, wine[0])
