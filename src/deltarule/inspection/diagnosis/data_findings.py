"""What is wrong with data before a network sees them: inputs, targets, and whether one has to do with the other."""

import math
from collections.abc import Iterator

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.inspection.diagnosis.findings import Finding, Level
from deltarule.nn.arrays import Array
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator

MOST_EXAMPLES = 2000  # are looked at: enough to tell a share of 1 % from none
LARGE, VERY_LARGE, SMALL = 5.0, 20.0, 0.05  # typical sizes of inputs; 1 is what initializers count on
UNEQUAL = 10.0  # the commonest class has so many times the examples of the rarest
FEW = 200  # with fewer examples, neighbors agree or differ by luck


def data_findings(train: Dataset, validation: Dataset | None = None) -> Iterator[Finding]:
    """Findings about examples as the network reads them; `validation` is what it is judged by."""
    sample, is_image = sample_of(train), train.image_shape is not None
    X = as_floats(sample.inputs, np.float64)
    yield from input_findings(X, is_image=is_image)
    yield from class_findings(train) if train.task == "classes" else value_findings(train)
    if sample.n_samples >= FEW and X.any() and np.ptp(sample.targets, axis=0).any():
        yield from neighbor_findings(X, sample)
    if validation is not None:
        yield from overlap_findings(train, validation)


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
    if size > LARGE:
        cure = "keep pixels as uint8, or divide them by 255" if is_image else "standardize each column"
        yield Finding.of("fault" if size > VERY_LARGE else "warning", "inputs-not-scaled", measured, cure=cure)
    elif typical_size(X) < SMALL:
        yield Finding.of("warning", "inputs-too-small", measured)
    blank = float((~X.any(axis=1)).mean())
    if is_image and blank > 0.05:
        yield Finding.of("warning", "blank-examples", {"share": blank})


def value_findings(data: Dataset) -> Iterator[Finding]:
    """Targets that are the same throughout, or of a wild size."""
    spread = np.ptp(data.targets, axis=0)
    if not spread.all():
        names = ", ".join(name for name, each in zip(data.class_names, spread, strict=True) if not each)
        measured = {"constant targets": int((spread == 0).sum()), "of": data.n_outputs}
        yield Finding.of("warning" if spread.any() else "fault", "constant-target", measured, names=names)
    if (size := float(typical_size(data.targets.astype(np.float64)))) > LARGE:
        ends = {"smallest target": float(data.targets.min()), "largest": float(data.targets.max()), "size": size}
        yield Finding.of("warning", "targets-not-scaled", ends)


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
    elif counts.max() > UNEQUAL * counts.min():
        yield Finding.of("warning", "shares-far-apart", measured)


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
        level: Level = "fault" if copied >= 0.01 else "warning"
        examples = "examples" if validation.image_shape is None else "images"
        yield Finding.of(level, "validation-in-training", measured, examples=examples)
