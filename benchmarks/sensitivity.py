"""What an answer hangs on: dC/dx, and the smallest change along it that makes the network answer otherwise.

python benchmarks/sensitivity.py
python benchmarks/sensitivity.py model.safetensors --data digits
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np

from deltarule.data.catalog import load as load_data
from deltarule.errors import SettingError
from deltarule.files.model_file import PRETRAINED, load
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy
from deltarule.nn.network import Network, backward, forward
from deltarule.nn.workspace import as_floats

LENGTHS = np.geomspace(1e-3, 1e3, 2000)  # of the steps that are tried, each 0.7 % longer than the one before
HALVINGS = 40  # bring the two sides of a boundary as close as float64 can tell


def input_gradient(network: Network, X: Array, y: Array) -> Array:
    """dC_i/dx_i = delta^0 (W^0)^T, (n_samples, features): how each input moves the loss of its own example.

    X, y: as for `forward` and `backward`. It is BP2 once more, for inputs, whose sigma' is 1.

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
    """An example, and the change to it that changes the answer.

    inputs, changed: (features,) float64, before and after; pixels count from 0 to 1. answer, becomes: the two answers.
    gradient: dC/dx, (features,), x as the network reads it, C the loss if the answer is taken for the right one
        (labels not smoothed).
    confidence: the output for the answer, before the change; with several labels, the least.
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


def flip(model: Model, raw: Array) -> Flip:
    """The smallest change along dC/dx that flips the answer to one example, raw (features,), found in float64.

    Pixels stay between 0 and 1. The step is the shortest of those tried, from 0.001 to 1000, then bisected.

    Raises SettingError for a regression, whose answers change with every step.
    """
    if model.task == "values":
        raise SettingError("only a class or a label can flip: got a model that answers values")
    inputs = as_floats(model.unscaled(raw[np.newaxis])[0], np.float64)
    model = replace(model.of_numbers(), network=model.network.astype(np.float64))
    if isinstance(model.network.loss, CrossEntropy | BinaryCrossEntropy):  # smoothed labels call an answer too sure
        model.network.loss = replace(model.network.loss, label_smoothing=0.0)
    answer = _answers(model, inputs[np.newaxis])[0]
    scaled, target = model.inputs(inputs[np.newaxis]), answer if model.task == "classes" else answer[np.newaxis]
    outputs, gradient = model.inner.outputs(scaled)[0], input_gradient(model.inner, scaled, target)[0]
    confidence = outputs.max() if model.task == "classes" else np.where(answer == 1, outputs, 1.0 - outputs).min()
    scale = 1.0 if model.input_scaling is None else model.input_scaling.scale
    direction = gradient / max(np.linalg.norm(gradient), np.finfo(np.float64).tiny) * scale

    def change(lengths: Array) -> Array:
        changed = inputs + lengths[:, np.newaxis] * direction
        return np.clip(changed, 0.0, 1.0) if model.pixels else changed

    def flips(lengths: Array) -> Array:
        return (_answers(model, change(lengths)) != answer).any(axis=1)

    before, flipped = Flip(inputs, gradient, _answer_text(model, answer), confidence.item()), flips(LENGTHS)
    if not flipped.any():
        return before
    first = int(flipped.argmax())
    low, high = (0.0 if first == 0 else LENGTHS[first - 1]), LENGTHS[first]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if flips(np.array([middle]))[0] else (middle, high)
    changed = change(np.array([high]))
    becomes = _answer_text(model, _answers(model, changed)[0])
    distance = np.linalg.norm((changed[0] - inputs) / scale).item()
    return replace(before, changed=changed[0], becomes=becomes, distance=distance)


def _answers(model: Model, inputs: Array) -> Array:
    """What is answered, in whole numbers: (n_samples, 1) classes, or (n_samples, outputs) of 0 and 1."""
    return model.predict(inputs).reshape(len(inputs), -1)


def _answer_text(model: Model, answer: Array) -> str:
    if model.task == "classes":
        return model.class_names[answer[0]]
    pairs = zip(model.class_names, answer.tolist(), strict=True)
    return ", ".join(name if yes else f"not {name}" for name, yes in pairs)


def main() -> None:
    """Print what would change the answers to the first test examples, and how large a change that is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=PRETRAINED, help="a model (the one that comes along)")
    parser.add_argument("--data", default="digits", metavar="NAME", help="whose test examples (digits)")
    given = parser.parse_args()
    model, data = load(given.model), load_data(given.data, offline=True).test
    for raw in data.inputs[:10]:
        found = flip(model, raw)
        end = "stays" if found.becomes is None else f"becomes {found.becomes}, changed by {found.distance:.3g}"
        print(f"{found.answer} ({100 * found.confidence:.1f} %) {end}")


if __name__ == "__main__":
    main()
