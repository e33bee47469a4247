"""All checks of targets y. Every unambiguous form is accepted; a column or a row is flattened, with a warning."""

import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from deltarule.elsewhere import words
from deltarule.errors import LOG, DataError, SettingError, ShapeError, sentence
from deltarule.inputs import array_name, as_array, check_finite, conversion, first_text, numbers
from deltarule.settings import Task


def check_shape(method: Any, found: Any, needed: tuple[int, ...]) -> Any:
    """`found`, which a loss's `method` has returned; SettingError unless it has as many axes as the shape needed."""
    if np.ndim(found) != len(needed):
        key = "own_losses" if len(needed) == 1 else "own_gradients"
        name = getattr(method, "__qualname__", method.__name__)
        raise SettingError(sentence(f"losses.{key}", name=name, needed=needed, got=np.shape(found)))
    return found


def check_targets_shape(y: NDArray[Any], needed: tuple[int, ...]) -> NDArray[Any]:
    """Targets for outputs of the shape `needed`; ShapeError for a column, which NumPy would repeat in silence."""
    if y.shape[1] == 1 != needed[1]:
        raise ShapeError(f"targets for these outputs have shape {needed}: got {y.shape}; use y.ravel() for classes")
    return y


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
    """(y, task): y converted to the form in which a Dataset holds targets of that task.

    task: the network's; None: inferred as classes for one number per sample and several outputs, as `binary` for y of
        0 and 1 only, else as values. names: the network's class names; a string among them becomes its index.

    Raises ShapeError, DataError or SettingError, with the fix, for any other y.
    """
    door, n_outputs = TargetDoor(array_name(y, name), tuple(layer_sizes), n_samples), layer_sizes[-1]
    y = as_numbers(as_array(y, name), task, names, name)
    if y.dtype.kind == "f":
        check_finite(y, name, door.says("finite_rows" if y.ndim > 1 else "finite"))
    if y.ndim == 2 and y.size == n_samples and 1 not in y.shape:
        raise ShapeError(door.says("not_flat", shape=y.shape))
    if y.ndim == 2 and y.dtype.kind == "f" and y.shape[1] == layer_sizes[0] not in (1, n_outputs):
        raise ShapeError(door.says("inputs", shape=y.shape))
    is_column = y.ndim == 2 and y.shape[1] == 1 < n_outputs and task in (None, "classes")
    is_row = y.ndim == 2 and y.shape == (1, n_samples) != (1, 1) and (n_outputs == 1 or task != "values")
    note = door.says("read_flat", y=y, what="classes" if n_outputs > 1 else task or "values")
    y = y.ravel() if is_column or is_row else y
    if task is None:
        task = "classes" if y.ndim == 1 and n_outputs > 1 else binary if is_binary(y) else "values"
    y = {"classes": door.classes, "labels": door.labels, "values": door.values}[task](y)
    if len(y) != n_samples:
        raise DataError(door.says("other_number", n_targets=len(y)))
    if is_column or is_row:
        LOG.warning(note)
    return y, task


def check_batch(
    X: NDArray[Any], y: Any, sample_weight: Any, layer_sizes: Sequence[int]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64] | None]:
    """(X, targets, weights) of a batch: X unchanged, the targets as `backward` takes them, sample weights or None."""
    if len(X) == 0:
        raise DataError(f"X has shape {X.shape}: at least one example is needed")
    y, n_outputs = as_array(y, "y"), layer_sizes[-1]
    task: Task = "classes" if y.ndim == 1 < n_outputs else "values"
    if y.shape == (len(X), 1) and n_outputs > 1:
        raise ShapeError(sentence("targets.column", shape=y.shape, n_samples=len(X), n_outputs=n_outputs))
    weights = None if sample_weight is None else check_weights(sample_weight, len(X))
    return X, check_targets(y, len(X), layer_sizes, task)[0], weights


