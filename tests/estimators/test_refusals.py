"""What the estimators refuse, and in which words: scikit-learn's own where it has them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.nn.arrays import Array

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

from deltarule.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Table = tuple[Array, Array]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"hidden_layer_sizes": (10, 0)}, r"^hidden_layer_sizes must be > 0, got \[10, 0\]\.$"),
        ({"activation": "rleu"}, "^The 'activation' parameter of MLPClassifier must be .*Got 'rleu' instead"),
        (
            {"activation": ["relu"], "hidden_layer_sizes": (5, 5)},
            "activation is one for all hidden layers or one for each of 2: got 1; use one alone, or 2 of them",
        ),
        ({"activation": ["softmax"]}, r"^no activation\[0\] is called 'softmax': .*Known: elu, "),
        ({"solver": "adagrad"}, "^The 'solver' parameter of MLPClassifier must be"),
        ({"learning_rate": "slow"}, "^The 'learning_rate' parameter of MLPClassifier must be"),
        ({"learning_rate_init": 0.0}, "^The 'learning_rate_init' parameter of MLPClassifier must be"),
        ({"alpha": -1.0}, "^The 'alpha' parameter of MLPClassifier must be"),
        ({"momentum": 1.0}, "^The 'momentum' parameter of MLPClassifier must be"),
        ({"dropout": 1.0}, "^The 'dropout' parameter of MLPClassifier must be"),
        ({"dropout": [1.5]}, r"dropout must be at least 0 and less than 1: got 1.5; use dropout=0.1"),
        (
            {"dropout": [0.1, 0.2]},
            "dropout is one for all hidden layers or one for each of 1: got 2; the last layer has no dropout",
        ),
        ({"label_smoothing": 1.0}, "^The 'label_smoothing' parameter of MLPClassifier must be"),
        ({"engine": "cuda"}, "^The 'engine' parameter of MLPClassifier must be"),
        ({"scoring": "acuracy"}, "acuracy"),
        ({"early_stopping": True, "validation_fraction": 0.005}, "^The validation set is too small. Increase"),
    ],
)
def test_settings(wine: Table, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MLPClassifier(**({"hidden_layer_sizes": (5,), "max_iter": 2} | settings)).fit(*wine)


def test_a_poisson_loss_takes_no_negative_targets(wine: Table) -> None:
    """scikit-learn's own, which ends with a loss of NaN, has no words for it; its linear PoissonRegressor has these."""
    estimator = MLPRegressor(loss="poisson", max_iter=2)
    with pytest.raises(ValueError, match=r"^Some value\(s\) of y are out of the valid range of the loss .*: got -1"):
        estimator.fit(wine[0], wine[1] - 1.0)
    with pytest.raises(ValueError, match=r"^Some value\(s\) of y are out of the valid range of the loss .*: got -2"):
        estimator.fit(wine[0], wine[1], validation_data=(wine[0], wine[1] - 2.0))


def test_dropout_needs_steps(wine: Table) -> None:
    with pytest.raises(ValueError, match="dropout needs a solver that takes steps: got 'lbfgs'"):
        MLPClassifier(solver="lbfgs", dropout=0.5).fit(*wine)


def test_data(wine: Table) -> None:
    X, y = wine
    model = MLPClassifier(max_iter=2)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.fit(np.where(X > 2.0, np.nan, X), y)
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(X, X[:, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        model.fit(X, y, np.linspace(-1.0, 1.0, len(y)))
    model.fit(X, y)
    with pytest.raises(ValueError, match="X has 5 features, but MLPClassifier is expecting 13 features as input"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        model.fit(X, y, validation_data=(X, y + 1))
    with pytest.raises(ValueError, match=r"validation_data must be \(X, y\) or \(X, y, sample_weight\): got array"):
        model.fit(X, y, validation_data=X)


def test_weights_of_classes_are_0_or_more(wine: Table) -> None:
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^the weights in class_weight must be finite and 0 or more: got \{0: "):
            MLPClassifier(class_weight={0: weight, 1: 1.0, 2: 1.0}).fit(*wine)


def test_a_validation_set_without_one_of_the_classes(tumors: Table) -> None:
    X, y = tumors[0], np.array(["bad", "good"])[tumors[1]]
    model, good = MLPClassifier(early_stopping=True), np.flatnonzero(tumors[1])
    words = r"\. early_stopping holds out validation_fraction=0\.1 of the 21 samples, and of each class at least one on"
    with pytest.raises(ValueError, match=rf"^The least populated class.*{words}"):
        model.fit(X[[0, *good[:20]]], y[[0, *good[:20]]])
    with pytest.raises(
        ValueError, match=r"test_size = 1 should be .* number of classes = 2\. early_stopping holds out"
    ):
        model.fit(X[15:25], y[15:25])


def test_what_partial_fit_cannot_do(wine: Table) -> None:
    X, y = wine
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        MLPClassifier(solver="lbfgs").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="class_weight 'balanced' needs all samples at once"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    started = MLPClassifier().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self\.classes_`"):
        started.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match=r"continue with the same layers: got \(13, 5, 3\) after \(13, 100, 3\)"):
        started.set_params(hidden_layer_sizes=(5,)).partial_fit(X, y)


def test_what_a_warm_start_cannot_do(wine: Table, diabetes: Table) -> None:
    X, y = wine
    warm = MLPClassifier(max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        warm.fit(X, y % 2)
    values = MLPRegressor(max_iter=2, warm_start=True).fit(*diabetes)
    with pytest.raises(ValueError, match="y must have 1 outputs, as at first: got 2"):
        values.fit(diabetes[0], np.column_stack([diabetes[1], diabetes[1]]))


def test_before_fit_there_are_no_weights() -> None:
    assert not hasattr(MLPClassifier(), "coefs_")
    with pytest.raises(AttributeError, match="has no attribute 'coefs_' before it is fitted"):
        MLPRegressor().coefs_  # noqa: B018


def test_a_batch_larger_than_the_data_is_cut_with_a_warning(wine: Table) -> None:
    with pytest.warns(UserWarning, match="larger than sample size. It is going to be clipped"):
        MLPClassifier(batch_size=500, max_iter=2).fit(*wine)


def test_a_machine_without_scikit_learn_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError('not here')", encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import deltarule; deltarule.MLPClassifier"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'this needs sklearn, which is not installed: run  pip install "deltarule-nn[sklearn]"' in done.stderr


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_on_samples_that_all_weigh_nothing(wine: Table, solver: str) -> None:
    X, y = wine
    nothing = dict.fromkeys(range(3), 0.0)
    with pytest.raises(ValueError, match=rf"^all {len(y)} samples to learn from have the weight 0"):
        MLPClassifier(solver=solver, class_weight=nothing).fit(X, y)
    with pytest.raises(ValueError, match=r"^all \d+ samples to (learn from|validate on) have the weight 0"):
        MLPClassifier(solver=solver, class_weight={0: 0.0}, early_stopping=True).fit(X, y, np.eye(len(y))[3])
