"""Randomness without shuffles: a program's random orders keep their order, so that arrays can be compared."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def calm_chance() -> Iterator[None]:
    """Shuffles keep the order, so that arrays can be compared; other draws stay random."""
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
    state, numbers = np.random.get_state(), random.getstate()  # noqa: NPY002  # the programs' own
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
    """A program's own generator, which keeps the order."""

    def shuffle(self, *values: Any, **words: Any) -> None:
        """Nothing."""

    def permutation(self, *values: Any, **words: Any) -> Any:
        """The values, unchanged."""
        return np.arange(values[0]) if np.ndim(values[0]) == 0 else np.array(values[0])


def calm_generator(seed: Any = None) -> np.random.Generator:
    """As `np.random.default_rng`."""
    return seed if isinstance(seed, np.random.Generator) else CalmGenerator(np.random.PCG64(seed))


class CalmState(np.random.RandomState):
    """The same of NumPy's older generators."""

    shuffle, permutation = CalmGenerator.shuffle, CalmGenerator.permutation


def first_of(values: Any, size: Any) -> Any:
    """The first values, as many as requested."""
    pool = np.arange(values) if np.ndim(values) == 0 else np.array(values)
    return pool[0] if size is None else pool[: int(np.prod(size))].reshape(size)
