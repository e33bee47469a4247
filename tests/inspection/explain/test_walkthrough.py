"""explain: numbers that can be worked out on paper, sums that add up, and what is printed of them."""

import json
import re
from typing import Any

import numpy as np
import pytest

from deltarule.data.columns import Column
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.inspection.explain.explain import explain
from deltarule.inspection.explain.walkthrough import Walkthrough, check_lines
from deltarule.inspection.gradcheck.equation_checks import Check
from deltarule.inspection.presentation import encodable
from deltarule.model import Model, Standardization
from deltarule.nn.activations import ELU, Activation, Exp, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.equations import EQUATIONS
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Poisson, Quadratic
from deltarule.nn.network import Network


@pytest.fixture
def chain() -> Network:
    """1-1-1-1, all sigmoids: e^(ln 3) = 3 makes the first activation 3/4, and a z of 0 makes the others 1/2."""
    network = Network((1, 1, 1, 1), hidden=Sigmoid(), output=Sigmoid(), loss=Quadratic(), dtype=np.float64)
    network.parameters.vector[:] = [np.log(3.0), 4.0, 2.0, 0.0, -3.0, -1.0]
    return network


@pytest.fixture
def digit_walk() -> Walkthrough:
    rng = np.random.default_rng(1)
    image = np.where(rng.random((28, 28)) < 0.8, 0, 255).astype(np.uint8)
    return explain(Network((784, 100, 10), image_shape=(28, 28), pixels=True, rng=0), image, 3)


def all_ok(walk: Walkthrough) -> bool:
    return all(check.ok for checks in walk.checks.values() for check in checks)


def flat(walk: Walkthrough) -> str:
    """What is printed, with a single space wherever there are several or a line ends."""
    return re.sub(r"\s+", " ", str(walk))


def test_the_chain_on_paper(chain: Network) -> None:
    walk = explain(chain, np.array([1.0]), np.array([1.0]))
    np.testing.assert_allclose([layer.a.item() for layer in walk.layers], [3 / 4, 1 / 2, 1 / 2], rtol=1e-15)
    np.testing.assert_allclose([layer.delta.item() for layer in walk.layers], [-3 / 64, -1 / 16, -1 / 8], rtol=1e-15)
    assert walk.loss == pytest.approx(1 / 8, rel=1e-15)
    assert walk.neuron.gradient.tolist() == pytest.approx([-3 / 64], rel=1e-15)
    assert walk.neuron.slope == pytest.approx(3 / 16, rel=1e-15)
    assert walk.neuron.back is not None
    assert walk.neuron.back.total == pytest.approx(-1 / 4, rel=1e-15)  # 4 * -1/16
    squares = (9 + 16 + 64 + 9 + 9 + 16) / 64**2  # deltas -3, -4, -8 and gradients -3, -3, -4 over 64
    assert walk.gradient_norm**2 == pytest.approx(squares, rel=1e-14)
    assert walk.steps[0].predicted == pytest.approx(-0.001 * squares, rel=1e-14)
    assert all_ok(walk)
    for words in ("z 1.0986", "a = σ(z) 0.75", "C = 0.125.", "times σ′(z) 0.1875", "is δ -0.046875"):
        assert words in flat(walk)


def test_a_long_sum_adds_up(digit_walk: Walkthrough) -> None:
    neuron, weighted = digit_walk.neuron, digit_walk.neuron.weighted
    assert (len(weighted.largest), weighted.n_others) == (5, 779)
    shown = sum(term.product for term in weighted.largest)
    assert shown + weighted.others + neuron.bias == pytest.approx(neuron.z, rel=1e-12)
    assert neuron.z == pytest.approx(digit_walk.layers[0].z[neuron.neuron].item())
    sizes = [abs(term.product) for term in weighted.largest]
    assert sizes == sorted(sizes, reverse=True)
    weights = digit_walk.model.network.weights[0][:, neuron.neuron]
    assert sizes[0] == pytest.approx(np.abs(weights * digit_walk.inputs).max(), rel=1e-6)
    assert "779 others sum to" in str(digit_walk)


def test_the_printed_sum_adds_up(digit_walk: Walkthrough) -> None:
    lines = str(digit_walk).split("written out:")[1].split("Checked")[0].splitlines()
    column = [float(line.split()[-1]) for line in lines[2:] if line.strip()]
    *summands, z, a = column
    assert len(summands) == 7
    assert sum(summands) == pytest.approx(z, abs=5e-5)
    assert a == pytest.approx(digit_walk.neuron.a, rel=1e-4)


def test_what_a_nudge_and_a_step_do_is_predicted(digit_walk: Walkthrough) -> None:
    for moved in (*digit_walk.neuron.next_layer, digit_walk.neuron.loss):
        assert moved.actual == pytest.approx(moved.predicted, rel=0.01)
    ratios = [abs(step.actual / step.predicted - 1) for step in digit_walk.steps]
    assert ratios == sorted(ratios)
    assert ratios[0] < 0.05
    assert digit_walk.neuron.gradient_error < 1e-12


