"""What the tests of gradcheck share: a small network, seven samples for it, an activation without complex numbers."""

from typing import Any

import numpy as np

import deltarule as dr
from deltarule.nn.arrays import Array

RNG = np.random.default_rng(0)
X, CLASSES = RNG.normal(size=(7, 4)), RNG.integers(3, size=7)
VALUES = RNG.normal(size=(7, 3))


def network_of(hidden: Any = dr.Tanh(), output: dr.Activation = dr.Softmax(), loss: Any = dr.CrossEntropy()) -> Any:
    """4-5-5-3, with biases."""
    network = dr.Network((4, 5, 5, 3), hidden=hidden, output=output, loss=loss, dtype=np.float64)
    network.parameters.vector[:] = np.random.default_rng(1).normal(0.1, 0.5, network.parameters.size)
    return network


class RealOnly(dr.Activation):
    """x / (1 + |x|): np.abs throws the imaginary part away without a word."""

    def value(self, z: Array) -> Array:
        return z / (1.0 + np.abs(z))

    def derivative(self, z: Array, a: Array) -> Array:
        return 1.0 / (1.0 + np.abs(z)) ** 2
