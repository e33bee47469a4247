"""A Dataset: inputs, targets and their meaning. Nothing here reads a file or uses a network."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.columns import Column, input_names
from deltarule.errors import LOG, DataError, SettingError, sentence
from deltarule.inputs import as_array, check_finite, numbers
from deltarule.public import Named, former_name, public
from deltarule.settings import Task, brief, check_meaning, generator_of
from deltarule.targets import are_shares, is_whole, texts_error

MOST_CLASSES = 2**16
SUSPICIOUS = 10  # held-out examples of one class alone: fewer may be chance
TARGETS: dict[Task, tuple[int, str]] = {"classes": (1, "int64"), "labels": (2, "uint8"), "values": (2, "float64")}


@public()
@dataclass(frozen=True, eq=False)
class Dataset(metaclass=Named):
    """Examples, stored as they were given: images stay uint8; a network reads them as value / 255.

    inputs: (n_samples, n_features), uint8 for images, else a float dtype.
    targets: by `task`
        "classes": (n_samples,) int64, the index of the one right class
        "labels":  (n_samples, n_outputs) uint8, 0 or 1, independent of each other
        "values":  (n_samples, n_outputs) float64, regression
    class_names: one name per output, in the order of the outputs; "0", "1", ... if none are given.
    image_shape: (height, width) if a row of `inputs` is an image, else None.
    name: what messages call the data.
    columns: the columns of a table, if `inputs` come from one: see `columns.py`. A missing cell is NaN.
    soft_targets: (n_samples, n_outputs) float64, class probabilities for the loss to use instead of `targets`: rows
        that sum to 1, such as another network's outputs (Hinton, Vinyals and Dean 2015).

    Attributes: the fields above; loss_targets (soft_targets, else targets), n_samples, n_features (columns of
    `inputs`), n_inputs (of a network: more than n_features if columns hold text), n_outputs.

    Raises DataError if the arrays do not fit each other or differ from this description, SettingError for another task.

    >>> data = Dataset(np.zeros((3, 4), np.uint8), np.array([0, 1, 1]), image_shape=(2, 2))
    >>> data.n_samples, data.n_features, data.class_names
    (3, 4, ('0', '1'))
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    task: Task = "classes"
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    name: str = "data"
    columns: tuple[Column, ...] = ()
    soft_targets: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.class_names, Iterable) and not isinstance(self.class_names, str):
            object.__setattr__(self, "class_names", tuple(map(str, self.class_names)))
        check_meaning(task=self.task, class_names=self.class_names, image_shape=self.image_shape)
        object.__setattr__(self, "inputs", numbers(self.inputs, "inputs"))
        object.__setattr__(self, "targets", as_array(self.targets, "targets"))
        self._check_inputs()
        self._check_targets()
        if len(self.inputs) != len(self.targets):
            raise self._error("other_number")

    def _error(self, key: str, **values: Any) -> DataError:
        return DataError(f"{self.name}: {sentence(f'data.{key}', data=self, **values)}")

    def _check_inputs(self) -> None:
        inputs = self.inputs
        if inputs.ndim != 2 or 0 in inputs.shape:
            is_swapped = self.targets.ndim == 2 and len(self.targets) == len(inputs)
            key = {1: "swapped" if is_swapped else "single_axis", 3: "images"}.get(inputs.ndim, "other_shape")
            raise self._error(key, image=inputs.shape[1:], n_pixels=math.prod(inputs.shape[1:]))
        if len(self.columns) not in (0, self.n_features):
            raise self._error("n_columns", n_columns=len(self.columns))
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise self._error("column_names", names=", ".join(names))
        if any(may_miss := [column.fill is not None for column in self.columns]):
            inputs = np.where(np.isnan(inputs) & may_miss, 0.0, inputs)
        if self.columns or inputs.dtype != np.uint8:
            self._check_finite("inputs", inputs)
        if self.image_shape is not None and math.prod(self.image_shape) != self.n_features:
            raise self._error("n_pixels", n_pixels=math.prod(self.image_shape))

    def _check_targets(self) -> None:
        targets, (n_dimensions, dtype) = self.targets, TARGETS[self.task]
        if targets.ndim != n_dimensions or targets.dtype != dtype:
            self._refuse_targets("(n_samples,)" if n_dimensions == 1 else "(n_samples, n_outputs)", dtype)
        if self.task == "labels" and targets.size and targets.max() > 1:
            raise self._error("labels", high=targets.max())
        if self.task == "values":
            self._check_finite("targets", targets)
        is_class = self.task == "classes"
        if not self.class_names:
            names = default_class_names(targets, name=self.name) if is_class else map(str, range(targets.shape[1]))
            object.__setattr__(self, "class_names", tuple(names))
        if (soft := self.soft_targets) is not None and not (
            is_class and soft.shape == (len(targets), self.n_outputs) and soft.dtype == np.float64 and are_shares(soft)
        ):
            raise self._error("soft_targets", shape=soft.shape, dtype=soft.dtype)
        if not is_class and self.n_outputs != targets.shape[1]:
            raise self._error("n_names")
        if is_class and (wrong := (targets < 0) | (targets >= self.n_outputs)).any():
            row, high, n_names = wrong.argmax(), targets.max(), self.n_outputs
            if targets[row] >= 0:
                raise self._error("few_names", n_names=n_names, high=high, n_needed=high + 1)
            raise self._error("classes", last=self.n_outputs - 1, value=targets[row], row=row)

    def _refuse_targets(self, shape: str, dtype: str) -> None:
        targets = self.targets
        if targets.dtype.kind not in "fiub":
            line = "dr.Dataset(inputs, targets, {})"
            raise texts_error(targets, f"the task {self.task!r}", "targets", self.task, line)
        line = f"astype(np.{dtype})"
        if self.task == "classes" and targets.ndim == 2:
            line = "ravel()" if targets.shape[1] == 1 else "argmax(axis=1)"
            line += ", and soft_targets=targets, since its rows sum to 1" if are_shares(targets) else ""
        elif targets.ndim == 1 and self.task != "classes":
            line = "reshape(-1, 1)"
        elif self.task == "classes" and not is_whole(targets):
            line = "reshape(-1, 1), and task='values'"
        raise self._error("targets", shape=shape, dtype=dtype, line=line)

    def _check_finite(self, what: str, array: NDArray[Any]) -> None:
        if not np.issubdtype(array.dtype, np.floating):
            raise self._error("dtype", what=what, dtype=array.dtype)
        check_finite(array, f"{self.name}: {what}")

    @property
    def loss_targets(self) -> NDArray[Any]:
        """The targets to compute the loss from: `soft_targets` if there are any, else `targets`."""
        return self.targets if self.soft_targets is None else self.soft_targets

    @property
    def n_samples(self) -> int:
        """The number of examples."""
        return len(self.inputs)

    @property
    def n_features(self) -> int:
        """The number of columns of `inputs`, as stored."""
        return int(self.inputs.shape[1])

    @property
    def n_inputs(self) -> int:
        """The number of inputs of a network for this data: n_features, or more if columns hold text."""
        return len(input_names(self.columns)) or self.n_features

    @property
    def n_outputs(self) -> int:
        """The number of outputs of a network for these targets."""
        return len(self.class_names)

    def __len__(self) -> int:
        return self.n_samples

    def __repr__(self) -> str:
        shape = " x ".join(map(str, [f"{self.n_samples:,}", *(self.image_shape or [self.n_features])]))
        return f"<Dataset {self.name!r}: {shape} {self.inputs.dtype}, {self.n_outputs} {self.task}>"

    def take(self, indices: NDArray[np.intp] | Sequence[int] | slice) -> "Dataset":
        """The Dataset of the samples at `indices`, in that order: copies of the rows, but views for a slice."""
        if isinstance(indices, str | Real) or getattr(indices, "dtype", np.dtype(int)).kind not in "iub":
            n_taken = int(indices * self.n_samples) if isinstance(indices, float) and 0 < indices < 1 else indices
            line = f"range({n_taken})" if isinstance(n_taken, int) and n_taken > 0 else "[0]"
            raise SettingError(f"take needs places, or a slice: got {brief(indices)}; use data.take({line})")
        try:
            soft = None if self.soft_targets is None else self.soft_targets[indices]
            return replace(self, inputs=self.inputs[indices], targets=self.targets[indices], soft_targets=soft)
        except IndexError as error:
            raise SettingError(sentence("data.places", data=self, last=self.n_samples - 1, error=error)) from error

    def spread(self, most: int) -> "Dataset":
        """The Dataset of at most `most` samples, evenly spaced from the first to the last."""
        if self.n_samples <= most:
            return self
        return self.take(np.linspace(0, self.n_samples - 1, most).astype(np.intp))

    def head(self, n_train: int) -> "Splits":
        """The first `n_train` samples to train on, the rest to test on: views."""
        self._check_part(n_train)
        return Splits(self.take(slice(n_train)), self.take(slice(n_train, None)))

    def hold_out(self, n_test: int) -> "Splits":
        """The last `n_test` samples to test on, those before them to train on: views."""
        self._check_part(n_test)
        first, last = np.split(self.targets, [self.n_samples - n_test])
        if self.task == "classes" and n_test >= SUSPICIOUS and (last == last[0]).all() and not (first == last[0]).all():
            LOG.warning(sentence("data.sorted", data=self, n_test=n_test))
        return self.head(self.n_samples - n_test)

    def split_shuffled(self, n_test: int, rng: int | np.random.Generator) -> "Splits":
        """`n_test` samples drawn at random to test on, the rest to train on, both in random order."""
        self._check_part(n_test)
        order = generator_of(rng).permutation(self.n_samples)
        return Splits(self.take(order[n_test:]), self.take(order[:n_test]))

    def split_stratified(self, n_test: int, rng: int | np.random.Generator) -> "Splits":
        """Like `split_shuffled`, but every class keeps its share in the test samples, to within one sample."""
        self._check_part(n_test)
        if self.task != "classes":
            line = f"use a shuffled split, split_shuffled({n_test}, rng=0)"
            raise SettingError(f"only classes can be stratified: {self.name} holds {self.task}; {line}")
        order = generator_of(rng).permutation(self.n_samples)
        by_class = order[np.argsort(self.targets[order], kind="stable")]
        ends = np.cumsum(np.bincount(self.targets, minlength=self.n_outputs))
        # Rounding the running total makes the classes' shares add up to n_test.
        shares = np.diff(np.rint(ends * (n_test / self.n_samples)).astype(np.int64), prepend=0)
        held = np.zeros(self.n_samples, dtype=bool)
        for members, share in zip(np.split(by_class, ends[:-1]), shares, strict=True):
            held[members[:share]] = True
        return Splits(self.take(order[~held[order]]), self.take(order[held[order]]))

    shuffled = former_name("split_shuffled", goes_in="0.3")
    stratified = former_name("split_stratified", goes_in="0.3")

    def _check_part(self, n_part: int) -> None:
        if not isinstance(n_part, int | np.integer) or not 0 < n_part < self.n_samples:
            expected = f"a part of {self.name} must be 1 to {self.n_samples - 1} of its {self.n_samples} samples"
            raise SettingError(f"{expected}: got {n_part}; use {max(1, self.n_samples // 5)} for a fifth")


