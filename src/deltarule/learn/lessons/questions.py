"""The questions to a learner's functions: random inputs, and the right results, which deltarule computes.

All arrays are drawn at once, by name; a step's TOML file names a function's arguments and the right result. Sizes are
different primes, so that a shape identifies an array; activation functions are drawn as well.
"""

import re
from typing import Any, NamedTuple

import numpy as np

from deltarule.learn.lessons.child import PRIMES, Other, Special
from deltarule.learn.lessons.exercises import Exercise
from deltarule.nn.activations import ReLU, Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.losses import CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, backward, forward
from deltarule.nn.optimizers import SGD, Adam, Momentum
from deltarule.nn.parameters import Parameters

PRIME_SIZES = (3, 5, 7, 11, 13)
N_MIXED = 17  # so many samples that two epochs hardly ever have the same order
ACTIVATIONS = ("sigmoid", "tanh", "silu")  # of a drawn network, one for each layer
Generator = np.random.Generator
Drawn = dict[str, Any]


class Ask(NamedTuple):
    """A call of a learner's function, and the right result. Where that is a list, a returned tuple counts as one."""

    function: str
    arguments: list[Any]
    expected: Any


def asks_of(step: Exercise, drawn: Drawn) -> list[Ask]:
    """The questions of a step, with the values of their names from `drawn`, the result of `draw_all`."""

    def value(name: Any) -> Any:
        if isinstance(name, list):
            return [value(each) for each in name]
        word, *index = re.findall(r"-?\w+", name.removesuffix(".T"))  # "W[0]" is item 0 of W, "X.T" is X transposed
        found = drawn[word][int(index[0])] if index else drawn[word]
        return found.T.copy() if name.endswith(".T") else found

    return [Ask(ask["function"], value(ask["given"]), value(ask.get("right", []))) for ask in step.asks]


def draw_all(rng: Generator) -> Drawn:
    """Inputs and right results, by the names that the TOML files use."""
    sizes = [int(size) for size in rng.permutation(PRIME_SIZES)]
    rate = float(rng.uniform(0.2, 0.9))
    return draw_network(rng, sizes, rate) | draw_functions(rng, sizes) | draw_batches(rng) | draw_steps(rng, rate)


def draw_network(rng: Generator, sizes: list[int], rate: float) -> dict[str, Any]:
    """The arrays of a network with three layers: of a pass forward and back in squared error, and of a training step.

    "_mixed" marks the parameters after some epochs, each with batches in a new order, at a tenth of the rate: after
    many large steps the result depends on the last digits, which differ between programs.
    """
    names = [str(name) for name in rng.permutation(ACTIVATIONS)]
    start = rng.normal(0.0, 1.0, Parameters(sizes[1:]).size)
    inputs, targets = rng.normal(0.0, 1.0, sizes[:2]), rng.uniform(0.0, 1.0, (sizes[0], sizes[-1]))
    n_rows, epochs, seed = (int(rng.integers(low, high)) for low, high in ((3, 5), (2, 4), (1, 10**6)))
    mixed = [rng.normal(0.0, 1.0, (N_MIXED, sizes[1])), rng.uniform(0.0, 1.0, (N_MIXED, sizes[-1]))]
    shuffler = np.random.default_rng(seed)
    orders = [np.array_split(shuffler.permutation(N_MIXED), range(n_rows, N_MIXED, n_rows)) for _ in range(epochs)]
    drawn: dict[str, Any] = {"X": inputs, "t": targets, "X_mixed": mixed[0], "t_mixed": mixed[1], "rate": rate}
    drawn |= {"rate_mixed": rate / 10, "n_rows": n_rows, "epochs": epochs, "many": 784}
    drawn |= {"f": [Special("function", name) for name in names], "prime": [Special("prime", name) for name in names]}
    drawn |= {"rng": Special("rng", [seed, 0]), "rng_again": Special("rng", [seed, 1])}
    for word, rows, data, step in (
        ("", [slice(None)], [inputs, targets], rate),
        ("_mixed", [rows for order in orders for rows in order], mixed, rate / 10),
    ):
        kinds: dict[str, Any] = {"hidden": names[:-1], "output": names[-1], "loss": "quadratic", "task": "values"}
        network = Network(sizes[1:], **kinds, dtype=np.float64)
        network.parameters.vector[:] = start
        first = descend(network, data, rows, step)
        drawn |= first if not word else {}
        drawn |= {f"W{word or '_next'}": list(network.weights), f"b{word or '_next'}": list(network.biases)}
    slope = PRIMES[names[0]](drawn["z"][-1])  # with another layer's slope: a fixed one fails
    drawn["delta_other"] = Quadratic().gradient(drawn["a"][-1], targets) * slope
    return drawn | draw_columns(rng, drawn)


