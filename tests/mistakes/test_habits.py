"""Habits from other libraries that are refused or noted: each answer names the call that does what was meant.

A row holds the habit, a part of the answer, and the call that the answer leads to, which must work.
"""

import logging
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
pandas = pytest.importorskip("pandas", reason="needs pandas: pip install pandas")

FIT = "dr.fit(network, X, y, epochs=2, "


class Habit(NamedTuple):
    """A call, a part of the error or of the line on the log, and the call that does what was meant."""

    call: str
    answer: str
    meant: str


class CallOnly(dr.Loss):
    """A loss with Keras's method."""

    def call(self, true: Any, given: Any) -> Any:
        return true - given


class Unsummed(dr.Loss):
    """A loss that returns a number for each output."""

    def sample_losses(self, a: Any, t: Any) -> Any:
        return np.abs(a - t)


HABITS = [
    Habit(
        'dr.Network([4, "relu", 8, "tanh", 3, "softmax"])',
        'use Network((4, 8, 3), hidden="relu", output="softmax")',
        'dr.Network((4, 8, 3), hidden="relu", output="softmax")',
    ),
    Habit(
        'dr.fit(dr.Network((4, 1), output="identity", loss=CallOnly()), X, v)',
        "must define sample_losses(a, t), outputs first: sample_losses returns the loss of each sample, (batch,)",
        "",
    ),
    Habit(
        'dr.fit(dr.Network((4, 1), output="identity", loss=Unsummed()), X, v)',
        "Unsummed.sample_losses returns the loss of each sample, of shape (60,): got (60, 1); sum over the outputs",
        "",
    ),
    Habit(
        'type("Net", (dr.Network,), {"forward": len})',
        "Net.forward is never called by fit or predict",
        'type("Net", (dr.Network,), {"halves": len})',
    ),
    Habit(
        FIT + "learning_rate={0: 0.01, 50: 0.001, 80: 0.0})",
        "use learning_rate=lambda step: 0.01 if step < 50 else 0.001 if step < 80 else 0.0",
        FIT + "learning_rate=lambda step: 0.01 if step < 50 else 0.001 if step < 80 else 0.0)",
    ),
    Habit(
        FIT + "optimizer=[dr.L2(0.1), dr.Adam()])",
        "use optimizer=Adam(), and an argument for each of the others, such as clip=1.0",
        FIT + "optimizer=dr.Adam(), clip=1.0)",
    ),
    Habit(
        'dr.fit(network, X, y, epochs=40, batch_size=10, optimizer="sgd", learning_rate=0.8, penalty=dr.L2(5.0))',
        "as in Nielsen's book, is L2(5 / len(X)) here",
        'dr.fit(network, X, y, epochs=9, batch_size=10, optimizer="sgd", learning_rate=0.8, penalty=dr.L2(5 / len(X)))',
    ),
    Habit(
        FIT + "validation=(X, y), learning_rate=dr.ReduceOnPlateau(0.01), callbacks=[dr.EarlyStopping(patience=5)])",
        "so the rate never falls: use ReduceOnPlateau(..., patience=2)",
        FIT + "validation=(X, y), learning_rate=dr.ReduceOnPlateau(0.01, patience=2), "
        "callbacks=[dr.EarlyStopping(patience=5)])",
    ),
    Habit(
        "dr.fit(network, X, y, epochs=1, batch_size=10, learning_rate=dr.Cosine(0.1, total_steps=60))",
        "each fit begins at step 0; use one fit with all epochs",
        "dr.fit(network, X, y, epochs=10, batch_size=10, learning_rate=dr.Cosine(0.1, total_steps=60))",
    ),
    Habit(
        "dr.fit(network, X, y, epochs=3, resume=kept.newest())",
        "train further with another  dr.fit(network, X, y, epochs=N)  without resume",
        "dr.fit(network, X, y, epochs=2, resume=kept.newest()); dr.fit(network, X, y, epochs=1)",
    ),
    Habit(
        'dr.fit(network, X, y, resume=dr.load("best.safetensors"))',
        "a saved network trains on with dr.fit(model.network, X, y)",
        'model = dr.load("best.safetensors"); dr.fit(model.network, X, y)',
    ),
    Habit(
        'dr.ModelCheckpoint(dirpath="kept", filename="best", save_top_k=1)',
        'use ModelCheckpoint("best.safetensors", monitor="validation_loss", save_best_only=True)',
        'dr.ModelCheckpoint("best.safetensors", monitor="validation_loss", save_best_only=True)',
    ),
    Habit('dr.Checkpoints("best.pt")', "checkpoints go into a folder: got best.pt", 'dr.Checkpoints("best")'),
    Habit(
        "dr.Deformation(rotation=0.1, shift=0.1)",
        "rotation is in degrees and shift in pixels: got 0.1 and 0.1",
        "dr.Deformation(rotation=10, shift=2)",
    ),
    Habit(
        "network.weights[0].flags.writeable = False; dr.fit(network, X, y)",
        "fit trains all layers: got weights that are read-only",
        "network.weights[0].flags.writeable = True; dr.fit(network, X, y)",
    ),
    Habit(
        'dr.fit(dr.Network((4, 1), output="identity", loss="quadratic"), X, 400 * v)',
        "or model = dr.Model.suited(network, data), and dr.fit(network, model.scaled(data))",
        'network = dr.Network((4, 1), output="identity", loss="quadratic"); '
        "data = dr.Dataset(X, 400 * v.reshape(-1, 1), task='values'); "
        "model = dr.Model.suited(network, data); dr.fit(network, model.scaled(data))",
    ),
    Habit(
        "from sklearn.model_selection import train_test_split; train_test_split(data)",
        "as in train_test_split(data.inputs, data.targets)",
        "from sklearn.model_selection import train_test_split; train_test_split(data.inputs, data.targets)",
    ),
    Habit(
        'dr.read_table(frame.drop(columns="price"), frame["price"])',
        'use read_table(frame, "price"), with the whole frame',
        'dr.read_table(frame, "price")',
    ),
    Habit(
        "dr.explain(pipeline, X[0], y[0])",
        "use dr.explain(dr.from_sklearn(pipeline), X[0], y[0])",
        "dr.explain(dr.from_sklearn(pipeline), X[0], y[0])",
    ),
    Habit(
        "dr.MLPClassifier((8,), solver=dr.AdamW(weight_decay=0.1)).fit(X, y)",
        "Use solver='adamw', weight_decay=0.1.",
        "dr.MLPClassifier((8,), max_iter=2, solver='adamw', weight_decay=0.1).fit(X, y)",
    ),
    Habit(
        "dr.MLPClassifier((8,), learning_rate=dr.Cosine(0.01, 100)).fit(X, y)",
        "Use learning_rate='cosine', learning_rate_init=0.01",
        "dr.MLPClassifier((8,), max_iter=2, learning_rate='cosine', learning_rate_init=0.01).fit(X, y)",
    ),
    Habit(
        "dr.MLPClassifier((8,), early_stopping=10).fit(X, y)",
        "Use early_stopping=True, n_iter_no_change=10.",
        "dr.MLPClassifier((8,), max_iter=2, early_stopping=True, n_iter_no_change=10).fit(X, y)",
    ),
    Habit(
        'dr.MLPClassifier((8,), max_iter=2, early_stopping=True, solver="lbfgs").fit(X, y)',
        "early_stopping has no effect with solver='lbfgs': use solver='adam'",
        "dr.MLPClassifier((8,), max_iter=2, early_stopping=True, solver='adam').fit(X, y)",
    ),
    Habit(
        "dr.MLPClassifier((8,)).partial_fit(X, y, classes=3)",
        "labels were expected, not their number: use classes=[0, 1, 2]",
        "dr.MLPClassifier((8,)).partial_fit(X, y, classes=[0, 1, 2])",
    ),
    Habit(
        "dr.MLPClassifier((8,), class_weight={0: 1, 1: 2}).fit(X, names)",
        "use class_weight=dict.fromkeys(np.unique(y).tolist(), 1.0) with your weights",
        "y = names; dr.MLPClassifier((8,), max_iter=2, "
        "class_weight=dict.fromkeys(np.unique(y).tolist(), 1.0)).fit(X, names)",
    ),
    Habit(
        'dr.MLPRegressor(hidden_layer_sizes=(8,)).fit(frame[["size", "town"]], frame["price"])',
        'beside numbers make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town"]), '
        "remainder=StandardScaler()) in the place of OneHotEncoder()",
        "from sklearn.pipeline import make_pipeline; from sklearn.compose import make_column_transformer; "
        "from sklearn.preprocessing import OneHotEncoder, StandardScaler; "
        'make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town"]), '
        "remainder=StandardScaler()), dr.MLPRegressor(hidden_layer_sizes=(8,), max_iter=2))"
        '.fit(frame[["size", "town"]], frame["price"])',
    ),
    Habit(
        "estimator.predict(columns.drop(columns='b'))",
        "use X.reindex(columns=estimator.feature_names_in_, fill_value=0)",
        "X = columns.drop(columns='b'); "
        "estimator.predict(X.reindex(columns=estimator.feature_names_in_, fill_value=0))",
    ),
    Habit(
        "table = dr.read_table(frame.assign(cents=frame.price), 'price'); "
        "model = dr.Model.suited(dr.Network((5, 1), output='identity', loss='quadratic'), table); "
        "dr.fit(model.network, model.scaled(table), epochs=1)",
        "column 'cents' is y itself, so the network only has to copy it: leave it out, read_table(..., without=",
        "dr.read_table(frame.assign(cents=frame.price), 'price', without=['cents'])",
    ),
    Habit(
        "dr.fit(network, dr.Dataset(X, np.eye(3)[y].astype(np.uint8), 'labels'))",
        "one 1 in each row, and the network is for classes: use dr.Dataset(X, targets.argmax(axis=1))",
        "targets = np.eye(3)[y]; dr.fit(network, dr.Dataset(X, targets.argmax(axis=1)))",
    ),
    Habit(
        "dr.Dataset(X, 0.7 * np.eye(3)[y] + 0.1)",
        "use targets.argmax(axis=1), and soft_targets=targets, since its rows sum to 1",
        "soft = 0.7 * np.eye(3)[y] + 0.1; dr.Dataset(X, soft.argmax(axis=1), soft_targets=soft)",
    ),
    Habit(
        "model.predict(frame, unseen='other')",
        'use model.predict(model.rows(X, unseen="other"))',
        'X = frame; model.predict(model.rows(X, unseen="other"))',
    ),
    Habit(
        "model.predict(pandas.get_dummies(frame))",
        "the column 'town' is needed, as it was before get_dummies",
        "model.predict(frame)",
    ),
    Habit(
        "dr.fit(network, X, y, standardize=True)",
        "use model = dr.Model.suited(network, data), and dr.fit(network, model.scaled(data))",
        "model = dr.Model.suited(network, data); dr.fit(network, model.scaled(data))",
    ),
    Habit(
        "dr.Dataset(X, np.sort(y)).hold_out(12)",
        "hold one class alone, as in sorted data: use split_stratified(12, rng=0)",
        "dr.Dataset(X, np.sort(y)).split_stratified(12, rng=0)",
    ),
    Habit(
        "data.hold_out(12, 12)",
        "use data.hold_out(100), and its train.hold_out(100)",
        "data.hold_out(12).train.hold_out(12)",
    ),
    Habit(
        "dr.MLPClassifier((4,), max_iter=2).fit(X, np.eye(3)[y])",
        "y has one 1 in each row, and is read as independent labels: for classes use y.argmax(axis=1)",
        "y = np.eye(3)[y]; dr.MLPClassifier((4,), max_iter=2).fit(X, y.argmax(axis=1))",
    ),
    Habit(
        "dr.explain(network, X[0], y[0]).attributions",
        "use walk.layers[0].delta @ network.weights[0].T",
        "walk = dr.explain(network, X[0], y[0]); walk.layers[0].delta @ network.weights[0].T",
    ),
    Habit(
        "dr.evaluate(network, None)",
        "a single file has no test part, so use parts = data.train.hold_out(100)",
        "parts = data.hold_out(20); dr.evaluate(network, parts.test)",
    ),
    Habit(
        'dr.load_data("iris.csv", label="kind")',
        "dr.read_table('iris.csv', 'kind')",
        "dr.read_table('iris.csv', 'kind')",
    ),
    Habit(
        'dr.load_data("test.csv")',
        "network.predict(pandas.read_csv('test.csv').to_numpy('uint8'))",
        "network = dr.Network((4, 3), pixels=True); network.predict(pandas.read_csv('test.csv').to_numpy('uint8'))",
    ),
]


