"""Check whether each array of a program (z, a, delta, dC/dW, dC/db) follows from its own earlier arrays.

Each array is compared with the program's own arrays before it, so that one mistake is found once. Arrays are recognized
by their values: delta is the array from which the program computes dC/dW = inputs^T delta, whatever its name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.learn.activations import (
    IDENTITY,
    KNOWN,
    MISTAKEN,
    RELU,
    SOFTMAX,
    UNFINISHED,
    Sigma,
    activation_for,
    factor_between,
    is_close,
    likeness,
    own,
)
from deltarule.learn.layers import OwnLayer, Trace
from deltarule.learn.recording import Event
from deltarule.nn.arrays import Array

Found = tuple[Event, Array]


@dataclass(frozen=True, eq=False)
class Step:
    """One array of the computation: what it is, where it was computed, and its mistake, if any.

    quantity: z, a, loss, delta, dW, db or update. layer: from 0. mistake: an id, "" where the array is right, "?" where
    it was not found. values: to fill in the sentence about the mistake. note: a convention of the program.
    """

    quantity: str
    layer: int
    event: Event | None = None
    mistake: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def is_found(self) -> bool:
        """Whether the array was found."""
        return self.mistake != "?"


@dataclass(eq=False)
class Pass:
    """What is known about one batch in a program: the layers, the arrays found so far, and the steps that judge them.

    X: (n, features). targets: (n, outputs), as the program uses them. call: calls the program's function in an event.
    whole: all samples and targets, if the batch is only the first sample. end: when later training steps begin.
    """

    trace: Trace
    layers: list[OwnLayer]
    X: Array
    targets: Array
    call: Callable[[Event, Array], Array | None]
    whole: tuple[Array, Array] | None = None
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)
    kinds: list[Sigma] = field(default_factory=list)
    delta: list[Array | None] = field(default_factory=list)
    gradients: list[tuple[Array | None, Array | None]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    time: int = -1
    end: int = 1 << 30
    has_second_step: bool = False

    def step_of(self, pairs: Sequence[Found]) -> list[Found]:
        """Keep only the pairs (event, array) of the first training steps: those before the time `end`."""
        return [pair for pair in pairs if pair[0].time < self.end]

    def statement(self, event: Event) -> Iterator[Event]:
        """An event and the events right after it on the same line: the other results and stores of its statement."""
        for each in self.trace.events[event.time : event.time + 14]:
            if each.time >= event.time and each.where.line == event.where.line:
                yield each

    def step(self, quantity: str, layer: int | None = None) -> Step:
        """The first step of a quantity, of one layer or any; without one, a new step whose array was not found."""
        found = (each for each in self.steps if each.quantity == quantity and layer in (None, each.layer))
        return next(found, Step(quantity, layer or 0, None, "?"))

    def stores(self, shape: tuple[int, ...], begun: int, end: int) -> list[Found]:
        """The arrays of one shape that are stored after `begun` and before `end`, as (event, array)."""
        pairs = self.trace.like(shape, begun)
        return [pair for pair in pairs if pair[0].where.is_store and pair[0].time < end]

    def change(self, step: Step, mistake: str, **values: Any) -> None:
        """Replace a step in `steps` by one with this mistake and these values for its sentence."""
        n = self.steps.index(step)
        self.steps[n] = replace(step, mistake=mistake, values=step.values | values)

    def mark(self, step: Step, mistake: str, **values: Any) -> None:
        """Do what `change` does, unless the step already has a mistake."""
        if not step.mistake:
            self.change(step, mistake, **values)

    @property
    def n(self) -> int:
        """The number of samples in the batch."""
        return len(self.X)

    def inputs(self, l: int) -> Array:
        """The inputs of layer l: X, or a of the layer before."""
        return self.X if l == 0 else self.a[l - 1]

    def value_of(self, event: Event, z: Array) -> Array:
        """Call the program's own function from an event with z; NaN in the shape of z if it cannot be called."""
        value = self.call(event, z)
        return np.full_like(z, np.nan) if value is None else value

    def note(self, quantity: str, layer: int, event: Event | None, mistake: str = "", **more: Any) -> None:
        """Add a step to `steps`. more: values for the sentence about its mistake; `note`: a convention."""
        text = more.pop("note", "")
        self.steps.append(Step(quantity, layer, event, mistake, more, text))


