"""C, and BP1's dC/da or its shortcut, of a whole batch in one pass.

Inside kernels a loss is a tuple: its code, its label smoothing, whether its shortcut holds. Targets come as they do
everywhere, (batch,) integers or (batch, outputs); a one-hot row is never made. The share of sample i is
weights[i] / divisor, or 1 / divisor where `weights` is empty.
"""

from typing import Any

import numpy as np

from deltarule.compiled.kernels import exponential, kernel, number
from deltarule.nn.network import Network
from deltarule.parts import kernel_values

QUADRATIC, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, POISSON = range(4)


def loss_code(network: Network) -> tuple[Any, ...] | None:
    """The loss of a network as kernels know it; None for one without a kernel, a user's own for instance."""
    known = kernel_values(network.loss)
    return None if known is None else (*known, network.has_shortcut)


@kernel
def target(y: Any, i: int, j: int, loss: Any, n_outputs: int) -> float:
    """t_ij: what output j of sample i should be, label smoothing included."""
    code, smoothing, _ = loss
    t = y[i, j] if y.ndim == 2 else (1.0 if y[i] == j else 0.0)
    if code == CROSS_ENTROPY:
        return (1.0 - smoothing) * t + smoothing / n_outputs
    if code == BINARY_CROSS_ENTROPY:
        return (1.0 - smoothing) * t + smoothing / 2.0
    return t


@kernel
def log_of_sum(z: Any) -> Any:
    """ln of the sum of e^(z_j - largest), all its digits right even where it is nearly 0, and the largest z_j."""
    best = z.argmax()
    others = number(0.0, z)
    for j in range(z.shape[0]):
        others += exponential(z[j] - z[best]) if j != best else number(0.0, z)
    return np.log1p(float(others)), float(z[best])


@kernel
def total_loss(z: Any, a: Any, y: Any, weights: Any, divisor: float, loss: Any) -> float:
    """C, a Python float, from the last layer's z, (batch, outputs), where there is a shortcut, else from its a."""
    code, _, from_z = loss
    tiny, total = np.finfo(a.dtype).tiny, 0.0
    for i in range(a.shape[0]):
        row, cost, largest = z[i] if from_z else a[i], 0.0, 0.0
        if from_z and code == CROSS_ENTROPY:
            cost, largest = log_of_sum(row)
        for j in range(row.shape[0]):
            t, x = target(y, i, j, loss, row.shape[0]), float(row[j])
            if code == QUADRATIC:
                cost += 0.5 * (x - t) * (x - t)
            elif code == CROSS_ENTROPY:
                cost -= t * (x - largest) if from_z else t * np.log(max(x, tiny))
            elif code == POISSON:  # the only output that fits it has the shortcut
                cost += np.exp(x) - t + (t * (np.log(t) - x) if t > 0.0 else 0.0)
            elif from_z:
                cost += max(x, 0.0) - t * x + np.log1p(np.exp(-abs(x)))
            else:
                cost -= t * np.log(max(x, tiny)) + (1.0 - t) * np.log(max(1.0 - x, tiny))
        total += cost * (weights[i] if weights.shape[0] else 1.0)
    return total / divisor


@kernel
def output_error(a: Any, y: Any, weights: Any, divisor: float, loss: Any, delta: Any) -> None:
    """delta = a - t where there is a shortcut, else dC/da; each row times its share. a, delta: (batch, outputs)."""
    code, _, shortcut = loss
    tiny = np.finfo(a.dtype).tiny
    for i in range(a.shape[0]):
        share = (weights[i] if weights.shape[0] else 1.0) / divisor
        for j in range(a.shape[1]):
            t, x = target(y, i, j, loss, a.shape[1]), float(a[i, j])
            if shortcut or code == QUADRATIC:
                slope = x - t
            elif code == CROSS_ENTROPY:
                slope = -t / max(x, tiny)
            else:
                slope = (x - t) / max(x * (1.0 - x), tiny)
            delta[i, j] = slope * share
