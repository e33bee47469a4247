"""How a network is made, shown and asked, and what it says when it is asked for what cannot be."""

import inspect
import math
import pydoc
import re
from typing import Any

import numpy as np
import pytest

from deltarule.errors import DeltaruleError, SettingError, ShapeError
from deltarule.nn.activations import ELU, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.initializers import Initializer, lecun_normal, standard_normal, uniform
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import PREDICTION_ROWS, Network, forward
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2

PRINTED = """\
Network 784-128-30-10
layer  shape             activation   parameters
    0     784 -> 128     ReLU            100,480
    1     128 -> 30      Tanh              3,870
    2      30 -> 10      Softmax             310
loss CrossEntropy, float32, 104,660 parameters"""


def test_print() -> None:
    network = Network((784, 128, 30, 10), hidden=(ReLU(), Tanh()))
    assert str(network) == PRINTED
    assert repr(network) == "<Network 784-128-30-10, 104,660 parameters>"
    assert repr(network.parameters) == "Parameters((784, 128, 30, 10), 104,660 x float32)"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"layer_sizes": (784,)},
            ShapeError,
            "layer sizes are two or more whole numbers, inputs first, as in (784, 128, 10): got (784,)",
        ),
        ({"layer_sizes": (784, 0, 10)}, ShapeError, "two or more whole numbers, .*: got (784, 0, 10)"),
        ({"layer_sizes": (784, 12.5, 10)}, ShapeError, "two or more whole numbers, .*: got (784, 12.5, 10)"),
        (
            {"output": Identity()},
            SettingError,
            "CrossEntropy needs outputs that are probabilities, from Softmax: got Identity; "
            'use output="softmax", or loss="quadratic"',
        ),
        (
            {"output": Tanh(), "loss": BinaryCrossEntropy()},
            SettingError,
            "BinaryCrossEntropy needs outputs that are probabilities, from Sigmoid or Softmax: got Tanh; .*",
        ),
        (
            {"output": "identity", "loss": "poisson"},
            SettingError,
            'Poisson needs outputs above 0, from Exp: got Identity; use output="exponential", or loss="quadratic"',
        ),
        (
            {"layer_sizes": (4, 1)},
            SettingError,
            'a softmax over one output is always 1: use two outputs, or output="sigmoid", loss="binary_cross_entropy"; '
            'for values output="identity", loss="quadratic"',
        ),
        ({"dropout": 1.0}, SettingError, "dropout must be at least 0 and less than 1: got 1.0; use dropout=0.1"),
        ({"dropout": -0.1}, SettingError, "dropout must be at least 0 and less than 1: got -0.1; use dropout=0.1"),
        (
            {"dropout": float("nan")},
            SettingError,
            "dropout must be at least 0 and less than 1: got nan; use dropout=0.1",
        ),
        (
            {"dropout": (0.5, 0.5)},
            SettingError,
            "dropout is one for all hidden layers or one for each of 1: got 2; the last layer has no dropout",
        ),
        (
            {"hidden": []},
            SettingError,
            "hidden is one for all hidden layers or one for each of 1: got 0; use one alone, or 1 of them",
        ),
    ],
)
def test_networks_that_cannot_be(arguments: dict[str, Any], error: type[DeltaruleError], message: str) -> None:
    pattern = re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(error, match=f"{pattern}$"):
        Network(**{"layer_sizes": (4, 3, 2)} | arguments)


@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_penalties_that_cannot_be(strength: float) -> None:
    for penalty in (L1, L2):
        message = f"strength of {penalty.__name__} must be 0 or more and finite: got {strength}; use strength="
        with pytest.raises(SettingError, match=f"^{message}{0.1 if strength == -0.1 else 0.0001}$"):
            penalty(strength)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_label_smoothing_that_cannot_be(smoothing: float) -> None:
    for loss in (CrossEntropy, BinaryCrossEntropy):
        message = f"label_smoothing of {loss.__name__} must be at least 0 and less than 1: got {smoothing}"
        with pytest.raises(SettingError, match=f"^{message}; use label_smoothing=0.1$"):
            loss(smoothing)


@pytest.mark.parametrize("shape", [(5, 4), (0, 4), (2, 3), (4,)])
def test_batches_that_do_not_fit_a_workspace(shape: tuple[int, ...]) -> None:
    network = Network((4, 3, 2))
    message = f"a batch for this workspace has shape (1 to 4, 4): got {shape}; make a workspace of larger capacity"
    with pytest.raises(ShapeError, match=re.escape(message)):
        forward(network, np.zeros(shape, np.float32), network.workspace(4))


