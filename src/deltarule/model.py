"""Model: a network with everything else that a prediction needs, so that it can be saved, loaded and asked."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from deltarule.data.dataset import Dataset, Task
from deltarule.errors import SettingError, ShapeError
from deltarule.nn.activations import Identity, Sigmoid
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network


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
    columns: the names of the inputs, where they come from a table.
    record: how it was trained (recipe, data, seed, versions, scores): strings, numbers, lists and dicts of them.
    """

    network: Network
    task: Task
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None
    input_scaling: Standardization | None = None
    target_scaling: Standardization | None = None
    columns: tuple[str, ...] = ()
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

    def inputs(self, raw: Array) -> Array:
        """What the network reads, (n_samples, features), for raw inputs: uint8 pixels, or numbers in their own units.

        A last axis of images, (n_samples, height, width), is flattened. Raises ShapeError where the width does not fit.
        """
        raw = np.asarray(raw)
        n_features = self.network.layer_sizes[0]
        if raw.ndim == 3 and self.image_shape in (None, raw.shape[1:]):
            raw = raw.reshape(len(raw), raw.shape[1] * raw.shape[2])
        if raw.ndim != 2 or raw.shape[1] != n_features:
            images = f" or (n_samples, {self.image_shape[0]}, {self.image_shape[1]})" if self.image_shape else ""
            raise ShapeError(
                f"this model takes inputs of shape (n_samples, {n_features}){images}: got {raw.shape}; "
                "a single example x goes in as x.reshape(1, -1)"
            )
        if self.input_scaling is None:
            return raw
        values = raw / 255.0 if raw.dtype == np.uint8 else raw
        return self.input_scaling.apply(values).astype(self.network.dtype)

    def read(self, raw: Array, targets: Array) -> tuple[Array, Array]:
        """Raw inputs and targets in their own units, as the network is trained on them; `scaled` is for a Dataset."""
        if self.target_scaling is not None:
            targets = self.target_scaling.apply(np.asarray(targets).reshape(len(targets), -1))
        return self.inputs(raw), targets

    def outputs(self, raw: Array) -> Array:
        """The activations of the last layer, (n_samples, outputs)."""
        return self.network.outputs(self.inputs(raw))

    def predict(self, raw: Array) -> Array:
        """The answers for raw inputs (n_samples, features), by task.

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

    def probabilities(self, raw: Array) -> Array:
        """The outputs, (n_samples, outputs), where they are probabilities; else SettingError."""
        return self.network.probabilities(self.inputs(raw))

    def scaled(self, dataset: Dataset) -> Dataset:
        """A dataset as the network is trained and scored on it: inputs and targets standardized as the model does.

        Raises ShapeError or SettingError where the data do not fit the model.
        """
        if dataset.task != self.task or dataset.n_outputs != self.network.layer_sizes[-1]:
            raise SettingError(
                f"this model answers {self.network.layer_sizes[-1]} {self.task}: got {dataset.name}, which holds "
                f"{dataset.n_outputs} {dataset.task}; use the data that the model was made for"
            )
        inputs, targets = self.inputs(dataset.inputs), dataset.targets
        if self.target_scaling is not None:
            targets = self.target_scaling.apply(targets)
        return replace(dataset, inputs=inputs, targets=targets)


def reader(net_or_model: Network | Model) -> tuple[Network, Callable[[Any, Any], tuple[Any, Any]]]:
    """The network, and what makes of a user's inputs and targets those that it is trained on."""
    if isinstance(net_or_model, Model):
        return net_or_model.network, net_or_model.read
    return net_or_model, lambda X, y: (X, y)
