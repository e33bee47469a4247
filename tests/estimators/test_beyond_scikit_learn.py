"""What the estimators do beyond scikit-learn's, and what happens to a run that is cut short."""

import copy
import os
import pickle
import signal
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.nn.arrays import Array

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

from scipy.sparse import coo_matrix, csr_array, csr_matrix, issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, log_loss, make_scorer, r2_score

from deltarule.errors import DivergenceError, ShapeError
from deltarule.estimators import MLPClassifier, MLPRegressor

Table = tuple[Array, Array]
TASKS: dict[str, Callable[[Table], Any]] = {
    "three classes": lambda wine: quick().fit(*wine),
    "two classes": lambda wine: quick().fit(wine[0], wine[1] > 0),
    "labels": lambda wine: quick().fit(wine[0], np.eye(3, dtype=int)[wine[1]]),
    "values": lambda wine: MLPRegressor(hidden_layer_sizes=(20,), random_state=0, max_iter=25).fit(
        wine[0], wine[1].astype(float)
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(**settings: Any) -> MLPClassifier:
    return MLPClassifier(**({"hidden_layer_sizes": (20,), "random_state": 0, "max_iter": 25} | settings))


def with_mistakes(table: Table) -> Table:
    """Every fifth class is wrong, so that who learns them all by heart does worse on others."""
    X, y = table
    return X, np.where(np.arange(len(y)) % 5 == 0, (y + 1) % 3, y)


def halves(table: Table) -> tuple[Array, Array, Array, Array]:
    X, y = table
    return X[::2], y[::2], X[1::2], y[1::2]


@pytest.mark.parametrize("solver", ["adamw", "nesterov", "rmsprop"])
@pytest.mark.parametrize("learning_rate", ["cosine", "one_cycle", "plateau"])
def test_other_solvers_and_schedules_learn(wine: Table, solver: str, learning_rate: str) -> None:
    model = quick(solver=solver, learning_rate=learning_rate, learning_rate_init=0.01, batch_size=32).fit(*wine)
    assert model.score(*wine) > 0.97
    assert model.loss_curve_[-1] < 0.3 * model.loss_curve_[0]


def test_the_solvers_are_those_of_the_library(wine: Table) -> None:
    """Two full-batch steps by hand with the library's own optimizer, from the same start."""
    X, y = wine
    for solver, optimizer in (("adamw", dr.AdamW(weight_decay=0.1)), ("rmsprop", dr.RMSProp(decay=0.9))):
        model = quick(solver=solver, weight_decay=0.1, rho=0.9, batch_size=len(y), alpha=0.0, max_iter=2)
        start = quick(solver="sgd", learning_rate_init=1e-300, momentum=0.0, max_iter=1).fit(X, y).model_.network
        for _ in range(2):
            _, grads = dr.loss_and_gradient(start, X, y)
            optimizer.step(start.parameters, grads, 0.001)
        np.testing.assert_allclose(model.fit(X, y).coefs_[0], start.weights[0], 1e-9)


def test_a_planned_rate_reaches_its_end_without_a_warning(wine: Table) -> None:
    model = quick(learning_rate="cosine", tol=10.0, n_iter_no_change=1)
    with warnings.catch_warnings(action="error"):
        model.fit(*wine)
    assert (model.n_iter_, model.stopped_) == (25, False)


def test_a_plateau_lowers_the_rate_before_it_ends_the_run(wine: Table) -> None:
    model = quick(learning_rate="plateau", tol=10.0, n_iter_no_change=6, max_iter=50).fit(*wine)
    assert (model.n_iter_, model.stopped_) == (8, True)  # the first epoch is progress, the next seven are too few
    assert model._descent.rate(0) == pytest.approx(0.001 / 5 / 5)  # after three epochs without progress, and after six


def test_each_layer_has_its_activation_and_dropout(wine: Table) -> None:
    layers = {"activation": ["tanh", "silu"], "dropout": [0.4, 0.0]}
    model = quick(hidden_layer_sizes=(30, 10), **layers).fit(*wine)
    network = model.model_.network
    assert [type(each) for each in network.activations] == [dr.Tanh, dr.SiLU, dr.Softmax]
    assert network.dropout == (0.4, 0.0)
    again = quick(hidden_layer_sizes=(30, 10), **layers).fit(*wine)
    without = quick(hidden_layer_sizes=(30, 10), activation=["tanh", "silu"]).fit(*wine)
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])
    assert np.abs(model.coefs_[0] - without.coefs_[0]).max() > 1e-3


