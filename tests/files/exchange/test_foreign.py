"""What goes out comes back in: npz and ONNX of deltarule, arrays that learners save, PyTorch's safetensors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from deltarule.data.columns import Column
from deltarule.errors import DeltaruleError, SettingError
from deltarule.files.exchange.foreign import load, save_npz
from deltarule.files.exchange.onnx import save_onnx
from deltarule.files.exchange.torch import from_torch
from deltarule.files.model_file import save
from deltarule.model import Model, Standardization
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network

RNG = np.random.default_rng(5)
TABLE = Model(
    Network((4, 3, 2), hidden="leaky_relu", output="identity", loss="quadratic", dtype=np.float64, rng=1),
    columns=(Column("size", (), 2.0), Column("town", ("Bonn", "Kiel", "Ulm"), 0.0)),
    input_scaling=Standardization(np.arange(4.0), np.full(4, 2.0)),
    target_scaling=Standardization(np.ones(2), np.full(2, 3.0)),
)
IMAGES = Model(
    Network((9, 4, 3), pixels=True, image_shape=(3, 3), class_names=tuple("abc"), rng=2), record={"recipe": "none"}
)
MODELS = {
    "a table": (TABLE, np.array([[np.nan, 1.0], [3.0, 2.0]])),
    "pixels": (IMAGES, np.arange(18, dtype=np.uint8).reshape(2, 9)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("write", [save, save_npz, save_onnx])
def test_what_goes_out_comes_back(name: str, write: Any, tmp_path: Path) -> None:
    if write is save_onnx:
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    (model, asked), path = MODELS[name], tmp_path / f"model.{'onnx' if write is save_onnx else 'npz'}"
    path = path.with_suffix(".safetensors") if write is save else path
    write(model, path)
    again = load(path)
    assert again.predict(asked).tobytes() == model.predict(asked).tobytes()
    for what in ("task", "class_names", "image_shape", "pixels", "columns", "record"):
        assert getattr(again, what) == getattr(model, what)


def layers(*sizes: int) -> dict[str, Array]:
    """Arrays called as a learner does."""
    arrays = {}
    for l in range(1, len(sizes)):
        arrays |= {f"W{l}": RNG.normal(size=sizes[l - 1 : l + 1]), f"b{l}": RNG.normal(size=sizes[l])}
    return arrays


def test_arrays_of_a_learners_network(tmp_path: Path) -> None:
    arrays, X = layers(6, 5, 4, 3), RNG.normal(size=(7, 6))
    a = X
    for l in (1, 2, 3):
        a = a @ arrays[f"W{l}"] + arrays[f"b{l}"]
        a = np.maximum(a, 0.0) if l < 3 else np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
    columns = {
        f"weights_{k[1]}" if k[0] == "W" else f"bias_{k[1]}": v.T[:, np.newaxis] if v.ndim == 1 else v.T
        for k, v in arrays.items()
    }
    for stored in (arrays, columns):
        np.savez(tmp_path / "network.npz", **stored)
        np.testing.assert_allclose(load(tmp_path / "network.npz", hidden="relu").outputs(X), a, atol=1e-12)
    with pytest.raises(
        SettingError, match=r"does not name the activations between its layers: use load\(.*hidden=\"relu\""
    ):
        load(tmp_path / "network.npz")


def test_a_state_dict_in_a_checkpoint_and_of_half_precision(tmp_path: Path) -> None:
    state = {"0.weight": RNG.normal(size=(5, 4)), "0.bias": RNG.normal(size=5), "2.weight": RNG.normal(size=(2, 5))}
    half = {name: array.astype(np.float16) for name, array in state.items()}
    save_file(half, tmp_path / "module.safetensors")
    X = RNG.normal(size=(3, 4))
    expected = from_torch({name: array.astype(np.float32) for name, array in half.items()}, hidden="relu").outputs(X)
    for model in (
        load(tmp_path / "module.safetensors", hidden="relu"),
        from_torch({"epoch": 3, "model": half}, hidden="relu"),
    ):
        assert model.network.dtype == np.float32
        assert np.array_equal(model.outputs(X), expected)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"W1": np.ones((3, 3)), "b1": np.ones(3), "W2": np.ones((3, 3)), "b2": np.ones(3)}, r"fit in 2 ways"),
        ({"W1": np.ones((3, 4)), "b1": np.ones(4), "W2": np.ones((5, 3)), "b2": np.ones(3)}, r"fit in 0 ways"),
        (
            {"W1": np.ones((3, 4)), "W2": np.ones((4, 3)), "b2": np.ones(3)},
            "of one network were expected: got W1, W2, b2",
        ),
    ],
)
def test_arrays_that_leave_doubt_are_refused(arrays: dict[str, Array], words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "network.npz", **arrays)
    with pytest.raises(SettingError, match=words):
        load(tmp_path / "network.npz", hidden="relu")


@pytest.mark.parametrize("write", [save_npz, save_onnx])
def test_damage_is_an_error_of_ours(write: Any, tmp_path: Path) -> None:
    if write is save_onnx:
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    path = tmp_path / ("a.onnx" if write is save_onnx else "a.npz")
    write(IMAGES, path)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        try:
            assert isinstance(load(path), Model)
        except DeltaruleError:
            continue
