"""Mutations of sound content, for fuzzing: bytes turned over, put in, taken out and doubled; fields made into others.

What has a digest or a checksum is given the right one again, or else nothing behind it would ever be tried.
"""

import copy
import json
import random
import resource
import struct
import time
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sound_files as sound
import tomli_w

from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import read_picture
from deltarule.data.readers.idx import read_idx
from deltarule.data.readers.pixel_rows import read_pixel_rows
from deltarule.data.readers.tables import read_table, read_table_rows
from deltarule.data.reading import How
from deltarule.errors import DeltaruleError
from deltarule.files.checkpoint import read_checkpoint
from deltarule.files.model_file import load
from deltarule.playground.playground import parse_order
from deltarule.recipes.schema import parse

MOST_BYTES = 256 * 2**20  # beyond what the process has already
MOST_SECONDS = 2.0  # of processor time: that of a machine with other work is slow

Words = random.Random
STRANGE = (
    None, True, 0, -1, 1, 2, 3, 2**31, 2**63, 10**30, -0.0, 0.5, 1e308, 1e-320, float("nan"), float("inf"), "", "a",
    "\0", "\ud800", "é" * 300, "__class__", "os.system", "relu", "F32", "x" * 3000, [], {}, [[]], [1, 2], [0, -1],
    [2**40, 2**41], {"name": "relu"}, {"a": {}}, ["a", "a"], [{"x": 1}],
)  # fmt: skip
BYTES = (
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\0" * 9,
    b"9" * 40,
    b",",
    b"\n",
    b'"',
    b"{",
    b"[" * 99,
)


def strange(rng: Words) -> Any:
    """A value that few expect."""
    return copy.deepcopy(rng.choice(STRANGE))


def edited(content: bytes, rng: Words) -> bytes:
    """Content after one to four edits of its bytes."""
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(content))
        stop = min(len(content), place + rng.choice((1, 1, 2, 4, 8, 30)))
        piece = content[place:stop]
        new = rng.choice(
            (
                bytes(byte ^ 1 << rng.randrange(8) for byte in piece),
                b"",
                piece * 2,
                piece + rng.choice(BYTES),
                rng.choice(BYTES),
                rng.randbytes(len(piece)),
                content[: rng.randint(0, 200)],
            )
        )
        content = content[:place] + new + content[stop:]
    return content if rng.random() < 0.9 else content[: rng.randint(0, len(content))]


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested dicts and lists."""
    pairs = list(tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ())
    return [(tree, key) for key, _ in pairs] + [place for _, value in pairs for place in places(value)]


def changed(tree: Any, rng: Words) -> None:
    """Make one to three fields of a tree into something else, take them out, or add others."""
    for _ in range(rng.randint(1, 3)):
        found = places(tree)
        if not found:
            return
        container, key = rng.choice(found)
        kind = rng.random()
        if kind < 0.7:
            container[key] = near(container[key], rng) if rng.random() < 0.5 else strange(rng)
        elif kind < 0.85:
            del container[key]
        elif isinstance(container, dict):
            container[rng.choice(("name", "more", "record", "", key))] = strange(rng)
        else:
            container.append(container[key])


def near(value: Any, rng: Words) -> Any:
    """Something like a value."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return rng.choice((value + 1, value - 1, -value, value * 2, float(value), str(value)))
    if isinstance(value, str):
        return rng.choice((value + "x", value[:-1], value.upper(), [value]))
    return rng.choice((list(value), {"a": value}, [value, value]))


def forged(content: bytes, rng: Words) -> bytes:
    """A model file or checkpoint with other fields and, where there can be one, a digest that is right."""

    def change(header: Any, description: Any) -> None:
        changed(rng.choice((header, description, description)), rng)

    return sound.forged(content, change)


def in_either_way(make: Callable[[], bytes], other: Callable[[bytes, Words], bytes]) -> Callable[[Words], bytes]:
    """Half of them edited byte by byte, half in another way."""
    return lambda rng: (edited if rng.random() < 0.5 else other)(make(), rng)


def retold(text: bytes, rng: Words) -> bytes:
    """A recipe with other fields."""
    tree = tomllib.loads(text.decode())
    changed(tree, rng)
    try:
        return tomli_w.dumps(tree).encode()
    except (TypeError, ValueError):
        return edited(text, rng)


