"""The step that a program takes: whether each parameter moves against its gradient, at one rate for all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from deltarule.learn.activations import factor_between, is_close, shares_of
from deltarule.learn.backward import source_of_sign
from deltarule.learn.judgement import Pass
from deltarule.learn.losses import scales
from deltarule.learn.recording import GIVEN_SOURCE, Event, InitialParameter
from deltarule.learn.roles import argument_of, first_row
from deltarule.nn.arrays import Array


@dataclass(frozen=True, eq=False)
class Share:
    """How one parameter is updated: the event, and three factors: of delta, of its gradient, and of the update.

    store: the event that last stored a multiple of the gradient. stored: the factor of that multiple.
    """

    quantity: str
    layer: int
    event: Event | None
    delta: float
    gradient: float
    update: float | None
    store: Event | None = None
    stored: float = 1.0

    @property
    def total(self) -> float:
        """The product of the three factors, negative for descent; without an update, -1 stands for its factor."""
        return self.delta * self.gradient * (-1.0 if self.update is None else self.update)


@cache
def bare_name(path: str) -> str:
    """The part of a path that identifies a parameter, in lower case: the key of an item, else the last name."""
    if key := re.search(r"\[([^\]]*)\]$", path):
        inner = key[1].strip("'\"")
        return f"{bare_name(path[: key.start()])}[{inner}]" if inner.lstrip("-").isdigit() else inner.casefold()
    return path.rpartition(".")[2].casefold().strip("_")


def may_hold(path: str, start: str) -> bool:
    """Whether a path may hold the parameter `start`, and not its gradient under the same key of another container."""
    container, own = (each.rpartition("[")[0].rpartition(".")[2].casefold().strip("_") for each in (path, start))
    return container in (own, "") or first_row("containers", container) == "parameters"


def change_of_shape(run: Pass, start: InitialParameter, after: int) -> Event | None:
    """The first event after a time that stores a parameter with more numbers than at first; None if there is none."""
    name = bare_name(start.name)
    starts = [start for layer in run.layers for start in (layer.weights, layer.biases) if start]
    if sum(bare_name(each.name) == name for each in starts) > 1:
        return None  # layers are objects, so one name stands for all
    for event in run.trace.events:
        is_larger = event.where.is_store and event.value.size > start.value.size > 1
        if event.time > after and is_larger and event.where.source != GIVEN_SOURCE and bare_name(event.name) == name:
            return event
    return None


def step_taken(run: Pass, start: InitialParameter, gradient: Array | None, after: int) -> tuple[Event, Array] | None:
    """The first event after a time in which a parameter has another value, and the change; None if there is none."""
    name, slope = bare_name(start.name), None if gradient is None else gradient.reshape(start.value.shape)
    starts = [each for layer in run.layers for each in (layer.weights, layer.biases) if each and each is not start]
    twins, likely = [each for each in starts if each.value.shape == start.value.shape], None
    for event, array in run.trace.like(start.value.shape, after):
        change = array - start.value
        if not np.isfinite(change).all() or any(np.array_equal(array, each.value) for each in twins):
            continue
        same_name = (event.where.is_store or event.where.is_load) and bare_name(event.name) == name
        is_multiple = slope is not None and factor_between(change, slope) is not None
        if same_name and not is_close(array, start.value, 1e-12) and may_hold(event.name, start.name):
            stores = run.stores(start.value.shape, run.time, event.time) if event.where.is_load else []
            found = [event, *(pair[0] for pair in stores)][-1], change  # its value before it was read
            if is_multiple or all(bare_name(each.name) != name for each in twins):
                return found
            likely = likely or found  # or the other layer's
        elif is_multiple and np.linalg.norm(change) < np.linalg.norm(start.value):
            return event, change
    return likely


def walk_update(run: Pass, begun: int, rate: float) -> None:
    """Find the update of each parameter, and judge their signs, factors and rates together. rate: our learning rate."""
    if any("reshape(" in each.weights.where.source for each in run.layers):
        return  # an optimizer moves the vector from which the weights are cut
    signs, running = [1.0] * len(run.layers), 1.0
    for each in (each for each in run.steps if each.quantity == "delta"):
        running = 1.0 if each.mistake == "error-before-slope" else running  # its factor is that of the bare error
        running *= each.values.get("factor", 1.0) if each.is_found else 1.0
        signs[each.layer] = running
    shares: list[Share] = []
    summed = sums_over_samples(run)
    for l, layer in enumerate(run.layers):
        starts = [("dW", layer.weights, run.gradients[l][0]), ("db", layer.biases, run.gradients[l][1])]
        for quantity, start, gradient in starts:
            if start is None:
                continue
            oriented = layer.upright(gradient) if gradient is not None and quantity == "dW" else gradient
            step = run.step(quantity, l)
            factor = step.values.get("factor", 1.0)
            whole = None if summed is None else summed[l][quantity == "db"] * signs[l] * factor
            share = update_of(run, l, quantity, start, oriented, begun, whole)
            if share is not None and gradient is not None and not step.mistake:
                shares.append(replace(share, delta=signs[l], gradient=share.gradient * factor))
    judge_shares(run, shares, rate, begun)
    note_still(run, shares, begun)


def note_still(run: Pass, shares: Sequence[Share], begun: int) -> None:
    """Report each parameter that never changes, although weights do and the first training step has ended."""
    moving = [each.event for each in shares if each.quantity == "dW" and each.event is not None]
    if not moving or not run.has_second_step:  # the first step has to have ended
        return
    judged = {(each.quantity, each.layer) for each in run.steps if each.mistake not in ("", "?")}
    for l, layer in enumerate(run.layers):
        for quantity, start in (("dW", layer.weights), ("db", layer.biases)):
            if start is None or not re.fullmatch(r"[\w.\[\]'\"-]+", start.name):  # an expression, not a name
                continue
            if (quantity, l) in judged or ("update", l) in judged:
                continue
            slope = run.gradients[l][quantity == "db"]
            slope = layer.upright(slope) if slope is not None and quantity == "dW" else slope
            if step_taken(run, start, slope, begun) is None:
                run.note("update", l, moving[0], "never-updated", parameter=start.name)


def sums_over_samples(run: Pass) -> list[tuple[Array, Array]] | None:
    """dC/dW and dC/db by layer, summed over all samples; None unless samples come one by one and delta is right."""
    deltas = [each for each in run.steps if each.quantity == "delta"]
    if run.whole is None or len(deltas) < len(run.layers) or any(each.mistake for each in deltas):
        return None
    X, wanted = run.whole
    inputs, zs = [X], []
    for layer, kind in zip(run.layers, run.kinds, strict=True):
        zs.append(inputs[-1] @ layer.W + layer.b)
        inputs.append(kind.value(zs[-1]))
    delta = inputs[-1] - wanted
    if deltas[0].note == "quadratic":
        delta = run.kinds[-1].back(delta, zs[-1], inputs[-1])
    found = []
    for l in range(len(run.layers) - 1, -1, -1):
        layer = run.layers[l]
        found.append((layer.upright(inputs[l].T @ delta), delta.sum(axis=0)))
        if l:
            delta = run.kinds[l - 1].back(delta @ layer.W.T, zs[l - 1], inputs[l])
    return found[::-1]


def update_of(
    run: Pass,
    index: int,
    quantity: str,
    start: InitialParameter,
    gradient: Array | None,
    begun: int,
    whole: Array | None,
) -> Share | None:
    """The update of one parameter, its factor of delta still 1; None if it is not found, or reported as wrong.

    whole: the gradient's sum over all samples, if the program processes them one by one.
    """
    if run.whole is not None and whole is None:
        return None  # the sum over samples is another array than the first one's
    if whole is not None and (of_all := step_taken(run, start, whole, begun)):
        slope = whole.reshape(of_all[1].shape)
        if (factor := factor_between(of_all[1], slope)) is not None:
            scale, store = scale_of_store(run, slope, begun, of_all[0].time)
            return Share(quantity, index, of_all[0], 1.0, scale, factor / scale, store, scale)
    if (other := change_of_shape(run, start, begun)) and other.time < run.end:
        run.note("update", index, other, "update-off", parameter=start.name)
        return None
    if (found := step_taken(run, start, gradient, begun)) is None:
        if gradient is None or gradient.size == 1:  # what is stored of one number may be any multiple
            return None
        scale, store = scale_of_store(run, gradient.reshape(start.value.shape), begun, run.end)
        return Share(quantity, index, None, 1.0, scale, None, store, scale)
    event, change = found
    if gradient is None:
        return None
    slope = gradient.reshape(change.shape)
    if slope.size == 1 and slope.any():  # one number is any multiple of another
        factor = float(change.item() / slope.item())
        stores = [
            pair[0] for pair in run.trace.of_size(1, begun) if pair[0].where.is_store and pair[0].time <= event.time
        ]
        is_stored = any(is_close(each.value.ravel(), change.ravel()) for each in stores)
        return Share(quantity, index, event, 1.0, *((factor, 1.0) if is_stored else (1.0, factor)))
    if (factor := factor_between(change, slope)) is not None:
        scale, store = scale_of_store(run, slope, begun, event.time)
        return Share(quantity, index, event, 1.0, scale, factor / scale, store, scale)
    for penalty in (start.value, np.sign(start.value)):  # a penalty also shrinks the weights
        factor, share = shares_of(change, slope, penalty)
        if factor and is_close(change, factor * slope + share * penalty, 2e-5):
            return Share(quantity, index, event, 1.0, 1.0, factor)
    agree = float(np.mean(np.sign(change) == -np.sign(slope)))
    if agree > 0.97 or agree < 0.03:  # Adam and its like take steps of another size
        return Share(quantity, index, event, 1.0, 1.0, None)
    stores = [each for each, array in run.stores(change.shape, begun, event.time) if factor_between(array, change)]
    run.note("update", index, event, "update-off", parameter=start.name, at=[event, *stores][-1])
    return None


def scale_of_store(run: Pass, gradient: Array, begun: int, end: int) -> tuple[float, Event | None]:
    """The last stored multiple of a gradient, as (factor, event); (1, None) if there is none."""
    for event, array in reversed(run.stores(gradient.shape, begun, end)):
        if factor := factor_between(array, gradient):
            return factor, event
    return 1.0, None


def judge_shares(run: Pass, shares: Sequence[Share], rate: float, begun: int) -> None:
    """Report the wrong sign, factor or rate of each parameter whose update differs from the others."""
    moving = [each for each in shares if each.update is not None]
    shares = moving or shares  # Adam's steps have another size
    if not shares:
        return
    totals = [each.total for each in shares]
    wrong_way = [each for each in shares if each.total > 0]
    if wrong_way:
        everywhere = len(wrong_way) == len(shares) and shares[0].update is not None
        if not (everywhere and any(each.quantity == "delta" and each.mistake in ("off", "?") for each in run.steps)):
            name_signs(run, wrong_way, shares, begun if everywhere else -1)
    usual = usual_size([abs(each) for each in totals], (rate or 1.0) / n_samples(run))
    sizes = [abs(each.update or 0.0) for each in shares]
    shape = run.n, run.a[-1].shape[1]
    numbers = [each for each in run.trace.events if each.value.size == 1 and each.name]
    own_rates = [each.value.item() for each in numbers if argument_of(bare_name(each.name)) == "alpha"]
    is_clear = rate and not any(is_convention(each, *shape) for each in own_rates)  # a rate of 0.5 may be a 1/2
    if is_clear and all(abs(size - 1) < 1e-9 for size in sizes) and is_convention(usual, *shape):
        own = run.step(shares[0].quantity, shares[0].layer).event
        words = re.findall(r"\w+", " ".join(each.where.source for each in (own, shares[0].store) if each))
        is_later = shares[0].store and own and shares[0].store.where.line != own.where.line
        if not any(argument_of(each) == "alpha" for each in words):  # a part of what is stored: rate * a.T @ delta
            run.note("update", shares[0].layer, shares[0].store if is_later else shares[0].event, "update-forgets-rate")
    for share in shares:
        ratio = abs(share.total) / usual
        if abs(ratio - 1) > 1e-3:
            name_factor(run, share, shares, ratio, rate)
    compare_scales(run, shares)
    for share in shares:
        if share.event is not None and share.update is not None:
            run.note("update", share.layer, share.event, "")


def compare_scales(run: Pass, shares: Sequence[Share]) -> None:
    """Report a loss that is a mean over the samples while its gradient is a sum, or the reverse."""
    loss, delta = run.step("loss"), run.step("delta")
    divides = [each for each in shares if each.event is not None and "/" in each.event.where.source]
    if loss.mistake or "scale" not in loss.values or delta.mistake or not delta.note or run.n == 1 or divides:
        return
    n, n_outputs, scale = run.n, run.a[-1].shape[1], loss.values["scale"]
    weighted = [each for each in shares if each.quantity == "dW"]
    rates = [1.0 if is_convention(abs(each.stored), n, n_outputs) else each.stored for each in weighted]
    factors = [abs(each.delta * each.gradient / rate) / scale for each, rate in zip(weighted, rates, strict=True)]
    if not factors or np.ptp(factors) > 1e-3 * factors[0]:
        return
    usual = [half * outputs for half in (0.5, 1, 2) for outputs in (1, n_outputs, 1 / n_outputs)]
    for key, times in (("", 1), ("undivided", 1 / n), ("loss-undivided", n)):
        if any(abs(factors[0] * times / each - 1) < 1e-3 for each in usual):
            if not key:
                return
            is_mean = not any(abs(scale / each - 1) < 1e-3 for each in usual)
            first = run.step("dW", delta.layer)
            is_divided = first.event and any("/" in each.where.source for each in run.statement(first.event))
            step = loss if key == "loss-undivided" else first if is_divided else delta  # it divides by a wrong count
            if key == "loss-undivided" and is_mean:
                run.mark(first if is_divided else delta, "divided-twice", factor=1 / n)
            else:
                run.change(step, step.mistake, aside=(key, n))
            return


def n_samples(run: Pass) -> int:
    """The number of samples in a training step, whether the program takes them at once or one by one."""
    return run.n if run.whole is None else len(run.whole[0])


def is_convention(factor: float, n: int, n_outputs: int) -> bool:
    """Whether a factor comes from a mean over samples or outputs, or from a square."""
    return any(abs(factor / scale - 1) < 1e-6 for scale in scales(n, n_outputs))


def usual_size(sizes: Sequence[float], mean: float = 1.0) -> float:
    """The most common of some sizes; among equally common ones, the one closest to `mean`."""

    def key(size: float) -> tuple[int, float]:
        return sum(abs(other / size - 1) < 1e-3 for other in sizes), -abs(np.log(size / mean))

    return max(sizes, key=key)


def name_signs(run: Pass, wrong_way: Sequence[Share], run_shares: Sequence[Share], begun: int) -> None:
    """Report where the sign of updates is reversed: in delta of the outputs, in the update, or in a single array."""
    everywhere = begun >= 0
    right_way = {np.sign(each.update) for each in run_shares if each not in wrong_way and each.update}
    for share in wrong_way:
        if share.update and right_way and np.sign(share.update) not in right_way:
            run.note(
                "update",
                share.layer,
                share.event,
                "update-adds" if share.update > 0 else "update-subtracts",
                parameter="it",
            )
            continue
        step, delta = run.step(share.quantity, share.layer), run.step("delta", share.layer)
        lines = {each.event.where.line for each in wrong_way if each.event is not None}
        adds = share.delta > 0 and share.gradient > 0
        if everywhere and adds and len(lines) < len(run.layers):
            run.note("update", share.layer, share.event, "update-adds")
        elif everywhere:  # one reversed error is likelier than many reversed updates
            last = run.step("delta")
            run.mark(last, "sign", at=source_of_sign(run, last.event, begun, adds) if last.event else None)
            return
        elif not everywhere and step.values.get("factor", 1.0) < 0 < delta.values.get("factor", 1.0):
            run.mark(step, "sign")
        elif stores_alone(share, [share, *(each for each in run_shares if each not in wrong_way)]):
            key = "update-adds" if (share.update or 0.0) > 0 else "update-subtracts"
            run.note("update", share.layer, share.store, key)
        elif delta.values.get("factor", 1.0) < 0:
            run.mark(delta, "sign")


def stores_alone(share: Share, shares: Sequence[Share]) -> bool:
    """Whether the factor in the stored array of an update differs from those of all others, as in a wrong velocity."""
    others = [each.stored for each in shares if each is not share]
    return bool(others) and share.store is not None and all(abs(share.stored / each - 1) > 1e-3 for each in others)


def name_factor(run: Pass, share: Share, shares: Sequence[Share], ratio: float, rate: float) -> None:
    """Report where the factor of one update differs from the others': in delta, in the gradient or in the update."""
    numbers = [each for each in run.trace.events if each.value.size == 1 and "batch" in each.name]
    theirs = [abs(each.value.item()) / run.n for each in numbers if argument_of(bare_name(each.name)) == "batch_size"]
    if any(size and min(abs(ratio * size - 1), abs(ratio / size - 1)) < 1e-3 for size in theirs):
        return  # our batch is shorter than the one that they divide by
    others = [each for each in shares if each is not share]
    usual_update = usual_size([abs(each.update or 1.0) for each in others] or [1.0])
    update = abs(share.update or 1.0)
    step = run.step(share.quantity, share.layer)
    if abs(update / usual_update - 1) > 1e-3:
        forgets = abs(update - 1) < 1e-6 or abs(update * rate / usual_update - 1) < 1e-3
        key = "update-forgets-rate" if forgets else "update-factor"
        key = "undivided" if not forgets and abs(ratio / n_samples(run) - 1) < 1e-3 else key
        run.note("update", share.layer, share.event, key, factor=ratio, parameter=share.quantity)
        return
    if stores_alone(share, shares) and any(abs(abs(share.stored * rate / each.stored) - 1) < 1e-3 for each in others):
        run.note("update", share.layer, share.store, "update-forgets-rate", parameter=share.quantity)
        return
    place = next((each for each in run.statement(step.event) if each.where.is_store), None) if step.event else None
    run.mark(step, factor_id(ratio, run.n, run.a[-1].shape[1]), factor=ratio, at=place)


def factor_id(ratio: float, n: int, n_outputs: int) -> str:
    """The id of the mistake behind a factor, such as "undivided" for n; "factor" if it is none of the usual ones."""
    known = {"undivided": float(n), "divided-twice": 1 / n, "factor-two": 2.0, "by-outputs": 1 / n_outputs}
    known |= {"times-outputs": float(n_outputs)} if n_outputs > 2 else {}
    close = [key for key, factor in known.items() if abs(ratio / factor - 1) < 1e-3]
    return close[0] if close else "factor-two" if abs(ratio - 0.5) < 1e-3 else "factor"
