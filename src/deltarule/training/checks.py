"""What `fit` refuses before it starts, and what it says when a run comes to nothing."""

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, SettingError, ShapeError
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.settings import brief
from deltarule.training.callbacks import TrainingState
from deltarule.training.examples import refuse_splits
from deltarule.training.history import History

BLOW_UP = 1000.0  # a loss so many times that of epoch 0 (or 1, if that was less) is on its way to infinity
LARGE_INPUT = 100.0  # inputs beyond this are more likely to blow up a run than its learning rate is


def check_data(network: Network, data: Dataset, validation: Dataset | None = None) -> None:
    """Raise ShapeError or SettingError unless the network can be trained and scored on these data."""
    for each in (data, *([] if validation is None else [validation])):
        needed, got = (each.n_features, each.n_outputs), (network.layer_sizes[0], network.layer_sizes[-1])
        if needed != got:
            hidden = network.layer_sizes[1:-1]
            raise ShapeError(
                f"{each.name} has {needed[0]} features and {needed[1]} outputs ({each.task}): got a network with "
                f"{got[0]} inputs and {got[1]} outputs; use layer sizes {(needed[0], *hidden, needed[1])}"
            )
        wrong = {"classes": (), "labels": (CrossEntropy,), "values": (CrossEntropy, BinaryCrossEntropy)}[each.task]
        if isinstance(network.loss, wrong):
            better = "BinaryCrossEntropy after Sigmoid" if each.task == "labels" else "Quadratic after Identity"
            raise SettingError(
                f"{each.name} holds {each.task}, which {type(network.loss).__name__} cannot judge: use {better}"
            )
    if validation is not None and data.task != validation.task:
        raise SettingError(
            f"{data.name} and {validation.name} must be of one task: got {data.task} and {validation.task}"
        )


def check_datasets(train: Any, validation: Any) -> None:
    """Raise DataError unless both are what Trainer.fit takes."""
    refuse_splits(train, "trainer.fit({})")
    refuse_splits(validation, "trainer.fit(train, {})")
    for given, legal, line in (
        (train, Dataset, "trainer.fit(dr.Dataset(X, y)), or dr.fit"),
        (validation, Dataset | None, "trainer.fit(train, dr.Dataset(X, y))"),
    ):
        if not isinstance(given, legal):
            raise DataError(f"trainer.fit takes a Dataset: got {brief(given)}; use {line}")


def check_augment(augment: Deformation | None, data: Dataset) -> None:
    """Raise SettingError where data that are not images are to be deformed."""
    if augment is not None and data.image_shape is None:
        raise SettingError(
            f"only images can be deformed: got {data.name}, which says no image_shape; leave out augment"
        )


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
        cause = f"the inputs reach {largest:.3g}: scale them to about 1"
    elif state.step == 0 and not np.max(reached) <= BLOW_UP:
        cause = "the starting weights are too large: choose another initializer"
    elif state.step == 0:
        cause = "a target of this batch lies far from all others: standardize the targets, or leave that sample out"
    else:
        cause = f"the learning rate {state.learning_rate:g} is too high: try {state.learning_rate / 10:g}"
    return (
        f"loss and parameters must stay finite, and the loss near where it began: got a loss of {state.batch_loss:.6g} "
        f"at step {state.step} of epoch {state.epoch}, broken first in layer {first}; most likely {cause}. "
        f"The network keeps the parameters of epoch {state.history.best_epoch}"
    )