def with_cells(text: bytes, rng: Words) -> bytes:
    """A CSV with other cells."""
    lines = [line.split(b",") for line in text.split(b"\n")]
    for _ in range(rng.randint(1, 3)):
        cells = rng.choice(lines)
        cell = str(strange(rng)).encode(errors="replace")
        cells[rng.randrange(len(cells))] = rng.choice(
            (cell, b'"', b"1e5", b" 7", b"0x1", b"1_0", b"NA", b"-", b";", b"\t")
        )
    return b"\n".join(b",".join(cells) for cells in lines)


def checksummed(content: bytes, rng: Words) -> bytes:
    """A PNG whose chunks were edited, and have the right lengths and checksums again."""
    if not content.startswith(b"\x89PNG"):
        return edited(content, rng)
    parts, place = [content[:8]], 8
    while place + 8 <= len(content):
        length = struct.unpack(">I", content[place : place + 4])[0]
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if rng.random() < 0.4:
            data = edited(data, rng)
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
        place += length + 12
    return b"".join(parts)


def picture(rng: Words) -> bytes:
    """A picture of a kind that is read."""
    content = sound.picture(rng.choice(("PNG", "JPEG", "WEBP", "BMP")), rng.randint(1, 8))
    return (edited if rng.random() < 0.5 else checksummed)(content, rng)


ORDERS = (
    {"type": "start", "recipe": "quick", "data": "digits", "rate": 0.1, "epochs": 3, "seed": 7, "paused": True},
    {"type": "more"}, {"type": "step"}, {"type": "stop"},
)  # fmt: skip


def order(rng: Words) -> bytes:
    """A message from the page."""
    tree = json.loads(json.dumps(rng.choice(ORDERS)))
    changed(tree, rng)
    text = json.dumps(tree).encode()
    return edited(text, rng) if rng.random() < 0.5 else text


def of_file(*readers: Callable[[Path], Any]) -> Callable[[bytes, Path], None]:
    """Readers of files, each given the content in one; what one refuses, the next is given all the same."""

    def read(content: bytes, folder: Path) -> None:
        path = folder / "mutated"
        path.write_bytes(content)
        refusals = []
        for reader in readers:
            try:
                reader(path)
            except DeltaruleError as error:
                refusals.append(error)
        if len(refusals) == len(readers):
            raise refusals[-1]

    return read


@dataclass(frozen=True)
class Target:
    """What is fuzzed: content, mutated by a random generator, and what reads it."""

    mutated: Callable[[Words], bytes]
    read: Callable[[bytes, Path], None]


def tables() -> tuple[Callable[[Path], Any], ...]:
    """The readers of CSV, a DataFrame's included."""
    return (
        lambda path: read_pixel_rows(path, How()),
        lambda path: read_table_rows(path, How(columns=(), target="label")),
        lambda path: read_table(path, "label", announce=len),
        lambda path: read_table(path, "label", missing="mean", announce=len),
    )


TARGETS = {
    "model file": Target(in_either_way(sound.model, forged), of_file(load)),
    "checkpoint": Target(in_either_way(sound.checkpoint, forged), of_file(read_checkpoint)),
    "IDX": Target(in_either_way(sound.idx, lambda content, rng: sound.zipped(edited(content, rng))), of_file(read_idx)),
    "CSV": Target(lambda rng: in_either_way(rng.choice((sound.csv, sound.table)), with_cells)(rng), of_file(*tables())),
    "recipe": Target(
        in_either_way(sound.recipe, retold), lambda content, _: parse(content.decode(errors="replace"), "mutated")
    ),
    "picture": Target(picture, lambda content, _: ink_image(read_picture(content))),
    "order of the page": Target(order, lambda content, _: parse_order(content.decode(errors="surrogateescape"))),
}


SOUND: dict[str, Callable[[], bytes]] = {
    "model file": sound.model,
    "checkpoint": sound.checkpoint,
    "IDX": sound.idx,
    "CSV": sound.table,
    "recipe": sound.recipe,
    "picture": sound.picture,
    "order of the page": lambda: json.dumps(ORDERS[0]).encode(),
}


def harm_of(target: str, content: bytes, folder: Path) -> str:
    """What reading some content did that it should not; "" where it was read, or refused with an error of ours."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_BYTES, before[1]))
    began = time.process_time()
    try:
        TARGETS[target].read(content, folder)
    except DeltaruleError:
        pass
    except Exception as error:  # whatever it is: it is what fuzzing looks for
        return f"{type(error).__name__}: {error!s:.200}"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    seconds = time.process_time() - began
    return "" if seconds < MOST_SECONDS else f"{seconds:.1f} s"
