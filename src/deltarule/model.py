"""Model: a network with everything else that a prediction needs, so that it can be saved, loaded and used."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from deltarule.data.columns import Column, encode, input_names, refill
from deltarule.data.dataset import Dataset
from deltarule.data.ink.normalization import reading_of
from deltarule.data.readers.tables import frame_table, is_frame, table_rows
from deltarule.elsewhere import substitute_for, words
from deltarule.errors import LOG, DataError, SettingError, ShapeError, sentence
from deltarule.inputs import LARGEST, Scale, check_finite, check_inputs, check_scale, is_unit
from deltarule.nn.activations import Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, decide, inputs_of, outputs_of, scale_of, with_meaning
from deltarule.nn.workspace import as_floats
from deltarule.public import Named, check_network, public
from deltarule.settings import Task


@public("Standardization.of(X)")
@dataclass(frozen=True, eq=False)
class Standardization(metaclass=Named):
    """x -> (x - mean) / scale, column by column, and back. mean, scale: (columns,) float64, scale above 0."""

    mean: Array
    scale: Array

    @classmethod
    def of(cls, columns: Array) -> Self:
        """The Standardization that gives each column (n_samples, columns) mean 0 and standard deviation 1."""
        columns = np.asarray(columns)
        constant = columns.min(axis=0) == columns.max(axis=0)  # rounding may give it a deviation of 1e-17, not 0
        scale = np.where(constant, 1.0, columns.std(axis=0, dtype=np.float64))
        return cls(columns.mean(axis=0, dtype=np.float64), scale)

    def apply(self, columns: Array) -> Array:
        """(columns - mean) / scale, float64. SettingError if mean or scale do not fit, or scale is not above 0."""
        if {np.shape(self.mean), np.shape(self.scale)} != {np.shape(columns)[-1:]} or np.min(self.scale) <= 0.0:
            raise SettingError(sentence("model.scale", n_columns=np.shape(columns)[-1], given=self))
        return (columns - self.mean) / self.scale

    def is_done(self, columns: Array) -> bool:
        """Whether `columns` (10 rows or more) look standardized already, though the columns it was made of did not."""
        is_far = (np.abs(self.mean) > 1.0) | (np.abs(self.scale - 1.25) > 0.75)
        is_standard = (np.abs(columns.mean(axis=0)) < 0.5) & (np.abs(columns.std(axis=0) - 1.0) < 0.5)
        is_text = (self.mean == 0.0) & (self.scale == 1.0)
        return bool(len(columns) >= 10 and is_far.any() and (is_standard | is_text).all())

    def undo(self, columns: Array) -> Array:
        """columns * scale + mean, float64."""
        return columns * self.scale + self.mean


@dataclass(frozen=True, eq=False)
class Doubt:
    """An extra softmax output for "none of the classes"; like the other outputs it reads the last hidden layer.

    weight: (fan_in,). bias: such that the probability of this output is 0.5 where an input begins to be unusual.
    """

    weight: Array
    bias: float

    def fits(self, network: Network) -> bool:
        """Whether `network` ends in a softmax, and its last hidden layer has as many units as there are weights."""
        is_softmax = isinstance(network.activations[-1], Softmax)
        return is_softmax and np.shape(self.weight) == network.layer_sizes[-2:-1]

    def shares(self, network: Network, X: Array) -> Array:
        """The probability of this extra output, (n_samples,), for inputs X as `outputs_of` takes them."""
        *sizes, n_outputs = network.layer_sizes
        *hidden, output = network.activations
        wide = Network((*sizes, n_outputs + 1), hidden=hidden, output=output, loss=network.loss, dtype=network.dtype)
        vars(wide).update(pixels=network.pixels)
        for W, b, own_W, own_b in zip(wide.weights, wide.biases, network.weights, network.biases, strict=True):
            W[:, : len(own_b)], b[: len(own_b)] = own_W, own_b
        wide.weights[-1][:, -1], wide.biases[-1][-1] = self.weight, self.bias
        return outputs_of(wide, X)[:, -1]


class Answers(NamedTuple):
    """Results for the same inputs: outputs (n_samples, outputs), predicted as from `predict`, unusual (n_samples,)."""

    outputs: Array
    predicted: Array
    unusual: Array | None = None


@public("Model(dr.Network((784, 100, 10)))")
@dataclass(frozen=True, eq=False, init=False)
class Model(metaclass=Named):
    """A network with all that its predictions need.

    network: its task, class_names, image_shape and pixels describe what `predict` takes and returns. Those given here
        are set on the network; if it has others, the Model uses a copy of the network with the same parameters.
    input_scaling, target_scaling: how inputs and regression targets were standardized, None where they were not.
    columns: the columns of the table that the inputs come from, if any; strings become inputs of 0 and 1.
    record: how it was trained (recipe, data, seed, versions, scores): strings, numbers, lists and dicts of them.
    doubt: what `unusual` uses, or None. The bundled network has one; after more training it no longer fits.

    Attributes: all of the above; task, class_names, image_shape, pixels, has_probabilities; inner, the network that
    reads what `inputs` returns; input_names, if the inputs come from a table.
    """

    network: Network
    input_scaling: Standardization | None
    target_scaling: Standardization | None
    columns: tuple[Column, ...] = field(repr=False)
    record: dict[str, Any] = field(repr=False)
    doubt: Doubt | None = field(repr=False)

    def __init__(
        self,
        network: Network,
        task: Task | None = None,
        class_names: Sequence[str] = (),
        image_shape: tuple[int, int] | None = None,
        input_scaling: Standardization | None = None,
        target_scaling: Standardization | None = None,
        columns: tuple[Column, ...] = (),
        record: dict[str, Any] | None = None,
        doubt: Doubt | None = None,
    ) -> None:
        check_network(network, substitute_for(network, "Model") or "dr.Model(network)", "Network")
        scalings = {"input_scaling": input_scaling, "target_scaling": target_scaling}
        if not all(isinstance(each, Standardization | None) for each in scalings.values()):
            raise TypeError("a Standardization is needed")  # `public` explains it
        names = class_names if isinstance(class_names, str) else tuple(class_names)
        given = {"task": task, "class_names": names, "image_shape": image_shape}
        new = {name: value for name, value in given.items() if value and value != getattr(network, name)}
        meant = with_meaning(network, **new)
        if not any(has_own(network, name) for name in new):
            vars(network).update(vars(meant))
            meant = network
        if columns or input_scaling is not None:
            vars(meant).setdefault("input_range", None)  # uint8 counts as its value
        if doubt is not None and not doubt.fits(meant):
            raise SettingError(sentence("model.doubt", sizes=meant.layer_sizes, n_weights=np.size(doubt.weight)))
        record = {} if record is None else record
        vars(self).update(network=meant, columns=columns, record=record, doubt=doubt, **scalings)

    task = property(attrgetter("network.task"), doc="What the outputs answer, as for Network.")
    class_names = property(attrgetter("network.class_names"), doc="One name per output.")
    image_shape = property(attrgetter("network.image_shape"), doc="(height, width) of an input that is an image.")
    pixels = property(attrgetter("network.pixels"), doc="Whether inputs are uint8 pixels, which count as value / 255.")
    has_probabilities = property(attrgetter("network.has_probabilities"), doc="Whether the outputs are probabilities.")

    @property
    def reads_ink(self) -> bool:
        """Whether images must be ink from 0 to 1: yes, unless it reads pixels or was trained on another range."""
        means = None if self.input_scaling is None else self.input_scaling.mean
        seen = self.network.input_range or (None if means is None else (means.min(), means.max()))
        return not self.pixels and (seen is None or is_unit(seen))

    @property
    def has_own_range(self) -> bool:
        """Whether the network's range is that of inputs as given: after `fit` it may be that of scaled ones."""
        seen, means = self.network.input_range, None if self.input_scaling is None else self.input_scaling.mean
        return seen is None or means is None or bool(seen[0] <= means.min() and means.max() <= seen[1])

    @property
    def inner(self) -> Network:
        """The network to train, score and inspect on `scaled` data; standardized inputs are plain numbers to it."""
        network = self.network
        return network if self.input_scaling is None else with_meaning(network, pixels=False, input_range=None)

    @classmethod
    def suited(cls, network: Network, train: Dataset, *, standardize: bool | None = None) -> Self:
        """A model for training `network` on `train`, with the columns of `train` and their means and deviations.

        This method sets on the network the task, image shape and class names of `train`, and its range of inputs.

        standardize: whether inputs and regression targets get mean 0 and standard deviation 1; None: unless they are
            images. Inputs of 0 and 1, from columns of text, stay as they are.

        >>> Model.suited(Network((2, 1)), Dataset(np.eye(2), np.eye(2)[:, :1], "values")).input_scaling.mean.tolist()
        [0.5, 0.5]
        """
        columns = refill(train.columns, train.inputs)
        take_meaning(network, train)
        vars(network).update({"input_range": None} if columns else {})  # not the range of unscaled numbers: see `fit`
        model = cls(network, columns=columns)
        if not (train.image_shape is None if standardize is None else standardize):
            return model
        input_scaling = Standardization.of(as_floats(model.unscaled(train.inputs), np.float64))
        is_binary = [each for column in columns for each in column.binary]
        if any(is_binary):
            mean, scale = np.where(is_binary, [[0.0], [1.0]], [input_scaling.mean, input_scaling.scale])
            input_scaling = Standardization(mean, scale)
        is_scaled = train.task == "values" and network.loss.least_target < 0.0  # a loss for counts needs counts
        target_scaling = Standardization.of(train.targets) if is_scaled else None
        return replace(model, input_scaling=input_scaling, target_scaling=target_scaling)

    def with_meaning(self, **meaning: Any) -> Self:
        """A copy of the model whose network has another task, pixels, image_shape or class_names."""
        return replace(self, network=with_meaning(self.network, **meaning))

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the network's inputs, if they come from a table; else ()."""
        return input_names(self.columns)

    def of_numbers(self) -> Self:
        """A copy of the model that takes what `unscaled` returns: a number for each input of the network."""
        return replace(self, columns=tuple(map(Column, self.input_names)))

    def rows(self, frame: Any, *, unseen: Literal["error", "other"] = "error") -> Array:
        """A DataFrame as an array for `predict`, (n_samples, columns); a string becomes its index in its categories.

        unseen: "error" raises DataError for an unknown string; with "other" it counts as none of the categories.
        """
        return table_rows(frame_table(frame), self.columns, unseen=unseen)

    def unscaled(self, raw: Any) -> Array:
        """Raw inputs, as for `inputs`, as numbers (n_samples, features), not standardized; strings become 0 and 1."""
        if self.columns and is_frame(raw):
            raw = self.rows(raw)
        if not self.columns:
            return inputs_of(self.network if self.has_own_range else with_meaning(self.network, input_range=None), raw)
        cells = np.array(raw, object).ravel() if isinstance(raw, list | tuple) else ()
        if isinstance(raw, dict) or any(isinstance(each, str | dict) for each in cells):
            rows = "[X]" if isinstance(raw, dict) and not any(map(np.ndim, raw.values())) else "X"
            raise DataError(sentence("model.texts", names=[column.name for column in self.columns], rows=rows))
        if isinstance(raw, np.ndarray) and raw.dtype.kind == "O":
            raise ShapeError(sentence("model.not_a_frame", dtype=raw.dtype))
        return encode(self.columns, check_inputs(raw, len(self.columns), may_miss=True))

    def inputs(self, raw: Any) -> Array:
        """Raw inputs converted for `inner`, (n_samples, features): uint8 pixels, or numbers, scaled by input_scaling.

        raw: (n_samples, features), or images (n_samples, height, width). For a model of a table, a DataFrame with its
            columns (in any order, others are ignored), or an array (n_samples, columns) in which a string is its
            index among the column's categories.

        Raises ShapeError if the width does not fit, DataError if numbers are on another scale than in training, a
        DataFrame lacks a column, or a cell does not suit its column: see `data/readers/tables.py`.
        """
        numbers = self.unscaled(raw)
        if self.input_scaling is None:
            return numbers
        scaled = self.input_scaling.apply(floats := as_floats(numbers, np.float64))
        if self.input_scaling.is_done(floats[:1000]):
            LOG.warning(sentence("model.scaled_twice"))
        check_finite(scaled, "X, standardized,", largest=LARGEST[self.network.dtype.char])
        return scaled.astype(self.network.dtype)

    def outputs(self, raw: Any) -> Array:
        """The activations of the last layer for raw inputs, (n_samples, outputs)."""
        return outputs_of(self.network, self.inputs(raw))

    def predict(self, raw: Any) -> Array:
        """The predictions for raw inputs, as `inputs` takes them; their form depends on the task.

        classes: (n_samples,) int64, indices into class_names.
        labels: (n_samples, outputs) uint8, 1 where the output is at least 0.5.
        values: (n_samples, outputs) floats, in the targets' own units.
        """
        return self._decide(self.outputs(raw))

    def unusual(self, raw: Any) -> Array:
        """How unlike the training data the inputs are, (n_samples,): 0 to 1, from 0.5 on unlike any class.

        Probabilities cannot show this: one class is always the likeliest. SettingError for a model without `doubt`;
        the bundled network's was trained on letters, drawings and scribbles.
        """
        if self.doubt is None:
            raise SettingError(sentence("model.no_doubt"))
        return self.doubt.shares(self.network, self.inputs(raw))

    def answers(self, raw: Any) -> Answers:
        """The results of `outputs`, `predict` and, if the model has `doubt`, `unusual` for raw inputs."""
        outputs = self.outputs(raw)
        return Answers(outputs, self._decide(outputs), None if self.doubt is None else self.unusual(raw))

    def _decide(self, outputs: Array) -> Array:
        """The predictions for these outputs, by task; values in the targets' own units."""
        predicted = decide(self.network, outputs)
        return predicted if self.target_scaling is None else self.target_scaling.undo(predicted)

    def probabilities(self, raw: Any) -> Array:
        """The outputs, (n_samples, outputs), if they are probabilities; else SettingError."""
        return self.inner.probabilities(self.inputs(raw))

    def scaled(self, dataset: Dataset) -> Dataset:
        """The dataset as `inner` reads it: inputs and regression targets are standardized if those of the model are.

        Raises ShapeError or SettingError if the data do not fit the model.
        """
        theirs, ours = ([(each.name, each.input_names) for each in part.columns] for part in (dataset, self))
        if theirs and theirs != ours:
            columns = ", ".join(map(str, self.input_names)) or "of no table"
            raise SettingError(sentence("model.other_columns", columns=columns, data=dataset))
        if self.task not in (None, dataset.task) or dataset.n_outputs != self.network.layer_sizes[-1]:
            n_outputs = self.network.layer_sizes[-1]
            raise SettingError(sentence("model.other_answers", model=self, n_outputs=n_outputs, data=dataset))
        raw, targets = dataset.inputs, dataset.targets
        is_new = scale_of(self.network).will_be_pixels(raw)
        inputs = self.inputs(as_floats(raw, self.network.dtype) if is_new else raw)
        if self.target_scaling is not None:
            targets = self.target_scaling.apply(targets)
        return replace(dataset, inputs=inputs, targets=targets, columns=self.of_numbers().columns)


