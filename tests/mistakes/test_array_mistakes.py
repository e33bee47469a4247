"""What beginners do with arrays, and the answer: a table, one mistake a row, written before the code.

The table is array_mistakes.toml. A mistake holds a cause, the call as a beginner writes it, the error, how its message
begins, and the corrected call, which must work. The rows called "same" are not mistakes: the call does what the plain
one beside it does.
"""

import logging
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import DataError, DeltaruleError, FileError
from deltarule.training.evaluation import evaluate


class Mistake(NamedTuple):
    """A call that is refused, and the call that the message leads to."""

    cause: str
    call: str
    error: str
    message: str
    corrected: str


class Same(NamedTuple):
    """A call that does what the plain one does; note: how the line on the log begins, "" where there is none."""

    cause: str
    call: str
    plain: str
    note: str = ""


class Tensor:
    """As PyTorch makes them: NumPy cannot read one that has a gradient, or lies on a GPU."""

    def __init__(self, array: np.ndarray, trouble: str) -> None:
        self.array, self.trouble = array, trouble

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise (TypeError if "cuda" in self.trouble else RuntimeError)(self.trouble)

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def numpy(self) -> np.ndarray:
        return self.array


def scope() -> dict[str, Any]:
    """The names that the calls use: fresh networks, and examples that fit them."""
    rng = np.random.default_rng(0)
    X = np.round(rng.random((30, 6)), 3)
    y = np.arange(30) % 3
    images = rng.integers(256, size=(30, 4, 4), dtype=np.uint8)
    images[:, 0, 0] = 255
    regression = {"output": dr.Identity(), "loss": dr.Quadratic()}
    questions = {"output": dr.Sigmoid(), "loss": dr.BinaryCrossEntropy()}
    seen = dr.Network((6, 5, 3))
    seen.input_range = (0.0, 1.0)
    wide = dr.Network((16, 3))
    wide.input_range = (0.0, 1.0)
    digits = dr.Dataset(images.reshape(30, 16), y, image_shape=(4, 4), name="digits").hold_out(6)
    plain = dr.Dataset(X, y, name="flowers").hold_out(6)
    known = dr.Network((6, 5, 3), class_names=("cat", "dog", "owl"))
    model = dr.Model.suited(dr.Network((6, 5, 3)), plain.train)
    return {
        "np": np,
        "dr": dr,
        "X": X,
        "y": y,
        "images": images,
        "values": X.sum(axis=1),
        "names": np.array(["cat", "dog", "owl"])[y],
        "network": dr.Network((6, 5, 3)),
        "binary": dr.Network((6, 5, 1), **questions),
        "labeler": dr.Network((6, 5, 3), **questions),
        "two": dr.Network((6, 5, 2)),
        "regressor": dr.Network((6, 5, 1), **regression),
        "regressor3": dr.Network((6, 5, 3), **regression),
        "one_input": dr.Network((1, 5, 1), **regression),
        "known": known,
        "seen": seen,
        "wide": wide,
        "reader": dr.Network((16, 3), pixels=True, image_shape=(4, 4)),
        "plain_reader": dr.Network((16, 3)),
        "model": model,
        "digits": digits,
        "flowers": plain,
        "settings": {"epochs": 1, "batch_size": 10},
        "Tensor": Tensor,
        "trainer": lambda network: dr.Trainer(network=network, epochs=1),
        "nan": with_one(X, np.nan),
        "table": SimpleNamespace(columns=["a"], rows=3),
    }


def with_one(X: np.ndarray, number: float) -> np.ndarray:
    X = X.copy()
    X[3, 2] = number
    return X


def run(call: str, names: dict[str, Any]) -> Any:
    """Run the lines of a call, the last of which is an expression; what that one is."""
    *before, last = call.split("; ")
    exec("\n".join(before), names)
    return eval(last, names)


TABLE = tomllib.loads(Path(__file__).with_name("array_mistakes.toml").read_text(encoding="utf-8"))
MISTAKES = [Mistake(**row) for row in TABLE["mistake"]]
ACCEPTED = [Same(**row) for row in TABLE["same"]]


