"""deltarule plot: pictures of a run and of a model, their numbers, and what cannot be drawn."""

import re
import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deltarule.cli.options import PlotOptions
from deltarule.data.catalog import load as load_data
from deltarule.files.model_file import load, save
from deltarule.inspection.plots.kinds import KINDS

pytest.importorskip("matplotlib")

Command = Callable[..., Any]


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that learned the bundled digits, with a validation set."""
    return trained_run(tmp_path_factory, "linear", "--data", "digits", "--epochs", "3", "--holdout", "300")


@pytest.fixture(scope="session")
def dog_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two parameters."""
    return trained_run(tmp_path_factory, "cute-dog", "--epochs", "40")


def trained_run(tmp_path_factory: pytest.TempPathFactory, *arguments: str) -> Path:
    from deltarule.cli import main

    folder = tmp_path_factory.mktemp("run")
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["deltarule", "train", *arguments, "--run", "run"])
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 0
    return folder / "run"


def test_the_help_lists_every_kind() -> None:
    listed = re.findall(r"^ {6}(\S+) {2,}\S", PlotOptions.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted(KINDS)


OF_A_RUN = {
    "curves": {"best_epoch", "history"},
    "gradients": {"epochs", "gradient_norm", "update_ratio"},
    "surface": {"examples", "is_exact", "share_of_variance", "across", "up", "losses", "path"},
    "confusion": {"class_names", "confusion"},
    "mistakes": {"class_names", "mistakes"},
    "staircase": {"layer", "neuron", "source", "offsets", "loss", "slope", "accuracy"},
    "digits": {"class_names", "pixels", "classes", "answers"},
    "weights": {"weights", "biases", "inked"},
    "architecture": {"layer_sizes", "activations", "loss", "parameters"},
    "rates": {"rates", "losses", "smoothed", "steepest", "highest"},
}


@pytest.mark.parametrize("kind", OF_A_RUN)
def test_every_kind_can_be_drawn_of_a_run_and_had_as_json(deltarule: Command, digits_run: Path, kind: str) -> None:
    result = deltarule("plot", kind, digits_run, "--json", "--out", "picture.png")
    assert result.code == 0
    assert set(result.json) == OF_A_RUN[kind] | {"kind"}
    with Image.open("picture.png") as image:
        assert image.info["Description"]


def test_the_boundary_of_two_inputs_is_drawn_and_of_others_refused(deltarule: Command, digits_run: Path) -> None:
    """Of two classes, of three, and of values; and where it runs is where the answer changes."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (90, 2)).round(3)
    x1, x2 = X.T
    kinds = {
        "two": np.where(x1 > 0.2, "right", "left"),
        "three": np.digitize(x1 + x2, [-0.5, 0.5]).astype(str),
        "sum": x1,
    }
    for name, y in kinds.items():
        rows = [f"{a},{b},{c}" for (a, b), c in zip(X, y, strict=True)]
        Path(f"{name}.csv").write_text("\n".join(["east,north,y", *rows]), encoding="utf-8")
        data = ("--data", f"{name}.csv", "--target", "y")
        assert deltarule("train", *data, "--epochs", "15", "--out", "m.safetensors", "--force").code == 0
        result = deltarule("plot", "boundary", "m.safetensors", *data, "--json", "--out", f"{name}.png", "--force")
        assert result.code == 0, result.err
        assert result.json["inputs"] == ["east", "north"]
        answers = np.array(result.json["outputs"])
        assert answers.shape == (120, 120, {"two": 2, "three": 3, "sum": 1}[name])
        if name == "two":
            edges = np.array(result.json["across"])[answers.argmax(axis=-1).argmax(axis=1)]
            assert np.abs(edges - 0.2).mean() < 0.15
    refused = deltarule("plot", "boundary", digits_run, "--json")
    assert refused.code == 2
    assert "boundary is drawn from a model that reads two numbers: got 784 inputs" in refused.err


def test_without_json_the_picture_is_told_in_words(deltarule: Command, digits_run: Path) -> None:
    result = deltarule("plot", "curves", digits_run, "--out", "curves.svg")
    facts = deltarule("plot", "curves", digits_run, "--json").json
    accuracy = facts["history"][facts["best_epoch"]]["validation_accuracy"]
    assert f"{round(100 * accuracy, 2):g} % at epoch {facts['best_epoch']}" in result.out
    assert result.out.startswith("curves.svg: ")
    assert result.out.removeprefix("curves.svg: ").strip() in Path("curves.svg").read_text(encoding="utf-8")
    assert list(Path().iterdir()) == [Path("curves.svg")]  # --json alone writes nothing


def test_the_surface_of_two_parameters_ends_at_the_model(deltarule: Command, dog_run: Path) -> None:
    facts = deltarule("plot", "surface", dog_run, "--json").json
    network = load(dog_run / "model.safetensors").network
    assert (facts["is_exact"], facts["share_of_variance"], facts["examples"]) == (True, 1.0, 400)
    assert facts["path"][-1] == network.parameters.vector.tolist()
    history = deltarule("plot", "curves", dog_run, "--json").json["history"]
    assert np.min(facts["losses"]) <= history[-1]["train_loss"] + 1e-3
    assert np.max(facts["losses"]) > history[0]["train_loss"]


def test_pixels_that_never_saw_ink_are_those_of_the_training_set(deltarule: Command, digits_run: Path) -> None:
    facts = deltarule("plot", "weights", digits_run, "--json").json
    assert facts["inked"] == load_data("digits").train.inputs.any(axis=0).tolist()
    assert np.shape(facts["weights"]) == (784, 10)


def test_a_sheet_of_data_needs_no_model(deltarule: Command) -> None:
    facts = deltarule("plot", "digits", "--data", "digits", "--json").json
    assert "answers" not in facts
    assert np.shape(facts["pixels"]) == (50, 784)


def test_the_model_in_a_runs_folder_stands_for_the_run(deltarule: Command, digits_run: Path) -> None:
    of_folder, of_model = (
        deltarule("plot", "gradients", each, "--json").json for each in (digits_run, digits_run / "model.safetensors")
    )
    assert of_folder == of_model


@pytest.mark.parametrize("name", ["xor", "model.safetensors"])
def test_a_range_test_trains_a_recipe_or_the_model_anew(deltarule: Command, dog_run: Path, name: str) -> None:
    shutil.copy(dog_run / "model.safetensors", ".")
    before = Path("model.safetensors").read_bytes()
    result = deltarule("plot", "rates", name, "--json")
    assert "at most 150 steps on" in result.err
    assert len(result.json["rates"]) == len(result.json["losses"]) > 10
    assert Path("model.safetensors").read_bytes() == before


def test_an_older_recording_is_no_part_of_a_new_run(deltarule: Command, digits_run: Path) -> None:
    shutil.copytree(digits_run, "run")
    assert deltarule("train", "xor", "--epochs", "2", "--run", "run").code == 0
    assert deltarule("plot", "gradients", "run", "--json").json["epochs"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curves", "."], "the picture curves is drawn from a run's folder: got ., which holds no history.jsonl"),
        (["curves", "nothing"], "got nothing; deltarule train RECIPE --run FOLDER  makes one"),
        (["curves"], "curves is drawn from a run's folder, which  deltarule train --run RUN  makes: got none"),
        (["gradients", "xor"], "got xor, the name of a recipe; deltarule train xor --run FOLDER  makes one"),
        (["confusion", "nothing"], "deltarule train  makes one"),
        (["confusion"], "confusion is drawn from a model: got none"),
        (["digits"], "digits is drawn from a model or data: got none"),
        (["rates"], "rates is drawn from a model, a run or a recipe: got none"),
        (["rates", "quik"], "did you mean 'quick'?"),
        (
            ["histograms", "nothing"],
            "says where units saturate or die, and the picture gradients shows every layer by epoch",
        ),
        (["flips", "nothing"], "nudge an image in  deltarule playground MODEL"),
        (["robustness", "nothing"], "shifted, turned, thin or thick images, draw in  deltarule playground MODEL"),
        (["confusoin", "nothing"], "no picture is called 'confusoin': did you mean 'confusion'?"),
    ],
)
def test_what_cannot_be_drawn(deltarule: Command, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("plot", *arguments, "--out", "picture.png")
    assert (code, out) == (2, "")
    assert message in err
    assert not Path("picture.png").exists()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("curves", "got none; use  deltarule plot curves RUN --out curves.png"),
        ("mistakes", "mistakes is drawn from a model: got none; use  deltarule plot mistakes MODEL --out mistakes.png"),
        ("loss", "no picture is called 'loss': did you mean 'curves'?"),
    ],
)
def test_what_a_picture_needs_is_said_before_where_it_goes(deltarule: Command, kind: str, message: str) -> None:
    code, out, err = deltarule("plot", kind)
    assert (code, out) == (2, "")
    assert message in err


def test_a_picture_goes_somewhere(deltarule: Command, digits_run: Path) -> None:
    code, _, err = deltarule("plot", "curves", digits_run)
    assert code == 2
    assert "give --out FILE, or --json for its numbers" in err


@pytest.mark.parametrize("kind", ["gradients", "surface"])
def test_a_run_that_recorded_nothing(deltarule: Command, digits_run: Path, kind: str) -> None:
    shutil.copytree(digits_run, "old")
    Path("old", "recording.safetensors").unlink()
    code, _, err = deltarule("plot", kind, "old", "--json")
    assert code == 2
    assert "got old, which holds no recording.safetensors" in err
    code, _, err = deltarule("plot", kind, Path("old", "model.safetensors"), "--json")
    assert code == 2
    assert "model.safetensors; deltarule train RECIPE --run FOLDER  makes one" in err


def test_a_recording_that_is_damaged(deltarule: Command, digits_run: Path) -> None:
    shutil.copytree(digits_run, "run")
    file = Path("run", "recording.safetensors")
    file.write_bytes(file.read_bytes()[:-1])
    code, _, err = deltarule("plot", "gradients", "run", "--json")
    assert code == 1
    assert f"{file} is not the file of run " in err
    Path("run", "run.json").unlink()  # as in a folder of an earlier version
    assert f"{file}: a recording of a run was expected: " in deltarule("plot", "gradients", "run", "--json").err


def test_a_recording_of_another_network(deltarule: Command, digits_run: Path, dog_run: Path) -> None:
    shutil.copytree(digits_run, "run")
    shutil.copy(dog_run / "recording.safetensors", "run")
    assert "is not the file of run " in deltarule("plot", "surface", "run", "--json").err
    Path("run", "run.json").unlink()
    code, _, err = deltarule("plot", "surface", "run", "--json")
    assert code == 2
    assert "in the space of 7850 parameters was expected: got one of 2" in err


@pytest.mark.parametrize("kind", ["confusion", "mistakes", "staircase", "weights"])
def test_a_model_and_data_of_different_widths(deltarule: Command, digits_run: Path, kind: str) -> None:
    Path("wide.csv").write_text("label,pixel0,pixel1,pixel2,pixel3\n" + "\n".join(f"{k},0,0,0,0" for k in range(10)))
    code, _, err = deltarule("plot", kind, digits_run, "--data", "wide.csv", "--json")
    assert code == 2
    assert "this model reads 784 numbers per row: got 4 in wide.csv; give data" in " ".join(err.split())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("confusion", "confusion is drawn from classes: got arithmetic, which holds values"),
        ("mistakes", "mistakes are drawn from classes: got arithmetic, which holds values"),
        ("staircase", "accuracy is of classes or labels: got arithmetic, which holds values"),
        ("digits", "only images can be drawn: got arithmetic"),
    ],
)
def test_a_regression_has_none_of_these(deltarule: Command, arithmetic_model: Path, kind: str, message: str) -> None:
    code, _, err = deltarule("plot", kind, arithmetic_model, "--out", "picture.png")
    assert code == 2
    assert message in err
    assert not Path("picture.png").exists()


def test_a_model_that_knows_no_data_has_weights_all_the_same(deltarule: Command, digits_run: Path) -> None:
    save(replace(load(digits_run / "model.safetensors"), record={}), "bare.safetensors")
    assert deltarule("plot", "weights", "bare.safetensors", "--json").json["inked"] is None
    assert "does not say how it was trained" in deltarule("plot", "rates", "bare.safetensors", "--json").err
