"""Archives, arrays and pickles that would do harm to a careless reader."""

import io
import os
import pickle
import struct
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import sound_files as sound


class Explosive:
    """Its pickle runs a command when it is loaded. The command would leave a trace."""

    def __reduce__(self) -> Any:
        return os.system, ("echo exploded > exploded",)


def pickles() -> Iterator[tuple[str, bytes]]:
    """Code in what looks like data."""
    for protocol in (0, 2, 5):
        yield f"pickle of protocol {protocol}", pickle.dumps(Explosive(), protocol)
    yield "pickle, compressed", sound.zipped(pickle.dumps(Explosive()))
    objects = np.array([Explosive()], object)
    stream = io.BytesIO()
    np.save(stream, objects, allow_pickle=True)
    yield "npy of objects", stream.getvalue()
    yield "npz of objects", sound.npz(X=objects, y=np.zeros(1, np.int64))
    yield "npz with objects for targets", sound.npz(X=np.eye(1), y=objects)
    yield "npz with a record of objects", sound.npz(X=np.zeros(1, [("a", object)]), y=np.zeros(1))
    yield "PyTorch's archive", archive({"archive/data.pkl": pickle.dumps(Explosive()), "archive/version": b"3\n"})
    yield "npz that holds a pickle", archive({"X.npy": pickle.dumps(Explosive()), "y.npy": npy(np.zeros(1))})
    yield "Python source", b"import os\nos.system('echo exploded > exploded')\n"
    yield "shell script", b"#!/bin/sh\necho exploded > exploded\n"
    yield "HDF5", b"\x89HDF\r\n\x1a\n" + bytes(512)


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these members, of one fixed date."""
    return archive_of(list(members.items()), method)


def archive_of(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The same, where names may come twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file, warnings.catch_warnings(action="ignore", category=UserWarning):
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    """The bytes of an npy file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npy_of(header: str, data: bytes = bytes(64), version: int = 1) -> bytes:
    """An npy file whose header is any text."""
    raw = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(2 if version == 1 else 4, "little") + raw + data


def archives() -> Iterator[tuple[str, bytes]]:
    """Zip archives that lie, or that grow."""
    good, y = npy(np.eye(4)), npy(np.arange(4))
    yield "npz bomb", archive({"X.npy": npy(np.zeros((40_000, 1_000), np.uint8)), "y.npy": y})
    yield "npz bomb in the targets", archive({"X.npy": good, "y.npy": npy(np.zeros(20_000_000, np.int8))})
    yield "npz with a name twice", archive_of([("X.npy", good), ("X.npy", npy(np.zeros((4, 4)))), ("y.npy", y)])
    yield "npz with X and X.npy", archive_of([("X", b"no array"), ("X.npy", good), ("y.npy", y)])
    yield "npz without y", archive({"X.npy": good})
    yield "npz with a path that leads out", archive({"../X.npy": good, "../y.npy": y})
    whole = archive({"X.npy": good, "y.npy": y})
    yield "npz, cut off", whole[:-30]
    stored = archive({"X.npy": good, "y.npy": y}, zipfile.ZIP_STORED)
    yield "npz, damaged", stored.replace(np.float64(1.0).tobytes(), np.float64(2.0).tobytes(), 1)
    declared = whole.replace(struct.pack("<I", len(good)), struct.pack("<I", 2**31 - 1))
    yield "npz that declares 2 GiB", declared
    encrypted = bytearray(whole)
    encrypted[whole.index(b"PK\1\2") + 8] |= 1
    yield "npz that says that it is encrypted", bytes(encrypted)
    for what, header in npy_headers():
        yield f"npz whose header {what}", archive({"X.npy": npy_of(header), "y.npy": y})
    yield "npz of an unknown version", archive({"X.npy": npy_of("{}", version=9), "y.npy": y})
    yield "npz with many members", archive_of([(f"{k}.npy", b"") for k in range(5_000)], zipfile.ZIP_STORED)


def npy_headers() -> Iterator[tuple[str, str]]:
    """What no array's header should say."""
    says = "{{'descr': {}, 'fortran_order': False, 'shape': {}}}".format
    yield "has a huge shape", says("'<f8'", f"({2**62}, {2**62})")
    yield "has a shape that overflows to its size", says("'<f8'", f"({2**61}, 8)")
    yield "has a negative shape", says("'<f8'", "(-2, -4)")
    yield "holds objects", says("'|O'", "(8,)")
    yield "runs code", says("__import__('os').system('echo exploded > exploded')", "(8,)")
    yield "nests deeply", "(" * 9_000 + ")" * 9_000
    yield "negates 9,000 times", "-" * 9_000 + "1"
    yield "is long", says("'<f8'", "(8,)") + " " * 60_000
    yield "has a dtype that nests", says("[('a'," * 300 + "'<f8'" + ")]" * 300, "(8,)")
    yield "has Python 2's numbers", says("'<f8'", "(8L,)")
    yield "is a list", "[1, 2, 3]"
