"""What y may be: the one door for targets. What is unambiguous is taken; a column of classes with a note."""

import logging
import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.inputs import array_name, as_array, check_finite, conversion, first_text, numbers, unbox
from deltarule.settings import Task

LOG = logging.getLogger("deltarule")
MADE_WITH: dict[Task, str] = {
    "classes": "output=dr.Softmax(), loss=dr.CrossEntropy()",
    "labels": "output=dr.Sigmoid(), loss=dr.BinaryCrossEntropy()",
    "values": "output=dr.Identity(), loss=dr.Quadratic()",
}


def check_targets(
    y: Any,
    n_samples: int,
    layer_sizes: Sequence[int],
    task: Task | None,
    *,
    names: Sequence[str] = (),
    binary: Task = "values",
    name: str = "y",
) -> tuple[NDArray[Any], Task]:
    """y as a Dataset holds it, and its task.

    task: what the network answers; None to see it in y: one number a sample is a class where there are several outputs,
        columns of 0 and 1 are `binary`. names: the network's classes, by which texts are numbered.

    Raises ShapeError, DataError or SettingError, with the cure, where y is none of it.
    """
    called, n_outputs = array_name(y, name), layer_sizes[-1]
    y = as_numbers(as_array(y, name), task, names, name)
    if y.dtype.kind == "f":
        finite = f"np.isfinite({called})" + (".all(axis=1)" if y.ndim > 1 else "")
        check_finite(y, name, f"; leave it out, keep = {finite}; {line_that_keeps(called)}")
    if y.ndim == 2 and y.size == n_samples and 1 not in y.shape:
        raise ShapeError(f"{called} has shape {y.shape}, and there are {n_samples} samples: use {called}.ravel()")
    is_column = y.ndim == 2 and y.shape[1] == 1 < n_outputs and task in (None, "classes")
    is_row = y.ndim == 2 and y.shape == (1, n_samples) != (1, 1) and (n_outputs == 1 or task != "values")
    if is_column or is_row:
        what = f"{y.size} {'classes' if n_outputs > 1 else task or 'values'}"
        note = "%s has shape %s, and is read as %s: %s.ravel() does the same without this note"
        LOG.warning(note, called, y.shape, what, called)
        y = y.ravel()
    if task is None:
        task = "classes" if y.ndim == 1 and n_outputs > 1 else binary if is_binary(y) else "values"
    door = TargetDoor(called, tuple(layer_sizes), n_samples)
    y = {"classes": door.classes, "labels": door.labels, "values": door.values}[task](y)
    if len(y) != n_samples:
        got = f"{n_samples} inputs and {len(y)} targets; do both come from the same set?"
        raise DataError(f"{inputs_name(called)} and {called} must have as many samples: got {got}")
    return y, task


def check_batch(
    X: NDArray[Any], y: Any, sample_weight: Any, layer_sizes: Sequence[int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64] | None]:
    """X, as `check_inputs` returns it, with targets as `backward` takes them, whatever the task, and weights."""
    if len(X) == 0:
        raise DataError(f"X has shape {X.shape}: at least one example is needed")
    y, n_outputs = as_array(y, "y"), layer_sizes[-1]
    task: Task = "classes" if y.ndim == 1 < n_outputs else "values"
    if y.shape == (len(X), 1) and n_outputs > 1:
        shapes = f"classes ({len(X)},) or values ({len(X)}, {n_outputs})"
        raise ShapeError(f"y has shape {y.shape}, and this network takes {shapes}: use y.ravel()")
    weights = None if sample_weight is None else check_weights(sample_weight, len(X))
    return X, check_targets(y, len(X), layer_sizes, task)[0], weights


def as_numbers(y: NDArray[Any], task: Task | None, names: Sequence[str], name: str) -> NDArray[Any]:
    """Texts that name a network's classes as their numbers, and objects as the numbers that they are."""
    y = unbox(y, name) if y.dtype.kind == "O" else y
    if y.dtype.kind in "fiub":
        return y
    if task in (None, "classes") and y.ndim == 2 and 1 not in y.shape:
        line = f"use {name}[:, 0], or of a DataFrame {name}.iloc[:, 0]"
        raise ShapeError(f"{name} has shape {y.shape}, columns of texts, and one column is needed: {line}")
    numbered = {class_name: k for k, class_name in enumerate(names)}
    texts = y.astype(str).ravel().tolist()
    if task != "values" and numbered:
        unknown = next((text for text in texts if text not in numbered), None)
        if unknown is None:
            return np.array([numbered[text] for text in texts]).reshape(y.shape)
        if any(text in numbered for text in texts) and names[0] != "0":
            known = ", ".join(names)
            raise DataError(f"{name} holds the class {unknown!r}, which is not among this network's: {known}")
    raise texts_error(y, f"a network of {task or 'classes'}", name, task or "classes")


