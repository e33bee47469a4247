"""What is wrong with data before a network sees them: inputs, targets, and whether one has to do with the other."""

import math
from collections.abc import Iterator

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.inspection.diagnosis.finding import Finding, Level
from deltarule.nn.arrays import Array
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator

MOST_LOOKED_AT = 2000  # enough to tell a share of 1 % from none
LARGE, VERY_LARGE, SMALL = 5.0, 20.0, 0.05  # typical sizes of inputs; 1 is what initializers count on
UNEQUAL = 10.0  # the commonest class has so many times the examples of the rarest
FEW = 200  # with fewer examples, neighbors agree or differ by luck


def look_at_data(train: Dataset, validation: Dataset | None = None) -> Iterator[Finding]:
    """Findings about examples as the network reads them; `validation` is what it is judged by."""
    sample = sample_of(train, MOST_LOOKED_AT)
    X = as_floats(sample.inputs, np.float64)
    yield from input_findings(X, is_image=train.image_shape is not None)
    yield from target_findings(train)
    if sample.n_samples >= FEW and X.any() and np.ptp(sample.targets, axis=0).any():
        yield from neighbor_findings(X, indicators(sample), is_image=train.image_shape is not None)
    if validation is not None:
        yield from overlap_findings(train, validation)


def sample_of(dataset: Dataset, n_samples: int) -> Dataset:
    """At most so many examples, drawn at random, the same ones every time."""
    if dataset.n_samples <= n_samples:
        return dataset
    return dataset.take(np.sort(generator(0, "diagnosis").permutation(dataset.n_samples)[:n_samples]))


def indicators(dataset: Dataset) -> Array:
    """Targets as columns of numbers, (n_samples, n_outputs): classes one-hot."""
    if dataset.task == "classes":
        return np.eye(dataset.n_outputs)[dataset.targets]
    return dataset.targets.astype(np.float64)


def input_findings(X: Array, *, is_image: bool) -> Iterator[Finding]:
    """Inputs that are all alike, far too large or far too small."""
    if (X[0] == X).all() and len(X) > 1:
        mend = "look at how the inputs are read: a column, an index or a file is probably taken again and again"
        yield Finding("fault", "inputs-all-alike", "Every example has the same inputs.", {"examples": len(X)}, mend)
        return
    columns = np.sqrt((X * X).mean(axis=0))
    size = float(np.sqrt((X * X).mean()) if is_image else columns.max())
    measured = {"smallest input": float(X.min()), "largest input": float(X.max()), "typical size": size}
    if not is_image:
        measured["in column"] = int(columns.argmax())
    if size > LARGE:
        level: Level = "fault" if size > VERY_LARGE else "warning"
        how = "keep pixels as uint8, or divide them by 255" if is_image else "standardize each column"
        mend = f"{how}: weights and learning rates are made for inputs of a size of about 1"
        yield Finding(level, "inputs-not-scaled", "The inputs are not scaled.", measured, mend)
    elif math.sqrt(float((X * X).mean())) < SMALL:
        mend = "scale the inputs to a size of about 1; pixels may have been divided by 255 twice"
        yield Finding("warning", "inputs-too-small", "The inputs are almost 0 throughout.", measured, mend)
    blank = float((~X.any(axis=1)).mean())
    if is_image and blank > 0.05:
        mend = "look for images that were not read, and take them out"
        yield Finding("warning", "blank-examples", "Many images are blank.", {"share": blank}, mend)


