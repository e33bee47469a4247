"""A context in which a program's shuffles and permutations keep the original order, so that arrays can be compared."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from deltarule.learn.namespace import Typed


@contextmanager
def calm_chance(*, takes_numbers: bool = False) -> Iterator[None]:
    """In a `with` block, shuffles keep the order and `randint` gives its minimum. takes_numbers: argv has numbers."""
    calm: dict[Any, dict[str, Any]] = {
        np.random: {
            "shuffle": lambda values: None,
            "permutation": lambda values: np.arange(values) if np.ndim(values) == 0 else np.array(values),
            "choice": lambda values, size=None, *_, **__: first_of(values, size),
            "randint": lambda low, high=None, size=None, **_: np.zeros(size or (), int) + (0 if high is None else low),
        },
        random: {
            "shuffle": lambda values, *_: None,
            "sample": lambda values, k: list(values)[:k],
            "randint": lambda low, high: low,
            "choice": lambda values: values[0],
        },
    }
    calm[np.random] |= {"RandomState": CalmState, "default_rng": calm_generator}
    calm |= {sys: {"argv": [*sys.argv[:1], *map(Typed, [0.3] * 9)]}} if takes_numbers else {}
    state, numbers = np.random.get_state(), random.getstate()  # noqa: NPY002  # programs draw from these
    old = {module: {name: getattr(module, name) for name in names} for module, names in calm.items()}
    try:
        for module, names in calm.items():
            vars(module).update(names)
        with np.errstate(all="ignore"):
            yield
    finally:
        for module, names in old.items():
            vars(module).update(names)
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(numbers)


class CalmGenerator(np.random.Generator):
    """A NumPy Generator whose `shuffle` and `permutation` keep the original order."""

    def shuffle(self, *values: Any, **words: Any) -> None:
        """Leave the values in their order."""

    def permutation(self, *values: Any, **words: Any) -> Any:
        """The values in their order, as a new array; for an integer n, 0 to n - 1."""
        return np.arange(values[0]) if np.ndim(values[0]) == 0 else np.array(values[0])


def calm_generator(seed: Any = None) -> np.random.Generator:
    """The replacement for `np.random.default_rng`: a CalmGenerator with this seed, or the generator that is passed."""
    return seed if isinstance(seed, np.random.Generator) else CalmGenerator(np.random.PCG64(seed))


class CalmState(np.random.RandomState):
    """A RandomState (NumPy's older generator) whose `shuffle` and `permutation` keep the original order."""

    shuffle, permutation = CalmGenerator.shuffle, CalmGenerator.permutation


def first_of(values: Any, size: Any) -> Any:
    """The replacement for `np.random.choice`: the first values, in the shape `size`; one value if `size` is None."""
    pool = np.arange(values) if np.ndim(values) == 0 else np.array(values)
    return pool[0] if size is None else pool[: int(np.prod(size))].reshape(size)
