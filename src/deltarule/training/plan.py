"""Plan and Outcome: the steps that an engine takes in one call, and their results; scores and batches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.nn.arrays import Array, blocks
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import Penalty
from deltarule.nn.workspace import Workspace, scale_inputs
from deltarule.settings import BatchSize, Task
from deltarule.training.clip_and_average import Latest, NoClipping

PIECE_ROWS = 1024  # a larger batch is processed in pieces of this size, whose gradients add up
SCORE_NAMES: dict[Task, str] = {"classes": "accuracy", "labels": "accuracy", "values": "r2"}


@dataclass
class Score:
    """A running score of one task, and the running loss of its batches.

    classes: accuracy, the share of samples whose largest output is the right one.
    labels: accuracy, the share of right answers over all samples and labels (an output of at least 0.5 means 1).
    values: R2, 1 - squared error / squared distance from the mean, averaged over the outputs. Where that distance is
        0, an output counts 1 if it is exactly right, else 0, as in scikit-learn.
    loss, weight: the sum of the batches' losses, each times the weight of its batch, and the sum of these weights.
    """

    task: Task
    n_samples: int = 0
    loss: float = 0.0
    weight: float = 0.0
    _right: float = 0.0
    _origin: Array = field(default_factory=lambda: np.zeros(1))  # the first y: squares are taken from it, not from 0
    _sums: Array = field(default_factory=lambda: np.zeros((3, 1)))  # of (y - a)^2, y, y^2, for each output

    def copy(self) -> "Score":
        """A copy of the score, to which batches can be added without changing this one."""
        other = object.__new__(Score)  # four times as fast as dataclasses.replace, in every step
        vars(other).update(vars(self))
        return other

    def count(self, n_right: float, n_samples: int) -> None:
        """Add n_samples samples that the library in C has already judged, n_right of them right."""
        self._right += n_right
        self.n_samples += n_samples

    def add(self, a: Array, y: Array) -> None:
        """Add a batch to the score: its outputs a (batch, outputs) and targets y."""
        if self.task == "classes":
            self._right += int(np.count_nonzero(a.argmax(axis=1) == (y if y.ndim == 1 else y.argmax(axis=1))))
        elif self.task == "labels":
            self._right += int(np.count_nonzero((a >= 0.5) == (y >= 0.5))) / a.shape[1]
        else:
            if self.n_samples == 0:
                self._origin = y[0]
            wrong, y = y - a, y - self._origin
            self._sums = self._sums + np.stack([(wrong * wrong).sum(axis=0), y.sum(axis=0), (y * y).sum(axis=0)])
        self.n_samples += len(y)

    def state(self) -> dict[str, Array]:
        """The counts and sums of the score, by name."""
        counts = {"samples": self.n_samples, "right": self._right, "loss": self.loss, "weight": self.weight}
        return {name: np.array(count) for name, count in counts.items()} | {"origin": self._origin, "sums": self._sums}

    def load_state(self, state: dict[str, Array]) -> None:
        """Set the score to what `state` returned."""
        self.n_samples, self._right = int(state["samples"]), float(state["right"])
        self.loss, self.weight = float(state["loss"]), float(state["weight"])
        self._origin, self._sums = state["origin"], state["sums"]

    @property
    def mean_loss(self) -> float:
        """The mean loss of the batches so far; NaN if all of them have the weight 0."""
        return self.loss / self.weight if self.weight > 0.0 else float("nan")

    @property
    def value(self) -> float:
        """The score so far; NaN before the first batch."""
        if self.n_samples == 0:
            return float("nan")
        if self.task != "values":
            return self._right / self.n_samples
        squared_error, total, squares = self._sums
        spread = squares - total**2 / self.n_samples
        constant = spread <= 0.0
        r2 = 1.0 - squared_error / np.where(constant, 1.0, spread)
        return float(np.mean(np.where(constant, squared_error == 0.0, r2)))


class Buffers:
    """The arrays that training steps work in: created once for a run, and visible to its callbacks.

    grads: the gradient of the last batch. piece_grads: of a piece of it, if a batch is larger than the workspace.
    is_changing: whether an engine has begun to change parameters; set to False once its outcome is recorded.
    call: the last call of the library in C, kept because the next one is mostly like it.
    show: a function that copies the last piece's arrays to a workspace; None if they are already there.
    """

    def __init__(self, network: Network, batch_size: int, piece_rows: int = PIECE_ROWS) -> None:
        self._workspace: Workspace = network.workspace(min(batch_size, piece_rows))
        self.grads: Parameters = network.parameters.zeros_like()
        self.piece_grads = self.grads if batch_size <= piece_rows else self.grads.zeros_like()
        self.is_changing = False
        self.call: Any = None
        self.show: Callable[[Workspace], None] | None = None

    @property
    def workspace(self) -> Workspace:
        """The Workspace with the arrays z, a and delta of the last batch, or of its last piece."""
        show, self.show = self.show, None
        if show is not None:
            show(self._workspace)
        return self._workspace


@dataclass(eq=False)
class Plan:
    """Some steps of a run: one for each learning rate, each on the next batch of `order`.

    inputs: (n_samples, features), in the network's dtype, or in another to cast from; uint8 are pixels.
    targets: (n_samples,) int64 classes, or (n_samples, outputs) labels or values, as in Dataset.
    order: indices of samples, int64; each step takes the next `batch_size` of them, the last one the rest.
    learning_rates: (steps,) float64.
    sample_weight: (n_samples,), how much each sample counts, or None. A batch of weight 0 has the loss 0 and changes
        nothing, but its step counts.
    seed, epoch, first_step: the key of a step's random numbers, for dropout and deformation; `first_step` is the number
        of the first of these steps in the run, counted from 0.
    penalty: on the weights. strengths: (steps,), its strength at each step, and epsilons: (steps,), the optimizer's
        epsilon, which the engine sets; None leaves them as they are.
    rate_factors: what the learning rate is multiplied by, for each weight matrix and then for each bias vector,
        (2 * n_layers,); None is 1 for all. At 0 an array keeps its numbers, while the optimizer's state still changes.
    clip: applied to the gradient before each update. average: updated after it.
    deformation: applied anew to every image, of `image_shape`, in each step; None changes nothing.
    highest_loss: if a batch's loss is higher, or NaN, its step is not taken, and the engine stops. With minus infinity
        no step is taken, and the buffers hold the first batch's gradient.
    score: the Outcome has a copy of it, with these batches added; None if no score is needed.
    stop: (1,) uint8; if another thread sets it to 1, the engine begins no further step. None never stops.
    buffers: the arrays to work in; None creates new ones.
    """

    inputs: Any
    targets: Array
    order: Array
    batch_size: int
    learning_rates: Array
    sample_weight: Array | None = None
    seed: int = 0
    epoch: int = 0
    first_step: int = 0
    penalty: Penalty = field(default_factory=Penalty)
    strengths: Array | None = None
    epsilons: Array | None = None
    rate_factors: Array | None = None
    clip: NoClipping = field(default_factory=NoClipping)
    average: Latest = field(default_factory=Latest)
    deformation: Deformation | None = None
    image_shape: tuple[int, int] | None = None
    highest_loss: float = np.finfo(np.float64).max.item()
    score: Score | None = None
    stop: Array | None = None
    buffers: Buffers | None = None

    def batch(self, index: int) -> Array:
        """The indices of the samples of step `index` of the plan."""
        return self.order[index * self.batch_size : (index + 1) * self.batch_size]

    def batch_weights(self) -> Array:
        """The weight of each step's batch, (steps,): its number of samples, if all count the same."""
        weights = np.ones(len(self.order)) if self.sample_weight is None else self.sample_weight[self.order]
        return np.add.reduceat(weights, np.arange(0, len(self.order), self.batch_size))


