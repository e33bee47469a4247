"""The columns of a table in model files: those of the format before, and those that lie."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save_file

from deltarule.data.columns import Column
from deltarule.errors import ModelFileError
from deltarule.files import model_file
from deltarule.model import Model
from deltarule.nn.network import Network

ORDER = ("layers.0.weight", "layers.0.bias")


def rewritten(content: bytes, change: dict[str, Any], path: Path) -> None:
    """A file with other things in its description, and a digest that is right for them."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = json.loads(header["__metadata__"]["deltarule"])
    del description["digest"]
    if change.get("format") == 1:
        description = description["required"] | description["optional"] | change
        del description["pixels"], description["input_range"]
    else:
        description["required"] |= change
    arrays = load(content)
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode() + b"".join(arrays[name].tobytes() for name in ORDER)).hexdigest()
    text = json.dumps(description | {"digest": digest}, sort_keys=True, separators=(",", ":"))
    save_file(arrays, path, {"deltarule": text})


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "model"
    model_file.save(Model(Network((2, 3), rng=0), "classes", columns=(Column("color", ("blue", "red"), 0.0),)), path)
    return path.read_bytes()


def column(name: str, categories: Sequence[str] = (), fill: Any = None) -> dict[str, Any]:
    return {"name": name, "categories": list(categories), "fill": fill}


def test_the_good_file_is_good(good: bytes, tmp_path: Path) -> None:
    """Or else every test below would pass for the wrong reason."""
    rewritten(good, {}, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == good
    model = model_file.load(tmp_path / "model")
    assert model.columns == (Column("color", ("blue", "red"), 0.0),)
    np.testing.assert_array_equal(model.outputs(np.array([[1.0]])), model.network.outputs(np.array([[0.0, 1.0]])))


def test_columns_of_format_1_held_numbers_and_were_names_alone(good: bytes, tmp_path: Path) -> None:
    """As deltarule wrote them until it read text."""
    rewritten(good, {"format": 1, "columns": ["a", "b"]}, tmp_path / "model")
    assert model_file.load(tmp_path / "model").columns == (Column("a"), Column("b"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": [column("a"), column("b"), column("c")]}, "columns for 2 inputs: got columns for 3"),
        ({"columns": [column("a", ["x", "y", "z"])]}, "columns for 2 inputs: got columns for 3"),
        ({"columns": [column("a"), column("a")]}, r"columns of different names: got \['a', 'a'\]"),
        ({"columns": [column("a", ["x", "x"])]}, "different categories in the column 'a': got one twice"),
        ({"columns": [column("a"), column("b", fill="0")]}, "Expected `float . null`, got `str`"),
        ({"columns": [column("a"), column("b", fill=True)]}, "Expected `float . null`, got `bool`"),
        ({"columns": [column("a"), column("b") | {"more": 1}]}, "unknown field `more`"),
        ({"columns": [column("a"), {"name": "b"}]}, "missing required field `categories`"),
        ({"columns": ["a", "b"]}, "Expected `object`, got `str`"),
        ({"columns": None}, "Expected `array`, got `null`"),
        ({"format": 1, "columns": [column("a"), column("b")]}, "Expected `str`, got `object`"),
        ({"format": 1, "columns": ["a"]}, "columns for 2 inputs: got columns for 1"),
        ({"format": 1, "columns": None}, "Expected `array`, got `null`"),
    ],
)
def test_columns_that_lie(good: bytes, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    rewritten(good, change, tmp_path / "model")
    with pytest.raises(ModelFileError, match=rf"model was not loaded: .*{words}"):
        model_file.load(tmp_path / "model")