@public("Splits(Dataset(X, y), Dataset(X_test, y_test))")
@dataclass(frozen=True, eq=False)
class Splits:
    """Training data and, if any, test data. Raises DataError unless task, columns, classes and shapes are the same."""

    train: Dataset
    test: Dataset | None = None

    def __post_init__(self) -> None:
        for part in (self.train, self.test):
            if not isinstance(part, Dataset | None):
                raise DataError(sentence("data.splits", got=brief(part)))
        if self.test is None:
            return
        for what in ("task", "n_features", "image_shape", "class_names", "columns"):
            train, test = getattr(self.train, what), getattr(self.test, what)
            if train != test:
                raise DataError(sentence("data.parts", what=what, splits=self, train=train, test=test))


def default_class_names(*targets: NDArray[np.int64], name: str) -> tuple[str, ...]:
    """The class names "0", "1" and so on, up to the highest class in any of the arrays, such as train and test.

    Raises DataError, with `name` in its message, for an index too high to be a class, such as a value to predict.
    """
    highest = max(int(part.max(initial=0)) for part in targets)
    if highest >= MOST_CLASSES:
        raise DataError(f"{name}: classes must be numbered from 0, {MOST_CLASSES:,} at most: got class {highest}")
    return tuple(map(str, range(highest + 1)))


def data_hash(*parts: Dataset) -> str:
    """The SHA-256 of the inputs and targets of some datasets, with their dtypes and shapes, in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        for array in (part.inputs, part.loss_targets):
            digest.update(f"{array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