@pytest.fixture(autouse=True)
def log() -> Iterator[list[str]]:
    """The lines that go to the log."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("deltarule").addHandler(handler)
    yield lines
    logging.getLogger("deltarule").removeHandler(handler)


def identify(row: Mistake | Same) -> str:
    return row.cause.replace(" ", "-")


@pytest.mark.parametrize("row", MISTAKES, ids=identify)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_mistake_is_refused_and_its_correction_works(row: Mistake) -> None:
    if "pandas" in row.call:
        pytest.importorskip("pandas")
    with pytest.raises(DeltaruleError) as caught, np.errstate(all="ignore"):
        run(row.call, scope())
    assert type(caught.value).__name__ == row.error
    assert str(caught.value)[: len(row.message)] == row.message, str(caught.value)
    with np.errstate(all="ignore"):
        run(row.corrected, scope())


@pytest.mark.parametrize("row", ACCEPTED, ids=identify)
def test_what_is_unambiguous_is_taken(row: Same, log: list[str]) -> None:
    found = run(row.call, scope())
    notes = list(log)
    expected = run(row.plain, scope())
    if isinstance(found, dr.History):
        found, expected = found["train_loss"], expected["train_loss"]
    np.testing.assert_array_equal(found, expected)
    assert [line[: len(row.note)] for line in notes] == ([row.note] if row.note else [])


def test_there_are_enough_mistakes() -> None:
    assert len(MISTAKES) + len(ACCEPTED) >= 80
    assert len({row.cause for row in [*MISTAKES, *ACCEPTED]}) >= 35


@pytest.mark.parametrize(
    "entrance",
    [
        lambda network, X, y: dr.fit(network, X, y),
        lambda network, X, y: dr.fit(network, np.zeros((2, 6)), [0, 1], validation=(X, y)),
        lambda network, X, y: network.predict(X),
        lambda network, X, y: network.outputs(X),
        lambda network, X, y: network.probabilities(X),
        lambda network, X, y: dr.Model(network, "classes").predict(X),
        lambda network, X, y: dr.Model(network, "classes").probabilities(X),
        lambda network, X, y: evaluate(network, X, y),
        lambda network, X, y: dr.gradcheck(network, X, y),
        lambda network, X, y: dr.diagnose(network, X, y),
        lambda network, X, y: dr.loss_and_gradient(network, X, y),
        lambda network, X, y: dr.Dataset(X, np.asarray(y)),
        lambda network, X, y: dr.explain(network, X, 0),
        lambda network, X, y: dr.MLPClassifier(max_iter=1).fit(X, y),
    ],
    ids=[
        "fit",
        "validation",
        "predict",
        "outputs",
        "probabilities",
        "model_predict",
        "model_probabilities",
        "evaluate",
        "gradcheck",
        "diagnose",
        "loss_and_gradient",
        "dataset",
        "explain",
        "classifier",
    ],
)
def test_every_entrance_refuses_what_is_no_array_of_numbers(entrance: Any) -> None:
    """In one line that names what was passed; a ValueError, since scikit-learn's own words end the estimator's."""
    X = np.random.default_rng(0).random((3, 6))
    things: dict[str, Any] = {
        "masked": np.ma.masked_less(X, 0.5),
        "complex": X + 1j,
        "texts": np.full((3, 6), "red"),
        "objects": np.full((3, 6), object()),
        "ragged": [[0.0] * 6, [0.0] * 5, [0.0] * 6],
        "generator": (row for row in X),
        "none": None,
        "nan": with_nan(X),
        "infinity": X * np.inf,
        "dict": {"X": X},
        "number": 3,
    }
    for what, thing in things.items():
        with pytest.raises((ValueError, TypeError)) as caught:
            entrance(dr.Network((6, 3)), thing, [0, 1, 2])
        assert isinstance(caught.value, DeltaruleError) or "sklearn" in str(caught.traceback[-1].path), what


def with_nan(X: np.ndarray) -> np.ndarray:
    return np.where(np.arange(6) == 2, np.nan, X)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint16"])
def test_numbers_that_look_like_pixels(dtype: str, log: list[str]) -> None:
    """Floats of 0 to 255 train badly; uint8 is divided by 255."""
    names = scope()
    X = names["images"].reshape(30, 16)
    dr.fit(dr.Network((16, 3)), X.astype(dtype), names["y"], epochs=1, learning_rate=1e-5)
    assert len(log) == 1
    assert log[0].startswith(f"X looks like pixels, whole numbers from {X.min()} to 255, but is not scaled to")
    assert "use X / 255, or X.astype(np.uint8)" in log[0]


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).integers(256, size=(30, 16), dtype=np.uint8),
        np.random.default_rng(0).integers(256, size=(30, 16)) / 255,
        np.random.default_rng(0).integers(17, size=(30, 64)) / 1.0,
        np.random.default_rng(0).integers(256, size=(30, 8)) / 1.0,
        np.random.default_rng(0).integers(256, size=(30, 16)) + 0.5,
        np.random.default_rng(0).integers(1000, size=(30, 16)) / 1.0,
        np.random.default_rng(0).integers(-255, 256, size=(30, 16)) / 1.0,
        np.random.default_rng(0).poisson(3.0, size=(30, 100)) / 1.0,
        np.random.default_rng(0).integers(2, size=(30, 100)) / 1.0,
    ],
    ids=[
        "pixels",
        "shares",
        "small-digits",
        "few-columns",
        "halves",
        "thousands",
        "signed",
        "counts",
        "zeros-and-ones",
    ],
)
def test_numbers_that_do_not_look_like_pixels(X: np.ndarray, log: list[str]) -> None:
    dr.fit(dr.Network((X.shape[1], 3)), X, np.arange(30) % 3, epochs=1, learning_rate=1e-6)
    assert not any("looks like pixels" in line for line in log)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            "dr.fit(dr.Network((6, 3)), 300 * X + 90, y)",
            "X holds numbers from 91.18 to 388.8, which are hard to learn from: use (X - X.m",
        ),
        ("dr.fit(regressor, X, 1e3 * y)", "y holds numbers from 0 to 2000, which are hard to learn from: use (y - y.m"),
        ("network.predict(255.0 * X)", "X holds numbers from 1 to 254, and this network learned from 0.0"),
        ("dr.evaluate(network, 255.0 * X, y)", "X holds numbers from 1 to 254, and this network learned from 0.0"),
        ("dr.evaluate(of_table, table)", "X holds numbers from 0 to 290, and this network learned from -1.6"),
        ("of_table.predict(table.inputs)", "X holds numbers from 0 to 290, and this network learned from -1.6"),
        ("model.predict(scaled.inputs)", "X looks standardized (mean 0, deviation 1), but this model standardizes"),
        ("dr.evaluate(model, scaled)", "X looks standardized (mean 0, deviation 1), but this model standardizes"),
        ("model.scaled(scaled)", "X looks standardized (mean 0, deviation 1), but this model standardizes"),
        ("dr.save(dr.Network((6, 3)), '/dev/null/m')", "this network has not been trained: its biases are all 0; use"),
        ("dr.fit(dr.Network((6, 3)), X, y, learning_rate=30.0)", "the training loss rose from 1.1"),
    ],
)
def test_numbers_on_another_scale_get_a_note(call: str, line: str, log: list[str]) -> None:
    names = scope()
    names["X"] = np.linspace(1.0, 254.0, 180).reshape(30, 6) / 255
    dr.fit(names["network"], names["X"], names["y"], epochs=1)
    numbers = [dr.Column("size"), dr.Column("age")]
    names["table"] = dr.Dataset(
        np.arange(60.0).reshape(30, 2) * 5 - [0, 5], np.ones((30, 1)), "values", columns=numbers
    )
    names["of_table"] = dr.Network((2, 5, 1), output=dr.Identity(), loss=dr.Quadratic())
    model = dr.Model.suited(names["of_table"], names["table"])
    names |= {"model": model, "scaled": model.scaled(names["table"])}
    dr.fit(names["of_table"], names["scaled"], epochs=1)
    dr.evaluate(model, names["table"])
    model.predict(names["table"].inputs)
    assert log == []
    with suppress(FileError):
        run(call, names)
    assert log[0].startswith(line)


class Stopper(dr.Callback):
    """Asks a run to stop in the words of another library."""

    def epoch_end(self, state: dr.TrainingState) -> bool:  # type: ignore[override]
        return state.epoch < 2


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"optimizer": "dr.Adam(beta_1=0.999, beta_2=0.9)"}, "Adam(beta_1=0.999, beta_2=0.9) has a larger beta_1 than"),
        (
            {"learning_rate": "dr.Cosine(0.001, 30, final=0.1)"},
            "Cosine(rate=0.001, total_steps=30, final=0.1) has a la",
        ),
        (
            {"learning_rate": "dr.ReduceOnPlateau(1e-3, min_rate=0.1, monitor='train_loss')"},
            "ReduceOnPlateau(rate=0.001",
        ),
        ({"learning_rate": "dr.WarmUp(dr.Constant(0.1), 99)"}, "a warm-up of 99 steps is longer than this run of 30"),
        (
            {"learning_rate": "dr.Exponential(0.1, 30, factor=0.95)"},
            "Exponential(rate=0.1, total_steps=30, factor=0.95) f",
        ),
        (
            {"learning_rate": "lambda step: 0.1 * 0.5**step"},
            "the learning rate falls from 0.1 to 3.05e-06 in the first",
        ),
        (
            {"callbacks": "Stopper()"},
            "epoch_end of Stopper returns True, which changes nothing: use state.stop_reason =",
        ),
    ],
)
def test_settings_that_are_confused_get_a_note(more: dict[str, str], line: str, log: list[str]) -> None:
    names = scope() | {"Stopper": Stopper}
    given = ", ".join(f"{name}={text}" for name, text in more.items())
    run(f"dr.fit(network, X, y, epochs=10, batch_size=10, {given})", names)
    assert [each[: len(line)] for each in log] == [line]


@pytest.mark.parametrize(
    "schedule",
    [
        "0.01",
        "dr.Cosine(0.01, 30)",
        "dr.StepDecay(0.01, 15)",
        "dr.Exponential(0.01, 30)",
        "dr.Exponential(0.01, 3, factor=0.95)",
        "dr.OneCycle(0.01, 30)",
        "dr.WarmUp(dr.Cosine(0.01, 30), 3)",
        "dr.ReduceOnPlateau(0.01, monitor='train_loss')",
        "lambda step: 0.01 * 0.9 ** (step // 3)",
        "lambda step: 0.0 if step < 3 else 0.01",
    ],
)
def test_a_schedule_that_suits_the_run_gets_no_note(schedule: str, log: list[str]) -> None:
    run(f"dr.fit(network, X, y, epochs=10, batch_size=10, learning_rate={schedule})", scope())
    assert not log


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("dr.fit(network, X, 0 * y)", "y holds only the class 0, so there is nothing to learn: pass examples of"),
        (
            "network.parameters.vector[:] = 0; dr.fit(network, X, y)",
            "all neurons of layer 0 have the same weights, so",
        ),
        (
            "dr.fit(dr.Network((6, 5, 3), hidden=dr.ReLU(initializer='zeros')), X, y)",
            "all neurons of layer 0 have the ",
        ),
        (
            "X[:, 2] = y; dr.fit(network, X, y)",
            "column 2 of X (counted from 0) is y itself, so the network only has to",
        ),
        (
            "X = np.tile(np.arange(-120, 121, 48).astype(np.int8), (30, 1)); dr.fit(network, X, y)",
            "X holds int8 from -120 to 120, like pixels above 127 that were cast to int8: for pix",
        ),
        (
            "X[:, 0] = values; dr.fit(regressor, X, values)",
            "column 0 of X (counted from 0) is y itself, so the network",
        ),
        (
            "dr.Network((6, 3), dropout=0.5)",
            "dropout acts on hidden layers, and this network has none: use Network((784,",
        ),
    ],
)
def test_what_teaches_nothing_gets_a_note(call: str, line: str, log: list[str]) -> None:
    run(call.replace("y)", "y, epochs=1)").replace("values)", "values, epochs=1)"), scope())
    assert [each[: len(line)] for each in log] == [line]


def test_data_frames_and_sparse_matrices() -> None:
    pandas, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    names = scope()
    X, y, network = names["X"], names["y"], names["network"]
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    expected = network.outputs(X)
    np.testing.assert_array_equal(network.outputs(frame), expected)
    np.testing.assert_array_equal(network.outputs(frame.astype("Float64")), expected)
    assert len(dr.fit(network, frame, pandas.Series(y, dtype="Int64"), epochs=1)) == 2
    assert len(dr.fit(names["known"], frame, pandas.Series(names["names"], dtype="category"), epochs=1)) == 2
    with pytest.raises(
        DataError, match=r"^X holds strings, such as 'red', in the column 'c', .*: dr.read_table\(frame, target\) turns"
    ):
        dr.fit(network, frame.assign(c="red"), y)
    missing = frame.astype("Float64")
    missing.iloc[3, 2] = pandas.NA
    with pytest.raises(DataError, match=r"^X must be finite: got (nan|<NA>) for sample 3, column 2"):
        dr.fit(network, missing, y)
    for call in (network.predict, lambda X: dr.fit(network, X, y)):
        with pytest.raises(DataError, match=r"^X is a sparse matrix \(csr_matrix\), .*: use X.toarray\(\)"):
            call(sparse.csr_matrix(X))
    with pytest.raises(DataError, match=r"^y is a sparse matrix \(coo_array\)"):
        dr.fit(network, X, sparse.coo_array(np.eye(3)[y]))


def test_a_refusal_changes_nothing() -> None:
    names = scope()
    network, before = names["network"], names["network"].parameters.vector.copy()
    for y in (names["values"], np.eye(3)[names["y"]], names["names"], None):
        with pytest.raises(DeltaruleError):
            dr.fit(network, names["X"], y)
    np.testing.assert_array_equal(network.parameters.vector, before)
    assert (network.pixels, network.image_shape, network.input_range) == (False, None, None)


def test_large_numbers_are_finite() -> None:
    """What overflows when it is squared, or adds up beyond the dtype, is still a number."""
    network = dr.Network((2, 2), hidden=(), dtype=np.float64)
    for X in (np.full((1, 2), 1e300), np.array([[3e38, -3e38]], np.float32), np.full((40, 2), 6e4, np.float16)):
        assert network.predict(X).shape == (len(X),)


def test_an_untrained_network_counts_pixels_as_fit_does() -> None:
    names = scope()
    X, y, network = names["images"], names["y"], names["plain_reader"]
    first = evaluate(network, X, y)
    assert first == evaluate(network, X / np.float32(255.0), y)
    assert first == evaluate(network, dr.Dataset(X.reshape(30, 16), y, image_shape=(4, 4)))
    assert (network.pixels, network.input_range) == (False, None)
    assert dr.fit(network, X, y, epochs=0)["train_loss"][0] == pytest.approx(first.loss)


@pytest.mark.parametrize(("output", "target"), [("sigmoid", 100.0), ("relu", -3.0), ("tanh", 2.0), ("identity", 0.0)])
def test_fit_notes_targets_beyond_the_output(output: str, target: float, log: list[str]) -> None:
    network = dr.Network((6, 1), output=output, loss="quadratic")
    dr.fit(network, scope()["X"], np.full(30, target), epochs=0)
    assert len(log) == (output != "identity")
    assert all(line.startswith(f"y holds values from {target:g} to {target:g}, but ") for line in log)


@pytest.mark.parametrize(("X", "warns"), [(np.eye(4, dtype=np.uint8), True), (200 * np.eye(4, dtype=np.uint8), False)])
def test_bits_that_count_as_pixels_are_named(X: Any, warns: bool, log: list[str]) -> None:
    dr.fit(dr.Network((4, 2), rng=0), X, np.arange(4) % 2, epochs=1)
    assert any("X holds uint8 of 0 and 1 alone" in line for line in log) == warns


def test_a_method_that_was_not_called_is_named() -> None:
    with pytest.raises(DataError, match=r"^X is a method, copy, that was not called: use X\(\)"):
        dr.fit(dr.Network((4, 2)), np.eye(4).copy, np.arange(4) % 2)
