"""When a run has come to nothing: its loss is lost, or its parameters, and what to say of that."""

import math

import numpy as np

from deltarule.errors import DivergenceError, sentence
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace

BLOW_UP = 1000.0  # a loss so many times that of epoch 0 (or 1, if that was less) is on its way to infinity
LARGE_INPUT = 100.0  # inputs beyond this are more likely to blow up a run than its learning rate is


def are_finite(parameters: Parameters) -> bool:
    """Whether all are finite numbers, which the sum shows: an epoch's last step may have broken what no loss saw."""
    return math.isfinite(parameters.vector.sum())


def divergence(
    network: Network, ws: Workspace, rates: tuple[float, float], *, loss: float, step: int, epoch: int, kept: int
) -> DivergenceError:
    """The error for a step that lost its loss: it names the step and the layer where it broke, and the likely cause.

    ws: what that step's batch came to in each layer. rates: the learning rate that was set, and what the schedule made
        of it for the step before, which broke it. kept: the epoch whose parameters the network keeps.
    """
    layers = zip(ws.z, network.weights, network.biases, strict=True)
    broken = (l for l, layer in enumerate(layers) if not all(np.isfinite(array).all() for array in layer))
    reached = [np.abs(z).max() for z in ws.z]
    first = next(broken, int(np.argmax(reached)))
    largest = float(np.abs(ws.inputs[0]).max())
    if largest > LARGE_INPUT:
        key = "large_inputs"
    elif step > 0:
        key = "high_rate"
    else:
        key = "far_target" if np.max([*reached, np.abs(ws.a[-1]).max()]) <= BLOW_UP else "large_weights"
    lower = rates[0] / 10
    while lower > rates[1] > 0.0:  # one that a warm-up reaches is too high already
        lower /= 10
    cause = sentence(f"divergence.{key}", largest=largest, rate=rates[0], lower=lower)
    where = {"step": step, "epoch": epoch, "first": first, "kept": kept}
    return DivergenceError(sentence("divergence.loss", loss=loss, cause=cause, **where))
