"""Sound networks and data of forty kinds, in any order of rows, have no fault and no warning."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

import deltarule as dr
from deltarule.inspection.diagnosis.diagnose import diagnose_training
from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.nn.arrays import Array
from deltarule.recipes import read
from deltarule.recipes.build import adapt, build

Case = Callable[[], Diagnosis]
DIGITS = dr.load_data("digits")
X = DIGITS.train.inputs.reshape(-1, 28, 28)[:500, ::2, ::2]
Y = DIGITS.train.targets[:500]
RNG = np.random.default_rng(0)
IRIS, WINE, CANCER, DIABETES = (
    getattr(datasets, f"load_{name}")(return_X_y=True) for name in ("iris", "wine", "breast_cancer", "diabetes")
)
HIDDEN = ("relu", "tanh", "sigmoid", "elu", "silu", "leaky_relu")
YES_OR_NO: dict[str, Any] = {"output": "sigmoid", "loss": "binary_cross_entropy"}
VALUES: dict[str, Any] = {"output": "identity", "loss": "quadratic"}
XOR = (np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0]))
CLOUD = RNG.normal(size=(600, 6))
NOISE = RNG.normal(size=(600, 1))
FAST: dict[str, Any] = {"learning_rate": 0.01, "batch_size": 32}


def look(sizes: tuple[int, ...], X: Array, y: Array, settings: dict[str, Any] = FAST, **network: Any) -> Diagnosis:
    validation = network.pop("validation", None)
    return dr.diagnose(dr.Network(sizes, **network), X, y, validation=validation, **settings)


def standard(X: Array) -> Array:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def by_class(X: Array, y: Array) -> tuple[Array, Array]:
    order = np.argsort(y, kind="stable")
    return X[order], y[order]


def rare(X: Array, y: Array, kind: int, n_left: int) -> tuple[Array, Array]:
    kept = np.concatenate([np.flatnonzero(y != kind), np.flatnonzero(y == kind)[:n_left]])
    return X[kept], y[kept]


def of_recipe(name: str) -> Diagnosis:
    recipe = read(name)
    splits = DIGITS if recipe.data.name == "mnist" else dr.load_data(recipe.data.name)
    job = build(adapt(recipe, splits)[0], splits, engine="numpy")
    return diagnose_training(job.trainer, job.train, job.model.scaled(job.test) if job.test else None)


def of_estimator(X: Array, y: Array) -> Diagnosis:
    from deltarule.estimators import MLPClassifier

    return dr.diagnose(
        MLPClassifier(hidden_layer_sizes=(12,), max_iter=300, tol=1e-2, random_state=0).fit(X, y).model_, X, y
    )


SIZES, TARGET = DIABETES[0].shape, standard(DIABETES[1][:, None])
SOUND: dict[str, Case] = {
    **{f"recipe {name}": lambda name=name: of_recipe(name) for name in (
        "arithmetic", "cute-dog", "xor", "linear", "relu-10", "relu-32-16", "numpy-class",
        "quick", "nielsen-cross-entropy", "drawings", "nielsen-30")},
    **{f"iris as it is, {each}": lambda each=each: look((4, 12, 3), *IRIS, hidden=each) for each in HIDDEN},
    **{f"diabetes, {each}": lambda each=each: look((10, 12, 1), standard(DIABETES[0]), TARGET, hidden=each, **VALUES)
       for each in HIDDEN[:3]},
    "iris with what fit takes by default": lambda: look((4, 12, 3), *IRIS, {}),
    "wine, sorted by class": lambda: look((13, 12, 3), standard(WINE[0]), WINE[1]),
    "cancer, sorted by class": lambda: look((30, 12, 1), *by_class(standard(CANCER[0]), CANCER[1]), **YES_OR_NO),
    "cancer, two outputs": lambda: look((30, 12, 2), standard(CANCER[0]), CANCER[1], {}),
    "cancer, one class rare": lambda: look((30, 12, 2), *rare(standard(CANCER[0]), CANCER[1], 0, 9)),
    "cancer, one class rare, one output": lambda: look(
        (30, 12, 1), *rare(standard(CANCER[0]), CANCER[1], 0, 9), **YES_OR_NO),
    "diabetes, linear": lambda: look((10, 1), standard(DIABETES[0]), TARGET, **VALUES),
    "diabetes, inputs as small as they come": lambda: look((10, 12, 1), DIABETES[0], TARGET, **VALUES),
    "digits": lambda: look((196, 30, 10), X, Y, {}, validation=(
        DIGITS.test.inputs.reshape(-1, 28, 28)[:, ::2, ::2], DIGITS.test.targets)),
    "digits, sorted by class": lambda: look((196, 30, 10), *by_class(X, Y), {}),
    "digits as floats": lambda: look((196, 30, 10), X / 255.0, Y, {}),
    "digits, standardized": lambda: look((196, 30, 10), (X / 255.0 - 0.13) / 0.31, Y, {}),
    "digits, inverted": lambda: look((196, 30, 10), 255 - X, Y, {}),
    "digits, one class rare": lambda: look((196, 30, 10), *rare(X, Y, 9, 4), {}),
    "forty digits": lambda: look((196, 30, 10), X[:40], Y[:40], {}),
    "digits, ten sigmoids": lambda: look((196, 30, 10), X, np.eye(10, dtype=int)[Y], {}, **YES_OR_NO),
    "digits, squared error": lambda: look(
        (196, 30, 10), X, Y, {"optimizer": "sgd", "learning_rate": 3.0, "batch_size": 10},
        hidden="sigmoid", output="sigmoid", loss="quadratic", task="classes"),
    "digits, dropout": lambda: look((196, 64, 10), X, Y, {}, dropout=0.3),
    "digits, the full batch": lambda: look((196, 30, 10), X, Y, {"batch_size": None, "learning_rate": 0.003}),
    "digits, momentum": lambda: look((196, 30, 10), X, Y, {"optimizer": "momentum", "learning_rate": 0.03}),
    "a deep network of ReLUs": lambda: look((196, *[32] * 6, 10), X, Y, {}),
    "xor": lambda: look((2, 8, 1), *XOR, {"learning_rate": 0.05}, hidden="tanh", **YES_OR_NO),
    "xor in a cloud": lambda: look((6, 32, 2), CLOUD, ((CLOUD[:, 0] > 0) ^ (CLOUD[:, 1] > 0)).astype(int)),
    "values of which noise is two thirds": lambda: look(
        (6, 12, 1), CLOUD, standard(CLOUD[:, :1] + 1.4 * NOISE), **VALUES),
    "values of which noise is nine tenths": lambda: look(
        (6, 12, 1), CLOUD, standard(CLOUD[:, :1] + 3.0 * NOISE), **VALUES),
    "classes of which a third is wrong": lambda: look(
        (6, 12, 2), CLOUD, ((CLOUD[:, 0] > 0) ^ (NOISE[:, 0] > 0.5)).astype(int), {"batch_size": 32}),
    "several labels": lambda: look((6, 20, 4), CLOUD, (CLOUD @ RNG.normal(size=(6, 4)) > 0).astype(int), **YES_OR_NO),
    "a sine": lambda: look((1, 32, 1), CLOUD[:, :1], np.sin(2.0 * CLOUD[:, :1]), hidden="tanh", **VALUES),
    "eight points": lambda: look((1, 8, 1), CLOUD[:8, :1], CLOUD[:8, :1] ** 2, **VALUES),
    "columns of 0 and 1": lambda: look((12, 16, 2), np.eye(12)[kinds := RNG.integers(12, size=300)], kinds % 3 // 2),
    "an estimator's network": lambda: of_estimator(standard(WINE[0]), WINE[1]),
    "an estimator's, of iris as it is": lambda: of_estimator(*IRIS),
}  # fmt: skip


IN_EARNEST = ("iris with what fit takes by default", "digits", "classes of which a third is wrong")


@pytest.mark.parametrize("name", SOUND)
def test_sound_data_and_networks_have_neither_fault_nor_warning(name: str, request: pytest.FixtureRequest) -> None:
    if name not in IN_EARNEST:
        request.getfixturevalue("fewer_steps")
    diagnosis = SOUND[name]()
    assert [each for each in diagnosis if each.level != "note"] == [], str(diagnosis)


def test_there_are_forty_kinds() -> None:
    assert len(SOUND) >= 40
