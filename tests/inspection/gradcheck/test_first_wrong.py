"""The first array that is wrong: every slip of a learner's program, in every layer where it can be made."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from learner import ACTIVATIONS, LOSSES, PROVEN, Array, Learner

from deltarule.inspection.gradcheck.catalog import ROWS, Judgement, Observed, mistake_of
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.inspection.gradcheck.first_wrong import judgement
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.equations import EQUATIONS
from deltarule.nn.network import Network

SIZES = ((4, 5, 5, 3), (5, 5, 5), (3, 6, 1), (6, 4))
PAIRS = (
    ("softmax", "cross_entropy"),
    ("sigmoid", "binary_cross_entropy"),
    ("sigmoid", "quadratic"),
    ("softmax", "quadratic"),
    ("identity", "quadratic"),
    ("tanh", "quadratic"),
)
NETWORKS = [
    (sizes, hidden, output, loss)
    for n, (sizes, (output, loss)) in enumerate(product(SIZES, PAIRS))
    for hidden in (("sigmoid", "tanh", "relu")[n % 3],)
    if not (sizes[-1] == 1 and output == "softmax")
]
# slip: (id, the array that is wrong, where it can be made)
SLIPS = {
    "db over all": ("bias-all-axes", "db", "layer with two neurons"),
    "db over outputs": ("bias-wrong-axis", "db", "layer as wide as the batch"),
    "db forgotten": ("bias-forgotten", "db", "layer"),
    "db undivided": ("undivided", "db", "layer"),
    "db divided twice": ("divided-twice", "db", "layer"),
    "db doubled": ("factor-two", "db", "layer"),
    "db reversed": ("sign", "db", "layer"),
    "db odd": ("factor", "db", "layer with two neurons"),
    "one bias": ("one-bias", "db", "layer with two neurons"),
    "bias rolled": ("bias-shifted", "db", "layer with two neurons"),
    "dW undivided": ("undivided", "dW", "layer"),
    "dW divided twice": ("divided-twice", "dW", "layer"),
    "dW doubled": ("factor-two", "dW", "layer"),
    "dW reversed": ("sign", "dW", "layer"),
    "dW odd": ("factor", "dW", "layer"),
    "dW zero": ("never-filled", "dW", "layer"),
    "never filled": ("never-filled", "dW", "layer"),
    "last sample": ("one-sample", "dW", "layer"),
    "one weight": ("one-number", "dW", "layer"),
    "dW transposed": ("weights-transposed", "dW", "square layer"),
    "X for a": ("of-another-layer", "dW", "layer that could read X"),
    "z for a": ("z-for-a", "dW", "layer behind another"),
    "no slope": ("no-slope", "delta", "hidden layer"),
    "slope of a": ("slope-of-a", "delta", "smooth hidden layer"),
    "fed with z": ("slope-fed-z", "delta", "smooth hidden layer"),
    "slope twice": ("slope-twice", "delta", "smooth hidden layer"),
    "another slope": ("slope-of-another", "delta", "hidden layer"),
    "a for the slope": ("slope-half", "delta", "hidden layer"),
    "mask of the error": ("mask-of-error", "delta", "hidden layer"),
    "mask inverted": ("mask-inverted", "delta", "hidden layer of ReLUs"),
    "updated weights": ("updated-weights", "delta", "hidden layer"),
    "not transposed": ("not-transposed", "delta", "hidden layer in front of a square one"),
    "error carried": ("error-before-slope", "delta", "hidden layer behind which sigma' matters"),
    "lost": ("off", "delta", "layer"),
    "t - a": ("sign", "delta", "output"),
    "half of the slope": ("slope-half", "delta", "output"),
    "squared": ("error-squared", "delta", "output of values"),
    "one-hot shifted": ("targets-shifted", "delta", "output of classes"),
    "no bias": ("no-bias", "z", "layer"),
    "minus bias": ("bias-subtracted", "z", "layer"),
    "z passed on": ("forward-skips-activation", "z", "layer behind another"),
    "X passed on": ("forward-of-another-layer", "z", "layer that could read X"),
    "forward transposed": ("forward-not-transposed", "z", "square layer"),
    "no activation": ("no-activation", "a", "hidden layer"),
    "tanh in its place": ("another-activation", "a", "hidden layer without tanh"),
    "sigmoid lost its minus": ("sigmoid-minus", "a", "layer of sigmoids"),
    "softmax over the batch": ("softmax-axis", "a", "layer of softmax"),
}
NAMES_OF_EQUATIONS = {"z": "forward", "a": "forward", "dW": "BP4", "db": "BP3"}


def network_of(sizes: tuple[int, ...], hidden: str, output: str, loss: str, seed: int = 1) -> Network:
    network = Network(sizes, hidden=hidden, output=output, loss=loss, dtype=np.float64)
    network.parameters.vector[:] = np.random.default_rng(seed).normal(0.1, 0.5, network.parameters.size)
    return network


def batch_of(network: Network, n_samples: int = 7) -> tuple[Array, Array]:
    rng, k = np.random.default_rng(3), network.layer_sizes[-1]
    y = (np.arange(n_samples) % 2)[:, np.newaxis].astype(float) if k == 1 else rng.integers(k, size=n_samples)
    return rng.normal(size=(n_samples, network.layer_sizes[0])), y


def learner_of(network: Network, *slips: tuple[str, int], **settings: Any) -> Learner:
    kinds = [
        {"leakyrelu": "leaky_relu"}.get(type(each).__name__.lower(), type(each).__name__.lower())
        for each in network.activations
    ]
    loss = {"Quadratic": "quadratic", "CrossEntropy": "cross_entropy"}.get(
        type(network.loss).__name__, "binary_cross_entropy"
    )
    return Learner(kinds, loss, frozenset(slips), **settings)


def judged(network: Network, learner: Learner, n_samples: int = 7, *, has_loss: bool = True) -> Judgement:
    X, y = batch_of(network, n_samples)
    loss, (dW, db), *more = learner(network, X, y)
    arrays = {"z": more[0]["z"], "a": learner.a[1:], "delta": more[0]["delta"]} if more else {}
    observed = Observed(loss if has_loss else None, weights=dW, biases=db, **arrays)
    return judgement(Problem.of(network, X, y), observed)


def layers_for(where: str, network: Network) -> Iterator[int]:
    """The layers of a network where a slip can be made, and makes a difference."""
    sizes, kinds = network.layer_sizes, [type(each).__name__ for each in network.activations]
    last, is_proven = len(kinds) - 1, network.has_shortcut or kinds[-1] == "Identity"
    for l, kind in enumerate(kinds):
        fan_in, fan_out = sizes[l : l + 2]
        could = {
            "layer": True,
            "layer with two neurons": fan_out > 2,
            "layer as wide as the batch": fan_out > 2 and kind != "Softmax",  # behind which that sum is 0
            "square layer": fan_in == fan_out,
            "layer behind another": l > 0,
            "layer that could read X": l > 0 and fan_in == sizes[0],
            "layer of sigmoids": kind == "Sigmoid",
            "layer of softmax": kind == "Softmax",
            "hidden layer": l < last,
            "hidden layer of ReLUs": l < last and kind == "ReLU",
            "hidden layer without tanh": l < last and kind != "Tanh",
            "smooth hidden layer": l < last and kind in ("Sigmoid", "Tanh"),
            "hidden layer in front of a square one": l < last and fan_out == sizes[min(l + 2, last + 1)],
            "hidden layer behind which sigma' matters": l < last - is_proven,
            "output": l == last,
            "output of values": l == last and fan_out > 1,
            "output of classes": l == last and fan_out > 1,
        }
        if could[where]:
            yield l


@pytest.mark.parametrize("has_arrays", [True, False], ids=["with z, a, delta", "gradient alone"])
@pytest.mark.parametrize("slip", SLIPS)
def test_every_slip_is_named_and_placed(slip: str, has_arrays: bool) -> None:
    key, quantity, where = SLIPS[slip]
    tries = [(network, l) for network in (network_of(*each) for each in NETWORKS) for l in layers_for(where, network)]
    assert len(tries) >= 2
    n_tries = 6 if quantity in ("z", "a") else 10
    for network, l in tries[:: -(-len(tries) // n_tries)]:
        n_samples = network.layer_sizes[l + 1] if where == "layer as wide as the batch" else 7
        found = judged(network, learner_of(network, (slip, l), arrays=has_arrays), n_samples).wrong
        is_last = l + 1 == len(network.weights)
        is_zero = (
            slip in ("db over all", "db forgotten") and is_last and type(network.activations[l]).__name__ == "Softmax"
        )
        said = [(each.quantity, each.layers, each.mistake.id) for each in found]
        assert said in [[(quantity, (l,), each)] for each in {key, "bias-all-axes-zero" if is_zero else key}]
        assert found[0].mistake.equation == NAMES_OF_EQUATIONS.get(quantity, "BP1" if is_last else "BP2")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_sound_programs_have_no_mistake(hidden: str, dtype: type) -> None:
    for sizes, (output, loss), arrays in product(((4, 5, 5, 3), (3, 6, 1)), PAIRS, (True, False)):
        if not (output == "softmax" and sizes[-1] == 1):
            network = network_of(sizes, hidden, output, loss)
            found = judged(network, learner_of(network, arrays=arrays, dtype=dtype))
            assert (found.wrong, found.notes) == ((), ())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("slope of a", 0), ("db undivided", 1)),
        (("updated weights", 0), ("db over all", 1)),
        (("no slope", 1), ("dW transposed", 1)),
        (("half of the slope", 2), ("fed with z", 0)),
        (("slope twice", 1), ("slope of a", 0)),
        (("one-hot shifted", 2), ("db forgotten", 0)),
        (("error carried", 0), ("dW divided twice", 2)),
    ],
)
@pytest.mark.parametrize("arrays", [True, False])
def test_of_two_slips_both_are_named(first: tuple[str, int], second: tuple[str, int], arrays: bool) -> None:
    for seed, (output, loss) in product((1, 2), PAIRS[:4]):
        network = network_of((4, 5, 5, 3), "sigmoid", output, loss, seed)
        found = judged(network, learner_of(network, first, second, arrays=arrays)).wrong
        said = [(each.quantity, each.layer, each.mistake.id) for each in found]
        assert said == [(SLIPS[slip][1], l, SLIPS[slip][0]) for slip, l in (first, second)]


def test_what_every_layer_has_is_said_once() -> None:
    network = network_of((4, 5, 5, 3), "tanh", "sigmoid", "quadratic")
    every = judged(network, learner_of(network, *(("db undivided", l) for l in range(3)))).wrong
    assert [(str(each).split(":")[0], each.layers) for each in every] == [("in every layer", (2, 1, 0))]
    hidden = judged(network, learner_of(network, ("no slope", 0), ("no slope", 1))).wrong
    assert [str(each) for each in hidden] == ["in every hidden layer: BP2 lacks the factor sigma'(z)"]
    biases = judged(network, learner_of(network, *(("no bias", l) for l in range(3)))).wrong
    assert str(biases[0]).startswith("in every layer: the forward pass forgets the biases")


def test_what_is_unknown_is_not_judged() -> None:
    network = network_of((4, 5, 5, 3), "tanh", "softmax", "cross_entropy")
    problem = Problem.of(network, *batch_of(network))
    assert judgement(problem, Observed()) == judgement(problem, Observed(z=[None] * 3, delta=[None] * 3))
    assert judgement(problem, Observed()).wrong == ()
    wrong, *_ = judgement(problem, Observed(delta=[None, problem.delta[1] * 2.0, None])).wrong
    assert (wrong.quantity, wrong.layer, wrong.mistake.id) == ("delta", 1, "factor-two")
    wrong, *_ = judgement(problem, Observed(a=[None, problem.ws.a[1].T, None])).wrong
    assert (wrong.quantity, wrong.layer, wrong.mistake.id) == ("a", 1, "shape")


def test_deltas_that_dw_and_db_divide_are_a_convention() -> None:
    network = network_of((4, 5, 5, 3), "tanh", "softmax", "cross_entropy")
    problem = Problem.of(network, *batch_of(network))
    undivided = [7.0 * delta for delta in problem.delta]
    right = Observed(delta=undivided, weights=problem.grads.weights, biases=problem.grads.biases)
    assert judgement(problem, right).wrong == ()
    found = judgement(problem, Observed(delta=undivided, weights=[7.0 * dW for dW in problem.grads.weights])).wrong
    assert {each.mistake.id for each in found} <= {"undivided"}


# The loss


def mean_of_squares(a: Array, t: Array) -> float:
    return float(np.mean((a - t) ** 2))


def test_a_convention_is_not_called_a_mistake() -> None:
    """G10: a mean over samples and outputs, with the half or without."""
    network = network_of((4, 5, 3), "tanh", "sigmoid", "quadratic")
    X, y = batch_of(network)
    for slip, loss in (("mean of squares", mean_of_squares), ("outputs, too", lambda a, t: mean_of_squares(a, t) / 2)):
        check = gradcheck(network, X, y, gradient=learner_of(network, (slip, 1), loss=loss))
        assert check.ok
        assert check.mistakes == ()
        assert "conventions, not mistakes" in check.notes[-1]
        assert check.notes[-1].startswith("your loss and its gradient are 0.")
    summed = learner_of(network, ("never divided", 1), loss=lambda a, t: 7.0 * LOSSES["quadratic"](a, t))
    assert gradcheck(network, X, y, gradient=summed).ok
    squares = gradcheck(network, X, y, gradient=learner_of(network, loss=mean_of_squares))
    assert squares.ok
    assert squares.notes[-1].startswith("your loss is 0.666667 times the network's, but your gradient is the same")
    half = gradcheck(network, X, y, gradient=learner_of(network, ("never divided", 1)))
    assert "not divided by the batch" in half.mistakes[0]


@pytest.mark.parametrize(("output", "loss"), PAIRS[:2])
def test_two_losses_are_a_mistake(output: str, loss: str) -> None:
    """G13: squared error is returned, and the cross-entropy's gradient is descended."""
    network = network_of((4, 5, 3), "tanh", output, loss)
    X, y = batch_of(network)
    check = gradcheck(network, X, y, gradient=learner_of(network, loss=mean_of_squares))
    assert not check.ok
    assert check.max_relative_error <= check.tolerance
    assert check.mistakes[0].startswith("two losses: the program returns squared error, but its gradient is that of")
    as_squares = network_of((4, 5, 3), "tanh", output, "quadratic")
    beside_squares = gradcheck(as_squares, X, y, gradient=learner_of(as_squares, ("a - t", 1)))
    assert "a - t is the delta of" in beside_squares.mistakes[0]
    both = gradcheck(as_squares, X, y, gradient=learner_of(network))
    assert [each.mistake.id for each in both.wrong] == ["loss-other"]
    assert both.max_relative_error <= both.tolerance


