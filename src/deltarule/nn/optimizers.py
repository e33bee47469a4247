"""Optimizers: rules that update a vector of parameters by its gradient, from SGD to AdamW.

In the formulas p are the parameters, g is their gradient dC/dp, r the learning rate; all operations are element-wise.
"""

import math
from dataclasses import field
from typing import ClassVar

import numpy as np

from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.nn.arrays import Array, blocks, cache_line_zeros
from deltarule.nn.parameters import Parameters
from deltarule.public import part


@part(kw_only=True)
class Optimizer:
    """An update rule and its state. To write your own, define `moments` and `update`.

    moments: the names of its state vectors, which have the parameters' size and dtype and start at 0.
    steps: the number of steps so far.
    """

    moments: ClassVar[tuple[str, ...]] = ()
    steps: int = field(default=0, init=False)
    _vectors: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def step(self, params: Parameters, grads: Parameters, learning_rate: float) -> None:
        """Take a step: change `params` in place by the update rule, given the gradient `grads` of the same layout."""
        moments = self.moment_vectors(params, grads)
        self.steps += 1
        is_ours = type(self).__module__ == __name__  # a rule of the user's may keep arrays of its own, for all of p
        for block in blocks(params.size) if is_ours else [slice(None)]:
            answer = self.update(  # type: ignore[func-returns-value]
                params.vector[block], grads.vector[block], learning_rate, *(v[block] for v in moments)
            )
            if answer is not None:
                raise SettingError(sentence("network.own_update", name=type(self).__name__))

    def moment_vectors(self, params: Parameters, grads: Parameters) -> list[Array]:
        """The state vectors, zeros before the first step. ShapeError if their size is not that of params and grads."""
        if not self._vectors:
            self._vectors = {name: cache_line_zeros(params.size, params.vector.dtype) for name in self.moments}
        vectors = list(self._vectors.values())
        sizes = [params.size, grads.size, *(v.size for v in vectors)]
        if len(set(sizes)) > 1:
            got = ", ".join(map(str, sizes))
            raise ShapeError(sentence("network.other_sizes", optimizer=type(self).__name__, got=got))
        return vectors

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        """Apply the rule to a block of the parameters, p, with the gradient g: change p and the moments in place."""
        raise TypeError(f"{type(self).__name__} must define update(p, g, learning_rate, *moments)")

    def state(self) -> dict[str, Array]:
        """A copy of the optimizer's state, by name: `steps`, a 0-d int64 array, and the state vectors."""
        return {"steps": np.array(self.steps)} | {name: v.copy() for name, v in self._vectors.items()}

    def load_state(self, state: dict[str, Array]) -> None:
        """Set the optimizer to a state that `state` returned. SettingError if it is another optimizer's."""
        names = set(state) - {"steps"}
        if "steps" not in state or names not in (set(), set(self.moments)):
            needed, got = ", ".join(self.moments) or "no moments", ", ".join(sorted(state)) or "nothing"
            raise SettingError(sentence("network.state", optimizer=type(self).__name__, needed=needed, got=got))
        self.steps = int(state["steps"])
        self._vectors = {name: state[name].copy() for name in self.moments if name in names}


@part(kw_only=True)
class SGD(Optimizer):
    """p -= r g: gradient descent; "stochastic" where g comes from a batch drawn at random."""

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        p -= learning_rate * g


@part(kw_only=True)
class Momentum(Optimizer):
    """v = m v + g;  p -= r v: a heavy ball, which keeps rolling while gradients agree (Polyak 1964).

    momentum: m in [0, 1); with 0.9, the default, about the last ten gradients count.
    The learning rate stands outside v, as in PyTorch; Keras and Sutskever have v = m v - r g, p += v, which differs
    as soon as the rate changes.
    """

    moments: ClassVar[tuple[str, ...]] = ("velocity",)
    momentum: float = 0.9

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (v,) = moments
        v *= self.momentum
        v += g
        p -= learning_rate * v


@part(kw_only=True)
class Nesterov(Momentum):
    """v = m v + g;  p -= r (g + m v): as if the gradient were taken where the momentum carries p (Nesterov 1983)."""

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (v,) = moments
        v *= self.momentum
        v += g
        p -= learning_rate * (g + self.momentum * v)


@part(kw_only=True)
class AdaGrad(Optimizer):
    """s = s + g^2;  p -= r g / (sqrt(s) + e): smaller steps after large gradients (Duchi et al. 2011).

    epsilon: e > 0, added outside the root as in PyTorch.
    """

    moments: ClassVar[tuple[str, ...]] = ("squares",)
    epsilon: float = 1e-10

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (s,) = moments
        s += g * g
        p -= learning_rate * g / (np.sqrt(s) + self.epsilon)


@part(kw_only=True)
class RMSProp(Optimizer):
    """s = b s + (1 - b) g^2;  p -= r g / (sqrt(s) + e): AdaGrad that forgets old gradients (Hinton 2012, lecture 6e).

    decay: b in [0, 1). epsilon: e > 0, added outside the root as in PyTorch (Keras adds it inside, and has b = 0.9).
    """

    moments: ClassVar[tuple[str, ...]] = ("squares",)
    decay: float = 0.99
    epsilon: float = 1e-8

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (s,) = moments
        s *= self.decay
        s += (1.0 - self.decay) * g * g
        p -= learning_rate * g / (np.sqrt(s) + self.epsilon)


@part(kw_only=True)
class Adam(Optimizer):
    """Momentum with RMSProp's scaling, both bias-corrected (Kingma & Ba 2015, algorithm 1).

    m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;  p -= r m^ / (sqrt(s^) + e)
    with m^ = m / (1 - b1^t) and s^ = s / (1 - b2^t) at step t.

    beta_1, beta_2: b1, b2 in [0, 1). epsilon: e > 0, added outside the root and after the correction, as in PyTorch
        (TensorFlow and scikit-learn add it before the correction).
    """

    moments: ClassVar[tuple[str, ...]] = ("mean", "squares")
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        m, s = moments
        m *= self.beta_1
        m += (1.0 - self.beta_1) * g
        s *= self.beta_2
        s += (1.0 - self.beta_2) * g * g
        rate = learning_rate / (1.0 - self.beta_1**self.steps)
        correction = 1.0 / math.sqrt(1.0 - self.beta_2**self.steps)
        p -= rate * m / (np.sqrt(s) * correction + self.epsilon)


@part(kw_only=True)
class AdamW(Adam):
    """Adam, each step preceded by w -= r d w: a decay that Adam does not rescale (Loshchilov & Hutter 2019).

    weight_decay: d, 0 or more. Biases do not decay (PyTorch's AdamW decays them too by default).
    """

    weight_decay: float = 0.01

    def step(self, params: Parameters, grads: Parameters, learning_rate: float) -> None:
        self.moment_vectors(params, grads)  # raises ShapeError before anything changes
        params.weight_block *= 1.0 - learning_rate * self.weight_decay
        super().step(params, grads, learning_rate)
