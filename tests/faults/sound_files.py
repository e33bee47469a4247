"""A sound file of every kind that is read: where hostile ones and mutations start from."""

import gzip
import io
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from damage import small_checkpoint, small_model
from idx_files import idx_header
from PIL import Image

from deltarule.files.tensor_file import DTYPES, canonical_json, digest_of

Json = dict[str, Any]


@cache
def model() -> bytes:
    """A model of two layers."""
    return small_model()


@cache
def checkpoint() -> bytes:
    """A checkpoint with everything that one can hold."""
    return small_checkpoint()


def idx(shape: tuple[int, ...] = (3, 4, 4)) -> bytes:
    """An IDX file of unsigned bytes."""
    return idx_header(shape) + np.arange(np.prod(shape)).astype(np.uint8).tobytes()


def npz(**arrays: Any) -> bytes:
    """An npz of inputs X and targets y, or of other arrays."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **(arrays or {"X": np.eye(4), "y": np.arange(4)}))
    return stream.getvalue()


def layers() -> bytes:
    """An npz of the arrays of a network, as a learner saves them."""
    return npz(W1=np.eye(4), b1=np.zeros(4), W2=np.ones((4, 2)), b2=np.zeros(2))


def csv() -> bytes:
    """Four images of 2x2 pixels with their labels."""
    return b"label,a,b,c,d\n1,0,10,200,255\n0,3,4,5,6\n1,9,8,7,6\n0,255,254,1,2\n"


def table() -> bytes:
    """Numbers, texts, a missing cell and quotes."""
    return b'size,color,label\n1.5,red,0\n2.5,"dark, blue",1\n,green,0\n-3e2,red,1\n'


def picture(kind: str = "PNG", orientation: int = 1, side: int = 28, **settings: Any) -> bytes:
    """A stroke on paper, unlike itself in every orientation."""
    pixels = np.full((side, side * 3 // 4), 230, np.uint8)
    pixels[side // 6 : side * 5 // 6, side // 4 : side // 4 + max(2, side // 12)] = 20
    pixels[side // 6 : side // 4, side // 4 : side // 2] = 20
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    extras = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}
    Image.fromarray(pixels).save(stream, kind, **extras, **settings)
    return stream.getvalue()


def recipe() -> bytes:
    """A recipe that says all that one can say."""
    return b"""[about]
name = "small"
says = "a small one"
[data]
name = "digits"
split = { kind = "stratified", test = 300 }
scaling = "standardized"
[network]
hidden = [16, 8]
activation = ["relu", { name = "leaky_relu", slope = 0.1 }]
initializer = { weights = "he_normal", weights_factor = 0.5 }
dropout = [0.1, 0.2]
[training]
schedule = { name = "one_cycle", rate = 0.01 }
optimizer = { name = "adamw", weight_decay = 0.01 }
epochs = 3
batch_size = "full"
average = 0.99
augment = { rotation = 8.0 }
"""


# safetensors, taken apart and put together


def packed(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file of a header, whose length may be a lie, and the bytes of arrays."""
    return (len(header) if length is None else length).to_bytes(8, "little") + header + data


def unpacked(content: bytes) -> tuple[Json, Json, bytes]:
    """The header of a file of ours, the description inside it, and the bytes of its arrays."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    return header, json.loads(header.pop("__metadata__")["deltarule"]), content[end:]


def digested(header: Json, description: Json, data: bytes) -> str:
    """The description with the digest that a reader will compute, where the header tells of arrays at all."""
    description = {name: value for name, value in description.items() if name != "digest"}
    if "checkpoint" in description:
        names = sorted(header)
    else:
        layers = [name for l in range(9) for name in (f"layers.{l}.weight", f"layers.{l}.bias")]
        names = [name for name in layers if name in header]
    arrays = []
    for name in names:
        start, stop = header[name]["data_offsets"]
        arrays.append(np.frombuffer(data[start:stop], np.uint8))
    return canonical_json(description | {"digest": digest_of(description, arrays)})


def forged(content: bytes, change: Callable[[Json, Json], Any] = lambda header, said: None, data: bytes = b"") -> bytes:
    """A file of ours whose header and description were changed, and whose digest is right again, where it can be."""
    header, description, arrays = unpacked(content)
    arrays = data or arrays
    change(header, description)
    try:
        text = digested(header, description, arrays)
    except (KeyError, TypeError, ValueError, RecursionError):
        text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    whole = {"__metadata__": {"deltarule": text}} | header
    return packed(json.dumps(whole, separators=(",", ":")).encode(), arrays)


def with_numbers(content: bytes, name: str, number: float) -> bytes:
    """A file of ours, the first number of one of its arrays changed, and its digest right again."""
    header, _, data = unpacked(content)
    start = header[name]["data_offsets"][0]
    raw = np.array([number], DTYPES[header[name]["dtype"]]).tobytes()
    return forged(content, data=data[:start] + raw + data[start + len(raw) :])


def zipped(content: bytes) -> bytes:
    """The same, compressed with gzip."""
    return gzip.compress(content, mtime=0)
