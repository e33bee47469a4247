"""What is wrong with a network where it stands: its weights, what its neurons say, what comes back to them."""

import math
from collections.abc import Iterator

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.inspection.diagnosis.finding import Finding, Level
from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.workspace import Workspace, as_floats

BATCH = 512
SATURATED = {Sigmoid: 5.0, Tanh: 2.5}  # beyond such a z the slope is under 3 % of the steepest
MANY, ALMOST_ALL = 0.5, 0.9
DEAD = 0.25
FIT = 5.0  # weights more than so many times larger, or smaller, than their initializers make them
VANISHED, EXPLODED = 1e-4, 1e4  # the error at the first layer over that at the last
START_TOO_SURE = 5.0  # times the loss of knowing nothing


def look_at_state(network: Network, data: Dataset, *, is_new: bool) -> Iterator[Finding]:
    """Findings about a network and what it makes of a few hundred examples; `is_new`: it has not been trained."""
    if not np.isfinite(network.parameters.vector).all():
        broken = int((~np.isfinite(network.parameters.vector)).sum())
        mend = "start again from new weights, with a smaller learning rate"
        says = "The network is broken: it holds parameters that are no finite numbers."
        yield Finding("fault", "parameters-not-finite", says, {"parameters": broken}, mend)
        return
    ws, batch = passed(network, data), data.take(slice(BATCH))
    loss = loss_value(network, batch.targets, ws)
    if is_new:
        yield from weight_findings(network)
        yield from start_findings(loss, chance_loss(network, data))
    yield from reach_findings(network, batch)
    said = [*saturation_findings(network, ws), *dead_findings(network, ws)]
    yield from said
    if not any(each.level == "fault" for each in said):
        yield from gradient_findings(ws)


def passed(network: Network, data: Dataset) -> Workspace:
    """What a few hundred examples leave on their way through a network and back, in float64."""
    network, batch = network.astype(np.float64), data.take(slice(BATCH))
    ws = network.workspace(batch.n_samples)
    forward(network, as_floats(batch.inputs, np.float64), ws)
    backward(network, batch.targets, ws, network.parameters.zeros_like())
    return ws


def chance_loss(network: Network, data: Dataset) -> float:
    """The loss of answering the same to every example, as well as that can be done: ln K for K equal classes."""
    y = data.targets
    targets = network.loss.targets(np.empty((len(y), data.n_outputs)), y)
    return float(network.loss.value(np.tile(targets.mean(axis=0), (len(y), 1)), y))


def weight_findings(network: Network) -> Iterator[Finding]:
    """Weights of a scale that does not fit their fan-in, or equal in all neurons of a layer."""
    for l, W in enumerate(network.weights):
        fan_in, fan_out = W.shape
        if fan_out > 1 and l < len(network.weights) - 1 and (W[:, :1] == W).all():
            says = f"All neurons of layer {l} have the same weights, and so will stay the same for ever."
            mend = "draw the weights at random (he_normal, glorot_uniform); zeros are for biases"
            yield Finding("fault", "weights-all-equal", says, {"layer": l, "weight": float(W[0, 0])}, mend)
            continue
        size = float(np.sqrt((W * W).mean()))
        low, high = math.sqrt(min(1.0 / fan_in, 2.0 / (fan_in + fan_out))), math.sqrt(2.0 / fan_in)
        measured = {"layer": l, "fan-in": fan_in, "size of a weight": size, "fitting": math.sqrt(1.0 / fan_in)}
        if W.size < 16:
            continue
        if size > FIT * high:
            says = f"The weights of layer {l} are too large for their fan-in: sums over {fan_in} inputs overshoot."
            mend = "start from lecun_normal, glorot_uniform or, for ReLU, he_normal"
            yield Finding("warning", "weights-too-large", says, measured, mend)
        elif size < low / FIT:
            says = f"The weights of layer {l} are too small for their fan-in: what passes through fades."
            mend = "start from lecun_normal, glorot_uniform or, for ReLU, he_normal"
            yield Finding("warning", "weights-too-small", says, measured, mend)


def start_findings(loss: float, chance: float) -> Iterator[Finding]:
    """A start that is surer, and so more wrong, than one that knows nothing."""
    if chance > 0.0 and not loss <= START_TOO_SURE * chance:
        says = "Before its first step the network is sure of wrong answers."
        measured = {"loss": loss, "loss of knowing nothing": chance}
        mend = "start from smaller weights, and scale the inputs: a fresh network should give every class its share"
        yield Finding("warning", "starts-too-sure", says, measured, mend)