@pytest.mark.parametrize(
    ("shape", "cure"),
    [((5, 3), "pass the 4 features"), ((4,), "use X.reshape(1, -1)"), ((4, 9), "use X.T"), ((1, 2, 5), "resize the")],
)
def test_inputs_that_do_not_fit_a_network(shape: tuple[int, ...], cure: str) -> None:
    one = ", a single example" if shape == (4,) else ""
    message = f"X has shape {shape}{one}, but this network takes (n_samples, 4): {cure}"
    for ask in (Network((4, 3, 2)).outputs, Network((4, 3, 2)).predict, Network((4, 3, 2)).probabilities):
        with pytest.raises(ShapeError, match=re.escape(message)):
            ask(np.zeros(shape))


@pytest.mark.parametrize("vector", [np.zeros(22), np.zeros((23, 1)), np.zeros(46)[::2]], ids=["size", "shape", "gaps"])
def test_vectors_that_are_no_parameters(vector: Array) -> None:
    with pytest.raises(ShapeError, match=re.escape("one contiguous vector of shape (23,): got ")):
        Parameters((4, 3, 2), vector)


def test_ten_sigmoids_have_no_probabilities() -> None:
    network = Network((4, 10), output=Sigmoid(), loss=BinaryCrossEntropy())
    message = (
        "probabilities come from a softmax or one sigmoid: this network has 10 outputs from Sigmoid; "
        "call outputs(X) for its activations"
    )
    with pytest.raises(SettingError, match=re.escape(message)):
        network.probabilities(np.zeros((1, 4)))
    assert network.outputs(np.zeros((1, 4))).shape == (1, 10)


def biased(output: Any, biases: list[float], task: Any = None) -> Network:
    """A network that says the same to everything: what its biases say."""
    network = Network((2, len(biases)), output=output, loss=Quadratic(), task=task)
    network.parameters.weight_block[:] = 0.0
    network.biases[0][:] = biases
    return network


def test_answers() -> None:
    X = np.zeros((3, 2))
    assert biased(Softmax(), [0.0, 2.0, 1.0]).predict(X).tolist() == [1, 1, 1]
    assert biased(Sigmoid(), [-1.0, -2.0], "classes").predict(X).tolist() == [0, 0, 0]
    assert biased(Sigmoid(), [1.0, -2.0], "labels").predict(X).tolist() == [[1, 0]] * 3
    assert biased(Sigmoid(), [0.1], "labels").predict(X).tolist() == [[1], [1], [1]]
    assert biased(Sigmoid(), [-0.1], "labels").predict(X).tolist() == [[0], [0], [0]]
    assert biased(Tanh(), [0.0, 0.0], "values").predict(X).tolist() == [[0.0, 0.0]] * 3
    assert biased(Identity(), [0.5, -3.0]).predict(X).tolist() == [[0.5, -3.0]] * 3
    np.testing.assert_allclose(biased(Softmax(), [0.0, np.log(3)]).probabilities(X), [[0.25, 0.75]] * 3, rtol=1e-6)
    np.testing.assert_allclose(biased(Sigmoid(), [np.log(3)]).probabilities(X), [[0.75]] * 3, rtol=1e-6)


@pytest.mark.parametrize("n_samples", [0, 1, PREDICTION_ROWS, 2 * PREDICTION_ROWS + 3])
def test_as_many_inputs_as_you_like(n_samples: int) -> None:
    network = Network((1, 1), output=Identity(), loss=Quadratic(), dtype=np.float64)
    network.parameters.vector[:] = [2.0, 1.0]
    X = np.arange(n_samples, dtype=np.float64)[:, None]
    assert network.outputs(X)[:, 0].tolist() == [2.0 * i + 1.0 for i in range(n_samples)]


@pytest.mark.parametrize("hidden", [ReLU(), LeakyReLU(), ELU(), SiLU()], ids=lambda hidden: type(hidden).__name__)
def test_the_relu_family_starts_with_he(hidden: Any) -> None:
    first, last = Network((200, 300, 100), hidden=hidden).weights
    assert first.mean() == pytest.approx(0.0, abs=0.002)
    assert first.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)  # seven standard deviations
    assert abs(first).max() > 3 * first.std()
    assert abs(last).max() == pytest.approx(np.sqrt(6 / 400), rel=0.001)


