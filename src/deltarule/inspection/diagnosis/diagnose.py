"""diagnose: why a network does not learn: its data, where it stands, its first steps, and the history of a run."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.examples import check_data, examples_for, validation_examples
from deltarule.inspection.diagnosis.findings import Diagnosis, Finding, Level
from deltarule.inspection.diagnosis.static_findings import (
    LEARNED,
    batch_problem,
    chance_loss,
    sample_of,
    standing_findings,
    unit_findings,
)
from deltarule.model import Model, take_meaning
from deltarule.nn.network import Network, with_meaning, with_parameters
from deltarule.nn.optimizers import Optimizer
from deltarule.parts import Spec
from deltarule.public import public
from deltarule.training.batches import steps_per_epoch
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import Latest
from deltarule.training.evaluation import loss_and_score
from deltarule.training.history import History
from deltarule.training.schedules import Constant, Schedule, schedule_of
from deltarule.training.trainer import Trainer

Row = Mapping[str, float | None]

WATCHED = 200  # steps
EARLY = 10  # the first of them: later ones may be small because everything has died
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-5  # a step's length over the weights'; about 1e-3 is usual
ONE_BATCH = 32
ONE_BATCH_RATES = (0.003, 0.03)  # Adam's usual one, and a bold one
HEALTHY = 0.5  # a loss below so much of that of knowing nothing needs no further question
SLOW = 0.8  # a loss above so much of it has hardly moved
BETTER = 0.7  # another rate is better when it leaves so much of the loss
EXPLAIN = {"inputs-not-scaled", "inputs-too-small", "targets-not-scaled", "weights-too-large", "weights-too-small"}
RATE_FACTORS = (0.1, 10.0, 0.01, 100.0, 1e3, 1e4)  # the likeliest first
OVERFITTED = 1.1  # a validation loss that ends so many times above its least
JUMP = 1.1  # a loss that rises to so much of the epoch before
CREEP = 0.002  # a loss that falls by so much of itself falls, and not by luck alone
UNFINISHED = 0.2  # of the whole fall of the loss, in the last quarter of the epochs


@public("diagnose(network, X, y)")
def diagnose(
    net_or_model: Network | Model,
    X: Any,
    y: Any = None,
    *,
    validation: tuple[Any, Any] | Dataset | None = None,
    learning_rate: float | Schedule = 0.001,
    optimizer: Optimizer | Spec = "adam",
    batch_size: int | Literal["full"] | None = 128,
) -> Diagnosis:
    """Say what keeps a network from learning: each finding in a sentence, with its evidence and how to fix it.

    X, y, validation, learning_rate, optimizer, batch_size: what `fit` would be given, with its defaults; X and y of a
    Model are in their own units. The network is left as it is: a copy takes a few hundred steps on at most 2,000 of
    the examples.

    Raises ShapeError, DataError or SettingError for what does not fit.

    >>> network = Network((2, 8, 2))
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> print(diagnose(network, X, (X[:, 0] > X[:, 1]).astype(int), learning_rate=0.05))
    Nothing wrong was found.
    """
    network, train = examples_for(net_or_model, X, y, "the training data", "dr.diagnose(network, {})")
    held_out = validation_examples(net_or_model, validation, of_arrays=y is not None, called="diagnose")
    given: dict[str, Any] = {"optimizer": optimizer, "batch_size": batch_size}
    trainer = Trainer(network=network, schedule=schedule_of(learning_rate), **given)
    return diagnose_training(trainer, train, held_out)


def diagnose_training(trainer: Trainer, train: Dataset, validation: Dataset | None = None) -> Diagnosis:
    """The same for a Trainer and the data it is to be given; nothing of the trainer's is changed."""
    trainer = replace(trainer, network=with_meaning(trainer.network))
    check_data(trainer.network, train)
    take_meaning(trainer.network, train)
    with np.errstate(all="ignore"):
        at_once = list(standing_findings(trainer.network, train, validation))
        is_explained = any(each.level == "fault" or each.id in EXPLAIN for each in at_once)
        return Diagnosis.of([*at_once, *first_step_findings(trainer, train, is_explained=is_explained)])


def diagnose_network(network: Network, train: Dataset, validation: Dataset | None = None) -> Diagnosis:
    """The same for a trained network: no step is taken."""
    with np.errstate(all="ignore"):
        findings = list(standing_findings(network, train, validation))
        loss, score = loss_and_score(network, sample_of(train))
        chance = chance_loss(network, train)
        if loss > LEARNED * chance > 0.0:
            findings.append(Finding.of("fault", "stuck-at-chance", {"loss": loss, "loss of knowing nothing": chance}))
        if validation is not None:
            held_out = loss_and_score(network, sample_of(validation))[1]
            measured = {"score in training": score, "score on new examples": held_out}
            findings += Finding.by_limits("overfitting: scores", score - held_out, measured)
    return Diagnosis.of(findings)


