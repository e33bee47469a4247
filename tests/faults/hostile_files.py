"""A corpus of hostile files, made anew each time, byte for byte the same; nothing does harm when it is made."""

import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sound_files as sound
from hostile_archives import Explosive, archive, archives, npy, npy_of, pickles
from hostile_pictures import pictures, with_policy
from sound_files import Json, forged, packed

MEGABYTE = 2**20


def lies_of_safetensors() -> Iterator[tuple[str, bytes]]:
    """Headers that say what is not so, each in a model file and in a checkpoint, with the right digest."""
    for what, content in (("model", sound.model()), ("checkpoint", sound.checkpoint())):
        name = next(iter(sound.unpacked(content)[0]))
        for lie, change in changes(name):
            yield f"{what}: {lie}", forged(content, change)
        header, _, data = sound.unpacked(content)
        yield f"{what}: bytes after the end", content + bytes(8)
        yield f"{what}: cut off", content[:-1]
        yield f"{what}: a length of 2^64 - 1", packed(content[8:], b"", 2**64 - 1)
        yield f"{what}: a key twice", content.replace(b'{"__metadata__"', b'{"__metadata__":{},"__metadata__"', 1)
        text = json.dumps({"__metadata__": {"deltarule": "[" * 100_000}} | header).encode()
        yield f"{what}: JSON nested 100,000 deep", packed(text, data)
    yield "model: NaN", sound.with_numbers(sound.model(), "layers.0.weight", np.nan)
    yield "model: infinity", sound.with_numbers(sound.model(), "layers.1.bias", -np.inf)
    yield "checkpoint: NaN for its step", sound.with_numbers(sound.checkpoint(), "step", np.nan)
    yield "safetensors header nested deeply", packed(b'{"a":' + b"[" * 100_000)
    yield "safetensors header of a million spaces", packed(b"{" + b" " * (MEGABYTE + 1) + b"}")
    yield "safetensors of a number of 5,000 digits", packed(b'{"a":' + b"9" * 5_000 + b"}")
    yield "safetensors without metadata", packed(b"{}")


def changes(name: str) -> Iterator[tuple[str, Callable[[Json, Json], Any]]]:
    """Lies about the first array, and in the description."""

    def entry(**fields: Any) -> Callable[[Json, Json], Any]:
        return lambda header, said: header[name].update(fields)

    def moved(first: int, last: int) -> Callable[[Json, Json], Any]:
        def change(header: Json, said: Json) -> None:
            start, stop = header[name]["data_offsets"]
            header[name]["data_offsets"] = [start + first, stop + last]

        return change

    yield "arrays that overlap", moved(4, 4)
    yield "a hole", moved(-4, -4)
    yield "an array that leads outside", moved(2**40, 2**40)
    yield "a huge shape", entry(shape=[2**53, 2**53])
    yield "a negative shape", entry(shape=[-1, -1])
    yield "a shape of a billion", entry(shape=[10**9])
    yield "10,000 dimensions", entry(shape=[1] * 10_000)
    yield "an unknown dtype", entry(dtype="O")
    yield "an array too many", lambda header, said: header.update(more=header[name])
    yield "an array too few", lambda header, said: header.pop(name)
    yield "a description of other fields", lambda header, said: said.update(os="system")
    yield (
        "a version to come",
        lambda header, said: said.update({key: 99 for key in ("format", "checkpoint") if key in said}),
    )

    def a_billion(header: Json, said: Json) -> None:
        said.get("required", said).update(
            {"identity": [10**9]} if "checkpoint" in said else {"layer_sizes": [2, 10**9, 2]}
        )

    yield "a record that is no object", lambda header, said: said.get("optional", said).update(record=[1])
    yield "a billion neurons", a_billion
    code = [{"name": "os.system"}] * 2
    yield "code for an activation", lambda header, said: said.get("required", said).update(activations=code)
    yield "a need that is unknown", lambda header, said: said.get("required", said).update(reading={})