def test_hidden_activations_lead_to_the_answer(wine: Table) -> None:
    model = quick(hidden_layer_sizes=(30, 10), activation="tanh").fit(*wine)
    first, second = model.hidden_activations(wine[0])
    assert first.shape == (178, 30)
    np.testing.assert_allclose(first, np.tanh(wine[0] @ model.coefs_[0] + model.intercepts_[0]), 1e-12)
    z = second @ model.coefs_[2] + model.intercepts_[2]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_proba(wine[0]), e / e.sum(axis=1, keepdims=True), 1e-10)


def test_smoothed_labels_make_modest_probabilities(wine: Table) -> None:
    """With e = 0.3 and 3 classes no probability should pass 1 - 0.3 + 0.3 / 3 = 0.8."""
    model = quick(label_smoothing=0.3, solver="lbfgs", max_iter=2000, tol=1e-9, alpha=0.0).fit(*wine)
    assert model.predict_proba(wine[0]).max() == pytest.approx(0.8, abs=0.02)
    assert quick(solver="lbfgs").fit(*wine).predict_proba(wine[0]).max() > 0.99


def test_class_weights_are_sample_weights(wine: Table) -> None:
    X, y = wine
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    given = quick(class_weight=weights).fit(X, y)
    by_hand = quick().fit(X, y, sample_weight=np.array([1.0, 5.0, 0.5])[y])
    np.testing.assert_array_equal(given.coefs_[0], by_hand.coefs_[0])
    balanced = quick(class_weight="balanced").fit(X, y, np.full(len(y), 2.0))
    shares = len(y) / (3 * np.bincount(y))
    np.testing.assert_allclose(balanced.coefs_[0], quick().fit(X, y, 2.0 * shares[y]).coefs_[0], 1e-9)


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 5.0, 2: 0.5}, "balanced"])
def test_class_weights_reach_the_validation_data(wine: Table, class_weight: Any) -> None:
    X, y = wine
    held = X[::3], y[::3]
    if class_weight == "balanced":
        by_hand = [len(classes) / (3 * np.bincount(classes)[classes]) for classes in (y, held[1])]
    else:
        by_hand = [np.array([1.0, 5.0, 0.5])[classes] for classes in (y, held[1])]
    given = quick(class_weight=class_weight).fit(X, y, validation_data=held)
    same = quick().fit(X, y, by_hand[0], validation_data=(*held, by_hand[1]))
    np.testing.assert_allclose(given.validation_loss_curve_, same.validation_loss_curve_, 1e-9)
    np.testing.assert_allclose(given.validation_scores_, same.validation_scores_, 1e-9)


@pytest.mark.parametrize("task", ["classes", "labels"])
def test_balanced_weights_count_a_sample_as_often_as_it_weighs(wine: Table, task: str) -> None:
    X, y = wine[0], wine[1] if task == "classes" else (wine[0][:, :2] > 0.4).astype(int)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), weights)
    settings = {"class_weight": "balanced", "solver": "lbfgs", "max_iter": 5}
    weighted, by_hand = quick(**settings).fit(X, y, weights), quick(**settings).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.predict_proba(X), by_hand.predict_proba(X), 1e-9)


def test_classes_weigh_in_the_validation_too(tumors: Table) -> None:
    """The same network, judged on one class alone, on the other, and on the 21 and 36 of them that are held out."""
    settings = {"early_stopping": True, "learning_rate_init": 1e-9, "max_iter": 1}
    weights: list[Any] = [{0: 1.0, 1: 0.0}, {0: 0.0, 1: 1.0}, None]
    fitted = (quick(class_weight=each, **settings).fit(*tumors) for each in weights)
    first, second, both = (each.best_validation_score_ for each in fitted)
    assert (21 * first + 36 * second) / 57 == pytest.approx(both)
    assert first != second


