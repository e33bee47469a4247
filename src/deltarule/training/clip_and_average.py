"""Gradient clipping, before each update of the parameters, and their moving average, after it.

Clipping keeps one odd batch from ruining the network. The average, not the latest parameters, is the result of the run.
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
        """Leave `grads` as they are; a subclass may change them in place."""


@part(frozen=True)
class ClipNorm(NoClipping):
    """Scale a gradient with a Euclidean norm, over all parameters, above `limit` to that norm (Pascanu et al. 2013)."""

    limit: float

    def apply(self, grads: Parameters) -> None:
        """Scale `grads` in place if their norm is above the limit."""
        norm = math.sqrt(np.dot(grads.vector, grads.vector).item())
        if norm > self.limit:
            np.multiply(grads.vector, self.limit / norm, out=grads.vector)


@dataclass
class Latest:
    """No average: the result of a run is the network's own parameters."""

    parameters: Parameters = field(init=False, repr=False, compare=False)
    steps = 0

    def begin(self, params: Parameters) -> None:
        """Begin a run with the network's parameters, `params`."""
        self.parameters = params
        self.steps = 0

    def update(self, params: Parameters) -> None:
        """Include the parameters after a step in the average; without an average, do nothing."""

    def paces(self, n_steps: int) -> Array:
        """For each of the next steps, (n_steps,): by what share of its distance to the parameters the average moves."""
        return np.zeros(n_steps)

    def state(self) -> dict[str, Array]:
        """A copy of what the average keeps besides the network's parameters, by name; empty without an average."""
        return {}

    def load_state(self, state: dict[str, Array]) -> None:
        """Set the average to a state that `state` returned; `begin` comes first."""
        if state.keys() != self.state().keys():
            names, got = ", ".join(self.state()) or "nothing", ", ".join(state) or "nothing"
            raise SettingError(sentence("settings.average", kind=type(self).__name__, names=names, got=got))


@part()
class MovingAverage(Latest):
    """average = decay average + (1 - decay) p after every step (Polyak & Juditsky 1992, with exponential weights).

    decay: in [0, 1); about 1 / (1 - decay) steps count. During the first steps it is at most (1 + step) / (10 + step),
    so that the random start is soon forgotten. It is the average that is validated, kept as the best, and saved.
    """

    decay: float = 0.999

    def begin(self, params: Parameters) -> None:
        """Begin the average with a copy of `params`."""
        super().begin(params.copy())

    def update(self, params: Parameters) -> None:
        """Move the average towards `params`, the parameters after a step."""
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
