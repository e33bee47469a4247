"""The twins of `forward`, `loss_value` and `backward`: matrix products by NumPy, everything between them fused.

A layer or a loss that is not deltarule's own is left to its own NumPy code, the rest of the network is not.
"""

import numpy as np

from deltarule.compiled import losses
from deltarule.compiled.activations import IDENTITY, activate, derive
from deltarule.nn import network as reference
from deltarule.nn.arrays import Array
from deltarule.nn.losses import sample_shares
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.parts import kernel_values

ALIKE = np.ones(0)  # in the place of sample weights: all samples count the same


def forward(network: Network, X: Array, ws: Workspace) -> Array:
    """The twin of `nn.network.forward`."""
    ws.begin(X)
    for l, activation in enumerate(network.activations):
        z, a, known = ws.z[l], ws.a[l], kernel_values(activation)
        np.matmul(ws.inputs[l], network.weights[l], out=z)
        activate(z, network.biases[l], *(known or (IDENTITY, 0.0)), a)
        if known is None:
            activation.forward(z, out=a)
        ws.drop(l)
    return ws.a[-1]


def loss_value(
    network: Network, y: Array, ws: Workspace, *, sample_weight: Array | None = None, divisor: float | None = None
) -> float:
    """The twin of `nn.network.loss_value`."""
    known = losses.loss_code(network)
    if known is None:
        return reference.loss_value(network, y, ws, sample_weight=sample_weight, divisor=divisor)
    total: float = losses.total_loss(ws.z[-1], ws.a[-1], y, *shares(y, sample_weight, divisor), known)
    return total


def backward(
    network: Network,
    y: Array,
    ws: Workspace,
    grads: Parameters,
    *,
    sample_weight: Array | None = None,
    divisor: float | None = None,
) -> None:
    """The twin of `nn.network.backward`: BP1 to BP4, with BP3 in the pass that multiplies by sigma'."""
    z, a, delta = ws.z, ws.a, ws.delta
    last = len(z) - 1
    for l in range(last, -1, -1):
        known = kernel_values(network.activations[l])
        if l < last:
            np.matmul(delta[l + 1], network.weights[l + 1].T, out=delta[l])
            ws.drop_error(l)
        else:
            output_error(network, y, ws, sample_weight, divisor)
            known = (IDENTITY, 0.0) if network.has_shortcut else known
        if known is None:
            network.activations[l].backward(delta[l], z[l], a[l])
        derive(delta[l], z[l], a[l], *(known or (IDENTITY, 0.0)), grads.biases[l])
        np.matmul(ws.inputs[l].T, delta[l], out=grads.weights[l])


def output_error(network: Network, y: Array, ws: Workspace, sample_weight: Array | None, divisor: float | None) -> None:
    """Leave dC/da in the last delta, or dC/dz where the network has a shortcut."""
    known, a, delta = losses.loss_code(network), ws.a[-1], ws.delta[-1]
    if known is not None:
        losses.output_error(a, y, *shares(y, sample_weight, divisor), known, delta)
    else:
        formula = network.loss.shortcut if network.has_shortcut else network.loss.gradient
        formula(a, y, sample_shares(len(y), sample_weight, divisor), out=delta)


def shares(y: Array, sample_weight: Array | None, divisor: float | None) -> tuple[Array, float]:
    """The weights and the divisor of `nn.losses.sample_shares`, with ALIKE for none."""
    weights = ALIKE if sample_weight is None else np.asarray(sample_weight, np.float64)
    if divisor is None:
        divisor = float(len(y) if sample_weight is None else weights.sum())
    return weights, float(divisor) or 1.0
