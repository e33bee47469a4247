"""Penalties for large weights: a term added to the loss, on the weights and never on the biases."""

from dataclasses import field

import numpy as np

from deltarule.nn.arrays import blocks
from deltarule.nn.parameters import Parameters
from deltarule.public import part


@part(frozen=True)
class Penalty:
    """No penalty (its term is 0), and the base class of all penalties.

    strength: the factor of the term, 0 or more. The loss is a mean over samples, so a strength suits every batch size;
        scikit-learn's `alpha` is strength * batch size, Nielsen's lambda is strength * training samples.
    """

    strength: float = 0.0

    def value(self, params: Parameters) -> float:
        """The penalty on these parameters, a Python float."""
        return 0.0

    def add_gradient(self, params: Parameters, grads: Parameters) -> None:
        """Add the derivative of the penalty to the gradient of every weight, in place."""


@part(frozen=True)
class L2(Penalty):
    """(strength / 2) sum w^2: pulls every weight towards 0 in proportion to its size."""

    strength: float = field()  # required, unlike in the base class

    def value(self, params: Parameters) -> float:
        return 0.5 * self.strength * np.dot(params.weight_block, params.weight_block).item()

    def add_gradient(self, params: Parameters, grads: Parameters) -> None:
        for block in blocks(params.weight_block.size):
            grads.weight_block[block] += self.strength * params.weight_block[block]


@part(frozen=True)
class L1(Penalty):
    """strength * sum |w|: pulls every weight towards 0 with the same force, so that many become 0."""

    strength: float = field()

    def value(self, params: Parameters) -> float:
        total = 0.0
        for block in blocks(params.weight_block.size):
            w = params.weight_block[block]
            total += (w * np.sign(w.real)).sum().item()
        return self.strength * total

    def add_gradient(self, params: Parameters, grads: Parameters) -> None:
        for block in blocks(params.weight_block.size):
            grads.weight_block[block] += self.strength * np.sign(params.weight_block[block].real)