@pytest.mark.parametrize(
    ("key", "loss"),
    [
        ("loss-log", lambda a, t: -np.sum(t * np.log2(a)) / len(t)),
        ("loss-log", lambda a, t: -np.sum(t * np.log10(a)) / len(t)),
        ("loss-sign", lambda a, t: np.sum(t * np.log(a)) / len(t)),
        ("loss-absolute", lambda a, t: np.abs(a - t).mean()),
        ("loss-root", lambda a, t: np.sqrt(((a - t) ** 2).mean())),
        ("loss-differs", lambda a, t: 0.123),
        ("not-finite", lambda a, t: np.nan),
        ("loss-array", lambda a, t: (a - t).sum(axis=0)),
    ],
)
def test_a_wrong_loss_comes_before_the_gradient(key: str, loss: Any) -> None:
    network = network_of((4, 5, 3), "tanh", "softmax", "cross_entropy")
    found = judged(network, learner_of(network, ("slope of a", 0), loss=loss)).wrong
    assert [(each.quantity, each.mistake.id) for each in found] == [("loss", key), ("delta", "slope-of-a")]
    assert found[0].mistake.equation == "C"


def test_without_a_loss_a_wrong_forward_pass_is_found() -> None:
    for slip, l in (("no bias", 1), ("no activation", 0), ("X passed on", 1)):
        network = network_of((5, 5, 5, 3), "sigmoid", "softmax", "cross_entropy")
        found = judged(network, learner_of(network, (slip, l)), has_loss=False).wrong
        assert [(each.layer, each.mistake.id) for each in found] == [(l, SLIPS[slip][0])]


