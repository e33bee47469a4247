"""Named arrays and a text in one safetensors file, which is checked before memory is allocated for it.

The file: 8 bytes with the length N of the header (little-endian), N bytes of JSON, then the arrays' bytes. The text
of a model or a checkpoint is canonical JSON with a digest: one content has one text, and damage is detected.

The safetensors library writes it. Reading is our own: the library accepts headers of 100 MB and duplicate keys, and
creates the arrays before they can be checked; after the header is checked, `np.frombuffer` is enough.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import msgspec
import numpy as np
from safetensors.numpy import save

from deltarule.elsewhere import words
from deltarule.errors import FileError, ModelFileError, install_command, sentence
from deltarule.nn.arrays import Array

METADATA_KEY = "deltarule"
HEADER_LIMIT = 1024 * 1024  # most of it may be the columns of a wide table, with their categories

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # the most that every JSON reader reads exactly
Dtype = Literal["F32", "F64"]  # the names that safetensors gives them
DTYPES: dict[Dtype, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


class Slot(NamedTuple):
    """The dtype and shape of an array."""

    dtype: Dtype
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} of shape {self.shape}"

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """The header's entry of an array; the offsets count from the header's end."""

    dtype: Dtype
    shape: tuple[Count, ...]
    data_offsets: tuple[Count, Count]


def tensor_bytes(text: str, arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a file with `text` and `arrays` (float32 or float64): always the same for the same content."""
    # The library writes a strided array's memory as if it were contiguous; ascontiguousarray makes a scalar 1-D.
    contiguous = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    return save(contiguous, {METADATA_KEY: text})


def signed_file_bytes(content: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The bytes of a file with `content` as JSON, plus a digest, and `arrays`. Raises as `canonical_json` does."""
    return tensor_bytes(canonical_json({**content, "digest": digest_of(content, arrays.values())}), arrays)


@contextmanager
def open_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for reading; FileError if there is none, or it cannot be read."""
    target = Path(path)
    try:
        if target.is_dir():
            raise FileError(sentence("files.folder", path=path))
        if target.exists() and not target.is_file():  # opening a pipe would wait for its writer
            raise FileError(f"a model is a file: got {path}, which is a device or pipe; save what it gives to a file")
        with target.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise FileError(sentence("files.no_model", path=path)) from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} could not be read: {error.strerror or error}") from error


def read_header(stream: BinaryIO) -> tuple[str, dict[str, Slot]]:
    """Read the header: return its text, and the dtype and shape of each array whose bytes come next in `stream`.

    Raises ModelFileError, or another ValueError, unless the header is valid and describes the file to the last byte.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    start = stream.read(9)
    if start[8:] != b"{":
        magic = ((begins.encode("latin-1"), what) for begins, what in words()["magic"].items())
        found = next(what for begins, what in magic if start.startswith(begins))
        raise ModelFileError(f"expected a safetensors file: got {found if start else 'an empty file'}")
    length = int.from_bytes(start[:8], "little")
    if length > min(HEADER_LIMIT, size - 8):
        raise ModelFileError(sentence("files.header", most=HEADER_LIMIT, size=size, length=length))
    stream.seek(8)
    header = strict_json(stream.read(length).decode())
    metadata = msgspec.convert(header.pop("__metadata__", {}), dict[str, str])
    if metadata.keys() != {METADATA_KEY}:
        raise ModelFileError(sentence("files.metadata", name=METADATA_KEY, got=sorted(metadata)))
    slots, end = dict[str, Slot](), 0
    entries = msgspec.convert(header, dict[str, Entry])
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        slots[name] = slot = Slot(entry.dtype, entry.shape)
        place = (end, end + slot.n_bytes)
        if entry.data_offsets != place:
            raise ModelFileError(f"expected {name!r}, {slot}, at bytes {place}: got {entry.data_offsets}")
        end = place[1]
    if end != size - 8 - length:
        raise ModelFileError(f"expected {end:,} bytes of arrays: got {size - 8 - length:,}; copy the file again")
    return metadata[METADATA_KEY], slots


def read_tensors(stream: BinaryIO, slots: dict[str, Slot]) -> dict[str, Array]:
    """Read the arrays that follow a header, in the order of `slots`; they are read-only."""
    return {
        name: np.frombuffer(stream.read(slot.n_bytes), DTYPES[slot.dtype]).reshape(slot.shape)
        for name, slot in slots.items()
    }


class SignedFile:
    """An open file that `signed_file_bytes` made: `content` is its JSON without the digest; `read_arrays` gives arrays.

    key: the JSON key of the file's version. versions: those that can be read.

    Raises ModelFileError, or another ValueError, unless the file's JSON is canonical and of such a version.
    `read_arrays` raises it, too, unless the digest matches.
    """

    def __init__(self, stream: BinaryIO, key: str, versions: tuple[int, ...]) -> None:
        self.stream = stream
        text, self.slots = read_header(stream)
        self.content = content = msgspec.convert(strict_json(text), dict[str, Any])
        kinds = words()["formats"]
        other = next((each for each in kinds if each != key and each in content), None)
        if other is not None and key not in content:
            raise ModelFileError(f"expected {kinds[key][0]}: got {kinds[other][0]};  {kinds[other][1]}  takes it")
        if type(content.get(key)) is not int or content[key] not in versions:
            *older, latest = map(str, versions)
            ours = f"versions {', '.join(older)} and {latest}" if older else f"version {latest}"
            upgrade = install_command(option="--upgrade")
            raise ModelFileError(sentence("files.version", ours=ours, got=content.get(key), upgrade=upgrade))
        if canonical_json(content) != text:
            raise ModelFileError(sentence("files.canonical"))
        self.digest = content.pop("digest", None)

    def read_arrays(self, layout: dict[str, Slot]) -> dict[str, Array]:
        """Read the arrays, in the order of `layout`. ModelFileError, and no array, if any differs from `layout`."""
        for name in sorted(layout.keys() | self.slots.keys()):
            if (expected := layout.get(name)) != (got := self.slots.get(name)):
                raise ModelFileError(f"expected {name!r} to be {expected or 'absent'}: got {got or 'none'}")
        found = read_tensors(self.stream, self.slots)
        arrays = {name: found[name] for name in layout}
        if self.digest != digest_of(self.content, arrays.values()):
            raise ModelFileError(f"expected what its digest {self.digest} belongs to: got another; copy the file again")
        return arrays


def strict_json(text: str) -> Any:
    """Parse a JSON text; ModelFileError if an object in it has a key twice."""

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for name, value in pairs:
            if name in content:
                raise ModelFileError(f"every key in its JSON must be unique: got {name!r} twice")
            content[name] = value
        return content

    return json.loads(text, object_pairs_hook=without_duplicates)


def canonical_json(content: Any) -> str:
    """Write `content` as JSON, sorted keys, no spaces. ValueError, TypeError or RecursionError if JSON cannot."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(content: Mapping[str, Any], arrays: Iterable[Array]) -> str:
    """The SHA-256, in hexadecimal, of `content` as canonical JSON, followed by the arrays' bytes."""
    digest = hashlib.sha256(canonical_json(content).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