class Named(dr.Optimizer):
    """An optimizer that names its moment, as a beginner would."""

    moments = ("v",)

    def update(self, p: Any, g: Any, learning_rate: float, v: Any) -> None:  # type: ignore[override]
        v *= 0.9
        v += g
        p -= learning_rate * v


class Forgetful(Named):
    """One whose constructor does not call that of its base."""

    def __init__(self) -> None:
        self.rate = 1.0


class Lost(dr.Optimizer):
    """One that makes new parameters instead of changing them."""

    def update(self, p: Any, g: Any, learning_rate: float) -> Any:  # type: ignore[override]
        return p - learning_rate * g


class Keeping(dr.Optimizer):
    """One that keeps its state itself."""

    seen: Any = None

    def update(self, p: Any, g: Any, learning_rate: float) -> None:  # type: ignore[override]
        vars(self)["seen"] = g.copy() if self.seen is None else 0.9 * self.seen + g
        p -= learning_rate * self.seen


class Swapped(dr.Loss):
    """A loss whose arguments stand as in Keras."""

    def sample_losses(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_true - y_pred) ** 2).sum(axis=1)


class Summed(dr.Loss):
    """A loss whose derivatives are summed over the outputs."""

    def sample_losses(self, a: Any, t: Any) -> Any:
        return ((a - t) ** 2).sum(axis=1)

    def sample_gradients(self, a: Any, t: Any) -> Any:
        return 2 * (a - t).sum(axis=1)


