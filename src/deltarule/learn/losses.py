"""Find the loss of a learner's program by its value: which known loss it is, up to a factor."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from deltarule.errors import read_tables
from deltarule.learn.activations import IDENTITY, SIGMOID, SOFTMAX
from deltarule.learn.judgement import NEAR, Pass, lack_activation
from deltarule.learn.recording import Event
from deltarule.learn.roles import role_of
from deltarule.nn.arrays import Array

NAMES = read_tables("learn/vocabulary")["losses"]
CERTAIN = r"loss|cost|mse|entropy|bce|nll|squared"


def logarithm(values: Array) -> Array:
    """ln of the values, but finite at 0."""
    return np.log(np.clip(values, 1e-12, None))


def sums(a: Array, wanted: Array) -> dict[str, float]:
    """The known losses by name, summed over samples and outputs. a: the outputs. wanted: the targets."""
    return {
        "quadratic": float(((a - wanted) ** 2).sum()),
        "cross_entropy": float(-(wanted * logarithm(a)).sum()),
        "binary": float(-(wanted * logarithm(a) + (1 - wanted) * logarithm(1 - a)).sum()),
        "absolute": float(np.abs(a - wanted).sum()),
    }


def wrong_sums(a: Array, wanted: Array) -> Iterator[tuple[str, float]]:
    """What the usual mistakes in a loss compute, as (id in mistakes.toml, sum over samples and outputs)."""
    logs, rest = logarithm(a), logarithm(1 - a)
    yield "loss-sign", float((wanted * logs).sum())
    if a.shape[1] == 1:
        yield "loss-half", float(-(wanted * logs).sum())
        yield "loss-swapped", float(-logs.sum())
    yield "loss-swapped", float(-(wanted * rest + (1 - wanted) * logs).sum())
    yield from (("loss-without-square", sign * float((a - wanted).sum())) for sign in (1, -1))
    both = -(wanted * logs + (1 - wanted) * rest).sum()
    yield from (("loss-log", float(each / np.log(base))) for base in (10, 2) for each in (-(wanted * logs).sum(), both))


def scales(n: int, n_outputs: int) -> Iterator[float]:
    """The factors that are conventions in a loss: 1, 1/2 or 2, each also divided by samples, outputs or both."""
    for first in (1.0, 0.5, 2.0):
        yield from (first * each for each in (1.0, 1 / n, 1 / n_outputs, 1 / (n * n_outputs)))


def near_multiples(values: Array, base: float, n: int, n_outputs: int) -> Array:
    """Which of `values` equal a loss's sum (`base`) times a conventional factor, as booleans."""
    wanted = base * np.array(list(scales(n, n_outputs)))
    is_near = np.abs(values[:, None] - wanted) <= 2e-6 * np.abs(wanted)
    return np.asarray(is_near.any(axis=1) & bool(base and np.isfinite(base)))


def walk_loss(run: Pass) -> str:
    """Find and judge the loss among a program's numbers; return its name, "" if it is not found or unknown."""
    at = run.step("a", len(run.layers) - 1).event
    later = run.trace.arrays(run.n, run.a[-1].shape[1], run.time) if at is not None else []
    again = [array for event, array in later if run.kinds[-1] is SOFTMAX and event.role == "loss"]
    again = [each for each in again if (each > 0).all() and np.allclose(each.sum(axis=1), 1)][:1]
    again += [array for event, array in later if at is not None and event.where is at.where]
    for may_be_wrong in (False, True):
        for outputs in [run.a[-1], *again[:2]]:  # a loss may be computed after the step, of new outputs
            if name := loss_of(run, outputs, may_be_wrong):
                return name if name != "?" else ""
    own = [array for event, array in later if run.whole and event.where.is_store and event.role == "loss"]
    own = [each for each in own if not np.isin(each, (0, 1)).all()]
    for outputs, wanted in product(own[:1], np.unique(run.whole[1], axis=0) if run.whole else ()):
        if name := loss_of(replace(run, targets=wanted[np.newaxis]), outputs, may_be_wrong=False):
            return name  # the loss of a single sample, after the epoch
    return ""


