"""Model files that are as they should be: what comes back is what was saved, to the last bit."""

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from deltarule.data.columns import Column
from deltarule.errors import FileError, ModelFileError, SettingError
from deltarule.files.model_file import load, save
from deltarule.model import Doubt, Model, Standardization
from deltarule.nn.activations import ELU, Activation, Exp, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.initializers import uniform
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Poisson, Quadratic
from deltarule.nn.network import Network, loss_and_gradient, with_meaning
from deltarule.nn.parameters import Parameters

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
hidden_activations = st.sampled_from(
    [Identity(), Sigmoid(), Tanh(), ReLU(), SiLU(), LeakyReLU(slope=0.3), ELU(alpha=2.5)]
)
endings = st.sampled_from(
    [
        ("classes", Softmax(), CrossEntropy()),
        ("classes", Softmax(), CrossEntropy(label_smoothing=0.1)),
        ("classes", Softmax(), Quadratic()),
        ("labels", Sigmoid(), BinaryCrossEntropy(label_smoothing=1 / 3)),
        ("values", Identity(), Quadratic()),
        ("values", Exp(), Poisson()),
    ]
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
records = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def scalings(draw: st.DrawFn, size: int) -> Standardization | None:
    if draw(st.booleans()):
        return None
    columns = st.lists(numbers, min_size=size, max_size=size)
    return Standardization(np.array(draw(columns)), np.abs(np.array(draw(columns))) + 1e-9)


@st.composite
def columns_of(draw: st.DrawFn, n_inputs: int) -> tuple[Column, ...]:
    """Columns of numbers and, where one stands for all that is left, of text."""
    n_numbers = draw(st.integers(0, n_inputs))
    fills = st.none() | numbers
    columns = [Column(f"column {k}", fill=draw(fills)) for k in range(n_numbers)]
    categories = draw(st.lists(names, min_size=n_inputs - n_numbers, max_size=n_inputs - n_numbers, unique=True))
    return (*columns, *([Column("text", tuple(categories), draw(fills))] if categories else []))


@st.composite
def models(draw: st.DrawFn) -> Model:
    height, width = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    sizes = (height * width, *draw(st.lists(st.integers(1, 12), max_size=12)), draw(st.integers(2, 4)))
    n_hidden = len(sizes) - 2
    task, output, loss = draw(endings)
    network = Network(
        sizes,
        hidden=draw(st.lists(hidden_activations, min_size=n_hidden, max_size=n_hidden)),
        output=output,
        loss=loss,
        dropout=draw(st.lists(st.floats(0.0, 0.9), min_size=n_hidden, max_size=n_hidden)),
        dtype=draw(st.sampled_from([np.float32, np.float64])),
        rng=draw(st.integers(0, 100)),
    )
    return Model(
        network=network,
        task=task,
        class_names=tuple(draw(st.lists(names, min_size=sizes[-1], max_size=sizes[-1]))),
        image_shape=draw(st.sampled_from([None, (height, width)])),
        input_scaling=draw(scalings(sizes[0])),
        target_scaling=draw(scalings(sizes[-1])) if task == "values" else None,
        columns=draw(columns_of(sizes[0])),
        record=draw(st.dictionaries(names, records, max_size=3)),
    )


@given(model=models())
def test_what_comes_back_is_what_was_saved(model: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    save(model, path)
    loaded = load(path)
    assert loaded.network.parameters.vector.tobytes() == model.network.parameters.vector.tobytes()
    for name in ("layer_sizes", "activations", "loss", "dropout", "dtype"):
        assert getattr(loaded.network, name) == getattr(model.network, name)
    for name in ("task", "class_names", "image_shape", "columns", "record"):
        assert getattr(loaded, name) == getattr(model, name)
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (5, len(model.columns) or model.network.layer_sizes[0]), np.uint8)
    for k, column in enumerate(model.columns):
        X[:, k] = rng.integers(0, len(column.categories) or 256, 5)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    save(loaded, path.with_name("again"))
    assert path.with_name("again").read_bytes() == path.read_bytes()


def test_a_network_can_be_trained_on(tmp_path: Path) -> None:
    network = Network((4, 5, 3), rng=1)
    save(network, tmp_path / "model")
    loaded = load(tmp_path / "model").network
    assert all(np.shares_memory(view, loaded.parameters.vector) for view in (*loaded.weights, *loaded.biases))
    X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0])
    (loss, grads), (loaded_loss, loaded_grads) = loss_and_gradient(network, X, y), loss_and_gradient(loaded, X, y)
    assert loss == loaded_loss
    np.testing.assert_array_equal(grads.vector, loaded_grads.vector)