# The outputs


@pytest.mark.parametrize(
    ("slip", "output", "loss", "key"),
    [
        ("half of the slope", "sigmoid", "quadratic", "slope-half"),  # G5
        ("diagonal", "softmax", "quadratic", "softmax-diagonal"),  # G8
        ("slope twice", "softmax", "cross_entropy", "shortcut-slope"),  # G9
        ("slope twice", "sigmoid", "binary_cross_entropy", "shortcut-slope"),
        ("slope of a", "sigmoid", "quadratic", "slope-of-a"),
        ("fed with z", "tanh", "quadratic", "slope-fed-z"),
        ("no slope", "tanh", "quadratic", "no-slope"),
        ("another slope", "identity", "quadratic", "slope-of-another"),
    ],
)
def test_the_slips_of_bp1(slip: str, output: str, loss: str, key: str) -> None:
    for sizes, arrays in product(((4, 5, 5, 3), (6, 4)), (True, False)):
        network, last = network_of(sizes, "relu", output, loss), len(sizes) - 2
        found = judged(network, learner_of(network, (slip, last), arrays=arrays)).wrong
        assert [(each.quantity, each.layer, each.mistake.id) for each in found] == [("delta", last, key)]
        assert found[0].mistake.equation == "BP1"


def test_gradcheck_takes_the_arrays_and_names_the_first() -> None:
    network = network_of((4, 5, 5, 3), "sigmoid", "softmax", "cross_entropy")
    X, y = batch_of(network)
    slips = (("slope of a", 0), ("db undivided", 2))
    check = gradcheck(network, X, y, gradient=learner_of(network, *slips, arrays=True))
    assert [(each.quantity, each.layer) for each in check.wrong] == [("delta", 0), ("db", 2)]
    assert check.to_json_dict()["wrong"][0]["mistake"]["id"] == "slope-of-a"
    assert "delta[0] = (delta[1] @ weights[1].T) * sigma'(z[0])" in check.to_text(1000)
    single = gradcheck(network, X, y, gradient=learner_of(network, dtype=np.float32))
    assert single.ok
    assert "as in float32" in single.notes[-1]


def test_every_row_of_the_catalog_can_be_said() -> None:
    numbers = "yours right factor stated rate error at of_a value low high size fan_in column cls z"
    counts = "layer next before other meant neuron base later axis"
    words = "array line shape used which loss fits own activation slope half place name kind parameter data function"
    words += " lost twice formula hint shapes"
    values: dict[str, Any] = dict.fromkeys(numbers.split(), 0.5) | dict.fromkeys(counts.split(), 1)
    values |= dict.fromkeys(words.split(), "it")
    for key in ROWS:
        mistake = mistake_of(key, **{"equation": "BP1"} | values)
        assert mistake.equation in EQUATIONS
        assert "{" not in mistake.says + mistake.fix
    assert {key for key, _, _ in SLIPS.values()} <= set(ROWS)
    assert ("softmax", "cross_entropy") in PROVEN
