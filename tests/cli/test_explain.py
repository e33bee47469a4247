"""deltarule explain: which network, which example, and what is said where that makes no sense."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load
from deltarule.inspection.explain.explain import explain

Command = Callable[..., Any]


def write_digits(name: str, n_samples: int) -> None:
    test = load_data("digits").test
    assert test is not None
    np.savez(name, X=test.inputs[:n_samples].reshape(-1, 28, 28), y=np.zeros(n_samples, np.int64))


def test_the_same_as_in_python(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("explain", digits_model, "--example", "5", "--neuron", "3", "--json").json
    test = load_data("digits").test
    assert test is not None
    walk = explain(load(digits_model), test.inputs[5], test.targets[5], neuron=3)
    for key, value in walk.as_dict().items():
        if key != "image_shape":
            assert result[key] == value, key
    assert (result["model"], result["dataset"], result["example"]) == (str(digits_model), "digits", 5)
    assert result["neuron"]["neuron"] == 3


def test_a_text_of_80_columns(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("explain", digits_model)
    assert result.code == 0
    assert max(map(len, result.out.splitlines())) <= 80
    assert "WRONG" not in result.out
    assert "the one with the largest loss of the first 360" in result.err
    for title in ("The forward pass", "The loss", "BP1 ", "BP1-softmax ", "BP3 ", "BP4 ", "The update"):
        assert f"\n{title}" in result.out


def test_the_example_that_costs_most(deltarule: Command, digits_model: Path) -> None:
    chosen = deltarule("explain", digits_model, "--json").json
    losses = [
        deltarule("explain", digits_model, "--example", str(n), "--equation", "C", "--json").json["loss"]
        for n in (0, 1, 2, 50, 359)
    ]
    assert chosen["loss"] >= max(losses)


@pytest.mark.parametrize("recipe", ["cute-dog", "xor", "arithmetic"])
def test_an_untrained_network_of_a_recipe(deltarule: Command, recipe: str) -> None:
    result = deltarule("explain", recipe, "--json")
    assert result.code == 0
    assert f"{recipe}, untrained" in result.err
    assert all(check["ok"] for equation in result.json["equations"] for check in equation["checks"])


def test_a_file_goes_before_a_recipe(deltarule: Command, digits_model: Path) -> None:
    Path("xor").write_bytes(digits_model.read_bytes())
    assert deltarule("explain", "xor", "--json").json["layer_sizes"] == [784, 10]


def test_one_equation(deltarule: Command) -> None:
    result = deltarule("explain", "cute-dog", "--equation", "bp3", "--example", "7")
    assert result.code == 0
    assert "delta[l].sum(axis=0, out=grads.biases[l])" in result.out
    assert "∂C/∂b^l_j = Σ_i δ^l_ij" in result.out
    assert "BP4" not in result.out
    assert not set("\\$") & set(result.out)
    assert max(map(len, result.out.splitlines())) <= 80


def test_a_file_of_ones_own(deltarule: Command, digits_model: Path) -> None:
    write_digits("one.npz", 1)
    taken_for = deltarule("explain", digits_model, "--image", "one.npz", "--json")
    assert "using the network's answer" in taken_for.err
    outputs = taken_for.json["layers"][-1]["a"]
    assert taken_for.json["targets"][int(np.argmax(outputs))] == 1.0
    named = deltarule("explain", digits_model, "--image", "one.npz", "--label", "8", "--json").json
    assert named["targets"][8] == 1.0
    write_digits("three.npz", 3)
    third = deltarule("explain", digits_model, "--image", "three.npz", "--example", "2", "--json").json
    assert (third["dataset"], third["example"]) == ("three.npz", 2)
    assert third["inputs"] != named["inputs"]
    least_sure = deltarule("explain", digits_model, "--image", "three.npz", "--json").json
    assert least_sure["loss"] >= third["loss"]


def test_an_image(deltarule: Command, digits_model: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    test = load_data("digits").test
    assert test is not None
    pillow.fromarray(test.inputs[4].reshape(28, 28)).save("four.png")
    by_file = deltarule("explain", digits_model, "--image", "four.png", "--json").json
    by_data = deltarule("explain", digits_model, "--example", "4", "--json").json
    assert by_file["inputs"] == by_data["inputs"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--example", "360"], 2, "the examples of digits are 0 to 359: got --example 360"),
        (["--example", "-1"], 2, "the examples of digits are 0 to 359: got --example -1"),
        (["--layer", "1"], 2, "the layers of this network are 0 to 0: got layer 1"),
        (["--neuron", "10"], 2, "the neurons of layer 0 are 0 to 9: got neuron 10"),
        (["--equation", "BP9"], 2, "did you mean 'BP"),
        (["--equation", "BP2"], 2, "BP2 does not apply to this network"),
        (["--data", "xor"], 2, "this model reads 784 numbers per row: got 2 in xor; give data of that width"),
        (["--image", "nothing.png"], 2, "must exist: got nothing.png"),
        (["--image", "noise.png"], 1, "noise.png: a PNG, JPEG, WEBP, BMP or TIFF image was expected"),
        (["--image", "narrow.csv"], 2, "this model reads 784 numbers per row: got 4 in narrow.csv; give data"),
        (["--image", "three.npz", "--example", "3"], 2, "the examples of three.npz are 0 to 2"),
        (["--image", "three.npz", "--example", "0", "--label", "ten"], 2, "no class is called 'ten'"),
        (["--image", "three.npz", "--data", "digits"], 2, "either with --image, or with --data"),
        (["--label", "3"], 2, "--label is the class of an --image"),
    ],
)
def test_what_cannot_be_explained(
    deltarule: Command, digits_model: Path, arguments: list[str], code: int, message: str
) -> None:
    if "noise.png" in arguments:
        pytest.importorskip("PIL.Image")
    Path("noise.png").write_bytes(b"no image")
    Path("narrow.csv").write_text("1,2,3,4\n")
    write_digits("three.npz", 3)
    got = deltarule("explain", digits_model, *arguments)
    assert (got.code, got.out) == (code, "")
    assert message in got.err


def test_neither_a_model_nor_a_recipe(deltarule: Command) -> None:
    code, out, err = deltarule("explain", "cute-cat")
    assert (code, out) == (2, "")
    assert "did you mean 'cute-dog'" in err


def test_mnist(deltarule: Command, mnist: Any) -> None:
    result = deltarule("explain", "four-equations", "--example", "0", "--offline", "--json")
    assert result.json["layer_sizes"] == [784, 100, 10]
    assert result.json["neuron"]["weighted"]["n_others"] == 779
    assert all(check["ok"] for equation in result.json["equations"] for check in equation["checks"])
