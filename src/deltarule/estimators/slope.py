"""Slope: the loss of a batch and its gradient, with dropout, and with alpha as scikit-learn scales it."""

import numpy as np

from deltarule.errors import DivergenceError
from deltarule.estimators.examples import Examples
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.penalties import L2, Penalty
from deltarule.settings import Task
from deltarule.training.callbacks import History
from deltarule.training.checks import Broken, explain_divergence
from deltarule.training.engines import Engine
from deltarule.training.trainer import PIECE_ROWS


class Slope:
    """Forward and backward through a network, for batches of any size.

    network: whose parameters are read. grads: where the gradient is left.
    alpha: the penalty is alpha / (2 n) sum w^2, with n the number of a batch's samples, or the sum of their weights.
    dropout_seed: of the neurons that are left out, where the network has any dropout.

    The data's part of a loss is reported as scikit-learn reports it: squared errors are averaged over the outputs,
    cross-entropies are summed over them. What is descended is always the sum.
    """

    def __init__(self, network: Network, engine: Engine, alpha: float, batch_size: int, dropout_seed: int = 0) -> None:
        self.network, self.engine, self.alpha = network, engine, alpha
        self.grads = network.parameters.zeros_like()
        self.workspace = network.workspace(min(batch_size, PIECE_ROWS))
        self._piece_grads = self.grads if batch_size <= PIECE_ROWS else network.parameters.zeros_like()
        self._rng = np.random.default_rng(dropout_seed) if any(network.dropout) else None

    def descend(self, examples: Examples, chosen: Array | slice, task: Task) -> tuple[float, float]:
        """The loss that is descended and the loss that is reported, both with the penalty; the gradient in `grads`."""
        divisor = examples.weight(chosen)
        loss = self._data_part(examples, chosen, divisor)
        penalty = L2(self.alpha / divisor) if self.alpha else Penalty()
        penalty.add_gradient(self.network.parameters, self.grads)
        extra = penalty.value(self.network.parameters)
        return loss + extra, reported(loss, self.network, task) + extra

    def _data_part(self, examples: Examples, chosen: Array | slice, divisor: float) -> float:
        network, ws, engine = self.network, self.workspace, self.engine
        grads, total = self.grads, 0.0
        for piece in examples.pieces(chosen, ws.capacity):
            y, weight = examples.targets[piece], None if examples.weights is None else examples.weights[piece]
            X = examples.load(piece, ws, engine)
            if self._rng is not None:
                ws.begin(X)
                ws.draw_masks(self._rng)
            engine.forward(network, X, ws)
            total += engine.loss_value(network, y, ws, sample_weight=weight, divisor=divisor)
            engine.backward(network, y, ws, grads, sample_weight=weight, divisor=divisor)
            if grads is not self.grads:
                whole = self.grads.vector
                whole += grads.vector
            grads = self._piece_grads
        return total

    def divergence(self, loss: float, learning_rate: float, step: int, epoch: int) -> DivergenceError:
        """What to raise after a loss that is no finite number: it names the step and the layer."""
        kept = History(best_epoch=epoch - 1)
        broken = Broken(self.network, self.workspace, kept, epoch, step, loss, learning_rate)
        return DivergenceError(explain_divergence(broken))


def reported(loss: float, network: Network, task: Task) -> float:
    """A loss without penalty as scikit-learn scales it: squared errors are averaged over the outputs."""
    return loss / network.layer_sizes[-1] if task == "values" else loss


def mean_loss(network: Network, examples: Examples, engine: Engine, task: Task) -> tuple[float, Array]:
    """The loss on examples that are not learned from, as it is reported, and the outputs, (n_samples, n_outputs)."""
    ws, n_samples = network.workspace(min(len(examples), PIECE_ROWS)), len(examples)
    outputs = np.empty((n_samples, network.layer_sizes[-1]), network.dtype)
    divisor, total = examples.weight(slice(None)) or 1.0, 0.0
    for piece in examples.pieces(slice(None), ws.capacity):
        outputs[piece] = engine.forward(network, examples.load(piece, ws, engine), ws)
        weight = None if examples.weights is None else examples.weights[piece]
        total += engine.loss_value(network, examples.targets[piece], ws, sample_weight=weight, divisor=divisor)
    return reported(total, network, task), outputs