def first(pairs: Sequence[Found], right: Array) -> Found | None:
    """The first pair (event, array) whose array agrees with `right`, up to rounding; None if there is none."""
    is_right = likeness(right)
    return next((pair for pair in pairs if is_right(pair[1])), None)


def first_multiple(pairs: Sequence[Found], right: Array) -> tuple[Event, Array, float] | None:
    """The first array that is a multiple of `right`, as (event, array, factor); None if there is none."""
    size = float(np.linalg.norm(right))
    if not size or not np.isfinite(size):
        return None
    places = [int(np.abs(right).argmax()), 0, right.size // 2]
    few = [right.item(place) for place in places]
    for event, array in pairs:
        factor = array.item(places[0]) / few[0]
        allowed = 1e-4 * abs(factor) * size
        own = map(array.item, places)  # three numbers distinguish most
        is_like = all(abs(each - factor * number) <= allowed for each, number in zip(own, few, strict=True))
        if is_like and (whole := factor_between(array, right)) is not None:
            return event, array, whole
    return None


def last_of_line(pairs: Sequence[Found], found: Found) -> Found:
    """The last array that the line of `found` computes in the same call: `found` may be a part of an expression."""
    same = [pair for pair in pairs if 0 <= pair[0].time - found[0].time < 12]
    return [pair for pair in same if pair[0].lines == found[0].lines][-1]


MOST_OF_STEP = 1500  # arrays that one training step computes
LARGE = 15.0
NEAR = 30  # how many arrays of a layer's shape count as directly following


def walk_forward(run: Pass) -> bool:
    """Find and judge z and a of each layer, from the first one on; return False if z of a layer is not found."""
    for l, layer in enumerate(run.layers):
        if not find_z(run, l, layer):
            run.note("z", l, None, "?")
            return False
        find_a(run, l, layer) if len(run.a) == l else None
    first_z = run.step("z").event
    later = [each for each in run.trace.events if first_z and each.where is first_z.where and each.time > run.time]
    later = [each for each in later if first_z and each.value.ndim == first_z.value.ndim]  # not its single numbers
    seen = {view.tobytes() for z in run.z for view in (z, z.T)}  # in a second forward pass, too
    again = [each.time for each in later if each.value.tobytes() not in seen]  # with other weights
    run.has_second_step = len(again) > 1
    same = [each.time for each in later[3:4] if not again]  # steps in which nothing moves
    most = [each.time for each in run.trace.events if each.time > run.time and each.value.size > 1][MOST_OF_STEP:]
    run.end = again[1] if len(again) > 1 else next(iter([*same, *most]), run.end)
    return True


def find_z(run: Pass, index: int, layer: OwnLayer) -> bool:
    """Find and judge z of a layer among the program's arrays; return False if it is not found."""
    inputs, size = run.inputs(index), layer.W.shape[1]
    if inputs.shape[1] != layer.W.shape[0]:
        return False
    pairs, product = run.trace.arrays(run.n, size, run.time), inputs @ layer.W
    pairs = [pair for pair in pairs if not pair[0].where.is_load and "rand" not in pair[0].where.source]  # no weights
    right = product + layer.b
    if layer.biases is None:  # one number for all neurons of the layer
        shifts = [pair for pair in pairs if re.search(r"\+ [\w.]*bias|bias\w* \+", pair[0].where.source)]
        if found := next((pair for pair in shifts if is_close(pair[1] - product, np.mean(pair[1] - product))), None):
            return take_z(run, index, found, "")
    if found := first(pairs, right):
        return take_z(run, index, found, "")
    forms: list[tuple[str, Array]] = [("bias-subtracted", product - layer.b), ("bias-twice", right + layer.b)]
    if index and run.z[index - 1].shape[1] == layer.W.shape[0]:
        skipped = run.z[index - 1] @ layer.W + layer.b
        if (found := first(pairs, skipped)) and run.kinds[index - 1] is IDENTITY:
            return take_z(run, index, found, "")
        forms.append(("forward-skips-activation", skipped))
    if index and layer.W.shape[0] == run.X.shape[1]:
        forms.append(("forward-of-another-layer", run.X @ layer.W + layer.b))
    forms += [
        ("forward-of-another-layer", outputs @ layer.W + layer.b)
        for outputs in run.a[:-1]
        if outputs.shape[1] == len(layer.W)
    ]
    others = [each for each in run.layers if each is not layer and each.W.shape[1] == size and each.biases]
    forms += [("bias-of-another-layer", product + each.b) for each in others]
    if layer.W.shape[0] == size:
        forms.append(("forward-not-transposed", inputs @ layer.W.T + layer.b))
    for mistake, array in forms:
        if layer.biases is None and mistake.startswith("bias"):
            continue
        if found := first(pairs, array):
            return take_z(run, index, found, mistake)
    if found := first(pairs, product):
        whole = last_of_line(pairs, found)
        outer = (
            (pair, kind) for kind in KNOWN if layer.biases and (pair := first(pairs, kind.value(product) + layer.b))
        )
        if behind := next(outer, None):
            take_z(run, index, found, "")
            take_a(run, index, *behind, "bias-behind")
            return True
        if any(is_close(whole[1], each) for each in (product, *(kind.value(product) for kind in KNOWN))):
            return take_z(run, index, found, "no-bias" if layer.biases else "")
        return take_z(run, index, whole, "off")
    return False


def take_z(run: Pass, l: int, found: Found, mistake: str) -> bool:
    """Take an array as z of layer l, add a step with its mistake, and go on from there. Always True."""
    run.z.append(found[1])
    run.time = found[0].time
    run.note("z", l, found[0], mistake)
    return True


def find_a(run: Pass, index: int, layer: OwnLayer) -> None:
    """Find and judge a of a layer, and its activation; if there is none, take z as a."""
    weighted, is_last = run.z[index], index + 1 == len(run.layers)
    pairs = run.trace.arrays(run.n, weighted.shape[1], run.time)[: 4 * NEAR]
    if not is_last:  # arrays after the next layer's z belong to other steps
        following = run.layers[index + 1]
        products = [likeness(each @ following.W) for each in (*(pair[1] for pair in pairs[:NEAR]), weighted)]
        for event, array in run.trace.arrays(run.n, following.W.shape[1], run.time)[:NEAR]:
            if any(is_product(array) for is_product in products):
                pairs = [pair for pair in pairs if pair[0].time < event.time] or pairs
                break
    is_z, known = likeness(weighted), [likeness(kind.value(weighted)) for kind in KNOWN]
    is_mild = np.median(np.abs(weighted)) < LARGE  # for large z, many functions give only 0 and 1
    wrong_values = [(mistake, kind, function(weighted)) for mistake, kind, function in MISTAKEN if is_mild]
    mistaken = [(key, kind, likeness(value)) for key, kind, value in wrong_values if np.isfinite(value).all()]
    for event, array in pairs:
        if array.size == 1 and array.item() in (0, 1):
            continue  # any 0 would be the ReLU of any z below 0, any 1 the softmax of any z
        is_same = is_z(array)
        is_other = not is_same or re.search("relu|maximum|> 0", f"{event.where.text}{event.where.function}".casefold())
        kind = activation_for(weighted, array, known) if is_other else None
        is_slope = event.role == "derivative" or re.search("deriv|prime|slope", event.where.source)
        if (is_same and kind is not RELU) or (is_slope and not array.any()):
            continue  # what a function is given may look like any function of itself, and a mask of zeros like a ReLU
        if kind is not None:
            last = last_of_line(pairs, (event, array))
            is_whole = is_close(last[1], array)  # else it is a part of an expression
            turned = [each for each in mistaken if each[1] is kind and not is_whole and each[2](last[1])]
            return take_a(run, index, *((last, kind, turned[0][0]) if turned else ((event, array), kind, "")))
        wrong = [each for each in mistaken if array.any() and each[2](array)]
        if wrong and not (run.n == 1 and wrong[0][0] == "softmax-axis"):
            for later, value in pairs:  # a part of the right expression may look like a mistake
                is_same = later.where.line == event.where.line and later.time > event.time
                if is_same and (kind := activation_for(weighted, value, known)) is not None:
                    return take_a(run, index, (later, value), kind, "")
            return take_a(run, index, (event, array), wrong[0][1], wrong[0][0])
    for mistake, kind, function in UNFINISHED:
        if (
            not is_close(value := function(weighted), weighted)
            and (found := first(pairs, value))
            and last_of_line(pairs, found)[0] is found[0]
            and found[0].role in ("activation", "softmax")
        ):
            return take_a(run, index, found, kind, mistake)
    if take_own(run, index, pairs) or (is_last and take_shares(run, index, pairs)):
        return None
    run.a.append(weighted)
    run.kinds.append(IDENTITY)
    run.note("a", index, None, "", activation="identity")
    return None


def take_own(run: Pass, index: int, pairs: Sequence[Found]) -> bool:
    """Take as a the result of a function of the program's own for z; return False if there is none."""
    weighted = run.z[index]
    for event, array in pairs:
        value = run.call(event, weighted)
        is_own = value is not None and value.shape == weighted.shape and is_close(array, value)
        if not is_own or is_close(array, weighted):
            continue
        name = event.where.text.partition("(")[0].rpartition(".")[2]
        if "softmax" in name.casefold():
            before = [pair[0] for pair in pairs if pair[0].time < event.time]
            inside = [each for each in before if each.role in ("activation", "softmax")]
            take_a(run, index, ((inside or [event])[-1], array), SOFTMAX, "softmax-differs")
        else:
            take_a(run, index, (event, array), own(name, partial(run.value_of, event)), "")
        return True
    return False


def take_shares(run: Pass, l: int, pairs: Sequence[Found]) -> bool:
    """Take as a wrong softmax an array that sums to 1 in each sample, unless it is that of k z; False without one."""
    z = run.z[l] - run.z[l].mean(axis=1, keepdims=True)
    for event, array in pairs if z.shape[1] > 1 else ():
        is_made = "/" in event.where.source or event.role in ("activation", "softmax")
        logs = np.log(array) - np.log(array).mean(axis=1, keepdims=True)
        if is_made and (array > 0).all() and np.allclose(array.sum(axis=1), 1):
            if is_wrong := factor_between(logs, z) is None:
                take_a(run, l, (event, array), SOFTMAX, "softmax-differs")
            return is_wrong
    return False


def lack_activation(run: Pass, l: int, kind: str) -> None:
    """Mark layer l as lacking its activation `kind`, at the line that last stores z, or at z itself."""
    step, z = run.step("a", l), run.step("z", l).event
    if z is None:
        return
    pairs = run.trace.arrays(run.n, run.a[l].shape[1], z.time)
    alike = [event for event, array in pairs if event.time < z.time + NEAR and is_close(array, run.a[l])]
    alike = [each for each in alike if each.where.function == z.where.function and each.where.is_store]
    alike = [each for each in alike if each.where.line != z.where.line]
    run.change(step, "no-activation", own=kind, at=(alike or [z])[-1])


def take_a(run: Pass, l: int, found: Found, kind: Sigma, mistake: str) -> None:
    """Take an array as a of layer l with this activation, add a step with its mistake, and go on from there."""
    run.a.append(found[1])
    run.kinds.append(kind)
    run.time = found[0].time
    run.note("a", l, found[0], mistake, activation=kind.name)
