"""What is made small: the loss of some examples and its gradient, dense or sparse, as scikit-learn scales them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse

from deltarule.errors import DivergenceError
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.penalties import L2, Penalty
from deltarule.nn.workspace import Workspace
from deltarule.training.divergence import divergence
from deltarule.training.engine import Engine
from deltarule.training.plan import PIECE_ROWS

Rows = Array | slice


@dataclass(frozen=True, eq=False)
class Examples:
    """What an estimator was given, checked.

    inputs: (n_samples, n_features), an array or a CSR matrix, of the network's dtype.
    targets: (n_samples,) int64 classes, or (n_samples, n_outputs) labels or values, as in Dataset.
    weights: (n_samples,) float64, or None where all count the same.
    answers: what a scorer compares predictions with: y as it was given.
    """

    inputs: Any
    targets: Array
    weights: Array | None
    answers: Any

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def take(self, rows: Rows) -> Self:
        """The examples at `rows`: views for a slice, copies for indices."""
        weights = None if self.weights is None else self.weights[rows]
        return type(self)(self.inputs[rows], self.targets[rows], weights, self.answers[rows])

    def dense(self, rows: Rows, ws: Workspace, engine: Engine) -> Array:
        """The inputs at `rows`, dense: a view where that is possible, else in a buffer of the workspace."""
        if issparse(self.inputs):
            inputs = self.inputs[rows]
            return inputs.toarray(out=ws.input_buffer(inputs.shape[0]))
        if isinstance(rows, slice):
            return self.inputs[rows]
        X = ws.input_buffer(len(rows))
        engine.gather(self.inputs, rows, X)
        return X

    def pieces(self, rows: Rows, most: int) -> Iterator[Rows]:
        """The rows, at most so many at a time."""
        begin, end = rows.indices(len(self))[:2] if isinstance(rows, slice) else (0, len(rows))
        for start in range(begin, end, most):
            piece = slice(start, min(start + most, end))
            yield piece if isinstance(rows, slice) else rows[piece]

    def weight(self, rows: Rows) -> float:
        """The sum of the weights at `rows`: their number, where all count the same."""
        n_rows = len(range(len(self))[rows]) if isinstance(rows, slice) else len(rows)
        return float(n_rows) if self.weights is None else self.weights[rows].sum().item()


class Objective:
    """The loss of a network on batches of any size, and its gradient, which is left in `grads`.

    alpha: the penalty is alpha / (2 n) sum w^2, with n the number of a batch's samples, or the sum of their weights.
    dropout_seed: of the neurons that are left out, where the network has any dropout.

    What is descended sums squared errors and cross-entropies over the outputs. The loss that scikit-learn reports
    averages squared errors over them.
    """

    def __init__(self, network: Network, engine: Engine, alpha: float, batch_size: int, dropout_seed: int = 0) -> None:
        self.network, self.engine, self.alpha = network, engine, alpha
        self.grads = network.parameters.zeros_like()
        self.workspace = network.workspace(min(batch_size, PIECE_ROWS))
        self._piece_grads = self.grads if batch_size <= PIECE_ROWS else network.parameters.zeros_like()
        self._rng = np.random.default_rng(dropout_seed) if any(network.dropout) else None
        self._averaged = network.layer_sizes[-1] if network.task == "values" else 1

    def descend(self, examples: Examples, rows: Rows) -> tuple[float, float]:
        """The loss that is descended and the loss that is reported, both with the penalty; the gradient in `grads`."""
        ws, parameters, grads, loss = self.workspace, self.network.parameters, self.grads, 0.0
        divisor = examples.weight(rows)
        for piece in examples.pieces(rows, ws.capacity):
            loss += self._forward(examples, piece, ws, divisor)
            y, weight = examples.targets[piece], None if examples.weights is None else examples.weights[piece]
            self.engine.backward(self.network, y, ws, grads, sample_weight=weight, divisor=divisor)
            if grads is not self.grads:
                whole = self.grads.vector
                whole += grads.vector
            grads = self._piece_grads
        penalty = L2(self.alpha / divisor) if self.alpha else Penalty()
        penalty.add_gradient(parameters, self.grads)
        extra = penalty.value(parameters)
        return loss + extra, loss / self._averaged + extra

    def _forward(self, examples: Examples, rows: Rows, ws: Workspace, divisor: float) -> float:
        """The part of the loss of at most as many rows as the workspace has; their outputs are in it."""
        X = examples.dense(rows, ws, self.engine)
        if ws is self.workspace and self._rng is not None:
            ws.begin(X)
            ws.draw_masks(self._rng)
        self.engine.forward(self.network, X, ws)
        weight = None if examples.weights is None else examples.weights[rows]
        return self.engine.loss_value(self.network, examples.targets[rows], ws, sample_weight=weight, divisor=divisor)

    def evaluate(self, examples: Examples) -> tuple[float, Array]:
        """The loss on examples that are not learned from, as it is reported, and the outputs (n_samples, n_outputs)."""
        network, everything, loss = self.network, slice(0, len(examples)), 0.0
        ws = network.workspace(min(len(examples), PIECE_ROWS))  # in which nothing is dropped
        outputs = np.empty((len(examples), network.layer_sizes[-1]), network.dtype)
        divisor = examples.weight(everything) or 1.0
        for piece in examples.pieces(everything, ws.capacity):
            loss += self._forward(examples, piece, ws, divisor)
            outputs[piece] = ws.a[-1]
        return loss / self._averaged, outputs

    def divergence(self, loss: float, learning_rate: float, step: int, epoch: int) -> DivergenceError:
        """What to raise after a loss that is not a finite number: it names the step and the layer."""
        numbers: dict[str, Any] = {"step": step, "epoch": epoch, "kept": epoch - 1}
        return divergence(self.network, self.workspace, loss=loss, learning_rate=learning_rate, **numbers)
