"""Losses: C says how wrong the outputs are, and dC/da how C changes with each output.

Every loss is an average over samples, C = sum_i s_i C_i, where C_i is the loss of sample i and s_i is its share:
1 / batch, or w_i / sum(w) for weighted samples. A loss therefore needs two formulas, C_i and dC_i/da, which compare
outputs a with targets t of the same shape. Classes are integers, (batch,); `Loss.targets` makes them one-hot targets.
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from deltarule.errors import sentence
from deltarule.nn.activations import Activation, Exp, Sigmoid, Softmax
from deltarule.nn.arrays import Array, blocks
from deltarule.public import part
from deltarule.targets import check_outputs, check_shape, check_targets_shape


def sample_shares(n_samples: int, sample_weight: Array | None = None, divisor: float | None = None) -> Array:
    """s_i, (batch,) float64: each sample's weight (1 by default), divided by `divisor` (by default their sum).

    Weights that sum to 0 give shares of 0: such a batch has the loss 0 and changes nothing.
    """
    if sample_weight is None:
        return np.full(n_samples, 1.0 / ((n_samples if divisor is None else divisor) or 1.0))
    weights = np.asarray(sample_weight, np.float64)
    return weights / ((weights.sum() if divisor is None else divisor) or 1.0)


@part(frozen=True)
class Loss:
    """A loss function for a batch of outputs. To write your own, define `sample_losses` and `sample_gradients`.

    a and z are (batch, outputs), y is (batch,) integers or (batch, outputs), shares is what `sample_shares` returns.
    fits: the output activations that the loss accepts. least_target: the lowest target that it is defined for.
    shortcut_for: the output activations for which BP1 simplifies to delta^L = a^L - t, as a proof shows.
    """

    fits: ClassVar[tuple[type[Activation], ...]] = (Activation,)
    shortcut_for: ClassVar[tuple[type[Activation], ...]] = ()
    least_target: ClassVar[float] = -np.inf
    takes_probabilities: ClassVar[bool] = False

    def sample_losses(self, a: Array, t: Array) -> Array:
        """The loss C_i of each sample, (batch,), for outputs a and targets t, both (batch, outputs)."""
        raise TypeError(sentence("losses.own", name=type(self).__name__, method="sample_losses"))

    def sample_gradients(self, a: Array, t: Array) -> Array:
        """The derivatives dC_i/da, (batch, outputs), for outputs a and targets t, both (batch, outputs)."""
        raise TypeError(sentence("losses.own", name=type(self).__name__, method="sample_gradients"))

    def sample_losses_from_z(self, z: Array, t: Array) -> Array:
        """C_i of each sample, (batch,), from the z of a `shortcut_for` activation: accurate even if a rounds to 0."""
        raise TypeError(f"{type(self).__name__} has no shortcut")

    def targets(self, a: Array, y: Array) -> Array:
        """y as targets t, (batch, outputs): integer classes, (batch,), become one-hot rows."""
        if y.ndim == 2:
            return check_targets_shape(y, a.shape)
        t = np.zeros(a.shape, a.real.dtype)
        t[np.arange(len(y)), y] = 1.0
        return t

    def lowest(self, n_outputs: int) -> float:
        """The lowest possible loss of a sample, if its outputs equal its targets: 0, or more with smoothed labels."""
        t = self.targets(np.zeros((1, n_outputs)), np.array([0]))
        return abs(self.sample_losses(t, t).item())

    def value(self, a: Array, y: Array, shares: Array | None = None, *, from_z: bool = False) -> float:
        """The loss C of a batch, a Python float (complex for complex a). With `from_z`, `a` is the last layer's z."""
        if shares is None:  # called by a user's program, not in a training step
            a, y = check_outputs(a, y, are_probabilities=self.takes_probabilities and not from_z)
        formula = self.sample_losses_from_z if from_z else self.sample_losses
        losses = np.empty(len(a), a.dtype)
        for rows in blocks(len(a), 2 * a.shape[1]):  # a row of outputs, and one of targets
            losses[rows] = check_shape(formula, formula(a[rows], self.targets(a[rows], y[rows])), losses[rows].shape)
        shares = sample_shares(len(a)) if shares is None else shares
        return (shares * losses).sum().item()

    def gradient(self, a: Array, y: Array, shares: Array | None = None, *, out: Array | None = None) -> Array:
        """dC/da of a batch, (batch, outputs), written into `out` if given."""
        if shares is None:
            a, y = check_outputs(a, y, are_probabilities=self.takes_probabilities)
        return self._by_sample(self.sample_gradients, a, y, shares, out)

    def shortcut(self, a: Array, y: Array, shares: Array | None = None, *, out: Array | None = None) -> Array:
        """delta^L = dC/dz^L for a `shortcut_for` activation: a - t, each row times its sample's share s_i."""
        return self._by_sample(np.subtract, a, y, shares, out)

    def _by_sample(
        self, formula: Callable[[Array, Array], Array], a: Array, y: Array, shares: Array | None, out: Array | None
    ) -> Array:
        out = np.empty_like(a) if out is None else out
        shares = (sample_shares(len(a)) if shares is None else shares).astype(a.dtype)
        for rows in blocks(len(a), 2 * a.shape[1]):
            slopes = check_shape(formula, formula(a[rows], self.targets(a[rows], y[rows])), a[rows].shape)
            np.multiply(slopes, shares[rows, None], out=out[rows])
        return out