def test_by_default_the_neuron_with_the_largest_error(digit_walk: Walkthrough) -> None:
    neuron = digit_walk.neuron
    assert neuron.layer == 0
    assert abs(neuron.delta) == np.abs(digit_walk.layers[0].delta).max() > 0


def test_it_fits_80_columns_and_any_terminal(digit_walk: Walkthrough) -> None:
    text = str(digit_walk)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert encodable(text, "ascii").isascii()
    assert "█" in str(digit_walk)
    assert "WRONG" not in str(digit_walk)


def test_every_number_is_in_the_json(digit_walk: Walkthrough) -> None:
    content = json.loads(json.dumps(digit_walk.as_dict(), allow_nan=False))
    assert [len(layer["z"]) for layer in content["layers"]] == [100, 10]
    assert len(content["inputs"]) == len(content["neuron"]["gradient"]) == 784
    assert content["neuron"]["weighted"]["n_others"] == 779
    assert content["loss"] == digit_walk.loss
    shown = [equation["id"] for equation in content["equations"]]
    assert shown == [key for key in EQUATIONS if key not in ("BP1-sigmoid", "BP1-exponential")]
    assert all(check["ok"] for equation in content["equations"] for check in equation["checks"])


PAIRS: list[tuple[Activation, Loss]] = [
    (Softmax(), CrossEntropy()),
    (Sigmoid(), BinaryCrossEntropy()),
    (Sigmoid(), Quadratic()),
    (Identity(), Quadratic()),
    (Exp(), Poisson()),
]


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("hidden", [ReLU(), Tanh(), ELU(), Softmax()])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_every_kind_of_network(hidden: Activation, output: Activation, loss: Loss, layer: int) -> None:
    network = Network((3, 6, 4, 2), hidden=hidden, output=output, loss=loss, rng=5)
    y: Any = 1 if isinstance(output, Softmax) else np.array([0.0, 1.0])
    walk = explain(network, np.array([0.3, -1.2, 0.8]), y, layer=layer)
    assert all_ok(walk)
    assert walk.neuron.delta == pytest.approx(walk.neuron.numeric_delta, rel=1e-12)
    for moved in (*walk.neuron.next_layer, walk.neuron.loss):
        assert moved.actual == pytest.approx(moved.predicted, rel=0.02, abs=1e-9)
    if walk.neuron.back is not None and walk.neuron.slope is not None:
        assert walk.neuron.back.total * walk.neuron.slope == pytest.approx(walk.neuron.delta, rel=1e-12)
    assert max(map(len, str(walk).splitlines())) <= 80


def test_a_count_below_0_is_refused_and_one_of_0_explained() -> None:
    network = Network((3, 1), output="exponential", loss="poisson", rng=5)
    assert "C_i = sum_j [t_j ln(t_j / a_j) - t_j + a_j]" in str(explain(network, np.ones(3), 0))
    with pytest.raises(DataError, match="the target holds -1, and this loss needs targets of 0 or more"):
        explain(network, np.ones(3), -1)


def test_a_neuron_that_says_nothing() -> None:
    network = Network((4, 3, 2), rng=0)
    network.biases[0][1] = -100.0
    walk = explain(network, np.ones(4), 0, layer=0, neuron=1)
    assert walk.neuron.a == walk.neuron.delta == walk.neuron.slope == 0.0
    assert all_ok(walk)
    assert "-100" in str(walk)


def test_a_black_image_teaches_no_weight() -> None:
    walk = explain(Model(Network((16, 3, 2)), "classes", image_shape=(4, 4)), np.zeros((4, 4), np.float32), 0)
    assert not walk.neuron.gradient.any()
    assert all_ok(walk)
    assert "learns nothing from this example" in str(walk)


def test_an_image_too_wide_for_the_terminal_is_not_drawn() -> None:
    image = np.random.default_rng(0).random((2, 75))
    text = str(explain(Model(Network((150, 2)), "classes", image_shape=(2, 75)), image, 0))
    assert "an image of 2x75 pixels, too wide" in text
    assert max(map(len, text.splitlines())) <= 80


def test_values_in_their_own_units() -> None:
    scaling = Standardization(np.array([10.0, 0.0]), np.array([2.0, 4.0]))
    network = Network((2, 2), output=Identity(), loss=Quadratic(), dtype=np.float64)
    model = Model(network, "values", ("sum", "product"), None, scaling, scaling, (Column("left"), Column("right")))
    walk = explain(model, np.array([12.0, 8.0]), np.array([10.0, -4.0]))
    assert walk.inputs.tolist() == [1.0, 2.0]
    assert walk.targets.tolist() == [0.0, -1.0]
    assert re.search(r"left +12 +1\n", str(walk))
    assert "It should be sum = 10, product = -4;" in flat(walk)
    assert "Below, both are standardized." in flat(walk)
    assert "BP2" not in walk.checks


