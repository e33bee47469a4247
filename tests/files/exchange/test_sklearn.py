"""scikit-learn's networks, taken over: they answer as they did where they came from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.files.exchange.onnx import onnx_bytes
from deltarule.files.exchange.sklearn import from_sklearn
from deltarule.files.model_file import load, save
from deltarule.inspection.explain.explain import explain
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Poisson, Quadratic

X = np.random.default_rng(0).normal(size=(60, 4))
CLASSES = np.array(["ant", "bee", "cat"])[np.arange(60) % 3]
LABELS = (X[:, :3] > 0).astype(int)


def fitted(kind: str, y: Any, inputs: Any = X, **settings: Any) -> Any:
    networks = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    settings = {"hidden_layer_sizes": (6, 5), "solver": "lbfgs", "max_iter": 3, "random_state": 0} | settings
    estimator = getattr(networks, kind)(**settings)
    with pytest.warns(match="lbfgs failed to converge|iterations"):
        return estimator.fit(inputs, y)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_classes(activation: str, dtype: Any) -> None:
    inputs = X.astype(dtype)
    solver = "adam" if dtype == np.float32 else "lbfgs"  # scikit-learn's lbfgs leaves float64 whatever it was given
    estimator = fitted("MLPClassifier", CLASSES, inputs, activation=activation, solver=solver)
    model = from_sklearn(estimator)
    assert (model.task, model.class_names, model.network.dtype) == ("classes", ("ant", "bee", "cat"), dtype)
    assert isinstance(model.network.loss, CrossEntropy)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(model.probabilities(inputs), estimator.predict_proba(inputs), atol=tolerance)
    np.testing.assert_array_equal(np.array(model.class_names)[model.predict(inputs)], estimator.predict(inputs))


def test_two_classes_are_one_sigmoid() -> None:
    estimator = fitted("MLPClassifier", np.where(X[:, 0] > 0, "yes", "no"))
    model = from_sklearn(estimator)
    assert (model.task, model.class_names, model.network.layer_sizes) == ("labels", ("yes",), (4, 6, 5, 1))
    np.testing.assert_allclose(model.probabilities(X)[:, 0], estimator.predict_proba(X)[:, 1], atol=1e-14)
    np.testing.assert_array_equal(np.array(["no", "yes"])[model.predict(X)[:, 0]], estimator.predict(X))


def test_labels_that_exclude_no_other() -> None:
    estimator = fitted("MLPClassifier", LABELS)
    model = from_sklearn(estimator)
    assert (model.task, model.class_names) == ("labels", ("0", "1", "2"))
    assert isinstance(model.network.loss, BinaryCrossEntropy)
    np.testing.assert_allclose(model.outputs(X), estimator.predict_proba(X), atol=1e-14)
    np.testing.assert_array_equal(model.predict(X), estimator.predict(X))


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_values(n_outputs: int, hidden: tuple[int, ...]) -> None:
    y = X[:, :n_outputs] if n_outputs > 1 else X[:, 0]
    estimator = fitted("MLPRegressor", y, hidden_layer_sizes=hidden)
    model = from_sklearn(estimator)
    assert (model.task, model.class_names) == ("values", tuple("01"[:n_outputs]))
    assert isinstance(model.network.loss, Quadratic)
    np.testing.assert_allclose(model.predict(X), estimator.predict(X).reshape(60, n_outputs), atol=1e-13)


def test_columns_of_a_table_keep_their_names() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(X, columns=["length", "width", "height", "weight"])
    assert from_sklearn(fitted("MLPClassifier", CLASSES, table)).input_names == ("length", "width", "height", "weight")


def test_the_arrays_are_copies() -> None:
    estimator = fitted("MLPClassifier", CLASSES)
    before = from_sklearn(estimator)
    estimator.coefs_[0][:] = 0.0
    assert np.abs(before.network.weights[0]).min() > 0.0


def test_it_can_be_explained_checked_and_kept(tmp_path: Path) -> None:
    model = from_sklearn(fitted("MLPClassifier", CLASSES))
    y = np.arange(60) % 3
    walk = explain(model, X[0], y[0])
    assert all(check.ok for checks in walk.checks.values() for check in checks)
    assert gradcheck(model.network, X[:8], y[:8]).ok
    assert model.scaled(Dataset(X, y, class_names=("ant", "bee", "cat"))).n_samples == 60
    save(model, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.outputs(X), model.outputs(X))
    assert again.record == {"origin": "scikit-learn's MLPClassifier"}


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_our_own_estimators_give_the_model_that_they_hold(kind: str) -> None:
    ours = pytest.importorskip("deltarule.estimators", reason="scikit-learn is not installed")
    estimator = getattr(ours, kind)(hidden_layer_sizes=(6, 5), solver="lbfgs", max_iter=500).fit(X, 1 * (X[:, 0] > 0))
    model = from_sklearn(estimator)
    assert model is estimator.model_
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    (found,) = runtime.InferenceSession(onnx_bytes(model)).run(None, {"X": X})
    np.testing.assert_allclose(found, model.outputs(X) if model.task != "values" else model.predict(X), atol=1e-6)
    with pytest.raises(SettingError, match=f"got a {kind} that is not fitted"):
        from_sklearn(getattr(ours, kind)())


def pipeline() -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    return make_pipeline(PolynomialFeatures(), fitted("MLPClassifier", CLASSES))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("is_flagged", [False, True])
@pytest.mark.parametrize("scaler", ["StandardScaler", "RobustScaler", "MaxAbsScaler", "MinMaxScaler"])
def test_a_pipeline_answers_from_raw_rows(scaler: str, is_flagged: bool, tmp_path: Path) -> None:
    """Numbers with holes, texts, a column of whole numbers for categories: through the model, its file and ONNX."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pandas, runtime = pytest.importorskip("pandas"), pytest.importorskip("onnxruntime")
    from sklearn import compose, impute, neural_network, preprocessing
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(7)
    frame = pandas.DataFrame({"size": rng.normal(50, 9, 60), "town": rng.choice(["Ulm", "Bonn"], 60)})
    frame["floor"], frame["rent"] = rng.integers(3, size=60), rng.lognormal(3, 1, 60)
    frame.loc[[3, 9], "size"] = frame.loc[5, "rent"] = np.nan
    frame["year"] = rng.integers(1900, 2000, 60)
    imputer = impute.SimpleImputer(strategy="median", add_indicator=is_flagged)
    numeric = make_pipeline(imputer, getattr(preprocessing, scaler)())
    before = compose.ColumnTransformer(
        [
            ("rest", "drop", []),
            ("texts", preprocessing.OneHotEncoder(), ["town", "floor"]),
            ("n", numeric, ["rent", "year", "size"]),
        ]
    )
    network = neural_network.MLPClassifier(5, max_iter=30, random_state=0)
    fitted_pipeline = make_pipeline(before, network).fit(frame, np.where(frame["town"] == "Ulm", "a", "b"))
    save(from_sklearn(fitted_pipeline), tmp_path / "model.safetensors")
    model, expected = load(tmp_path / "model.safetensors"), fitted_pipeline.predict_proba(frame)[:, 1:]
    np.testing.assert_allclose(model.probabilities(frame), expected, atol=1e-9)
    rows = model.unscaled(frame)
    place = [model.input_names.index(name) for name in ("rent", "size")]
    rows[:, place] = frame[["rent", "size"]]  # ONNX fills in what is missing, and sets the indicators
    rows = rows[:, [not name.endswith(" is missing") for name in model.input_names]]
    (found,) = runtime.InferenceSession(onnx_bytes(model)).run(None, {"X": rows})
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_a_missing_text_counts_as_the_imputer_says(strategy: str, tmp_path: Path) -> None:
    """Also a column that holds nothing, "passthrough" as the first step, and columns that pass as they are."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    pandas, runtime = pytest.importorskip("pandas"), pytest.importorskip("onnxruntime")
    from sklearn import compose, impute, neural_network, preprocessing
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(7)
    frame = pandas.DataFrame({"size": rng.normal(50, 9, 60), "town": rng.choice(["Ulm", "Bonn"], 60)})
    frame["empty"], frame["rent"] = np.nan, rng.lognormal(3, 1, 60)
    frame.loc[[3, 9], "size"] = frame.loc[[5, 8], "town"] = None
    numeric = make_pipeline("passthrough", impute.SimpleImputer(), preprocessing.StandardScaler())
    text = make_pipeline(
        impute.SimpleImputer(strategy=strategy, fill_value="?" if strategy == "constant" else None),
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
    )
    parts = [("texts", text, ["town"]), ("n", numeric, ["empty", "size"])]
    network = neural_network.MLPClassifier(5, max_iter=30, random_state=0)
    fitted_pipeline = make_pipeline("passthrough", compose.ColumnTransformer(parts, remainder="passthrough"), network)
    fitted_pipeline.fit(frame, np.where(frame["town"] == "Ulm", "a", "b"))
    save(from_sklearn(fitted_pipeline), tmp_path / "model.safetensors")
    model, expected = load(tmp_path / "model.safetensors"), fitted_pipeline.predict_proba(frame)[:, 1:]
    np.testing.assert_allclose(model.probabilities(frame), expected, atol=1e-9)
    rows = np.stack([*([np.nan] * 60 for _ in model.columns[0].categories), frame["size"], frame["rent"]], axis=1)
    (found,) = runtime.InferenceSession(onnx_bytes(model)).run(None, {"X": rows})
    without = fitted_pipeline.predict_proba(frame.assign(town=pandas.Series([None] * 60, dtype=frame["town"].dtype)))[
        :, 1:
    ]
    np.testing.assert_allclose(found, without, atol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("step", "settings"),
    [("MinMaxScaler", {"clip": True}), ("OneHotEncoder", {"min_frequency": 9}), ("OneHotEncoder", {"drop": "first"})],
)
def test_steps_that_a_model_cannot_do_are_named(step: str, settings: dict[str, Any]) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="scikit-learn is not installed")
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    whole = make_pipeline(getattr(preprocessing, step)(**settings), MLPClassifier(3, max_iter=2))
    whole.fit(np.arange(20).reshape(-1, 1) % 7, [0, 1] * 10)
    with pytest.raises(SettingError, match=f"before the network: got a {step}; give the last step"):
        from_sklearn(whole)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_indicators_of_what_an_imputer_drops_are_refused() -> None:
    impute = pytest.importorskip("sklearn.impute", reason="scikit-learn is not installed")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline

    empty = np.stack([np.arange(20.0), np.full(20, np.nan)], axis=1)
    whole = make_pipeline(impute.SimpleImputer(add_indicator=True), MLPClassifier(3, max_iter=2))
    with pytest.raises(SettingError, match="before the network: got a SimpleImputer"):
        from_sklearn(whole.fit(empty, [0, 1] * 10))
    flags = make_pipeline(
        impute.SimpleImputer(strategy="most_frequent", add_indicator=True),
        preprocessing.OneHotEncoder(),
        MLPClassifier(3, max_iter=2),
    )
    texts = np.array([["a"], ["b"], ["b"], [np.nan]] * 5, dtype=object)
    with pytest.raises(SettingError, match="before the network: got a OneHotEncoder"):
        from_sklearn(flags.fit(texts, [0, 1] * 10))


def unfitted() -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier()


def a_class() -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor


def search() -> Any:
    from sklearn.model_selection import GridSearchCV

    found = GridSearchCV(unfitted(), {})
    found.best_estimator_ = found.estimator
    return found


def forest() -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier().fit(X, CLASSES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipeline, r"before the network: got a PolynomialFeatures; give the last step, pipeline\[-1\]"),
        (unfitted, r"got a MLPClassifier that is not fitted; call its fit\(X, y\) first"),
        (a_class, r"got the class MLPRegressor; make one and call its fit\(X, y\)"),
        (search, "got a GridSearchCV; give its best_estimator_"),
        (forest, "got DummyClassifier; other models have no layers to take over"),
        (lambda: 3, "from_sklearn takes a fitted MLPClassifier or MLPRegressor: got int"),
    ],
)
def test_what_is_no_fitted_network(make: Callable[[], Any], message: str) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    with pytest.raises(SettingError, match=message):
        from_sklearn(make())


def test_a_poisson_regression_ends_in_an_exponential() -> None:
    pytest.importorskip("sklearn", "1.7", reason="scikit-learn has the Poisson loss from 1.7 on")
    estimator = fitted("MLPRegressor", np.abs(X[:, 0]), loss="poisson")
    model = from_sklearn(estimator)
    assert (model.task, model.network.loss) == ("values", Poisson())
    np.testing.assert_allclose(model.predict(X)[:, 0], estimator.predict(X), rtol=1e-12)


def test_an_output_that_has_no_counterpart() -> None:
    estimator = fitted("MLPRegressor", X[:, 0])
    estimator.out_activation_ = "softplus"
    with pytest.raises(SettingError, match="no activation here is scikit-learn's 'softplus': Known: exp, identity"):
        from_sklearn(estimator)
