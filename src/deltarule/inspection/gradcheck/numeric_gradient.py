"""Derivatives of the loss without backpropagation: the complex step, and central differences.

The complex step, dC/dp = Im C(p + ih) / h, forms no difference, so nothing cancels and it is right to the last digits
(Squire & Trapp 1998). Central differences, (C(p + h) - C(p - h)) / 2h, lose half the digits but need no complex
numbers.

A nudge of weights[l][k, j], or of biases[l][j], changes only z_j of layer l. So the forward pass is repeated only from
there on, with many nudges in one batch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np

from deltarule.nn.arrays import Array
from deltarule.nn.losses import sample_shares
from deltarule.nn.network import Network, backward, forward, loss_value, with_meaning
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import Penalty
from deltarule.nn.workspace import Workspace

NUMBERS_AT_ONCE = 2**16  # numbers of a layer to process at once: 1 MB of complex128 stays in the cache
ALIKE = 1e-5  # two arrays are equal if they agree to this many digits
STEP = 1e-30
IMAGINARY = -1j * STEP  # minus, because at the kink of a ReLU it leads to the side with its derivative 0


def derivatives(values: Any) -> Any:
    """The derivatives of values by a small e, if the values were computed with e = IMAGINARY: the complex step."""
    return -np.imag(values) / STEP


@dataclass(frozen=True)
class Method:
    """A method to compute derivatives numerically.

    dtype: of its arrays. step: the step h. tolerance: the largest relative error that rounding explains.
    floor: the share of the whole gradient below which a layer's part of it is only rounding.
    """

    name: str
    dtype: type
    step: float
    tolerance: float
    floor: float

    def slope(self, function: Callable[[Any], Any]) -> Any:
        """The derivative at 0 of a function of one number, which may return an array."""
        if self.dtype is np.complex128:
            return derivatives(function(IMAGINARY))
        return (function(self.step) - function(-self.step)) / (2.0 * self.step)


COMPLEX_STEP = Method("complex step", np.complex128, STEP, tolerance=1e-10, floor=1e-5)
CENTRAL_DIFFERENCES = Method("central differences", np.float64, 1e-5, tolerance=1e-5, floor=1e-2)


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that the loss of a batch depends on, in float64. Dropout masks are the same in every evaluation.

    X: (batch, features); y: as `backward` takes it; sample_weight: (batch,), 0 for a sample that is left out.
    factor: the loss to check is this many times the network's, the penalty apart.
    """

    network: Network
    X: Array
    y: Array
    sample_weight: Array
    penalty: Penalty
    factor: float = 1.0

    @classmethod
    def of(cls, network: Network, X: Array, y: Array) -> Self:
        """The Problem of a batch whose samples all count the same, without dropout and penalty, in float64."""
        network = network.astype(np.float64)
        network.dropout = tuple(0.0 for _ in network.dropout)
        return cls(network, X, y, np.ones(len(X)), Penalty())

    def take(self, rows: Array) -> Self:
        """The problem with only some of its samples, those at `rows`."""
        return replace(self, X=self.X[rows], y=self.y[rows], sample_weight=self.sample_weight[rows])

    @property
    def divisor(self) -> float:
        """What the weighted sum over samples is divided by."""
        return float(self.sample_weight.sum()) / self.factor

    @property
    def shares(self) -> Array:
        """s_i, (batch,): the share of each sample in C."""
        return sample_shares(len(self.X), self.sample_weight, self.divisor)

    @cached_property
    def ws(self) -> Workspace:
        """The workspace after the forward pass."""
        ws = self.network.workspace(len(self.X))
        if any(self.network.dropout):
            ws.draw_masks(seed=0)
        forward(self.network, self.X, ws)
        return ws

    @cached_property
    def grads(self) -> Parameters:
        """The gradient by backpropagation, penalty included."""
        grads = self.network.parameters.zeros_like()
        backward(self.network, self.y, self.ws, grads, sample_weight=self.sample_weight, divisor=self.divisor)
        grads.vector[:] += self.penalty_gradient.vector
        return grads

    @cached_property
    def penalty_gradient(self) -> Parameters:
        """The part of the gradient that comes from the penalty."""
        grads = self.network.parameters.zeros_like()
        self.penalty.add_gradient(self.network.parameters, grads)
        return grads

    @property
    def delta(self) -> list[Array]:
        """dC/dz by backpropagation, (batch, fan_out) of each layer."""
        _ = self.grads  # computing it fills ws.delta
        return self.ws.delta

    @cached_property
    def loss(self) -> Any:
        """The loss C of the batch, penalty included; complex for a complex network."""
        loss = loss_value(self.network, self.y, self.ws, sample_weight=self.sample_weight, divisor=self.divisor)
        return loss + self.penalty.value(self.network.parameters)

    def loss_at(self, change: Array) -> Any:
        """The loss C at the network's parameters plus `change`, (n_parameters,), real or complex."""
        moved = Parameters(self.network.layer_sizes, self.network.parameters.vector + change)
        return replace(self, network=with_meaning(self.network, parameters=moved)).loss

    def slope_along(self, direction: Array, method: Method) -> float:
        """The derivative of C along a direction (n_parameters,), by whole forward passes."""
        return float(method.slope(lambda step: self.loss_at(step * direction)))

    def numeric_delta(self, l: int, neurons: Array) -> Array:
        """dC_i/dz of some neurons of layer l, (batch, n), by complex step."""
        return COMPLEX_STEP.slope(lambda step: self._losses(l, neurons, self.ws.z[l][:, neurons].T + step)).T

    def numeric_gradient(self, method: Method) -> Parameters:
        """dC/dp for every parameter p, penalty included, by a numeric method."""
        gradient = self.network.parameters.zeros_like()
        for l, (W, b) in enumerate(zip(gradient.weights, gradient.biases, strict=True)):
            slopes = self.slopes(l, np.arange(W.size + b.size), method)
            W[:], b[:] = slopes[: W.size].reshape(W.shape), slopes[W.size :]
        gradient.weight_block[:] += penalty_gradient(self.penalty, self.network.parameters.weight_block, method)
        return gradient

    def slopes(self, l: int, places: Array, method: Method = COMPLEX_STEP) -> Array:
        """dC/dp, (n,), of parameters of layer l, penalty left out; places: indices into its weights, then biases."""
        n_at_once = max(1, NUMBERS_AT_ONCE // (len(self.X) * max(a.shape[1] for a in self.ws.a[l:])))
        parts = (places[start : start + n_at_once] for start in range(0, len(places), n_at_once))
        return np.concatenate([method.slope(partial(self._losses_moved, l, part)) @ self.shares for part in parts])

    def _losses_moved(self, l: int, places: Array, step: complex) -> Array:
        """C_i of every sample, (n, batch), with each parameter at `places` (n,) in turn moved by `step`."""
        z, inputs = self.ws.z[l], self.ws.inputs[l]
        sources, neurons = np.divmod(places, z.shape[1])
        inputs = np.column_stack([inputs, np.ones(len(inputs))])  # a bias is the weight of an input of 1
        return self._losses(l, neurons, (z[:, neurons] + step * inputs[:, sources]).T)

    def _losses(self, l: int, neurons: Array, nudged: Array) -> Array:
        """C_i of every sample, (n, batch), with the z of each of `neurons` (n,) in turn set to `nudged` (n, batch)."""
        z, sigma = self.ws.z[l].astype(nudged.dtype), self.network.activations[l].value
        is_elementwise = np.allclose(sigma(self.ws.z[l].reshape(-1, 1)).ravel(), self.ws.a[l].ravel(), rtol=1e-9)
        if l + 1 == len(self.ws.z) or not is_elementwise:
            copies = np.repeat(z[np.newaxis], len(neurons), axis=0)
            copies[np.arange(len(neurons)), :, neurons] = nudged
            return self.losses_from(l, copies)
        change = sigma(nudged) - sigma(z).T[neurons]  # a neuron changes the next layer only by its row of W
        if self.ws.masks is not None:
            change *= self.ws.masks[l].T[neurons]
        rows = self.network.weights[l + 1][neurons]
        return self.losses_from(l + 1, self.ws.z[l + 1] + change[:, :, np.newaxis] * rows[:, np.newaxis])

    def losses_from(self, l: int, z: Array) -> Array:
        """C_i of every sample, (n, batch), in n forward passes that start with z (n, batch, fan_out) of layer l."""
        network, loss, n_copies = self.network, self.network.loss, len(z)
        z = z.reshape(-1, z.shape[2])
        a = network.activations[l].value(z)
        for n in range(l + 1, len(network.weights)):
            a = a if self.ws.masks is None else a * np.tile(self.ws.masks[n - 1], (n_copies, 1))
            z = a @ network.weights[n] + network.biases[n]
            a = network.activations[n].value(z)
        targets = loss.targets(a, np.concatenate([self.y] * n_copies))
        losses = loss.sample_losses_from_z(z, targets) if network.has_shortcut else loss.sample_losses(a, targets)
        return losses.reshape(n_copies, -1)


def relative_error(found: Array, expected: Array, least: float = 0.0) -> float:
    """The norm of the difference over the norm of `expected`, or over `least` if that is larger; inf instead of NaN."""
    size = max(float(np.linalg.norm(expected)), float(least), np.finfo(np.float64).tiny.item())
    error = float(np.linalg.norm(found - expected)) / size
    return math.inf if math.isnan(error) else error


def penalty_gradient(penalty: Penalty, weights: Array, method: Method) -> Array:
    """The derivative of a penalty, a sum over weights (n,), with respect to each weight alone."""
    if type(penalty) is Penalty:
        return np.zeros_like(weights)
    one = Parameters((1, 1), dtype=method.dtype)

    def value(w: float, step: complex) -> float:
        one.vector[0] = w + step
        return penalty.value(one)

    return np.array([method.slope(partial(value, w)) for w in weights.tolist()])
