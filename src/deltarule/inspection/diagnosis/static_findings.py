"""What is wrong with a network as it is: with its formulas, weights, outputs, units and gradients."""

import math
from collections.abc import Iterator

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.inspection.diagnosis.data_findings import TINY, typical_size
from deltarule.inspection.diagnosis.findings import Finding
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator
from deltarule.training.evaluation import loss_and_score

BATCH, CHECKED = 512, 8  # examples
SATURATED = {Sigmoid: 5.0, Tanh: 2.5}  # beyond such a z the slope is under 3 % of the steepest
NEVER, FLAT = 0.02, 2e-6  # a recall; a slope through which an epoch of steps moves nothing
LEARNED = 0.97  # a loss above so much of that of knowing nothing has learned nothing


def batch_of_all_classes(data: Dataset, n_samples: int) -> Dataset:
    """So many of the examples at most, every class with its share."""
    if n_samples >= data.n_samples:
        return data
    draw = data.split_stratified if data.task == "classes" else data.split_shuffled
    return draw(n_samples, generator(0, "stratified")).test or data


def formula_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Activations, losses or a kind of network that are the user's own, and whose derivatives are wrong."""
    kinds = [type(each) for each in (*network.activations, network.loss, network)]
    if all(each.__module__.partition(".")[0] == "deltarule" for each in kinds):
        return
    if unused := [name for name in ("forward", "backward") if hasattr(network, name)]:
        yield Finding.of("fault", "own-pass-unused", {"methods": len(unused)}, names=" and ".join(unused))
    check = gradcheck(network, batch_of_all_classes(data, CHECKED))
    if not check.ok:
        measured = {"relative error of the gradient": check.max_relative_error, "tolerance": check.tolerance}
        yield Finding.of("fault", "derivative-wrong", measured, mistakes="; ".join(map(str, check.mistakes)))


def network_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Findings about a network and what it makes of a few hundred examples; a new one is known by its loss."""
    broken = int((~np.isfinite(network.parameters.vector)).sum())
    if broken:
        yield Finding.of("fault", "parameters-not-finite", {"parameters": broken})
        return
    loss, chance = loss_and_score(network, data)[0], chance_loss(network, data)
    if not loss < LEARNED * chance:
        yield from weight_findings(network)
        if chance > 0.0:
            times, measured = loss / chance, {"loss": loss, "loss of knowing nothing": chance}
            yield from Finding.by_limits("starts-too-sure", math.inf if math.isnan(times) else times, measured)
    yield from reach_findings(network, data)
    problem = batch_problem(network, data)
    of_units = list(unit_findings(problem))
    yield from of_units
    if not any(each.level == "fault" for each in of_units):
        yield from gradient_findings(problem)


def can_die(network: Network) -> bool:
    """Whether outputs whose activation is flat learn no more: unless the loss cancels its slope."""
    is_flat_somewhere = isinstance(network.activations[-1], Sigmoid | Tanh | ReLU)
    return network.task == "classes" and is_flat_somewhere and not network.has_shortcut


def output_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Classes that are never predicted, where there are examples of them; and outputs that cannot learn any more."""
    if data.task != "classes":
        return
    problem = Problem.of(network, as_floats(data.inputs, np.float64), data.targets)
    z, a = problem.ws.z[-1], problem.ws.a[-1]
    for k, name in enumerate(data.class_names):
        own = data.targets == k
        if own.sum() < CHECKED or (recall := float((a[own].argmax(axis=1) == k).mean())) > NEVER:
            continue
        measured = {"output": k, "examples of its class": int(own.sum()), "recall": recall}
        measured["largest output for them"] = float(a[own, k].max())
        slope = float(np.median(network.activations[-1].derivative(z, a)[own, k])) if can_die(network) else 1.0
        if slope < FLAT:
            measured["typical slope of its activation"] = slope
            words = {
                "target": name,
                "activation": type(network.activations[-1]).__name__.lower(),
                "loss": type(network.loss).__name__,
            }
            yield Finding.of("fault", "output-never-fires", measured, **words)
        else:
            yield Finding.of("warning", "class-never-predicted", measured, target=name)


def batch_problem(network: Network, data: Dataset) -> Problem:
    """What a few hundred examples leave on their way through a network and back, in float64."""
    batch = batch_of_all_classes(data, BATCH)
    return Problem.of(network, as_floats(batch.inputs, np.float64), batch.targets)


