"""Evaluation: loss and score of a network, and the error for a run that diverged."""

import math
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError, sentence
from deltarule.examples import check_data, examples_for
from deltarule.model import Model
from deltarule.native import engine_call
from deltarule.nn.arrays import Array
from deltarule.nn.network import PREDICTION_ROWS, Network, forward, inputs_of, loss_value
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.public import public
from deltarule.training.engine import NATIVE, REFERENCE, Engine
from deltarule.training.plan import Score

BLOW_UP = 1000.0  # a loss this many times that of epoch 0 (or 1, if that was less) is diverging
LARGE_INPUT = 100.0  # larger inputs are a likelier cause of divergence than the learning rate


@public()
class Evaluation(NamedTuple):
    """The result of `evaluate`: (loss, score)."""

    loss: float
    score: float


@public("evaluate(network, X, y)")
def evaluate(net_or_model: Network | Model, X: Any, y: Any = None, *, engine: Engine = REFERENCE) -> Evaluation:
    """The (loss, score) of a network on examples, without dropout or penalty.

    X, y: as for `fit`; for a Model, in its own units. Or X is a Dataset, and y is left out.

    Raises ShapeError, DataError or SettingError for arguments that do not fit.
    """
    network, dataset = examples_for(net_or_model, X, y, call="dr.evaluate(network, {})")
    check_data(network, dataset)
    return Evaluation(*loss_and_score(network, dataset, engine))


def loss_and_score(network: Network, dataset: Dataset, engine: Engine = REFERENCE) -> tuple[float, float]:
    """The (loss, score) of a network on a dataset in the form that the network reads."""
    loss, outputs = loss_and_outputs(network, inputs_of(network, dataset.inputs), dataset.loss_targets, engine)
    score = Score(dataset.task)
    score.add(outputs, dataset.targets)
    return loss, score.value


def loss_and_outputs(
    network: Network, inputs: Any, targets: Array, engine: Engine, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """The mean loss of a network on samples, and its outputs a^L, (n_samples, outputs), without dropout.

    inputs, targets: as in a Plan. sample_weight: (n_samples,), how much each sample counts.
    """
    if engine.name == NATIVE and isinstance(inputs, np.ndarray) and not engine_call.missing(network):
        return engine_call.evaluate(network, inputs, targets, sample_weight)
    ws = network.workspace(min(len(targets), PREDICTION_ROWS))
    n_samples = len(targets)
    divisor = n_samples if sample_weight is None else sample_weight.sum().item()
    loss, outputs = 0.0, np.empty((n_samples, network.layer_sizes[-1]), network.dtype)
    for start in range(0, n_samples, PREDICTION_ROWS):
        rows = slice(start, start + PREDICTION_ROWS)
        outputs[rows] = forward(network, inputs[rows], ws)
        weight = None if sample_weight is None else sample_weight[rows]
        loss += loss_value(network, targets[rows], ws, sample_weight=weight, divisor=divisor)
    return loss, outputs


def are_finite(parameters: Parameters) -> bool:
    """Whether all parameters are finite, by their sum. It checks an epoch's last step, which no further loss checks."""
    return math.isfinite(parameters.vector.sum())


def divergence(
    network: Network, ws: Workspace, rates: tuple[float, float], *, strength: float = 0.0, **where: float
) -> DivergenceError:
    """The error for a step that diverged: it names the step, the first layer affected, and the likely cause.

    ws: the arrays of that step's batch in each layer. rates: the learning rate that the user set, and the schedule's
        rate in the step before, which caused the divergence. strength: that of an L2 penalty.
    where: the loss, step and epoch, and as `kept` the epoch whose parameters the network keeps.
    """
    layers = zip(ws.z, network.weights, network.biases, strict=True)
    broken = (l for l, layer in enumerate(layers) if not all(np.isfinite(array).all() for array in layer))
    reached = [np.abs(z).max() for z in ws.z]
    first = next(broken, int(np.argmax(reached)))
    largest = float(np.abs(ws.inputs[0]).max())
    if largest > LARGE_INPUT:
        key = "large_inputs"
    elif (
        strength > 0.1 and rates[0] * strength >= 2.0
    ):  # then each step of plain gradient descent turns the weights round
        key = "strong_penalty"
    elif where["step"] > 0:
        key = "high_rate"
    else:
        key = "far_target" if np.max([*reached, np.abs(ws.a[-1]).max()]) <= BLOW_UP else "large_weights"
    lower = rates[0] / 10
    while lower > rates[1] > 0.0:  # a rate that a warm-up has reached is already too high
        lower /= 10
    cause = sentence(f"divergence.{key}", largest=largest, rate=rates[0], lower=lower, strength=strength)
    return DivergenceError(sentence("divergence.loss", first=first, cause=cause, **where))
