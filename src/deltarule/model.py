"""Model: a network with everything else that a prediction needs, so that it can be saved, loaded and asked."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from deltarule.data.cells import coded
from deltarule.data.columns import Column, encoded, filled_by, input_names
from deltarule.data.dataset import Dataset
from deltarule.data.frames import is_frame, opened_table
from deltarule.errors import SettingError, ShapeError
from deltarule.nn.activations import Identity, Sigmoid
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.settings import Task


@dataclass(frozen=True, eq=False)
class Standardization:
    """x -> (x - mean) / scale, column by column, and back. mean, scale: (columns,) float64, scale above 0."""

    mean: Array
    scale: Array

    @classmethod
    def of(cls, columns: Array) -> Self:
        """The one that gives each column of `columns` (n_samples, columns) mean 0 and standard deviation 1."""
        constant = columns.min(axis=0) == columns.max(axis=0)  # its deviation may come out as 1e-17 and not as 0
        scale = np.where(constant, 1.0, columns.std(axis=0, dtype=np.float64))
        return cls(columns.mean(axis=0, dtype=np.float64), scale)

    def apply(self, columns: Array) -> Array:
        """(columns - mean) / scale, float64."""
        return (columns - self.mean) / self.scale

    def undo(self, columns: Array) -> Array:
        """columns * scale + mean, float64."""
        return columns * self.scale + self.mean


@dataclass(frozen=True, eq=False)
class Model:
    """A network, and what its numbers mean.

    task: "classes", "labels" or "values", as for Dataset.
    class_names: one name an output.
    image_shape: (height, width) of an input, where inputs are images.
    input_scaling, target_scaling: how inputs and regression targets were standardized, None where they were not.
    columns: the columns of the table that inputs come from, where they do; texts become inputs of 0 and 1.
    record: how it was trained (recipe, data, seed, versions, scores): strings, numbers, lists and dicts of them.
    """

    network: Network
    task: Task
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    input_scaling: Standardization | None = None
    target_scaling: Standardization | None = None
    columns: tuple[Column, ...] = ()
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_outputs = self.network.layer_sizes[-1]
        if not self.class_names:
            object.__setattr__(self, "class_names", tuple(map(str, range(n_outputs))))
        if len(self.class_names) != n_outputs:
            raise ShapeError(f"a model needs a name for each of its {n_outputs} outputs: got {len(self.class_names)}")

    @classmethod
    def of(cls, network: Network) -> Self:
        """A model around a bare network: values after Identity, independent labels after Sigmoid, else classes."""
        output = network.activations[-1]
        tasks: dict[type, Task] = {Identity: "values", Sigmoid: "labels"}
        return cls(network, tasks.get(type(output), "classes"))

    @classmethod
    def suited(cls, network: Network, train: Dataset, *, standardize: bool | None = None) -> Self:
        """A model around a network that is to learn `train`: its names, its columns, and its means and deviations.

        standardize: whether inputs and regression targets are brought to mean 0 and standard deviation 1; None for all
            but images. Inputs of 0 and 1, which columns of text become, stay as they are.

        >>> Model.suited(Network((2, 1)), Dataset(np.eye(2), np.eye(2)[:, :1], "values")).input_scaling.mean.tolist()
        [0.5, 0.5]
        """
        columns = filled_by(train.columns, train.inputs)
        model = cls(network, train.task, train.class_names, train.image_shape, columns=columns)
        if not (train.image_shape is None if standardize is None else standardize):
            return model
        inputs = model.unscaled(train.inputs)
        input_scaling = Standardization.of(inputs / 255.0 if inputs.dtype == np.uint8 else inputs)
        is_text = np.repeat([bool(each.categories) for each in columns], [len(each.input_names) for each in columns])
        if is_text.any():
            mean, scale = np.where(is_text, [[0.0], [1.0]], [input_scaling.mean, input_scaling.scale])
            input_scaling = Standardization(mean, scale)
        target_scaling = Standardization.of(train.targets) if train.task == "values" else None
        return replace(model, input_scaling=input_scaling, target_scaling=target_scaling)

    @property
    def input_names(self) -> tuple[str, ...]:
        """What the inputs of the network are called, where they come from a table; else none."""
        return input_names(self.columns)

    def of_numbers(self) -> Self:
        """The same model, to be given what `unscaled` returns: a number for each input of the network."""
        return replace(self, columns=tuple(map(Column, self.input_names)))

    def unscaled(self, raw: Any) -> Array:
        """Raw inputs as numbers, (n_samples, features), not yet standardized: columns of text as 0 and 1.

        raw: as for `inputs`, which raises the same.
        """
        if self.columns and is_frame(raw):
            raw = coded(opened_table(raw), self.columns)
        raw = np.asarray(raw)
        n_features = len(self.columns) or self.network.layer_sizes[0]
        if raw.ndim == 3 and self.image_shape in (None, raw.shape[1:]):
            raw = raw.reshape(len(raw), raw.shape[1] * raw.shape[2])
        if raw.ndim != 2 or raw.shape[1] != n_features:
            images = f" or (n_samples, {self.image_shape[0]}, {self.image_shape[1]})" if self.image_shape else ""
            raise ShapeError(
                f"this model takes inputs of shape (n_samples, {n_features}){images}: got {raw.shape}; "
                "a single example x goes in as x.reshape(1, -1)"
            )
        if not self.columns:
            return raw
        if raw.dtype.kind not in "iuf":
            raise ShapeError(f"this model takes a DataFrame, or rows of numbers: got an array of {raw.dtype}")
        return encoded(self.columns, raw)

    def inputs(self, raw: Any) -> Array:
        """What the network reads, (n_samples, features), for raw inputs: uint8 pixels, or numbers in their own units.

        raw: (n_samples, features), or images (n_samples, height, width). For a model of a table, a DataFrame, whose
            columns may be in any order and more than are needed; or an array (n_samples, columns), where a text is its
            place among the column's categories.

        Raises ShapeError where the width does not fit, DataError where a DataFrame lacks a column, or a cell is not
        such as were learned from: see `data/tables.py`.
        """
        numbers = self.unscaled(raw)
        if self.input_scaling is None:
            return numbers
        values = numbers / 255.0 if numbers.dtype == np.uint8 else numbers
        return self.input_scaling.apply(values).astype(self.network.dtype)

    def read(self, raw: Any, targets: Array) -> tuple[Array, Array]:
        """Raw inputs and targets in their own units, as the network is trained on them; `scaled` is for a Dataset."""
        if self.target_scaling is not None:
            targets = self.target_scaling.apply(np.asarray(targets).reshape(len(targets), -1))
        return self.inputs(raw), targets

    def outputs(self, raw: Any) -> Array:
        """The activations of the last layer, (n_samples, outputs)."""
        return self.network.outputs(self.inputs(raw))

    def predict(self, raw: Any) -> Array:
        """The answers for raw inputs, such as `inputs` takes, by task.

        classes: (n_samples,) int64, indices into class_names.
        labels: (n_samples, outputs) uint8, 1 where the output is at least 0.5.
        values: (n_samples, outputs) floats, in the targets' own units.
        """
        a = self.outputs(raw)
        if self.task == "classes":
            return a.argmax(axis=1)
        if self.task == "labels":
            return (a >= 0.5).astype(np.uint8)
        return a if self.target_scaling is None else self.target_scaling.undo(a)

    @property
    def has_probabilities(self) -> bool:
        """Whether the outputs are probabilities: a softmax's, or a single sigmoid's."""
        return self.network.has_probabilities

    def probabilities(self, raw: Any) -> Array:
        """The outputs, (n_samples, outputs), where they are probabilities; else SettingError."""
        return self.network.probabilities(self.inputs(raw))

    def scaled(self, dataset: Dataset) -> Dataset:
        """A dataset as the network is trained and scored on it: inputs and targets standardized as the model does.

        Raises ShapeError or SettingError where the data do not fit the model.
        """
        theirs, ours = ([(each.name, each.categories) for each in part.columns] for part in (dataset, self))
        if theirs and theirs != ours:
            raise SettingError(
                f"this model reads the columns {', '.join(map(str, self.input_names)) or 'of no table'}: got those of "
                f"{dataset.name}, counted otherwise; read it with read_known_table, and the columns of the model"
            )
        if dataset.task != self.task or dataset.n_outputs != self.network.layer_sizes[-1]:
            raise SettingError(
                f"this model answers {self.network.layer_sizes[-1]} {self.task}: got {dataset.name}, which holds "
                f"{dataset.n_outputs} {dataset.task}; use the data that the model was made for"
            )
        inputs, targets = self.inputs(dataset.inputs), dataset.targets
        if self.target_scaling is not None:
            targets = self.target_scaling.apply(targets)
        return replace(dataset, inputs=inputs, targets=targets, columns=self.of_numbers().columns)


def reader(net_or_model: Network | Model) -> tuple[Network, Callable[[Any, Any], tuple[Any, Any]]]:
    """The network, and what makes of a user's inputs and targets those that it is trained on."""
    if isinstance(net_or_model, Model):
        return net_or_model.network, net_or_model.read
    return net_or_model, lambda X, y: (X, y)
