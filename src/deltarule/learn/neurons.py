"""Networks whose weights are numbers with a name each: z, a, W and dC/dW as the arrays that these numbers make.

A sum of products such as  w1 * x[0] + w2 * x[1] + b1  is a neuron, and neurons with the same inputs are a layer.
"""

import ast
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
    """The names of its weights and of its bias, the texts of its inputs, and when its z was computed."""

    weights: tuple[str, ...]
    inputs: tuple[str, ...]
    bias: str
    z: Event

    @property
    def factors(self) -> list[tuple[str, str]]:
        """Each weight with its input."""
        return list(zip(self.weights, self.inputs, strict=True))


@cache
def sum_of_products(text: str) -> tuple[tuple[str, ...], tuple[str, ...], str] | None:
    """The weights, the inputs and the bias in a sum of products of a weight and an input; None for what is not one."""
    terms, weights, inputs, bias = [ast.parse(text, mode="eval").body], list[str](), list[str](), ""
    while terms:
        node = terms.pop()
        sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            terms += sides
            continue
        names = [ast.unparse(each) for each in sides]
        kinds = [parameter_kind(each) for each in names]
        if len(sides) == 2 and isinstance(node.op, ast.Mult) and kinds.count("weights") == 1:
            weights.insert(0, names[kinds.index("weights")])
            inputs.insert(0, names[1 - kinds.index("weights")])
        elif "biases" in kinds and not bias and names[1:] in ([], ["1"]):
            bias = names[0]
        else:
            return None
    return (tuple(weights), tuple(inputs), bias) if weights and len(weights) + len(bias) > 1 else None


def neurons_in(events: Sequence[Event]) -> list[list[Neuron]]:
    """The layers of neurons in the first step: their last z before a weight of theirs has another value."""
    found: dict[tuple[str, ...], Neuron] = {}
    numbers = [each for each in events if each.value.size == 1]
    known, moved = dict[str, float](), False
    for event in numbers:
        value = event.value.item()
        moved = moved or (bool(parameter_kind(event.name)) and known.setdefault(event.name, value) != value)
        form = sum_of_products(event.where.text) if "*" in event.where.text and not event.where.is_store else None
        if form and not moved:
            inner = [key for key in found if key == form[0][: len(key)] and found[key].z.where.line == event.where.line]
            for key in inner:
                del found[key]
            found[form[0]] = Neuron(*form, event)
    layers: dict[tuple[str, ...], list[Neuron]] = {}
    for each in found.values() if moved else ():
        layers.setdefault(each.inputs, []).append(each)
    return list(layers.values())


def with_named_numbers(events: Sequence[Event]) -> tuple[list[Event], list[InitialParameter]]:
    """The events with the arrays of such layers behind the numbers that they are made of, and the layers' parameters."""
    numbers, made, starts = [each for each in events if each.value.size == 1], list[Event](), list[InitialParameter]()
    alphas = [each.value.item() for each in numbers if argument_of(each.name.rpartition(".")[2]) == "alpha"]
    for neurons in neurons_in(events):
        z = [each.z for each in neurons]
        a = [next((each for each in numbers if is_output(each, own)), own) for own in z]
        before = {each.name or each.where.text: each for each in numbers if each.time < z[-1].time}
        later = [each for each in numbers if each.time > max(each.time for each in a)]
        names = [[*each.weights, *([each.bias] if each.bias else [])] for each in neurons]
        moves = [[move_of(later, before[name]) for name in each] for each in names]
        if not all(map(all, moves)):
            continue
        start = numbers_of([[before[name] for name in each] for each in names]).T
        ended = np.array([[event for event, _ in each] for each in moves]).T
        steps = np.array([[step for _, step in each] for each in moves]).T / (alphas[0] if alphas else 1.0)
        products = [before.get(f"{w} * {x}", before.get(f"{x} * {w}", z[0])) for w, x in neurons[0].factors]
        read = np.append(numbers_of(products) / start[: len(products), 0], 1.0)[: len(steps), None]
        delta = np.median(steps / read, axis=0)
        rates = (numbers_of(ended) - start) / steps
        last = max(event.time for event in ended.flat)
        made += [array_of(products[0], read[: len(products)].T, "x"), array_of(z[-1], numbers_of(z))]
        made += [array_of(a[-1], numbers_of(a)), array_of(ended[-1, -1], delta)]
        for kind, gradient, part in (
            ("weights", "dW", slice(len(products))),
            ("biases", "db", slice(len(products), None)),
        ):
            if start[part].size:
                name = ", ".join(each for row in names for each in row[part])
                starts.append(InitialParameter(name, kind, before[names[0][0]].where, start[part], start[part]))
                odd = ended[part].flat[np.abs(steps / read / delta - 1.0)[part].argmax()]
                made.append(replace(array_of(odd, steps[part], gradient), time=last))
                odd = ended[part].flat[np.abs(rates / np.median(rates) - 1.0)[part].argmax()]
                made.append(replace(array_of(odd, numbers_of(ended)[part], name), time=last))
    both = sorted([*events, *made], key=lambda each: each.time)
    return [replace(each, time=n) for n, each in enumerate(both)], starts


def numbers_of(events: Any) -> Array:
    """The numbers of events, in the same shape."""
    found = np.array(events)
    return np.array([each.value.item() for each in found.flat]).reshape(found.shape)


def array_of(event: Event, values: Any, name: str = "") -> Event:
    """Numbers as one array, at the time and the line of an event."""
    return replace(event, value=np.atleast_2d(values), name=name, where=replace(event.where, is_store=True))


def is_output(event: Event, z: Event) -> bool:
    """Whether a number is the first that is stored after z and is another one: a."""
    is_later = event.time > z.time and event.where.function == z.where.function
    return is_later and event.where.is_store and event.value.item() != z.value.item()


def move_of(later: Sequence[Event], start: Event) -> tuple[Event, float] | None:
    """Where a parameter gets another value, and what was subtracted from it or added there."""
    stores = (each for each in later if each.where.is_store and each.name == start.name)
    moved = next((each for each in stores if each.value.item() != start.value.item()), None)
    if moved is None:
        return None
    change = moved.value.item() - start.value.item()
    made = [each.value.item() for each in later if each.where.line == moved.where.line and each.time < moved.time]
    return moved, next((each for each in made[::-1] if np.isclose(abs(each), abs(change), 1e-9, 0.0)), -change)