def target_findings(data: Dataset) -> Iterator[Finding]:
    """Targets that cannot be learned from: one class, none of a class, shares far apart, values of a wild size."""
    if data.task == "classes":
        yield from class_findings(data)
        return
    spread = np.ptp(data.targets, axis=0)
    if not spread.all():
        names = ", ".join(name for name, each in zip(data.class_names, spread, strict=True) if not each)
        constant = {"constant targets": int((spread == 0).sum()), "of": data.n_outputs}
        mend = "look at how the targets are read, or leave out the column"
        level: Level = "warning" if spread.any() else "fault"
        yield Finding(level, "constant-target", f"The target is the same in every example: {names}.", constant, mend)
    size = float(np.sqrt((data.targets.astype(np.float64) ** 2).mean()))
    if size > LARGE:
        measured = {"smallest target": float(data.targets.min()), "largest": float(data.targets.max()), "size": size}
        mend = "standardize the targets (mean 0, deviation 1) and undo it in the predictions"
        yield Finding("warning", "targets-not-scaled", "The targets are not scaled.", measured, mend)


def class_findings(data: Dataset) -> Iterator[Finding]:
    """Classes without examples, or with many fewer than others."""
    counts = np.bincount(data.targets, minlength=data.n_outputs)
    most, least = int(counts.argmax()), int(counts.argmin())
    measured = {f"examples of {data.class_names[each]}": int(counts[each]) for each in (most, least)}
    if np.count_nonzero(counts) == 1:
        mend = "look at how labels are read: data sorted by class may have been cut, or one column read for another"
        yield Finding("fault", "one-class", "All examples are of one class.", measured, mend)
    elif counts.min() == 0:
        missing = [name for name, count in zip(data.class_names, counts, strict=True) if count == 0]
        measured |= {"classes": len(counts), "without examples": len(missing)}
        mend = "add examples, or leave out the outputs; shuffle data that are sorted by class before cutting them"
        says = f"There are classes without a single example: {', '.join(missing[:10])}."
        yield Finding("warning", "classes-missing", says, measured, mend)
    elif counts.max() > UNEQUAL * counts.min():
        mend = "weight the samples (sample_weight) or add examples of the rare; judge by recall, not by accuracy"
        says = "Some classes have many times the examples of others."
        yield Finding("warning", "shares-far-apart", says, measured, mend)


def neighbor_findings(X: Array, targets: Array, *, is_image: bool) -> Iterator[Finding]:
    """Whether examples that look alike have targets alike: the correlation of a target with its neighbor's."""
    if not is_image:
        scale = X.std(axis=0)
        X = X / np.where(scale > 0.0, scale, 1.0)
    half = len(X) // 2
    asked, known = X[:half], X[half:]
    distances = (known * known).sum(axis=1) - 2.0 * asked @ known.T  # squared, but for what all have in common
    apart = targets - targets.mean(axis=0)
    theirs = apart[half:][distances.argmin(axis=1)]
    correlation = float((apart[:half] * theirs).sum() / np.sqrt((apart[:half] ** 2).sum() * (theirs**2).sum()))
    luck = 3.0 / math.sqrt(half * max(1, targets.shape[1] - 1))
    if abs(correlation) < luck:
        says = "The targets have nothing to do with the inputs: examples that look alike have them as if by lot."
        measured = {"correlation with the nearest neighbor's target": correlation, "luck alone reaches": luck}
        mend = "look at a few examples with their targets: were they shuffled, sorted or cut apart from each other"
        yield Finding("fault", "labels-shuffled", says, measured, mend)


def overlap_findings(train: Dataset, validation: Dataset) -> Iterator[Finding]:
    """Examples of `validation` that are in `train`, more of them than there are twins within `train`."""
    seen = [hash(row.tobytes()) for row in train.inputs]
    known = set(seen)
    copied = sum(hash(row.tobytes()) in known for row in validation.inputs) / validation.n_samples
    twins = 1.0 - len(known) / len(seen)
    if copied > twins:
        what = "examples" if validation.image_shape is None else "images"
        says = f"There are validation {what} that are in the training set, too: the score is better than the network."
        measured = {"share of the validation set": copied, "share of twins within the training set": twins}
        mend = "split before anything else, and take the copies out of one of the parts"
        yield Finding("fault" if copied >= 0.01 else "warning", "validation-in-training", says, measured, mend)