def test_a_scorer_need_not_take_weights(wine: Table) -> None:
    X, y = wine
    weights, seen = np.linspace(0.0, 2.0, len(y)), []

    def plain(estimator: Any, X: Array, y: Array) -> float:
        return float(accuracy_score(y, estimator.predict(X)))

    def weighted(estimator: Any, X: Array, y: Array, sample_weight: Array | None = None) -> float:
        seen.append(sample_weight)
        return 1.0

    settings = {"early_stopping": True, "max_iter": 2}
    assert quick(scoring=plain, **settings).fit(X, y, weights).validation_scores_[0] < 1.0
    quick(scoring=make_scorer(lambda y, predicted: 1.0), **settings).fit(X, y, weights)
    quick(scoring=weighted, **settings).fit(X, y, weights)
    assert [len(each) for each in seen] == [18, 18]


@pytest.mark.parametrize("make", [csr_matrix, csr_array, coo_matrix], ids=lambda make: make.__name__)
def test_sparse_labels_are_predicted_sparse(wine: Table, make: Any) -> None:
    X, y = wine[0], (wine[0][:, :3] > 0.5).astype(int)
    dense, sparse = quick(early_stopping=True).fit(X, y), quick(early_stopping=True).fit(X, make(y))
    streamed = quick(max_iter=1).partial_fit(X, make(y), classes=[0, 1, 2])
    assert issparse(sparse.predict(X))
    assert issparse(streamed.predict(X))
    np.testing.assert_array_equal(sparse.predict(X).toarray(), dense.predict(X))
    assert sparse.validation_scores_ == dense.validation_scores_
    assert sparse.score(X, make(y)) == dense.score(X, y)


def test_predictions_of_sparse_inputs_keep_them_sparse(wine: Table) -> None:
    """2,000 rows of 200,000 numbers are 3.2 GB in full."""
    rows, columns = np.indices((178, 13))
    wide = csr_matrix((wine[0].ravel(), (11 * rows.ravel(), 15_000 * columns.ravel())), (2000, 200_000))
    model = quick(hidden_layer_sizes=(3,), max_iter=1).fit(wide[:10], wine[1][::18])
    tracemalloc.start()
    found = [model.predict_proba(wide), model.hidden_activations(wide)[0]]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6
    np.testing.assert_allclose(found[0][:5], model.predict_proba(wide[:5].toarray()), 1e-12)
    np.testing.assert_allclose(found[1][:5], model.hidden_activations(wide[:5].toarray())[0], 1e-12)