@pytest.mark.parametrize(("output", "task"), [(Softmax(), "classes"), (Sigmoid(), None), (Identity(), "values")])
def test_a_bare_network_becomes_a_model(tmp_path: Path, output: Activation, task: str | None) -> None:
    save(Network((4, 3), output=output, loss=Quadratic()), tmp_path / "model")
    assert load(tmp_path / "model").task == task


def test_twelve_layers_stay_in_order_and_other_software_reads_them(tmp_path: Path) -> None:
    """safetensors sorts names as text: layers.10 before layers.2."""
    network = Network((3,) * 13)
    save(network, tmp_path / "model")
    tensors = load_file(tmp_path / "model")
    assert len(tensors) == 24
    for l in range(12):
        np.testing.assert_array_equal(tensors[f"layers.{l}.weight"], network.weights[l])
        np.testing.assert_array_equal(tensors[f"layers.{l}.bias"], network.biases[l])


def test_the_digest_by_hand(tmp_path: Path) -> None:
    model = Model(
        Network((2, 1), output=Identity(), loss=Quadratic()), "values", input_scaling=Standardization.of(np.eye(2))
    )
    model.network.parameters.vector[:] = 1.0, 2.0, 3.0
    save(model, tmp_path / "model")
    description = (
        '{"format":3,"optional":{"input_range":null,"record":{}},'
        '"required":{"activations":[{"name":"identity"}],"class_names":["0"],"columns":[],"dropout":[],'
        '"dtype":"float32","image_shape":null,"input_scaling":true,"layer_sizes":[2,1],'
        '"loss":{"name":"quadratic"},"pixels":false,"target_scaling":false,"task":"values"}}'
    )
    arrays = np.array([1, 2, 3], "<f4").tobytes() + np.array([0.5, 0.5, 0.5, 0.5], "<f8").tobytes()
    digest = hashlib.sha256(description.encode() + arrays).hexdigest()
    content = (tmp_path / "model").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header["__metadata__"] == {"deltarule": description.replace("{", f'{{"digest":"{digest}",', 1)}


def test_arrays_that_are_not_contiguous_are_saved_as_they_are_meant(tmp_path: Path) -> None:
    wide = np.arange(1.0, 9.0)
    model = Model(Network((4, 2)), "classes", input_scaling=Standardization(wide[::2], wide[::-2]))
    save(model, tmp_path / "model")
    scaling = load(tmp_path / "model").input_scaling
    assert scaling is not None
    assert (scaling.mean.tolist(), scaling.scale.tolist()) == ([1.0, 3.0, 5.0, 7.0], [8.0, 6.0, 4.0, 2.0])


def test_where_weights_started_is_not_kept(tmp_path: Path) -> None:
    network = Network((4, 3), output=Softmax(initializer=uniform))
    save(network, tmp_path / "model")
    assert load(tmp_path / "model").network.activations == (Softmax(),)


class Sine(Activation):
    """An activation of one's own."""


def test_an_activation_of_ones_own_is_refused_with_another_way(tmp_path: Path) -> None:
    network, other = Network((4, 3, 2), hidden=Sine(), rng=0), Network((4, 3, 2), hidden=Sine(), rng=1)
    with pytest.raises(SettingError, match=r"from a fixed list.* got Sine;") as caught:
        save(network, tmp_path / "model")
    for line in (
        'np.save("weights.npy", network.parameters.vector)',
        'network.parameters.vector[:] = np.load("weights.npy")',
    ):
        assert f"  {line}" in str(caught.value)
    np.save(tmp_path / "weights.npy", network.parameters.vector)
    other.parameters.vector[:] = np.load(tmp_path / "weights.npy")
    for W, other_W in zip(network.weights, other.weights, strict=True):
        np.testing.assert_array_equal(W, other_W)


