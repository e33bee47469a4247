"""The backward pass: which arrays of a program are delta, dC/dW and dC/db, and what is wrong with each.

delta of a layer is the array from which the program computes dC/dW. It is compared with BP1 or BP2 for the program's
own arrays, then with the results of the usual mistakes. A factor may be a convention; the update shows a wrong sign.
"""

from collections.abc import Iterator

import numpy as np

from deltarule.learn.activations import (
    IDENTITY,
    PLAIN,
    RELU,
    SIGMOID,
    SOFTMAX,
    TANH,
    Function,
    factor_between,
    is_close,
    leaky,
    shares_of,
    slope_name,
)
from deltarule.learn.blame import delta_source, targets_source
from deltarule.learn.judgement import Found, Pass, first, first_multiple, lack_activation
from deltarule.learn.layers import OwnLayer
from deltarule.learn.recording import Event
from deltarule.learn.roles import is_gradient, number_in, parameter_kind
from deltarule.nn.arrays import Array

Form = tuple[str, Array]
MULTI = (SIGMOID, SOFTMAX)
WRONG_ERRORS: dict[str, Function] = {"error-squared": np.square, "error-absolute": np.abs, "error-sign-only": np.sign}


def walk_back(run: Pass, loss: str) -> None:
    """Find and judge delta, dC/dW and dC/db from the last layer to the first. loss: its name, or ""."""
    last, begun = len(run.layers) - 1, run.time
    deltas = run.delta = [None] * len(run.layers)
    run.gradients = [(None, None)] * len(run.layers)
    for l in range(last, -1, -1):
        forms = output_forms(run, loss) if l == last else hidden_forms(run, l, deltas[l + 1])
        found, made = find_delta(run, l, begun, forms, loss), begun
        if found is None:
            run.note("delta", l, None, "?")
            deltas[l] = None if l == last and not forms[0] else forms[0][0][1]
        else:
            (event, array), mistake, factor = found
            deltas[l], made = array, event.time - 1
            mistake, note = ("", mistake[1:]) if mistake.startswith("=") else (mistake, "")
            if mistake == "slope-of-another" and run.kinds[l] is IDENTITY and l + 1 < len(run.layers):
                lack_activation(run, l, slope_name(array, errors_before(run, l, deltas)[0], run.z[l]))
                mistake = ""
            event = source_of(run, l, event, mistake, begun, errors_before(run, l, deltas))
            run.note("delta", l, event, mistake, factor=factor, note=note)
        if (delta := deltas[l]) is None:
            break
        run.gradients[l] = (
            find_weight_gradient(run, l, delta, begun, made),
            find_bias_gradient(run, l, delta, begun, made),
        )


def blame_derivative(run: Pass, begun: int) -> None:
    """Blame the function for sigma', not its calls, if every delta has the slope at a instead of at z."""
    wrong = [each for each in run.steps if each.quantity == "delta"]
    if len(wrong) > 1 and all(each.mistake == "slope-of-a" for each in wrong):
        for step in wrong:
            end = step.event.time if step.event else begun
            inside = [each for each in run.trace.events[begun + 1 : end + 1] if each.role == "derivative"]
            run.change(step, step.mistake, at=inside[-1] if inside else step.event)


def source_of(run: Pass, l: int, event: Event, mistake: str, begun: int, errors: list[Array]) -> Event:
    """The event to blame for a wrong delta, depending on its mistake; `event` itself for a right one. errors: dC/da."""
    if mistake in ("slope-half", "slope-of-another", "mask-inverted", "mask-one"):
        before = [each for each in run.trace.events[max(0, event.time - 8) : event.time + 1] if each.time > begun]
        called = [each for each in before if each.role == "activation" and each.callers[:1] == event.lines[:1]]
        inside = [each for each in before if each.role == "derivative"] or called  # nonlin(a, deriv=True)
        return inside[-1] if inside else delta_source(run, l, event, begun, errors)
    if mistake == "updated-weights":  # at an update that comes too early, if a later line also updates them
        start = run.layers[l + 1].weights
        moved = [each for each, _ in run.stores(start.value.shape, begun, run.end) if parameter_kind(each.name)]
        is_early = len({each.where.line for each in moved}) > 1 and moved[0].time < event.time
        return moved[0] if is_early else delta_source(run, l, event, begun, errors)
    if mistake in WRONG_ERRORS or (mistake == "error-before-slope" and run.layers[l].W.shape[1] > 1):
        wrong = run.a[-1] - run.targets
        wrong = WRONG_ERRORS[mistake](wrong) if mistake in WRONG_ERRORS else wrong @ run.layers[l + 1].W.T
        pairs = run.trace.arrays(run.n, wrong.shape[1], begun)
        made = first_multiple([each for each in pairs if each[0].time <= event.time and each[0].role != "loss"], wrong)
        return made[0] if made else delta_source(run, l, event, begun, errors)
    if mistake == "error-of-z":  # at the return of z instead of a
        same = [each for each, array in run.trace.arrays(run.n, run.z[l].shape[1], begun) if is_close(array, run.z[l])]
        handed = [each for each in same if each.where.is_store and each.where.source == each.where.text]
        handed = [each for each in handed if each.time < event.time and each.where.function != event.where.function]
        return handed[-1] if handed else delta_source(run, l, event, begun, errors)
    if mistake in ("targets-shifted", "targets-inverted"):
        return targets_source(run, wrong_targets(run.targets), delta_source(run, l, event, begun, errors))
    return delta_source(run, l, event, begun, errors, is_given=mistake == "slope-of-a") if mistake else event


