"""Evaluation: the loss and the score of a network on examples that it does not learn from."""

from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.examples import check_data, examples_for
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import PREDICTION_ROWS, Network, inputs_of
from deltarule.nn.workspace import Workspace
from deltarule.public import public
from deltarule.training.engine import REFERENCE, Engine
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
    idle: list[Workspace] = []
    inputs = inputs_of(network, dataset.inputs)

    def answer(start: int) -> tuple[float, Array]:
        """A block's part of the loss, and the outputs."""
        ws = idle.pop() if idle else network.workspace(min(dataset.n_samples, PREDICTION_ROWS))
        y = dataset.targets[start : start + PREDICTION_ROWS]
        X = ws.input_buffer(len(y))
        engine.gather(inputs, np.arange(start, start + len(y)), X)
        a = engine.forward(network, X, ws).copy()
        loss = engine.loss_value(network, y, ws, divisor=dataset.n_samples)
        idle.append(ws)
        return loss, a

    score, loss = Score(dataset.task), 0.0
    starts = range(0, dataset.n_samples, PREDICTION_ROWS)
    for start, (part, a) in zip(starts, engine.each(answer, starts), strict=True):
        loss += part
        score.add(a, dataset.targets[start : start + PREDICTION_ROWS])
    return loss, score.value
