"""Examples: rows to learn from, dense or sparse, with what they should become and how much each counts."""

from collections.abc import Iterator
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

    def count(self, chosen: Array | slice) -> int:
        """How many examples are chosen."""
        return len(range(len(self))[chosen]) if isinstance(chosen, slice) else len(chosen)

    def pieces(self, chosen: Array | slice, most: int) -> Iterator[Array | slice]:
        """The chosen examples, at most so many at a time."""
        if isinstance(chosen, slice):
            begin, end, _ = chosen.indices(len(self))
            yield from (slice(start, min(start + most, end)) for start in range(begin, end, most))
        else:
            yield from (chosen[start : start + most] for start in range(0, len(chosen), most))

    def weight(self, chosen: Array | slice) -> float:
        """The sum of the weights of the chosen examples: their number, where all count the same."""
        return float(self.count(chosen)) if self.weights is None else self.weights[chosen].sum().item()