def texts_error(y: NDArray[Any], taker: str, name: str, task: Task, line: str = "dr.Network(..., {})") -> DataError:
    """The error for texts, with the line that makes numbers of them; line: what takes the names of classes."""
    begins = f"{name} holds texts, such as {first_text(y)!r}, and {taker} takes"
    if task == "values" and (cure := conversion(y, name)):
        return DataError(f"{begins} numbers: {cure}")
    numbered = f"np.unique({name}, return_inverse=True)"
    if task == "labels":
        return DataError(f"{begins} 0 and 1: use {numbered}[1]")
    settings = f"{MADE_WITH['classes']}, " if task == "values" else ""
    line = line.format(f"{settings}class_names=names.tolist()")
    return DataError(f"{begins} their numbers: names, {name} = {numbered}, and {line}")


def line_that_keeps(name: str) -> str:
    """The line that trains on the samples to keep."""
    return f"dr.fit(network, {inputs_name(name)}[keep], {name}[keep])"


def inputs_name(name: str) -> str:
    """What the inputs are called where the targets have this name: X for y, X_val for y_val."""
    return "X".join(name.rpartition("y")[::2])


def is_binary(y: NDArray[Any]) -> bool:
    """Whether all are 0 or 1."""
    return y.dtype.kind == "b" or bool(((y == 0) | (y == 1)).all())


def is_whole(y: NDArray[Any]) -> bool:
    """Whether all are whole numbers."""
    return y.dtype.kind != "f" or bool((y == np.rint(y)).all())


class TargetDoor(NamedTuple):
    """Where targets come in: their name in messages, the layer sizes of the network, and the number of samples."""

    name: str
    sizes: tuple[int, ...]
    n_samples: int

    def sizes_for(self, n_outputs: int) -> str:
        """The layer sizes of a network with so many outputs, as messages have them."""
        return f"layer sizes {(*self.sizes[:-1], n_outputs)}"

    def classes(self, y: NDArray[Any]) -> NDArray[Any]:
        """(n,) int64; an error with the cure for one-hot rows, values, and classes that the network does not have."""
        if y.ndim != 1:
            self._refuse_columns(y)
        if not is_whole(y):
            self._refuse_values(y)
        if y.dtype.kind == "b" and self.sizes[-1] > 2:
            begins = f"{self.name} holds True and False, two classes, and this network has {self.sizes[-1]} outputs"
            raise DataError(f"{begins}: use {self.sizes_for(2)}")
        classes = y.astype(np.int64)
        if classes.size and not 0 <= classes.min() <= classes.max() < self.sizes[-1]:
            self._refuse_classes(classes)
        return classes

    def labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """(n, outputs) uint8 of 0 and 1."""
        if not is_whole(y):
            self._refuse_values(y)
        if not is_binary(y):
            found, name = np.unique(y), self.name
            wrong = next(each for each in found if each not in (0, 1))
            got, line = f"{wrong:g}", f"use ({name} {'> 0' if wrong < 0 else f'== {found[-1]:g}'}).astype(int)"
            if len(found) > 2:
                got = f"{found[0]:g} to {found[-1]:g}"
                made = f"{self.sizes_for(len(found))}, {MADE_WITH['classes']}"
                line = f"for {len(found)} classes make the network with {made}"
            raise DataError(f"labels must be 0 or 1: got {got} in {name}; {line}")
        if y.shape == (self.n_samples, 2) and self.sizes[-1] == 1 and (y.sum(axis=1) == 1).all():
            what = f"{self.name} has shape {y.shape}, one-hot rows, and this network has 1 output"
            raise ShapeError(f"{what}: use {self.name}[:, 1]")
        return self._columns(y, "labels").astype(np.uint8)

    def values(self, y: NDArray[Any]) -> NDArray[Any]:
        """(n, outputs) float64."""
        return self._columns(y, "values").astype(np.float64)

    def _columns(self, y: NDArray[Any], task: Task) -> NDArray[Any]:
        """(n, outputs); ShapeError for targets of another shape."""
        name, n_outputs = self.name, self.sizes[-1]
        y = y.reshape(-1, 1) if y.ndim == 1 and n_outputs == 1 else y
        if y.shape[1:] == self.sizes[-1:]:
            return y
        outputs = "1 output" if n_outputs == 1 else f"{n_outputs} outputs"
        needs = f"{name} has shape {y.shape}, and {task} for {outputs} need shape ({self.n_samples}, {n_outputs})"
        if y.shape == (n_outputs, self.n_samples):
            raise ShapeError(f"{needs}: use {name}.T")
        if y.ndim == 2:
            is_later = name.endswith("y_val")
            cure = "pass the training targets' columns" if is_later else f"use {self.sizes_for(y.shape[1])}"
            raise ShapeError(f"{needs}: {cure}")
        made = f"{self.sizes_for(1)}; for classes make the network with {MADE_WITH['classes']}"
        raise ShapeError(f"{needs}: use {name}.reshape(-1, 1) with {made}")

    def _refuse_classes(self, classes: NDArray[np.int64]) -> NoReturn:
        """Raise DataError for classes that are not 0 to outputs - 1, with the likeliest cure."""
        name, n_outputs, found = self.name, self.sizes[-1], np.unique(classes)
        low, high = int(found[0]), int(found[-1])
        got, cure = f"{low} to {high} in {name}", self._network_for_values(1)
        if low == 1 and high == n_outputs:
            cure = f"use {name} - 1"
        elif len(found) <= n_outputs:
            cure = f"use np.unique({name}, return_inverse=True)[1]"
        elif low >= 0 and len(found) > high // 2:
            cure = f"for {high + 1} classes use {self.sizes_for(high + 1)}"
        elif low < 0 and high < n_outputs:
            row = int(np.argmax(classes < 0))
            got = f"{classes[row]} in {name} for sample {row} (counted from 0)"
            cure = f"leave those out, keep = {name} >= 0; {line_that_keeps(name)}"
        raise DataError(f"classes must be 0 to {n_outputs - 1}: got {got}; {cure}")

    def _network_for_values(self, n_columns: int) -> str:
        return f"for values to predict make the network with {self.sizes_for(n_columns)}, {MADE_WITH['values']}"

    def _refuse_columns(self, y: NDArray[Any]) -> NoReturn:
        """Raise for targets of several columns, where classes are needed, by what they look like."""
        begins, needs = f"{self.name} has shape {y.shape}", f"and classes need shape ({self.n_samples},)"
        if y.ndim != 2:
            raise ShapeError(f"{begins}, {needs}: use {self.name}.reshape({self.n_samples}, -1).argmax(axis=1)")
        if is_binary(y):
            for axis, what in ((1, "one-hot rows"), (0, "one-hot columns")):
                if y.shape[1 - axis] == self.n_samples and (y.sum(axis=axis) == 1).all():
                    raise ShapeError(f"{begins}, {what}, {needs}: use {self.name}.argmax(axis={axis})")
            what = "several 1s in a row, which are labels, and this network answers with one class"
            raise SettingError(f"{begins}, {what}: make it with {MADE_WITH['labels']}")
        if y.shape[1] > 1 and (y >= 0).all() and np.allclose(y.sum(axis=1), 1.0):
            raise ShapeError(f"{begins}, probabilities, {needs}: use {self.name}.argmax(axis=1)")
        self._refuse_values(y)

    def _refuse_values(self, y: NDArray[Any]) -> NoReturn:
        """Raise DataError for values where classes or labels are needed, with the network that predicts them."""
        broken = y[y != np.rint(y)] if y.dtype.kind == "f" else y.ravel()
        value, n_columns = (broken if broken.size else y.ravel())[0], y.shape[1] if y.ndim == 2 else 1
        begins = f"{self.name} holds values such as {value:.4g}, and this network takes classes or labels"
        raise DataError(f"{begins}: {self._network_for_values(n_columns)}")