@part(frozen=True)
class Quadratic(Loss):
    """C_i = 1/2 sum_j (a_j - t_j)^2. The half simplifies the derivative; PyTorch's MSELoss has 1/outputs instead."""

    def sample_losses(self, a: Array, t: Array) -> Array:
        return 0.5 * ((a - t) ** 2).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return a - t


@part(frozen=True)
class CrossEntropy(Loss):
    """C_i = -sum_j t_j ln a_j for probabilities a that sum to 1: the surprise at seeing the right class.

    label_smoothing: e in [0, 1) moves the targets to (1 - e) t + e / outputs (Szegedy et al. 2016, section 7).
    """

    label_smoothing: float = 0.0
    fits: ClassVar[tuple[type[Activation], ...]] = (Softmax,)
    shortcut_for: ClassVar[tuple[type[Activation], ...]] = (Softmax,)
    takes_probabilities: ClassVar[bool] = True

    def targets(self, a: Array, y: Array) -> Array:
        return (1.0 - self.label_smoothing) * super().targets(a, y) + self.label_smoothing / a.shape[1]

    def sample_losses(self, a: Array, t: Array) -> Array:
        return -(t * np.log(above_zero(a))).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return -t / above_zero(a)

    def sample_losses_from_z(self, z: Array, t: Array) -> Array:
        """-sum_j t_j ln softmax(z)_j = ln sum_k e^(z_k) - sum_j t_j z_j, since the t_j sum to 1."""
        z = z - z.real.max(axis=1, keepdims=True)  # the same for both terms: no exponential overflows
        return np.log(np.exp(z).sum(axis=1)) - (t * z).sum(axis=1)


@part(frozen=True)
class BinaryCrossEntropy(Loss):
    """C_i = -sum_j [t_j ln a_j + (1 - t_j) ln(1 - a_j)]: every output answers its own yes-or-no question.

    C_i sums over the outputs: for ten outputs of 1/2 it is 10 ln 2 = 6.93. (PyTorch's BCELoss averages over them.)
    label_smoothing: e in [0, 1) moves the targets to (1 - e) t + e / 2.
    """

    label_smoothing: float = 0.0
    fits: ClassVar[tuple[type[Activation], ...]] = (Sigmoid, Softmax)
    shortcut_for: ClassVar[tuple[type[Activation], ...]] = (Sigmoid,)
    takes_probabilities: ClassVar[bool] = True

    def targets(self, a: Array, y: Array) -> Array:
        return (1.0 - self.label_smoothing) * super().targets(a, y) + self.label_smoothing / 2.0

    def sample_losses(self, a: Array, t: Array) -> Array:
        return -(t * np.log(above_zero(a)) + (1.0 - t) * np.log(above_zero(1.0 - a))).sum(axis=1)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return (a - t) / above_zero(a * (1.0 - a))

    def sample_losses_from_z(self, z: Array, t: Array) -> Array:
        """sum_j ln(1 + e^(z_j)) - t_j z_j, written so that no e^z overflows and no small loss rounds to 0."""
        above = z.real > 0.0  # computed once: at z = 0 a complex number must take the same side in both terms
        return (np.where(above, z, 0.0) - t * z + np.log1p(np.exp(np.where(above, -z, z)))).sum(axis=1)


@part(frozen=True)
class Poisson(Loss):
    """C_i = sum_j [t_j ln(t_j / a_j) - t_j + a_j]: half the deviance, for counts and rates t >= 0 with mean a.

    t ln(t / a) is 0 at t = 0. (PyTorch's PoissonNLLLoss leaves out the terms in t alone, and averages over outputs.)
    """

    fits: ClassVar[tuple[type[Activation], ...]] = (Exp,)
    shortcut_for: ClassVar[tuple[type[Activation], ...]] = (Exp,)
    least_target: ClassVar[float] = 0.0

    def sample_losses(self, a: Array, t: Array) -> Array:
        return _half_deviances(a, np.log(above_zero(a)), t)

    def sample_gradients(self, a: Array, t: Array) -> Array:
        return 1.0 - t / above_zero(a)

    def sample_losses_from_z(self, z: Array, t: Array) -> Array:
        """sum_j t_j (ln t_j - z_j) - t_j + e^(z_j): finite where e^z underflows to 0."""
        return _half_deviances(Exp().value(z), z, t)


def _half_deviances(a: Array, log_a: Array, t: Array) -> Array:
    return (t * (np.log(np.where(t > 0.0, t, 1.0)) - log_a) - t + a).sum(axis=1)


def above_zero(a: Array) -> Array:
    """The array a with every 0 replaced by the smallest normal number, so that its logarithm is finite."""
    return np.maximum(a, np.finfo(a.dtype).tiny)