def source_of_sign(run: Pass, event: Event, begun: int, is_plus: bool) -> Event:
    """The first event, up to `event`, with the outputs' error in the wrong sign: a - t if is_plus, else t - a."""
    a, wanted = run.a[-1], run.targets
    errors = [a - wanted, *([(a - wanted) / (a * (1 - a)), -wanted / a] if run.kinds[-1] in MULTI else [])]
    for pair in sorted(
        run.step_of(run.trace.arrays(run.n, a.shape[1], begun)), key=lambda pair: pair[0].role == "loss"
    ):
        if pair[0].time <= event.time:
            for each in errors:
                factor = factor_between(pair[1], each) if np.isfinite(each).all() else None
                if factor is not None and (factor > 0) == is_plus:
                    return pair[0]
    return event


def errors_before(run: Pass, l: int, deltas: list[Array | None]) -> list[Array]:
    """Possible dC/da of layer l: for the outputs one for each usual loss, else the one from the next layer's delta."""
    if l + 1 == len(run.layers):
        a, wanted = run.a[-1], run.targets
        error = a - wanted
        return [error, error / (a * (1 - a)), wanted / a] if run.kinds[-1] in MULTI else [error]
    behind = deltas[l + 1]
    return [] if behind is None else [behind @ run.layers[l + 1].W.T]


def wrong_targets(targets: Array) -> list[Array]:
    """What usual mistakes make of targets: shifted by a class either way, or with 0 and 1 swapped."""
    return [np.roll(targets, 1, axis=1), np.roll(targets, -1, axis=1), 1 - targets]


def output_forms(run: Pass, loss: str) -> tuple[list[Form], list[Form]]:
    """Two lists of (key, array) for delta of the outputs: the correct ones, key "=" and a loss; and the mistakes."""
    outputs, weighted, wanted, kind = run.a[-1], run.z[-1], run.targets, run.kinds[-1]
    error = outputs - wanted
    right: list[Form] = [("=cross_entropy", error)] if kind in MULTI else []
    right.append(("=quadratic", kind.back(error, weighted, outputs)))
    if kind is SIGMOID:
        right.append(("=categorical", -wanted * (1 - outputs)))
        right.append(("=quadratic", error * outputs * (1 - outputs)))
    wrong: list[Form] = []
    if kind is SOFTMAX:
        name = "softmax-diagonal" if loss == "quadratic" else "shortcut-slope"
        wrong.append((name, error * outputs * (1 - outputs)))
    if kind not in (*MULTI, IDENTITY):
        wrong.append(("no-slope", error))
    if kind is not IDENTITY:
        slope = kind.slope(weighted)
        wrong += [("error-of-z", each) for each in (weighted - wanted, (weighted - wanted) * slope)]
    for each in errors_before(run, len(run.layers) - 1, []):
        wrong += slope_forms(run, len(run.layers) - 1, each) if np.isfinite(each).all() else []
    for key, function in WRONG_ERRORS.items() if error.size > 1 else ():  # with one number, each would fit
        wrong += [(key, function(error)), (key, kind.back(function(error), weighted, outputs))]
    keys = ("targets-shifted", "targets-shifted", "targets-inverted", "targets-forgotten")
    for key, other in zip(keys, [*wrong_targets(wanted), 0 * wanted], strict=True):
        wrong += [(key, outputs - other), (key, kind.back(outputs - other, weighted, outputs))]
    column = outputs - wanted.argmax(axis=1)[:, None]
    wrong += [("targets-not-one-hot", each) for each in (column, kind.back(column, weighted, outputs))]
    return right, wrong


