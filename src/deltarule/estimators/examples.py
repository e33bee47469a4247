"""Examples: rows to learn from, dense or sparse, with what they should become and how much each counts."""

from dataclasses import dataclass
from typing import Any, Self

from scipy.sparse import issparse

from deltarule.nn.arrays import Array
from deltarule.nn.workspace import Workspace
from deltarule.training.engines import Engine


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

    def take(self, indices: Array) -> Self:
        """The examples at `indices`, copied."""
        weights = None if self.weights is None else self.weights[indices]
        return type(self)(self.inputs[indices], self.targets[indices], weights, self.answers[indices])

    def load(self, chosen: Array | slice, ws: Workspace, engine: Engine) -> Array:
        """The inputs of the chosen examples, (chosen, n_features), dense: a view where that is possible."""
        if issparse(self.inputs):
            rows = self.inputs[chosen]
            return rows.toarray(out=ws.input_buffer(rows.shape[0]))
        if isinstance(chosen, slice):
            return self.inputs[chosen]
        X = ws.input_buffer(len(chosen))
        engine.gather(self.inputs, chosen, X)
        return X

    def weight(self, chosen: Array | slice) -> float:
        """The sum of the weights of the chosen examples: their number, where all count the same."""
        if self.weights is not None:
            return self.weights[chosen].sum().item()
        return float(len(range(len(self))[chosen]) if isinstance(chosen, slice) else len(chosen))
