"""The small batch with which a learner's program is checked, in each layout that programs take."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.learn.roles import argument_of
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

SIZES = (7, 5, 11, 3)
PRIMES = (17, 19, 23, 29, 31, 37, 41)
RATE = 0.1
STRENGTH = 0.05  # of a penalty
EPOCHS = 100  # of which only the first step is checked
COLUMN = "a column"  # used as a name, for targets cut from a table, (n,)


class TableArray(np.ndarray):
    """An array with a few attributes of pandas tables, which programs may read from their data."""

    iloc = loc = values = property(lambda self: self)

    def to_numpy(self, *given: object, **words: object) -> Array:
        """Return the array itself."""
        return self


@dataclass(frozen=True)
class SmallBatch:
    """A random batch. Each size is a different prime, unless the program fixes it, so that shapes identify arrays.

    sizes: neurons by layer. is_columns: samples are columns. labels: targets, "one_hot", "classes" (n,), "row" (1, n).
    """

    sizes: tuple[int, ...] = SIZES
    is_columns: bool = True
    labels: str = "one_hot"
    is_single: bool = False  # only one sample: a column (is_columns), or a vector

    @property
    def n(self) -> int:
        """The number of samples: 1 if is_single, else a prime that differs from all sizes of layers."""
        if self.is_single:
            return 1
        least = self.sizes[-1] if self.sizes[-1] <= 40 else 40
        return next(prime for prime in PRIMES if prime not in self.sizes and prime > least)

    @cached_property
    def X(self) -> Array:  # noqa: N802  # mathematics
        """The inputs, (n, features), random from 0 to 1."""
        return generator(0, "check data").uniform(0.0, 1.0, (self.n, self.sizes[0]))

    @cached_property
    def y(self) -> Array:
        """The class of each sample, (n,), in random order; not 0 for the first, whose target would not show."""
        labels = generator(0, "check labels").permutation(np.arange(self.n) % max(2, self.sizes[-1]))
        return np.roll(labels, -int(labels.argmax()) * (self.sizes[-1] > 1))

    @cached_property
    def t(self) -> Array:
        """The targets, (n, outputs): one-hot, or the class itself for a single output."""
        return self.y[:, None].astype(float) if self.sizes[-1] == 1 else np.eye(self.sizes[-1])[self.y]

    @property
    def given_inputs(self) -> Array:
        """A copy of X in the program's layout: samples as columns or rows, or one sample as a vector."""
        if self.is_single and not self.is_columns:
            return self.X[0].copy()
        return self.X.T.copy() if self.is_columns else self.X.copy()

    @property
    def given_y(self) -> Array:
        """A copy of the targets in the program's layout: one-hot or classes, samples as columns or rows."""
        if self.is_single and not self.is_columns:
            return self.t[0].copy() if self.labels == "one_hot" else self.y[0]
        if self.labels == "one_hot":
            return self.t.T.copy() if self.is_columns else self.t.copy()
        if self.labels == "row":
            return self.y[None].copy() if self.is_columns else self.y[:, None].copy()
        return self.y.copy()

    @property
    def pairs(self) -> Any:
        """A list of (x, t) by sample: columns, or a class as t. For labels "row" two lists: all x, and all t."""
        inputs, columns = ([row[:, None].copy() for row in each] for each in (self.X, self.t))
        if self.labels == "row":
            return inputs, columns
        return list(zip(inputs, columns if self.labels == "one_hot" else self.y.tolist(), strict=True))

    def open(self, text: str, path: Any, mode: str = "r", *given: Any, **words: Any) -> Any:
        """The replacement for `open` in a program with this text: for a missing file, a table of whole numbers."""
        if mode.strip("rt") or not re.search(r"\.(csv|txt|data?|tsv)$", str(path)) or Path(path).is_file():
            return open(path, mode, *given, **words)  # noqa: PTH123  # it may be a number
        cuts = re.search(r"split\(['\"](\W)['\"]|delimiter=['\"](.)", text)
        cut = next(filter(None, cuts.groups()), ",") if cuts else " " if "split()" in text else ","
        columns = [np.ceil(9 * self.X).astype(int), self.y]
        rows = np.column_stack(columns[::-1] if "[1:]" in text and "[:-1]" not in text else columns)
        return StringIO("".join(cut.join(map(str, row)) + "\n" for row in rows))

    def batches(self) -> list[tuple[Array, Array]]:
        """The (X, t) of a program: the whole batch, its first sample, or X / 255; t may be a column of classes."""
        kinds = [self.t] if self.labels == "one_hot" or self.sizes[-1] == 1 else [self.t, self.y[:, None].astype(float)]
        return [each for own in kinds for each in ((self.X, own), (self.X[:1], own[:1]), (self.X / 255.0, own))]

    def value(self, name: str, *, is_constructor: bool = False) -> tuple[bool, Any]:
        """Whether a value fits an argument of this name, and the value. is_constructor: of a constructor."""
        kind, hidden = argument_of(name), self.sizes[1:-1] or (5,)
        given: dict[str, Any] = {
            "alpha": RATE, "epochs": EPOCHS, "batch_size": self.n, "cost_flag": False, "seed": 1,
            "regularization": 0.0, "m": self.n, "X": self.given_inputs, "Y": self.given_y, "pairs": self.pairs,
            "test_pairs": [(row[:, None].copy(), label) for row, label in zip(self.X, self.y.tolist(), strict=True)],
            "y_flat": self.y.copy(), "sizes": list(self.sizes),
            "n_in": self.sizes[0], "n_out": self.sizes[-1],
        }  # fmt: skip
        if kind == "regularization" and re.search("reg|l2|lam|lmb|weight", name.casefold()):
            return True, STRENGTH
        if kind == "n_hidden" and name.casefold().endswith(("sizes", "dims")):
            return True, list(hidden)
        if kind == "n_hidden":
            digits = re.findall(r"\d", name)
            return True, hidden[max(0, int(digits[-1]) - 1) % len(hidden) if digits else 0]  # the second of h2
        if kind == "sizes" and "hidden" in name.casefold():
            return True, hidden[0]
        if kind == "y_flat" and self.labels != "classes":
            return True, self.given_y
        if kind == "X" and is_constructor and name.casefold().startswith(("n", "num")):
            return True, self.sizes[0]
        if name == COLUMN:
            return True, self.y.astype(float)
        value = given.get(kind)
        return kind in given, value.view(TableArray) if isinstance(value, np.ndarray) else value


def forms(examples: SmallBatch) -> list[SmallBatch]:
    """The same batch in every layout: samples as columns or rows, with each form of the targets."""
    labels = ("one_hot", "classes", "row") if examples.sizes[-1] > 1 else ("one_hot", "classes")
    return [replace(examples, is_columns=is_columns, labels=each) for each in labels for is_columns in (True, False)]


def single_forms(examples: SmallBatch) -> list[SmallBatch]:
    """A batch of one sample in three layouts: a vector, a column, and a vector with its class as the target."""
    one = replace(examples, is_single=True)
    return [replace(one, is_columns=False), one, replace(one, is_columns=False, labels="classes")]
