"""Model files that are damaged or lie: each is refused with a ModelFileError that says why."""

import hashlib
import io
import json
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from deltarule.errors import ModelFileError
from deltarule.files.model_file import load, save
from deltarule.model import Model, Standardization
from deltarule.nn.activations import LeakyReLU
from deltarule.nn.network import Network

Json = dict[str, Any]
Refused = Callable[[bytes, str], None]


def canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def packed(header: bytes, data: bytes, length: int | None = None) -> bytes:
    return (len(header) if length is None else length).to_bytes(8, "little") + header + data


def unpacked(content: bytes) -> tuple[Json, Json, bytes]:
    """The header of a file, the description inside it, and the bytes of its arrays."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    return header, json.loads(header.pop("__metadata__")["deltarule"]), content[end:]


def changed(description: Json, change: Json) -> Json:
    """A description with other things in their places: at the top, among what is optional, or required."""
    description = json.loads(canonical(description))
    for name, value in change.items():
        places = [part for part in (description, description["optional"]) if name in part]
        (places or [description["required"]])[0][name] = value
    return description


def repacked(header: Json, description: Json, data: bytes) -> bytes:
    """A file whose digest is right, whatever else is wrong with it."""
    description = {name: value for name, value in description.items() if name != "digest"}
    order = [name for l in range(2) for name in (f"layers.{l}.weight", f"layers.{l}.bias")]
    order += [f"{side}.{what}" for side in ("input", "target") for what in ("mean", "scale")]
    places = [header[name]["data_offsets"] for name in order if name in header]
    arrays = b"".join(data[start:stop] for start, stop in places)
    digest = hashlib.sha256(canonical(description).encode() + arrays).hexdigest()
    metadata = {"deltarule": canonical({**description, "digest": digest})}
    return packed(canonical({"__metadata__": metadata, **header}).encode(), data)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    network = Network((2, 3, 2), hidden=LeakyReLU())
    path = tmp_path_factory.mktemp("good") / "model"
    save(Model(network, "classes", input_scaling=Standardization(np.zeros(2), np.ones(2))), path)
    return path.read_bytes()


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    def refuse(content: bytes, words: str) -> None:
        path = tmp_path / "model"
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=f"model was not loaded: .*{words}"):
            load(path)

    return refuse


def test_the_good_file_is_good(good: bytes, tmp_path: Path) -> None:
    """Or else every test below would pass for the wrong reason."""
    for content in (good, repacked(*unpacked(good))):
        (tmp_path / "model").write_bytes(content)
        assert load(tmp_path / "model").network.layer_sizes == (2, 3, 2)


def test_every_truncation(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(good)
    for length in reversed(range(len(good))):
        os.truncate(path, length)
        with pytest.raises(ModelFileError):
            load(path)


def test_every_flipped_bit(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(good)
    with path.open("r+b", buffering=0) as stream:
        for position in range(8 * len(good)):
            place, byte = position // 8, good[position // 8]
            stream.seek(place)
            stream.write(bytes([byte ^ 1 << position % 8]))
            with pytest.raises(ModelFileError):
                load(path)
            stream.seek(place)
            stream.write(bytes([byte]))
    assert path.read_bytes() == good


def test_bytes_at_the_end(good: bytes, refused: Refused) -> None:
    refused(good + b"\0", "bytes of arrays: got .*; copy the file again")
    refused(good + good, "bytes of arrays")


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("data.pkl", b"")
    return stream.getvalue()


def array(save_array: Callable[..., None]) -> bytes:
    stream = io.BytesIO()
    save_array(stream, np.ones(3))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "got an empty file"),
        (b"{", "got something else"),
        (archive(), "a zip archive"),
        (array(np.savez), "a zip archive"),
        (array(np.save), "a NumPy array"),
        (pickle.dumps({"weights": [1.0]}), "a pickle"),
        (b"<!DOCTYPE html><html></html>", "got something else"),
        (safetensors.numpy.save({"a": np.ones(3)}), "so other software made the file"),
        (safetensors.numpy.save({"a": np.ones(3)}, {"format": "pt"}), r"got \['format'\], so other software"),
        (safetensors.numpy.save({"a": np.ones(3)}, {"deltarule": "{}", "b": ""}), r"got \['b', 'deltarule'\]"),
        (packed(b"{}", b""), r"'deltarule': got \[\]"),
        (packed(b"{}", b"", 2**20 + 1), "at most 1,048,576 bytes, inside a file of 10: got one of 1,048,577"),
        (packed(b"{" + b" " * 2**20 + b"}", b""), "at most 1,048,576 bytes"),
        (packed(b"{}", b"", 2**64 - 1), "got one of 18,446,744,073,709,551,615"),
        (packed(b"{" + b'"a":[' * 250_000, b""), "at most 1,048,576 bytes"),
        (packed(b'{"a":' + b"[" * 50_000, b""), "recursion|Expecting value"),
        (packed(b'{"a":' + b"9" * 5_000 + b"}", b""), "integer string conversion"),
        (packed(b'{"__metadata__":5}', b""), "Expected `object`, got `int`"),
        (packed(b'{"__metadata__":{"deltarule":5}}', b""), "Expected `str`, got `int`"),
        (packed(b'{"a":"\xff"}', b""), "can't decode byte 0xff"),
        (packed('{"a":1}'.encode("utf-16-le"), b""), "Expecting property name"),
        (packed(b'{"__metadata__":{"deltarule":"[]"}}', b""), "Expected `object`, got `array`"),
        (packed(b'{"__metadata__":{"deltarule":"{}"}}', b""), "versions 1, 2 and 3 of the format: got version None"),
    ],
)
def test_files_that_are_no_models(content: bytes, words: str, refused: Refused) -> None:
    refused(content, words)


def two_of(name: str, **settings: Any) -> Json:
    return {"activations": [{"name": name, **settings}] * 2}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"format": 4},
            "reads versions 1, 2 and 3 of the format: got version 4; .*  pip install --upgrade deltarule-nn",
        ),
        ({"format": "1"}, "got version '1'"),
        ({"format": True}, "got version True"),
        ({"format": 1.0}, "got version 1.0"),
        ({"surprise": 1}, "this file needs 'surprise', which .* pip install --upgrade deltarule-nn"),
        ({"reading": {}, "doubt": 1, "members": []}, "this file needs 'doubt', 'members', 'reading', which"),
        ({"record2": 1, "Task": 1}, "this file needs 'Task', 'record2', which"),
        ({"required": []}, "Expected `object`, got `array`"),
        ({"required": {}}, "missing required field `layer_sizes`"),
        ({"optional": 1}, "Expected `object`, got `int`"),
        ({"pixels": 1}, "Expected `bool`, got `int`"),
        ({"pixels": None}, "Expected `bool`, got `null`"),
        ({"input_range": [0.0]}, "Expected `array` of length 2"),
        ({"input_range": [0.0, "1"]}, "Expected `float`, got `str`"),
        ({"input_range": 1.0}, "Expected `array . null`, got `float`"),
        ({"layer_sizes": [2, 4, 2]}, "'layers.0.bias' to be F32 of shape \\(4,\\): got F32 of shape \\(3,\\)"),
        ({"layer_sizes": [2, 3]}, "an activation for each of 1 layers: got 2"),
        ({"layer_sizes": [2, 3, 3, 2]}, "an activation for each of 3 layers: got 2"),
        ({"layer_sizes": [2]}, "Expected `array` of length >= 2"),
        ({"layer_sizes": [2, 0, 2]}, "Expected `int` >= 1"),
        ({"layer_sizes": [2, -3, 2]}, "Expected `int` >= 1"),
        ({"layer_sizes": [10**400, 3, 2]}, "."),
        ({"layer_sizes": [2, True, 2]}, "Expected `int`, got `bool`"),
        ({"layer_sizes": "232"}, "Expected `array`, got `str`"),
        ({"activations": []}, "an activation for each of 2 layers: got 0"),
        (two_of("softmx"), r"is called 'softmx': did you mean 'softmax'\? Known: elu"),
        (two_of("os.system"), "is called 'os.system': Known: elu"),
        (two_of("cross_entropy"), "no activation is called 'cross_entropy'"),
        (two_of("leaky_relu"), "expected every setting of the activation, {'name': 'leaky_relu', 'slope': 0.01}: got"),
        (two_of("relu", initializer=1), "activation relu has no setting 'initializer'"),
        (two_of("leaky_relu", slope="1"), "slope of LeakyReLU must be a number, finite: got '1'"),
        (two_of("relu", settings={}), "Expected `float | str`, got `object`"),
        ({"loss": {"name": "crossentropy"}}, "did you mean 'cross_entropy'"),
        ({"loss": {"name": "binary_cross_entropy"}}, "expected every setting of the loss"),
        ({"loss": {"name": "cross_entropy", "label_smoothing": 1.5}}, "label_smoothing of CrossEntropy must be"),
        ({"dropout": [1.0]}, "dropout must be at least 0 and less than 1"),
        ({"dropout": [0.1, 0.1]}, "dropout is one for all hidden layers"),
        ({"dtype": "float64"}, "'layers.0.bias' to be F64 .*: got F32"),
        ({"dtype": "float16"}, "Invalid enum value 'float16'"),
        ({"task": "magic"}, "Invalid enum value 'magic'"),
        ({"class_names": []}, "a name for each of its 2 outputs: got 0"),
        ({"class_names": ["a"]}, "a name for each of its 2 outputs: got 1"),
        ({"class_names": ["a", 1]}, "Expected `str`, got `int`"),
        ({"image_shape": [10**9, 10**9]}, "expected images of 2 pixels"),
        ({"image_shape": [2, 1, 1]}, "Expected `array` of length 2"),
        ({"columns": ["a", "b"]}, "Expected `object`, got `str`"),
        ({"input_scaling": False}, "'input.mean' to be absent: got F64"),
        ({"target_scaling": True}, "'target.mean' to be F64 .*: got none"),
        ({"record": []}, "Expected `object`, got `array`"),
    ],
    ids=lambda value: canonical(value)[:60] if isinstance(value, dict) else "",
)
def test_descriptions_that_lie(good: bytes, change: Json, words: str, refused: Refused) -> None:
    header, description, data = unpacked(good)
    refused(repacked(header, changed(description, change), data), words)


def test_words_at_the_top_that_nobody_knows(good: bytes, refused: Refused) -> None:
    header, description, data = unpacked(good)
    refused(repacked(header, {**description, "surprise": 1}, data), "unknown field `surprise`")
    for name in ("required", "optional"):
        less = {key: value for key, value in description.items() if key != name}
        refused(repacked(header, less, data), f"missing required field `{name}`")


@pytest.mark.parametrize(
    ("doubt", "words"),
    [
        (0.5, "Expected `object | null`, got `float`"),
        ({"weight": [0, 0, 0]}, "missing required field `bias`"),
        ({"weight": [0, 0, 0], "bias": 0, "more": 1}, "unknown field `more`"),
        ({"weight": [0, 0, 1e7], "bias": 0}, "Expected `float` <= 1000000.0"),
        ({"weight": [0, 0], "bias": 0}, "a weight for each unit of its last hidden layer: got layers"),
        ({"weight": [0, 0, 0], "bias": "0"}, "Expected `float`, got `str`"),
    ],
)
def test_doubt_that_lies_is_refused(good: bytes, doubt: Any, words: str, refused: Refused) -> None:
    header, description, data = unpacked(good)
    optional = {**description["optional"], "doubt": doubt}
    refused(repacked(header, {**description, "optional": optional}, data), words)


@pytest.mark.parametrize("more", [{"origin": {"kind": "idx"}}, {"later": 0.1, "members": [1, 2]}, {"ünbekannt": None}])
def test_what_is_optional_and_unknown_is_ignored(good: bytes, tmp_path: Path, more: Json) -> None:
    """The digest holds it all the same."""
    header, description, data = unpacked(good)
    path = tmp_path / "model"
    for optional in ({**description["optional"], **more}, more):
        path.write_bytes(repacked(header, {**description, "optional": optional}, data))
        model = load(path)
        assert (model.record, model.network.input_range) == ({}, None)
        save(model, path)
        assert path.read_bytes() == good
    path.write_bytes(repacked(header, {**description, "optional": more}, data).replace(b"digest", b"digets"))
    with pytest.raises(ModelFileError):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'{\\"digest', b'{ \\"digest', "canonical JSON"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"a\\":NaN}', "not JSON compliant"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"a\\":1e999}', "not JSON compliant"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"a\\":\\"\\\\ud800\\"}', "canonical JSON"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"b\\":1,\\"a\\":1}', "canonical JSON"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"a\\":1,\\"a\\":1}', "unique: got 'a' twice"),
        (b'\\"record\\":{}', b'\\"record\\":{\\"a\\":1}', "its digest .* belongs to: got another; copy the file again"),
        (b'\\"slope\\":0.01', b'\\"slope\\":0.02', "its digest"),
        (b'\\"digest\\"', b'\\"diges\\"', "unknown field `diges`"),
        (b'"layers.0.bias"', b'"layers.0.weight"', "unique: got 'layers.0.weight' twice"),
        (b'"layers.0.bias"', b'"layers.9.bias"', "'layers.0.bias' to be F32 .*: got none"),
        (b'{"__metadata__"', b'{"__metadata__":{},"__metadata__"', "unique: got '__metadata__' twice"),
        (b'"dtype":"F32","shape":[3]', b'"dtype":"F16","shape":[6]', "Invalid enum value 'F16'"),
        (b'"dtype":"F32","shape":[3]', b'"dtype":"F32","more":1,"shape":[3]', "unknown field `more`"),
        (b'"dtype":"F32","shape":[3]', b'"shape":[3]', "missing required field `dtype`"),
        (b'"shape":[2,3]', b'"shape":[3,2]', r"to be F32 of shape \(2, 3\): got F32 of shape \(3, 2\)"),
        (b'"shape":[2,3]', b'"shape":[9007199254740992,9007199254740992]', "expected 'layers.0.weight', F32"),
        (b'"shape":[2,3]', b'"shape":[-2,-3]', "Expected `int` >= 0"),
        (b'"shape":[2,3]', b'"shape":[6]', r"got F32 of shape \(6,\)"),
        (b'"shape":[2,3]', b'"shape":[2,3.5]', "Expected `int`, got `float`"),
    ],
)
def test_headers_that_were_edited(good: bytes, old: bytes, new: bytes, words: str, refused: Refused) -> None:
    length = int.from_bytes(good[:8], "little")
    header, data = good[8 : 8 + length], good[8 + length :]
    assert old in header
    refused(packed(header.replace(old, new, 1), data), words)


@pytest.mark.parametrize("name", ["input.mean", "layers.0.bias", "layers.1.weight"])
@pytest.mark.parametrize("shift", [(0, 4), (4, 0), (4, 4), (-4, -4), (-4, 0), (0, -4), (10**9, 10**9), (2**60, 2**60)])
def test_offsets_that_overlap_leave_holes_or_lead_outside(
    good: bytes, name: str, shift: tuple[int, int], refused: Refused
) -> None:
    header, description, data = unpacked(good)
    places = header[name]["data_offsets"]
    header[name]["data_offsets"] = [places[0] + shift[0], places[1] + shift[1]]
    refused(repacked(header, description, data), "at bytes|Expected `int` (<|>)=")


def test_an_array_too_many(good: bytes, refused: Refused) -> None:
    header, description, data = unpacked(good)
    header["surprise"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
    refused(repacked(header, description, data + bytes(4)), "'surprise' to be absent: got F32")
    header["surprise"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    refused(repacked(header, description, data), "'surprise' to be absent: got F32")


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("layers.1.bias", np.float32(np.nan), "expected finite numbers in 'layers.1.bias': got nan"),
        ("layers.0.weight", np.float32(-np.inf), "expected finite numbers in 'layers.0.weight': got -inf"),
        ("input.mean", np.float64(np.inf), "expected finite numbers in 'input.mean': got inf"),
        ("input.scale", np.float64(0.0), "expected numbers above 0 in 'input.scale': got 0.0"),
        ("input.scale", np.float64(-1.0), "expected numbers above 0 in 'input.scale': got -1.0"),
    ],
)
def test_numbers_that_are_none(good: bytes, name: str, number: Any, words: str, refused: Refused) -> None:
    header, description, data = unpacked(good)
    start = header[name]["data_offsets"][0]
    refused(repacked(header, description, data[:start] + number.tobytes() + data[start + number.nbytes :]), words)


def test_arrays_that_changed_places(good: bytes, refused: Refused) -> None:
    """Same names, shapes and bytes: only the digest knows."""
    header, _, data = unpacked(good)
    text = json.loads(good[8 : 8 + int.from_bytes(good[:8], "little")])["__metadata__"]
    header["input.mean"], header["input.scale"] = header["input.scale"], header["input.mean"]
    refused(packed(canonical({"__metadata__": text, **header}).encode(), data), "its digest")


def test_nothing_is_allocated_for_what_a_file_claims(good: bytes, refused: Refused) -> None:
    header, description, data = unpacked(good)
    description["required"]["layer_sizes"] = [2, 10**9, 2]
    for name, shape in (("layers.0.weight", [2, 10**9]), ("layers.0.bias", [10**9]), ("layers.1.weight", [10**9, 2])):
        header[name]["shape"] = shape
    content = repacked(header, description, data)
    tracemalloc.start()
    refused(content, "expected 'layers.0.bias', F32 of shape \\(1000000000,\\), at bytes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
