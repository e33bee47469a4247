"""What the page can look at: a network, the examples that it is judged by, and what it makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.files.model_file import model_bytes
from deltarule.files.page import in_ink, shown
from deltarule.inspection.measures.metrics import confusion_matrix
from deltarule.model import Model
from deltarule.nn.arrays import Array

MOST_IN_CELL = 60  # examples of a cell of the confusion matrix that the page can show


@dataclass(frozen=True, eq=False)
class Subject:
    """A network that can be looked at.

    examples: by the name of their part ("train", "test"), as they are stored; the last is what it is judged by.
    """

    model: Model
    examples: Mapping[str, Dataset]

    @cached_property
    def content(self) -> bytes:
        """The model file."""
        return model_bytes(in_ink(self.model))

    @property
    def judged_by(self) -> Dataset:
        """The examples that show its mistakes. SettingError where there are none, or it knows no classes."""
        if not self.examples or self.model.task != "classes":
            raise SettingError("there are no examples of classes to find mistakes in: name some with --data")
        return list(self.examples.values())[-1]

    @cached_property
    def outputs(self) -> Array:
        """The activations of the last layer, (n_samples, outputs), for the examples that it is judged by."""
        return self.model.outputs(self.judged_by.inputs)

    def example(self, part: str, index: int | None, rng: np.random.Generator) -> dict[str, Any]:
        """One example as the network's page wants it: of a part by its name, of any where it is unknown.

        index: counted from 0; None for one at random. Raises SettingError where there is none.
        """
        if not self.examples:
            raise SettingError("there are no examples for this network: name some with --data")
        dataset = self.examples.get(part) or list(self.examples.values())[-1]
        index = int(rng.integers(dataset.n_samples)) if index is None else index
        if not 0 <= index < dataset.n_samples:
            raise SettingError(f"{dataset.name} has examples 0 to {dataset.n_samples - 1}: got {index}")
        return shown(self.model, dataset, index) | {"examples": dataset.n_samples, "data": dataset.name}

    def mistakes(self) -> dict[str, Any]:
        """The confusion matrix, and what it was counted on."""
        dataset, predicted = self.judged_by, self.outputs.argmax(axis=1)
        return {
            "confusion": confusion_matrix(dataset.targets, predicted, dataset.n_outputs).tolist(),
            "classNames": self.model.class_names,
            "data": dataset.name,
            "count": dataset.n_samples,
            "right": int(np.count_nonzero(predicted == dataset.targets)),
            "imageShape": dataset.image_shape,
            "probabilities": self.model.has_probabilities,
        }

    def cell(self, true: int, predicted: int) -> dict[str, Any]:
        """The examples in one cell of the matrix: of mistakes the surest first, of right answers the least sure."""
        a, dataset = self.outputs, self.judged_by
        found = np.flatnonzero((dataset.targets == true) & (a.argmax(axis=1) == predicted))
        sure = a[found, predicted] if len(found) else np.empty(0)
        order = np.argsort(sure if true == predicted else -sure, kind="stable")[:MOST_IN_CELL]
        rows = [
            shown(self.model, dataset, int(i)) | {"predicted": predicted, "probability": float(a[i, predicted])}
            for i in found[order]
        ]
        return {"count": len(found), "examples": rows}
