"""What y may be: the one door for targets. What is unambiguous is taken; a column of classes with a note."""

import logging
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.inputs import as_array, as_called, check_finite, first_text, numbers, numbers_in, unboxed
from deltarule.settings import Task

LOG = logging.getLogger("deltarule")
MADE_WITH: dict[Task, str] = {
    "classes": "output=dr.Softmax(), loss=dr.CrossEntropy()",
    "labels": "output=dr.Sigmoid(), loss=dr.BinaryCrossEntropy()",
    "values": "output=dr.Identity(), loss=dr.Quadratic()",
}


def checked_targets(
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
    n_outputs, called = layer_sizes[-1], as_called(y, name)
    y = as_numbers(as_array(y, name), task, names, name)
    if y.dtype.kind == "f":
        finite = f"np.isfinite({called})" + (".all(axis=1)" if y.ndim > 1 else "")
        check_finite(y, name, f"; leave it out, keep = {finite}; {kept(called)}")
    name = called
    y = as_column_or_row(y, n_samples, n_outputs, task, name)
    if task is None:
        task = "classes" if y.ndim == 1 and n_outputs > 1 else binary if is_binary(y) else "values"
    kind = {"classes": class_targets, "labels": label_targets, "values": value_targets}[task]
    y = kind(y, tuple(layer_sizes), name, n_samples)
    if len(y) != n_samples:
        raise DataError(
            f"{x_of(name)} and {name} must have as many samples: got {n_samples} inputs and {len(y)} targets; do both "
            "come from the same set?"
        )
    return y, task


def checked_batch(
    X: NDArray[Any], y: Any, sample_weight: Any, layer_sizes: Sequence[int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64] | None]:
    """X, as `checked_inputs` returns it, with targets as `backward` takes them, whatever the task, and weights."""
    if len(X) == 0:
        raise DataError(f"X has shape {X.shape}: at least one example is needed")
    y = as_array(y, "y")
    task: Task = "classes" if y.ndim == 1 and layer_sizes[-1] > 1 else "values"
    if y.shape == (len(X), 1) and layer_sizes[-1] > 1:
        shapes = f"classes ({len(X)},) or values ({len(X)}, {layer_sizes[-1]})"
        raise ShapeError(f"y has shape {y.shape}, and this network takes {shapes}: use y.ravel()")
    weights = None if sample_weight is None else checked_weights(sample_weight, len(X))
    return X, checked_targets(y, len(X), layer_sizes, task)[0], weights


def as_numbers(y: NDArray[Any], task: Task | None, names: Sequence[str], name: str) -> NDArray[Any]:
    """Texts that name a network's classes as their numbers, and objects as the numbers that they are."""
    if y.dtype.kind == "O":
        y = unboxed(y, name)
    if y.dtype.kind in "fiub":
        return y
    numbered = {class_name: k for k, class_name in enumerate(names)}
    texts = y.astype(str).ravel().tolist()
    if task != "values" and numbered:
        unknown = next((text for text in texts if text not in numbered), None)
        if unknown is None:
            return np.array([numbered[text] for text in texts]).reshape(y.shape)
        if any(text in numbered for text in texts) and names[0] != "0":
            raise DataError(
                f"{name} holds the class {unknown!r}, which is not among this network's: {', '.join(names)}"
            )
    refuse_texts(y, f"a network of {task or 'classes'}", name, are_values=task == "values")
    return y


def refuse_texts(y: NDArray[Any], taker: str, name: str, *, are_values: bool, line: str = "") -> None:
    """Raise DataError for texts, with the line that makes numbers of them."""
    begins = f"{name} holds texts, such as {first_text(y)!r}, and {taker} takes"
    if are_values and (line := numbers_in(y, name)):
        raise DataError(f"{begins} numbers: {line}")
    if taker.endswith("labels"):
        raise DataError(f"{begins} 0 and 1: use np.unique({name}, return_inverse=True)[1]")
    settings = f"{MADE_WITH['classes']}, " if are_values else ""
    line = line or f"dr.Network(..., {settings}class_names=names.tolist())"
    raise DataError(f"{begins} their numbers: names, {name} = np.unique({name}, return_inverse=True), and {line}")


def kept(name: str) -> str:
    """The line that trains on the samples to keep."""
    return f"dr.fit(network, {x_of(name)}[keep], {name}[keep])"


def x_of(name: str) -> str:
    """What the inputs are called where the targets have this name: X for y, X_val for y_val."""
    return "X".join(name.rpartition("y")[::2])


def as_column_or_row(y: NDArray[Any], n_samples: int, n_outputs: int, task: Task | None, name: str) -> NDArray[Any]:
    """(n, 1) or (1, n) as the (n,) that they are, with a note."""
    is_column = y.ndim == 2 and y.shape[1] == 1 < n_outputs and task in (None, "classes")
    is_row = y.ndim == 2 and y.shape == (1, n_samples) and n_samples > 1 and (n_outputs == 1 or task != "values")
    if not (is_column or is_row):
        return y
    what = "classes" if n_outputs > 1 else task or "values"
    shape = f"{name} has shape {y.shape}, and is read as {y.size} {what}"
    LOG.warning("%s: %s.ravel() does the same without this note", shape, name)
    return y.ravel()


def is_binary(y: NDArray[Any]) -> bool:
    """Whether all are 0 or 1."""
    return y.dtype.kind == "b" or bool(((y == 0) | (y == 1)).all())


def is_whole(y: NDArray[Any]) -> bool:
    """Whether all are whole numbers."""
    return y.dtype.kind != "f" or bool((y == np.rint(y)).all())


def class_targets(y: NDArray[Any], sizes: tuple[int, ...], name: str, n_samples: int) -> NDArray[Any]:
    """(n,) int64; an error with the cure for one-hot rows, values, and classes that the network does not have."""
    n_outputs = sizes[-1]
    if y.ndim != 1:
        refuse_columns(y, sizes, name, n_samples)
    if not is_whole(y):
        refuse_values(y, sizes, name)
    if y.dtype.kind == "b" and n_outputs > 2:
        raise DataError(
            f"{name} holds True and False, two classes, and this network has {n_outputs} outputs: use layer sizes "
            f"{(*sizes[:-1], 2)}"
        )
    classes = y.astype(np.int64)
    if classes.size and not 0 <= classes.min() <= classes.max() < n_outputs:
        refuse_classes(classes, sizes, name)
    return classes


def refuse_classes(classes: NDArray[np.int64], sizes: tuple[int, ...], name: str) -> None:
    """Raise DataError for classes that are not 0 to outputs - 1, with the likeliest cure."""
    n_outputs, found = sizes[-1], np.unique(classes)
    low, high = int(found[0]), int(found[-1])
    begins = f"classes must be 0 to {n_outputs - 1}: got {low} to {high} in {name}"
    if low == 1 and high == n_outputs:
        raise DataError(f"{begins}; use {name} - 1")
    if len(found) <= n_outputs:
        raise DataError(f"{begins}; use np.unique({name}, return_inverse=True)[1]")
    if low >= 0 and len(found) > high // 2:
        raise DataError(f"{begins}; for {high + 1} classes use layer sizes {(*sizes[:-1], high + 1)}")
    if low < 0 and high < n_outputs:
        row = int(np.argmax(classes < 0))
        raise DataError(
            f"classes must be 0 to {n_outputs - 1}: got {classes[row]} in {name} for sample {row} (counted from 0); "
            f"leave those out, keep = {name} >= 0; {kept(name)}"
        )
    raise DataError(f"{begins}; {instead_of_classes((*sizes[:-1], 1))}")


def instead_of_classes(sizes: tuple[int, ...]) -> str:
    """How a network for values is made."""
    return f"for values to predict make the network with layer sizes {sizes}, {MADE_WITH['values']}"


def refuse_columns(y: NDArray[Any], sizes: tuple[int, ...], name: str, n_samples: int) -> None:
    """Raise for targets of several columns, where classes are needed, by what they look like."""
    needs = f"and classes need shape ({n_samples},)"
    if y.ndim != 2:
        raise ShapeError(f"{name} has shape {y.shape}, {needs}: use {name}.reshape({n_samples}, -1).argmax(axis=1)")
    if is_binary(y):
        for axis, what in ((1, "one-hot rows"), (0, "one-hot columns")):
            if y.shape[1 - axis] == n_samples and (y.sum(axis=axis) == 1).all():
                raise ShapeError(f"{name} has shape {y.shape}, {what}, {needs}: use {name}.argmax(axis={axis})")
        raise SettingError(
            f"{name} has shape {y.shape}, several 1s in a row, which are labels, and this network answers with one "
            f"class: make it with {MADE_WITH['labels']}"
        )
    if y.shape[1] > 1 and (y >= 0).all() and np.allclose(y.sum(axis=1), 1.0):
        raise ShapeError(f"{name} has shape {y.shape}, probabilities, {needs}: use {name}.argmax(axis=1)")
    refuse_values(y, sizes, name)


def refuse_values(y: NDArray[Any], sizes: tuple[int, ...], name: str) -> None:
    """Raise DataError for values where classes or labels are needed, with the network that predicts them."""
    broken = y[y != np.rint(y)] if y.dtype.kind == "f" else y.ravel()
    value = (broken if broken.size else y.ravel())[0]
    n_columns = y.shape[1] if y.ndim == 2 else 1
    raise DataError(
        f"{name} holds values such as {value:.4g}, and this network takes classes or labels: "
        f"{instead_of_classes((*sizes[:-1], n_columns))}"
    )


def label_targets(y: NDArray[Any], sizes: tuple[int, ...], name: str, n_samples: int) -> NDArray[Any]:
    """(n, outputs) uint8 of 0 and 1."""
    if y.ndim == 1 and sizes[-1] == 1:
        y = y.reshape(-1, 1)
    if not is_whole(y):
        refuse_values(y, sizes, name)
    if not is_binary(y):
        found = np.unique(y)
        if len(found) > 2:
            raise DataError(
                f"labels must be 0 or 1: got {found[0]:g} to {found[-1]:g} in {name}; for {len(found)} classes make "
                f"the network with layer sizes {(*sizes[:-1], len(found))}, {MADE_WITH['classes']}"
            )
        wrong = next(each for each in found if each not in (0, 1))
        line = f"({name} > 0)" if wrong < 0 else f"({name} == {found[-1]:g})"
        raise DataError(f"labels must be 0 or 1: got {wrong:g} in {name}; use {line}.astype(int)")
    if y.shape == (n_samples, 2) and sizes[-1] == 1 and (y.sum(axis=1) == 1).all():
        raise ShapeError(f"{name} has shape {y.shape}, one-hot rows, and this network has 1 output: use {name}[:, 1]")
    if y.shape[1:] != sizes[-1:]:
        refuse_width(y.shape, "labels", sizes, name, n_samples)
    return y.astype(np.uint8)


def value_targets(y: NDArray[Any], sizes: tuple[int, ...], name: str, n_samples: int) -> NDArray[Any]:
    """(n, outputs) float64."""
    if y.ndim == 1 and sizes[-1] == 1:
        y = y.reshape(-1, 1)
    if y.shape[1:] != sizes[-1:]:
        refuse_width(y.shape, "values", sizes, name, n_samples)
    return y.astype(np.float64)


def refuse_width(shape: tuple[int, ...], task: Task, sizes: tuple[int, ...], name: str, n_samples: int) -> None:
    """Raise ShapeError for targets (n, outputs) of another shape."""
    n_outputs = sizes[-1]
    outputs = "1 output" if n_outputs == 1 else f"{n_outputs} outputs"
    needs = f"{name} has shape {shape}, and {task} for {outputs} need shape ({n_samples}, {n_outputs})"
    if shape == (n_outputs, n_samples):
        raise ShapeError(f"{needs}: use {name}.T")
    if len(shape) == 2 and name != "y" and "(" not in name:
        raise ShapeError(f"{needs}: pass the columns that the training targets have")
    if len(shape) == 2:
        raise ShapeError(f"{needs}: use layer sizes {(*sizes[:-1], shape[1])}")
    raise ShapeError(
        f"{needs}: use {name}.reshape(-1, 1) with layer sizes {(*sizes[:-1], 1)}; for classes make the network with "
        f"{MADE_WITH['classes']}"
    )


def checked_weights(sample_weight: Any, n_samples: int) -> NDArray[np.float64]:
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
        cure = "sample_weight.ravel()" if weights.size == n_samples else ""
        classes = "np.asarray(sample_weight)[y]" if weights.ndim == 1 and math.isqrt(n_samples) >= weights.size else ""
        ends = f"; use {cure}" if cure else f"; for a weight for each class use {classes}" if classes else ""
        raise ShapeError(f"sample_weight needs one number a training sample, ({n_samples},): got {weights.shape}{ends}")
    with np.errstate(over="ignore", invalid="ignore"):
        total = weights.sum()
    if not (math.isfinite(total) and weights.min() >= 0.0 and total > 0.0):
        raise SettingError(
            "sample weights must be finite with a finite sum, 0 or more, and not all 0: "
            f"got {weights.min()} to {weights.max()}"
        )
    lightest = weights[weights > 0.0].min()
    if lightest < sys.float_info.min:
        raise SettingError(
            f"a sample weight must be 0 or at least {sys.float_info.min:.1g}: got {lightest}; scale them all"
        )
    return weights
