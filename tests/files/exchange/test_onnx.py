"""ONNX files, held to ONNX's own reference implementation and to ONNX Runtime."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.columns import Column
from deltarule.data.dataset import Splits
from deltarule.errors import FileError, MissingExtraError, SettingError
from deltarule.files.exchange import onnx as room
from deltarule.files.exchange.onnx import onnx_bytes, save_onnx
from deltarule.files.model_file import load, save
from deltarule.model import Model, Standardization
from deltarule.nn.activations import ELU, Activation, Exp, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, Poisson, Quadratic
from deltarule.nn.network import Network
from deltarule.training.trainer import fit

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")

HIDDEN = [
    Identity(),
    Sigmoid(),
    Tanh(),
    ReLU(),
    LeakyReLU(),
    LeakyReLU(slope=0.3),
    ELU(),
    ELU(alpha=0.5),
    SiLU(),
    Exp(),
]
OUTPUTS: list[dict[str, Any]] = [
    {},
    {"output": Sigmoid(), "loss": BinaryCrossEntropy()},
    {"output": Identity(), "loss": Quadratic()},
    {"output": Exp(), "loss": Poisson()},
]


def network_of(*sizes: int, **settings: Any) -> Network:
    """A network whose biases are not 0."""
    network = Network(sizes, **settings)
    network.parameters.vector[network.parameters.weight_block.size :] = np.linspace(-1, 1, sum(sizes[1:]))
    return network


def by_reference(data: bytes, X: Array) -> Array:
    from onnx.reference import ReferenceEvaluator

    (a,) = ReferenceEvaluator(onnx.load_from_string(data)).run(None, {"X": X})
    return a


def by_runtime(data: bytes, X: Array) -> Array:
    (a,) = runtime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"X": X})
    return a


READERS = pytest.mark.parametrize("read", [by_reference, by_runtime])


@READERS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("settings", OUTPUTS, ids=["Softmax", "Sigmoid", "Identity", "Exp"])
@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda hidden: type(hidden).__name__)
def test_every_activation(hidden: Activation, settings: dict[str, Any], dtype: Any, read: Any) -> None:
    network = network_of(5, 7, 6, 3, hidden=hidden, dtype=dtype, **settings)
    network.parameters.vector[:] *= 0.3 if isinstance(hidden, Exp) else 1.0
    X = 3.0 * np.random.default_rng(0).normal(size=(40, 5)).astype(dtype)
    a, expected = read(onnx_bytes(network), X), network.outputs(X)
    assert a.dtype == dtype
    np.testing.assert_allclose(a, expected, rtol=1e-5, atol=1e-5 if dtype == np.float32 else 1e-6)


@READERS
@pytest.mark.parametrize("n_samples", [1, 2, 7])
def test_a_batch_of_any_size(read: Any, n_samples: int) -> None:
    network = network_of(4, 3)  # no hidden layer
    X = np.random.default_rng(0).normal(size=(n_samples, 4)).astype(np.float32)
    np.testing.assert_allclose(read(onnx_bytes(network), X), network.outputs(X), atol=1e-6)


def standardized(dtype: Any = np.float32) -> Model:
    """A regression of three columns, two of them large beside their spread: float32 would round that away."""
    network = network_of(3, 6, 2, hidden=Tanh(), dtype=dtype, **OUTPUTS[2])
    inputs = Standardization(np.array([1e6, 0.0, 2020.0]), np.array([1.0, 2.0, 0.01]))
    targets = Standardization(np.array([500.0, -1e5]), np.array([20.0, 1.0]))
    names = {"class_names": ("price", "debt"), "columns": tuple(map(Column, ("a", "b", "year")))}
    return Model(network, "values", input_scaling=inputs, target_scaling=targets, **names)


@READERS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_own_units_in_and_out(read: Any, dtype: Any) -> None:
    model = standardized(dtype)
    assert model.input_scaling is not None
    X = model.input_scaling.undo(np.random.default_rng(0).normal(size=(20, 3)))
    values = read(onnx_bytes(model), X)
    assert (X.dtype, values.dtype) == (np.float64, np.float64)
    np.testing.assert_allclose(values, model.predict(X), rtol=1e-7)


@READERS
@pytest.mark.parametrize("is_standardized", [False, True])
def test_pixels_as_they_are_stored(read: Any, is_standardized: bool) -> None:
    scaling = Standardization(np.linspace(0, 0.5, 12), np.linspace(0.1, 1, 12)) if is_standardized else None
    model = Model(network_of(12, 5, 4, pixels=True), image_shape=(3, 4), input_scaling=scaling)
    X = np.random.default_rng(0).integers(0, 256, (30, 12), dtype=np.uint8)
    np.testing.assert_allclose(read(onnx_bytes(model), X), model.probabilities(X), atol=1e-6)
    numbers = X / 255.0 if is_standardized else (X / 255.0).astype(np.float32)
    np.testing.assert_allclose(read(onnx_bytes(model, pixels=False), numbers), model.probabilities(X), atol=1e-6)


@READERS
def test_a_text_is_a_number_for_each_category(read: Any) -> None:
    columns = (Column("town", ("Bonn", "Ulm")), Column("size"))
    scaling = Standardization(np.array([0.0, 0.0, 80.0]), np.array([1.0, 1.0, 20.0]))
    model = Model(network_of(3, 5, 2), "classes", ("a", "b"), columns=columns, input_scaling=scaling)
    data = onnx_bytes(model)
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    meaning = session.get_modelmeta().custom_metadata_map
    assert json.loads(meaning["inputs"]) == ["town=Bonn", "town=Ulm", "size"]
    assert json.loads(meaning["columns"])[0] == {"name": "town", "categories": ["Bonn", "Ulm"], "fill": None}
    by_place, by_category = np.array([[0.0, 70.0], [1.0, 90.0]]), np.array([[1.0, 0.0, 70.0], [0.0, 1.0, 90.0]])
    np.testing.assert_allclose(read(data, by_category), model.probabilities(by_place), atol=1e-6)


def sides(data: bytes) -> list[tuple[str, str, list[Any]]]:
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return [(each.name, each.type, each.shape) for each in (*session.get_inputs(), *session.get_outputs())]


def test_both_ends_have_a_name_a_type_and_a_batch_of_any_size() -> None:
    float_, double, pixels = "tensor(float)", "tensor(double)", "tensor(uint8)"
    assert sides(onnx_bytes(Network((4, 3)))) == [("X", float_, ["batch", 4]), ("probabilities", float_, ["batch", 3])]
    one, many = (Network((4, n), **OUTPUTS[1]) for n in (1, 3))
    assert sides(onnx_bytes(one))[1] == ("probabilities", float_, ["batch", 1])
    assert sides(onnx_bytes(many))[1] == ("activations", float_, ["batch", 3])
    assert sides(onnx_bytes(standardized())) == [("X", double, ["batch", 3]), ("values", double, ["batch", 2])]
    assert sides(onnx_bytes(Network((4, 3), image_shape=(2, 2))))[0] == ("X", float_, ["batch", 4])
    assert sides(onnx_bytes(Network((4, 3), dtype=np.float64, pixels=True)))[0] == ("X", pixels, ["batch", 4])
    assert sides(onnx_bytes(Network((4, 3)), pixels=True))[0] == ("X", pixels, ["batch", 4])


def test_what_the_numbers_mean_is_in_the_metadata() -> None:
    network = network_of(4, 5, 2, hidden=LeakyReLU(slope=0.25))
    record = {"recipe": "mine", "scores": [0.5, 1.0], "says": "ä"}
    model = Model(network, "classes", ("Käse", "no"), image_shape=(2, 2), record=record)
    session = runtime.InferenceSession(onnx_bytes(model), providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta()
    assert (meta.producer_name, meta.graph_name) == ("deltarule", "4-5-2")
    assert {name: json.loads(text) for name, text in meta.custom_metadata_map.items()} == {
        "task": "classes",
        "pixels": False,
        "class_names": ["Käse", "no"],
        "image_shape": [2, 2],
        "columns": [],
        "inputs": [],
        "activations": [{"name": "leaky_relu", "slope": 0.25}, {"name": "softmax"}],
        "loss": {"name": "cross_entropy", "label_smoothing": 0.0},
        "record": record,
    }


def test_the_file_is_sound_named_and_whole(tmp_path: Path) -> None:
    save_onnx(standardized(), tmp_path / "model.onnx")
    onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)
    content = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    assert [(each.domain, each.version) for each in content.opset_import] == [("", 17)]
    assert content.ir_version == 8
    assert not any(array.external_data for array in content.graph.initializer)
    assert [node.op_type for node in content.graph.node if node.op_type == "Gemm"] == ["Gemm"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    save(standardized(), tmp_path / "model.safetensors")
    save_onnx(standardized(), tmp_path / "here.onnx")
    save_onnx(load(tmp_path / "model.safetensors"), tmp_path / "again.onnx")
    program = "import sys, deltarule; deltarule.save_onnx(deltarule.load(sys.argv[1]), sys.argv[2])"
    arguments = [tmp_path / "model.safetensors", tmp_path / "elsewhere.onnx"]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    here, again, elsewhere = (tmp_path / f"{name}.onnx" for name in ("here", "again", "elsewhere"))
    assert here.read_bytes() == again.read_bytes() == elsewhere.read_bytes()


class Softsign(Activation):
    def value(self, z: Array) -> Array:
        return z / (1.0 + abs(z))


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (
            Network((2, 3, 2), hidden=Softsign()),
            "operators for the activations that have a name here: got Softsign; Known: elu,",
        ),
        (Network((2, 3, 2)).astype(np.complex128), r"ONNX takes float32 or float64: got complex128; export network\."),
        (Model(Network((2, 2)), "classes", record={"a": object()}), "the record of a model must be strings, finite"),
        (Model(Network((2, 2)), "classes", record={"a": np.nan}), "the record of a model must be strings, finite"),
    ],
    ids=["activation", "complex", "record", "nan"],
)
def test_what_onnx_cannot_hold(thing: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        save_onnx(thing, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_two_gibibytes_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network((10, 10))
    monkeypatch.setattr(room, "LARGEST", network.parameters.vector.nbytes)
    onnx_bytes(network)
    monkeypatch.setattr(room, "LARGEST", network.parameters.vector.nbytes - 1)
    with pytest.raises(
        SettingError, match=r"less than 2 GiB: got 0\.0 GiB of parameters; save them with deltarule\.save"
    ):
        onnx_bytes(network)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx.checker", None)
    with pytest.raises(MissingExtraError, match=r'needs onnx, .*: run  pip install "deltarule-nn\[onnx\]"'):
        save_onnx(Network((2, 2)), tmp_path / "model.onnx")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="its folder does not exist"):
        save_onnx(Network((2, 2)), tmp_path / "no" / "model.onnx")


@READERS
def test_all_of_mnists_test_images(read: Any, mnist: Splits) -> None:
    """10,000 answers: the same class wherever two are not equally likely, and probabilities equal to 1e-5."""
    assert mnist.test is not None
    trained, train = Model(Network((784, 64, 10)), "classes", image_shape=(28, 28)), mnist.train.take(slice(5000))
    fit(trained.network, train.inputs, train.targets, epochs=2, engine="numpy")
    X = mnist.test.inputs
    ours, theirs = trained.probabilities(X), read(onnx_bytes(trained), X)
    assert X.shape == (10_000, 784)
    assert np.abs(ours - theirs).max() <= 1e-5
    best, second = np.sort(ours, axis=1)[:, :-3:-1].T
    clear = best - second > 1e-5
    assert clear.sum() > 9_900
    np.testing.assert_array_equal(ours.argmax(axis=1)[clear], theirs.argmax(axis=1)[clear])
    assert (theirs.argmax(axis=1) == mnist.test.targets).mean() > 0.85