class FirstSteps(Callback):
    """Measures the first steps of a run, and ends it after them.

    updates: for each of these steps, (layers,), the length of the step over the length of the weights.
    """

    ends_run = True

    def __init__(self) -> None:
        self.updates: list[list[float]] = []

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


def first_step_findings(trainer: Trainer, train: Dataset, *, is_explained: bool) -> Iterator[Finding]:
    """What a few hundred steps on a part of the data show; other rates are tried unless a failure is explained."""
    part = sample_of(train)
    if not np.isfinite(trainer.network.parameters.vector).all():
        return
    after, loss, steps = train_copy(trainer, part)
    chance, rate = chance_loss(trainer.network, part), float(trainer.schedule(WATCHED // 2))
    if math.isfinite(loss):
        already = {each.evidence["layer"] for each in unit_findings(batch_problem(trainer.network, part))}
        for each in unit_findings(batch_problem(after, part)):
            if each.id == "dead-relus" and each.evidence["layer"] not in already:
                yield replace(each, says=f"{each.says} They died in the first {WATCHED} steps.")
        if not is_explained:
            yield from steps.findings("note" if loss < HEALTHY * chance else "warning")
    if loss < HEALTHY * chance or chance == 0.0:
        return
    measured = {"learning rate": rate, f"loss after {WATCHED} steps": loss, "loss of knowing nothing": chance}
    for factor in () if is_explained else RATE_FACTORS:
        _, better, _ = train_copy(trainer, part, factor)
        if better < BETTER * min(loss, chance):
            measured[f"loss with a rate of {rate * factor:.2g}"] = better
            level: Level = "fault" if loss / chance > LEARNED else "warning" if loss / chance > SLOW else "note"
            name = "low: a little" if level == "note" else "low: first steps"
            name = f"learning-rate-too-{'high: first steps' if factor < 1.0 else name}"
            yield Finding.of(level, name, measured, better=rate * factor)
            break
    else:
        if not math.isfinite(loss):
            yield Finding.of("fault", "diverged: first steps", {"learning rate": rate, "steps": len(steps.updates)})
        elif loss > LEARNED * chance:
            yield Finding.of("fault", "stuck-at-chance", measured)
    yield from one_batch_findings(trainer.network, part)


def train_copy(trainer: Trainer, part: Dataset, factor: float = 1.0) -> tuple[Network, float, FirstSteps]:
    """A copy of the network after its first steps with `factor` times the rate, its loss (or inf), and the steps."""
    network, steps = with_parameters(trainer.network, trainer.network.parameters.copy()), FirstSteps()
    copy = replace(trainer, network=network, optimizer=deepcopy(trainer.optimizer), augment=None, average=Latest())
    copy.epochs, copy.callbacks = -(-WATCHED // steps_per_epoch(part.n_samples, trainer.batch_size)), [steps]
    copy.schedule = lambda step: factor * trainer.schedule(step)
    loss = math.inf
    with suppress(DivergenceError):
        copy.fit(part)
        loss = loss_and_score(network, part)[0]
    return network, loss if math.isfinite(loss) else math.inf, steps


def one_batch_findings(network: Network, part: Dataset) -> Iterator[Finding]:
    """A network that cannot even memorize a few examples, with weights enough to do so."""
    n_samples = min(ONE_BATCH, part.n_samples, network.parameters.size // (4 * part.n_outputs))
    if n_samples < 2:
        return
    batch, whole = part.take(slice(n_samples)), with_parameters(network, network.parameters)
    whole.dropout = tuple(0.0 for _ in network.dropout)
    trainers = [Trainer(network=whole, schedule=Constant(rate), batch_size=None) for rate in ONE_BATCH_RATES]
    loss, chance = min(train_copy(trainer, batch)[1] for trainer in trainers), chance_loss(network, batch)
    if loss > HEALTHY * chance:
        after = f"loss on them after {WATCHED} steps of Adam"
        measured = {"examples": n_samples, after: loss, "loss of knowing nothing": chance}
        yield Finding.of("fault", "cannot-overfit-one-batch", measured)


class Checkup(FirstSteps):
    """A look at data and starting state before a run, and at its steps and history afterwards.

    before: what was found at once. As a callback it measures the first steps.
    """

    ends_run = False

    def __init__(self, network: Network, train: Dataset, validation: Dataset | None = None) -> None:
        super().__init__()
        with np.errstate(all="ignore"):
            self.before = Diagnosis.of(standing_findings(network, train, validation))
        self._chance = chance_loss(network, sample_of(train))

    def after(self, history: History) -> Diagnosis:
        """What the run has shown."""
        is_healthy = history["train_loss"][-1] < HEALTHY * self._chance
        findings = self.findings("note" if is_healthy else "warning")
        return Diagnosis.of([*findings, *history_findings(history.rows, self._chance)])


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
