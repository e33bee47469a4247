"""A network as a learner writes it: forward and backward pass in plain NumPy, with slips that can be switched on.

Nothing here comes from deltarule. Layers are counted from 0. A slip is a name and the layer where it is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "silu": lambda z: z * sigmoid(z),
    "identity": lambda z: z,
    "softmax": softmax,
}
SLOPES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    "silu": lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)),
    "identity": np.ones_like,
}
BY_A: dict[str, Callable[[Array], Array]] = {  # the same, with a for z
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: np.where(a > 0, 1.0, 0.0),
    "leaky_relu": lambda a: np.where(a > 0, 1.0, 0.01),
    "elu": lambda a: np.where(a > 0, 1.0, a + 1),
}


def quadratic(a: Array, t: Array) -> float:
    return float(np.sum((a - t) ** 2) / 2 / len(t))


def cross_entropy(a: Array, t: Array) -> float:
    return float(-np.sum(t * np.log(a)) / len(t))


def binary_cross_entropy(a: Array, t: Array) -> float:
    return float(-np.sum(t * np.log(a) + (1 - t) * np.log(1 - a)) / len(t))


LOSSES = {"quadratic": quadratic, "cross_entropy": cross_entropy, "binary_cross_entropy": binary_cross_entropy}
ERRORS: dict[str, Callable[[Array, Array], Array]] = {
    "quadratic": lambda a, t: a - t,
    "cross_entropy": lambda a, t: -t / a,
    "binary_cross_entropy": lambda a, t: (a - t) / a / (1 - a),
}
PROVEN = {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}


@dataclass
class Learner:
    """activations: one a layer. slips: {(name, layer)}. loss: what it returns, where that is not what it descends."""

    activations: list[str]
    descends: str
    slips: frozenset[tuple[str, int]] = frozenset()
    loss: Callable[[Array, Array], float] | None = None
    arrays: bool = False
    dtype: type = np.float64
    seen: dict[str, list[Array]] = field(default_factory=dict)

    def has(self, name: str, l: int) -> bool:
        return (name, l) in self.slips

    def __call__(self, network: Any, X: Array, y: Array) -> tuple[Any, ...]:
        W = [w.astype(self.dtype) for w in network.weights]
        b = [each.astype(self.dtype) for each in network.biases]
        self.a, self.z = [X.astype(self.dtype)], []
        for l in range(len(W)):
            self.forward_layer(l, W, b)
        t = np.eye(W[-1].shape[1])[y] if y.ndim == 1 else y
        t = np.roll(t, 1, axis=1) if self.has("one-hot shifted", len(W) - 1) else t
        loss = (self.loss or LOSSES[self.descends])(self.a[-1], np.eye(W[-1].shape[1])[y] if y.ndim == 1 else y)
        deltas: list[Any] = [None] * len(W)
        all_dW: list[Any] = [None] * len(W)
        all_db: list[Any] = [None] * len(W)
        for l in range(len(W) - 1, -1, -1):
            deltas[l] = self.output_delta(l, t) if l + 1 == len(W) else self.hidden_delta(l, W, deltas, all_dW)
            if self.has("lost", l):
                deltas[l] = deltas[l] + np.sin(np.arange(deltas[l].size)).reshape(deltas[l].shape) / 9
            all_dW[l], all_db[l] = self.gradients(l, deltas, t, W)
        gradient = loss, (all_dW, all_db)
        return (*gradient, {"z": self.z, "a": self.a, "delta": deltas}) if self.arrays else gradient

    def forward_layer(self, l: int, W: list[Array], b: list[Array]) -> None:
        x = self.z[l - 1] if self.has("z passed on", l) else self.a[0] if self.has("X passed on", l) else self.a[l]
        w = W[l].T if self.has("forward transposed", l) else W[l]
        bias = 0 * b[l] if self.has("no bias", l) else -b[l] if self.has("minus bias", l) else b[l]
        z = x @ w + bias
        sigma = ACTIVATIONS[self.activations[l]]
        a = sigma(z)
        if self.has("sigmoid lost its minus", l):
            a = 1 / (1 + np.exp(z))
        if self.has("softmax over the batch", l):
            a = np.exp(z) / np.exp(z).sum(axis=0)
        if self.has("no activation", l):
            a = z
        if self.has("tanh in its place", l):
            a = np.tanh(z)
        self.z.append(z)
        self.a.append(a)

    def output_delta(self, l: int, t: Array) -> Array:
        a, kind, n = self.a[-1], self.activations[l], len(t)
        error = ERRORS[self.descends](a, t)
        self.errors = {l: (a - t) / n}
        if self.has("a - t", l):
            delta = a - t
        elif (kind, self.descends) in PROVEN:
            delta = a - t
            delta = delta * a * (1 - a) if self.has("slope twice", l) else delta
        else:
            delta = self.times_slope(l, error)
        if self.has("half of the slope", l):
            delta = (a - t) * a
        if self.has("diagonal", l):
            delta = (a - t) * a * (1 - a)
        if self.has("t - a", l):
            delta = -delta
        if self.has("outputs, too", l):
            delta = delta / a.shape[1]
        if self.has("mean of squares", l):
            delta = delta * 2 / a.shape[1]
        if self.has("squared", l):
            delta = (a - t) ** 2
        return delta if self.has("never divided", l) else delta / n

    def hidden_delta(self, l: int, W: list[Array], deltas: list[Array], all_dW: list[Array]) -> Array:
        behind, w = deltas[l + 1], W[l + 1]
        if self.has("updated weights", l):
            w = w - 0.3 * all_dW[l + 1]
        if self.has("error carried", l):
            behind = self.errors[l + 1]
        w = w if self.has("not transposed", l) else w.T
        self.errors[l] = behind @ w
        return self.times_slope(l, self.errors[l])

    def times_slope(self, l: int, error: Array) -> Array:
        z, a, kind = self.z[l], self.a[l + 1], self.activations[l]
        if kind == "softmax":
            return error if self.has("no slope", l) else a * (error - (error * a).sum(axis=1, keepdims=True))
        slope = SLOPES[kind](z)
        if self.has("no slope", l):
            slope = np.ones_like(z)
        if self.has("slope of a", l):
            slope = SLOPES[kind](a)
        if self.has("fed with z", l):
            slope = BY_A[kind](z)
        if self.has("slope twice", l):
            slope = slope**2
        if self.has("mask of the error", l):
            slope = np.where(error > 0, 1.0, 0.0)
        if self.has("mask inverted", l):
            slope = np.where(z > 0, 0.0, 1.0)
        if self.has("another slope", l):
            slope = SLOPES["sigmoid" if kind != "sigmoid" else "tanh"](z)
        if self.has("a for the slope", l):
            slope = a
        return error * slope

    def gradients(self, l: int, deltas: list[Array], t: Array, W: list[Array]) -> tuple[Array, Any]:
        x, delta, n = self.a[l], deltas[l], len(t)
        dW, db = x.T @ delta, delta.sum(axis=0)
        if self.has("X for a", l):
            dW = self.a[0].T @ delta
        if self.has("z for a", l):
            dW = self.z[l - 1].T @ delta
        if self.has("dW transposed", l):
            dW = dW.T
        for name, factor in (
            ("undivided", n),
            ("divided twice", 1 / n),
            ("doubled", 2.0),
            ("reversed", -1.0),
            ("odd", 1.37),
        ):
            dW = factor * dW if self.has(f"dW {name}", l) else dW
            db = factor * db if self.has(f"db {name}", l) else db
        dW = 0 * dW if self.has("dW zero", l) or self.has("never filled", l) else dW
        dW = np.outer(x[-1], delta[-1]) if self.has("last sample", l) else dW
        if self.has("one weight", l):
            dW[0, -1] += 0.2
        if self.has("db over all", l):
            db = np.full_like(db, np.sum(delta))
        if self.has("db over outputs", l):
            db = delta.sum(axis=1)
        if self.has("db forgotten", l) or self.has("never filled", l):
            db = 0 * db
        if self.has("one bias", l):
            db[-1] += 0.3
        if self.has("bias rolled", l):
            db = np.roll(db, 1)
        return dW, db
