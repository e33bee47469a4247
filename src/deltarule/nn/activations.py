"""sigma and sigma', side by side.

Each activation has two formulas: `value(z)` = sigma(z), and `derivative(z, a)` = sigma'(z), which may use
a = sigma(z) where that is shorter. `forward` and `backward` apply them to a whole batch. All formulas accept float32,
float64 and complex128; for complex z they branch on the real part, so that the complex step can differentiate them.

In NumPy and in C, values and derivatives are accurate to a few units in the last place, for very large and very small z
too, down to the smallest normal number. So no result is computed as the difference of two nearly equal numbers: in
float32, 1 - a is 0 from z = 17 on, although a sigmoid's derivative there is 4e-8.
"""

from dataclasses import field

import numpy as np

from deltarule.nn.arrays import Array, blocks
from deltarule.nn.initializers import Initializer, glorot_uniform, he_normal, zeros
from deltarule.parts import resolve
from deltarule.public import part
from deltarule.settings import check_settings

SILU_FLAT, SILU_FLAT_REST = -1.2784645427610737, -1.0946994183093437e-16  # their sum: where SiLU's derivative is 0
infinity_is_meant = np.errstate(over="ignore")  # where e^z overflows, 1 / (1 + e^z) is 0, as it should be


@part(frozen=True)
class Activation:
    """An activation: a neuron's output for its weighted input z. To write your own, define `value` and `derivative`.

    initializer, bias_initializer: draw the first weights and biases of its layer: a function, or a name ("he_normal").

    >>> class Sine(Activation):
    ...     def value(self, z):
    ...         return np.sin(z)
    ...     def derivative(self, z, a):
    ...         return np.cos(z)
    """

    initializer: Initializer = glorot_uniform
    bias_initializer: Initializer = field(default=zeros, kw_only=True)

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ("initializer", "bias_initializer"):
            start = resolve("initializer", getattr(self, name), f"{name} of {type(self).__name__}")
            object.__setattr__(self, name, start)

    def value(self, z: Array) -> Array:
        """sigma(z) for z (batch, fan_out), as a new array of the same shape and dtype."""
        raise TypeError(f"{type(self).__name__} must define value(z)")

    def derivative(self, z: Array, a: Array) -> Array:
        """sigma'(z) as a new array, given z and a = sigma(z); all three are (batch, fan_out)."""
        raise TypeError(f"{type(self).__name__} must define derivative(z, a)")

    def forward(self, z: Array, out: Array) -> None:
        """Write sigma(z) into `out`. Both arrays are (batch, fan_out); `out` may be `z` itself."""
        for rows in blocks(*z.shape):
            out[rows] = self.value(z[rows])

    def backward(self, delta: Array, z: Array, a: Array) -> None:
        """Multiply delta by sigma'(z) in place, from dC/da to dC/dz; delta, z and a = sigma(z) are (batch, fan_out)."""
        for rows in blocks(*z.shape):
            block = delta[rows]  # delta[rows] *= ... would copy the product once more
            block *= self.derivative(z[rows], a[rows])


@part(frozen=True)
class Identity(Activation):
    """sigma(z) = z, for the output of a regression. On all hidden layers it makes even a deep network linear."""

    def value(self, z: Array) -> Array:
        return z

    def derivative(self, z: Array, a: Array) -> Array:
        return np.ones_like(z)


@part(frozen=True)
class Sigmoid(Activation):
    """sigma(z) = 1 / (1 + e^-z), between 0 and 1."""

    @infinity_is_meant
    def value(self, z: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-z))

    @infinity_is_meant
    def derivative(self, z: Array, a: Array) -> Array:
        """a (1 - a) = sigma(z) sigma(-z) = a / (1 + e^z)."""
        return a / (1.0 + np.exp(z))


@part(frozen=True)
class Tanh(Activation):
    """sigma(z) = tanh(z), between -1 and 1: the sigmoid, stretched and centered on 0."""

    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def derivative(self, z: Array, a: Array) -> Array:
        """1 - a^2 = 4 e / (1 + e)^2, where e = exp(-2 |z|)."""
        e = np.exp(2.0 * np.minimum(z, -z))  # NumPy orders complex numbers by their real part first
        return 4.0 * e / np.square(1.0 + e)


