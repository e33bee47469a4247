"""Findings before any training step: on inputs, targets and their relation; on formulas, weights and gradients."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from deltarule.data.built_in import load_digits
from deltarule.data.dataset import Dataset
from deltarule.examples import check_data
from deltarule.inspection.diagnosis.findings import Finding
from deltarule.inspection.gradcheck.check import gradcheck
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, inputs_of
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator
from deltarule.training.evaluation import loss_and_score

MOST_EXAMPLES = 2000  # examples to check: enough to tell a share of 1 % from none
FEW = 200  # with fewer examples, neighbors agree or differ by chance
FEW_COLUMNS = 16  # fewer columns are never pixels
BACKGROUND = 0.2  # the share of pixels of one value that makes it the background
SMOOTHER, CLOSER = 0.9, 0.05  # undoing a wrap shrinks the steps between pixels by this, or improves the relation
ALIKE = 0.5  # the correlation of mean images of the same thing, and of surely related targets
VIEWS: dict[str, tuple[str, Callable[[Array], Array]]] = {  # how images may be stored, by the line that turns them
    "X.transpose(0, 2, 1)": ("transposed: rows and columns are swapped", lambda images: images.transpose(0, 2, 1)),
    "X[:, :, ::-1]": ("mirrored", lambda images: images[:, :, ::-1]),
    "X[:, ::-1]": ("upside down", lambda images: images[:, ::-1]),
}
TINY = 1e-300  # added to divisors that may be 0
BATCH, CHECKED = 512, 8  # examples for a forward pass; for a gradient check, or a recall
SATURATED = {Sigmoid: 5.0, Tanh: 2.5}  # beyond such a z the slope is below 3 % of the steepest
NEVER, FLAT = 0.02, 2e-6  # a recall; a slope with which an epoch of steps changes nothing
LEARNED = 0.97  # a loss above this share of the loss at chance has learned nothing


def data_findings(network: Network, train: Dataset, validation: Dataset | None = None) -> Iterator[Finding]:
    """Findings on the training data and, if given, on the validation data, which score the network."""
    check_data(network, train, validation)
    train = replace(train, inputs=inputs_of(network, train.inputs))
    sample = sample_of(train)
    X = as_floats(sample.inputs, np.float64)
    yield from input_findings(X, train)
    yield from class_findings(train) if train.task == "classes" else value_findings(train, network)
    if sample.n_samples >= FEW and X.any() and np.ptp(sample.targets, axis=0).any():
        yield from list(wrap_findings(sample)) or relation_findings(X, train)
    if train.image_shape == (28, 28) and train.class_names == tuple("0123456789") and sample.n_samples >= FEW:
        yield from view_findings(X, sample.targets)
    if validation is not None:
        validation = replace(validation, inputs=inputs_of(network, validation.inputs))
        yield from overlap_findings(train, validation)
        yield from difference_findings(X, as_floats(sample_of(validation).inputs, np.float64), train)


def sample_order(dataset: Dataset) -> Array:
    """The indices of at most MOST_EXAMPLES random examples, the same every time."""
    return np.sort(generator(0, "diagnosis").permutation(dataset.n_samples)[:MOST_EXAMPLES])


def sample_of(dataset: Dataset) -> Dataset:
    """A dataset of at most MOST_EXAMPLES examples, drawn at random, the same every time."""
    return dataset if dataset.n_samples <= MOST_EXAMPLES else dataset.take(sample_order(dataset))


def typical_size(array: Array, axis: int | None = None) -> Array:
    """The root of the mean square of an array."""
    return np.sqrt((array * array).mean(axis=axis))


def input_findings(X: Array, data: Dataset) -> Iterator[Finding]:
    """Findings on inputs that are all alike, far too large or far too small, and on columns that repeat others."""
    if (X[0] == X).all() and len(X) > 1:
        yield Finding.of("fault", "inputs-all-alike", {"examples": len(X)})
        return
    columns, is_image = typical_size(X, axis=0), data.image_shape is not None
    size = float(typical_size(X) if is_image else columns.max())
    measured = {"smallest input": float(X.min()), "largest input": float(X.max()), "typical size": size}
    measured |= {} if is_image else {"in column": int(columns.argmax())}
    yield from Finding.by_limits("inputs-not-scaled", size, measured, cure=scaling_cure(X, is_image=is_image))
    yield from Finding.by_limits("inputs-too-small", 1.0 / max(float(typical_size(X)), TINY), measured)
    if is_image:
        blank = float((~X.any(axis=1)).mean())
        yield from Finding.by_limits("blank-examples", blank, {"share": blank})
    elif len(X) > FEW_COLUMNS and X.shape[1] <= FEW:
        varied = X[:, np.ptp(X, axis=0) > 0.0]
        if twins := varied.shape[1] - np.unique(varied, axis=1).shape[1]:
            yield Finding.of("note", "columns-alike", {"columns that repeat another": twins})


def scaling_cure(X: Array, *, is_image: bool) -> str:
    """The fix for inputs that are too large: pixels are divided by the largest, columns standardized."""
    high, tops = float(X.max()), X.max(axis=0)
    is_like_pixels = X.shape[1] >= FEW_COLUMNS and X.min() >= 0.0 and (tops > high / 2.0).mean() > 0.25
    if is_image or (is_like_pixels and (np.rint(X) == X).all()):
        return f"keep pixels as uint8, or divide them by {255 if 127 < high <= 255 else high:g}"
    apart = "" if np.ptp(X, axis=0).all() else "; leave constant columns out: their deviation is 0"
    return f"standardize each column (mean 0, deviation 1{apart})"


def value_findings(data: Dataset, network: Network) -> Iterator[Finding]:
    """Findings on targets that are constant, that are class numbers, or that are not scaled."""
    output = network.activations[-1]
    spread, found = np.ptp(data.targets, axis=0), np.unique(data.targets)
    if not spread.all():
        names = ", ".join(name for name, each in zip(data.class_names, spread, strict=True) if not each)
        measured = {"constant targets": int((spread == 0).sum()), "of": data.n_outputs}
        yield Finding.of("warning" if spread.any() else "fault", "constant-target", measured, names=names)
    is_counted = data.n_outputs == 1 and 2 < len(found) <= data.n_samples / 5 and (np.diff(found) == 1).all()
    if is_counted and found[0] in (0, 1) and (data.inputs.dtype == np.uint8 or not isinstance(output, Identity | ReLU)):
        ends = {"different targets": len(found), "smallest": float(found[0]), "largest": float(found[-1])}
        yield Finding.of("fault", "one-output-for-classes", ends, n=len(found), output=type(output).__name__)
        return
    size = float(typical_size(data.targets.astype(np.float64)))
    ends = {"smallest target": float(data.targets.min()), "largest": float(data.targets.max()), "size": size}
    if network.loss.least_target < 0.0:  # counts must not be standardized
        yield from Finding.by_limits("targets-not-scaled", size, ends)


def class_findings(data: Dataset) -> Iterator[Finding]:
    """Findings on classes without examples, or with many fewer than others."""
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


def targets_around_0(data: Dataset) -> Array:
    """Targets (n_samples, outputs) shifted to mean 0; for classes, one-hot targets minus the share of each class."""
    targets = np.eye(data.n_outputs)[data.targets] if data.task == "classes" else data.targets.astype(np.float64)
    return targets - targets.mean(axis=0)


def correlation(first: Array, second: Array) -> float:
    """The correlation of two arrays, each of mean 0."""
    return float((first * second).sum() / max(np.sqrt((first**2).sum() * (second**2).sum()), TINY))


def relation(X: Array, targets: Array) -> float:
    """How similar the targets of similar examples are: the correlation of a target with the nearest neighbor's."""
    asked, known = np.array_split(generator(0, "halves").permutation(len(X)), 2)
    distances = (X[known] ** 2).sum(axis=1) - 2.0 * X[asked] @ X[known].T  # squared distances, up to a constant
    return correlation(targets[asked], targets[known][distances.argmin(axis=1)])


