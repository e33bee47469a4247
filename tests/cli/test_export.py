"""`deltarule export`: what it writes answers as the model does, and what it says when it cannot."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load

Command = Callable[..., Any]


def test_onnx_answers_as_the_model_does(deltarule: Command, digits_model: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    code, out, err = deltarule("export", digits_model, "--onnx", "digits.onnx")
    assert code == 0
    assert out == f"saved    digits.onnx, {Path('digits.onnx').stat().st_size:,} bytes\n"
    assert err == f"model    {digits_model}: 784-10, trained by the recipe linear on digits\n"
    test = load_data("digits").test
    assert test is not None
    (found,) = runtime.InferenceSession("digits.onnx").run(["probabilities"], {"X": test.inputs})
    np.testing.assert_allclose(found, load(digits_model).probabilities(test.inputs), atol=1e-6)
    deltarule("export", digits_model, "--onnx", "floats.onnx", "--floats")
    (found,) = runtime.InferenceSession("floats.onnx").run(None, {"X": (test.inputs / 255).astype(np.float32)})
    np.testing.assert_allclose(found, load(digits_model).probabilities(test.inputs), atol=1e-6)


def test_a_regression_answers_in_its_own_units(deltarule: Command, arithmetic_model: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    assert deltarule("export", arithmetic_model, "--onnx", "sum.onnx").code == 0
    X = np.random.default_rng(0).uniform(-5, 5, (20, 2))
    (values,) = runtime.InferenceSession("sum.onnx").run(["values"], {"X": X})
    np.testing.assert_allclose(values, load(arithmetic_model).predict(X), atol=1e-5)


def test_the_folder_of_a_run_as_npz_and_json(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("export", digits_model.parent, "--npz", "digits.npz", "--json")
    size = Path("digits.npz").stat().st_size
    assert result.json == {"model": str(digits_model), "format": "npz", "file": "digits.npz", "bytes": size}
    with np.load("digits.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["layers.0.weight"], load(digits_model).network.weights[0])
    before = Path("digits.npz").read_bytes()
    again = deltarule("export", digits_model, "--npz", "digits.npz")
    assert again.out.endswith("bytes, replacing an older file\n")
    assert Path("digits.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "an export has one format, --onnx FILE or --npz FILE or --html FILE: got none of them; one run writes one",
        ),
        (["--onnx", "a", "--npz", "b"], "got --onnx and --npz; one run writes one file"),
        (["--npz", "b", "--floats"], "--floats is for ONNX files: got --npz; leave it out"),
        (["--onnx", "no/a.onnx"], "no/a.onnx cannot be written: its folder does not exist"),
        (["--npz", "."], "an output is a file: got ., which is a folder"),
    ],
)
def test_wrong_use(deltarule: Command, digits_model: Path, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("export", digits_model, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert list(Path().iterdir()) == []


def test_a_recipe_has_to_be_trained_first(deltarule: Command) -> None:
    code, _, err = deltarule("export", "quick", "--onnx", "a.onnx")
    assert code == 2
    assert "quick, which is the name of a recipe; deltarule train quick  makes a model of it" in err


def test_without_the_extra(deltarule: Command, digits_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx.checker", None)
    code, _, err = deltarule("export", digits_model, "--onnx", "a.onnx")
    assert code == 1
    assert 'run  pip install "deltarule-nn[onnx]"' in err
    assert list(Path().iterdir()) == []


def test_a_page_is_what_show_makes(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("export", digits_model, "--html", "digits.html", "--json")
    page = Path("digits.html").read_text(encoding="utf-8")
    assert page == dr.show(dr.load(digits_model)).html
    size = Path("digits.html").stat().st_size
    assert result.json == {"model": str(digits_model), "format": "html", "file": "digits.html", "bytes": size}


def test_data_bring_their_unseen_examples_along(deltarule: Command, digits_model: Path) -> None:
    assert deltarule("export", digits_model, "--html", "digits.html", "--data", "digits").code == 0
    test = dr.load_data("digits").test
    assert Path("digits.html").read_text(encoding="utf-8") == dr.show(dr.load(digits_model), test).html


def test_an_older_page_is_replaced_and_that_is_said(deltarule: Command, arithmetic_model: Path) -> None:
    assert deltarule("export", arithmetic_model, "--html", "page.html").code == 0
    old = dr.show(dr.Network((2, 2))).html
    Path("page.html").write_text(old)
    result = deltarule("export", arithmetic_model, "--html", "page.html")
    assert result.code == 0
    assert "replacing an older file" in result.out
    assert Path("page.html").read_text(encoding="utf-8") != old


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "one format, --onnx FILE or --npz FILE or --html FILE: got none of them"),
        (["--html", "page.txt"], 2, "a browser opens a page by its name: got page.txt; use page.html"),
        (["--html", "nowhere/page.html"], 2, "its folder does not exist"),
        (["--html", "page.html", "--data", "arithmetic"], 2, "this model reads 784 numbers per row: got 2 in"),
    ],
)
def test_a_page_that_it_refuses(
    deltarule: Command, digits_model: Path, arguments: list[str], code: int, says: str
) -> None:
    result = deltarule("export", digits_model, *arguments)
    assert result.code == code
    assert says in result.err
    assert not Path("page.html").exists()


def test_a_model_that_is_none(deltarule: Command) -> None:
    Path("none.safetensors").write_text("nothing")
    result = deltarule("export", "none.safetensors", "--html", "page.html")
    assert result.code == 1
    assert "was not loaded" in result.err
