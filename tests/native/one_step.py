"""What one batch comes to in an engine: its loss, what it leaves in a workspace, its gradient; and the parts."""

import math
from typing import Any, NamedTuple

import numpy as np

from deltarule.nn import activations, losses, optimizers
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.nn.workspace import Workspace
from deltarule.training.clip_and_average import ClipNorm, NoClipping
from deltarule.training.engine import Engine
from deltarule.training.plan import Buffers, Plan

HIDDEN = [
    activations.Identity(),
    activations.Sigmoid(),
    activations.Tanh(),
    activations.ReLU(),
    activations.LeakyReLU(slope=0.2),
    activations.ELU(alpha=1.3),
    activations.SiLU(),
    activations.Exp(),
    activations.Softmax(),
]
ENDS = [
    (activations.Softmax(), losses.CrossEntropy(label_smoothing=0.1), "classes"),
    (activations.Softmax(), losses.Quadratic(), "classes"),
    (activations.Softmax(), losses.BinaryCrossEntropy(), "classes"),
    (activations.Sigmoid(), losses.BinaryCrossEntropy(label_smoothing=0.1), "labels"),
    (activations.Sigmoid(), losses.Quadratic(), "classes"),
    (activations.Tanh(), losses.Quadratic(), "values"),
    (activations.Identity(), losses.Quadratic(), "values"),
    (activations.Exp(), losses.Poisson(), "counts"),
    (activations.Exp(), losses.Quadratic(), "classes"),
]
RULES = [
    (optimizers.SGD(), Penalty(), NoClipping()),
    (optimizers.SGD(), L2(0.1), ClipNorm(0.2)),
    (optimizers.Momentum(momentum=0.8), L1(0.01), NoClipping()),
    (optimizers.Nesterov(), Penalty(), ClipNorm(0.2)),
    (optimizers.AdaGrad(), L2(0.01), NoClipping()),
    (optimizers.RMSProp(decay=0.9), Penalty(), NoClipping()),
    (optimizers.Adam(beta_1=0.8, beta_2=0.99), L1(0.01), ClipNorm(0.05)),
    (optimizers.AdamW(weight_decay=0.3), L2(0.01), NoClipping()),
]


class Passed(NamedTuple):
    """A batch after the way forward and back."""

    loss: float
    workspace: Workspace
    grads: Parameters


def passed(with_engine: Engine, network: Network, X: Array, y: Array, **more: Any) -> Passed:
    """A batch's way through the network, in the engine that is asked for: with "native" the reference would not do."""
    buffers = Buffers(network, len(X), 1024)
    plan = Plan(X, y, np.arange(len(X)), len(X), np.zeros(1), highest_loss=-math.inf, buffers=buffers, **more)
    assert (with_engine.name == "native") == with_engine.can_run_in_one_call(network, SGD(), plan)
    with np.errstate(all="ignore"):
        outcome = with_engine.run_steps(network, SGD(), plan)
    assert outcome.steps == 0
    return Passed(outcome.losses[0], buffers.workspace, buffers.grads)


def targets(kind: str, n_samples: int, n_outputs: int, rng: np.random.Generator) -> Array:
    made = {
        "classes": lambda: rng.integers(n_outputs, size=n_samples),
        "labels": lambda: rng.integers(2, size=(n_samples, n_outputs)).astype(np.uint8),
        "values": lambda: rng.normal(size=(n_samples, n_outputs)),
        "counts": lambda: rng.poisson(1.5, size=(n_samples, n_outputs)).astype(np.float64),
    }
    return made[kind]()
