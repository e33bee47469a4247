"""Find the line to blame for a wrong array: the first whose result no correct computation explains."""

from collections.abc import Iterator

import numpy as np

from deltarule.learn.activations import factor_between, is_close
from deltarule.learn.judgement import Pass
from deltarule.learn.losses import logarithm
from deltarule.learn.recording import GIVEN_SOURCE as GIVEN
from deltarule.learn.recording import Event
from deltarule.learn.roles import is_gradient
from deltarule.nn.arrays import Array

FACTORS = ("factor", "factor-two", "undivided", "divided-twice", "by-outputs", "times-outputs")


def delta_source(run: Pass, l: int, found: Event, begun: int, errors: list[Array], *, is_given: bool = False) -> Event:
    """The event to blame for a wrong delta: the first array of its shape that nothing explains, else its last store."""
    behind = [each.event.time for each in run.steps if each.quantity == "delta" and each.event is not None]
    pairs = run.step_of(run.trace.arrays(run.n, run.layers[l].W.shape[1], max([begun, *behind])))
    pairs = [pair for pair in pairs if pair[0].time <= found.time and (pair[0].role != "loss" or found.role == "loss")]
    known = list(explanations(run, l, errors))
    for event, array in pairs:
        is_inside = event.where.function == found.where.function or not is_given
        lying = [other for each, other in pairs if each is event]  # both ways, if there are as many samples as outputs
        own = [*run.statement(event)]
        is_inside &= array.size == 1 or own[-1].value.size > 1  # not what is averaged and printed, nor a term of a sum
        is_inside &= event.where.is_store or not any("+=" in each.where.source and each.value.size == 1 for each in own)
        if is_inside and np.isfinite(array).all() and not any(is_explained(each, known) for each in lying):
            return event
    return last_copy(run, l, found)


def last_copy(run: Pass, l: int, found: Event) -> Event:
    """The event that last stored the array of `found`, under any name, before dC/dW was computed from it."""
    pairs = run.step_of(run.trace.arrays(run.n, run.layers[l].W.shape[1], found.time))
    shape, weights = run.layers[l].W.shape, run.layers[l].weights.value
    made = [pair for lying in {shape, shape[::-1]} for pair in run.trace.like(lying, found.time)]
    made = [pair for pair in made if pair[1].shape != weights.shape or not is_close(pair[1], weights)]
    end = min((event.time for event, _ in made), default=0)
    own = next(array for each, array in run.trace.arrays(run.n, run.layers[l].W.shape[1]) if each is found)
    alike = [event for event, array in pairs if event.time < end and is_close(array, own)]
    alike = [event for event in alike if run.n > 1 or not is_gradient(event.name)]
    stored = [event for event in alike if event.where.is_store and event.where.source != GIVEN]
    inside = [event for event in stored if event.role == "derivative"]
    last = (inside or stored or [found])[-1]
    handed = [each for each in stored if last.time - 4 < each.time < last.time and each.callers[1:] == last.callers]
    handed = [each for each in handed if each.where.function not in (found.where.function, last.where.function)]
    return (handed or [last])[-1]  # passed on by a function that does not change it


def is_explained(array: Array, known: list[Array]) -> bool:
    """Whether all numbers of an array are equal, or it is a multiple of an array in `known`."""
    return bool(np.ptp(array) == 0) or any(factor_between(array, each) is not None for each in known)


def explanations(run: Pass, l: int, errors: list[Array]) -> Iterator[Array]:
    """The arrays that a program may compute on the way to a correct delta of layer l. errors: dC/da."""
    kind, z, a = run.kinds[l], run.z[l], run.a[l]
    with np.errstate(all="ignore"):
        shifted = z - z.max(axis=1, keepdims=True), z - z.max()
        powers = np.exp(-z), np.exp(z), *map(np.exp, shifted)
        yield from (*shifted, z, a, 1 - a, 1 + a, a**2, 1 - a**2, a * (1 - a), *powers, 1 + powers[0], kind.slope(z))
        slope = kind.slope(z) if kind.of_a is None else kind.of_a(a)
        for error in errors:
            yield from (error, kind.back(error, z, a), error * slope)
        if l + 1 == len(run.layers):
            yield from explanations_of_loss(a, run.targets)
        for other in (*run.z, *run.a, *(each for n, each in enumerate(run.delta) if n != l and each is not None)):
            if other is not z and other is not a and other.shape == z.shape:
                yield other


def explanations_of_loss(a: Array, wanted: Array) -> Iterator[Array]:
    """The arrays that a program may compute for a loss or its derivative. a: the outputs. wanted: the targets."""
    rest, error = 1 - wanted, a - wanted
    logs = logarithm(a), logarithm(1 - a)
    yield from (wanted, rest, error, error**2, np.abs(error), *logs, wanted * logs[0], rest * logs[1])
    yield from (wanted / a, rest / (1 - a), error / (a * (1 - a)), wanted * logs[0] + rest * logs[1])


def targets_source(run: Pass, wrong: list[Array], found: Event) -> Event:
    """The event that computed wrong targets: the first up to `found` that equals one of `wrong`, else `found`."""
    for event, array in run.trace.arrays(*run.targets.shape):
        if event.time <= found.time and any(np.array_equal(array, each) for each in wrong):
            return event
    return found


def blame_callers(run: Pass) -> dict[int, int]:
    """The lines of calls to blame instead of the functions that they call, by the index of the wrong step in run.steps.

    A called function is not to blame if other calls of it gave correct arrays.
    """
    blamed: dict[int, int] = {}
    right_steps = [each for each in run.steps if each.event and not each.mistake]
    ends = {each.event.lines for each in right_steps if each.event and (run.n > 1 or each.quantity != "db")}
    if all(step.mistake in ("", "?") for step in run.steps):
        return {}
    lines = {each.lines for each in run.trace.events}
    right = [each for each in lines if any(each[n:] in ends for n in range(len(each)))]
    starts = {each[: n + 1] for each in right for n in range(len(each))}
    for n, step in enumerate(run.steps):
        event = step.values.get("at") or step.event
        if event is None or step.quantity == "a" or step.mistake in ("", "?", "sign", *FACTORS) or not event.callers:
            continue
        level = next((i for i in range(len(event.lines)) if event.lines[: i + 1] not in starts), 0)
        if level:
            blamed[n] = event.lines[level]
    return blamed
