"""Causes: a run that learns nothing is repeated with one change; the change that makes it learn shows the cause."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.inspection.diagnosis import static_findings as static
from deltarule.inspection.diagnosis.findings import LEVELS, Finding, Level
from deltarule.model import Standardization
from deltarule.nn.activations import Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.network import Network, with_meaning
from deltarule.nn.penalties import Penalty
from deltarule.nn.workspace import as_floats
from deltarule.randomness import generator
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import Latest
from deltarule.training.evaluation import loss_and_score
from deltarule.training.plan import samples_per_step, steps_per_epoch
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer

WATCHED = 200  # steps of a trial
HEALTHY = 0.5  # a loss below this share of the loss at chance needs no further trial
MOST_WORK = 1e9  # weights times samples of a trial: about half a second
MOST_OF_GIVEN = 3e10  # the same for the unchanged first steps, with their own batches
MOST_OF_DYING = 6e9  # the same for the epoch in which outputs may die
LEAST_STEPS, MANY, LONG = 60, 6, 6000
BETTER, MUCH_BETTER = 0.8, 0.6  # of the loss: a nonlinearity, or a lower rate, must get below this to count
ONE_BATCH = 32
ONE_BATCH_RATES = (0.003, 0.03)  # Adam's usual rate, and a high one
GOOD = 0.1  # a loss over chance that needs no lower rate
HIDDEN = 64  # units of a hidden layer to try in a network without one
SWAPPED = (Sigmoid, Tanh, Softmax, Identity)  # hidden activations to replace by a ReLU
SLOW = 0.8  # a loss above this share of its start has hardly moved
GAIN = 0.15  # of the loss: a change must save at least this much to count
HOPELESS = 1.5  # with this loss over chance after the first steps, no more steps are tried
SHARE = 0.5  # of the best change's saving: another change must save at least this much
ALIKE = 1.2  # a rate as good as the best leaves at most this many times its loss
RATE_FACTORS = (0.1, 10.0, 0.01, 100.0, 1e-3, 1e3)
MORE_FACTORS = (0.1, 10.0, 0.01)  # if neither another rate nor another network is enough
MORE, PROMISING = 3, 4  # times as many steps if the first were too few, for this many changes

OF_DATA = {"scaled inputs": ("inputs-not-scaled", "inputs-too-small"), "scaled targets": ("targets-not-scaled",)}
OF_WEIGHTS: tuple[str, ...] = ("weights-all-equal", "weights-too-small", "weights-too-large", "starts-too-sure")
OF_WEIGHTS += ("saturated-units", "dead-relus")
Change = tuple[str, float]  # the change, "" for none, and the factor of the learning rate


class StopAfter(Callback):
    """Ends a run after `last` steps."""

    def __init__(self, last: int) -> None:
        self.last = last

    def step_end(self, state: TrainingState) -> None:
        if state.step == self.last:
            state.stop_reason = "the first steps were all that was wanted"


class TrialOutcome(NamedTuple):
    """The result of a trial: the network, and its loss divided by the loss at chance, inf if it diverged.

    learned: the loss over that at chance on the trial's training examples. judged: on others, if there are enough.
    """

    network: Network
    learned: float
    judged: float

    @property
    def least(self) -> float:
        """The lower of `learned` and `judged`, which shows whether anything was learned."""
        return min(self.learned, self.judged)


@dataclass(frozen=True)
class Trials:
    """Runs of a trainer on a part of its data, and the examples to judge them by.

    n_steps: of the whole run. A trial takes fewer steps, but goes through the whole schedule of the learning rate.
    """

    trainer: Trainer
    learn: Dataset
    judge: Dataset
    n_steps: int

    @classmethod
    def of(cls, trainer: Trainer, train: Dataset) -> "Trials":
        """Trials on a sample of `train`; if the sample is large enough, a quarter is held out to judge them by."""
        part, n_steps = static.sample_of(train), trainer.epochs * steps_per_epoch(train.n_samples, trainer.batch_size)
        if part.n_samples < static.FEW:
            return cls(trainer, part, part, n_steps)
        splits = part.split_shuffled(part.n_samples // 4, generator(0, "trials"))
        return cls(trainer, splits.train, splits.test or part, n_steps)

    @property
    def highest_rate(self) -> float:
        """The highest learning rate of the schedule in the whole run."""
        return max(float(self.trainer.schedule(int(step))) for step in np.linspace(0, self.n_steps - 1, WATCHED))

    def run(
        self,
        n_steps: int,
        *,
        network: Network | None = None,
        factor: float = 1.0,
        prepare: Callable[[Dataset], Dataset] = lambda data: data,
        most_work: float = MOST_WORK,
        **changes: Any,
    ) -> TrialOutcome:
        """The TrialOutcome of at most n_steps on a copy of the network, with `factor` times the rate and `changes`."""
        network = self.trainer.network if network is None else network
        network = with_meaning(network, parameters=network.parameters.copy())
        learn, judge = prepare(self.learn), prepare(self.judge)
        given = {"augment": None, "average": Latest(), "optimizer": copy.deepcopy(self.trainer.optimizer)}
        run = replace(self.trainer, network=network, **given | changes)
        n_all, size = learn.n_samples, network.parameters.size
        batch = min(samples_per_step(n_all, run.batch_size), n_all)
        if size * batch * WATCHED > most_work:
            run.batch_size = batch = min(batch, max(32, int(most_work / (size * WATCHED))))
        last = min(n_steps, max(LEAST_STEPS, int(most_work / (size * (batch + 30)))))
        run.epochs, run.callbacks = -(-n_steps // steps_per_epoch(learn.n_samples, run.batch_size)), [StopAfter(last)]
        stride = max(1.0, self.n_steps / last) if n_steps < LONG else 1.0
        run.schedule = lambda step: factor * self.trainer.schedule(int(stride * step))
        losses, chance = [math.inf, math.inf], max(static.chance_loss(network, learn), static.TINY)
        with suppress(DivergenceError):
            run.fit(learn)
            losses = [loss_and_score(network, each)[0] / chance for each in (learn, judge)]
        learned, judged = (math.inf if math.isnan(loss) else loss for loss in losses)
        return TrialOutcome(network, learned, judged)

    def as_it_is(self) -> tuple[TrialOutcome, TrialOutcome]:
        """The outcomes of the unchanged run: after its first steps and, if they learn little, after many more."""
        given = self.run(WATCHED, most_work=MOST_OF_GIVEN)
        return given, given if given.least < HEALTHY else self.run(MANY * WATCHED)

    def death_findings(self, given: TrialOutcome) -> Iterator[Finding]:
        """Findings on ReLUs that died in the first steps."""
        before = static.unit_findings(static.batch_problem(self.trainer.network, self.learn))
        already = {each.evidence["layer"] for each in before}
        if math.isfinite(given.learned):
            for each in static.unit_findings(static.batch_problem(given.network, self.learn)):
                if each.id == "dead-relus" and each.evidence["layer"] not in already:
                    yield replace(each, says=f"{each.says} They died in the first {WATCHED} steps.")

    def stuck_findings(self, train: Dataset) -> Iterator[Finding]:
        """Findings on outputs that no longer learn after the first epoch, if activation and loss let outputs die."""
        if static.can_die(self.trainer.network):
            after = replace(self, learn=train).run(LONG, most_work=MOST_OF_DYING).network
            stuck = [each for each in static.output_findings(after, self.learn) if each.level == "fault"]
            yield from stuck if 2 * len(stuck) < train.n_outputs else ()

    def batch_findings(self) -> Iterator[Finding]:
        """A finding if the network cannot even memorize a few examples, although it has enough weights."""
        network = with_meaning(self.trainer.network, dropout=0.0)
        n_samples = min(ONE_BATCH, network.parameters.size // (4 * self.learn.n_outputs))
        if n_samples < 2:
            return
        batch = static.batch_of_all_classes(self.learn, n_samples)
        alone = Trials(Trainer(network=network, schedule=Constant(ONE_BATCH_RATES[0])), batch, batch, WATCHED)
        factors = (1.0, ONE_BATCH_RATES[1] / ONE_BATCH_RATES[0])
        loss = min(alone.run(WATCHED, factor=factor, batch_size=None).learned for factor in factors)
        if loss > HEALTHY:
            measured = {"examples": batch.n_samples, f"loss over chance after {WATCHED} steps of Adam": loss}
            yield Finding.of("fault", "cannot-overfit-one-batch", measured)

    def linear_findings(self, train: Dataset) -> Iterator[Finding]:
        """A finding if the hidden layers have no nonlinearity, and the network learns more with one."""
        network, whole = self.trainer.network, replace(self, learn=train)
        hidden = network.activations[:-1]
        if hidden and all(isinstance(each, Identity) for each in hidden):
            twin = fresh_twin(network, with_relu=True)
            run = partial(whole.run, MANY * WATCHED, most_work=MOST_OF_GIVEN)
            loss, bent = (run(network=each).judged for each in (network, twin))
            if bent < BETTER * loss:
                yield Finding.of("note", "no-nonlinearity", {"loss over chance": loss, "with ReLU": bent})

    def rate_findings(self, given: TrialOutcome) -> Iterator[Finding]:
        """A finding if the network learns at its learning rate, but learns much more at a lower one."""
        rate, measured = self.highest_rate, {"loss over chance": given.judged}
        for factor in (0.1, 0.01) if given.judged > GOOD else ():
            loss = self.run(WATCHED, factor=factor).judged
            if loss < MUCH_BETTER * given.judged:
                measured |= {"learning rate": rate, f"with a rate of {factor * rate:.2g}": loss}
                yield Finding.of("warning", "learning-rate-too-high: first steps", measured, better=factor * rate)
                return


def fresh_twin(network: Network, *, with_relu: bool = False) -> Network:
    """A similar network with new weights that suit its activations; with_relu: ReLUs replace activations in SWAPPED."""
    *hidden, output = network.activations
    sizes, instead = network.layer_sizes, SWAPPED if with_relu else ()
    hidden = [ReLU() if isinstance(each, instead) else each for each in hidden]
    if with_relu and not hidden:
        hidden, sizes = [ReLU()], (sizes[0], HIDDEN, sizes[-1])
    names = ("loss", "task", "pixels", "image_shape", "class_names", "dtype")
    given = {name: getattr(network, name) for name in names}
    dropout = network.dropout if sizes == network.layer_sizes else 0.0
    started = [copy.copy(each) for each in (*hidden, output)]  # from usual weights, and biases of 0
    for each in started:
        for name in ("initializer", "bias_initializer"):
            object.__setattr__(each, name, type(each).__dataclass_fields__[name].default)
    return Network(sizes, hidden=started[:-1], output=started[-1], dropout=dropout, rng=1, **given)


def with_scaled(data: Dataset, *, targets: bool = False) -> Dataset:
    """The examples with inputs, or else targets, scaled to about 1: each column by itself, images by one number."""
    X = data.targets if targets else as_floats(data.inputs, np.float64)
    is_image = data.image_shape is not None and not targets
    X = X / max(float(static.typical_size(X)), static.TINY) if is_image else Standardization.of(X).apply(X)
    return replace(data, targets=X) if targets else replace(data, inputs=X)


@dataclass(frozen=True)
class Causes:
    """The search for the causes why a run does not learn well.

    given, later: the unchanged run, after its first steps and after more. standing: the findings made so far.
    """

    trials: Trials
    given: TrialOutcome
    later: TrialOutcome
    standing: Sequence[Finding]

    def findings(self) -> Iterator[Finding]:
        """Yield the causes, the findings that they explain, and the others, which are notes if a cause is known."""
        causes = {each.id: each for each in reversed(list(self.causes(self.helpful_changes())))}
        explained = {each for cause in causes.values() for each in cause.explains}
        for each in self.standing:
            if each.id not in causes:
                yield each.as_note() if causes and each.id not in explained else each
        yield from causes.values()
        if self.later.least > static.LEARNED and not any("learning-rate" in name for name in causes):
            name = "stuck-at-chance" if math.isfinite(self.later.least) else "diverged: first steps"
            yield Finding.of("fault", name, {"loss over chance": self.later.least})
        if not causes:
            yield from self.trials.batch_findings()

    @property
    def is_explained(self) -> bool:
        """Whether a fault of the data, or a wrong formula, already explains a loss that is stuck at chance."""
        sure = (each for each in self.standing if each.level == "fault" and not each.is_suspect)
        return any("stuck-at-chance" in each.explains for each in sure)

    @property
    def level(self) -> Level:
        """The level for a cause: a fault if the run learned nothing, a warning if it learned little, else a note."""
        return "fault" if self.later.least > static.LEARNED else "warning" if self.later.least > SLOW else "note"

    def changes(self) -> Iterator[tuple[str, Callable[..., TrialOutcome]]]:
        """Yield the name of each change to try, except of the learning rate, and a function that runs a trial of it."""
        run, network, found = self.trials.run, self.trials.trainer.network, {each.id for each in self.standing}
        yield "", run
        yield "new weights", partial(run, network=fresh_twin(network))
        if any(isinstance(each, SWAPPED) for each in network.activations[:-1]) or len(network.activations) == 1:
            yield "ReLU", partial(run, network=fresh_twin(network, with_relu=True))
        if found & set(OF_DATA["scaled inputs"]):
            of_floats = with_meaning(network, pixels=False, input_range=None)
            yield "scaled inputs", partial(run, network=of_floats, prepare=with_scaled)
        if "targets-not-scaled" in found:
            yield "scaled targets", partial(run, prepare=partial(with_scaled, targets=True))
        if type(self.trials.trainer.penalty) is not Penalty:
            yield "no penalty", partial(run, penalty=Penalty())
        if any(network.dropout):
            yield "no dropout", partial(run, network=with_meaning(network, dropout=0.0))

    def helpful_changes(self) -> dict[Change, float]:
        """For each change that lowers the loss enough, the loss over that at chance, after few steps, or else more."""
        runs, now = dict(self.changes()), min(self.later.judged, 1.0)
        first = [*((name, 1.0) for name in runs if name), *(("", factor) for factor in RATE_FACTORS)]
        first += [(name, 10.0) for name in OF_DATA if name in runs]
        both = [(name, factor) for name in ("new weights", "ReLU") if name in runs for factor in MORE_FACTORS]
        reached: dict[Change, float] = {}
        for changes, n_steps in ((first, WATCHED), (first, MORE * WATCHED), (both, WATCHED)):
            changes = sorted(changes, key=lambda each: reached.get(each, 0.0))
            changes = [each for each in changes if reached.get(each, 0.0) < HOPELESS]
            changes = changes[: PROMISING if n_steps > WATCHED else None]
            reached |= {(name, factor): runs[name](n_steps, factor=factor).judged for name, factor in changes}
            if min(reached.values()) < HEALTHY * now or self.is_explained:
                break
        enough = max(GAIN * now, SHARE * (now - min(reached.values())))
        return {change: loss for change, loss in reached.items() if now - loss >= enough}

    def causes(self, helpful: Mapping[Change, float]) -> Iterator[Finding]:
        """Yield the findings that helpful changes prove, in the order of causes; only the first is more than a note."""
        found, level = {each.id: each for each in reversed(self.standing)}, self.level
        level = "warning" if level == "note" and self.given.least > static.LEARNED else level
        helps = list(self.names(helpful, found))
        for change, name in helps:
            loss = min(loss for (each, _), loss in helpful.items() if each == change)
            measured = {"loss over chance": self.later.least, f"with {change}": loss}
            known = found.get(name) or Finding.of(level, name, {})
            weight = min(level, known.level, key=LEVELS.index)
            yield replace(known, level=weight, evidence={**known.evidence, **measured})
            level = "note"
        yield from self.rate_findings(helpful, "note" if helps else self.level)

    def names(self, helpful: Mapping[Change, float], found: Mapping[str, Finding]) -> Iterator[tuple[str, str]]:
        """Yield each change that helps at the given learning rate, and the name of the finding that it proves."""
        hidden = self.trials.trainer.network.activations[:-1]
        alone = {name for name, factor in helpful if factor == 1.0 or name in OF_DATA}
        rate_helps = any(name == "" for name, _ in helpful)
        for change, names in OF_DATA.items():
            if change in alone:
                yield change, next(name for name in names if name in found)
        yield from ((change, f"too-much-{change[3:]}") for change in ("no penalty", "no dropout") if change in alone)
        weights = next((name for name in OF_WEIGHTS if name in found), "")
        if "new weights" in alone and (weights or not rate_helps):
            yield "new weights", weights or "starting-weights"
        elif "ReLU" in alone:
            if any(isinstance(each, Softmax) for each in hidden):
                yield "ReLU", "softmax-between-layers"
            elif all(isinstance(each, Identity) for each in hidden):
                yield "ReLU", "no-nonlinearity"
            elif sum(isinstance(each, Sigmoid | Tanh) for each in hidden) > 1:
                yield "ReLU", "vanishing-gradient"

    def rate_findings(self, helpful: Mapping[Change, float], level: Level) -> Iterator[Finding]:
        """A finding on the best learning rate, or the closest nearly as good; with new weights or ReLUs if needed."""
        for name in ("", "new weights", "ReLU"):
            losses = {factor: loss for (change, factor), loss in helpful.items() if change == name and factor != 1.0}
            if not losses:
                continue
            good = [factor for factor, loss in losses.items() if loss <= ALIKE * min(losses.values())]
            factor = min(good, key=lambda each: abs(math.log(each)))
            rate = self.trials.highest_rate
            suffix = f" and {name}" if name else ""
            measured = {"learning rate": rate, "loss over chance": self.later.least}
            measured[f"with a rate of {rate * factor:.2g}{suffix}"] = losses[factor]
            way = "high" if factor < 1.0 else "low"
            says = "too" if level == "note" and self.level != "note" else "first steps"
            yield Finding.of(level, f"learning-rate-too-{way}: {says}", measured, better=rate * factor)
            return
