"""Gradients that are too long are shortened, so that one odd batch cannot throw the network away."""

import math
from dataclasses import dataclass

import numpy as np

from deltarule.nn.parameters import Parameters
from deltarule.public import part
from deltarule.settings import check


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
            gradient = grads.vector
            gradient *= self.limit / norm


def clip_of(given: float | NoClipping | None) -> NoClipping:
    """What shortens gradients, from itself, from the largest norm, or None for nothing. SettingError for the rest."""
    if isinstance(given, NoClipping):
        return given
    check("clip", given)
    return NoClipping() if given is None else ClipNorm(given)