def loss_of(run: Pass, outputs: Array, may_be_wrong: bool) -> str:
    """Find and judge the loss of these outputs; return its name, "" if none is found, "?" if unknown or wrong."""
    numbers = [each for each, _ in run.trace.of_size(1, run.time - 200)]
    n_samples = len(run.whole[0]) if run.whole else run.n
    known, sizes = sums(outputs, run.targets), (n_samples, outputs.shape[1])
    if run.kinds[-1] is SIGMOID and sizes[1] == 1:
        known.pop("cross_entropy")
    values = np.array([number_of(each) for each in numbers])
    near = {name: near_multiples(values, base, *sizes) for name, base in known.items()}
    found = [(event, name) for place, event in enumerate(numbers) for name in known if near[name][place]]
    roles = [(pair[0].role, role_of(pair[0].name.rpartition(".")[2].partition("[")[0])) for pair in found]
    whole, named = wholes(numbers), [pair for pair, own in zip(found, roles, strict=True) if "loss" in own]
    right = [pair for pair in named if pair[0] in whole]
    if not right and not may_be_wrong:
        return ""
    forms = wrong_forms(run, outputs, known) if not right else []
    wrong = [(event, key) for event in whole if (key := wrong_name(run, event, known, forms))]
    if not (candidates := right or [(event, "") for event, _ in wrong] or named or found):
        return ""
    event, name = candidates[0]
    if event.role == "loss":  # what the function returns, rather than a sum that it divides by n
        same = [each for each, _ in candidates if each.where.function == event.where.function]
        event = [each for each in same if each.callers == event.callers and each.time < event.time + 8][-1]
    key = dict(wrong).get(event, "")
    value = number_of(event)
    source = next((each for each in numbers if number_of(each) == value), event)
    more = {"yours": value, "right": known.get("cross_entropy", known["quadratic"]), "own": "squared error", "base": 2}
    more |= {"loss": NAMES[name]} if name else {}
    more |= {"scale": value / known[name]} if right and name != "absolute" else {}
    run.note("loss", len(run.layers), source, key, **more)
    return "?" if key or not named else name


def number_of(event: Event) -> float:
    """The value of an event with a single number, as a float."""
    return float(event.value.flat[0].real)


def wholes(numbers: list[Event]) -> list[Event]:
    """The events that are a program's loss: results of a function named like a loss, or stored under such a name."""
    found = []
    for each, after in zip(numbers, [*numbers[1:], None], strict=False):
        is_end = after is None or after.where.function != each.where.function or after.time > each.time + 40
        is_certain = re.search(CERTAIN, each.where.function.casefold())
        is_named = re.search(CERTAIN, each.name.casefold()) or (is_certain and role_of(each.name) == "loss")
        if (each.where.is_store and is_named) or (is_end and is_certain and each.role == "loss"):
            found.append(each)
    return found[:6]


def wrong_name(run: Pass, event: Event, known: dict[str, float], forms: list[tuple[str, float]]) -> str:
    """The id of the mistake in a loss that the program computes; "" if it is right, or no known mistake explains it."""
    value, sizes = np.array([number_of(event)]), (run.n, run.a[-1].shape[1])
    name = f"{event.where.function} {event.name}".casefold()
    text = " ".join(each.where.text for each in run.trace.events[max(0, event.time - 12) : event.time + 1])
    if not np.isfinite(value[0]):
        if run.kinds[-1] is IDENTITY and "log(" in text:
            lack_activation(run, len(run.layers) - 1, "softmax" if run.targets.shape[1] > 1 else "sigmoid")
        return ""
    right = [each for each, base in known.items() if near_multiples(value, base, *sizes)[0]]
    is_one = run.targets.size == 1  # then an absolute value is the number itself, or the root of its square
    if "absolute" in right and not re.search("mae|abs", name):
        if "abs" in text and "sqrt" not in text and role_of(event.where.function.rpartition(".")[2]) != "loss":
            return ""  # a figure that training shows: no gradient is derived from it
        return "loss-root" if "sqrt" in text and is_one else "loss-absolute" if "abs" in text else "loss-without-square"
    if near_multiples(value**2, known["quadratic"], *sizes)[0] and not re.search("rms|root", name) and not right:
        return "loss-root"
    if right:
        return "loss-half" if right == ["cross_entropy"] and run.kinds[-1] is SIGMOID else ""
    return next((key for key, base in forms if near_multiples(value, base, *sizes)[0]), "")


def wrong_forms(run: Pass, outputs: Array, known: dict[str, float]) -> list[tuple[str, float]]:
    """What mistakes in the loss compute for these outputs, as (id in mistakes.toml, sum). known: from `sums`."""
    wrong = list(wrong_sums(outputs, run.targets))
    wrong += [("loss-sign", -known["binary"])] if run.kinds[-1] is SIGMOID else []
    others = [each for each in (*run.z, *run.a[:-1]) if each.shape == outputs.shape or outputs.shape[1] == 1]
    unfinished = run.trace.arrays(run.n, outputs.shape[1], run.time - NEAR)
    others += [array for event, array in unfinished if event.time < run.time and np.isfinite(array).all()]
    for array in others if run.n > 1 else ():
        share = outputs.shape[1] / array.shape[1]  # for a mean over that many outputs
        bases = sums(array, run.targets).values()
        wrong += [("loss-differs", base * each) for base in bases for each in {1.0, share}]
    return wrong


def fits(delta_note: str, loss: str, run: Pass) -> bool:
    """Whether delta's loss (`delta_note`) is the program's (`loss`) or a form of it; True for an unknown loss."""
    pair = {"cross_entropy": {"cross_entropy", "binary", "categorical"}, "binary": {"cross_entropy", "binary"}}
    if run.kinds[-1] is SOFTMAX:
        pair = {"cross_entropy": {"cross_entropy"}, "binary": {"cross_entropy", "binary"}}
    return delta_note in pair.get(loss, {loss}) or loss in ("", "absolute")
