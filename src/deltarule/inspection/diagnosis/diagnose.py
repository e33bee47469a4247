"""diagnose: why a network does not learn, from its data, its state, its first steps, and the history of a run."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.examples import check_data, examples_for, validation_examples
from deltarule.inspection.diagnosis import static_findings as static
from deltarule.inspection.diagnosis.causes import HEALTHY, Causes, Trials
from deltarule.inspection.diagnosis.findings import Diagnosis, Finding
from deltarule.inspection.gradcheck.check import one_thread
from deltarule.model import Model, take_meaning
from deltarule.nn.network import Network, with_meaning
from deltarule.nn.optimizers import Optimizer
from deltarule.parts import Spec
from deltarule.public import public
from deltarule.training.evaluation import loss_and_score
from deltarule.training.schedules import Schedule, schedule_of
from deltarule.training.trainer import Trainer

Row = Mapping[str, float | None]

OVERFITTED = 1.1  # a final validation loss this many times above its lowest
APART = 0.3  # how far accuracy, or R2, in training lies above that on new data
JUMP = 1.1  # a loss this many times that of the epoch before has jumped
CREEP = 0.002  # a loss that falls by this share falls more than by chance
UNFINISHED = 0.2  # of the whole decrease of the loss, in the last quarter of the epochs


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
    """Find what keeps a network from learning: each finding is a sentence, with its evidence and how to fix it.

    X, y, validation, learning_rate, optimizer, batch_size: as for `fit`, with its defaults; X and y of a Model are
    in their own units. The network does not change: a copy takes a few hundred steps on at most 2,000 of the examples.

    Raises ShapeError, DataError or SettingError for arguments that do not fit.

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
    """Diagnose a run that a Trainer would make on its training data. The trainer and its network do not change."""
    trainer = replace(trainer, network=with_meaning(trainer.network))
    check_data(trainer.network, train)
    take_meaning(trainer.network, train)
    with np.errstate(all="ignore"), one_thread():
        return Diagnosis.of(training_findings(trainer, train, validation))


def diagnose_network(network: Network, train: Dataset, validation: Dataset | None = None) -> Diagnosis:
    """Diagnose a trained network, given its training data, without training it further."""
    with np.errstate(all="ignore"):
        part, standing = static.sample_of(train), list(static.data_findings(network, train, validation))
        standing += static.network_findings(network, part)
        loss, chance = loss_and_score(network, part)[0], static.chance_loss(network, part)
        if loss < HEALTHY * chance:
            standing = [each.as_note() for each in standing]
        elif loss > static.LEARNED * chance > 0.0:
            standing.append(Finding.of("fault", "stuck-at-chance", {"loss": loss, "loss of knowing nothing": chance}))
        return Diagnosis.of([*standing, *achievement_findings(network, train, validation)])


def training_findings(trainer: Trainer, train: Dataset, validation: Dataset | None) -> Iterator[Finding]:
    """Yield what is wrong with the data, the network, and the first steps of its training."""
    network, part = trainer.network, static.sample_of(train)
    standing = [*static.data_findings(network, train, validation), *static.formula_findings(network, part)]
    standing += static.network_findings(network, part)
    chance = static.chance_loss(network, part)
    if chance == 0.0 or not np.isfinite(network.parameters.vector).all():
        yield from standing
        return
    trials = Trials.of(trainer, train)
    given, later = trials.as_it_is()
    standing += trials.death_findings(given)
    if loss_and_score(network, part)[0] < HEALTHY * chance:
        yield from achievement_findings(network, train, validation)
    elif later.least < static.LEARNED:
        yield from trials.stuck_findings(train)
    if later.least < HEALTHY:
        yield from map(Finding.as_note, standing)
        yield from trials.linear_findings(train)
        yield from trials.rate_findings(given)
    else:
        yield from Causes(trials, given, later, standing).findings()


def achievement_findings(network: Network, train: Dataset, validation: Dataset | None) -> Iterator[Finding]:
    """Yield what is wrong with a trained network: outputs that never fire, and overfitting."""
    part = static.sample_of(train)
    yield from static.output_findings(network, part)
    if validation is not None:
        held_out = static.sample_of(validation)
        score, new = (loss_and_score(network, each)[1] for each in (part, held_out))
        luck = 2.0 * math.sqrt(max(new * (1.0 - new), 0.0) / held_out.n_samples)
        measured = {"score in training": score, "score on new examples": new}
        name = "overfitting: scores of images" if train.image_shape else "overfitting: scores"
        yield from Finding.by_limits(name, score - new - luck, measured)


def history_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield what a history, a row per epoch, shows: divergence, no progress, or a validation loss that rises."""
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
    if min(losses[1:]) > static.LEARNED * losses[0]:
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
        scores = [(rows[-1].get(f"train_{name}"), rows[-1].get(f"validation_{name}")) for name in ("accuracy", "r2")]
        is_apart = any(known is not None and new is not None and known - new > APART for known, new in scores)
        if (is_apart or held_out[-1] > OVERFITTED * held_out[best]) and losses[-1] < losses[best]:
            yield Finding.of("warning", "overfitting", measured)


def progress_findings(losses: Sequence[float], measured: dict[str, float]) -> Iterator[Finding]:
    """Yield a finding if the loss jumps up and down, or if it still falls when the run ends."""
    rises = sum(after > JUMP * before for before, after in pairwise(losses[1:]))
    if rises > max(1, len(losses) // 4):
        yield Finding.of("warning", "learning-rate-too-high", measured | {"rises above a tenth": rises})
    quarter = max(1, (len(losses) - 1) // 4)
    late = (losses[-1 - quarter] - losses[-1]) / max(losses[0] - losses[-1], 1e-30)
    if len(losses) > 8 and late > UNFINISHED:
        measured = measured | {"share of the fall in the last quarter": late}
        yield Finding.of("warning", "learning-rate-too-low", measured)


def column(rows: Sequence[Row], name: str) -> list[float]:
    """The column `name` of a history, one figure per epoch; inf for one that is missing or NaN."""
    return [math.inf if (figure := row.get(name)) is None or math.isnan(figure) else figure for row in rows]
