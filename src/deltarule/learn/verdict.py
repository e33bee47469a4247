"""The verdict on one run: the layers, the batch and the targets that explain most of it, and which arrays are wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deltarule.learn.activations import SIGMOID
from deltarule.learn.backward import blame_derivative, walk_back
from deltarule.learn.blame import blame_callers, last_copy, targets_source
from deltarule.learn.judgement import Pass, Step, first_multiple, walk_forward
from deltarule.learn.layers import OwnLayer, Trace, chains
from deltarule.learn.losses import NAMES, fits, walk_loss
from deltarule.learn.recording import Event, InitialParameter
from deltarule.learn.roles import argument_of, role_of
from deltarule.learn.updates import walk_update
from deltarule.nn.arrays import Array

Resolve = Callable[[Event, Array], Array | None]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of a run: the layers, and a step for each array, in the order of computation."""

    layers: tuple[OwnLayer, ...]
    steps: tuple[Step, ...]
    run: Pass

    @property
    def score(self) -> tuple[int, int, int]:
        """How good this reading is: the number of right arrays; minus those with unnamed mistakes; the number found."""
        seen = [each for each in self.steps if each.is_found and each.event is not None]
        return sum(not each.mistake for each in seen), -sum(each.mistake == "off" for each in seen), len(seen)


def verdict(
    events: Sequence[Event],
    starts: Sequence[InitialParameter],
    batches: Sequence[tuple[Array, Array]],
    call: Resolve,
    rate: float,
) -> Verdict | None:
    """The verdict that explains most of a run. batches: X (n, features), t (n, outputs) that it may have used."""
    names = {each.where.function for each in events}
    checks = {each for each in names if "gradient_check" in map(role_of, each.split("."))}
    own = [each for each in events if each.where.function not in checks]
    own = [each if each.time == n else replace(each, time=n) for n, each in enumerate(own)]
    trace, best = Trace(own), None
    for layers in chains(starts)[:6]:
        for X, wanted in batches:
            if X.shape[1] != layers[0].W.shape[0] or wanted.shape[1] != layers[-1].W.shape[1]:
                continue
            of_all = (pair for pair in batches if len(pair[0]) > 1 == len(X) and np.array_equal(pair[0][:1], X))
            of_all = (pair for pair in of_all if pair[1].shape[1] == wanted.shape[1])
            found = one_reading(Pass(trace, layers, X, wanted, call, next(of_all, None)), rate)
            if best is None or found.score > best.score:
                best = found
    return best


def one_reading(run: Pass, rate: float) -> Verdict:
    """Judge all arrays of a run, with the layers, batch and targets set in it. rate: the learning rate we passed."""
    with np.errstate(all="ignore"):
        if walk_forward(run):
            begun = run.time
            run.targets = targets_of(run, begun)
            loss = walk_loss(run)
            walk_back(run, loss)
            blame_derivative(run, begun)
            compare_losses(run, loss)
            walk_update(run, begun, rate)
            for n, line in blame_callers(run).items():
                run.steps[n] = replace(run.steps[n], values=run.steps[n].values | {"line": line})
            judge_one_hot(run)
    order = {"z": 0, "a": 0, "loss": 1, "delta": 2, "dW": 2, "db": 2, "update": 3}
    inner, last = ("z", "delta", "a", "dW", "db", "loss", "update"), len(run.layers)

    def key(step: Step) -> tuple[int, int, int]:
        way = step.layer if step.quantity in ("z", "a") else last - step.layer
        way = way if step.quantity != "update" else step.event.where.line if step.event else 0
        return order[step.quantity], way, inner.index(step.quantity)

    return Verdict(tuple(run.layers), tuple(sorted(run.steps, key=key)), run)


def targets_of(run: Pass, begun: int) -> Array:
    """The program's own array of one-hot targets, if it stores one; else ours, with the same numbers."""
    if run.targets.shape[1] < 2:
        return run.targets
    for event, array in run.trace.arrays(*run.targets.shape):
        is_own = event.where.is_store and np.array_equal(array, run.targets)
        if is_own and np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all():
            return array
    return run.targets


def judge_one_hot(run: Pass) -> None:
    """Mark delta of the outputs if the one-hot targets are shifted by a class from the program's own labels."""
    step = run.step("delta")
    n, n_classes = run.targets.shape
    if step.mistake or n_classes < 3 or not np.isin(run.targets, (0, 1)).all():
        return
    classes = run.targets.argmax(axis=1)
    for event in run.trace.events:
        y = event.value.ravel()
        is_labels = event.where.is_store and y.size == n > 2 and np.isin(y, range(n_classes)).all()
        if is_labels and argument_of(event.name.rpartition(".")[2]) in ("Y", "y_flat"):
            if np.array_equal(y, classes):
                return
            if any(np.array_equal((y + shift) % n_classes, classes) for shift in (1, -1)):
                at = targets_source(run, [run.targets], step.event) if step.event else None
                run.mark(step, "targets-shifted", at=at)
                return


def compare_losses(run: Pass, loss: str) -> None:
    """Mark delta of the outputs as wrong if it is the gradient of another loss than the program's (`loss`)."""
    step = run.step("delta")
    if step.mistake or not loss or fits(step.note, loss, run):
        return
    names = {"loss": NAMES[loss], "fits": NAMES.get(step.note, step.note)}
    a, wanted = run.a[-1], run.targets
    made = run.step_of(run.trace.arrays(run.n, a.shape[1], run.time))
    is_derived = step.note == "cross_entropy" and first_multiple(made, (a - wanted) / (a * (1 - a)))  # by dC/da
    if run.kinds[-1] is SIGMOID and step.note in ("cross_entropy", "quadratic") and not is_derived:
        at = last_copy(run, step.layer, step.event) if step.event else None
        run.mark(step, "delta-a-minus-t" if loss == "quadratic" else "shortcut-slope", at=at, **names)
    else:
        run.mark(step, "two-losses", at=run.step("loss").event, **names)
