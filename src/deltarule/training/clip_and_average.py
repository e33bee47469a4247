"""What stands around an update: before it a gradient that is too long is shortened, after it the average moves.

Clipping keeps one odd batch from throwing the network away; an average counts instead of the latest parameters.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from deltarule.errors import SettingError, sentence
from deltarule.nn.arrays import Array, blocks
from deltarule.nn.parameters import Parameters
from deltarule.public import part


@dataclass(frozen=True)
class NoClipping:
    """Gradients are taken as they come."""

    def apply(self, grads: Parameters) -> None:
        """Change `grads` in place, or not."""


@part(frozen=True)
class ClipNorm(NoClipping):
    """Gradients longer than `limit` (Euclidean norm over all parameters) are scaled to it (Pascanu et al. 2013)."""

    limit: float

    def apply(self, grads: Parameters) -> None:
        """Scale `grads` in place where their norm is above the limit."""
        norm = math.sqrt(np.dot(grads.vector, grads.vector).item())
        if norm > self.limit:
            np.multiply(grads.vector, self.limit / norm, out=grads.vector)


@dataclass
class Latest:
    """No average: the parameters that count are the network's own."""

    parameters: Parameters = field(init=False, repr=False, compare=False)
    steps = 0

    def begin(self, params: Parameters) -> None:
        """Start from `params`."""
        self.parameters = params
        self.steps = 0

    def update(self, params: Parameters) -> None:
        """Take a step's result into account."""

    def paces(self, n_steps: int) -> Array:
        """Which share of its distance to the parameters the average moves, at each of the next steps: (n_steps,)."""
        return np.zeros(n_steps)

    def state(self) -> dict[str, Array]:
        """What the average depends on besides the network's parameters (copies)."""
        return {}

    def load_state(self, state: dict[str, Array]) -> None:
        """Go on from what `state` returned, after `begin`."""
        if state.keys() != self.state().keys():
            names, got = ", ".join(self.state()) or "nothing", ", ".join(state) or "nothing"
            raise SettingError(sentence("settings.average", kind=type(self).__name__, names=names, got=got))


@part()
class MovingAverage(Latest):
    """average = decay average + (1 - decay) p after every step (Polyak & Juditsky 1992, with exponential weights).

    decay: in [0, 1); about 1 / (1 - decay) steps count. During the first steps it is at most (1 + step) / (10 + step),
    so that the random start is soon forgotten. What is validated, kept as best and saved is the average.
    """

    decay: float = 0.999

    def begin(self, params: Parameters) -> None:
        """Start from a copy of `params`."""
        super().begin(params.copy())

    def update(self, params: Parameters) -> None:
        """Move the average towards `params`."""
        share = self.paces(1).item()
        self.steps += 1
        for block in blocks(params.size):
            average = self.parameters.vector[block]
            average += share * (params.vector[block] - average)

    def paces(self, n_steps: int) -> Array:
        steps = self.steps + np.arange(1, n_steps + 1)
        return 1.0 - np.minimum(self.decay, (1 + steps) / (10 + steps))

    def state(self) -> dict[str, Array]:
        return {"steps": np.array(self.steps), "parameters": self.parameters.vector.copy()}

    def load_state(self, state: dict[str, Array]) -> None:
        super().load_state(state)
        self.steps = int(state["steps"])
        self.parameters.vector[:] = state["parameters"]
