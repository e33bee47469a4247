"""Frames as the page reads them: what `playground/protocol.py` has written."""

import math
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np

from deltarule.errors import DataError
from deltarule.nn.arrays import Array
from deltarule.playground.protocol import ALIGNMENT, NUMBERS


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    dtype: Literal["float32", "float64", "int8", "uint8"]
    shape: tuple[Annotated[int, msgspec.Meta(ge=0, lt=2**32)], ...]


class Frame(NamedTuple):
    """What a frame says."""

    facts: dict[str, Any]
    arrays: dict[str, Array]


def read_frame(data: bytes) -> Frame:
    """What `frame` was given. DataError for anything else."""
    try:
        start = 4 + int.from_bytes(data[:4], "little")
        facts = msgspec.json.decode(data[4:start], type=dict[str, Any])
        arrays = {}
        for each in msgspec.convert(facts.pop("arrays"), list[_Listed]):
            start += -start % ALIGNMENT
            kind, shape = np.dtype(NUMBERS[each.dtype]), each.shape
            n_bytes = kind.itemsize * math.prod(shape)
            arrays[each.name] = np.frombuffer(data[start : start + n_bytes], kind).reshape(shape)
            start += n_bytes
    except (msgspec.DecodeError, KeyError, ValueError, RecursionError) as error:
        raise DataError(f"a binary frame was expected: {error}") from error
    return Frame(facts, arrays)