def lies_of_idx() -> Iterator[tuple[str, bytes]]:
    """IDX files whose headers declare what does not follow."""
    for shape in ((2**32 - 1,) * 4, (2**32 - 1,), (0, 2**32 - 1, 2**32 - 1, 1), (3, 4, 5)):
        yield f"IDX that declares {' x '.join(map(str, shape))}", idx_declaring(shape)
    yield "IDX that declares 2 GB, compressed", sound.zipped(idx_declaring((2**31 - 100,)))
    yield "IDX bomb", bomb(idx_declaring((200, MEGABYTE), b""), bytes(MEGABYTE), 200)
    yield "IDX whose end is compressed, and lacks", sound.zipped(sound.idx((64, 64, 64)))[:-9]
    yield "IDX with a wrong checksum", sound.zipped(sound.idx())[:-8] + bytes(8)
    yield "IDX of two compressed parts", sound.zipped(sound.idx()) + sound.zipped(bytes(MEGABYTE))
    yield "IDX with more than it declares", sound.idx() + b"\0"
    yield "IDX of floats", b"\0\0\x0d\1\0\0\0\1" + bytes(4)
    yield "IDX of 255 dimensions", b"\0\0\x08\xff" + bytes(1020)
    yield "IDX of none", b"\0\0\x08\0"
    yield "IDX, little-endian", sound.idx((3, 4, 4))[:4] + struct.pack("<3I", 3, 4, 4) + bytes(48)
    yield "gzip in gzip", sound.zipped(sound.zipped(bytes(MEGABYTE)))


def idx_declaring(shape: tuple[int, ...], data: bytes = bytes(64)) -> bytes:
    """An IDX file with any data behind its header."""
    return b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def bomb(head: bytes, piece: bytes, times: int) -> bytes:
    """A gzip file of `head` and of many times the same piece, which is compressed once."""
    packer, crc = zlib.compressobj(9, wbits=-zlib.MAX_WBITS), zlib.crc32(head)
    start, block = (packer.compress(each) + packer.flush(zlib.Z_FULL_FLUSH) for each in (head, piece))
    for _ in range(times):
        crc = zlib.crc32(piece, crc)
    end = struct.pack("<2I", crc, len(head) + times * len(piece))
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + start + times * block + packer.flush() + end