def reach_findings(network: Network, batch: Dataset) -> Iterator[Finding]:
    """Targets that the output's activation can never give."""
    if batch.task != "values" or isinstance(network.activations[-1], Identity | Softmax):
        return
    reach = network.activations[-1].value(np.array([[-1e3], [-1.0], [0.0], [1.0], [1e3]]))
    low, high = float(reach.min()), float(reach.max())
    beyond = float(((batch.targets < low) | (batch.targets > high)).mean())
    if beyond > 0.0:
        output = type(network.activations[-1]).__name__
        says = f"There are targets that the outputs cannot reach: {output} ends before them."
        measured = {"lowest output": low, "highest": high, "share of targets beyond": beyond}
        mend = "end a regression in Identity, or bring the targets into this range"
        yield Finding("fault" if beyond > 0.1 else "warning", "targets-out-of-reach", says, measured, mend)


def level_of(share: float, warning: float) -> Level | None:
    """How bad a share of neurons is."""
    return "fault" if share >= ALMOST_ALL else "warning" if share >= warning else None


def saturated_share(activation: Activation, z: Array) -> float | None:
    """How many of z (n_samples, fan_out) lie where the activation is flat; None where it has no flat ends."""
    limit = next((SATURATED[kind] for kind in SATURATED if isinstance(activation, kind)), None)
    return None if limit is None else float((np.abs(z) > limit).mean())


def dead_share(activation: Activation, z: Array) -> float | None:
    """How many neurons answer 0 to every one of the examples behind z (n_samples, fan_out); None but for a ReLU."""
    return float((z <= 0.0).all(axis=0).mean()) if isinstance(activation, ReLU) else None


def saturation_findings(network: Network, ws: Workspace) -> Iterator[Finding]:
    """Sigmoids and tanhs at their flat ends, where next to no gradient comes through."""
    for l, activation in enumerate(network.activations[:-1]):
        share = saturated_share(activation, ws.z[l]) or 0.0
        level = level_of(share, MANY)
        if level is not None:
            name = type(activation).__name__.lower()
            says = f"The {name} units of layer {l} are saturated: at their flat ends they pass no gradient back."
            measured = {"layer": l, "share saturated": share, "typical |z|": float(np.median(np.abs(ws.z[l])))}
            mend = "bring |z| down to about 1: scale the inputs, and start from lecun_normal or glorot_uniform"
            yield Finding(level, "saturated-units", says, measured, mend)


def dead_findings(network: Network, ws: Workspace) -> Iterator[Finding]:
    """ReLUs that answer 0 to every example, and so never learn again."""
    for l, activation in enumerate(network.activations[:-1]):
        share = dead_share(activation, ws.z[l]) or 0.0
        level = level_of(share, DEAD)
        if level is not None:
            says = f"ReLUs of layer {l} are dead: they answer 0 to every example, and no gradient reaches them."
            measured = {"layer": l, "share dead": share, "neurons": ws.z[l].shape[1], "examples": len(ws.z[l])}
            mend = "lower the learning rate, start biases at 0 and weights from he_normal, or use LeakyReLU"
            yield Finding(level, "dead-relus", says, measured, mend)


def gradient_findings(ws: Workspace) -> Iterator[Finding]:
    """Errors that fade away, or swell, on their way from the last layer to the first."""
    sizes = [_size(delta) for delta in ws.delta]
    if len(sizes) < 2 or sizes[-1] == 0.0:
        return
    ratio = sizes[0] / sizes[-1]
    measured = {f"typical delta in layer {l}": size for l, size in enumerate(sizes)}
    if ratio < 100.0 * VANISHED:
        says = "The gradient vanishes on its way back: the first layers hardly learn."
        mend = "use ReLU with he_normal, or fewer layers; sigmoids let at most a quarter through, each layer anew"
        yield Finding("fault" if ratio < VANISHED else "warning", "vanishing-gradient", says, measured, mend)
    elif ratio > EXPLODED / 100.0:
        says = "The gradient explodes on its way back: the first layers are thrown about."
        mend = "start from smaller weights (he_normal, glorot_uniform), or clip the gradient (clip=1.0)"
        yield Finding("fault" if ratio > EXPLODED else "warning", "exploding-gradient", says, measured, mend)


def _size(array: Array) -> float:
    return float(np.sqrt((array * array).mean()))