def has_own(network: Network, name: str) -> bool:
    """Whether `network` has this task, class_names or image_shape; the default names "0", "1" ... do not count."""
    return getattr(network, name) not in (None, tuple(map(str, range(network.layer_sizes[-1]))))


def take_meaning(network: Network, train: Dataset) -> None:
    """Set on `network` what its training data mean: task, pixels, range of inputs, image shape, class names.

    Values that the network already has stay; only the range of its inputs widens.

    Raises SettingError if the network was made for another task, DataError if its inputs were on another scale.
    """
    check_purpose(network, train)
    pixels, seen = network.pixels or train.inputs.dtype == np.uint8, network.input_range
    if seen is not None and pixels and not network.pixels:
        raise DataError(sentence("model.now_pixels", seen=seen, data=train))
    if pixels:
        check_scale(train.inputs, Scale(pixels=True))
    else:
        seen = range_with(seen, train.inputs)
    meant = with_meaning(
        network,
        task=train.task,
        pixels=pixels,
        input_range=None if pixels else seen,
        reading=reading_of(train.inputs, train.image_shape, network.reading),
        image_shape=network.image_shape or train.image_shape,
        class_names=network.class_names if has_own(network, "class_names") else train.class_names,
    )
    vars(network).update(vars(meant))


def range_with(seen: tuple[float, float] | None, inputs: Any) -> tuple[float, float]:
    """(lowest, highest) of the numbers in `inputs`, an array or a sparse matrix, and in the range `seen`, if any."""
    ends = [float(inputs.min()), float(inputs.max()), *(seen or ())]
    return min(ends), max(ends)


def check_purpose(network: Network, data: Dataset) -> None:
    """Raise SettingError for data of another task than the network's."""
    if network.task not in (None, data.task):
        made = words()["made_with"][data.task]
        is_one_hot = data.task == "labels" and network.task == "classes" and bool((data.targets.sum(axis=1) == 1).all())
        key = "one_hot" if is_one_hot else "other_task"
        raise SettingError(sentence(f"model.{key}", data=data, task=network.task, made=made))
