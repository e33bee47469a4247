"""The ways to read the arrays of a run: as they are; output weights as a vector; biases as a part of the weights."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby, zip_longest

import numpy as np

from deltarule.learn.activations import is_close
from deltarule.learn.layers import OwnLayer, chains, views
from deltarule.learn.loops import with_whole_arrays
from deltarule.learn.neurons import with_named_numbers
from deltarule.learn.recording import Event, InitialParameter, RunRecorder, Where
from deltarule.learn.roles import argument_of, first_row, is_gradient, parameter_kind, plain
from deltarule.nn.arrays import Array

Reading = tuple[list[Event], list[InitialParameter]]
Parts = list[tuple[str, Callable[[Array], Array]]]  # of a parameter: the kind of each, how to cut it out
DRAWS = re.compile(r"rand|normal|uniform|zeros|ones\(|full\(|^\[+-?[\d.]+(\]+ \* | for )")
ERRORS = re.compile(r"(?i)(\w+\.)*_?(d_|delta|\w*err|grad|sum)")  # names of errors and sums
MOST_EVENTS, MOST_PAIRS, MOST_INPUTS = 1500, 6, 3


def readings(events: Sequence[Event], starts: Sequence[InitialParameter]) -> Iterator[Reading]:
    """The ways to read a run, each as (events, initial parameters), the likeliest first."""
    own, starts = with_whole_arrays(events), stack_vectors(starts)
    names = {each.name for each in starts}
    places = {(each.where.line, each.value.shape): each for each in starts}  # as they were drawn anew
    drawn = [(places.get((each.where.line, each.value.shape), each), each.kind) for each in parameters_by_draw(own)]
    added = {each.name for each, _ in drawn if any(f"+ {each.name}" in other.where.text for other in own)}
    others = [
        each if min(*each.value.shape, each.value.ndim) < 2 or each.name in added else replace(each, kind=kind)
        for each, kind in drawn
    ]
    if 0 < n_weights(starts) < n_weights(others):  # a layer's weights have a name that does not say so
        yield own, [*others, *(each for each in starts if each.name not in {other.name for other in others})]
    biases = [] if any(each.kind == "biases" for each in starts) else [each for each in others if each.kind == "biases"]
    if n_weights(starts) and biases:  # numbers, one for each neuron
        yield own, [*starts, *biases]
    if not n_weights(starts) and (of_numbers := with_named_numbers(events))[1]:
        yield of_numbers
    if any(each.kind == "weights" for each in starts):
        yield from ways(own, list(starts))
    if any(each.name not in names for each in others):
        yield from ways(own, others)
        rest = [each for each in others if each.kind == "biases" or each is not others[0]]  # without random inputs
        if n_weights(rest) > 1:
            yield from ways(own, rest)


def stack_vectors(starts: Sequence[InitialParameter]) -> list[InitialParameter]:
    """The initial parameters; the weights of neurons that follow each other, and keep a vector each, as a matrix."""
    found: list[InitialParameter] = []
    for _, group in groupby(starts, lambda each: (each.where, each.kind, each.value.shape)):
        own = list(group)
        is_vector = own[0].kind == "weights" and own[0].value.ndim == 1
        is_part = is_vector and sum(each.where is own[0].where for each in starts) > 1
        value, raw = (np.array([getattr(each, name) for each in own if is_part]) for name in ("value", "raw"))
        found += [replace(own[0], value=value, raw=raw)] if is_part else own
    return found


def n_weights(starts: Sequence[InitialParameter]) -> int:
    """The number of weight matrices among the initial parameters."""
    return sum(each.kind == "weights" and each.value.ndim == 2 for each in starts)


def ways(events: list[Event], starts: list[InitialParameter]) -> Iterator[Reading]:
    """The readings with parameters as they are, with vectors as columns or rows, and with biases cut from weights."""
    bases: list[Reading] = [(events, starts)]
    yield bases[0]
    widths = {size for each in starts if each.value.ndim == 2 for size in each.value.shape}
    if any(each.kind == "weights" and each.value.ndim == 1 and each.value.size in widths for each in starts):
        column: Parts = [("weights", lambda array: array[:, None])]
        row: Parts = [("weights", lambda array: array[None])]
        bases += [division(bases[0], 1, parts) for parts in (column, row)]
        yield from bases[1:]
    sizes = {size for each in starts if each.kind == "weights" for size in each.value.shape}
    if not any(each.kind == "biases" and each.value.size in sizes for each in starts):
        for base in bases:
            for axis in (0, 1):
                for place in (-1, 0):
                    cut = division(base, 2, split_of(axis, place))
                    if n_weights(cut[1]) == n_weights(base[1]):  # none of them is a single row of biases
                        yield cut


def parameters_by_draw(events: Sequence[Event]) -> list[InitialParameter]:
    """Parameters recognized by how they are created, whatever their names: random arrays, and zeros that are added."""
    found: list[InitialParameter] = []
    stored: dict[tuple[int, ...], list[Event]] = {}
    for event in (each for each in events if each.where.is_store):
        stored.setdefault(event.value.shape, []).append(event)
    sums = {name for text in {each.where.text for each in events} for name in re.findall(r"\+ ?(?:\w+\.)*(\w+)", text)}
    depths: dict[tuple[Where, int], int] = {}
    for event in events[:MOST_EVENTS]:
        key = event.where, event.value.ndim
        depths[key] = max(depths.get(key, 0), len(event.rounds))
    for event in events[:MOST_EVENTS]:
        text, value = event.where.text, event.value
        if event.where.is_store or not 0 < value.ndim < 3 or not DRAWS.search(text.casefold()):
            continue
        is_outer = len(event.rounds) < depths[event.where, value.ndim]  # it would join the last neurons of many layers
        if is_outer or not np.isfinite(value).all():
            continue
        alike = stored.get(value.shape, [])
        same = (each for each in alike if each.time > event.time)
        taken = {each.name for each in found if each.where.line != event.where.line}
        name = next((each.name for each in same if each.name not in taken and np.array_equal(each.value, value)), "")
        if (argument_of(name) in ("X", "Y", "y_flat") and not parameter_kind(name)) or ERRORS.match(name):
            continue
        bare, is_thin = re.split(r"[.\[]", name)[-1].strip("]'\""), value.size == max(value.shape)
        is_updated = name and sum(each.name == name for each in alike) > 1
        is_bias = is_thin and (bare in sums or parameter_kind(name) == "biases" or (is_updated and not value.any()))
        if not is_bias and (np.ptp(value) == 0 or (text.count("(") == 0 and "[" not in text)):
            continue
        while found and is_part(found[-1], event):
            found.pop()
        found.append(InitialParameter(name or text, "biases" if is_bias else "weights", event.where, value, value))
    return found


def is_part(start: InitialParameter, event: Event) -> bool:
    """Whether a parameter is a part of the expression that an event computes, or a row of its array."""
    same, inner, outer = start.where.line == event.where.line, start.where.text, event.where.text
    return same and inner in outer and (inner != outer or start.value.ndim < event.value.ndim)


def split_of(axis: int, place: int) -> Parts:
    """How to split weights that hold the biases in their first (place 0) or last (-1) row (axis 0) or column (1)."""
    rest = slice(1, None) if place == 0 else slice(None, -1)
    return [
        ("weights", lambda array: array[rest] if axis == 0 else array[:, rest]),
        ("biases", lambda array: array[place] if axis == 0 else array[:, place]),
    ]


def division(reading: Reading, ndim: int, parts: Parts) -> Reading:
    """A reading with weights of `ndim` dimensions replaced by `parts`, and events added for parts of such arrays."""
    events, starts = reading
    wanted = [each for each in starts if each.kind == "weights" and each.value.ndim == ndim]
    new_starts = [
        replace(each, kind=kind, value=part(each.value), raw=part(each.raw))
        for each in starts
        for kind, part in (parts if each in wanted else [(each.kind, np.asarray)])
        if part(each.value).size
    ]
    shapes, new_events = {each.value.shape for each in wanted}, list[Event]()
    for event in events:
        values = [part(event.value) for _, part in parts] if event.value.shape in shapes else []
        for value in (event.value, *(each for each in values if each.size)):
            new_events.append(event.at(len(new_events), value))
    return new_events, new_starts


def own_batches(reading: Reading) -> Iterator[tuple[Array, Array]]:
    """The batches (X, t) that a program itself may use: inputs from which it computed z, with possible targets."""
    arrays = [each for each in reading[0] if each.value.size > 1]
    first = [each for each in reading[0][:MOST_EVENTS] if each.value.size == 1]
    events = sorted([*arrays[:MOST_EVENTS], *first], key=lambda each: each.time)
    longest = dict[tuple[int, bool], list[OwnLayer]]()
    firsts = Firsts(events)
    for chain in chains(reading[1])[:6]:
        longest.setdefault((id(chain[0].weights), chain[0].is_out_first), chain)
    for row in zip_longest(*(batches_of(events, firsts, chain) for chain in longest.values())):
        yield from filter(None, row)  # alternate: one chain is read the wrong way round


def batches_of(events: Sequence[Event], firsts: "Firsts", chain: list[OwnLayer]) -> Iterator[tuple[Array, Array]]:
    """The batches (X, t) that a program itself may use with one chain of layers."""
    first, n_outputs, seen, n_found = chain[0], chain[-1].W.shape[1], set[bytes](), 0
    for event in (each for each in events if each.where.is_store or "[" in each.where.text):
        for X in inputs_in(event.value, first.W.shape[0]):
            is_possible = len(X) * first.W.shape[1] in firsts.tables  # else the product may need gigabytes
            if is_possible and n_found < MOST_INPUTS and (key := X.tobytes()) not in seen:
                seen.add(key)
                product = X @ first.W
                if firsts.has(product + first.b) or firsts.has(product):
                    n_found += 1
                    own = [X] if X.shape[1] == n_outputs else []  # of an autoencoder
                    yield from ((X, wanted) for wanted in [*own, *targets_for(events, len(X), n_outputs)])


class Firsts:
    """An index of recorded arrays by size and first number, to find an equal array fast."""

    def __init__(self, events: Sequence[Event]) -> None:
        by_size: dict[int, list[Event]] = {}
        for each in events:
            by_size.setdefault(each.value.size, []).append(each)
        self.tables = {
            size: (np.array([each.value.flat[0] for each in found]), found) for size, found in by_size.items()
        }

    def has(self, wanted: Array) -> bool:
        """Whether a program computed the array `wanted` or its transpose."""
        firsts, found = self.tables.get(wanted.size, (np.empty(0), []))
        near = np.flatnonzero(np.abs(firsts - wanted.flat[0]) <= 1e-5 * np.linalg.norm(wanted))
        return any(is_close(view, wanted) for n in near for view in views(found[n].value, *wanted.shape))


def inputs_in(value: Array, fan_in: int) -> Iterator[Array]:
    """Each way to read an array as inputs (n, fan_in); none for an array of zeros."""
    n_numbers = np.count_nonzero(value)  # a row of the weights is a product with a single number
    is_one = (value.size == 1 and value.flat[0] == 1) or n_numbers == 1 < fan_in - 1  # any array is a product with 1
    if value.size % fan_in == 0 and fan_in in value.shape and value.any() and value.dtype.kind == "f" and not is_one:
        yield from views(value, value.size // fan_in, fan_in)


def targets_for(events: Sequence[Event], n: int, n_outputs: int) -> list[Array]:
    """Possible targets (n, outputs): the arrays that are named like targets, or else arrays of 0 and 1."""
    found: dict[bytes, Array] = {}
    for is_named in (True, False):
        for event in events:
            name = event.name if event.where.is_store and not is_gradient(event.name, "errors") else ""  # not d_output
            if is_named == (first_row("arguments", plain(name)) in ("Y", "y_flat")):
                lying = [*views(event.value, n, n_outputs)]
                y = event.value.ravel()
                is_whole = y.max(initial=0) + 1 == n_outputs or n == 1
                if not lying and y.size == n and n_outputs > 1 and is_whole and np.isin(y, range(n_outputs)).all():
                    lying = [np.eye(n_outputs)[y.astype(int)]]
                lying = [each for each in lying if n_outputs == 1 or each.any()]
                is_output = argument_of(name) in ("Y", "n_out") and event.value.size > 1
                lying = [each for each in lying if is_named or is_output or np.isin(each, (0, 1)).all()]
                found |= {each.tobytes(): each for each in lying}
        if found:
            break
    return list(found.values())[:MOST_PAIRS]


def own_sizes(run: RunRecorder, n: int) -> list[tuple[int, ...]]:
    """The sizes of the layers in each longest chain of a program's weights, unless one is the batch size n."""
    starts = run.starts if n_weights(run.starts) else parameters_by_draw(run.events)
    found = chains(starts)
    if n_weights(starts) > 1 and len(found[0]) < 2:  # the weights may hold the biases
        cuts = (
            [replace(each, value=np.delete(each.value, 0, axis)) for each in starts if each.value.ndim == 2]
            for axis in (0, 1)
        )
        found = next((each for each in map(chains, cuts) if each and len(each[0]) > 1), [])
    longest = [layers for layers in found if len(layers) == len(found[0])]
    sizes = [(layers[0].W.shape[0], *(layer.W.shape[1] for layer in layers)) for layers in longest]
    return [each for each in sizes if n not in each and 1 not in each[:-1]]


@cache
def name_of_call(text: str) -> str:
    """The name of the function in a call with a single argument, f of "f(x)"; "" for other expressions."""
    node = ast.parse(text, mode="eval").body if text.endswith(")") else None
    is_plain = isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords
    return ast.unparse(node.func) if isinstance(node, ast.Call) and is_plain else ""