def hidden_forms(run: Pass, l: int, behind: Array | None) -> tuple[list[Form], list[Form]]:
    """Two lists of (key, array) for delta of a hidden layer: BP2 from the next delta (`behind`); and the mistakes."""
    if behind is None:
        return [], []
    kind, W, z, a = run.kinds[l], run.layers[l + 1].W, run.z[l], run.a[l]
    error = behind @ W.T
    right = [("", kind.back(error, z, a))]
    if kind.of_a is not None and kind is not SOFTMAX:
        right.append(("", error * kind.of_a(a)))  # from the program's own a, if its activation is wrong
    wrong: list[Form] = [("no-slope", error)] if kind is not IDENTITY else []
    wrong += list(slope_forms(run, l, error))
    if W.shape[0] == W.shape[1]:
        wrong.append(("not-transposed", kind.back(behind @ W, z, a)))
    for event, later in run.step_of(run.trace.like(run.layers[l + 1].weights.value.shape, run.time)):
        moved, is_kept = run.layers[l + 1].upright(later), event.where.is_store or event.where.is_load
        if is_kept and not is_close(moved, W) and np.linalg.norm(moved - W) < np.linalg.norm(W):
            wrong.append(("updated-weights", kind.back(behind @ moved.T, z, a)))
    if l + 2 == len(run.layers):
        bare = (run.a[-1] - run.targets) @ W.T
        wrong += [("error-before-slope", kind.back(bare, z, a)), ("error-before-slope", kind.back(-bare, z, a))]
    others = [(n, each) for n, each in enumerate(run.layers) if n != l + 1 and each.W.shape == W.shape]
    wrong += [("weights-of-layer", kind.back(behind @ each.W.T, z, a)) for _, each in others]
    if behind.shape == z.shape:
        wrong.append(("no-weights", kind.back(behind, z, a)))
    return right, wrong


def slope_forms(run: Pass, l: int, error: Array) -> Iterator[Form]:
    """The wrong deltas that the usual mistakes in sigma' make of an error (dC/da), as (mistake, array)."""
    kind, z, a = run.kinds[l], run.z[l], run.a[l]
    if kind is SOFTMAX:
        yield "softmax-minus", kind.back(-error, z, a)
        return
    yield "slope-twice", error * kind.slope(z) ** 2
    if kind.of_a is not None:
        yield "slope-of-a", error * kind.slope(a)
        yield "slope-fed-z", error * kind.of_a(z)
    if kind in (SIGMOID, TANH):
        halves: tuple[Array, ...] = (a, 1 - a, 1 + a) if kind is SIGMOID else (1 - a, 1 + a, a**2, 1 - z**2)
        halves += a * (1 + a) if kind is SIGMOID else 1 + a**2, a**2, (a - 1) * kind.value(a)
        yield from (("slope-half", error * each) for each in halves)
        yield "slope-half", error * kind.value(a)  # the function itself instead of its derivative
    if kind is RELU or "ReLU" in kind.name:
        yield "mask-of-error", error * (error > 0)
        yield "mask-of-error", error * (error < 0)
        yield "mask-inverted", error * (z <= 0)
        yield "slope-half", error * a
        yield "mask-one", error * np.where(z > 1, 1.0, 0.0)
    for other in (SIGMOID, TANH, RELU, leaky(0.01)):
        if other.name != kind.name:
            yield "slope-of-another", error * other.slope(z)
            if other.of_a is not None:
                yield "slope-of-another", error * other.of_a(a)


