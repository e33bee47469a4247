"""sigma and sigma' of a whole layer, each in one pass with what stands next to it: the bias, the bias's gradient.

Inside kernels an activation is a code and a setting (a slope, an alpha, or 0), as `parts.kernel_values` has them.
"""

from math import exp
from typing import Any

from deltarule.compiled.kernels import exponential, hyperbolic_tangent, kernel, number

IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SILU, EXP, SOFTMAX = range(9)


@kernel
def sigmoid(z: Any, one: Any) -> Any:
    """1 / (1 + e^-z), from e^-|z|; `one` is 1 in the dtype of z."""
    e = exponential(-abs(z))
    return (e if z < -z else one) / (one + e)


@kernel
def sigmoid_slope(z: Any, one: Any) -> Any:
    """Its derivative, e / (1 + e)^2 with e = e^-|z|."""
    e = exponential(-abs(z))
    return e / ((one + e) * (one + e))


@kernel
def exponential_minus_1(z: Any, one: Any) -> Any:
    """e^z - 1 for z <= 0, as 2 t / (1 - t) with t = tanh(z / 2), which keeps its digits near 0."""
    t = hyperbolic_tangent(z / (one + one))
    return (t + t) / (one - t)


@kernel
def activate(z: Any, b: Any, code: int, setting: float, a: Any) -> None:
    """z += b; a = sigma(z). z, a: (batch, fan_out), which may be one array; b: (fan_out,)."""
    one, zero, c = number(1.0, z), number(0.0, z), number(setting, z)
    for i in range(z.shape[0]):
        row, out = z[i], a[i]
        for j in range(row.shape[0]):
            row[j] += b[j]
        if code == RELU:
            for j in range(row.shape[0]):
                out[j] = row[j] if not row[j] <= zero else zero
        elif code == SIGMOID:
            for j in range(row.shape[0]):
                out[j] = sigmoid(row[j], one)
        elif code == TANH:
            for j in range(row.shape[0]):
                out[j] = hyperbolic_tangent(row[j])
        elif code == LEAKY_RELU:
            for j in range(row.shape[0]):
                out[j] = row[j] if row[j] > zero else c * row[j]
        elif code == ELU:
            for j in range(row.shape[0]):
                out[j] = row[j] if row[j] > zero else c * exponential_minus_1(row[j], one)
        elif code == SILU:
            for j in range(row.shape[0]):
                out[j] = row[j] * sigmoid(row[j], one)
        elif code == EXP:
            for j in range(row.shape[0]):
                out[j] = exp(row[j])  # `exponential` ends at e^88 for float32
        elif code == SOFTMAX:
            softmax(row, out)
        else:
            for j in range(row.shape[0]):
                out[j] = row[j]


@kernel
def softmax(z: Any, a: Any) -> None:
    """a_j = e^(z_j) / sum_k e^(z_k) of one sample."""
    largest, total = z[0], number(0.0, z)
    for j in range(1, z.shape[0]):
        largest = max(largest, z[j])
    for j in range(z.shape[0]):
        a[j] = exponential(z[j] - largest)
    for j in range(z.shape[0]):
        total += a[j]
    for j in range(z.shape[0]):
        a[j] /= total


@kernel
def derive(delta: Any, z: Any, a: Any, code: int, setting: float, bias_gradient: Any) -> None:
    """delta *= sigma'(z), and BP3 in the same pass: bias_gradient = sum over the batch of delta.

    delta, z, a: (batch, fan_out); bias_gradient: (fan_out,). With IDENTITY it is BP3 alone.
    """
    one, zero, four, c = number(1.0, z), number(0.0, z), number(4.0, z), number(setting, z)
    for j in range(bias_gradient.shape[0]):
        bias_gradient[j] = zero
    for i in range(z.shape[0]):
        d, row, out = delta[i], z[i], a[i]
        if code == RELU:
            for j in range(d.shape[0]):
                d[j] = d[j] if row[j] > zero else zero
        elif code == SIGMOID:
            for j in range(d.shape[0]):
                d[j] *= sigmoid_slope(row[j], one)
        elif code == TANH:
            for j in range(d.shape[0]):
                d[j] *= four * sigmoid_slope(row[j] + row[j], one)
        elif code == LEAKY_RELU:
            for j in range(d.shape[0]):
                d[j] *= one if row[j] > zero else c
        elif code == ELU:
            for j in range(d.shape[0]):
                slope = c * exponential(row[j])
                d[j] *= one if row[j] > zero else slope
        elif code == SILU:
            for j in range(d.shape[0]):
                s = sigmoid(row[j], one)
                d[j] *= s + out[j] * (one - s)
        elif code == EXP:
            for j in range(d.shape[0]):
                d[j] *= out[j]
        elif code == SOFTMAX:
            total = zero
            for j in range(d.shape[0]):
                total += d[j] * out[j]
            for j in range(d.shape[0]):
                d[j] = out[j] * (d[j] - total)
        for j in range(d.shape[0]):
            bias_gradient[j] += d[j]