def predictability(X: Array, targets: Array) -> float:
    """The correlation of half of the targets with the predictions of a ridge regression fitted to the other half."""
    asked, known = np.array_split(generator(0, "halves").permutation(len(X)), 2)
    products, squares = X @ X[known].T / X.shape[1], (X * X).mean(axis=1)
    kernel = products + np.exp(2.0 * products - squares[:, np.newaxis] - squares[known])
    fitted = np.linalg.solve(kernel[known] + 0.1 * np.eye(len(known)), targets[known])
    return correlation(targets[asked], kernel[asked] @ fitted)


def stands_out(X: Array, targets: Array) -> bool:
    """Whether one column is correlated with one target more than chance explains among so many pairs."""
    varied = X[:, X.std(axis=0) > 0.0]
    between = standard(varied).T @ standard(targets[:, targets.std(axis=0) > 0.0]) / len(X)
    luck = math.sqrt((9.0 + 2.0 * math.log(2.0 * max(between.size, 1))) / len(X))
    return float(np.abs(between).max(initial=0.0)) > luck


def standard(columns: Array) -> Array:
    """The columns, none of which may be constant, scaled to mean 0 and standard deviation 1."""
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def relation_findings(X: Array, train: Dataset) -> Iterator[Finding]:
    """A finding if targets are unrelated to the inputs X, a sample of `train`, or belong to inputs of other rows."""
    targets, order = targets_around_0(train), sample_order(train)
    X = X if train.image_shape else standard(X[:, X.std(axis=0) > 0.0])
    found, luck = relation(X, targets[order]), 3.0 / math.sqrt(len(X) // 2 * max(1, targets.shape[1] - 1))
    surely = 3.0 / math.sqrt(len(X) // 2)
    if found >= luck or predictability(X, targets[order]) >= surely or stands_out(X, targets[order]):
        return
    measured = {"correlation with the nearest neighbor's target": found, "luck alone reaches": luck}
    for rows in (1, -1, 2, -2):
        shifted = predictability(X, np.roll(targets, rows, axis=0)[order])
        if shifted > max(3.0 * luck, ALIKE / 2.0):
            measured |= {"rows": rows, "correlation with the targets predicted from so many rows away": shifted}
            yield Finding.of("fault", "labels-shifted", measured)
            return
    yield Finding.of("fault", "labels-shuffled", measured)


def wrap_findings(images: Dataset) -> Iterator[Finding]:
    """A finding if pixels wrapped around in their integer type, as 256 becomes 0 in uint8."""
    X = images.inputs * (1.0 if images.inputs.dtype == np.uint8 or np.abs(images.inputs).max() > 1.0 else 255.0)
    levels, shape = np.rint(X).astype(np.int64), images.image_shape or (images.n_features,)
    if images.n_features < FEW_COLUMNS or np.abs(X - levels).max() > 1e-3 or levels.min() < -128 or levels.max() > 255:
        return
    counts = np.bincount(levels.ravel() % 256, minlength=256)
    background, targets = int(counts.argmax()), targets_around_0(images)
    if counts[background] < BACKGROUND * levels.size or (levels.min() >= 0 and background in (0, 255)):
        return
    steps, related = float(np.abs(np.diff(levels.reshape(-1, *shape))).mean()), relation(levels / 255.0, targets)
    for moved in (background, background + 1):
        undone = (levels - moved) % 256
        smooth, close = float(np.abs(np.diff(undone.reshape(-1, *shape))).mean()), relation(undone / 255.0, targets)
        if close > related + CLOSER or (smooth < SMOOTHER * steps and close > related - CLOSER):
            measured = {"background": background, "mean step between pixels": steps, "undone": smooth}
            measured |= {"correlation with the nearest neighbor's target": related, "where the wrap is undone": close}
            yield Finding.of("fault", "pixels-wrapped", measured)
            return


def view_findings(X: Array, classes: Array) -> Iterator[Finding]:
    """A finding if images of digits look more like the bundled digits after they are turned or mirrored."""
    digits, images = load_digits().train, X.reshape(-1, 28, 28)
    if len(np.unique(classes)) < 10:
        return
    usual, found = (
        np.stack([each[labels == k].mean(axis=0) for k in range(10)])
        for each, labels in ((digits.inputs.reshape(-1, 28, 28) / 255.0, digits.targets), (images, classes))
    )
    usual, found = usual - usual.mean(axis=0), found - found.mean(axis=0)
    as_it_is = correlation(usual, found)
    for line, (how, turned) in VIEWS.items():
        if (alike := correlation(usual, turned(found))) > max(ALIKE, as_it_is + 0.2):
            measured = {"correlation with the bundled digits": as_it_is, "turned": alike}
            yield Finding.of("warning", "images-turned", measured, how=how, line=line)
            return


def overlap_findings(train: Dataset, validation: Dataset) -> Iterator[Finding]:
    """A finding if more examples of `validation` are also in `train` than duplicates within `train` explain."""
    seen = [hash(row.tobytes()) for row in train.inputs]
    known = set(seen)
    n_copied = sum(hash(row.tobytes()) in known for row in validation.inputs)
    twins, copied = 1.0 - len(known) / len(seen), n_copied / validation.n_samples
    likely = twins * validation.n_samples
    if n_copied > likely + (3.0 * math.sqrt(max(likely, 1.0)) if likely else 0.0):
        measured = {"share of the validation set": copied, "share of twins within the training set": twins}
        examples = "examples" if validation.image_shape is None else "images"
        yield from Finding.by_limits("validation-in-training", copied, measured, examples=examples)


def difference_findings(X: Array, held_out: Array, train: Dataset) -> Iterator[Finding]:
    """A finding if the validation inputs, `held_out`, are inverted, or on another scale than the training inputs X."""
    low, high, deviation = X.min(), X.max(), max(float(X.std()), TINY)
    moved = float(held_out.mean() - X.mean()) / deviation
    ratio = float(typical_size(held_out) / max(typical_size(X), TINY))
    measured = {"typical size in training": float(typical_size(X)), "in validation": float(typical_size(held_out))}
    inverted = float(low + high - held_out.mean() - X.mean()) / deviation
    if train.image_shape and abs(moved) > ALIKE and abs(inverted) < ALIKE * abs(moved):
        yield Finding.of("fault", "validation-inverted", measured)
    elif len(held_out) > FEW_COLUMNS:
        yield from Finding.by_limits("validation-on-another-scale", max(ratio, 1.0 / max(ratio, TINY)), measured)


def batch_of_all_classes(data: Dataset, n_samples: int) -> Dataset:
    """At most n_samples of the examples, with every class in its share."""
    if n_samples >= data.n_samples:
        return data
    draw = data.split_stratified if data.task == "classes" else data.split_shuffled
    return draw(n_samples, generator(0, "stratified")).test or data


def formula_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Findings on the user's own activations, losses or Network class: wrong derivatives, and methods not used."""
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
    """Findings on a network, on some examples; on its weights only if its loss shows that it is not yet trained."""
    if broken := int((~np.isfinite(network.parameters.vector)).sum()):
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
    """Whether outputs can stop learning: if their activation has flat parts, and the loss does not cancel its slope."""
    is_flat_somewhere = isinstance(network.activations[-1], Sigmoid | Tanh | ReLU)
    return network.task == "classes" and is_flat_somewhere and not network.has_shortcut


def output_findings(network: Network, data: Dataset) -> Iterator[Finding]:
    """Findings on classes that have examples but are never predicted, and on outputs that can no longer learn."""
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
            activation, loss = type(network.activations[-1]).__name__.lower(), type(network.loss).__name__
            words = {"target": name, "activation": activation, "loss": loss}
            yield Finding.of("fault", "output-never-fires", measured, **words)
        else:
            yield Finding.of("warning", "class-never-predicted", measured, target=name)


def batch_problem(network: Network, data: Dataset) -> Problem:
    """The Problem of a few hundred examples: the arrays of their forward and backward pass, in float64."""
    batch = batch_of_all_classes(data, BATCH)
    return Problem.of(network, as_floats(batch.inputs, np.float64), batch.targets)


def chance_loss(network: Network, data: Dataset) -> float:
    """The loss of the best constant answer: ln K for K equal classes."""
    y = data.targets
    targets = network.loss.targets(np.empty((len(y), data.n_outputs)), y)
    return float(network.loss.value(np.tile(targets.mean(axis=0), (len(y), 1)), y))


def weight_findings(network: Network) -> Iterator[Finding]:
    """Findings on weights of a size that does not suit fan-in or depth, or the same in all neurons of a layer."""
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
    """A finding if targets lie outside the range of the output activation."""
    output = network.activations[-1]
    if data.task != "values" or isinstance(output, Identity | Softmax):
        return
    reach = np.minimum(output.value(np.array([[-1e3], [-1.0], [0.0], [1.0], [1e3]])), np.finfo(float).max)
    low, high = float(reach.min()), float(reach.max())
    beyond = float(((data.targets < low) | (data.targets > high)).mean())
    measured = {"lowest output": low, "highest": high, "share of targets beyond": beyond}
    yield from Finding.by_limits("targets-out-of-reach", beyond, measured, output=type(output).__name__)


def saturation(activation: Activation, z: Array) -> float | None:
    """The share of z (n_samples, fan_out) where the activation is flat; None if it has no flat ends."""
    limit = next((SATURATED[kind] for kind in SATURATED if isinstance(activation, kind)), None)
    return None if limit is None else float((np.abs(z) > limit).mean())


def dead_share(activation: Activation, z: Array) -> float | None:
    """The share of neurons with the output 0 for all examples in z (n_samples, fan_out); None unless it is a ReLU."""
    return float((z <= 0.0).all(axis=0).mean()) if isinstance(activation, ReLU) else None


def unit_findings(problem: Problem) -> Iterator[Finding]:
    """Findings on units that pass no gradient back: saturated sigmoids and tanhs, ReLUs whose output is always 0."""
    for l, (activation, z) in enumerate(zip(problem.network.activations[:-1], problem.ws.z, strict=False)):
        saturated, dead = saturation(activation, z) or 0.0, dead_share(activation, z) or 0.0
        measured = {"layer": l, "share saturated": saturated, "typical |z|": float(np.median(np.abs(z)))}
        name = type(activation).__name__.lower()
        yield from Finding.by_limits("saturated-units", saturated, measured, activation=name)
        measured = {"layer": l, "share dead": dead, "neurons": z.shape[1], "examples": len(z)}
        yield from Finding.by_limits("dead-relus", dead, measured)


def gradient_findings(problem: Problem) -> Iterator[Finding]:
    """Findings on errors, delta, that vanish or explode on their way from the last layer to the first."""
    sizes = [float(typical_size(delta)) for delta in problem.delta]
    if len(sizes) < 2 or sizes[-1] == 0.0:
        return
    measured = {f"typical delta in layer {l}": size for l, size in enumerate(sizes)}
    yield from Finding.by_limits("vanishing-gradient", sizes[-1] / max(sizes[0], TINY), measured)
    yield from Finding.by_limits("exploding-gradient", sizes[0] / sizes[-1], measured)