def find_delta(
    run: Pass, index: int, begun: int, forms: tuple[list[Form], list[Form]], loss: str
) -> tuple[Found, str, float] | None:
    """Find delta of a layer: ((event, array), mistake, factor); a right one has "" or "=" and a loss as its mistake."""
    pairs = run.step_of(run.trace.arrays(run.n, run.layers[index].W.shape[1], begun))
    pairs.sort(key=lambda pair: pair[0].role == "loss")
    used = [pair for pair in pairs if is_used(run, index, pair[1], begun)]
    right, wrong = forms
    loose = [pair for pair in pairs if pair[0].role != "loss" and not parameter_kind(pair[0].name)]
    loose = [pair for pair in loose if pair[1].size > 1 or is_gradient(pair[0].name, "errors")]
    for group in (used, loose):
        fitting = [(found, key) for key, array in right if (found := nearest_multiple(run, index, begun, group, array))]
        if fitting:  # if dC/dW comes from none of them, the last one
            found, key = fitting[0] if group is used else max(fitting, key=lambda pair: pair[0][0].time)
            later = [pair for pair in pairs if pair[0].time > found[0].time and pair[0].where.is_store]
            if key == "=cross_entropy" and loss == "quadratic" and (whole := first_multiple(later, right[-1][1])):
                return whole[:2], "=quadratic", whole[2]  # dC/dW should be computed from this one
            return found[:2], key, found[2]
        for key, array in wrong:
            if group is loose and key in ("no-slope", "error-before-slope", "targets-forgotten"):
                continue
            if found := nearest_multiple(run, index, begun, group, array):
                later = [pair for pair in pairs if pair[0].time > found[0].time or key == "no-slope"]
                later = [pair for pair in later if pair[0].where.is_store]
                unused = next((each for _, made in right if (each := first_multiple(later, made))), None)
                return (unused[:2], right[0][0], unused[2]) if unused and group is used else (found[:2], key, found[2])
        if group and group is used:
            return group[0], "off", 1.0
    named = [pair for pair in pairs if pair[0].where.is_store and is_gradient(pair[0].name, "errors")]
    return (named[-1], "off", 1.0) if named and right else None


def nearest_multiple(
    run: Pass, l: int, begun: int, pairs: list[Found], right: Array
) -> tuple[Event, Array, float] | None:
    """The first multiple of `right` from which dC/dW is computed, else the first one, as (event, array, factor)."""
    if (found := first_multiple(pairs, right)) is None:
        return None
    made = gradient_like(run, run.layers[l], run.inputs(l).T @ found[1], begun)
    if made is not None and abs(abs(made[2]) - 1) > 1e-6:
        for event, array in pairs:
            is_whole = factor_between(array, made[2] * found[1])
            if is_whole is not None and abs(is_whole - 1) < 1e-6 and (factor := factor_between(array, right)):
                is_one_by_one = found[0].rounds and found[0].value.ndim == 1  # computed and scaled number by number
                return found[0] if is_one_by_one else event, array, factor
    return found


def is_used(run: Pass, l: int, delta: Array, begun: int) -> bool:
    """Whether the program computes dC/dW from this delta."""
    if not delta.any() or not np.isfinite(delta).all():
        return False
    found = gradient_like(run, run.layers[l], run.inputs(l).T @ delta, begun)
    if delta.size > 1 or found is None:
        return found is not None
    return any(abs(abs(found[2]) - each) < 1e-6 for each in PLAIN)  # any number gives a multiple of the inputs


def gradient_like(run: Pass, layer: OwnLayer, right: Array, after: int) -> tuple[Event, Array, float] | None:
    """The first array shaped like W that is a multiple of `right`, as (event, array (fan_in, fan_out), factor)."""
    alike = run.step_of(run.trace.like(layer.weights.value.shape, after))
    found = first_multiple(alike, layer.upright(right))
    return found and (found[0], layer.upright(found[1]), found[2])