@pytest.mark.parametrize("settings", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_sparse_inputs_are_learned_without_making_them_dense(wine: Table, settings: dict[str, Any]) -> None:
    """A batch of 178 rows of 150,001 numbers would be 213 MB, and the parameters are 2.4 MB."""
    rows, columns = np.indices((178, 13))
    wide = csr_matrix((wine[0].ravel(), (rows.ravel(), 12_500 * columns.ravel())), (178, 150_001))
    tracemalloc.start()
    quick(hidden_layer_sizes=(2,), max_iter=3, **settings).fit(wide, wine[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_validation_data_keep_the_best_parameters(wine: Table) -> None:
    X, y, X_held, y_held = halves(with_mistakes(wine))
    model = quick(scoring="loss", learning_rate_init=0.05).fit(X, y, validation_data=(X_held, y_held))
    losses = model.validation_loss_curve_
    assert len(losses) == len(model.validation_scores_) == model.n_iter_
    assert np.argmin(losses) < len(losses) - 1, "the last epoch would be kept in any case"
    assert log_loss(y_held, model.predict_proba(X_held)) == pytest.approx(min(losses))
    assert model.best_validation_score_ == -min(losses)
    longer = quick(max_iter=10).fit(X, y, validation_data=(X_held, y_held, np.ones(len(y_held))))
    assert longer.best_validation_score_ == accuracy_score(y_held, longer.predict(X_held))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_validation_of_values(diabetes: Table, solver: str) -> None:
    X, y, X_held, y_held = halves(diabetes)
    model = MLPRegressor(solver=solver, random_state=0, max_iter=60, learning_rate_init=0.01)
    model.fit(X, y, validation_data=(X_held, y_held))
    assert r2_score(y_held, model.predict(X_held)) == pytest.approx(max(model.validation_scores_))
    assert max(model.validation_scores_) > model.validation_scores_[-1]


@pytest.mark.parametrize("scoring", ["neg_log_loss", "balanced_accuracy", "loss", None])
def test_any_score_can_end_a_run(tumors: Table, scoring: str | None) -> None:
    pandas = pytest.importorskip("pandas", reason='needs pandas: pip install "deltarule-nn[sklearn]"')
    X = pandas.DataFrame(tumors[0], columns=[f"c{n}" for n in range(30)])
    model = quick(early_stopping=True, scoring=scoring, n_iter_no_change=3, max_iter=200, learning_rate_init=0.02)
    model.fit(X, tumors[1])
    assert model.stopped_
    assert model.best_loss_ is None
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.n_iter_ == len(model.validation_scores_) < 200


def test_partial_fit_stops_early_and_answers_with_the_best(wine: Table) -> None:
    model = quick(early_stopping=True, scoring="loss", n_iter_no_change=2, learning_rate_init=0.1, tol=1e-3)
    table = with_mistakes(wine)
    calls = next(n for n in range(1, 300) if model.partial_fit(*table, classes=[0, 1, 2]).stopped_)
    assert len(model.validation_scores_) == calls
    assert model.best_validation_score_ == max(model.validation_scores_) > model.validation_scores_[-1]
    before = model.predict_proba(wine[0])
    np.testing.assert_array_equal(model.partial_fit(*table).predict_proba(wine[0]), before)
    assert len(model.validation_scores_) == calls


def test_partial_fit_goes_on_from_the_latest_parameters(wine: Table) -> None:
    """What is held out of the same samples is the same in every call, and never learned from."""
    X, y, X_held, y_held = halves(wine)
    kept = quick(learning_rate_init=0.1, scoring="loss")
    plain = quick(learning_rate_init=0.1)
    for _ in range(12):
        kept.partial_fit(X, y, classes=[0, 1, 2], validation_data=(X_held, y_held))
        plain.partial_fit(X, y, classes=[0, 1, 2])
    assert kept.loss_curve_ == plain.loss_curve_


def test_a_loss_that_is_lost_is_told_with_step_and_layer(diabetes: Table) -> None:
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(5, 4), activation="identity", solver="sgd", learning_rate_init=10.0, random_state=0
    )
    with pytest.raises(dr.DeltaruleError, match=r"got a loss of (inf|nan) at step \d of epoch \d, first in layer"):
        model.fit(X, y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.usefixtures("heeded_interrupts")
def test_ctrl_c_keeps_the_best_and_warns(wine: Table) -> None:
    scores = iter([1.0, 2.0, 5.0, 3.0])

    def scorer(estimator: Any, X: Array, y: Array) -> float:
        score = next(scores, None)
        if score is None:
            os.kill(os.getpid(), signal.SIGINT)
        elif score == 5.0:
            best.append(estimator.coefs_[0].copy())
        return score or 0.0

    best: list[Array] = []
    model = quick(early_stopping=True, scoring=scorer)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        model.fit(*wine)
    np.testing.assert_array_equal(model.coefs_[0], best[0])
    assert model.best_validation_score_ == 5.0
    assert model.predict(wine[0]).shape == (178,)


def test_pickled_copied_and_cloned(wine: Table) -> None:
    X, y = wine
    model = quick(max_iter=5).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        vector = other.model_.network.parameters.vector
        vector[:] = 0.0
        assert not any(W.any() for W in other.coefs_)
        assert model.coefs_[0].any()
    unfitted = clone(model)
    assert unfitted.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        unfitted.predict(X)
    going = pickle.loads(pickle.dumps(quick().partial_fit(X, y, classes=[0, 1, 2])))
    straight = quick().partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    np.testing.assert_array_equal(going.partial_fit(X, y).coefs_[0], straight.coefs_[0])


def test_a_data_frame_gives_the_model_its_columns(wine: Table, tmp_path: Path) -> None:
    """By which it finds them in another frame, names them, and keeps them in its file."""
    pandas = pytest.importorskip("pandas", reason='needs pandas: pip install "deltarule-nn[sklearn]"')
    frame = pandas.DataFrame(wine[0], columns=[f"c{n}" for n in range(13)])
    model = quick(solver="lbfgs").fit(frame, wine[1])
    dr.save(model.model_, tmp_path / "wine.safetensors")
    loaded = dr.load(tmp_path / "wine.safetensors")
    assert loaded.input_names == tuple(frame.columns)
    other = frame[frame.columns[::-1]]
    np.testing.assert_allclose(loaded.probabilities(other), model.predict_proba(frame), 1e-6)
    assert "c12" in str(dr.explain(loaded, other[:1], int(wine[1][0])))


def test_the_model_is_explained_checked_diagnosed_and_saved(wine: Table, tmp_path: Path) -> None:
    X, y = wine
    names = np.array(["Barolo", "Grignolino", "Barbera"])
    model = quick(solver="lbfgs").fit(X, names[y])
    order = np.searchsorted(model.classes_, names[y])
    assert model.model_.class_names == ("Barbera", "Barolo", "Grignolino")
    walk = dr.explain(model.model_, X[0], int(order[0]))
    assert walk.layers[-1].a.tolist() == pytest.approx(model.predict_proba(X[:1])[0].tolist())
    assert dr.gradcheck(model.model_, X[:6], order[:6]).ok
    assert [each.level for each in dr.diagnose(model.model_, X, order) if each.level == "fault"] == []
    dr.save(model.model_, tmp_path / "wine.safetensors")
    np.testing.assert_allclose(dr.load(tmp_path / "wine.safetensors").probabilities(X), model.predict_proba(X), 1e-6)


@pytest.mark.parametrize("engine", ["numpy", "native"])
def test_batches_of_zero_weight_are_counted_and_change_nothing(wine: Table, engine: str) -> None:
    X, y = wine
    model = quick(engine=engine, class_weight={0: 0.0, 1: 1.0, 2: 1.0}).partial_fit(X, y, classes=[0, 1, 2])
    before, first = model.model_.network.parameters.vector.copy(), y == 0
    model.partial_fit(X[first], y[first])
    np.testing.assert_array_equal(model.model_.network.parameters.vector, before)
    assert (model.loss_, model.t_) == (0.0, len(y) + first.sum())
    one = np.eye(len(y))[7]
    fitted = quick(engine=engine, batch_size=10).fit(X, y, one)
    assert fitted.predict(X[7:8]) == y[7]
    assert np.isfinite(fitted.loss_curve_).all()


def assign_whole(model: Any, weights: list[Array], biases: list[Array]) -> None:
    model.coefs_, model.intercepts_ = weights, tuple(biases)


def assign_by_element(model: Any, weights: list[Array], biases: list[Array]) -> None:
    for l in range(len(weights)):
        model.coefs_[l], model.intercepts_[l - len(biases)] = weights[l].tolist(), biases[l]


def assign_inside(model: Any, weights: list[Array], biases: list[Array]) -> None:
    for l in range(len(weights)):
        model.coefs_[l][:], model.intercepts_[l][:] = weights[l], biases[l]


def assign_slices(model: Any, weights: list[Array], biases: list[Array]) -> None:
    model.coefs_[:1], model.coefs_[1:], model.intercepts_[::-1] = weights[:1], weights[1:], biases[::-1]


@pytest.mark.parametrize("assign", [assign_whole, assign_by_element, assign_inside, assign_slices])
@pytest.mark.parametrize("task", TASKS)
def test_weights_that_are_assigned_are_those_of_the_network(
    wine: Table, task: str, assign: Callable[[Any, list[Array], list[Array]], None]
) -> None:
    X, fitted = wine[0], TASKS[task](wine)
    other = copy.deepcopy(fitted)
    for array in [*other.coefs_, *other.intercepts_]:
        array[...] = np.random.default_rng(array.size).normal(size=array.shape)
    assert not np.array_equal(other.predict(X), fitted.predict(X))
    for model in (fitted, pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assign(model, other.coefs_, other.intercepts_)
        np.testing.assert_array_equal(model.predict(X), other.predict(X))
        np.testing.assert_array_equal(model.model_.predict(X), other.model_.predict(X))
        again = pickle.loads(pickle.dumps(model))
        again.coefs_[0] = 2.0 * again.coefs_[0]
        np.testing.assert_array_equal(again.coefs_[0], 2.0 * model.coefs_[0])
        assert np.shares_memory(again.coefs_[0], again.model_.network.parameters.vector)
    assert not hasattr(clone(fitted), "coefs_")


def test_weights_that_fit_no_layer_are_refused(wine: Table) -> None:
    fitted = quick().fit(*wine)
    before = fitted.predict_proba(wine[0])
    with pytest.raises(ShapeError, match=r"^the array of layer 0 has the shape \(13, 20\): got \(20, 13\)$"):
        fitted.coefs_[0] = fitted.coefs_[0].T
    with pytest.raises(ShapeError, match=r"^the array of layer 1 has the shape \(3,\): got \(\)$"):
        fitted.intercepts_[1] = 0.0
    with pytest.raises(ShapeError, match=r"^2 arrays are needed, one for each layer: got 1$"):
        fitted.coefs_ = fitted.coefs_[:1]
    with pytest.raises(TypeError, match=r"assign to an index, as in coefs_\[0\] = W$"):
        fitted.coefs_.append(np.ones((3, 3)))
    with pytest.raises(TypeError, match="keeps its number of layers"):
        del fitted.intercepts_[0]
    np.testing.assert_array_equal(fitted.predict_proba(wine[0]), before)


def test_weights_that_are_assigned_before_a_fit_are_where_it_starts(wine: Table) -> None:
    fitted = quick().fit(*wine)
    for settings in ({}, {"warm_start": True}):
        model = quick(learning_rate_init=1e-12, max_iter=1, **settings)
        model.coefs_, model.intercepts_ = [0, 0], [0, 0]
        for l in (0, 1):
            model.coefs_[l], model.intercepts_[l] = fitted.coefs_[l], fitted.intercepts_[l]
        if settings:
            model.fit(*wine)
        else:
            model.partial_fit(*wine, classes=[0, 1, 2])
        np.testing.assert_allclose(model.predict_proba(wine[0]), fitted.predict_proba(wine[0]), 1e-6)


def test_a_stopped_stream_goes_on_from_weights_that_were_assigned(wine: Table) -> None:
    X, y = wine
    model = quick(early_stopping=True, learning_rate_init=1e-12).partial_fit(X, y, classes=[0, 1, 2])
    model.coefs_[0] = np.full((13, 20), 0.25)
    seen: list[Array] = []
    model.scoring = lambda model, X, y: float(seen.append(model.coefs_[0].copy()) is None)
    model.partial_fit(X, y)
    np.testing.assert_allclose(seen[0], np.full((13, 20), 0.25), 1e-6)


def test_a_run_that_diverges_is_a_value_error_in_the_validation_too(wine: Table) -> None:
    X, y = wine
    settings: dict[str, Any]
    for settings in ({}, {"early_stopping": True}, {"early_stopping": True, "scoring": "neg_mean_squared_error"}):
        model = MLPRegressor(activation="identity", solver="sgd", learning_rate_init=1.0, random_state=0, **settings)
        with pytest.raises(ValueError, match="most likely the learning rate 1 is too high") as caught:
            model.fit(5.0 * X, y)  # with early stopping the outputs overflow before the loss does
        assert isinstance(caught.value, DivergenceError)
        assert np.isfinite(model.model_.network.parameters.vector).all()
