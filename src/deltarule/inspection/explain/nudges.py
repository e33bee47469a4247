"""What the loss becomes when a weighted input is nudged: the rest of the forward pass, from some layer on.

With an imaginary nudge this gives derivatives that know nothing of backpropagation: C(z + ih) = C(z) + ih dC/dz, and so
dC/dz = Im C(z + ih) / h, right to the last digits since no difference is formed (Squire & Trapp 1998). The nudge is -ih
here: at the kink of a ReLU it leads to the side whose derivative, 0, is the one taken there.
"""

from collections.abc import Sequence

import numpy as np

from deltarule.nn.arrays import Array
from deltarule.nn.network import Network

STEP = 1e-30
IMAGINARY = -1j * STEP


def derivatives(losses: Array) -> Array:
    """dC/de of losses that were computed with e = IMAGINARY."""
    return -losses.imag / STEP


def losses_from(network: Network, l: int, z: Array, y: Array, masks: Sequence[Array] | None = None) -> Array:
    """C_i, (n,), when the weighted inputs of layer l are z (n, fan_out), of the network's dtype; y: n targets.

    masks: what drops neurons of each hidden layer, (n, fan_out) each, as in Workspace; None drops none.
    """
    last = len(network.weights) - 1
    for n in range(l, last + 1):
        a = np.empty_like(z)
        network.activations[n].forward(z, out=a)
        if n < last:
            a = a if masks is None else a * masks[n]
            z = a @ network.weights[n + 1] + network.biases[n + 1]
    targets = network.loss.targets(a, y)
    if network.has_shortcut:
        return network.loss.sample_losses_from_z(z, targets)
    return network.loss.sample_losses(a, targets)


def losses_when_nudged(network: Network, l: int, z: Array, nudges: Array, y: Array) -> Array:
    """C_i of one sample, (n,), for each of n nudges of its z in layer l.

    z: (fan_out,). nudges: (n, fan_out), what is added to it. y: (1,) or (1, outputs).
    """
    dtype = np.result_type(z, nudges)
    network = network if network.dtype == dtype else network.astype(dtype)
    return losses_from(network, l, z + nudges, np.repeat(y, len(nudges), axis=0))


def numeric_delta(network: Network, l: int, z: Array, y: Array, neurons: Array) -> Array:
    """dC_i/dz of some neurons in layer l, (batch, len(neurons)), by complex step.

    z: (batch, fan_out). y: as `backward` takes it.
    """
    nudges = np.zeros((len(neurons), z.shape[1]), np.complex128)
    nudges[np.arange(len(neurons)), neurons] = IMAGINARY
    return np.stack([derivatives(losses_when_nudged(network, l, z[i], nudges, y[[i]])) for i in range(len(z))])
