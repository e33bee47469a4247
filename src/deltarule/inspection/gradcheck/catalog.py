"""The catalog of mistakes, mistakes.toml, by id; and classes for a program's arrays and what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deltarule.errors import read_tables
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss

ROWS: dict[str, dict[str, str]] = dict(read_tables("inspection/gradcheck/mistakes"))
TEXTS = ROWS.pop("texts")  # the right line of code for each array, and sigma' of each activation


@dataclass(frozen=True)
class Mistake:
    """A row of mistakes.toml: what is wrong, in one sentence, what to write instead, and the equation's id."""

    id: str
    equation: str
    says: str
    fix: str


@dataclass(frozen=True)
class Wrong:
    """A mistake in a program: an array that does not follow from the arrays before it.

    quantity: "loss", "z", "a", "delta", "dW" or "db". layers: all layers with the mistake. layer: the first of them
        to be computed, None for the loss. place: the layers in words, to begin a sentence with; "" for the loss.
    """

    quantity: str
    layer: int | None
    mistake: Mistake
    relative_error: float | None
    layers: tuple[int, ...] = ()
    place: str = ""

    def __str__(self) -> str:
        return self.place + self.mistake.says


@dataclass(frozen=True, eq=False)
class Observed:
    """The known arrays of a program: each list has an entry per layer, None if the array is unknown.

    z, a, delta: (n, fan_out). weights: dC/dW (fan_in, fan_out). biases: dC/db (fan_out,), or a number.
    """

    loss: float | None = None
    z: Sequence[Array | None] = ()
    a: Sequence[Array | None] = ()
    delta: Sequence[Array | None] = ()
    weights: Sequence[Array | None] = ()
    biases: Sequence[Array | None] = ()


@dataclass(frozen=True)
class Judgement:
    """The verdict on the arrays of a program. wrong: the mistakes in them, in the order of computation.

    notes: sentences on conventions, which are not mistakes.
    kind, factor: the program's gradient is that of the loss `kind`, None if unknown, times `factor`.
    """

    wrong: tuple[Wrong, ...] = ()
    notes: tuple[str, ...] = ()
    kind: Loss | None = None
    factor: float = 1.0


def mistake_of(key: str, **values: Any) -> Mistake:
    """The Mistake from row `key` of mistakes.toml, its texts filled in with `values`, which may name the equation."""
    row = ROWS[key]
    equation = row.get("equation", values.get("equation", ""))
    texts = (row[name].format(**values | {"equation": equation}) for name in ("says", "fix"))
    return Mistake(key, equation, *texts)
