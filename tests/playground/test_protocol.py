"""Frames as Python writes them and the page reads them; orders."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from frames import read_frame

from deltarule.errors import DataError
from deltarule.playground.protocol import Start, frame, message, parse_order

STATIC = Path(__file__).parents[2] / "src" / "deltarule" / "playground" / "static"
FACTS = {"type": "frame", "step": 3, "name": "ünïcode", "loss": float("nan")}
ARRAYS = {
    "a": np.array([[1.5, -2.25], [0.0, 1e30]], np.float32),
    "bytes": np.array([-127, 0, 127], np.int8),
    "none": np.zeros((0, 4), np.float32),
    "d": np.array([0.1]),
    "pixels": np.arange(10, dtype=np.uint8).reshape(2, 5)[:, ::2],
}


def test_a_frame_is_read_back() -> None:
    facts, arrays = read_frame(frame(FACTS, ARRAYS))
    assert facts == FACTS | {"loss": None}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_the_page_reads_the_same(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here: install nodejs 20 or later to test the page's modules")
    (tmp_path / "frame").write_bytes(frame(FACTS, ARRAYS))
    program = tmp_path / "read.mjs"
    program.write_text(
        f"""import {{ readFileSync }} from "node:fs";
        import {{ readFrame }} from "{STATIC / "shared" / "server.js"}";
        const bytes = readFileSync("{tmp_path / "frame"}");
        const {{ arrays, ...facts }} = readFrame(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        const plain = ([name, {{ data, shape }}]) => [name, {{ data: [...data], shape, kind: data.constructor.name }}];
        console.log(JSON.stringify({{ facts, arrays: Object.fromEntries(Object.entries(arrays).map(plain)) }}));""",
        encoding="utf-8",
    )
    done = subprocess.run([node, program], capture_output=True, text=True, check=True)
    read = json.loads(done.stdout)
    assert read["facts"] == FACTS | {"loss": None}
    for name, array in ARRAYS.items():
        assert read["arrays"][name]["shape"] == list(array.shape)
        assert read["arrays"][name]["data"] == array.ravel().tolist()
        assert read["arrays"][name]["kind"].lower() == f"{array.dtype.name}array"


def framed(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(4, "little") + text + bytes(64)


@pytest.mark.parametrize("header", [None, 5, [], {"arrays": 5}, {"arrays": [5]}])
@pytest.mark.parametrize(
    "listed", [{}, {"shape": [-1]}, {"shape": [10**300]}, {"shape": 5}, {"dtype": "object"}, {"a": 1}]
)
def test_a_header_that_lies_is_refused(header: object, listed: dict[str, object]) -> None:
    sound = {"name": "a", "dtype": "float64", "shape": [2]}
    assert read_frame(framed({"arrays": [sound]})).arrays["a"].tolist() == [0.0, 0.0]
    for lie in (header, {"arrays": [sound | listed]} if listed else {}):
        with pytest.raises(DataError, match="a binary frame was expected"):
            read_frame(framed(lie))


@pytest.mark.parametrize("data", [b"", b"\x02\x00\x00\x00{}", frame({}, ARRAYS)[:-8], frame({}, ARRAYS)[8:]])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="a binary frame was expected"):
        read_frame(data)


def test_an_order_is_read() -> None:
    assert parse_order('{"type":"start","recipe":"quick","data":"digits","rate":0.5}') == Start("quick", "digits", 0.5)
    with pytest.raises(DataError, match=r"an order in JSON was expected: .* `\$\.rate`"):
        parse_order('{"type":"start","recipe":"quick","data":"digits","rate":0}')


def test_a_message_holds_no_nan() -> None:
    assert json.loads(message("end", loss=float("inf"), score=1.0)) == {"type": "end", "loss": None, "score": 1.0}