class Beginning(dr.Callback):
    """A callback with a hook that is never called."""

    def epoch_begin(self, state: Any) -> None:
        pass

    def epoch_end(self, state: Any) -> None:
        pass


class Curved(dr.Activation):
    """An activation with a setting that no constructor takes."""

    beta: float = 1.0


OWN_PARTS = [
    ({"optimizer": Forgetful}, "Forgetful has no _vectors: use super().__init__() first in its __init__"),
    ({"optimizer": Lost}, "update of Lost changes p in place and returns nothing: got a result; use p -="),
    ({"loss": Swapped}, "outputs come first, and targets second: use def sample_losses(self, a, t)"),
    ({"loss": Summed}, "Summed.sample_gradients returns the derivatives by the outputs, of shape (60, 3): got (60,)"),
    (
        {"callbacks": Beginning},
        "has epoch_begin, which is never called; the hooks are train_begin, step_end, epoch_end",
    ),
]


@pytest.mark.parametrize(("given", "answer"), OWN_PARTS, ids=lambda each: str(each)[:40])
def test_a_mistake_in_ones_own_part_is_named(given: dict[str, Any], answer: str) -> None:
    X, targets = np.random.default_rng(0).random((60, 4)), np.eye(3)[np.arange(60) % 3]

    def train() -> None:
        made = {name: kind() for name, kind in given.items()}
        network = dr.Network((4, 3), output="identity", loss=made.pop("loss", "quadratic"))
        dr.fit(network, X, targets, epochs=1, **made)

    with pytest.raises(dr.DeltaruleError) as caught:
        train()
    assert answer in str(caught.value)


