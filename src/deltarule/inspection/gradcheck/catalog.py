"""The catalog of mistakes: mistakes.toml, by id, and the results of a comparison of arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deltarule.errors import read_tables
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss

ROWS: dict[str, dict[str, str]] = dict(read_tables("inspection/gradcheck/mistakes"))
TEXTS = ROWS.pop("texts")  # the right line of each array, and sigma' of each activation


@dataclass(frozen=True)
class Mistake:
    """A row of mistakes.toml: what is wrong, in one sentence, what to write instead, and the equation's id."""

    id: str
    equation: str
    says: str
    fix: str


@dataclass(frozen=True)
class Wrong:
    """A mistake: the first array that does not follow from the arrays before it.

    quantity: "loss", "z", "a", "delta", "dW" or "db". layer: None for the loss. layers: all with the mistake.
    place: the layers, for the beginning of a sentence; "" for the loss.
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
    """The known arrays of a program: each list has an entry per layer, None if it is unknown.

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
    """What is wrong with the arrays of a program, the first one first; and notes.

    notes: conventions, which are not mistakes.
    kind, factor: the loss whose gradient was expected, None if unknown, and its factor.
    """

    wrong: tuple[Wrong, ...] = ()
    notes: tuple[str, ...] = ()
    kind: Loss | None = None
    factor: float = 1.0


def mistake_of(key: str, **values: Any) -> Mistake:
    """A row of mistakes.toml with these values, including `equation` if the row has none."""
    row = ROWS[key]
    equation = row.get("equation", values.get("equation", ""))
    texts = (row[name].format(**values | {"equation": equation}) for name in ("says", "fix"))
    return Mistake(key, equation, *texts)
