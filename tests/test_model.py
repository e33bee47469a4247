"""A network with what its numbers mean: what goes in, what comes out, in whose units."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.model import Doubt, Model, Standardization
from deltarule.nn.activations import Activation, Identity, Sigmoid, Softmax
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network, with_meaning

RNG = np.random.default_rng(0)


def network(n_inputs: int, n_outputs: int, output: Activation = Softmax()) -> Network:
    return Network((n_inputs, 5, n_outputs), output=output, loss=Quadratic(), rng=2)


columns = arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.floats(-1e6, 1e6, width=32))


@given(columns)
def test_scaling_goes_there_and_back(given_columns: np.ndarray) -> None:
    scaling = Standardization.of(given_columns)
    back = scaling.undo(scaling.apply(given_columns))
    np.testing.assert_allclose(back, given_columns, rtol=1e-12, atol=1e-12 * abs(given_columns).max(initial=1.0))


def test_scaled_columns_have_mean_0_and_deviation_1() -> None:
    raw = (RNG.normal(size=(500, 3)) * [1e-3, 1.0, 1e4] + [1.0, 0.0, -1e6]).astype(np.float32)
    scaled = Standardization.of(raw).apply(raw)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-6)
    assert scaled.dtype == np.float64


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-3, 1e10, 1 / 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_is_only_shifted(value: float, dtype: type) -> None:
    """Its deviation may come out as 1e-17: divided by that, the first other value that comes along would explode."""
    scaling = Standardization.of(np.full((1000, 1), value, dtype))
    assert scaling.scale.tolist() == [1.0]
    np.testing.assert_allclose(scaling.apply(np.array([[value + 2.0]])), 2.0, rtol=1e-5)


def test_raw_inputs_are_scaled_before_the_network_sees_them() -> None:
    raw = RNG.normal(size=(50, 4)) * 100.0 + 7.0
    model = Model(network(4, 3), "classes", input_scaling=Standardization(np.full(4, 7.0), np.full(4, 100.0)))
    assert model.inputs(raw).dtype == np.float32
    np.testing.assert_allclose(model.inputs(raw), (raw - 7.0) / 100.0, rtol=1e-6)
    np.testing.assert_array_equal(model.outputs(raw), model.network.outputs(model.inputs(raw)))


def test_pixels_are_scaled_as_value_over_255() -> None:
    pixels = RNG.integers(256, size=(20, 4), dtype=np.uint8)
    halves = Standardization(np.full(4, 0.5), np.full(4, 0.25))
    reads_pixels = with_meaning(network(4, 3), pixels=True)
    scaled = Model(reads_pixels, input_scaling=halves).inputs(pixels)
    np.testing.assert_allclose(scaled, (pixels.astype(float) - 127.5) / 63.75, rtol=1e-6, atol=1e-7)
    assert Model(reads_pixels).inputs(pixels) is pixels


def test_uint8_that_are_no_pixels_count_as_they_are() -> None:
    numbers = RNG.integers(256, size=(20, 4), dtype=np.uint8)
    ones = Standardization(np.ones(4), np.ones(4))
    np.testing.assert_array_equal(Model(network(4, 3), input_scaling=ones).inputs(numbers), numbers - 1.0)
    learned = network(4, 3)
    learned.input_range = None  # as of one that learned elsewhere
    np.testing.assert_array_equal(Model(learned).inputs(numbers), numbers.astype(np.float32))
    with pytest.raises(DataError, match=r"^X holds uint8, but this network does not know yet"):
        Model(network(4, 3)).inputs(numbers)


def test_predictions_by_task() -> None:
    raw = RNG.normal(size=(30, 4)).astype(np.float32)
    classes, labels, values = (
        Model(network(4, 3, output), task)
        for output, task in ((Softmax(), "classes"), (Sigmoid(), "labels"), (Identity(), "values"))
    )
    assert classes.predict(raw).dtype == np.int64
    assert classes.predict(raw).tolist() == [int(np.argmax(row)) for row in classes.outputs(raw)]
    assert labels.predict(raw).dtype == np.uint8
    assert labels.predict(raw).tolist() == [[int(a >= 0.5) for a in row] for row in labels.outputs(raw)]
    np.testing.assert_array_equal(values.predict(raw), values.outputs(raw))


def test_values_come_out_in_their_own_units() -> None:
    raw = RNG.normal(size=(30, 4)).astype(np.float32)
    scaling = Standardization(np.array([10.0, -5.0]), np.array([100.0, 0.5]))
    model = Model(network(4, 2, Identity()), "values", target_scaling=scaling)
    expected = model.network.outputs(raw).astype(np.float64) * [100.0, 0.5] + [10.0, -5.0]
    np.testing.assert_allclose(model.predict(raw), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_outputs", "output", "task", "probable"),
    [
        (3, Softmax(), "classes", True),
        (1, Sigmoid(), None, True),
        (3, Sigmoid(), None, False),
        (3, Identity(), "values", False),
    ],
)
def test_a_bare_network(n_outputs: int, output: Activation, task: str | None, probable: bool) -> None:
    model, raw = Model(network(4, n_outputs, output)), np.zeros((2, 4), np.float32)
    assert (model.task, model.has_probabilities) == (task, probable)
    assert model.class_names == tuple("012"[:n_outputs])
    if probable:
        np.testing.assert_array_equal(model.probabilities(raw), model.outputs(raw))
    else:
        with pytest.raises(SettingError, match="probabilities come from a softmax or one sigmoid"):
            model.probabilities(raw)


def test_images_go_in_as_they_are() -> None:
    pixels = RNG.integers(256, size=(7, 2, 3), dtype=np.uint8)
    model = Model(network(6, 3), "classes", image_shape=(2, 3)).with_meaning(pixels=True)
    np.testing.assert_array_equal(model.outputs(pixels), model.outputs(pixels.reshape(7, 6)))
    assert model.predict(pixels[:0]).shape == (0,)
    assert model.predict((pixels / 255).tolist()).shape == (7,)


def test_a_number_is_no_sample() -> None:
    model = Model(network(6, 3), "classes", image_shape=(2, 3))
    for ask in (model.inputs, model.outputs, model.predict, model.probabilities):
        with pytest.raises(ShapeError, match=r"^X is a single number, 3.0: pass an array, with a number for each"):
            ask(3.0)


@pytest.mark.parametrize(
    "raw",
    [
        np.zeros(6),
        np.zeros((1, 5)),
        np.zeros((2, 7)),
        np.zeros((4, 3, 2)),
        np.zeros((1, 1, 6)),
        np.zeros((1, 2, 3, 3)),
    ],
    ids=lambda raw: str(np.shape(raw)),
)
def test_inputs_of_another_shape(raw: Any) -> None:
    """(3, 2) images would fit by their number of pixels, and be read as rubbish."""
    model = Model(network(6, 3), "classes", image_shape=(2, 3))
    for ask in (model.inputs, model.outputs, model.predict, model.probabilities):
        with pytest.raises(ShapeError) as caught:
            ask(raw)
        message = str(caught.value)
        assert message.startswith(f"X has shape {np.shape(raw)}, ")
        assert raw.size != 6 or message.endswith(": use X.reshape(1, -1)")


def test_a_name_for_each_output() -> None:
    with pytest.raises(ShapeError, match="a name for each of its 3 outputs: got 2"):
        Model(network(4, 3), "classes", ("yes", "no"))


def test_a_dataset_as_the_network_sees_it() -> None:
    raw, targets = RNG.normal(size=(40, 4)) * 50.0, RNG.normal(size=(40, 2)) * 9.0 + 3.0
    data = Dataset(raw, targets, "values", ("up", "down"), name="made")
    model = Model(
        network(4, 2, Identity()),
        "values",
        data.class_names,
        input_scaling=Standardization.of(raw),
        target_scaling=Standardization.of(targets),
    )
    seen = model.scaled(data)
    assert (seen.task, seen.class_names, seen.name) == (data.task, data.class_names, data.name)
    assert (seen.inputs.dtype, seen.targets.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(seen.targets * targets.std(axis=0) + targets.mean(axis=0), targets, rtol=1e-12)
    np.testing.assert_array_equal(model.network.outputs(seen.inputs), model.outputs(raw))


def test_a_dataset_without_scaling_is_not_copied() -> None:
    data = Dataset(RNG.integers(256, size=(9, 6), dtype=np.uint8), np.arange(9) % 3, image_shape=(2, 3))
    seen = Model(with_meaning(network(6, 3), pixels=True)).scaled(data)
    assert np.shares_memory(seen.inputs, data.inputs)
    assert seen.image_shape == (2, 3)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (
            Dataset(np.zeros((4, 6)), np.zeros((4, 3)), "values", name="prices"),
            SettingError,
            "this model answers 3 classes: got prices, which holds 3 values",
        ),
        (Dataset(np.zeros((4, 6)), np.arange(4), name="four"), SettingError, "got four, which holds 4 classes"),
        (Dataset(np.zeros((4, 5)), np.arange(4) % 3), ShapeError, "this network takes (n_samples, 6)"),
    ],
)
def test_data_of_another_kind(data: Dataset, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Model(network(6, 3), "classes").scaled(data)
    assert message in str(caught.value)


def test_a_model_of_a_table_answers_data_frames() -> None:
    """Columns in any order, more than are needed, numbers and text; the same as the network on rows made by hand."""
    pandas = pytest.importorskip("pandas")
    rows = np.array([[10.0, 1.0], [30.0, 0.0], [20.0, np.nan]])
    columns = (Column("size", fill=0.0), Column("color", ("blue", "red"), 0.0))
    train = Dataset(rows, np.array([[1.0], [2.0], [6.0]]), "values", ("price",), columns=columns)
    model = Model.suited(network(3, 1, Identity()), train)
    assert [column.fill for column in model.columns] == [20.0, 0.0]
    assert model.input_names == ("size", "color=blue", "color=red")
    assert model.input_scaling is not None
    assert model.target_scaling is not None
    assert model.input_scaling.mean.tolist() == [20.0, 0.0, 0.0]
    assert model.input_scaling.scale.tolist() == pytest.approx([math.sqrt(200 / 3), 1.0, 1.0])
    frame = pandas.DataFrame({"note": list("xyz"), "color": ["red", "blue", None], "size": [10, 30, None]})
    z = math.sqrt(1.5)
    by_hand = model.network.outputs(np.array([[-z, 0, 1], [z, 1, 0], [0, 0, 0]]))
    for raw in (frame, rows):
        np.testing.assert_allclose(model.predict(raw), model.target_scaling.undo(by_hand), rtol=1e-5)
    with pytest.raises(DataError, match=r"row 0 \(counted from 0\), column 'color': 'green' .* was never seen"):
        model.predict(frame.assign(color="green"))
    with pytest.raises(DataError, match="got none called 'size'"):
        model.predict(frame.drop(columns="size"))
    with pytest.raises(ShapeError, match="a DataFrame, or rows of numbers: got an array of object"):
        model.predict(frame[["size", "color"]].to_numpy())
    with pytest.raises(ShapeError, match=r"X has shape \(1, 3\), but this network takes \(n_samples, 2\)"):
        model.predict(np.zeros((1, 3)))


def test_rows_counted_by_other_columns_are_refused() -> None:
    data = Dataset(np.eye(2), np.array([0, 1]), columns=(Column("a"), Column("b", ("x", "y"))))
    model = Model.suited(network(3, 2), data)
    assert model.scaled(data).columns == (Column("a"), Column("b=x"), Column("b=y"))
    other = replace(data, columns=(Column("a"), Column("b", ("y", "x"))))
    with pytest.raises(SettingError, match="this model reads the columns a, b=x, b=y: got those of data"):
        model.scaled(other)
    numbers = model.of_numbers()
    np.testing.assert_array_equal(numbers.inputs(model.unscaled(np.eye(2))), model.inputs(np.eye(2)))


def doubtful(
    dtype: Any = np.float32, scaling: Standardization | None = None, pixels: bool = False
) -> tuple[Network, Model]:
    """A network of four classes, and the model that keeps three of them and the fourth as its doubt."""
    four = Network((6, 5, 4), pixels=pixels, dtype=dtype, rng=3)
    three = Network((6, 5, 3), pixels=pixels, dtype=dtype)
    for W, b, other_W, other_b in zip(three.weights, three.biases, four.weights, four.biases, strict=True):
        W[:], b[:] = other_W[:, : len(b)], other_b[: len(b)]
    doubt = Doubt(four.weights[-1][:, 3], four.biases[-1][3])
    return four, Model(three, input_scaling=scaling, doubt=doubt)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["numbers", "pixels", "standardized"])
def test_what_is_unusual_is_the_share_of_one_more_class(kind: str, dtype: type) -> None:
    X = RNG.integers(0, 256, (7, 6)).astype(np.uint8) if kind == "pixels" else RNG.normal(size=(7, 6)).astype(dtype)
    scaling = Standardization(np.full(6, 0.5), np.full(6, 2.0)) if kind == "standardized" else None
    four, model = doubtful(dtype, scaling, pixels=kind == "pixels")
    expected = four.outputs((X - 0.5) / 2.0 if scaling else X)
    np.testing.assert_allclose(model.unusual(X), expected[:, 3], rtol=1e-5)
    np.testing.assert_allclose(model.probabilities(X) * (1 - expected[:, 3:]), expected[:, :3], rtol=1e-4)
    np.testing.assert_array_equal(model.answers(X).unusual, model.unusual(X))
    assert Model(model.network).answers(X).unusual is None
    with pytest.raises(SettingError, match="has not learned what is unusual, so it cannot tell: use the bundled one"):
        Model(model.network).unusual(X)


def test_doubt_that_does_not_fit_the_network_is_refused() -> None:
    with pytest.raises(SettingError, match=r"a weight for each unit .* got layers \(4, 5, 3\) and 4 weights"):
        Model(network(4, 3), doubt=Doubt(np.zeros(4), 0.0))
    with pytest.raises(SettingError, match="a network that ends in a softmax"):
        Model(network(4, 3, Sigmoid()), doubt=Doubt(np.zeros(5), 0.0))


def test_a_model_prints_as_one_line() -> None:
    model = Model(Network((2, 3, 2)), record={"recipe_toml": "long\n" * 100})
    assert repr(model) == f"Model(network={model.network!r}, input_scaling=None, target_scaling=None)"