@part(frozen=True)
class ReLU(Activation):
    """sigma(z) = max(z, 0). The derivative at the kink, z = 0, is taken as 0 (as PyTorch, Keras and JAX do)."""

    initializer: Initializer = he_normal

    def value(self, z: Array) -> Array:
        return np.maximum(z, 0.0)

    def derivative(self, z: Array, a: Array) -> Array:
        return z.real > 0.0


@part(frozen=True)
class LeakyReLU(Activation):
    """sigma(z) = z where z > 0, else slope * z: a ReLU whose units cannot die (Maas et al. 2013)."""

    slope: float = 0.01
    initializer: Initializer = field(default=he_normal, kw_only=True)

    def value(self, z: Array) -> Array:
        return np.where(z.real > 0.0, z, self.slope * z)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z.real > 0.0, z.dtype.type(1.0), self.slope)


@part(frozen=True)
class ELU(Activation):
    """sigma(z) = z where z > 0, else alpha * (e^z - 1) (Clevert et al. 2016)."""

    alpha: float = 1.0
    initializer: Initializer = field(default=he_normal, kw_only=True)

    def value(self, z: Array) -> Array:
        return np.where(z.real > 0.0, z, self.alpha * np.expm1(np.where(z.real > 0.0, 0.0, z)))

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z.real > 0.0, z.dtype.type(1.0), self.alpha * np.exp(np.minimum(z, -z)))


@part(frozen=True)
class SiLU(Activation):
    """sigma(z) = z * s(z) with the sigmoid s; also called swish (Elfwing et al. 2018)."""

    initializer: Initializer = he_normal

    @infinity_is_meant
    def value(self, z: Array) -> Array:
        return z / (1.0 + np.exp(-z))

    @infinity_is_meant
    def derivative(self, z: Array, a: Array) -> Array:
        """sigma'(z) = s + a (1 - s): for z <= 0 that is s (1 - s) (1 + z + e^z), and sigma'(-z) = 1 - sigma'(z).

        Near z0, the root of 1 + z + e^z, this sum loses its digits; its equal t + e^z0 (e^t - 1), t = z - z0, does not.
        """
        t, near = np.minimum(z, -z), z.real.dtype.type(SILU_FLAT)
        t = t - near - (SILU_FLAT - float(near) + SILU_FLAT_REST)
        t -= (1.0 + SILU_FLAT) * np.expm1(t)
        s = 1.0 / (1.0 + np.exp(np.maximum(z, -z)))
        t *= s
        t *= 1.0 - s
        return np.subtract(1.0, t, out=t, where=z.real > 0.0)


@part(frozen=True)
class Exp(Activation):
    """sigma(z) = e^z, above 0: for the output of a regression on counts and rates, with the loss Poisson."""

    @infinity_is_meant
    def value(self, z: Array) -> Array:
        return np.exp(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return a


@part(frozen=True)
class Softmax(Activation):
    """sigma(z)_j = e^(z_j) / sum_k e^(z_k): the outputs of the layer are positive and sum to 1, as probabilities do.

    Every output depends on every z of the layer, so sigma' is a matrix, the Jacobian
    d a_j / d z_k = a_j (1[j = k] - a_k), and BP1 multiplies dC/da by this matrix instead of by a number.
    """

    def value(self, z: Array) -> Array:
        e = np.exp(z - z.real.max(axis=1, keepdims=True))  # the largest exponent is 0: no overflow, same quotient
        return e / e.sum(axis=1, keepdims=True)

    def derivative(self, z: Array, a: Array) -> Array:
        """The Jacobian d a_j / d z_k of each sample, (batch, fan_out, fan_out)."""
        return a[:, :, None] * (np.eye(a.shape[1], dtype=a.dtype) - a[:, None, :])

    def backward(self, delta: Array, z: Array, a: Array) -> None:
        """Change delta in place from dC/da to dC/dz: delta_k becomes a_k (delta_k - sum_j delta_j a_j)."""
        for rows in blocks(*z.shape):
            delta[rows] -= (delta[rows] * a[rows]).sum(axis=1, keepdims=True)
            delta[rows] *= a[rows]