def test_sigmoids_may_tell_classes_apart() -> None:
    network = Network((2, 3), output=Sigmoid(), loss=Quadratic(), rng=0)
    by_class, by_labels = explain(network, np.ones(2), 2), explain(network, np.ones(2), [0, 0, 1])
    assert by_class.loss == by_labels.loss
    assert "It should be 2;" in str(by_class)
    assert "It should be output 0 = 0, output 1 = 0, output 2 = 1;" in flat(by_labels)


def test_many_outputs_are_cut_short() -> None:
    walk = explain(Network((3, 40)), np.ones(3), 39)
    assert str(walk).count("and 28 others of the 40 outputs") == 3


def test_a_row_of_a_table_is_told_by_the_names_of_its_columns() -> None:
    columns = (Column("size", fill=2.0), Column("color", ("blue", "red")))
    model = Model(Network((3, 4, 2), rng=0), "classes", columns=columns)
    walk = explain(model, np.array([np.nan, 1.0]), 1)
    assert walk.raw.tolist() == [2.0, 0.0, 1.0]
    assert [line.split() for line in str(walk).splitlines() if line.startswith("    color=")][:2] == [
        ["color=blue", "0", "0"],
        ["color=red", "1", "1"],
    ]
    assert walk.as_dict()["input_names"] == ["size", "color=blue", "color=red"]


def test_long_names_leave_room_for_their_numbers() -> None:
    names = tuple(f"the {'very ' * 20}long name of {k}" for k in range(4))
    model = Model(Network((4, 3, 4), hidden=Tanh(), rng=0), "classes", names, columns=tuple(map(Column, names)))
    text = str(explain(model, np.array([1e-7, 1.0, -1e9, 3.0]), 0))
    assert max(map(len, text.splitlines())) <= 80
    assert "the very very very ..." in text


def test_one_equation_alone(chain: Network) -> None:
    walk = explain(chain, np.array([1.0]), np.array([1.0]), equation="bp4")
    assert list(walk.checks) == ["BP4"]
    text = str(walk)
    for words in (
        "ws.inputs[l][i, k]",
        "deltarule.nn.network.backward",
        "np.matmul(inputs[l].T",
        "= Σ_i (A^T)_ki δ^l_ij",
    ):
        assert words in text
    assert "BP3" not in text


@pytest.mark.parametrize("key", EQUATIONS)
def test_every_equation_alone_fits_80_columns(key: str) -> None:
    output, loss = {"BP1-softmax": PAIRS[0], "BP1-sigmoid": PAIRS[1], "BP1-exponential": PAIRS[4]}.get(key, PAIRS[2])
    alone = str(explain(Network((3, 4, 2), output=output, loss=loss), np.ones(3), np.array([0.0, 1.0]), equation=key))
    assert max(map(len, alone.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layer": 3}, SettingError, "layers of this network are 0 to 2: got layer 3"),
        ({"layer": -1}, SettingError, "layers of this network are 0 to 2: got layer -1"),
        ({"layer": 1, "neuron": 1}, SettingError, "neurons of layer 1 are 0 to 0: got neuron 1"),
        ({"equation": "BP5"}, SettingError, "no equation is called 'BP5'"),
        ({"equation": "BP1-softmax"}, SettingError, "BP1-softmax does not apply to this network"),
        ({"example": np.ones(2)}, ShapeError, r"example has shape \(2,\), but this network takes 1 numbers"),
        ({"example": np.ones((2, 1))}, ShapeError, "one example"),
        ({"example": np.array([np.nan])}, DataError, "finite"),
        ({"target": np.ones(2)}, ShapeError, "1 finite numbers"),
        ({"target": np.array([np.inf])}, ShapeError, "1 finite numbers"),
    ],
)
def test_what_cannot_be_explained(
    chain: Network, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        explain(chain, **({"example": np.array([1.0]), "target": np.array([1.0])} | arguments))


@pytest.mark.parametrize("y", [10, -1, 0.5, np.nan])
def test_a_class_that_does_not_exist(y: float) -> None:
    with pytest.raises(SettingError, match="0 to 9: got"):
        explain(Network((4, 10)), np.ones(4), y)


def test_a_wrong_derivative_is_called_wrong() -> None:
    class LostMinus(Sigmoid):
        def derivative(self, z: Any, a: Any) -> Any:
            return -a * (1.0 - a)

    network = Network((2, 3, 2), hidden=LostMinus(), rng=0)
    walk = explain(network, np.array([1.0, -1.0]), 0)
    assert not all_ok(walk)
    assert str(walk).count("WRONG") >= 3
    assert walk.neuron.delta == pytest.approx(-walk.neuron.numeric_delta)


def test_where_both_sides_are_nearly_0_the_error_is_absolute() -> None:
    lines = check_lines([Check.of("a slope of 1e-15", np.zeros(1), np.array([1e-15])), Check.of("1 and 1", 1.0, 1.0)])
    assert lines[2:] == [
        "    1.0e-15  ok *   a slope of 1e-15",
        "    0.0e+00  ok     1 and 1",
        "    * the absolute error: both are 0 but for rounding",
    ]
    assert check_lines([Check.of("2 and 1", 2.0, 1.0)])[2:] == ["    1.0e+00  WRONG  2 and 1"]