def test_ones_own_optimizer_may_name_its_moments_or_keep_its_state() -> None:
    X, y = np.random.default_rng(0).random((60, 300)), np.arange(60) % 10
    vectors = []
    for optimizer in (Named(), Keeping(), dr.Momentum(momentum=0.9)):
        network = dr.Network((300, 60, 10), rng=0)  # more parameters than an update gets at a time
        dr.fit(network, X, y, epochs=2, optimizer=optimizer, learning_rate=0.1, engine="numpy")
        vectors.append(network.parameters.vector)
    assert np.allclose(vectors[0], vectors[2], rtol=1e-5, atol=1e-7)
    assert np.allclose(vectors[1], vectors[2], rtol=1e-5, atol=1e-7)


def test_a_setting_without_a_constructor_is_explained() -> None:
    with pytest.raises(dr.DeltaruleError, match=r"needs an __init__, or @dataclass\(frozen=True\) above  class Curved"):
        Curved(beta=1.5)  # type: ignore[call-arg]


def test_an_error_in_a_users_function_stays_as_it_is() -> None:
    X, y = np.random.default_rng(0).random((60, 4)), np.arange(60) % 3
    rates = [0.1] * 5
    with pytest.raises(IndexError, match="list index out of range"):
        dr.fit(dr.Network((4, 3)), X, y, batch_size=10, learning_rate=lambda step: rates[step])
    with pytest.raises(dr.DeltaruleError, match=r"fails at the first step, 0 .*division by zero"):
        dr.fit(dr.Network((4, 3)), X, y, learning_rate=lambda step: 0.1 / step)


