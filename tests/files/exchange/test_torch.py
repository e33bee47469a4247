"""PyTorch's networks, taken over: they answer as they did where they came from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.files.exchange.conversion import from_torch
from deltarule.model import Model
from deltarule.nn.activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh

GOLDEN = json.loads((Path(__file__).parents[2] / "goldens" / "pytorch_networks.json").read_text(encoding="utf-8"))


def arrays(name: str) -> dict[str, np.ndarray[Any, Any]]:
    return {key: np.array(value, np.float32) for key, value in GOLDEN[name]["state_dict"].items()}


@pytest.mark.parametrize(
    ("name", "hidden", "output", "sizes", "task"),
    [
        ("classifier", ReLU(), Softmax(), (4, 7, 3), "classes"),
        ("binary", SiLU(), Sigmoid(), (4, 5, 1), "labels"),
        ("regression", [LeakyReLU(), Tanh()], Identity(), (4, 6, 5, 2), "values"),
    ],
)
def test_it_answers_as_pytorch_does(name: str, hidden: Any, output: Activation, sizes: Any, task: str) -> None:
    model = from_torch(arrays(name), hidden=hidden, output=output)
    assert (model.network.layer_sizes, model.task, model.network.dtype) == (sizes, task, np.float32)
    outputs = model.outputs(np.array(GOLDEN["X"], np.float32))
    np.testing.assert_allclose(outputs, GOLDEN[name]["outputs"], atol=1e-6)


def test_numbers_say_the_order_of_the_layers() -> None:
    """A safetensors file gives "net.10" before "net.2"; all layers are square, so no shape would tell."""
    layers = [f"net.{2 * l}.weight" for l in range(7)]
    state = {name: np.full((3, 3), float(l)) for l, name in enumerate(layers)}
    network = from_torch({name: state[name] for name in sorted(state)}, hidden=ReLU()).network
    assert [W[0, 0] for W in network.weights] == list(range(7))


def test_names_and_pixels_can_be_given() -> None:
    model = from_torch(
        arrays("classifier"), hidden=ReLU(), class_names=("a", "b", "c"), image_shape=(2, 2), pixels=True
    )
    assert isinstance(model, Model)
    assert (model.class_names, model.image_shape, model.pixels) == (("a", "b", "c"), (2, 2), True)
    assert not from_torch(arrays("classifier"), hidden=ReLU()).pixels


def test_double_stays_double_and_the_arrays_are_copies() -> None:
    state = {name: array.astype(np.float64) for name, array in arrays("classifier").items()}
    model = from_torch(state, hidden=ReLU())
    state["0.weight"][:] = 0.0
    assert model.network.dtype == np.float64
    assert np.abs(model.network.weights[0]).min() > 0.0


def without(name: str, **others: Any) -> dict[str, Any]:
    return {key: value for key, value in arrays("classifier").items() if key != name} | others


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({}, SettingError, "from_torch takes Linear layers, .*: got no weight"),
        (without("", **{"1.running_mean": np.zeros(7)}), SettingError, r"got '1\.running_mean' of shape \(7,\); fold"),
        (without("", **{"1.weight": np.zeros(7)}), SettingError, r"got '1\.weight' of shape \(7,\); fold"),
        (without("", conv=np.zeros(7)), SettingError, r"got 'conv' of shape \(7,\)"),
        (without("0.weight", **{"0.weight": np.zeros((8, 3, 2, 2))}), SettingError, r"of shape \(8, 3, 2, 2\)"),
        (
            without("3.weight", **{"3.weight": np.zeros((3, 9))}),
            ShapeError,
            "got 7 .* before 3, which takes 9 and make",
        ),
        (without("3.bias", **{"3.bias": np.zeros(4)}), ShapeError, r"makes 3, with biases \(4,\)"),
        (without("3.bias", **{"3.bias": np.full(3, np.nan)}), DataError, "must be finite numbers: got others in 3"),
    ],
)
def test_what_is_no_chain_of_linear_layers(state: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_torch(state, hidden=ReLU())


def test_activations_that_do_not_fit() -> None:
    with pytest.raises(SettingError, match="hidden is one for all hidden layers or one for each of 1: got 2"):
        from_torch(arrays("classifier"), hidden=[ReLU(), ReLU()])
    with pytest.raises(SettingError, match="a softmax over one output is always 1: use two outputs, or output="):
        from_torch(arrays("binary"), hidden=SiLU())
    with pytest.raises(ShapeError, match="a network needs a name for each of its 3 outputs: got 2"):
        from_torch(arrays("classifier"), hidden=ReLU(), class_names=("a", "b"))
