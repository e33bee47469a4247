"""npz files: NumPy alone answers from one as the model does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.columns import Column
from deltarule.errors import FileError, SettingError
from deltarule.files.exchange.foreign import save_npz
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Activation, Identity, LeakyReLU
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network


def regression() -> Model:
    settings: dict[str, Any] = {"hidden": LeakyReLU(slope=0.2), "output": Identity(), "loss": Quadratic()}
    network = Network((3, 6, 2), **settings, rng=1)
    network.biases[0][:] = np.linspace(-1, 1, 6)
    inputs = Standardization(np.array([5.0, 0.0, 100.0]), np.array([1.0, 2.0, 30.0]))
    targets = Standardization(np.array([500.0, -1e5]), np.array([20.0, 1.0]))
    names = {"class_names": ("price", "debt"), "columns": tuple(map(Column, ("a", "b", "c"))), "record": {"seed": 3}}
    return Model(network, "values", input_scaling=inputs, target_scaling=targets, **names)


def test_numpy_alone_can_answer(tmp_path: Path) -> None:
    """By hand, from what the file holds."""
    model, X = regression(), np.random.default_rng(0).normal(50.0, 30.0, (9, 3))
    save_npz(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        arrays = dict(file)
    a = (X - arrays["input.mean"]) / arrays["input.scale"]
    z = a @ arrays["layers.0.weight"] + arrays["layers.0.bias"]
    a = np.where(z > 0, z, 0.2 * z)
    a = a @ arrays["layers.1.weight"] + arrays["layers.1.bias"]
    np.testing.assert_allclose(a * arrays["target.scale"] + arrays["target.mean"], model.predict(X), rtol=1e-6)
    assert json.loads(str(arrays["meaning"])) == {
        "task": "values",
        "pixels": False,
        "class_names": ["price", "debt"],
        "image_shape": None,
        "columns": [{"name": name, "categories": [], "fill": None} for name in "abc"],
        "inputs": ["a", "b", "c"],
        "activations": [{"name": "leaky_relu", "slope": 0.2}, {"name": "identity"}],
        "loss": {"name": "quadratic"},
        "record": {"seed": 3},
    }


def test_a_bare_network_keeps_its_dtype_and_every_bit(tmp_path: Path) -> None:
    network = Network((4, 3, 2), dtype=np.float64)
    save_npz(network, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        names = [f"layers.{l}.{what}" for l in range(2) for what in ("weight", "bias")]
        assert sorted(arrays.files) == sorted([*names, "meaning"])
        for l in range(2):
            np.testing.assert_array_equal(arrays[f"layers.{l}.weight"], network.weights[l])
            assert arrays[f"layers.{l}.weight"].dtype == np.float64


def test_the_same_model_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_npz(regression(), tmp_path / "one.npz")
    monkeypatch.setattr("time.time", lambda: 1e9)
    save_npz(regression(), tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_loss_of_ones_own_changes_no_answer(tmp_path: Path) -> None:
    class Absolute(Quadratic):
        pass

    save_npz(Network((2, 2), output=Identity(), loss=Absolute()), tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as arrays:
        assert json.loads(str(arrays["meaning"]))["loss"] is None


def test_what_it_refuses(tmp_path: Path) -> None:
    class Softsign(Activation):
        def value(self, z: Array) -> Array:
            return z / (1.0 + abs(z))

    with pytest.raises(SettingError, match="only these activations have a name: got Softsign"):
        save_npz(Network((2, 3, 2), hidden=Softsign()), tmp_path / "model.npz")
    with pytest.raises(SettingError, match="the record of a model must be strings, finite numbers"):
        save_npz(Model(Network((2, 2)), "classes", record={"a": {1, 2}}), tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileError, match="its folder does not exist"):
        save_npz(Network((2, 2)), tmp_path / "no" / "model.npz")