def test_a_column_of_classes_is_refused_where_numpy_would_broadcast() -> None:
    network, X, y = dr.Network((4, 3)), np.random.default_rng(0).random((9, 4)), np.arange(9) % 3
    ws, grads = network.workspace(9), network.parameters.zeros_like()
    dr.forward(network, X, ws)
    for call in (lambda: dr.loss_value(network, y[:, None], ws), lambda: dr.backward(network, y[:, None], ws, grads)):
        with pytest.raises(dr.DeltaruleError, match=r"got \(9, 1\); use y.ravel\(\) for classes"):
            call()


def test_a_model_with_scalings_of_its_own_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    X, y = np.random.default_rng(0).normal(100, 3, (60, 4)), np.random.default_rng(1).random((60, 1))
    network, data = dr.Network((4, 1), output="identity", loss="quadratic"), dr.Dataset(X, y, "values")
    model = dr.Model(network, input_scaling=dr.Standardization.of(X), target_scaling=dr.Standardization.of(y))
    dr.fit(network, model.scaled(data), epochs=1)
    model.predict(X)
    dr.evaluate(model, data)
    assert caplog.text == ""


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    """What takes long to make, and no call changes."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    X, y = rng.random((60, 4)), np.arange(60) % 3
    frame = pandas.DataFrame({"size": rng.random(60), "town": ["Bonn", "Kiel", "Ulm"] * 20, "price": X.sum(axis=1)})
    columns = pandas.DataFrame(X, columns=[*"abcd"])
    with warnings.catch_warnings(action="ignore"):  # two epochs are few
        pipeline = make_pipeline(StandardScaler(), dr.MLPClassifier((8,), max_iter=2)).fit(X, y)
        estimator = dr.MLPClassifier((8,), max_iter=2).fit(columns, y)
    made = {"X": X, "y": y, "v": X.sum(axis=1), "names": np.array(["cat", "cow", "dog"])[y], "data": dr.Dataset(X, y)}
    made |= {"frame": frame, "pipeline": pipeline, "estimator": estimator, "columns": columns}
    return made | {"dr": dr, "np": np, "pandas": pandas, "CallOnly": CallOnly, "Unsummed": Unsummed}


def things(fitted: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a call needs, in an empty folder."""
    folder.mkdir()
    network, kept = dr.Network((4, 8, 3), rng=0), dr.Checkpoints(folder / "steps", every_steps=1)
    dr.fit(dr.Network((4, 8, 3), rng=0), fitted["X"], fitted["y"], epochs=2, callbacks=[kept])
    (folder / "iris.csv").write_text("width,length,kind\n" + "5.1,3.5,a\n4.9,3.1,b\n" * 5)
    (folder / "test.csv").write_text("pixel0,pixel1,pixel2,pixel3\n" + "0,255,7,9\n" * 5)
    dr.save(fitted["pipeline"][-1].model_, folder / "best.safetensors")
    table = dr.read_table(fitted["frame"], "price", announce=len)
    model = dr.Model.suited(dr.Network((4, 1), output="identity", loss="quadratic"), table)
    dr.fit(model.network, model.scaled(table), epochs=1)
    return fitted | {"network": network, "kept": dr.Checkpoints(folder / "steps"), "model": model}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:lbfgs failed")
@pytest.mark.parametrize("habit", HABITS, ids=lambda each: each.call[:60])
def test_a_habit_is_answered_with_the_call_that_was_meant(
    habit: Habit,
    fitted: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = (things(fitted, tmp_path / place) for place in ("first", "second"))
    monkeypatch.chdir(tmp_path / "first")
    with caplog.at_level(logging.WARNING), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(habit.call, first)
        except Exception as error:
            caplog.records.append(logging.makeLogRecord({"msg": str(error)}))
    answers = [each.getMessage() for each in caplog.records] + [str(each.message) for each in caught]
    assert habit.answer in " ".join(answers)
    caplog.clear()
    monkeypatch.chdir(tmp_path / "second")
    exec(habit.meant, second)
    assert habit.answer not in caplog.text