def lies_of_text() -> Iterator[tuple[str, bytes]]:
    """CSV and TOML that are none."""
    rows = sound.csv()
    yield "empty", b""
    yield "one line break", b"\n"
    yield "CSV of another width in one line", rows + b"1,2,3\n"
    yield "CSV with a pixel of 256", rows + b"0,256,0,0,0\n"
    yield "CSV with a pixel of -1", rows + b"0,-1,0,0,0\n"
    yield "CSV with a formula", rows + b'=cmd|"/c calc"!A0,0,0,0,0\n'
    yield "CSV with NaN", b"label,a,b,c,d\n" + b"nan,nan,inf,-inf,1e999\n" * 4
    yield "CSV with a quote that does not end", rows + b'0,"' + b"a" * 200_000
    yield "CSV of one cell of a megabyte", b"9" * MEGABYTE
    yield "CSV of 20,000 columns of one name", b"a," * 20_000 + b"label\n" + b"1," * 20_000 + b"1\n"
    names = ",".join(map(str, range(20_000)))
    yield "CSV of 20,000 columns and no row", f"{names},label\n".encode()
    yield "CSV of 20,000 columns", f"{names},labels\n{names},1\n".encode()
    yield "CSV with NULs", rows.replace(b",", b"\0,")
    yield "CSV in UTF-16 without its mark", rows.decode().encode("utf-16-le")
    yield "CSV with bytes that are no UTF-8", rows.replace(b"255", b"\xff\xfe")
    yield "CSV with digits of other scripts", rows.replace(b"10", "१०".encode())
    yield "CSV with lone carriage returns", rows.replace(b"\n", b"\r") + b"1,2"
    yield "CSV of line breaks", b"\n" * MEGABYTE
    yield "CSV of commas", b"," * 50_000 + b"\n"
    yield "CSV with a column twice", b"label,label,a,b,c\n1,1,2,3,4\n"
    yield "CSV, compressed a thousandfold", bomb(b"label,a\n", b"1,1\n" * (MEGABYTE // 4), 64)
    yield "TOML nested deeply", b"a = " + b"[" * 100_000
    yield "TOML of keys nested deeply", b"a" + b".a" * 20_000 + b" = 1\n"
    yield "TOML with a number of 5,000 digits", b"a = " + b"9" * 5_000
    yield "TOML with a key twice", sound.recipe() + b"[about]\n"
    yield "TOML that asks for code", sound.recipe().replace(b'"adamw"', b'"os.system"') + b'[run]\ncommand = "id"\n'
    yield "entities that multiply", b'<!DOCTYPE a [<!ENTITY b "' + b"&c;" * 1_000 + b'">]><svg>&b;</svg>'


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Files that are two things at once, neither of them sound."""
    evil = archive({"data.pkl": pickle.dumps(Explosive())})
    yield "model and archive", sound.model() + evil
    yield "checkpoint and archive", sound.checkpoint() + evil
    yield "IDX and archive", sound.idx() + evil
    yield "CSV and archive", sound.csv() + evil
    yield "archive behind a pickle", pickle.dumps(Explosive()) + evil
    yield "GIF and script", b"GIF89a=1;" + b"/*" + bytes(100) + b"*/"
    yield "PDF and archive", b"%PDF-1.4\n" + evil


# What is wrong with pixels can be right in a table of numbers, and what is no number can be a text.
TABLES = {"table", "compressed table"}
PICTURES = {"data of pictures", "pictures of any size", "image", "image of any size", "picture", "digit", "any kind"}
SOUND_FOR = {
    "CSV in UTF-16 without its mark": TABLES | {"data of CSV", "pixels", "numbers"},
    "TIFF instead of a PNG": PICTURES,
    "CSV with a pixel of 256": TABLES | {"numbers"},
    "CSV with a pixel of -1": TABLES | {"numbers"},
    "CSV with a formula": {"numbers"},  # in the column that is passed over
    "CSV of 20,000 columns": {"numbers"},
    "CSV with bytes that are no UTF-8": TABLES,
    "CSV with digits of other scripts": TABLES | {"numbers"},
}

FAMILIES = (pickles, archives, lies_of_safetensors, lies_of_idx, lies_of_text, pictures, polyglots)


def corpus() -> Iterator[tuple[str, bytes]]:
    """Every hostile content, by name."""
    for family in FAMILIES:
        yield from family()


def special(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is no plain file: made in `folder`."""
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    yield "a pipe", folder / "pipe"
    targets = {"loop": "loop", "nothing": "missing", "folder": ".", "zeros": "/dev/zero", "full": "/dev/full"}
    targets |= {"waiting": "pipe", "passwords": "/etc/passwd", "memory": "/proc/self/mem"}
    for name, target in targets.items():
        (folder / f"to-{name}").symlink_to(target)
        yield f"a link to {target}", folder / f"to-{name}"


def warm_ups() -> Iterator[tuple[str, bytes]]:
    """One file of each family, and of each format that is refused late: to be read before anybody watches."""
    yield from with_policy()
    for family in FAMILIES:
        yield next(family())
    yield "npz of objects", sound.npz(X=np.array([1, "a"], object), y=np.zeros(2))
    yield "npz of Python 2", archive({"X.npy": npy_of("{'shape': (1L,)}"), "y.npy": npy(np.zeros(1))})
    yield "gzip", sound.zipped(sound.idx())[:-1]
    for kind in ("PNG", "JPEG", "WEBP", "BMP"):
        yield f"{kind}, cut off", sound.picture(kind)[:-300]
