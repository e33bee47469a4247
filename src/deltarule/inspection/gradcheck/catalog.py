"""The catalog of mistakes: mistakes.toml, by id, and what a comparison of arrays finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deltarule.errors import read_tables
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss

ROWS: dict[str, dict[str, str]] = dict(read_tables("inspection/gradcheck/mistakes"))
TEXTS = ROWS.pop("texts")  # the right line of each array, and what sigma' of each activation is


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in one sentence, and what to write instead.

    id: a key of mistakes.toml. equation: an id of nn/equations.
    """

    id: str
    equation: str
    says: str
    fix: str


@dataclass(frozen=True)
class Wrong:
    """The first line of a mistake: an array that does not follow from the arrays before it.

    quantity: "loss", "z", "a", "delta", "dW" or "db". layer: None for the loss. layers: where the same was found.
    place: the layers, as a sentence begins with them; "" for the loss.
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
    """What a program computed, as far as it is known: a list has an entry per layer, None where it is unknown.

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
    """What is wrong with the arrays of a program, the first one first; what else to know.

    notes: conventions, which are not mistakes.
    kind, factor: the loss beside which the gradient was judged, None for one unknown, and how many times it.
    """

    wrong: tuple[Wrong, ...] = ()
    notes: tuple[str, ...] = ()
    kind: Loss | None = None
    factor: float = 1.0


def mistake_of(key: str, **values: Any) -> Mistake:
    """A row of mistakes.toml with these values; `equation` among them where the row has none."""
    row = ROWS[key]
    equation = row.get("equation", values.get("equation", ""))
    texts = (row[name].format(**values | {"equation": equation}) for name in ("says", "fix"))
    return Mistake(key, equation, *texts)
