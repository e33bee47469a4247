"""Networks whose weights are single numbers, each with a name: these are joined into the arrays z, a, W and dC/dW.

A sum of products such as  w1 * x[0] + w2 * x[1] + b1  is a neuron, and neurons with the same inputs are a layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from deltarule.learn.recording import Event, InitialParameter
from deltarule.learn.roles import argument_of, parameter_kind
from deltarule.nn.arrays import Array


@dataclass(frozen=True)
class Neuron:
    """A neuron of single numbers: the names of its weights and bias, the texts of its inputs, the event of its z."""

    weights: tuple[str, ...]
    inputs: tuple[str, ...]
    bias: str
    z: Event


@cache
def sum_of_products(text: str) -> tuple[tuple[str, ...], tuple[str, ...], str] | None:
    """The names of the weights, inputs and bias in a text such as "w1 * x1 + w2 * x2 + b1"; None for other texts."""
    weights, inputs, biases = list[str](), list[str](), list[str]()
    for term in text.split(" + "):
        names = [each for each in term.split(" * ") if each != "1"]
        kinds = [parameter_kind(each) for each in names]
        if len(names) == 2 and kinds.count("weights") == 1:
            weights.append(names[kinds.index("weights")])
            inputs.append(names[1 - kinds.index("weights")])
        elif kinds == ["biases"]:
            biases.append(names[0])
        else:
            return None
    is_neuron = weights and len(biases) < 2 <= len(weights) + len(biases)
    return (tuple(weights), tuple(inputs), "".join(biases)) if is_neuron else None


def neurons_in(events: Sequence[Event]) -> list[list[Neuron]]:
    """The layers of neurons in the first training step, each neuron with its last z before any parameter changes."""
    found: dict[tuple[str, ...], Neuron] = {}
    known, moved = dict[str, float](), False
    for event in (each for each in events if each.value.size == 1):
        value = event.value.item()
        moved = moved or (bool(parameter_kind(event.name)) and known.setdefault(event.name, value) != value)
        form = sum_of_products(event.where.text) if "*" in event.where.text and not event.where.is_store else None
        if form and not moved:
            parts = [key for key in found if key == form[0][: len(key)] and found[key].z.where.line == event.where.line]
            found = {key: each for key, each in found.items() if key not in parts} | {form[0]: Neuron(*form, event)}
    layers: dict[tuple[str, ...], list[Neuron]] = {}
    for each in found.values() if moved else ():
        layers.setdefault(each.inputs, []).append(each)
    return list(layers.values())


def with_named_numbers(events: Sequence[Event]) -> tuple[list[Event], list[InitialParameter]]:
    """The events, with added ones for the arrays that each layer's numbers make; and the layers' initial W and b."""
    numbers, made, starts = [each for each in events if each.value.size == 1], list[Event](), list[InitialParameter]()
    alphas = [each.value.item() for each in numbers if argument_of(each.name.rpartition(".")[2]) == "alpha"]
    for neurons in neurons_in(events):
        sums = [each.z for each in neurons]
        kept = [each for each in numbers if each.where.is_store and each.where.function == sums[-1].where.function]
        fired = [next((each for each in kept if each.time > own.time and each.value != own.value), own) for own in sums]
        before = {each.name or each.where.text: each for each in numbers if each.time < sums[-1].time}
        later = [each for each in numbers if each.time > max(each.time for each in fired)]
        names = np.array([[*each.weights, *([each.bias] if each.bias else [])] for each in neurons]).T
        moves = [[move for name in row if name in before and (move := move_of(later, before[name]))] for row in names]
        if any(len(row) < len(neurons) for row in moves):
            continue
        start = numbers_of([[before[name] for name in row] for row in names])
        ends = np.array([[event for event, _ in row] for row in moves])
        steps = np.array([[step for _, step in row] for row in moves]) / (alphas[0] if alphas else 1.0)
        factors = list(zip(neurons[0].weights, neurons[0].inputs, strict=True))
        products = [before.get(f"{one} * {two}", before.get(f"{two} * {one}", sums[0])) for one, two in factors]
        inputs = numbers_of(products) / start[: len(factors), 0]
        read = np.append(inputs, 1.0)[: len(steps), None]
        delta = np.median(steps / read, axis=0)
        rates = (numbers_of(ends) - start) / steps
        made += [array_of(products[0], inputs, "x"), array_of(sums[-1], numbers_of(sums))]
        made += [array_of(fired[-1], numbers_of(fired)), array_of(ends[-1, -1], delta)]
        gradient_parts, update_parts = steps / read / delta - 1.0, rates / np.median(rates) - 1.0
        for kind, gradient, rows in (("weights", "dW", slice(len(inputs))), ("biases", "db", slice(len(inputs), None))):
            if names[rows].size:
                name, where = ", ".join(names[rows].flat), before[names[rows][0, 0]].where
                starts.append(InitialParameter(name, kind, where, start[rows], start[rows]))
                odd, other = (ends[rows].flat[np.abs(each[rows]).argmax()] for each in (gradient_parts, update_parts))
                made.append(array_of(odd, steps[rows], gradient, ends))
                made.append(array_of(other, numbers_of(ends)[rows], name, ends))
    both = sorted([*events, *made], key=lambda each: each.time)
    return [each.at(place) for place, each in enumerate(both)], starts


def numbers_of(events: Any) -> Array:
    """The numbers in an array or nested list of events, as an array of the same shape."""
    found = np.array(events)
    return np.array([each.value.item() for each in found.flat]).reshape(found.shape)


def array_of(event: Event, values: Array, name: str = "", parts: Any = ()) -> Event:
    """An event with `values` as its array, on the line of `event`, at its time or that of the last of `parts`."""
    time = max((each.time for each in np.array(parts).flat), default=event.time)
    return replace(event, time=time, value=np.atleast_2d(values), name=name, where=replace(event.where, is_store=True))


def move_of(later: Sequence[Event], start: Event) -> tuple[Event, float] | None:
    """The event in which a parameter first changes, and the number subtracted or added; None if it never changes."""
    stores = (each for each in later if each.where.is_store and each.name == start.name)
    moved = next((each for each in stores if each.value.item() != start.value.item()), None)
    if moved is None:
        return None
    change = moved.value.item() - start.value.item()
    made = [each.value.item() for each in later if each.where.line == moved.where.line and each.time < moved.time]
    return moved, next((each for each in made[::-1] if np.isclose(abs(each), abs(change), 1e-9, 0.0)), -change)