def descend(network: Network, data: list[Array], steps: list[Any], rate: float) -> dict[str, Any]:
    """Take a step of gradient descent on each batch of rows (`steps`); return the arrays of the first step by name."""
    first, grads = dict[str, Any](), network.parameters.zeros_like()
    for rows in steps:
        ws = network.workspace(len(data[0][rows]))
        forward(network, data[0][rows], ws)
        backward(network, data[1][rows], ws, grads)
        if not first:
            before, gradient = network.parameters.copy(), grads.copy()
            first = {"z": ws.z, "a": ws.a, "delta": ws.delta, "W": list(before.weights), "b": list(before.biases)}
            first |= {"dW": list(gradient.weights), "db": list(gradient.biases)}
        SGD().step(network.parameters, grads, rate)
    return first


def draw_columns(rng: Generator, drawn: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a drawn network for samples in columns, and further inputs for the broken networks."""
    columns = {
        name: [array for W, b in zip(drawn[weights], drawn[biases], strict=True) for array in (W.T.copy(), b[:, None])]
        for name, weights, biases in (("parameters", "W", "b"), ("gradients", "dW", "db"))
    }
    passed = [each.T.copy() for pair in zip(drawn["z"], drawn["a"], strict=True) for each in pair]
    t_middle = rng.uniform(0.0, 1.0, drawn["a"][1].shape)
    return columns | {"passed": passed, "t_middle": t_middle, "pixels": rng.integers(256, size=(5, 7))}


def draw_functions(rng: Generator, sizes: list[int]) -> dict[str, Any]:
    """Inputs and right results for activations, softmax, labels and losses. No input is 0, where relu has a kink."""
    shape, labels = tuple(sizes[:2]), rng.integers(sizes[1] - 1, size=sizes[0])
    steep, scores = 3.0 * rng.normal(0.0, 1.0, shape), rng.normal(0.0, 1.0, shape)
    steep[0, :2], labels[:2] = (20.0, -20.0), (0, 1)  # two classes at least, and never the last
    far = scores + np.resize([rng.uniform(900, 1100), -rng.uniform(900, 1100)], (shape[0], 1))
    outputs, one_hot = rng.uniform(0.0, 1.0, shape), Loss().targets(scores, labels)
    sigmoid, softmax, surely = Sigmoid().value(steep), Softmax().value(scores), Softmax().value(scores)
    surely[0, -1], surely[1, 1] = 0.0, 1e-20  # the probabilities of a wrong class, and of a right one
    drawn = {"steep": steep, "scores": scores, "far": far, "outputs": outputs, "surely": surely}
    drawn |= {"y": labels, "n_classes": sizes[1], "one_hot": one_hot}
    drawn |= {"sigmoid": sigmoid, "sigmoid_prime": Sigmoid().derivative(steep, sigmoid)}
    drawn |= {"relu": ReLU().value(steep), "relu_prime": ReLU().derivative(steep, steep).astype(np.float64)}
    drawn |= {"softmax": softmax, "softmax_far": Softmax().value(far)}
    drawn |= {"softmax_error": CrossEntropy().shortcut(surely, one_hot)}
    drawn |= {"squared_error": Quadratic().value(outputs, one_hot)}
    drawn |= {"cross_entropy": CrossEntropy().value(surely, one_hot)}
    return drawn | {"cross_entropy_of_softmax": CrossEntropy().value(softmax, one_hot)}


def draw_batches(rng: Generator) -> dict[str, Any]:
    """A number of samples, a batch size, the batches of an unshuffled epoch, and two generators with the same seed."""
    size, n_full, seed = (int(rng.integers(low, high)) for low, high in ((3, 6), (5, 9), (1, 10**6)))
    n_samples = size * n_full + int(rng.integers(1, size))
    epoch = [np.arange(size)] * n_full + [np.arange(n_samples % size)]
    streams = {f"stream_{stream}": Special("rng", [seed, stream]) for stream in (1, 2)}
    return {"n_samples": n_samples, "batch_size": size, "epoch": epoch} | streams


def draw_steps(rng: Generator, rate: float) -> dict[str, Any]:
    """Inputs and right results for a step with momentum, and two with Adam: the first, and a later one."""
    point, gradient, velocity = (rng.normal(0.0, 1.0, 5) for _ in range(3))
    keep, beta_1, beta_2, epsilon = (
        float(rng.uniform(*pair)) for pair in ((0.5, 0.9), (0.7, 0.8), (0.9, 0.99), (0.01, 0.1))
    )
    drawn: dict[str, Any] = {"point": point, "gradient": gradient, "velocity": velocity, "keep": keep}
    rolled = point.copy(), velocity.copy()
    Momentum(momentum=keep).update(rolled[0], gradient, rate, rolled[1])
    drawn |= {"rolled": list(rolled), "betas": [beta_1, beta_2, epsilon], "numbers": [1, int(rng.integers(3, 30))]}
    for word, number, share in (("first", 1, 0.0), ("later", drawn["numbers"][1], 1.0)):
        averages = [share * velocity, share * np.abs(velocity)]
        adam = Adam(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        adam.steps = number
        moved = [point.copy(), *(each.copy() for each in averages)]
        adam.update(moved[0], gradient, rate, *moved[1:])
        drawn |= {f"averages_{word}": averages, f"moved_{word}": moved}
    return drawn


def batch_facts(values: list[Any], questions: list[Ask]) -> dict[str, Any]:
    """Facts about the batches of three epochs, such as has_each_once, in order of importance.

    values: the learner's batches. The second epoch continues with the first one's generator; the third has a new one.
    """
    n_samples, size = questions[0].arguments[:2]
    epochs: list[list[Array]] = []
    for value in values:
        rows = value if isinstance(value, list) else [value]
        arrays = [np.asarray([]) if isinstance(row, Other | Special) else np.asarray(row) for row in rows]
        if any(each.ndim != 1 or each.dtype.kind not in "iu" for each in arrays):
            return {"are_index_arrays": False}
        epochs.append(arrays)
    orders = [np.concatenate([np.arange(0), *arrays]) for arrays in epochs]
    sizes = [size] * (n_samples // size) + [n_samples % size]
    return {
        "are_index_arrays": True,
        "has_every_sample": all(set(order.tolist()) == set(range(n_samples)) for order in orders),
        "has_each_once": all(len(set(order.tolist())) == len(order) for order in orders),
        "has_sizes": all([len(each) for each in arrays] == sizes for arrays in epochs),
        "is_shuffled": not any(np.array_equal(order, np.sort(order)) for order in orders),
        "mixes_neighbors": not all((np.diff(each) == 1).all() for each in epochs[0]),
        "differs_by_epoch": not np.array_equal(orders[0], orders[1]),
        "is_repeatable": np.array_equal(orders[0], orders[2]),
        "sizes": [len(each) for each in epochs[0]],
    }


def start_facts(values: list[Any], questions: list[Ask]) -> dict[str, Any]:
    """Facts about a learner's initial weights W1, b1, W2, b2: their shapes, and whether W1 is around 0 and narrow."""
    n_inputs, n_hidden, n_outputs = questions[0].arguments[:3]
    shapes = [(n_inputs, n_hidden), (n_hidden,), (n_hidden, n_outputs), (n_outputs,)]
    arrays = [np.asarray(each) for each in values[0]] if isinstance(values[0], list | tuple) else []
    if [each.shape for each in arrays] != shapes or not all(np.isfinite(each).all() for each in arrays):
        return {"has_shapes": False}
    W = arrays[0]
    return {"has_shapes": True, "is_around_0": abs(W.mean()) < W.std(), "is_narrow": 0.0 < W.std() < 4 / n_inputs**0.5}


VIEWS = {"batches": batch_facts, "start": start_facts}  # facts to compare instead of the results
