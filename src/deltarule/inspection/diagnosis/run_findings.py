"""What is wrong with a run: how large its first steps are, and how its loss moves from epoch to epoch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from deltarule.inspection.diagnosis.findings import Finding, Level
from deltarule.training.callbacks import Callback, TrainingState

Row = Mapping[str, float | None]

WATCHED = 200  # steps
EARLY = 10  # the first of them: later ones may be small because everything has died
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-5  # a step's length over the weights'; about 1e-3 is usual
LEARNED = 0.97  # a loss above so much of that of knowing nothing has learned nothing
OVERFITTED = 1.1  # a validation loss that ends so many times above its least
JUMP = 1.1  # a loss that rises to so much of the epoch before
CREEP = 0.002  # a loss that falls by so much of itself falls, and not by luck alone
UNFINISHED = 0.2  # of the whole fall of the loss, in the last quarter of the epochs


class FirstSteps(Callback):
    """Measures the first steps of a run, and ends it after them where that is wanted.

    updates: for each of these steps, (layers,), the length of the step over the length of the weights.
    """

    def __init__(self, *, ends_run: bool) -> None:
        self.ends_run, self.updates = ends_run, list[list[float]]()

    def train_begin(self, state: TrainingState) -> None:
        self._before = state.network.parameters.copy()

    def step_end(self, state: TrainingState) -> None:
        if state.step > WATCHED:
            return
        before, self._before = self._before, state.network.parameters.copy()
        pairs = zip(self._before.weights, before.weights, strict=True)
        lengths = [(float(np.linalg.norm(W - old)), float(np.linalg.norm(old))) for W, old in pairs]
        self.updates.append([step / max(length, 1e-30) for step, length in lengths])
        if self.ends_run and state.step == WATCHED:
            state.stop_reason = "the first steps were all that was wanted"

    def findings(self, level: Level) -> Iterator[Finding]:
        """What the sizes of the steps show; `level` says how much it matters."""
        if not self.updates:
            return
        early, largest = np.median(self.updates[:EARLY], axis=0), np.max(self.updates, axis=0)
        if early.max() > LARGE_UPDATE:
            measured = {f"step / weights in layer {l}": float(ratio) for l, ratio in enumerate(early)}
            yield Finding.of(level, "steps-too-large", measured)
        elif largest.max() < SMALL_UPDATE:
            measured = {f"largest step / weights in layer {l}": float(ratio) for l, ratio in enumerate(largest)}
            yield Finding.of(level, "steps-too-small", measured)


def history_findings(rows: Sequence[Row], chance: float | None = None) -> Iterator[Finding]:
    """What a history shows, an epoch a row: divergence, no progress, or a validation loss that turns upwards.

    chance: the loss of knowing nothing, where that is known.
    """
    if len(rows) < 2:
        return
    losses, rate = column(rows, "train_loss"), rows[-1].get("learning_rate")
    known_rate = {} if rate is None else {"learning rate": rate}
    if not all(map(math.isfinite, losses)) or losses[-1] > 2.0 * losses[0]:
        epoch = next((each for each, loss in enumerate(losses) if not loss <= 2.0 * losses[0]), 0)
        measured = {"loss at epoch 0": losses[0], "epoch": epoch, "loss there": losses[epoch]}
        yield Finding.of("fault", "diverged", measured | known_rate)
        return
    measured = {"loss at epoch 0": losses[0], "at the end": losses[-1], "epochs": len(rows) - 1} | known_rate
    if chance is not None:
        measured["loss of knowing nothing"] = chance
    if min(losses[1:]) > LEARNED * (losses[0] if chance is None else min(losses[0], chance)):
        fall, late = losses[0] - losses[-1], losses[len(losses) // 2] - losses[-1]
        is_steady = late > fall / 4.0 and all(after < before for before, after in pairwise(losses))
        creeps = is_steady and fall > CREEP * losses[0]
        yield Finding.of("fault", "learning-rate-too-low: creeps" if creeps else "stuck-at-chance: run", measured)
    else:
        yield from progress_findings(losses, measured)
    if "validation_loss" in rows[-1]:
        held_out = column(rows, "validation_loss")
        best = int(np.argmin(held_out))
        measured = {"epoch": best, "validation loss there": held_out[best], "at the end": held_out[-1]}
        measured |= {"training loss there": losses[best], "training loss at the end": losses[-1]}
        if held_out[-1] > OVERFITTED * held_out[best] and losses[-1] < losses[best]:
            yield Finding.of("warning", "overfitting", measured)


def progress_findings(losses: Sequence[float], measured: dict[str, float]) -> Iterator[Finding]:
    """A loss that jumps up and down, or still falls when the run ends."""
    rises = sum(after > JUMP * before for before, after in pairwise(losses[1:]))
    if rises > max(1, len(losses) // 4):
        yield Finding.of("warning", "learning-rate-too-high", measured | {"rises above a tenth": rises})
    quarter = max(1, (len(losses) - 1) // 4)
    late = (losses[-1 - quarter] - losses[-1]) / max(losses[0] - losses[-1], 1e-30)
    if len(losses) > 8 and late > UNFINISHED:
        measured = measured | {"share of the fall in the last quarter": late}
        yield Finding.of("warning", "learning-rate-too-low", measured)


def column(rows: Sequence[Row], name: str) -> list[float]:
    """One figure of every epoch; inf where it was not a finite number."""
    return [math.inf if (figure := row.get(name)) is None or math.isnan(figure) else figure for row in rows]
