"""Initial weights: functions of (rng, fan_in, fan_out) that return a new (fan_in, fan_out) array, float64.

Weights that start too large saturate sigmoids; if they start too small, the signal fades from layer to layer. The right
scale keeps the variance of z (forward) or of delta (backward) the same from layer to layer.
"""

import math
from collections.abc import Callable

import numpy as np

from deltarule.nn.arrays import Array
from deltarule.public import public

Initializer = Callable[[np.random.Generator, int, int], Array]


@public()
def he_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """N(0, 2 / fan_in): for ReLUs and their like, which set about half of the z to 0 (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


@public()
def glorot_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """U(-r, r) with r = sqrt(6 / (fan_in + fan_out)): for sigmoid, tanh, softmax (Glorot & Bengio 2010, eq. 16)."""
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


@public()
def lecun_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """N(0, 1 / fan_in): gives z the variance of the inputs (LeCun et al. 1998, "Efficient BackProp", eq. 16)."""
    return rng.normal(0.0, math.sqrt(1.0 / fan_in), (fan_in, fan_out))


@public()
def standard_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """N(0, 1), whatever the fan-in, as in Nielsen's network.py. With 784 inputs most sigmoids start saturated."""
    return rng.standard_normal((fan_in, fan_out))


@public()
def uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """U[0, 1), all positive, as in many first programs. With 784 inputs every sigmoid starts saturated."""
    return rng.random((fan_in, fan_out))


@public()
def zeros(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """All zeros: right for biases, wrong for weights (equal neurons would stay equal forever)."""
    return np.zeros((fan_in, fan_out))
