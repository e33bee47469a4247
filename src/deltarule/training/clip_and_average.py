"""Around an update: gradient clipping before it, the moving average of the parameters after it.

Clipping keeps one odd batch from ruining the network; the average replaces the latest parameters as the result.
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
    """No clipping."""

    def apply(self, grads: Parameters) -> None:
        """Change `grads` in place, if needed."""


@part(frozen=True)
class ClipNorm(NoClipping):
    """Gradients longer than `limit` (Euclidean norm over all parameters) are scaled to it (Pascanu et al. 2013)."""

    limit: float

    def apply(self, grads: Parameters) -> None:
        """Scale `grads` in place if their norm is above the limit."""
        norm = math.sqrt(np.dot(grads.vector, grads.vector).item())
        if norm > self.limit:
            np.multiply(grads.vector, self.limit / norm, out=grads.vector)


@dataclass
class Latest:
    """No average: the result is the network's own parameters."""

    parameters: Parameters = field(init=False, repr=False, compare=False)
    steps = 0

    def begin(self, params: Parameters) -> None:
        """Start from `params`."""
        self.parameters = params
        self.steps = 0

    def update(self, params: Parameters) -> None:
        """Include the result of a step."""

    def paces(self, n_steps: int) -> Array:
        """The share of its distance to the parameters that the average moves at each of the next steps, (n_steps,)."""
        return np.zeros(n_steps)

    def state(self) -> dict[str, Array]:
        """The state of the average besides the network's parameters (copies)."""
        return {}

    def load_state(self, state: dict[str, Array]) -> None:
        """Continue from what `state` returned, after `begin`."""
        if state.keys() != self.state().keys():
            names, got = ", ".join(self.state()) or "nothing", ", ".join(state) or "nothing"
            raise SettingError(sentence("settings.average", kind=type(self).__name__, names=names, got=got))


@part()
class MovingAverage(Latest):
    """average = decay average + (1 - decay) p after every step (Polyak & Juditsky 1992, with exponential weights).

    decay: in [0, 1); about 1 / (1 - decay) steps count. During the first steps it is at most (1 + step) / (10 + step),
    so that the random start is soon forgotten. The average is validated, kept as best and saved.
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
