"""Join numbers that a program computes one by one: the results of an expression in all rounds of a loop are one array.

For example, a loop over neurons computes z, and an inner loop over their inputs updates W, number by number. The
recorded rounds of each number show its place in z or W, whether the program keeps it in a list, a dict or an object.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deltarule.learn.recording import Event
from deltarule.nn.arrays import Array

MOST_NUMBERS = 1000  # in the results of one round


def with_whole_arrays(events: Sequence[Event]) -> list[Event]:
    """The events, with one added for each array that one loop or two nested loops fill, after its last number."""
    parts: dict[tuple[int, int, int, int, tuple[int, ...]], dict[tuple[int, ...], Event]] = {}
    for event in events:
        if event.value.ndim > 1 or event.value.size > MOST_NUMBERS:
            continue
        rounds = event.rounds
        for n, (loop, at) in enumerate(rounds):
            key = n, loop, id(event.where), 1, event.value.shape
            parts.setdefault(key, {})[at,] = event  # the last of a round, if an inner loop adds up
            if event.value.ndim == 0 and n + 1 < len(rounds):
                parts.setdefault((*key[:3], 2, ()), {})[at, rounds[n + 1][1]] = event
    found = []
    for key, items in parts.items():
        array = array_of_numbers({place: each.value for place, each in items.items()})
        last = max(items.values(), key=lambda each: each.time)
        if array is not None and (array.size > 1 or last.where.is_store or "rand" in last.where.text):
            text = last.where.text
            name = (text.rpartition("[")[0] if text.endswith("]") else text) if last.where.is_store else ""
            found.append((last.time, key[3], replace(last, name=name, value=array, rounds=last.rounds[: key[0]])))
    if not found:
        return list(events)
    both = [*((each.time, 0, each) for each in events), *found]
    return [each.at(n) for n, (*_, each) in enumerate(sorted(both, key=lambda row: row[:2]))]


def array_of_numbers(items: dict[tuple[int, ...], Array]) -> Array | None:
    """Join numbers or rows, given by their indices in one loop or two, into one array; None if some are missing."""
    axes = [sorted({place[axis] for place in items}) for axis in range(len(next(iter(items))))]
    if np.prod([len(axis) for axis in axes]) != len(items):
        return None
    shape = (*(len(axis) for axis in axes), *next(iter(items.values())).shape)
    return np.array([items[place] for place in sorted(items)]).reshape(shape)