def find_weight_gradient(run: Pass, index: int, delta: Array, begun: int, since: int) -> Array | None:
    """Find and judge dC/dW of a layer; return it as (fan_in, fan_out), or None. since: the time of its delta."""
    layer, inputs = run.layers[index], run.inputs(index)
    right = inputs.T @ delta
    if found := gradient_like(run, layer, right, begun):
        if wrong := wrong_store(run, index, found[:2]):
            run.note("dW", index, *wrong)
            return found[1]
        (event, array), factor, share = with_penalty(run, layer, found, right)
        run.note("dW", index, event, "", factor=factor, penalty=share)
        return array
    shape = layer.weights.value.shape
    pairs = [(event, layer.upright(array)) for event, array in run.step_of(run.trace.like(shape, since))]
    forms: list[Form] = []
    if index and run.z[index - 1].shape == inputs.shape:
        forms.append(("z-for-a", run.z[index - 1].T @ delta))
    forms += [("of-another-layer", each.T @ delta) for each in (run.X, *run.a) if each is not inputs]
    forms += [("of-another-layer", inputs.T @ each) for each in run.delta or [] if each is not None]
    forms += [("error-for-delta", inputs.T @ each) for each in errors_before(run, index, run.delta)]
    made = run.step_of(run.trace.arrays(run.n, delta.shape[1], begun))
    forms += [("error-for-delta", inputs.T @ array) for event, array in made if event.where.is_store and array.any()]
    forms.append(("sum-before-product", np.outer(inputs.sum(axis=0), delta.sum(axis=0))))
    forms += [("one-sample", np.outer(inputs[sample], delta[sample])) for sample in (0, -1)]
    if right.shape[0] == right.shape[1]:
        forms.append(("weights-transposed", right.T))
    for key, array in forms:
        if min(array.shape) == 1 < min(right.shape):
            continue  # each row would be a multiple of one delta
        form = layer.upright(array).shape
        alike = [(event, layer.upright(each)) for event, each in run.step_of(run.trace.like(form, since))]
        if found_wrong := first_multiple(alike, array):
            stored = [number_in(each.name) for each in run.statement(found_wrong[0]) if each.where.is_store]
            is_turned = number_in(layer.weights.name) != number_in(run.layers[0].weights.name) in stored
            key = "loop-forward" if is_turned and key == "of-another-layer" and index + 1 == len(run.layers) else key
            run.note("dW", index, found_wrong[0], key, factor=found_wrong[2])
            return found_wrong[1] if array.shape == right.shape else None
    flipped = [(event, array) for event, array in run.trace.like(shape[::-1], since)]
    if shape[0] != shape[1] and (lying := first_multiple(flipped, layer.upright(right).T)):
        whole = [pair for pair in flipped if pair[0].where.is_store and factor_between(pair[1], lying[1])]
        if whole:
            run.note("dW", index, whole[0][0], "weights-transposed")
            return lying[1].T if layer.is_out_first else lying[1]
    number = number_in(layer.weights.name)
    named = [pair for pair in pairs if pair[0].where.is_store and is_gradient(pair[0].name, "weights")]
    named = [pair for pair in named if number_in(pair[0].name) in (None, number)]
    return take_gradient(run, "dW", index, named)


def take_gradient(run: Pass, quantity: str, l: int, named: list[Found]) -> Array | None:
    """Report the last array in `named`, arrays with the name of this gradient, as wrong; return it, None if none."""
    if not named:
        run.note(quantity, l, None, "?")
        return None
    event, array = named[-1]
    empty = "bias-forgotten" if quantity == "db" else "never-filled"
    run.note(quantity, l, event, "off" if array.any() else empty)
    return array


def with_penalty(
    run: Pass, layer: OwnLayer, found: tuple[Event, Array, float], right: Array
) -> tuple[Found, float, float]:
    """The stored dC/dW, its factor, and the share of W (or its sign) that a penalty adds; `found` and 0 without one."""
    own = list(run.statement(found[0]))
    names = {each.name for each in own if each.where.is_store and each.name}
    later = run.stores(layer.weights.value.shape, found[0].time, run.end)
    for event in [*own, *(each for each, _ in later if each.name in names)]:  # dW += strength * W
        if event.where.is_store and event.value.shape == layer.weights.value.shape and np.isfinite(event.value).all():
            whole = layer.upright(event.value)
            for penalty in (layer.W, np.sign(layer.W)):
                factor, share = shares_of(whole, right, penalty)
                is_update = abs(abs(share) - 1) < 0.5
                if not is_update and abs(factor) > 1e-9 and is_close(whole, factor * right + share * penalty, 2e-5):
                    return (event, whole), factor, share if abs(share) > 1e-7 else 0.0
    return found[:2], found[2], 0.0


def wrong_store(run: Pass, l: int, found: Found) -> tuple[Event, str] | None:
    """The event in which the statement of a right dC/dW stores its transpose or zeros, and the mistake; else None."""
    layer = run.layers[l]
    stored = next((each for each in run.statement(found[0]) if each.where.is_store), None)
    if stored is None or stored.value.size != found[1].size:
        return None
    shape = layer.weights.value.shape
    if stored.value.shape == shape[::-1] != shape and factor_between(stored.value, layer.upright(found[1]).T):
        return stored, "weights-transposed"
    return (stored, "never-filled") if not stored.value.any() and found[1].any() else None