@pytest.mark.parametrize("hidden", [Identity(), Sigmoid(), Tanh(), Softmax()], ids=lambda hidden: type(hidden).__name__)
def test_the_others_start_with_glorot(hidden: Any) -> None:
    network = Network((200, 300, 100), hidden=hidden)
    for W, fans in zip(network.weights, (500, 400), strict=True):
        assert abs(W).max() == pytest.approx(np.sqrt(6 / fans), rel=0.001)
        assert W.std() == pytest.approx(np.sqrt(2 / fans), rel=0.02)
    assert not any(biases.any() for biases in network.biases)


@pytest.mark.parametrize(
    ("initializer", "mean", "spread"),
    [
        (lecun_normal, 0.0, np.sqrt(1 / 200)),
        (standard_normal, 0.0, 1.0),
        (uniform, 0.5, np.sqrt(1 / 12)),
        (lambda *shape: 4.0 * uniform(*shape), 2.0, np.sqrt(16 / 12)),
    ],
)
def test_initializers_of_ones_choice(initializer: Initializer, mean: float, spread: float) -> None:
    tanh = Tanh(initializer=initializer, bias_initializer=initializer)
    network = Network((200, 300, 2), hidden=tanh, output=Softmax(), loss=CrossEntropy())
    assert network.weights[0].mean() == pytest.approx(mean, abs=0.03 * spread)
    assert network.weights[0].std() == pytest.approx(spread, rel=0.02)
    assert network.biases[0].any()
    assert not network.biases[1].any()


def test_a_seed_says_how_a_network_starts() -> None:
    def start(rng: Any) -> list[float]:
        vector: list[float] = Network((5, 4, 3), rng=rng).parameters.vector.tolist()
        return vector

    assert start(7) == start(7) == start(np.random.default_rng(7))
    assert start(7) != start(8)
    assert start(0) == Network((5, 4, 3)).parameters.vector.tolist()


def test_a_loss_is_printed_with_what_is_not_its_default() -> None:
    """Another's loss, without settings, is its name."""

    class Own(Loss):
        pass

    assert "loss CrossEntropy(label_smoothing=0.1), float32" in str(Network((3, 2), loss=CrossEntropy(0.1)))
    assert "loss CrossEntropy, float32" in str(Network((3, 2)))
    assert (str(Quadratic()), str(Own())) == ("Quadratic()", "Own()")


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("n_outputs", [2, 10])
def test_no_outputs_cost_less_than_the_lowest_loss(smoothing: float, n_outputs: int) -> None:
    y = np.array([0])
    for loss in (Quadratic(), CrossEntropy(smoothing), BinaryCrossEntropy(smoothing)):
        lowest = loss.lowest(n_outputs)
        best = loss.targets(np.zeros((1, n_outputs)), y)
        assert loss.value(best, y) == pytest.approx(lowest, abs=1e-12)
        for share in (0.01, 0.3):
            other = (1.0 - share) * best + share / n_outputs
            assert loss.value(other, y) >= lowest
        assert (lowest > 0.0) == (smoothing > 0.0 and not isinstance(loss, Quadratic))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("image_shape", (28, 29), "images of (28, 29) do not have 784 pixels"),
        ("image_shape", 28, "image_shape must be (height, width): got 28; use image_shape=(28, 28)"),
        ("task", "foo", "foo"),
        ("pixels", "yes", "pixels must be True or False"),
        ("class_names", ["a"], "a network needs a name for each of its 10 outputs: got 1"),
        ("class_names", 10, "class_names must be a list of names"),
    ],
)
def test_what_numbers_mean_is_checked_when_it_is_set_later(name: str, value: Any, message: str) -> None:
    network = Network((784, 8, 10))
    before = getattr(network, name)
    with pytest.raises(DeltaruleError, match=re.escape(message)):
        setattr(network, name, value)
    assert getattr(network, name) == before


def test_what_numbers_mean_can_be_set_later() -> None:
    network: Any = Network((784, 8, 10))
    network.image_shape, network.class_names, network.pixels = (28, 28), list("abcdefghij"), True
    assert (network.image_shape, network.class_names, network.pixels) == ((28, 28), tuple("abcdefghij"), True)
    network.class_names = None
    assert network.class_names == tuple("0123456789")


def test_help_shows_a_network_on_one_screen_of_80_columns() -> None:
    text = pydoc.plain(pydoc.render_doc(Network))
    assert sum(max(1, math.ceil(len(line) / 80)) for line in text.splitlines()) <= 40
    names = {name for name in vars(Network) if not name.startswith("_")}
    for name in names | set(vars(Network((2, 2)))) | set(inspect.signature(Network).parameters):
        assert re.search(rf"\b{name}\b", text), name
    assert "__" not in text