def check_outputs(a: Any, y: Any, *, are_probabilities: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """(a, y) as arrays: outputs and targets that a program passes to a loss; an error if they do not fit."""
    a, y = numbers(a, "a"), numbers(y, "y")
    values = {"shape": a.shape, "y_shape": y.shape, "dtype": a.dtype}
    if a.ndim != 2 or len(a) != len(y) or (y.ndim != 1 and y.shape != a.shape) or y.ndim == 1 == a.shape[1]:
        is_column = a.ndim == 2 and y.shape == a.shape[:1]
        key = "swapped" if a.ndim < y.ndim == 2 else "column" if is_column else "other_shapes"
        raise ShapeError(sentence(f"losses.{key}", **values))
    if a.dtype.kind != "f":
        raise DataError(sentence("losses.whole_outputs", **values))
    if y.ndim == 1:
        if not is_whole(y) or not 0 <= y.min(initial=0) <= y.max(initial=0) < a.shape[1]:
            raise DataError(sentence("losses.classes", last=a.shape[1] - 1, low=y.min(), high=y.max(), **values))
        y = y.astype(np.int64)
    if are_probabilities and a.size and not 0.0 <= a.min() <= a.max() <= 1.0:
        raise DataError(sentence("losses.no_probabilities", low=a.min(), high=a.max()))
    return a, y


def check_range(y: NDArray[Any], least: float, name: str = "y") -> None:
    """Raise DataError if a target is below `least`, the lowest that the loss allows."""
    if (y < least).any():
        raise DataError(sentence("targets.too_low", name=name, low=y.min(), least=least))


def as_numbers(y: NDArray[Any], task: Task | None, names: Sequence[str], name: str) -> NDArray[Any]:
    """y unchanged if it holds numbers; class names become their indices in `names`. An error for other strings."""
    if y.dtype.kind in "fiub":
        return y
    if task in (None, "classes") and y.ndim == 2 and 1 not in y.shape:
        raise ShapeError(sentence("targets.columns_of_texts", name=name, shape=y.shape))
    numbered = {class_name: k for k, class_name in enumerate(names)}
    texts = y.astype(str).ravel().tolist()
    if task != "values" and numbered:
        unknown = next((text for text in texts if text not in numbered), None)
        if unknown is None:
            return np.array([numbered[text] for text in texts]).reshape(y.shape)
        if any(text in numbered for text in texts) and names[0] != "0":
            raise DataError(sentence("targets.unknown_class", name=name, unknown=unknown, known=", ".join(names)))
    raise texts_error(y, f"a network of {task or 'classes'}", name, task or "classes")


def texts_error(y: NDArray[Any], taker: str, name: str, task: Task, line: str = "dr.Network(..., {})") -> DataError:
    """The error for strings as targets, with the fix; taker: what needs numbers; line: the call for class names."""
    key = "texts_as_labels" if task == "labels" else "texts"
    if task == "values" and (cure := conversion(y, name)):
        key, line = "texts_of_numbers", cure
    elif task != "labels":
        settings = f"{words()['made_with']['classes']}, " if task == "values" else ""
        line = line.format(f"{settings}class_names=names.tolist()")
    return DataError(sentence(f"targets.{key}", name=name, such=first_text(y), taker=taker, line=line))


def is_binary(y: NDArray[Any]) -> bool:
    """Whether all targets are 0 or 1."""
    return y.dtype.kind == "b" or bool(((y == 0) | (y == 1)).all())


def are_shares(y: NDArray[Any]) -> bool:
    """Whether the rows of y are probabilities: none is below 0, and each row sums to 1, to within float32 rounding."""
    return bool((y >= 0).all()) and np.allclose(y.sum(axis=1), 1.0, rtol=0.0, atol=1e-5)


def is_whole(y: NDArray[Any]) -> bool:
    """Whether all targets are whole numbers."""
    return y.dtype.kind != "f" or bool((y == np.rint(y)).all())


class TargetDoor(NamedTuple):
    """Checks targets. name: what messages call them. sizes: layer sizes of the network. n_samples: number of inputs."""

    name: str
    sizes: tuple[int, ...]
    n_samples: int

    def says(self, key: str, n_needed: int = 1, **more: Any) -> str:
        """The message `key` about these targets, with its fields filled in; n_needed: how many outputs they need."""
        known = {"name": self.name, "n_samples": self.n_samples, "n_outputs": self.sizes[-1], "n_needed": n_needed}
        sizes = f"layer sizes {(*self.sizes[:-1], n_needed)}"
        inputs = "X".join(self.name.rpartition("y")[::2])  # X for y, X_val for y_val
        return sentence(f"targets.{key}", inputs=inputs, sizes=sizes, made=words()["made_with"], **known, **more)

    def classes(self, y: NDArray[Any]) -> NDArray[Any]:
        """y as classes: (n,) int64, or (n, outputs) float64 if it holds probabilities; else an error with the fix."""
        if y.shape == (self.n_samples, self.sizes[-1]) and y.dtype.kind == "f" and not is_binary(y) and are_shares(y):
            return y.astype(np.float64)
        if y.ndim != 1:
            self._refuse_columns(y)
        if not is_whole(y):
            self._refuse_values(y)
        if y.dtype.kind == "b" and self.sizes[-1] > 2:
            raise DataError(self.says("two_classes", 2))
        classes = y.astype(np.int64)
        if classes.size and not 0 <= classes.min() <= classes.max() < self.sizes[-1]:
            self._refuse_classes(classes)
        return classes

    def labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """y as labels: (n, outputs) uint8 of 0 and 1; an error, with the fix, if that is impossible."""
        if not is_whole(y):
            self._refuse_values(y)
        if not is_binary(y):
            found = np.unique(y)
            wrong = next(each for each in found if each not in (0, 1))
            key = "many_labels" if len(found) > 2 else "negative_labels" if wrong < 0 else "other_labels"
            raise DataError(self.says(key, len(found), wrong=wrong, low=found[0], high=found[-1]))
        if y.shape == (self.n_samples, 2) and self.sizes[-1] == 1 and (y.sum(axis=1) == 1).all():
            raise ShapeError(self.says("one_hot_pairs", shape=y.shape))
        return self._columns(y, "labels").astype(np.uint8)

    def values(self, y: NDArray[Any]) -> NDArray[Any]:
        """y as values: (n, outputs) float64; ShapeError, with the fix, if it has another shape."""
        return self._columns(y, "values").astype(np.float64)

    def _columns(self, y: NDArray[Any], task: Task) -> NDArray[Any]:
        """y as (n, outputs); ShapeError, with the fix, if it has another shape."""
        n_outputs = self.sizes[-1]
        y = y.reshape(-1, 1) if y.ndim == 1 and n_outputs == 1 else y
        if y.shape[1:] == self.sizes[-1:]:
            return y
        key, n_columns = "other_shape", 1
        if y.shape == (n_outputs, self.n_samples):
            key = "transposed"
        elif y.ndim == 2 and y.shape[1] == self.n_samples > len(y):
            key, n_columns = "list_of_columns", len(y)
        elif y.ndim == 2:
            key, n_columns = "later_columns" if self.name.endswith("y_val") else "other_columns", y.shape[1]
        values = {"shape": y.shape, "task": task, "outputs": "1 output" if n_outputs == 1 else f"{n_outputs} outputs"}
        raise ShapeError(self.says(key, n_columns, **values))

    def _refuse_classes(self, classes: NDArray[np.int64]) -> NoReturn:
        """Raise DataError for classes that are not 0 to outputs - 1, with the likeliest fix."""
        n_outputs, found = self.sizes[-1], np.unique(classes)
        low, high, row = int(found[0]), int(found[-1]), int(np.argmax(classes < 0))
        cures = (
            (low == 1 and high == n_outputs, "classes_from_1"),
            (len(found) <= n_outputs, "later_classes" if self.name.endswith("y_val") else "classes_with_gaps"),
            (low >= 0 and len(found) > high // 2, "more_classes"),
            (low < 0 and high < n_outputs, "negative_classes"),
            (True, "values_for_classes"),
        )
        key = next(key for fits, key in cures if fits)
        n_needed = high + 1 if key == "more_classes" else 1
        values = {"low": low, "high": high, "row": row, "value": classes[row], "last": n_outputs - 1}
        raise DataError(self.says(key, n_needed, **values))

    def _refuse_columns(self, y: NDArray[Any]) -> NoReturn:
        """Raise the error for y of several axes where classes are needed: one-hot, labels, probabilities, values."""
        if y.ndim != 2:
            raise ShapeError(self.says("axes", shape=y.shape))
        for axis, key in ((1, "one_hot_rows"), (0, "one_hot_columns")):
            if y.shape[1 - axis] == self.n_samples and ((y != 0).sum(axis=axis) == 1).all() and len(np.unique(y)) == 2:
                raise ShapeError(self.says(key, shape=y.shape))
        if is_binary(y):
            raise SettingError(self.says("labels_for_classes", shape=y.shape))
        if y.shape[1] == self.sizes[-1] > 1 and not is_whole(y) and (y >= 0).all():
            totals = y.sum(axis=1)
            raise DataError(self.says("probabilities", total=totals[np.abs(totals - 1.0).argmax()]))
        self._refuse_values(y)

    def _refuse_values(self, y: NDArray[Any]) -> NoReturn:
        """Raise DataError for values where classes or labels are needed; it shows the network that predicts values."""
        broken = y[y != np.rint(y)] if y.dtype.kind == "f" else y.ravel()
        value, n_columns = (broken if broken.size else y.ravel())[0], y.shape[1] if y.ndim == 2 else 1
        raise DataError(self.says("values", n_columns, value=value))


def check_weights(sample_weight: Any, n_samples: int) -> NDArray[np.float64]:
    """Sample weights as (n_samples,) float64, finite, at least 0, not all 0; an error, with the fix, for others."""
    if isinstance(sample_weight, dict | str):
        key = "dict" if isinstance(sample_weight, dict) else "text"
        raise SettingError(sentence(f"weights.{key}", given=sample_weight))
    weights = numbers(sample_weight, "sample_weight").astype(np.float64)
    if weights.shape != (n_samples,):
        is_of_classes = weights.ndim == 1 and math.isqrt(n_samples) >= weights.size
        key = "not_flat" if weights.size == n_samples else "of_classes" if is_of_classes else "other_shape"
        raise ShapeError(sentence(f"weights.{key}", n_samples=n_samples, shape=weights.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        total = weights.sum()
    if not (math.isfinite(total) and weights.min() >= 0.0 and total > 0.0):
        raise SettingError(sentence("weights.illegal", low=weights.min(), high=weights.max()))
    lightest, least = weights[weights > 0.0].min(), sys.float_info.min
    if lightest < least:
        raise SettingError(sentence("weights.tiny", least=least, lightest=lightest))
    return weights
