"""What a run leaves for the eye: where its parameters went, how large gradients and updates were, and histograms."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DataError
from deltarule.nn.arrays import Array
from deltarule.nn.network import backward, forward
from deltarule.public import public
from deltarule.randomness import generator
from deltarule.training.callbacks import Callback, TrainingState

PLAIN = ("epochs", "parameters", "gradient_norm", "update_ratio")
QUANTITIES = ("weights", "activations", "deltas", "gradients")
HISTOGRAMS = ("counts", "limits")  # of each of QUANTITIES
N_BINS = 40
MOST_VALUES = 4096  # of a layer, drawn at random, go into its histogram
MOST_EPOCHS = 32  # of a run are recorded, at equal distances
MOST_BYTES = 64 * 2**20  # of parameters are kept


@dataclass(frozen=True, eq=False)
class LayerHistory:
    """A run of a network of n_layers, as a Recorder has seen it.

    epochs: (n_epochs,), those after which it looked. parameters: (n_epochs, n_parameters), as they were then.
    gradient_norm: (n_epochs, n_layers), the length of dC/dW, without penalty and clipping.
    update_ratio: (n_epochs, n_layers), the length of the step of W that this gradient would lead to over that of W.
    counts[quantity]: (n_epochs, n_layers, n_bins), its histogram between limits[quantity], (n_epochs, n_layers, 2),
        for each of QUANTITIES.
    """

    epochs: Array
    parameters: Array
    gradient_norm: Array
    update_ratio: Array
    counts: Mapping[str, Array]
    limits: Mapping[str, Array]

    def to_arrays(self) -> dict[str, Array]:
        """The same as named float arrays, to be kept in a file."""
        histograms = {f"{name}.{each}": getattr(self, name)[each] for name in HISTOGRAMS for each in QUANTITIES}
        return {name: getattr(self, name) for name in PLAIN} | histograms

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "LayerHistory":
        """What `to_arrays` gave. Raises DataError where arrays are missing, or do not fit each other."""
        try:
            counts, limits = ({each: arrays[f"{name}.{each}"] for each in QUANTITIES} for name in HISTOGRAMS)
            recording = cls(**{name: arrays[name] for name in PLAIN}, counts=counts, limits=limits)
        except KeyError as error:
            raise DataError(f"a recording of a run was expected: got one without {error.args[0]}") from error
        per_layer = {each.shape[:2] for each in (*counts.values(), *limits.values(), recording.update_ratio)}
        if per_layer != {recording.gradient_norm.shape} or len(recording.parameters) != len(recording.epochs):
            raise DataError("the arrays of a recording must be of as many epochs and layers: got others; train again")
        return recording


@public("Recorder(digits.train)")
class Recorder(Callback):
    """Records a run after at most MOST_EPOCHS of its epochs, and takes no part in it.

    probe: examples as the network reads them, always the same, on which gradients, activations and deltas are taken;
        nothing is dropped or deformed. A hundredth of the training set costs about a hundredth of the time.
    earlier: the arrays of a LayerHistory of the same run, which goes on and is to be recorded as one.
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
        """What was recorded so far; None before the first epoch."""
        if not self.rows:
            return None
        return LayerHistory.from_arrays({name: np.stack([row[name] for row in self.rows]) for name in self.rows[0]})


def measurements(state: TrainingState, probe: Dataset) -> dict[str, Array]:
    """What there is to see of a run on some examples, layer by layer."""
    network = state.network
    ws, grads = network.workspace(probe.n_samples), network.parameters.zeros_like()
    forward(network, probe.inputs, ws)
    backward(network, probe.targets, ws, grads)
    after = network.parameters.copy()
    copy.deepcopy(state.optimizer).step(after, grads, state.learning_rate)
    steps = np.array([np.linalg.norm(new - W) for new, W in zip(after.weights, network.weights, strict=True)])
    lengths = np.array([np.linalg.norm(W) or np.nan for W in network.weights])
    row = {
        "epochs": np.array(state.epoch, np.float64),
        "parameters": network.parameters.vector.copy(),
        "gradient_norm": np.array([np.linalg.norm(each) for each in grads.weights], np.float64),
        "update_ratio": (steps / lengths).astype(np.float64),
    }
    for quantity, arrays in zip(QUANTITIES, (network.weights, ws.a, ws.delta, grads.weights), strict=True):
        histograms = [histogram(array) for array in arrays]
        row[f"counts.{quantity}"] = np.stack([counts for counts, _ in histograms])
        row[f"limits.{quantity}"] = np.stack([limits for _, limits in histograms])
    return row


def histogram(array: Array) -> tuple[Array, Array]:
    """(counts (N_BINS,), limits (2,)) of an array's finite numbers, or of MOST_VALUES of them drawn at random."""
    values = array.reshape(-1)
    if values.size > MOST_VALUES:  # the same ones every time
        values = values[generator(0, "recording", values.size).integers(values.size, size=MOST_VALUES)]
    counts, edges = np.histogram(values[np.isfinite(values)].astype(np.float64), N_BINS)
    return counts.astype(np.float64), edges[[0, -1]]
