"""What one batch comes to in an engine: its loss, what it leaves in a workspace, its gradient. No parameter changes."""

import math
from typing import Any, NamedTuple

import numpy as np

from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.training.engine import Engine
from deltarule.training.plan import Buffers, Plan


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
