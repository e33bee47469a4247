"""What is wrong with a run: how its loss moves, how large its steps are, and what its history shows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from deltarule.inspection.diagnosis.finding import Finding, Level
from deltarule.nn.arrays import Array
from deltarule.training.callbacks import Callback, TrainingState

Row = Mapping[str, float | None]

WATCHED = 200  # steps
EVERY = 10  # so many steps from one measured update to the next
EARLY = 10  # all of so many first steps are measured: later ones may be small because everything has died
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-5  # a step's length over the weights'; about 1e-3 is usual
LEARNED = 0.97  # a loss above so much of that of knowing nothing has learned nothing
OVERFITTED = 1.1  # a validation loss that ends so many times above its least
GAP = 0.05  # accuracy, or R2, that is better in training than in validation
JUMP = 1.1  # a loss that rises to so much of the epoch before
CREEP = 0.002  # a loss that falls by so much of itself falls, and not by luck alone
UNFINISHED = 0.2  # of the whole fall of the loss, in the last quarter of the epochs


class Watch(Callback):
    """Looks at the first steps of a run, and ends it after them where that is wanted.

    updates: for every measured step, (layers,), the length of the step over the length of the weights.
    """

    def __init__(self, *, ends_run: bool) -> None:
        self.ends_run = ends_run
        self.updates: list[Array] = []
        self.losses: list[float] = []
        self._before: Array | None = None

    def train_begin(self, state: TrainingState) -> None:
        self._before = state.network.parameters.vector.copy()

    def step_end(self, state: TrainingState) -> None:
        if state.step > WATCHED:
            return
        self.losses.append(state.batch_loss)
        if self._before is not None:
            before = type(state.network.parameters)(state.network.layer_sizes, self._before)
            pairs = zip(state.network.weights, before.weights, strict=True)
            self.updates.append(np.array([_length(W - old) / max(_length(old), 1e-30) for W, old in pairs]))
        is_next_measured = state.step < EARLY or state.step % EVERY == 0
        self._before = state.network.parameters.vector.copy() if is_next_measured else None
        if self.ends_run and state.step == WATCHED:
            state.stop_reason = "the first steps were all that was wanted"

    def findings(self, level: Level) -> Iterator[Finding]:
        """What the sizes of the steps show; `level` says how much it matters."""
        if not self.updates:
            return
        early, largest = np.median(self.updates[:EARLY], axis=0), np.max(self.updates, axis=0)
        if early.max() > LARGE_UPDATE:
            measured = {f"step / weights in layer {l}": float(ratio) for l, ratio in enumerate(early)}
            says = "The first steps are very large: most change a layer's weights by over a tenth (usual is 0.001)."
            mend = "try a learning rate 10 times smaller, or one that warms up, where the loss jumps or units die"
            yield Finding(level, "steps-too-large", says, measured, mend)
        elif largest.max() < SMALL_UPDATE:
            measured = {f"largest step / weights in layer {l}": float(ratio) for l, ratio in enumerate(largest)}
            says = "The steps are very small beside the weights: less than 0.00001 of them (usual is 0.001)."
            mend = "try a learning rate 10 to 100 times larger, or smaller starting weights"
            yield Finding(level, "steps-too-small", says, measured, mend)


def look_at_history(rows: Sequence[Row], chance: float | None = None) -> Iterator[Finding]:
    """Findings about a history, an epoch a row; `chance` is the loss of knowing nothing, where that is known."""
    losses = column(rows, "train_loss")
    if len(rows) < 2:
        return
    if not all(map(math.isfinite, losses)) or losses[-1] > 2.0 * losses[0]:
        epoch = next((n for n, loss in enumerate(losses) if not loss <= 2.0 * losses[0]), 0)
        says = "The loss blew up: the learning rate is too high."
        measured = {"loss at epoch 0": losses[0], "epoch": epoch, "loss there": losses[epoch], **rate_of(rows[-1])}
        mend = "try a learning rate 10 times smaller, and look at the scale of the inputs"
        yield Finding("fault", "diverged", says, measured, mend)
        return
    yield from progress_findings(rows, losses, chance)
    yield from validation_findings(rows, losses)


def progress_findings(rows: Sequence[Row], losses: Sequence[float], chance: float | None) -> Iterator[Finding]:
    """A loss that does not fall, jumps up and down, or still falls when the run ends."""
    start = losses[0] if chance is None else min(losses[0], chance)
    measured = {"loss at epoch 0": losses[0], "at the end": losses[-1], "epochs": len(rows) - 1, **rate_of(rows[-1])}
    if chance is not None:
        measured["loss of knowing nothing"] = chance
    if min(losses[1:]) > LEARNED * start:
        yield stuck_finding(losses, measured)
        return
    rises = sum(after > JUMP * before for before, after in pairwise(losses[1:]))
    if rises > max(1, len(losses) // 4):
        says = "The loss jumps up and down from epoch to epoch: the learning rate is too high."
        mend = "try a learning rate 3 to 10 times smaller, or a schedule that lowers it"
        yield Finding("warning", "learning-rate-too-high", says, measured | {"rises above a tenth": rises}, mend)
    quarter = max(1, (len(losses) - 1) // 4)
    late = (losses[-1 - quarter] - losses[-1]) / max(losses[0] - losses[-1], 1e-30)
    if len(losses) > 8 and late > UNFINISHED:
        says = "The loss was still falling fast when the run ended: the learning rate is low, or the run too short."
        mend = "try a learning rate 3 to 10 times larger, or more epochs"
        measured |= {"share of the fall in the last quarter": late}
        yield Finding("warning", "learning-rate-too-low", says, measured, mend)


def stuck_finding(losses: Sequence[float], measured: Mapping[str, float]) -> Finding:
    """That a run has learned nothing: because it creeps, or for another reason."""
    fall, late = losses[0] - losses[-1], losses[len(losses) // 2] - losses[-1]
    if fall > CREEP * losses[0] and late > fall / 4.0 and all(after < before for before, after in pairwise(losses)):
        says = "The loss falls steadily, and hardly at all: the learning rate is far too low."
        mend = "try a learning rate 10 to 100 times larger"
        return Finding("fault", "learning-rate-too-low", says, measured, mend)
    says = "The run has learned nothing: its loss has not fallen to below that of knowing nothing."
    mend = "diagnose the recipe: its first steps tell a wrong learning rate from wrong data or weights"
    return Finding("fault", "stuck-at-chance", says, measured, mend)


def validation_findings(rows: Sequence[Row], losses: Sequence[float]) -> Iterator[Finding]:
    """Overfitting: a validation loss that turns upwards while the training loss goes on falling."""
    if "validation_loss" not in rows[-1]:
        return
    held_out = column(rows, "validation_loss")
    best = int(np.argmin(held_out))
    if held_out[-1] > OVERFITTED * held_out[best] and losses[-1] < losses[best]:
        says = f"The network overfits: since epoch {best} it gets better on what it knows and worse on what is new."
        measured = {
            "epoch": best,
            "validation loss there": held_out[best],
            "at the end": held_out[-1],
            "training loss there": losses[best],
            "training loss at the end": losses[-1],
        }
        mend = "stop there (patience), or use more data, deformed images, dropout, L2, or a smaller network"
        yield Finding("warning", "overfitting", says, measured, mend)


def gap_findings(train: float, held_out: float) -> Iterator[Finding]:
    """Overfitting as the scores show it: accuracies, or R2, on examples known and new."""
    if train - held_out > GAP:
        says = "The network overfits: it is much better on the examples that it knows than on new ones."
        measured = {"score in training": train, "score on new examples": held_out}
        mend = "use more data, deformed images, dropout, L2, or a smaller network"
        yield Finding("warning", "overfitting", says, measured, mend)


def column(rows: Sequence[Row], name: str) -> list[float]:
    """One figure of every epoch; inf where it was no finite number."""
    return [math.inf if (figure := row.get(name)) is None or math.isnan(figure) else figure for row in rows]


def rate_of(row: Row) -> dict[str, float]:
    """The learning rate of an epoch, where it is known."""
    rate = row.get("learning_rate")
    return {} if rate is None else {"learning rate": rate}


def _length(array: Array) -> float:
    return float(np.linalg.norm(array))
