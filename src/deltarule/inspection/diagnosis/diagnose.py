"""diagnose: why a network does not learn, from its data, from where it stands, and from its first steps."""

import math
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.examples import check_data, examples_for, validation_examples
from deltarule.inspection.diagnosis.findings import Diagnosis, Finding, Level
from deltarule.inspection.diagnosis.run_findings import LEARNED, WATCHED, FirstSteps, history_findings
from deltarule.inspection.diagnosis.static_findings import (
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
from deltarule.training.clip_and_average import Latest
from deltarule.training.evaluation import loss_and_score
from deltarule.training.history import History
from deltarule.training.schedules import Constant, Schedule, schedule_of
from deltarule.training.trainer import Trainer

ONE_BATCH = 32
ONE_BATCH_RATES = (0.003, 0.03)  # Adam's usual one, and a bold one
HEALTHY = 0.5  # a loss below so much of that of knowing nothing needs no further question
SLOW = 0.8  # a loss above so much of it has hardly moved
BETTER = 0.7  # another rate is better when it leaves so much of the loss
EXPLAIN = {"inputs-not-scaled", "inputs-too-small", "targets-not-scaled", "weights-too-large", "weights-too-small"}
RATE_FACTORS = (0.1, 10.0, 0.01, 100.0, 1e3, 1e4)  # the likeliest first


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


def first_step_findings(trainer: Trainer, train: Dataset, *, is_explained: bool) -> Iterator[Finding]:
    """What a few hundred steps on a part of the data show; other rates are tried unless a failure is explained."""
    part, steps = sample_of(train), FirstSteps(ends_run=True)
    if not np.isfinite(trainer.network.parameters.vector).all():
        return
    after, loss = train_copy(trainer, part, steps)
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
        better = train_copy(trainer, part, FirstSteps(ends_run=True), factor)[1]
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


def train_copy(trainer: Trainer, part: Dataset, steps: FirstSteps, factor: float = 1.0) -> tuple[Network, float]:
    """A copy of the network after its first steps with `factor` times the rate, and its loss; inf where it diverged."""
    network = with_parameters(trainer.network, trainer.network.parameters.copy())
    copy = replace(trainer, network=network, optimizer=deepcopy(trainer.optimizer), augment=None, average=Latest())
    copy.epochs, copy.callbacks = -(-WATCHED // steps_per_epoch(part.n_samples, trainer.batch_size)), [steps]
    copy.schedule = lambda step: factor * trainer.schedule(step)
    loss = math.inf
    with suppress(DivergenceError):
        copy.fit(part)
        loss = loss_and_score(network, part)[0]
    return network, loss if math.isfinite(loss) else math.inf


def one_batch_findings(network: Network, part: Dataset) -> Iterator[Finding]:
    """A network that cannot even memorize a few examples, with weights enough to do so."""
    n_samples = min(ONE_BATCH, part.n_samples, network.parameters.size // (4 * part.n_outputs))
    if n_samples < 2:
        return
    batch, losses, whole = part.take(slice(n_samples)), list[float](), with_parameters(network, network.parameters)
    whole.dropout, chance = tuple(0.0 for _ in network.dropout), chance_loss(network, batch)
    for rate in ONE_BATCH_RATES:
        trainer = Trainer(network=whole, schedule=Constant(rate), batch_size=None)
        losses.append(train_copy(trainer, batch, FirstSteps(ends_run=True))[1])
        if losses[-1] <= HEALTHY * chance:
            return
    after = f"loss on them after {WATCHED} steps of Adam"
    measured = {"examples": n_samples, after: min(losses), "loss of knowing nothing": chance}
    yield Finding.of("fault", "cannot-overfit-one-batch", measured)


class Checkup(FirstSteps):
    """A look at data and starting state before a run, and at its steps and history afterwards.

    before: what was found at once. As a callback it measures the first steps.
    """

    def __init__(self, network: Network, train: Dataset, validation: Dataset | None = None) -> None:
        super().__init__(ends_run=False)
        with np.errstate(all="ignore"):
            self.before = Diagnosis.of(standing_findings(network, train, validation))
        self._chance = chance_loss(network, sample_of(train))

    def after(self, history: History) -> Diagnosis:
        """What the run has shown."""
        is_healthy = history["train_loss"][-1] < HEALTHY * self._chance
        findings = self.findings("note" if is_healthy else "warning")
        return Diagnosis.of([*findings, *history_findings(history.rows, self._chance)])
