"""Recorder: records a run for pictures, its parameters, and the sizes of gradients and updates in each layer."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DataError
from deltarule.nn.arrays import Array
from deltarule.nn.network import loss_and_gradient
from deltarule.public import public
from deltarule.training.callbacks import Callback, TrainingState

MOST_EPOCHS = 32  # epochs of a run to record, evenly spaced
MOST_BYTES = 64 * 2**20  # of parameters to keep


@dataclass(frozen=True, eq=False)
class LayerHistory:
    """What a Recorder has recorded of a run, of a network of n_layers.

    epochs: (n_epochs,), the recorded epochs. parameters: (n_epochs, n_parameters), after these epochs.
    gradient_norm: (n_epochs, n_layers), the norm of dC/dW, without penalty and clipping.
    update_ratio: (n_epochs, n_layers), the norm of the change of W in a step with this gradient over the norm of W.
    """

    epochs: Array
    parameters: Array
    gradient_norm: Array
    update_ratio: Array

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "LayerHistory":
        """A LayerHistory of arrays by name, as in a file. DataError if some are missing, or do not fit each other."""
        try:
            history = cls(*(arrays[each.name] for each in fields(cls)))
        except KeyError as error:
            raise DataError(f"a recording of a run was expected: got one without {error.args[0]}") from error
        shapes = {history.gradient_norm.shape, history.update_ratio.shape}
        if len(shapes) > 1 or {len(each) for each in vars(history).values()} != {len(history.epochs)}:
            raise DataError("the arrays of a recording must be of as many epochs and layers: got others; train again")
        return history


@public("Recorder(digits.train)")
class Recorder(Callback):
    """Records a run after some of its epochs, about MOST_EPOCHS at most, without changing the run.

    probe: examples as the network reads them, the same every time, for gradients without dropout or deformation. A
        hundredth of the training set costs about a hundredth of the time.
    earlier: the arrays of a LayerHistory of the same run before it was resumed; the recording continues them.
    """

    def __init__(self, probe: Dataset, earlier: Mapping[str, Array] | None = None) -> None:
        self.probe, self.earlier = probe, earlier or {}
        self.every, self.rows = 1, list[dict[str, Array]]()

    def train_begin(self, state: TrainingState) -> None:
        most = max(4, min(MOST_EPOCHS, MOST_BYTES // state.network.parameters.vector.nbytes))
        self.every, self.rows = max(1, -(-state.n_epochs // most)), []
        if state.history.rows and self.earlier:
            rows = [dict(zip(self.earlier, arrays, strict=True)) for arrays in zip(*self.earlier.values(), strict=True)]
            self.rows = [row for row in rows if row["epochs"] <= state.epoch]

    def epoch_end(self, state: TrainingState) -> None:
        if state.epoch % self.every == 0 or state.epoch == state.n_epochs:
            self.rows.append(measurements(state, self.probe))

    @property
    def recording(self) -> LayerHistory | None:
        """The recording so far; None before the first epoch."""
        if not self.rows:
            return None
        return LayerHistory(*(np.stack([row[each.name] for row in self.rows]) for each in fields(LayerHistory)))


def measurements(state: TrainingState, probe: Dataset) -> dict[str, Array]:
    """The measurements of a run after an epoch, with gradients on `probe`: a row for each array of a LayerHistory."""
    network, grads = state.network, loss_and_gradient(state.network, probe.inputs, probe.targets).grads
    after = network.parameters.copy()
    copy.deepcopy(state.optimizer).step(after, grads, state.learning_rate)
    steps = np.array([np.linalg.norm(new - W) for new, W in zip(after.weights, network.weights, strict=True)])
    lengths = np.array([np.linalg.norm(W) or np.nan for W in network.weights])
    return {
        "epochs": np.array(state.epoch, np.float64),
        "parameters": network.parameters.vector.copy(),
        "gradient_norm": np.array([np.linalg.norm(each) for each in grads.weights], np.float64),
        "update_ratio": (steps / lengths).astype(np.float64),
    }
