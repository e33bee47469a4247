"""Engines: the five functions that do the work of a step, as one object, so that faster twins can take their place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltarule.data.augment import deform
from deltarule.errors import SettingError, closest
from deltarule.nn.network import backward, forward
from deltarule.nn.optimizers import Optimizer
from deltarule.training.batches import gather


@dataclass(frozen=True)
class Engine:
    """The five functions, with the signatures of their originals.

    forward(network, X, ws), backward(network, y, ws, grads, ...), step(optimizer, params, grads, learning_rate),
    gather(inputs, indices, out), deform(images, image_shape, deformation, rng, out).
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    step: Callable[..., Any]
    gather: Callable[..., Any]
    deform: Callable[..., Any]


REFERENCE = Engine("numpy", forward, backward, Optimizer.step, gather, deform)
ENGINES = {"auto": REFERENCE, "numpy": REFERENCE}


def engine(name: str) -> Engine:
    """The engine of that name: "numpy", or "auto" for the fastest there is. SettingError for a name that is none."""
    if name not in ENGINES:
        raise SettingError(f"no engine is called {name!r}: {closest(name, ENGINES)}")
    return ENGINES[name]
