"""Activations of a program: the known ones, their usual mistakes, and the program's own functions."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deltarule.learn.roles import plain
from deltarule.nn.arrays import Array

Function = Callable[[Array], Array]
TOLERANCE = 1e-5
PLAIN = (1.0, 2.0, 0.5)  # the factors that count as conventions if only one number is compared


@dataclass(frozen=True)
class Sigma:
    """An activation. value, slope: sigma and sigma' as functions of z. softmax is the only one that mixes outputs."""

    name: str
    value: Function
    slope: Function
    of_a: Function | None = None  # sigma' as a function of a, where it has one

    def back(self, error: Array, z: Array, a: Array) -> Array:
        """Turn `error`, dC/da (n, outputs), into dC/dz. a: the program's own, which may differ from value(z)."""
        if self.name == "softmax":
            return a * (error - (error * a).sum(axis=1, keepdims=True))
        return error * self.slope(z)

    def with_steepness(self, k: float) -> "Sigma":
        """The sigmoid of k z."""
        return Sigma(self.name, lambda z: self.value(k * z), lambda z: k * self.slope(k * z), lambda a: k * a * (1 - a))


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def softmax(weighted: Array, axis: int | None = 1) -> Array:
    """e^z divided by its sum along an axis, or by the sum of all if `axis` is None."""
    powers = np.exp(weighted - weighted.max())
    return powers / powers.sum(axis=axis, keepdims=True)


def exponentials(z: Array, axis: int) -> Array:
    """e^(z - m), where m is the largest z along an axis."""
    return np.exp(z - z.max(axis=axis, keepdims=True))


def leaky(slope: float, name: str = "leaky ReLU") -> Sigma:
    """A ReLU whose slope for z below 0 is `slope`, with its derivative."""
    return Sigma(
        name,
        lambda z: np.where(z > 0, z, slope * z),
        lambda z: np.where(z > 0, 1.0, slope),
        lambda a: np.where(a > 0, 1.0, slope),
    )


SIGMOID = Sigma("sigmoid", sigmoid, lambda z: sigmoid(z) * sigmoid(-z), lambda a: a * (1 - a))
TANH = Sigma("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda a: 1 - a**2)
RELU = leaky(0.0, "ReLU")
SOFTMAX = Sigma("softmax", softmax, lambda z: softmax(z) * (1 - softmax(z)), lambda a: a * (1 - a))
BIPOLAR = Sigma("bipolar sigmoid", lambda z: np.tanh(z / 2), lambda z: 2 * SIGMOID.slope(z), lambda a: (1 - a**2) / 2)
IDENTITY = Sigma("identity", lambda z: z, np.ones_like, np.ones_like)
SMOOTH = (
    Sigma("softplus", lambda z: np.logaddexp(0, z), sigmoid),
    Sigma("SiLU", lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    Sigma("sine", np.sin, np.cos),
    Sigma("arctan", np.arctan, lambda z: 1 / (1 + z**2)),
    Sigma("ELU", lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0))),
)
KNOWN = (SIGMOID, TANH, RELU, SOFTMAX, BIPOLAR, *SMOOTH)

MEANT = {"leaky|prelu|hard": None, "sigm|logistic": SIGMOID, "tanh": TANH, "softmax": SOFTMAX, "relu": RELU}

# The usual mistakes: the id in mistakes.toml, the activation that was meant, and what is computed from z instead.
MISTAKEN: tuple[tuple[str, Sigma, Function], ...] = (
    ("sigmoid-minus", SIGMOID, lambda z: sigmoid(-z)),
    ("softmax-axis", SOFTMAX, lambda z: softmax(z, 0)),
    ("softmax-axis", SOFTMAX, lambda z: exponentials(z, 1) / exponentials(z, 1).sum(axis=0)),
    ("softmax-axis", SOFTMAX, lambda z: exponentials(z, 0) / exponentials(z, 0).sum(axis=0)),
    ("softmax-of-all", SOFTMAX, lambda z: softmax(z, None)),
    ("softmax-of-all", SOFTMAX, lambda z: exponentials(z, 1) / exponentials(z, 1).sum()),
    ("softmax-of-all", SOFTMAX, lambda z: exponentials(z, 0) / exponentials(z, 0).sum()),
    ("softmax-axis", SOFTMAX, lambda z: exponentials(z, 0) / exponentials(z, 0).sum(axis=1, keepdims=True)),
    ("relu-inverted", RELU, lambda z: np.minimum(z, 0)),
    ("sigmoid-not-inverted", SIGMOID, lambda z: 1 / (1 - np.exp(-z))),
    ("softmax-minus", SOFTMAX, lambda z: softmax(-z)),
    ("tanh-inverted", TANH, lambda z: -np.tanh(z)),
    ("activation-twice", SIGMOID, lambda z: sigmoid(sigmoid(z))),
    ("activation-twice", TANH, lambda z: np.tanh(np.tanh(z))),
)

