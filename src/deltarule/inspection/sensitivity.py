"""What an answer hangs on: dC/dx, and the smallest change along it that makes the network answer otherwise."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.errors import SettingError
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy
from deltarule.nn.network import Network, backward, forward

LENGTHS = np.geomspace(1e-3, 1e3, 2000)  # of the steps that are tried, each 0.7 % longer than the one before
HALVINGS = 40  # bring the two sides of a boundary as close as float64 can tell


def input_gradient(network: Network, X: Array, y: Array) -> Array:
    """dC_i/dx_i, (n_samples, features): how each input moves the loss of its own example.

    X, y: as for `forward` and `backward`. `backward` stops at delta^0, as training needs no more; BP2 once more, for
    inputs, whose sigma' is 1, gives dC/dx = delta^0 (W^0)^T.

    >>> network = Network((3, 2), rng=0)
    >>> input_gradient(network, np.zeros((1, 3)), np.array([1])).shape
    (1, 3)
    """
    ws = network.workspace(len(X))
    forward(network, X, ws)
    backward(network, y, ws, network.parameters.zeros_like(), divisor=1.0)
    return ws.delta[0] @ network.weights[0].T


@dataclass(frozen=True, eq=False)
class Flip:
    """An example, and what would change the network's mind about it.

    inputs, changed: (features,) float64, as they are and as they would have to be; pixels count from 0 to 1.
    gradient: dC/dx, (features,), where C is the loss, without label smoothing, if the own answer
        is the right one.
    answer, becomes: what it says to the one and to the other. confidence: its output for the answer, before.
    distance: the length of the change, as the network reads it (standardized where the model standardizes).

    becomes, changed, distance: None where no step along the gradient changes the answer.
    """

    inputs: Array
    gradient: Array
    answer: str
    confidence: float
    changed: Array | None = None
    becomes: str | None = None
    distance: float | None = None

    def to_json_dict(self) -> dict[str, Any]:
        """The same in numbers and lists."""
        return {name: each.tolist() if isinstance(each, np.ndarray) else each for name, each in vars(self).items()}


def flip(model: Model, raw: Array) -> Flip:
    """The smallest change along dC/dx that flips the answer to one example, raw (features,), found in float64.

    Pixels stay between 0 and 1. The step is the shortest of those tried, from 0.001 to 1000, refined by bisection.

    Raises SettingError for a regression, whose answers change with every step.
    """
    if model.task == "values":
        raise SettingError("only a class or a label can flip: got a model that answers values")
    network = model.network.astype(np.float64)
    if isinstance(network.loss, CrossEntropy | BinaryCrossEntropy):
        # Smoothed labels would call an answer too sure, and lead away from the boundary.
        network.loss = replace(network.loss, label_smoothing=0.0)
    model = replace(model, network=network)
    inputs = raw / 255.0 if raw.dtype == np.uint8 else raw.astype(np.float64)
    a = model.outputs(inputs.reshape(1, -1))[0]
    answer = _answers(model, inputs.reshape(1, -1))[0]
    y = answer if model.task == "labels" else answer[0]
    gradient = input_gradient(network, model.inputs(inputs.reshape(1, -1)), y[np.newaxis])[0]
    sure = a.max() if model.task == "classes" else np.where(answer == 1, a, 1.0 - a).min()
    before = Flip(inputs, gradient, _in_words(model, answer), sure.item())
    scale = 1.0 if model.input_scaling is None else model.input_scaling.scale
    direction = gradient / max(np.linalg.norm(gradient), np.finfo(np.float64).tiny)

    def candidates(lengths: Array) -> Array:
        stepped = inputs + lengths[:, np.newaxis] * (direction * scale)
        return np.clip(stepped, 0.0, 1.0) if raw.dtype == np.uint8 else stepped

    length = _shortest(lambda lengths: (_answers(model, candidates(lengths)) != answer).any(axis=1))
    if length is None:
        return before
    changed = candidates(np.array([length]))
    distance = np.linalg.norm((changed[0] - inputs) / scale).item()
    return replace(before, changed=changed[0], becomes=_in_words(model, _answers(model, changed)[0]), distance=distance)


def _shortest(flips: Any) -> float | None:
    """The least length for which `flips` (lengths (n,) -> (n,) of bool) is true, None where none of LENGTHS is."""
    flipped = flips(LENGTHS)
    if not flipped.any():
        return None
    first = int(flipped.argmax())
    low, high = (0.0 if first == 0 else LENGTHS[first - 1]), LENGTHS[first]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if flips(np.array([middle]))[0] else (middle, high)
    return float(high)


def _answers(model: Model, inputs: Array) -> Array:
    """What is answered, in whole numbers: (n_samples, 1) classes, or (n_samples, outputs) of 0 and 1."""
    return model.predict(inputs).reshape(len(inputs), -1)


def _in_words(model: Model, answer: Array) -> str:
    if model.task == "classes":
        return model.class_names[answer[0]]
    return ", ".join(
        name if yes else f"not {name}" for name, yes in zip(model.class_names, answer.tolist(), strict=True)
    )