def chance_loss(network: Network, data: Dataset) -> float:
    """The loss of answering the same to every example, as well as that can be done: ln K for K equal classes."""
    y = data.targets
    targets = network.loss.targets(np.empty((len(y), data.n_outputs)), y)
    return float(network.loss.value(np.tile(targets.mean(axis=0), (len(y), 1)), y))


def weight_findings(network: Network) -> Iterator[Finding]:
    """Weights of a scale that does not fit their fan-in, or the depth; or equal in all neurons of a layer."""
    shrinkage = 1.0
    for l, W in enumerate(network.weights):
        fan_in, fan_out = W.shape
        size, fitting = float(typical_size(W)), math.sqrt(1.0 / fan_in)
        low, high = math.sqrt(min(1.0 / fan_in, 2.0 / (fan_in + fan_out))), math.sqrt(2.0 / fan_in)
        measured = {"layer": l, "fan-in": fan_in, "size of a weight": size, "fitting": fitting}
        if fan_out > 1 and l < len(network.weights) - 1 and (W[:, :1] == W).all():
            yield Finding.of("fault", "weights-all-equal", {"layer": l, "weight": float(W[0, 0])})
        elif W.size >= 16:
            yield from Finding.by_limits("weights-too-large", size / high, measured)
            yield from Finding.by_limits("weights-too-small", low / max(size, TINY), measured)
        shrinkage *= low / max(size, TINY)
    measured = {"layers": len(network.weights), "times too small, all layers together": shrinkage}
    yield from Finding.by_limits("weights-too-small: depth", shrinkage, measured)


def reach_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Targets that the output's activation can never give."""
    output = network.activations[-1]
    if data.task != "values" or isinstance(output, Identity | Softmax):
        return
    reach = output.value(np.array([[-1e3], [-1.0], [0.0], [1.0], [1e3]]))
    low, high = float(reach.min()), float(reach.max())
    beyond = float(((data.targets < low) | (data.targets > high)).mean())
    measured = {"lowest output": low, "highest": high, "share of targets beyond": beyond}
    yield from Finding.by_limits("targets-out-of-reach", beyond, measured, output=type(output).__name__)


def saturation(activation: Activation, z: Array) -> float | None:
    """The share of z (n_samples, fan_out) that lies where the activation is flat; None where it has no flat ends."""
    limit = next((SATURATED[kind] for kind in SATURATED if isinstance(activation, kind)), None)
    return None if limit is None else float((np.abs(z) > limit).mean())


def dead_share(activation: Activation, z: Array) -> float | None:
    """The share of neurons whose output is 0 for all examples behind z (n_samples, fan_out); None but for a ReLU."""
    return float((z <= 0.0).all(axis=0).mean()) if isinstance(activation, ReLU) else None


def unit_findings(problem: Problem) -> Iterator[Finding]:
    """Units that pass no gradient back: sigmoids and tanhs at their flat ends, ReLUs whose output is always 0."""
    for l, (activation, z) in enumerate(zip(problem.network.activations[:-1], problem.ws.z, strict=False)):
        saturated, dead = saturation(activation, z) or 0.0, dead_share(activation, z) or 0.0
        measured = {"layer": l, "share saturated": saturated, "typical |z|": float(np.median(np.abs(z)))}
        yield from Finding.by_limits(
            "saturated-units", saturated, measured, activation=type(activation).__name__.lower()
        )
        measured = {"layer": l, "share dead": dead, "neurons": z.shape[1], "examples": len(z)}
        yield from Finding.by_limits("dead-relus", dead, measured)


def gradient_findings(problem: Problem) -> Iterator[Finding]:
    """Errors that fade away, or swell, on their way from the last layer to the first."""
    sizes = [float(typical_size(delta)) for delta in problem.delta]
    if len(sizes) < 2 or sizes[-1] == 0.0:
        return
    measured = {f"typical delta in layer {l}": size for l, size in enumerate(sizes)}
    yield from Finding.by_limits("vanishing-gradient", sizes[-1] / max(sizes[0], TINY), measured)
    yield from Finding.by_limits("exploding-gradient", sizes[0] / sizes[-1], measured)