@dataclass(eq=False)
class Outcome:
    """The results of a plan; its lists have a number for each step.

    score: a copy of the plan's score to which all of these batches were added.
    losses: the mean loss of each batch, before its step, without the penalty. If the last is too high, its step was
        not taken, and the buffers hold the arrays of its batch.
    weights: the weight of each batch. penalties: the penalty before each step, if the plan has their strengths.
    """

    score: Score | None
    losses: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    penalties: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """The number of steps taken, including those that changed nothing."""
        return len(self.weights)


def samples_per_step(n_samples: int, batch_size: BatchSize) -> int:
    """The number of samples per step; None or "full" means all. The last step of an epoch may have fewer."""
    return n_samples if batch_size is None or batch_size == "full" else batch_size


def steps_per_epoch(n_samples: int, batch_size: BatchSize) -> int:
    """The number of steps per epoch."""
    return -(-n_samples // samples_per_step(n_samples, batch_size))


def gather(inputs: Array, indices: Array, out: Array) -> Array:
    """Set out[i] to inputs[indices[i]], cast to its dtype, and return `out`; uint8 are pixels, and divided by 255.

    inputs: (n_samples, features), as `inputs_of` returns them; indices: (batch,); out: (batch, features), of the
        network's dtype.
    """
    for rows in blocks(*out.shape):
        scale_inputs(np.take(inputs, indices[rows], axis=0), out[rows])
    return out
