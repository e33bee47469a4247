"""Derivatives of the loss that know nothing of backpropagation: the complex step, and central differences.

The complex step, dC/dp = Im C(p + ih) / h, forms no difference, so nothing cancels and it is right to the last digits
(Squire & Trapp 1998). Central differences, (C(p + h) - C(p - h)) / 2h, lose half the digits but need no complex
numbers.

A nudge of weights[l][k, j], or of biases[l][j], moves nothing but z_j of layer l. So the pass starts again at that
layer, and goes through the layers behind it with many nudges in one batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.inspection.explain.nudges import losses_from
from deltarule.nn.arrays import Array
from deltarule.nn.losses import sample_shares
from deltarule.nn.network import Network, forward, loss_value, with_parameters
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import Penalty
from deltarule.nn.workspace import Workspace
from deltarule.randomness import generator

NUMBERS_AT_ONCE = 2**16  # numbers of a layer that are worked on at once: 1 MB of complex128 stays in the cache


@dataclass(frozen=True)
class Method:
    """A way to a derivative.

    dtype: what it computes in. step: h. tolerance: the largest relative error that rounding explains.
    floor: the share of the whole gradient below which a layer's part of it drowns in rounding.
    """

    name: str
    dtype: type
    step: float
    tolerance: float
    floor: float

    def slope(self, function: Callable[[Any], Any]) -> Any:
        """The derivative at 0 of a function of one number, which may return an array."""
        if self.dtype is np.complex128:
            return np.imag(function(1j * self.step)) / self.step
        return (function(self.step) - function(-self.step)) / (2.0 * self.step)


COMPLEX_STEP = Method("complex step", np.complex128, 1e-30, tolerance=1e-10, floor=1e-5)
CENTRAL_DIFFERENCES = Method("central differences", np.float64, 1e-5, tolerance=1e-5, floor=1e-2)


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that the loss of a batch depends on, in float64. Dropout masks are the same at every evaluation.

    X: (batch, features) float64; y: as the loss wants it; sample_weight: (batch,), 0 for a sample that is left out.
    ws: the workspace that the forward pass has left.
    """

    network: Network
    X: Array
    y: Array
    sample_weight: Array
    penalty: Penalty
    ws: Workspace = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ws", self.passed(self.network))

    def passed(self, network: Network) -> Workspace:
        """What a forward pass through `network`, one with these layers, leaves."""
        ws = network.workspace(len(self.X))
        if any(network.dropout):
            ws.draw_masks(generator(0, "dropout"))
        forward(network, self.X, ws)
        return ws

    def value(self, network: Network) -> Any:
        """C for a network with these layers: a number, complex for a complex network."""
        loss = loss_value(network, self.y, self.passed(network), sample_weight=self.sample_weight)
        return loss + self.penalty.value(network.parameters)

    def gradient(self, method: Method) -> list[Array]:
        """dC/dp for every parameter: of each layer (fan_in + 1, fan_out), the biases in the last row."""
        gradient = []
        for l, W in enumerate(self.network.weights):
            gradient.append(self._layer_gradient(l, method))
            gradient[l][:-1] += penalty_gradient(self.penalty, W, method)
        return gradient

    def _layer_gradient(self, l: int, method: Method) -> Array:
        shares, n_samples = sample_shares(len(self.X), self.sample_weight), len(self.X)
        inputs = np.column_stack([self.ws.inputs[l], np.ones(n_samples)])  # a bias is the weight of an input of 1
        z: Array = self.ws.z[l].astype(method.dtype)
        gradient = np.empty((inputs.shape[1], z.shape[1]))
        n_at_once = max(1, NUMBERS_AT_ONCE // (n_samples * max(a.shape[1] for a in self.ws.a[l:])))
        for start in range(0, gradient.size, n_at_once):
            places = np.arange(start, min(start + n_at_once, gradient.size))
            sources, neurons = np.divmod(places, z.shape[1])

            def losses(step: complex, sources: Array = sources, neurons: Array = neurons) -> Array:
                nudged = z[:, neurons] + step * inputs[:, sources]  # (batch, nudges)
                return self._losses(l, z, nudged.T, neurons).reshape(len(neurons), n_samples)

            gradient.flat[places] = method.slope(losses) @ shares
        return gradient

    def _losses(self, l: int, z: Array, nudged: Array, neurons: Array) -> Array:
        """C_i of every sample, (nudges * batch,), where one neuron of layer l has another z in each of many copies.

        z: (batch, fan_out); nudged: (nudges, batch), the z of the `neurons` (nudges,).
        """
        network, n_copies = self.network, len(neurons)
        if l + 1 < len(network.weights) and self._is_elementwise(l):  # one neuron moves the next layer by its row of W
            change = self._activated(l, nudged) - self._activated(l, z).T[neurons]
            if self.ws.masks is not None:
                change *= self.ws.masks[l].T[neurons]
            l += 1
            moved = self.ws.z[l] + change[:, :, np.newaxis] * network.weights[l][neurons][:, np.newaxis]
        else:
            moved = np.repeat(z[np.newaxis], n_copies, axis=0)  # (nudges, batch, fan_out)
            moved[np.arange(n_copies), :, neurons] = nudged
        return self._losses_behind(l, moved.reshape(-1, moved.shape[2]), n_copies)

    def _losses_behind(self, l: int, z: Array, n_copies: int) -> Array:
        """C_i of every sample, (copies * batch,), where layer l has the weighted inputs z (copies * batch, fan_out)."""
        masks = self.ws.masks and [np.tile(mask, (n_copies, 1)) for mask in self.ws.masks]
        return losses_from(self.network, l, z, np.concatenate([self.y] * n_copies), masks)

    def _is_elementwise(self, l: int) -> bool:
        """Whether an activation of layer l depends on the z of its own neuron alone."""
        return np.allclose(self._activated(l, self.ws.z[l].reshape(-1, 1)).ravel(), self.ws.a[l].ravel(), rtol=1e-9)

    def _activated(self, l: int, z: Array) -> Array:
        a = np.empty_like(z)
        self.network.activations[l].forward(z, out=a)
        return a

    def slope_along(self, direction: Array, method: Method) -> float:
        """The derivative of C along a direction (n_parameters,), by whole forward passes."""
        vector, sizes = self.network.parameters.vector, self.network.layer_sizes

        def value(step: complex) -> Any:
            return self.value(with_parameters(self.network, Parameters(sizes, vector + step * direction)))

        return float(method.slope(value))


def penalty_gradient(penalty: Penalty, weights: Array, method: Method) -> Array:
    """The derivative of a penalty, which is a sum over weights: of each weight as if it were the only one."""
    if type(penalty) is Penalty:
        return np.zeros_like(weights)
    one = Parameters((1, 1), dtype=method.dtype)

    def slope(w: float) -> float:
        def value(step: complex) -> float:
            one.vector[0] = w + step
            return penalty.value(one)

        return float(method.slope(value))

    return np.reshape([slope(w) for w in weights.ravel().tolist()], weights.shape)


def directions(network: Network, l: int, n_directions: int) -> list[Parameters]:
    """Random directions of length 1 in which only layer l's weights and biases change."""
    found = []
    for n in range(n_directions):
        direction, rng = network.parameters.zeros_like(), generator(0, "direction", l, n)
        for part in (direction.weights[l], direction.biases[l]):
            part[:] = rng.standard_normal(part.shape)
        vector = direction.vector
        vector /= np.linalg.norm(vector)
        found.append(direction)
    return found


def by_layer(gradient: Parameters) -> list[Array]:
    """A gradient as (fan_in + 1, fan_out) a layer, the biases in the last row."""
    return [np.vstack([W, b]) for W, b in zip(gradient.weights, gradient.biases, strict=True)]
