"""How a gradient becomes a step: update rules for one vector, each adding something to those before.

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
    """An update rule and its state. For your own, define `moments` and `update`.

    moments: the names of its state vectors, with the parameters' size and dtype, zeros at first.
    steps: the number of steps so far.
    """

    moments: ClassVar[tuple[str, ...]] = ()
    steps: int = field(default=0, init=False)
    _vectors: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def step(self, params: Parameters, grads: Parameters, learning_rate: float) -> None:
        """Change `params` in place, against the gradient `grads` of the same layout."""
        moments = self.moment_vectors(params, grads)
        self.steps += 1
        for block in blocks(params.size):
            self.update(params.vector[block], grads.vector[block], learning_rate, *(v[block] for v in moments))

    def moment_vectors(self, params: Parameters, grads: Parameters) -> list[Array]:
        """The moments, zeros before the first step. Raises ShapeError if they do not fit these parameters."""
        if not self._vectors:
            self._vectors = {name: cache_line_zeros(params.size, params.vector.dtype) for name in self.moments}
        vectors = list(self._vectors.values())
        sizes = [params.size, grads.size, *(v.size for v in vectors)]
        if len(set(sizes)) > 1:
            got = ", ".join(map(str, sizes))
            raise ShapeError(sentence("network.other_sizes", optimizer=type(self).__name__, got=got))
        return vectors

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        """Change a block of p, and of each moment, in place."""
        raise TypeError(f"{type(self).__name__} must define update(p, g, learning_rate, *moments)")

    def state(self) -> dict[str, Array]:
        """The state for the next step: `steps`, a 0-d int64 array, and the moments (copies)."""
        return {"steps": np.array(self.steps)} | {name: v.copy() for name, v in self._vectors.items()}

    def load_state(self, state: dict[str, Array]) -> None:
        """Continue from what `state` returned."""
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

    momentum: m in [0, 1), 0.9: about the last ten gradients count.
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
    """v = m v + g;  p -= r (g + m v): the gradient as if taken where the ball will be (Nesterov 1983)."""

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (v,) = moments
        v *= self.momentum
        v += g
        p -= learning_rate * (g + self.momentum * v)


@part(kw_only=True)
class AdaGrad(Optimizer):
    """s = s + g^2;  p -= r g / (sqrt(s) + e): a smaller rate after large gradients (Duchi et al. 2011).

    epsilon: e > 0, outside the root as in PyTorch.
    """

    moments: ClassVar[tuple[str, ...]] = ("squares",)
    epsilon: float = 1e-10

    def update(self, p: Array, g: Array, learning_rate: float, *moments: Array) -> None:
        (s,) = moments
        s += g * g
        p -= learning_rate * g / (np.sqrt(s) + self.epsilon)


@part(kw_only=True)
class RMSProp(Optimizer):
    """s = b s + (1 - b) g^2;  p -= r g / (sqrt(s) + e): AdaGrad with a memory that fades (Hinton 2012, lecture 6e).

    decay: b in [0, 1), 0.99. epsilon: e > 0, outside the root as in PyTorch (Keras has it inside, and b = 0.9).
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

    beta_1, beta_2: b1, b2 in [0, 1). epsilon: e > 0, outside the root and after the correction, as in PyTorch
        (TensorFlow and scikit-learn have it before the correction).
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
    """Adam after w -= r d w on the weights: decay that Adam does not rescale (Loshchilov & Hutter 2019).

    weight_decay: d, 0 or more. Biases do not decay (PyTorch's AdamW decays them too by default).
    """

    weight_decay: float = 0.01

    def step(self, params: Parameters, grads: Parameters, learning_rate: float) -> None:
        self.moment_vectors(params, grads)  # which checks the fit before anything changes
        params.weight_block *= 1.0 - learning_rate * self.weight_decay
        super().step(params, grads, learning_rate)