def check_weights(sample_weight: Any, n_samples: int) -> NDArray[np.float64]:
    """A finite weight of 0 or more for each sample, not all of them 0, (n_samples,) float64.

    Raises ShapeError, DataError or SettingError for anything else.
    """
    needs = "and a weight for each sample is needed"
    if isinstance(sample_weight, dict):
        raise SettingError(f"sample_weight is a dict, {needs}: use [weights[k] for k in y.tolist()]")
    if isinstance(sample_weight, str):
        raise SettingError(f"sample_weight is a text, {sample_weight!r}, {needs}: use (1 / np.bincount(y))[y]")
    weights = numbers(sample_weight, "sample_weight").astype(np.float64)
    if weights.shape != (n_samples,):
        is_of_classes = weights.ndim == 1 and math.isqrt(n_samples) >= weights.size
        line = "; for a weight for each class use np.asarray(sample_weight)[y]" if is_of_classes else ""
        line = "; use sample_weight.ravel()" if weights.size == n_samples else line
        raise ShapeError(f"sample_weight needs one number a training sample, ({n_samples},): got {weights.shape}{line}")
    with np.errstate(over="ignore", invalid="ignore"):
        total = weights.sum()
    if not (math.isfinite(total) and weights.min() >= 0.0 and total > 0.0):
        got = f"{weights.min()} to {weights.max()}"
        raise SettingError(f"sample weights must be finite with a finite sum, 0 or more, and not all 0: got {got}")
    lightest, least = weights[weights > 0.0].min(), sys.float_info.min
    if lightest < least:
        raise SettingError(f"a sample weight must be 0 or at least {least:.1g}: got {lightest}; scale them all")
    return weights
