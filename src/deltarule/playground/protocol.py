"""What the page and the server say to each other: strict JSON to the server, JSON and binary frames to the page.

A frame is the length of its header, four bytes, little-endian; the header, JSON; and the arrays that the header lists
under "arrays", row by row, little-endian. The header and every array end with zeros up to a multiple of eight bytes,
so that a typed array can be laid over each.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from deltarule.errors import DataError
from deltarule.nn.arrays import Array
from deltarule.settings import all_settings

MOST_MESSAGE_BYTES = 16 * 1024
ALIGNMENT = 8
NUMBERS = {"float32": "<f4", "float64": "<f8", "int8": "i1", "uint8": "u1"}

SMALLEST_RATE, LARGEST_RATE, MOST_EPOCHS = 1e-9, 1e9, 10_000  # of the page, within what `settings.toml` declares

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Start(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="start"):
    """Train a recipe on data, both by name. rate, epochs: in place of its own. paused: wait before the first step."""

    recipe: Name
    data: Name
    rate: Annotated[float, msgspec.Meta(gt=all_settings()["learning_rate"].low, le=LARGEST_RATE)] | None = None
    epochs: Annotated[int, msgspec.Meta(ge=1, le=MOST_EPOCHS)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=int(all_settings()["seed"].low), lt=2**32)] = 0
    paused: bool = False


class Instruction(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a run that has been started is to do: `Control.obey` says what each means."""

    type: Literal["more", "pause", "resume", "step", "stop"]


def parse_order(text: str) -> Start | Instruction:
    """The order in a message. DataError for anything else."""
    try:
        is_start = msgspec.json.decode(text, type=dict[str, Any]).get("type") == "start"
        return msgspec.json.decode(text, type=Start) if is_start else msgspec.json.decode(text, type=Instruction)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise DataError(f"an order in JSON was expected: {error}") from error


def message(kind: str, **facts: Any) -> str:
    """A message to the page: {"type": kind, ...}; a number that is not finite becomes null."""
    return msgspec.json.encode({"type": kind} | facts).decode()


def frame(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """A binary frame: facts that are JSON, and arrays of a dtype in NUMBERS, by name."""
    plain = {name: np.ascontiguousarray(array, NUMBERS[array.dtype.name]) for name, array in arrays.items()}
    listing = [{"name": name, "dtype": each.dtype.name, "shape": each.shape} for name, each in plain.items()]
    header = msgspec.json.encode({**facts, "arrays": listing})
    parts = [len(header).to_bytes(4, "little") + header, *(array.tobytes() for array in plain.values())]
    return b"".join(part + bytes(-len(part) % ALIGNMENT) for part in parts)
