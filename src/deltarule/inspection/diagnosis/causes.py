"""Causes: a run that gets nowhere is tried again with one thing changed; what makes it learn was the cause."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from deltarule.inspection.diagnosis.findings import LEVELS, Finding, Level
from deltarule.inspection.diagnosis.static_findings import LEARNED
from deltarule.inspection.diagnosis.trials import (
    HEALTHY,
    SWAPPED,
    WATCHED,
    TrialOutcome,
    Trials,
    fresh_twin,
    with_scaled_inputs,
    with_scaled_targets,
)
from deltarule.nn.activations import Identity, Sigmoid, Softmax, Tanh
from deltarule.nn.network import with_meaning
from deltarule.nn.penalties import Penalty

SLOW = 0.8  # a loss above so much of it has hardly moved
GAIN = 0.15  # of its loss, at least, is what a change must save to count
HOPELESS = 1.5  # a loss over chance, after the first steps, with which more steps are not tried
SHARE = 0.5  # of what the best change saves, at least, is what another must
ALIKE = 1.2  # a rate as good as the best leaves so many times its loss at most
RATE_FACTORS = (0.1, 10.0, 0.01, 100.0, 1e-3, 1e3)
MORE_FACTORS = (0.1, 10.0, 0.01)  # where neither another rate alone nor another network alone will do
MORE = 3  # times as many steps are taken where the first were too few

OF_DATA = {"scaled inputs": ("inputs-not-scaled", "inputs-too-small"), "scaled targets": ("targets-not-scaled",)}
OF_WEIGHTS: tuple[str, ...] = ("weights-all-equal", "weights-too-small", "weights-too-large", "starts-too-sure")
OF_WEIGHTS += ("saturated-units", "dead-relus")
Change = tuple[str, float]  # what is changed, "" for nothing, and the factor of the learning rate


@dataclass(frozen=True)
class Causes:
    """A run that does not learn well, and what was found at once.

    given, later: how far it gets as it is, in the first steps and in more. standing: what data, network and steps show.
    """

    trials: Trials
    given: TrialOutcome
    later: TrialOutcome
    standing: Sequence[Finding]

    def findings(self) -> Iterator[Finding]:
        """The causes, what they explain, and what else was found, as notes where a cause is known."""
        causes = {each.id: each for each in reversed(list(self.causes(self.helpful_changes())))}
        explained = {each for cause in causes.values() for each in cause.explains}
        for each in self.standing:
            if each.id not in causes:
                yield each.as_note() if causes and each.id not in explained else each
        yield from causes.values()
        if self.later.least > LEARNED and not any("learning-rate" in name for name in causes):
            name = "stuck-at-chance" if math.isfinite(self.later.least) else "diverged: first steps"
            yield Finding.of("fault", name, {"loss over chance": self.later.least})
        if not causes:
            yield from self.trials.batch_findings()

    @property
    def is_explained(self) -> bool:
        """Whether the data, or a wrong formula, explain a loss stuck at chance."""
        sure = (each for each in self.standing if each.level == "fault" and not each.is_suspect)
        return any("stuck-at-chance" in each.explains for each in sure)

    @property
    def level(self) -> Level:
        """How much it matters."""
        return "fault" if self.later.least > LEARNED else "warning" if self.later.least > SLOW else "note"

    def changes(self) -> Iterator[tuple[str, Callable[..., TrialOutcome]]]:
        """Each change but that of the rate, and the run with it."""
        run, network, found = self.trials.run, self.trials.trainer.network, {each.id for each in self.standing}
        yield "", run
        yield "new weights", partial(run, network=fresh_twin(network))
        if any(isinstance(each, SWAPPED) for each in network.activations[:-1]) or len(network.activations) == 1:
            yield "ReLU", partial(run, network=fresh_twin(network, with_relu=True))
        if found & set(OF_DATA["scaled inputs"]):
            yield (
                "scaled inputs",
                partial(run, network=with_meaning(network, pixels=False, input_range=None), prepare=with_scaled_inputs),
            )
        if "targets-not-scaled" in found:
            yield "scaled targets", partial(run, prepare=with_scaled_targets)
        if type(self.trials.trainer.penalty) is not Penalty:
            yield "no penalty", partial(run, penalty=Penalty())
        if any(network.dropout):
            yield "no dropout", partial(run, network=with_meaning(network, dropout=0.0))

    def helpful_changes(self) -> dict[Change, float]:
        """The loss over chance with each change that saves enough; more steps are taken where the first do not."""
        runs, now = dict(self.changes()), min(self.later.judged, 1.0)
        first = [*((name, 1.0) for name in runs if name), *(("", factor) for factor in RATE_FACTORS)]
        first += [(name, 10.0) for name in OF_DATA if name in runs]
        both = [(name, factor) for name in ("new weights", "ReLU") if name in runs for factor in MORE_FACTORS]
        reached: dict[Change, float] = {}
        for changes, n_steps in ((first, WATCHED), (first, MORE * WATCHED), (both, WATCHED)):
            changes = [each for each in changes if reached.get(each, 0.0) < HOPELESS]
            reached |= {(name, factor): runs[name](n_steps, factor=factor).judged for name, factor in changes}
            if min(reached.values()) < HEALTHY * now or self.is_explained:
                break
        enough = max(GAIN * now, SHARE * (now - min(reached.values())))
        return {change: loss for change, loss in reached.items() if now - loss >= enough}

    def causes(self, helpful: Mapping[Change, float]) -> Iterator[Finding]:
        """What the changes that help put right, in the order of causes; the first alone is more than a note."""
        found, level = {each.id: each for each in reversed(self.standing)}, self.level
        level = "warning" if level == "note" and self.given.least > LEARNED else level
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
        """Each change that helps at the rate as it is, and the name of the finding that it proves."""
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
        """The rate that does best, the nearest of those that do nearly as well; with other weights if need be."""
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
