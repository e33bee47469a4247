"""What is wrong without a step: with inputs, targets and their relation; with weights, outputs and gradients."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.examples import check_data
from deltarule.inspection.diagnosis.findings import Finding
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network, inputs_of
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator
from deltarule.training.evaluation import loss_and_score

MOST_EXAMPLES = 2000  # are looked at: enough to tell a share of 1 % from none
FEW = 200  # with fewer examples, neighbors agree or differ by luck

BATCH = 512
SATURATED = {Sigmoid: 5.0, Tanh: 2.5}  # beyond such a z the slope is under 3 % of the steepest
LEARNED = 0.97  # a loss above so much of that of knowing nothing has learned nothing
TINY = 1e-300  # where a number is divided by one that may be 0


def standing_findings(network: Network, train: Dataset, validation: Dataset | None = None) -> Iterator[Finding]:
    """What data and network show without a step; `validation` is what the network is judged by."""
    check_data(network, train, validation)
    train = replace(train, inputs=inputs_of(network, train.inputs))
    sample = sample_of(train)
    X = as_floats(sample.inputs, np.float64)
    yield from input_findings(X, is_image=train.image_shape is not None)
    yield from class_findings(train) if train.task == "classes" else value_findings(train, network.loss)
    if sample.n_samples >= FEW and X.any() and np.ptp(sample.targets, axis=0).any():
        yield from neighbor_findings(X, sample)
    if validation is not None:
        yield from overlap_findings(train, replace(validation, inputs=inputs_of(network, validation.inputs)))
    yield from network_findings(network, sample)


def sample_of(dataset: Dataset) -> Dataset:
    """At most MOST_EXAMPLES of them, drawn at random, the same ones every time."""
    if dataset.n_samples <= MOST_EXAMPLES:
        return dataset
    return dataset.take(np.sort(generator(0, "diagnosis").permutation(dataset.n_samples)[:MOST_EXAMPLES]))


def typical_size(array: Array, axis: int | None = None) -> Array:
    """The root of the mean square."""
    return np.sqrt((array * array).mean(axis=axis))


def input_findings(X: Array, *, is_image: bool) -> Iterator[Finding]:
    """Inputs that are all alike, far too large or far too small."""
    if (X[0] == X).all() and len(X) > 1:
        yield Finding.of("fault", "inputs-all-alike", {"examples": len(X)})
        return
    columns = typical_size(X, axis=0)
    size = float(typical_size(X) if is_image else columns.max())
    measured = {"smallest input": float(X.min()), "largest input": float(X.max()), "typical size": size}
    measured |= {} if is_image else {"in column": int(columns.argmax())}
    cure = "keep pixels as uint8, or divide them by 255" if is_image else "standardize each column"
    yield from Finding.by_limits("inputs-not-scaled", size, measured, cure=cure)
    yield from Finding.by_limits("inputs-too-small", 1.0 / max(float(typical_size(X)), TINY), measured)
    if is_image:
        blank = float((~X.any(axis=1)).mean())
        yield from Finding.by_limits("blank-examples", blank, {"share": blank})


def value_findings(data: Dataset, loss: Loss) -> Iterator[Finding]:
    """Targets that are the same throughout, or of a wild size."""
    spread = np.ptp(data.targets, axis=0)
    if not spread.all():
        names = ", ".join(name for name, each in zip(data.class_names, spread, strict=True) if not each)
        measured = {"constant targets": int((spread == 0).sum()), "of": data.n_outputs}
        yield Finding.of("warning" if spread.any() else "fault", "constant-target", measured, names=names)
    size = float(typical_size(data.targets.astype(np.float64)))
    ends = {"smallest target": float(data.targets.min()), "largest": float(data.targets.max()), "size": size}
    if loss.least_target < 0.0:  # counts are not to be standardized
        yield from Finding.by_limits("targets-not-scaled", size, ends)


def class_findings(data: Dataset) -> Iterator[Finding]:
    """Classes without examples, or with many fewer than others."""
    counts = np.bincount(data.targets, minlength=data.n_outputs)
    most, least = int(counts.argmax()), int(counts.argmin())
    measured = {f"examples of {data.class_names[each]}": int(counts[each]) for each in (most, least)}
    missing = [name for name, count in zip(data.class_names, counts, strict=True) if count == 0]
    if np.count_nonzero(counts) == 1:
        yield Finding.of("fault", "one-class", measured)
    elif missing:
        measured |= {"classes": len(counts), "without examples": len(missing)}
        yield Finding.of("warning", "classes-missing", measured, names=", ".join(missing[:10]))
    else:
        yield from Finding.by_limits("shares-far-apart", counts.max() / counts.min(), measured)


def neighbor_findings(X: Array, data: Dataset) -> Iterator[Finding]:
    """Whether examples that look alike have targets alike: the correlation of a target with its neighbor's."""
    if data.image_shape is None:
        deviation = X.std(axis=0)
        X = X / np.where(deviation > 0.0, deviation, 1.0)
    targets = np.eye(data.n_outputs)[data.targets] if data.task == "classes" else data.targets.astype(np.float64)
    half = len(X) // 2
    asked, known = X[:half], X[half:]
    distances = (known * known).sum(axis=1) - 2.0 * asked @ known.T  # squared, but for what all have in common
    apart = targets - targets.mean(axis=0)
    own, theirs = apart[:half], apart[half:][distances.argmin(axis=1)]
    correlation = float((own * theirs).sum() / np.sqrt((own**2).sum() * (theirs**2).sum()))
    luck = 3.0 / math.sqrt(half * max(1, targets.shape[1] - 1))
    if abs(correlation) < luck:
        measured = {"correlation with the nearest neighbor's target": correlation, "luck alone reaches": luck}
        yield Finding.of("fault", "labels-shuffled", measured)


def overlap_findings(train: Dataset, validation: Dataset) -> Iterator[Finding]:
    """Examples of `validation` that are in `train`, more of them than there are twins within `train`."""
    seen = [hash(row.tobytes()) for row in train.inputs]
    known = set(seen)
    copied = sum(hash(row.tobytes()) in known for row in validation.inputs) / validation.n_samples
    twins = 1.0 - len(known) / len(seen)
    if copied > twins:
        measured = {"share of the validation set": copied, "share of twins within the training set": twins}
        examples = "examples" if validation.image_shape is None else "images"
        yield from Finding.by_limits("validation-in-training", copied, measured, examples=examples)


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


def batch_problem(network: Network, data: Dataset) -> Problem:
    """What a few hundred examples leave on their way through a network and back, in float64."""
    batch = data.take(slice(BATCH))
    return Problem.of(network, as_floats(batch.inputs, np.float64), batch.targets)


def chance_loss(network: Network, data: Dataset) -> float:
    """The loss of answering the same to every example, as well as that can be done: ln K for K equal classes."""
    y = data.targets
    targets = network.loss.targets(np.empty((len(y), data.n_outputs)), y)
    return float(network.loss.value(np.tile(targets.mean(axis=0), (len(y), 1)), y))


def weight_findings(network: Network) -> Iterator[Finding]:
    """Weights of a scale that does not fit their fan-in, or equal in all neurons of a layer."""
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


def reach_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Targets that the output's activation can never give."""
    output = network.activations[-1]
    if data.task != "values" or isinstance(output, Identity | Softmax):
        return
    reach = np.minimum(output.value(np.array([[-1e3], [-1.0], [0.0], [1.0], [1e3]])), np.finfo(float).max)
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
