"""PyTorch's networks, taken over: they answer as they did where they came from."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, MissingExtraError, SettingError, ShapeError
from deltarule.files.exchange.torch import from_torch, to_torch
from deltarule.model import Model
from deltarule.nn.activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.network import Network
from deltarule.parts import PARTS, No

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
            "got 7 .* before 3, which takes 9 numbers",
        ),
        (without("3.bias", **{"3.bias": np.zeros(4)}), ShapeError, r"returns 3, with biases \(4,\)"),
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


def torch_or_skip() -> Any:
    return pytest.importorskip("torch", reason="needs PyTorch: pip install torch")


def module_of(torch: Any, act: Any, end: Any, n_outputs: int = 3, forward: Any = None) -> Any:
    """A module with fc1, fc2 and fc3, which calls functions between them, as tutorials write them."""

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = ((4, 6), (6, 6), (6, n_outputs))
            self.fc1, self.fc2, self.fc3 = (torch.nn.Linear(*each) for each in sizes)

        def forward(self, x: Any) -> Any:
            if forward is not None:
                return forward(self, x)
            return end(self.fc3(act(self.fc2(act(self.fc1(x.view(len(x), -1)))))))

    return Net()


def rows(torch: Any) -> Any:
    return torch.from_numpy(np.array(GOLDEN["X"], np.float32))


@pytest.mark.parametrize("act", ["relu", "tanh", "sigmoid", "silu", "elu", "leaky_relu"])
@pytest.mark.parametrize(("end", "task"), [("softmax", "classes"), ("log_softmax", "classes"), ("sigmoid", "labels")])
def test_a_module_says_what_its_functions_are(act: str, end: str, task: str) -> None:
    torch = torch_or_skip()
    functional = torch.nn.functional
    last = functional.sigmoid if end == "sigmoid" else lambda z: getattr(functional, end)(z, 1)
    module = module_of(torch, getattr(functional, act), last)
    model = from_torch(module)
    theirs = module(rows(torch)).detach().numpy()
    outputs = model.outputs(rows(torch).numpy())
    np.testing.assert_allclose(outputs, np.exp(theirs) if end == "log_softmax" else theirs, atol=1e-6)
    assert model.task == task


def test_a_sequential_keeps_activations_and_settings() -> None:
    nn = torch_or_skip().nn
    inner = nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(0.3), nn.Dropout(0.5))
    module = nn.Sequential(nn.Flatten(), inner, nn.Linear(6, 5, bias=False), nn.Tanh(), nn.Linear(5, 2))
    model = from_torch(module, output="identity")
    assert model.network.activations == (LeakyReLU(0.3), Tanh(), Identity())
    assert module.training
    assert from_torch(nn.Linear(4, 3)).network.activations == (Softmax(),)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_modules_of_other_dtypes(dtype: str) -> None:
    torch = torch_or_skip()
    module = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    module.to(getattr(torch, dtype))
    for given in (module, module.state_dict(), dict(module.named_parameters())):
        model = from_torch(given, hidden="relu")
        assert model.network.dtype == (np.float64 if dtype == "float64" else np.float32)
        assert (model.network.weights[0] == module[0].weight.detach().double().numpy().T).all()


def test_nested_checkpoints_and_prefixes() -> None:
    torch = torch_or_skip()
    module = module_of(torch, torch.relu, lambda z: z)
    optimizer = torch.optim.Adam(module.parameters())
    module(rows(torch)).sum().backward()
    optimizer.step()
    state = {f"model.{name}": array for name, array in module.state_dict().items()}
    checkpoint = {"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict(), "history": {0: 1.5}}
    theirs = module(rows(torch)).detach().numpy()
    for given in (state, checkpoint, {"last": {"checkpoint": checkpoint}}, {"model": module}):
        model = from_torch(given, hidden="relu", output="identity")
        np.testing.assert_allclose(model.outputs(rows(torch).numpy()), theirs, atol=1e-6)
    with pytest.raises(
        SettingError, match=r"holds state_dict\['model'\], state_dict\['ema'\]; use from_torch\(state_d"
    ):
        from_torch({"model": state, "ema": state}, hidden="relu")


def test_modules_that_are_no_chain_are_refused_by_name() -> None:
    torch = torch_or_skip()
    nn, relu = torch.nn, torch.relu
    normalized = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    pictures = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    for module, got in ((normalized, "got 1, a BatchNorm1d"), (pictures, "got 0, a Conv2d"), (nn.LSTM(4, 3), "a LSTM")):
        with pytest.raises(SettingError, match=f"a chain of Linear layers and activations: got {got}|{got}"):
            from_torch(module)
    residual = module_of(
        torch, relu, None, forward=lambda net, x: net.fc3(relu(net.fc1(x)) + net.fc2(relu(net.fc1(x))))
    )
    scaled = module_of(torch, relu, None, forward=lambda net, x: net.fc3(relu(net.fc2(relu(net.fc1(x / 255.0))))))
    for module in (residual, scaled, module_of(torch, nn.functional.gelu, lambda z: z)):
        with pytest.raises(SettingError, match=r"got a Net that computes something else; .*module\.state_dict\(\)"):
            from_torch(module)
    with pytest.raises(SettingError, match="computes something else"):
        from_torch(module_of(torch, relu, lambda z: z), hidden="tanh")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity", "tanh"])
@pytest.mark.parametrize("hidden", [name for name, row in PARTS["activation"].items() if not isinstance(row.torch, No)])
def test_a_network_goes_to_pytorch_and_back(hidden: str, output: str, dtype: Any) -> None:
    torch = torch_or_skip()
    loss = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(output, "quadratic")
    network = Network((4, 5, 6, 3), hidden=hidden, output=output, loss=loss, dtype=dtype, rng=1)
    module = to_torch(network)
    X = np.array(GOLDEN["X"], dtype)
    np.testing.assert_allclose(module(torch.from_numpy(X)).detach().numpy(), network.outputs(X), atol=1e-6)
    back = from_torch(module, output=output).network
    np.testing.assert_array_equal(back.parameters.vector, network.parameters.vector)
    assert back.activations == network.activations


def test_scalings_and_pixels_go_into_the_weights() -> None:
    torch, rng = torch_or_skip(), np.random.default_rng(0)
    X, y = rng.normal(1e6, 3.0, (30, 4)), rng.normal(-7e4, 50.0, (30, 2))
    model = Model.suited(Network((4, 5, 2), output="tanh", loss="quadratic", rng=1), Dataset(X, y, "values"))
    np.testing.assert_allclose(to_torch(model)(torch.from_numpy(X)).detach().numpy(), model.predict(X), rtol=1e-6)
    images = rng.integers(256, size=(30, 2, 2), dtype=np.uint8)
    data = Dataset(images.reshape(30, 4), np.arange(30) % 3, "classes", image_shape=(2, 2))
    for standardize in (False, True):
        model = Model.suited(Network((4, 5, 3), rng=1), data, standardize=standardize)
        given = torch.from_numpy(images / (255.0 if standardize else np.float32(255.0)))
        outputs = to_torch(model)(given).detach().numpy()
        np.testing.assert_allclose(outputs, model.outputs(images), atol=1e-6)


def test_what_pytorch_has_no_module_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"this needs torch, which .*: run  pip install torch"):
        to_torch(Network((4, 5, 3)))
    monkeypatch.undo()
    torch_or_skip()
    with pytest.raises(SettingError, match=r"to_torch takes activations that torch\.nn has a module for: got Exp"):
        to_torch(Network((4, 5, 3), output="exponential", loss="poisson"))