# More mistakes, whose results may also be a step on the way to the right value.
UNFINISHED: tuple[tuple[str, Sigma, Function], ...] = (
    ("relu-mask", RELU, lambda z: (z > 0) * 1.0),
    ("relu-absolute", RELU, np.abs),
    ("sigmoid-unfinished", SIGMOID, lambda z: 1 + np.exp(-z)),
    ("softmax-unnormalized", SOFTMAX, np.exp),
    ("softmax-unnormalized", SOFTMAX, lambda z: exponentials(z, 1)),
)


def sigma_of(name: str) -> Sigma | None:
    """The activation that a function's name suggests, such as SIGMOID for "my_sigmoid"; None if it suggests none."""
    return next((kind for words, kind in MEANT.items() if re.search(words, plain(name))), None)


def own(name: str, function: Function) -> Sigma:
    """An activation from a function of the program's own, with its slope by central differences."""
    step = 1e-6
    return Sigma(name, function, lambda z: (function(z + step) - function(z - step)) / (2 * step))


def is_close(found: Array, right: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays of one shape differ by at most `tolerance` times the norm of the second."""
    return likeness(right, tolerance)(found)


def likeness(right: Array, tolerance: float = TOLERANCE) -> Callable[[Array], bool]:
    """A function that tells whether an array agrees with `right`, as `is_close` does, but fast for many arrays."""
    allowed = tolerance * max(math.sqrt(float(np.vdot(right, right).real)), 1e-30)
    first = right.item(0) if right.size else 0.0

    def is_like(found: Array) -> bool:
        if not abs(found.item(0) - first) <= allowed:  # one number distinguishes most
            return False
        rest = found - right
        return math.sqrt(float(np.vdot(rest, rest).real)) <= allowed

    return is_like


def activation_for(z: Array, a: Array, known: Sequence[Callable[[Array], bool]]) -> Sigma | None:
    """The activation that turns z into a, None if unknown. known: for each of KNOWN, a test for its value at z."""
    for kind, is_like in zip(KNOWN, known, strict=True):
        if is_like(a):
            return kind
    above = z > 0
    if above.any() and is_close(a[above], z[above]) and (below := (z < 0) & (a != 0)).any():
        slope = float(np.median(a[below] / z[below]))
        if 0 < abs(slope) < 1 and is_close(a, np.where(above, z, slope * z)):
            return leaky(slope)
    return None


def factor_between(found: Array, right: Array) -> float | None:
    """The factor c with found = c * right, up to rounding; None if there is none."""
    size = float(np.vdot(right, right).real)
    if not size or not math.isfinite(size):
        return None
    factor = float(np.vdot(right, found).real) / size
    if not factor or not math.isfinite(factor):
        return None
    if np.count_nonzero(right) == 1 and not any(abs(abs(factor) / each - 1) < 1e-6 for each in PLAIN):
        return None  # any number is a multiple of any other
    return factor if is_close(found, factor * right, 2e-5) else None


def shares_of(found: Array, first: Array, second: Array) -> tuple[float, float]:
    """The factors with which `first` and `second` add up closest to `found`; (0, 0) if they are not well defined."""
    one, two = first.ravel(), second.ravel()
    system = np.array([[one @ one, one @ two], [one @ two, two @ two]])
    if found.size < 4 or abs(np.linalg.det(system)) <= 1e-12 * system[0, 0] * system[1, 1]:
        return 0.0, 0.0
    factor, share = np.linalg.solve(system, [one @ found.ravel(), two @ found.ravel()])
    return float(factor), float(share)


def slope_name(delta: Array, error: Array, weighted: Array) -> str:
    """The name of the activation whose slope turns an error (dC/da) into delta; "the activation" if none does."""
    slopes = [(kind, form(weighted)) for kind in (SIGMOID, TANH, RELU) for form in (kind.slope, kind.of_a) if form]
    names = (kind.name for kind, slope in slopes if factor_between(delta, error * slope) is not None)
    return next(names, "the activation")
