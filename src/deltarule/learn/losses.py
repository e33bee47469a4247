"""The loss of a learner's program: which of the known ones it is, up to a factor, by its value."""

from collections.abc import Iterator

import numpy as np

from deltarule.learn.activations import SIGMOID, SOFTMAX
from deltarule.learn.judgement import Pass
from deltarule.learn.recording import Event
from deltarule.learn.roles import role_of
from deltarule.nn.arrays import Array

NAMES = {
    "quadratic": "squared error",
    "cross_entropy": "cross-entropy",
    "binary": "binary cross-entropy",
    "categorical": "cross-entropy",
    "absolute": "the absolute error",
}


def logarithm(values: Array) -> Array:
    """ln, finite at 0."""
    return np.log(np.clip(values, 1e-12, None))


def sums(a: Array, wanted: Array) -> dict[str, float]:
    """The known losses, summed over samples and outputs."""
    return {
        "quadratic": float(((a - wanted) ** 2).sum()),
        "cross_entropy": float(-(wanted * logarithm(a)).sum()),
        "binary": float(-(wanted * logarithm(a) + (1 - wanted) * logarithm(1 - a)).sum()),
        "absolute": float(np.abs(a - wanted).sum()),
    }


def wrong_sums(a: Array, wanted: Array) -> dict[str, float]:
    """What the usual mistakes make of them, by id of mistakes.toml."""
    return {
        "loss-sign": float((wanted * logarithm(a)).sum()),
        "loss-half": float(-(wanted * logarithm(a)).sum()) if a.shape[1] == 1 else np.nan,
        "loss-swapped": float(-(wanted * logarithm(1 - a) + (1 - wanted) * logarithm(a)).sum()),
        "loss-without-square": float((a - wanted).sum()),
    }


def logarithms_of_targets(a: Array, wanted: Array) -> Iterator[tuple[str, float]]:
    """Cross-entropy with the logarithm of the targets, moved off 0 by what programs usually take."""
    for small in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7):
        logs = np.log(np.maximum(wanted, 0) + small)
        yield "loss-of-targets", float(-(a * logs).sum())
        yield "loss-of-targets", float(-(a * logs + (1 - a) * np.log(np.maximum(1 - wanted, 0) + small)).sum())


def scales(n: int, n_outputs: int) -> Iterator[float]:
    """The factors that are conventions."""
    for first in (1.0, 0.5, 2.0):
        yield from (first * each for each in (1.0, 1 / n, 1 / n_outputs, 1 / (n * n_outputs)))


def near_multiples(values: Array, base: float, n: int, n_outputs: int) -> Array:
    """Which numbers are a loss's sum times a factor that is a convention."""
    wanted = base * np.array(list(scales(n, n_outputs)))
    is_near = np.abs(values[:, None] - wanted) <= 2e-6 * np.abs(wanted)
    return np.asarray(is_near.any(axis=1) & bool(base and np.isfinite(base)))


def walk_loss(run: Pass) -> str:
    """Find the loss among the numbers that come after the outputs; its name, "" where none is seen."""
    at = next((each.event for each in run.steps if each.quantity == "a" and each.layer + 1 == len(run.layers)), None)
    later = run.trace.arrays(run.n, run.a[-1].shape[1], run.time) if at is not None else []
    again = [array for event, array in later if at is not None and event.where is at.where]
    for outputs in [run.a[-1], *again[:2]]:  # a loss may be computed after the step, of new outputs
        if name := loss_of(run, outputs, is_last=outputs is (again[:2] or [run.a[-1]])[-1]):
            return name if name != "?" else ""
    return ""


def loss_of(run: Pass, outputs: Array, *, is_last: bool) -> str:
    """The loss of some outputs; "" where none is seen, "?" where one is that has no name or a mistake."""
    numbers = [each for each in run.trace.events if each.value.size == 1 and each.time > run.time - 200]
    known, sizes = sums(outputs, run.targets), (run.n, outputs.shape[1])
    if run.kinds[-1] is SIGMOID and sizes[1] == 1:
        known.pop("cross_entropy")
    values = np.array([each.value.ravel()[0].real for each in numbers])
    near = {name: near_multiples(values, base, *sizes) for name, base in known.items()}
    found = [(event, name) for place, event in enumerate(numbers) for name in known if near[name][place]]
    if found:
        named = [pair for pair in found if is_loss_place(pair[0])]
        if not named and not is_last:
            return ""
        event, name = (named or found)[0]
        run.note("loss", len(run.layers), event, "", loss=NAMES[name])
        return name if named else "?"
    wrong = [*wrong_sums(outputs, run.targets).items(), *logarithms_of_targets(outputs, run.targets)]
    wrong += [("loss-sign", -known["binary"])] if run.kinds[-1] is SIGMOID else []
    others = [each for each in (*run.z, *run.a[:-1]) if each.shape == outputs.shape]
    wrong += [("loss-differs", base) for each in others for base in sums(each, run.targets).values()]
    for event in (each for each in numbers if is_loss_place(each) and (each.where.is_store or is_return(each))):
        value = event.value.ravel()[:1].real
        key, base = next((row for row in wrong if near_multiples(value, row[1], *sizes)[0]), ("", 0.0))
        if key:
            right = known.get("cross_entropy", base)
            source = next(each for each in numbers if each.value.ravel()[0] == event.value.ravel()[0])
            run.note("loss", len(run.layers), source, key, yours=float(value[0]), right=right)
            return "?"
    return ""


def is_return(event: Event) -> bool:
    """Whether an event is the whole of what a function of loss computes."""
    return role_of(event.where.function.rpartition(".")[2]) == "loss"


def is_loss_place(event: Event) -> bool:
    """Whether a number stands where a loss does: in a function of that name, or under that name."""
    name = event.name.rpartition(".")[2].partition("[")[0]
    return is_return(event) or role_of(name) == "loss"


def fits(delta_note: str, loss: str, run: Pass) -> bool:
    """Whether a gradient's loss and the program's are one."""
    pair = {"cross_entropy": {"cross_entropy", "binary", "categorical"}, "binary": {"cross_entropy", "binary"}}
    if run.kinds[-1] is SOFTMAX:
        pair = {"cross_entropy": {"cross_entropy"}, "binary": {"cross_entropy", "binary"}}
    return delta_note in pair.get(loss, {loss}) or loss in ("", "absolute")