def find_bias_gradient(run: Pass, index: int, delta: Array, begun: int, since: int) -> Array | None:
    """Find and judge dC/db of a layer; return it as (fan_out,), or None. since: the time of its delta."""
    layer = run.layers[index]
    if layer.biases is None:
        return None
    right = delta.sum(axis=0)
    pairs = run.step_of(run.trace.of_size(layer.b.size, begun))
    if run.n == 1 and (other := store_for_bias(run, index, right, begun)):
        run.note("db", index, other[0], "off")
        return other[1]
    alike = run.step("dW", index).values.get("factor", 1.0) if right.size == 1 else 1.0
    factors = [alike, 1 / run.n][: 1 + (right.size == 1)] if 1 in (run.n, right.size) else []  # others by chance
    equal = next(((*pair, each) for each in factors if (pair := first(pairs, each * right))), None)
    if found := equal or first_multiple(pairs, right):
        run.note("db", index, found[0], "", factor=found[2])
        return found[1]
    number = number_in(layer.biases.name)
    pairs = [pair for pair in pairs if pair[0].time > since and number_in(pair[0].name) in (None, number)]
    forms: list[Form] = [("one-sample", delta[-1]), ("one-sample", delta[0])]
    if index + 1 == len(run.layers):
        forms.append(("error-for-delta", (run.a[-1] - run.targets).sum(axis=0)))
    forms.append(("bias-from-weights", (run.inputs(index).T @ delta).sum(axis=0)))
    alike = [each for each in run.delta if each is not None and each.shape == delta.shape]
    forms += [("of-another-layer", each.sum(axis=0)) for each in alike]
    made = run.step_of(run.trace.arrays(run.n, delta.shape[1], begun))
    made = [] if right.size == 1 else made  # any number is a multiple of these
    forms += [("error-for-delta", array.sum(axis=0)) for event, array in made if event.where.is_store and array.any()]
    named = [pair for pair in pairs if is_gradient(pair[0].name)]
    for key, array in forms:
        group = named if key in ("of-another-layer", "error-for-delta") else pairs  # others may be correct
        if run.n > 1 and (wrong := first_multiple(group, array)):
            run.note("db", index, wrong[0], key)
            return wrong[1]
    return sum_over_other_axes(run, index, delta, since, pairs)


def store_for_bias(run: Pass, index: int, delta: Array, begun: int) -> Found | None:
    """The dC/db stored directly after delta of one sample, as (event, array), if it is not a multiple of delta."""
    pairs = run.trace.of_size(run.layers[index].b.size, begun)
    time = next((event.time for event, array in pairs if is_close(array, delta)), None)
    if time is None:
        return None
    for event, array in run.step_of(pairs):
        if time < event.time < time + 6 and event.where.is_store and "b" in event.name and is_gradient(event.name):
            return None if factor_between(array, delta) is not None else (event, array)
    return None


def sum_over_other_axes(run: Pass, index: int, delta: Array, begun: int, pairs: list[Found]) -> Array | None:
    """Find and report a wrong dC/db, such as a sum over all axes or over the wrong one; return the array, or None."""
    layer = run.layers[index]
    if layer.biases is None:
        return None
    total, size = abs(delta.sum()), np.abs(delta).sum()
    sums = total * np.array([1.0, 1 / run.n, 1 / delta.size, 1 / delta.shape[1]])
    is_clear = total > 1e-6 * size and run.n > 1  # else any 0 would match
    for event in [each for each in run.trace.events if begun < each.time < run.end and each.value.size == 1]:
        is_sum = (np.abs(abs(event.value.item()) - sums) < 1e-9 * size).any()
        if is_sum and (is_clear or is_gradient(event.name)):
            run.note("db", index, event, "bias-all-axes")
            return np.full(layer.b.size, event.value.item())
    wide = run.step_of(run.trace.of_size(run.n, begun))
    if run.n != layer.b.size > 1 and run.n > 1:
        across = first_multiple(wide, delta.sum(axis=1)) or next(
            iter(with_gradient_name(layer.biases.name, wide, delta)), None
        )
        if across:
            run.note("db", index, across[0], "bias-wrong-axis")
            return None
    named = with_gradient_name(layer.biases.name, pairs, delta)
    return take_gradient(run, "db", index, named)


def with_gradient_name(name: str, pairs: list[Found], delta: Array) -> list[Found]:
    """The stored arrays with the name of a bias gradient, but not of another layer; none if delta is 0."""
    number = number_in(name)
    pairs = [pair for pair in pairs if pair[0].where.is_store and is_gradient(pair[0].name)]
    return [pair for pair in pairs if number_in(pair[0].name) in (None, number)] if delta.any() else []
