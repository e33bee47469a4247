"""Gradients that are too long are shortened, so that one odd batch cannot throw the network away."""

import math
from dataclasses import dataclass

import numpy as np

from deltarule.errors import SettingError
from deltarule.nn.parameters import Parameters


@dataclass(frozen=True)
class NoClipping:
    """Gradients are taken as they come."""

    def apply(self, grads: Parameters) -> None:
        """Change `grads` in place, or not."""


@dataclass(frozen=True)
class ClipNorm(NoClipping):
    """Gradients longer than `limit` (Euclidean norm over all parameters) are scaled to it (Pascanu et al. 2013)."""

    limit: float

    def __post_init__(self) -> None:
        if not 0.0 < self.limit < math.inf:
            raise SettingError(f"a gradient is clipped to a norm above 0 and finite: got {self.limit}")

    def apply(self, grads: Parameters) -> None:
        """Scale `grads` in place where their norm is above the limit."""
        norm = math.sqrt(np.dot(grads.vector, grads.vector).item())
        if norm > self.limit:
            gradient = grads.vector
            gradient *= self.limit / norm
