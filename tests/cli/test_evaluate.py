"""deltarule evaluate: which examples a model is judged by, and what is said of them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load, save

Command = Callable[..., Any]


def write_digits(path: str, numbers: list[int], names: str = "0123456789") -> None:
    """The images of the bundled test digits whose label is in `numbers`, as a CSV with other labels."""
    test = load_data("digits").test
    assert test is not None
    rows = [
        ",".join(map(str, [names[y], *x])) for x, y in zip(test.inputs, test.targets, strict=True) if int(y) in numbers
    ]
    Path(path).write_text("\n".join(rows))


def test_its_json_counts_every_test_image_once(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("evaluate", digits_model, "--json")
    confusion = np.array(result.json["confusion"])
    assert result.json["examples"] == confusion.sum() == 360
    assert result.json["accuracy"] == confusion.trace() / 360 == load(digits_model).record["test_accuracy"]
    assert [each["support"] for each in result.json["per_class"]] == confusion.sum(axis=1).tolist()
    assert result.json["loss"] == load(digits_model).record["test_loss"]


def test_it_prints_what_the_json_says(deltarule: Command, digits_model: Path) -> None:
    facts, text = deltarule("evaluate", digits_model, "--json").json, deltarule("evaluate", digits_model).out
    right = round(facts["accuracy"] * 360)
    assert text.startswith(f"{right} of 360 images right, {100 * facts['accuracy']:.2f} %, loss {facts['loss']:.4f}")
    row = next(line.split() for line in text.splitlines() if line.startswith("7 "))
    assert row[:3] == ["7", "36", f"{100 * facts['per_class'][7]['recall']:.2f}"]
    assert "The most confident mistake" in text


def test_a_model_with_its_own_split_is_judged_by_what_it_has_not_seen(deltarule: Command) -> None:
    shuffled = ("--set", "data.split={kind='shuffled', test=300}", "--seed", "4")
    trained = deltarule("train", "linear", "--data", "digits", "--epochs", "1", *shuffled, "--json").json
    for asked in ([], ["--data", "digits"]):
        result = deltarule("evaluate", "model.safetensors", *asked, "--json")
        assert (result.json["examples"], result.json["accuracy"]) == (300, trained["test_accuracy"])
        assert "300 examples, not seen in training" in result.err


def test_examples_that_a_model_was_trained_on_are_called_so(deltarule: Command) -> None:
    assert deltarule("train", "xor", "--epochs", "1").code == 0
    assert "the ones it was trained on: there are no others" in deltarule("evaluate", "model.safetensors").err


def test_a_regression_is_told_in_r2_and_the_targets_units(deltarule: Command, arithmetic_model: Path) -> None:
    result = deltarule("evaluate", arithmetic_model, "--json").json
    test = load_data("arithmetic").test
    assert test is not None
    misses = np.abs(load(arithmetic_model).predict(test.inputs) - test.targets).mean(axis=0)
    assert [each["mean_absolute_error"] for each in result["per_output"]] == pytest.approx(misses)
    assert result["r2"] == pytest.approx(np.mean([each["r2"] for each in result["per_output"]]))
    assert "R2" in deltarule("evaluate", arithmetic_model).out


def test_classes_are_matched_by_name(deltarule: Command, digits_model: Path) -> None:
    """A file without zeros counts its classes otherwise than the model does."""
    write_digits("all.csv", list(range(10)))
    write_digits("two.csv", [8, 9])
    everything = deltarule("evaluate", digits_model, "--data", "all.csv", "--json").json
    assert everything["accuracy"] == load(digits_model).record["test_accuracy"]
    Path("pictures").mkdir()
    few = deltarule("evaluate", digits_model, "--data", "two.csv", "--json").json
    assert few["per_class"][9]["recall"] == everything["per_class"][9]["recall"]
    assert few["confusion"][8:] == everything["confusion"][8:]


def test_a_class_that_the_model_does_not_know_is_refused(deltarule: Command, digits_model: Path) -> None:
    model = load(digits_model)
    save(replace(model, class_names=tuple("abcdefghij")), "letters.safetensors")
    code, _, err = deltarule("evaluate", "letters.safetensors")
    assert code == 2
    assert "this model knows the classes a, b, c" in err


@pytest.mark.parametrize("record", [{}, {"dataset": "digits"}, {"recipe": 1, "recipe_toml": 2, "seed": "x"}])
def test_a_model_of_other_making_needs_data(deltarule: Command, digits_model: Path, record: dict[str, Any]) -> None:
    save(replace(load(digits_model), record=record), "other.safetensors")
    code, _, err = deltarule("evaluate", "other.safetensors")
    assert code == 2
    assert "name some, as in  --data mnist" in err
    assert deltarule("evaluate", "other.safetensors", "--data", "digits").code == 0


def test_a_folder_stands_for_the_model_of_its_run(deltarule: Command, digits_model: Path) -> None:
    Path("run").mkdir()
    shutil.copy(digits_model, "run")
    result = deltarule("evaluate", "run")
    assert f"model    {Path('run', 'model.safetensors')}" in result.err


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [
        ("nothing", 2, "deltarule train  makes one"),
        ("linear", 2, "the name of a recipe; deltarule train linear"),
        ("empty", 2, "holds no model.safetensors"),
        ("damaged.safetensors", 1, "damaged.safetensors was not loaded"),
        ("text.safetensors", 1, "expected a safetensors file"),
    ],
)
def test_what_is_no_model(deltarule: Command, digits_model: Path, model: str, code: int, message: str) -> None:
    Path("empty").mkdir()
    Path("text.safetensors").write_text("no model")
    content = bytearray(digits_model.read_bytes())
    content[-1] ^= 1
    Path("damaged.safetensors").write_bytes(content)
    got = deltarule("evaluate", model)
    assert (got.code, got.out) == (code, "")
    assert message in got.err


@pytest.mark.parametrize("data", ["xor", "arithmetic"])
def test_data_that_do_not_fit_the_model(deltarule: Command, digits_model: Path, data: str) -> None:
    code, out, err = deltarule("evaluate", digits_model, "--data", data)
    assert (code, out) == (2, "")
    assert "this model" in err


def test_a_wrong_file_is_a_failed_job(deltarule: Command, digits_model: Path) -> None:
    Path("wrong.csv").write_text("label,pixel0\n3,256\n")
    code, _, err = deltarule("evaluate", digits_model, "--data", "wrong.csv")
    assert code == 1
    assert "line 2, column 2: '256'" in err


def test_plot_draws_the_confusion_matrix(deltarule: Command, digits_model: Path) -> None:
    pytest.importorskip("matplotlib")
    assert deltarule("evaluate", digits_model, "--plot", "confusion.png").code == 0
    assert Path("confusion.png").read_bytes().startswith(b"\x89PNG")