class ReLU6(ReLU):
    """Another's child."""


ReLU6.__name__ = "ReLU"


@pytest.mark.parametrize(
    ("thing", "error", "words"),
    [
        (Network((2, 3, 2), hidden=ReLU6()), SettingError, "fixed list"),
        (Network((2, 2), dtype=np.complex128), SettingError, "float32 or float64: got complex128; save network.astype"),
        (
            with_meaning(Network((2, 2)), parameters=Parameters((2, 2), dtype=np.float16)),
            SettingError,
            "float32 or float64: got float16",
        ),
        (with_meaning(Network((2, 2)), parameters=Network((2, 2)).parameters.astype(">f4")), SettingError, "got >f4"),
        (Model(Network((2, 2)), "classes", record={"loss": float("nan")}), SettingError, "record .* finite numbers"),
        (Model(Network((2, 2)), "classes", record={"data": {1, 2}}), SettingError, "record .*: Object of type set"),
        (Model(Network((2, 2)), "classes", ("\ud800", "b")), SettingError, "names as UTF-8: got .*ud800"),
        (
            Model(Network((2, 2)), "classes", record={"text": "a" * 2**20}),
            ModelFileError,
            "was not written: .* 1,048,576",
        ),
        (
            Model(Network((2, 2)), "classes", columns=(Column("a"),)),
            ModelFileError,
            "was not written: .* 2 inputs: got .* 1",
        ),
    ],
)
def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path, thing: Any, error: type, words: str) -> None:
    path = tmp_path / "model"
    save(Network((2, 2)), path)
    old = path.read_bytes()
    with pytest.raises(error, match=words):
        save(thing, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path, bad: float) -> None:
    network = Network((2, 2))
    network.weights[0][1, 1] = bad
    with pytest.raises(
        ModelFileError, match=f"was not written: expected finite numbers in 'layers.0.weight': got {bad}"
    ):
        save(network, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_scalings_of_another_width_are_not_saved(tmp_path: Path) -> None:
    model = Model(Network((4, 2)), "classes", input_scaling=Standardization.of(np.eye(3)))
    with pytest.raises(ModelFileError, match=r"'input\.mean' to be F64 of shape \(4,\): got F64 of shape \(3,\)"):
        save(model, tmp_path / "model")
    model = replace(model, input_scaling=Standardization(np.zeros(4), np.array([1.0, 0.0, 1.0, 1.0])))
    with pytest.raises(ModelFileError, match=r"expected numbers above 0 in 'input\.scale': got 0\.0"):
        save(model, tmp_path / "model")


def test_saving_where_nothing_can_be_saved(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="its folder does not exist"):
        save(Network((2, 2)), tmp_path / "none" / "model")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist;  deltarule train --out FILE  makes one"):
        load(tmp_path / "none")
    with pytest.raises(FileError, match=r"got the folder .*; a run folder holds its model\.safetensors"):
        load(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match=r"could not be read: Not a directory|does not exist"):
        load(tmp_path / "file" / "model")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="is a device or pipe"):
        load(tmp_path / "pipe")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_doubt_comes_back_to_the_last_bit_and_the_digest_covers_it(tmp_path: Path, dtype: type) -> None:
    rng = np.random.default_rng(0)
    doubt = Doubt(rng.normal(size=4).astype(dtype), 0.1)
    model = Model(Network((3, 4, 2), task="classes", dtype=dtype), doubt=doubt)
    save(model, tmp_path / "model")
    X = rng.normal(size=(5, 3)).astype(dtype)
    np.testing.assert_array_equal(load(tmp_path / "model").unusual(X), model.unusual(X))
    content = (tmp_path / "model").read_bytes()
    place = content.index(b'"bias\\":0.1') + len(b'"bias\\":0.')
    (tmp_path / "model").write_bytes(content[:place] + b"2" + content[place + 1 :])
    with pytest.raises(ModelFileError, match="expected what its digest"):
        load(tmp_path / "model")
