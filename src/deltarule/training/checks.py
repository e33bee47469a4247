"""What `fit` refuses before it starts, and what it says when a run comes to nothing."""

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, SettingError, ShapeError, sentence
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.settings import brief
from deltarule.training.callbacks import History, TrainingState
from deltarule.training.examples import refuse_splits

BLOW_UP = 1000.0  # a loss so many times that of epoch 0 (or 1, if that was less) is on its way to infinity
LARGE_INPUT = 100.0  # inputs beyond this are more likely to blow up a run than its learning rate is


def check_data(network: Network, data: Dataset, validation: Dataset | None = None) -> None:
    """Raise ShapeError or SettingError unless the network can be trained and scored on these data."""
    for each in (data, *([] if validation is None else [validation])):
        needed, got = (each.n_features, each.n_outputs), (network.layer_sizes[0], network.layer_sizes[-1])
        if needed != got:
            sizes = (needed[0], *network.layer_sizes[1:-1], needed[1])
            raise ShapeError(sentence("training.other_sizes", data=each, got=got, sizes=sizes))
        wrong = {"classes": (), "labels": (CrossEntropy,), "values": (CrossEntropy, BinaryCrossEntropy)}[each.task]
        if isinstance(network.loss, wrong):
            raise SettingError(sentence(f"training.{each.task}_for_loss", data=each, loss=type(network.loss).__name__))
    if validation is not None and data.task != validation.task:
        raise SettingError(sentence("training.two_tasks", data=data, other=validation))


def check_datasets(train: Any, validation: Any) -> None:
    """Raise DataError unless both are what Trainer.fit takes."""
    refuse_splits(train, "trainer.fit({})")
    refuse_splits(validation, "trainer.fit(train, {})")
    for given, legal, line in (
        (train, Dataset, "trainer.fit(dr.Dataset(X, y)), or dr.fit"),
        (validation, Dataset | None, "trainer.fit(train, dr.Dataset(X, y))"),
    ):
        if not isinstance(given, legal):
            raise DataError(sentence("training.no_dataset", given=brief(given), line=line))


def check_augment(augment: Deformation | None, data: Dataset) -> None:
    """Raise SettingError where data that are not images are to be deformed."""
    if augment is not None and data.image_shape is None:
        raise SettingError(sentence("training.no_images", data=data))


def has_diverged(state: TrainingState) -> bool:
    """Whether the last step's loss is no number, or has blown up beyond all measure."""
    return not state.batch_loss <= highest_loss(state)


def highest_loss(state: TrainingState) -> float:
    """The highest loss that a run goes on from."""
    return min(BLOW_UP * max(state.history.rows[0]["train_loss"], 1.0), sys.float_info.max)


def are_finite(parameters: Parameters) -> bool:
    """Whether all are finite numbers, which the sum shows: an epoch's last step may have broken what no loss saw."""
    return math.isfinite(parameters.vector.sum())


@dataclass
class Broken:
    """What `explain_divergence` asks of a step where a loss was lost; a TrainingState says it, too."""

    network: Network
    workspace: Workspace
    history: History
    epoch: int
    step: int
    batch_loss: float
    learning_rate: float


def explain_divergence(state: TrainingState | Broken) -> str:
    """Which step and layer a run broke at, the likely cause, and what the network keeps."""
    network = state.network
    layers = zip(state.workspace.z, network.weights, network.biases, strict=True)
    broken = (l for l, layer in enumerate(layers) if not all(np.isfinite(array).all() for array in layer))
    reached = [np.abs(z).max() for z in state.workspace.z]
    first = next(broken, int(np.argmax(reached)))
    largest = float(np.abs(state.workspace.inputs[0]).max())
    if largest > LARGE_INPUT:
        key = "large_inputs"
    elif state.step > 0:
        key = "high_rate"
    else:
        key = "far_target" if np.max(reached) <= BLOW_UP else "large_weights"
    cause = sentence(f"divergence.{key}", largest=largest, state=state, lower=state.learning_rate / 10)
    return sentence("divergence.loss", state=state, first=first, cause=cause)
