"""Evaluation: the loss and the score of a network on examples that it does not learn from."""

from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.examples import check_data, examples_for
from deltarule.model import Model
from deltarule.native import engine_call
from deltarule.nn.arrays import Array
from deltarule.nn.network import PREDICTION_ROWS, Network, forward, inputs_of, loss_value
from deltarule.public import public
from deltarule.training.engine import NATIVE, REFERENCE, Engine
from deltarule.training.score import Score


@public()
class Evaluation(NamedTuple):
    """What `evaluate` returns: (loss, score)."""

    loss: float
    score: float


@public("evaluate(network, X, y)")
def evaluate(net_or_model: Network | Model, X: Any, y: Any = None, *, engine: Engine = REFERENCE) -> Evaluation:
    """(loss, score) of a network on examples, in large blocks; nothing is dropped, no penalty is added.

    X, y: as for `fit`, or in a Model's own units; or a Dataset, without y.

    Raises ShapeError, DataError or SettingError for what does not fit.
    """
    network, dataset = examples_for(net_or_model, X, y, call="dr.evaluate(network, {})")
    check_data(network, dataset)
    return Evaluation(*loss_and_score(network, dataset, engine))


def loss_and_score(network: Network, dataset: Dataset, engine: Engine = REFERENCE) -> tuple[float, float]:
    """The same for a dataset as the network is trained on it."""
    loss, outputs = loss_and_outputs(network, inputs_of(network, dataset.inputs), dataset.loss_targets, engine)
    score = Score(dataset.task)
    score.add(outputs, dataset.targets)
    return loss, score.value


def loss_and_outputs(
    network: Network, inputs: Any, targets: Array, engine: Engine, sample_weight: Array | None = None
) -> tuple[float, Array]:
    """The mean loss, and a^L, (n_samples, outputs); nothing is dropped.

    inputs: as Plan has them; targets: as in Dataset. sample_weight: (n_samples,), how much each counts.
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
