"""Names on the command line: recipes and their settings, data that are not there, and the pretrained model."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.files.checkpoint import newest_checkpoint
from deltarule.files.model_file import load
from deltarule.files.run_folder import read_history
from deltarule.recipes.schema import parse

Command = Callable[..., Any]
TINY = ("--set", "hidden=5", "--epochs", "2")
RUN = ("train", "quick", "--data", "digits", *TINY, "--checkpoint", "kept", "--every-steps", "3")


def weights(path: str) -> bytes:
    return load(path).network.parameters.vector.tobytes()


def write_table(path: str, n_rows: int = 60) -> None:
    rows = [f"{k % 7},{k % 5},{(k % 7) - 0.5 * (k % 5) + 0.01 * k}" for k in range(n_rows)]
    Path(path).write_text("\n".join(["a,b,y", *rows]) + "\n")


def back_to_the_older(folder: str) -> None:
    """As if the run had been killed before its newest checkpoint, where there is an older one."""
    for newest in sorted(Path(folder).glob("step-*"))[1:][-1:]:
        newest.unlink()


def copied(folder: str) -> Path:
    """A copy for a run that is refused, since this process keeps its lock on the folder."""
    return shutil.copytree(folder, f"{folder}-copied-{len(list(Path().iterdir()))}")


@pytest.mark.parametrize("schedule", [None, "cosine", "0.5", "{name='constant', rate=3, warm_up_epochs=0}"])
def test_the_learning_rate_is_that_of_whatever_schedule_there_is(deltarule: Command, schedule: str | None) -> None:
    change = [] if schedule is None else ["--set", f"schedule={schedule}"]
    result = deltarule("train", "quick", "--data", "digits", *TINY, *change, "--learning-rate", "0.004", "--json")
    assert result.code == 0
    assert parse(load("model.safetensors").record["recipe_toml"], "m").training.schedule["rate"] == 0.004
    assert 0.0 < max(row["learning_rate"] or 0.0 for row in result.json["history"]) <= 0.004


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "1e-3x", "0,1", ""])
def test_a_learning_rate_is_a_number_above_0(deltarule: Command, rate: str) -> None:
    code, out, err = deltarule("train", "xor", "--learning-rate", rate)
    assert (code, out) == (2, "")
    nearest = "1.0" if rate == "-1" else "0.01"
    assert f"--learning-rate must be a number, above 0: got {rate!r}; use --learning-rate {nearest}" in err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--lr", "0.1"], "Use --learning-rate 0.1 in train, or --set training.schedule.rate=0.1;"),
        (["--lr=0.1"], "Use --learning-rate 0.1 in train, or --set training.schedule.rate=0.1;"),
        (["--rate", "3"], "Use --learning-rate 3 in train, or --set training.schedule.rate=3;"),
        (["quick", "--eta", "3"], "Use --learning-rate 3 in train, or --set training.schedule.rate=3;"),
        (["--momentum", "0.9"], "Use --set training.optimizer=momentum --set training.optimizer.momentum=0.9;"),
        (["nielsen-30", "--batch-size", "8"], "Use --set training.batch_size=8;"),
        (["--hidden", "30"], "Use --set network.hidden=30;"),
        (["--dropout=0.2"], "Use --set network.dropout=0.2;"),
        (["--epoch", "3"], "did you mean --epochs? Use --epochs N (Passes over the training data)"),
        (["--learning-rat", "3"], "did you mean --learning-rate?"),
    ],
)
def test_an_option_that_does_not_exist_gets_one_that_does(deltarule: Command, arguments: list[str], line: str) -> None:
    code, out, err = deltarule("train", *arguments)
    assert (code, out) == (2, "")
    assert line in err
    assert "deltarule train --help" in err


OF_RECIPES = {
    "explain": ("explain", "quick", "--example", "0"),
    "check": ("check", "quick"),
    "rates": ("plot", "rates", "quick"),
}


@pytest.mark.parametrize("name", OF_RECIPES)
def test_a_recipe_is_changed_wherever_it_is_named(deltarule: Command, name: str) -> None:
    """MNIST cannot be had here: the digits stand in for it, which is said."""
    result = deltarule(*OF_RECIPES[name], "--set", "hidden=3", "--set", "schedule.rate=0.02", "--offline", "--json")
    assert result.code == 0
    assert "the bundled digits (1,797 images), because mnist is not on this machine" in result.err
    assert "deltarule data fetch mnist" in result.err
    sizes = {
        "explain": lambda facts: [[each["fan_in"], each["fan_out"]] for each in facts["layers"]],
        "check": lambda facts: facts["gradient"]["parameters"],
    }
    expected = {"explain": [[784, 3], [3, 10]], "check": 784 * 3 + 3 + 3 * 10 + 10}
    if name in sizes:
        assert sizes[name](result.json) == expected[name]
    code, out, err = deltarule(*OF_RECIPES[name], "--set", "lr=0.1", "--offline", "--json")
    assert (code, out) == (2, "")
    assert "or --set training.schedule.rate=0.1\n" in err


def test_a_recipe_is_printed_as_changed(deltarule: Command) -> None:
    result = deltarule("recipes", "quick", "--set", "hidden=30-20", "--set", "schedule.rate=.1")
    assert parse(result.out, "q").network.hidden == [30, 20]
    assert deltarule("recipes", "--set", "hidden=3").code == 2


@pytest.mark.parametrize("name", OF_RECIPES)
def test_a_model_is_not_changed(deltarule: Command, digits_model: Path, name: str) -> None:
    arguments = [digits_model if each == "quick" else each for each in OF_RECIPES[name]]
    code, out, err = deltarule(*arguments, "--set", "hidden=3", "--json")
    assert (code, out) == (2, "")
    assert f"got {digits_model}, which is trained; leave --set out, or train again: deltarule train --set hidden" in err


@pytest.mark.parametrize("command", [("check", "run"), ("plot", "curves", "run")])
def test_a_run_is_not_changed(deltarule: Command, command: tuple[str, ...]) -> None:
    assert deltarule("train", "xor", "--epochs", "2", "--run", "run").code == 0
    code, out, err = deltarule(*command, "--set", "hidden=3", "--json")
    assert (code, out) == (2, "")
    assert "--set changes a recipe" in err


@pytest.mark.parametrize(("recipe", "epochs"), [("quick", 40), ("relu-10", 500)])
def test_a_recipe_without_its_mnist_is_suited_to_the_digits(deltarule: Command, recipe: str, epochs: int) -> None:
    """Few images need more passes; a recipe that makes many already keeps them."""
    found = deltarule("train", recipe, "--offline", "--set", "hidden=1", "--set", "split={kind='head', train=30}")
    assert found.code == 0
    record = load("model.safetensors").record
    assert (record["dataset"], record["recipe"]) == ("digits", recipe)
    assert record["epochs"] == epochs
    assert "suited   to " in found.err


def test_own_epochs_count_where_the_digits_stand_in(deltarule: Command) -> None:
    found = deltarule("train", "quick", "--offline", *TINY, "--json")
    assert (found.json["epochs"], found.json["dataset"], found.json["test_examples"]) == (2, "digits", 360)


@pytest.mark.parametrize("named", [("--data", "mnist"), ("--set", "data.name=mnist")])
@pytest.mark.parametrize("command", [("train", "quick"), ("train",), ("check", "quick"), ("plot", "rates", "quick")])
def test_mnist_by_name_is_mnist_or_an_error(
    deltarule: Command, command: tuple[str, ...], named: tuple[str, str]
) -> None:
    code, out, err = deltarule(*command, *named, "--offline", *(["--json"] if command[0] == "plot" else []))
    assert (code, out) == (1, "")
    assert "mnist is not on this machine, and --offline forbids a download" in err


def test_smoothed_labels_are_named_with_the_lowest_loss(deltarule: Command) -> None:
    result = deltarule("train", "quick", "--data", "digits", *TINY, "--json")
    right, wrong = 0.955, 0.005
    lowest = -right * math.log(right) - 9 * wrong * math.log(wrong)
    assert f"labels   smoothed by 0.05, so the loss cannot reach 0: the lowest possible is {lowest:.4f}" in result.err
    assert result.json["lowest_loss"] == pytest.approx(lowest)
    text = deltarule("explain", "model.safetensors", "--equation", "C").out.replace("\n  ", " ")
    assert (
        f"target 0.955 instead of 1, 0.005 instead of 0: labels are smoothed by 0.05, so C is {lowest:.4f} at" in text
    )
    assert "CrossEntropy(label_smoothing=0.05)" in text
    plain = deltarule("train", "linear", "--data", "digits", "--epochs", "1", "--json")
    assert plain.json["lowest_loss"] == 0
    assert "smoothed" not in plain.err + deltarule("explain", "model.safetensors").out


@pytest.mark.parametrize("holdout", ["0", "100"])
def test_the_columns_say_whose_accuracy_it_is(deltarule: Command, holdout: str) -> None:
    lines = deltarule("train", "quick", "--data", "digits", *TINY, "--holdout", holdout).err.splitlines()
    heading = next(k for k, line in enumerate(lines) if line.split()[:2] == ["epoch", "loss"])
    titles = ["train acc.", "held-out loss", "held-out acc."] if holdout != "0" else ["training accuracy"]
    assert [title for title in titles if title not in lines[heading]] == []
    assert len(lines[heading]) <= 80
    ends = [lines[heading].index(title) + len(title) for title in titles]
    for line in lines[heading + 2 : heading + 4]:
        assert len(line) == len(lines[heading])
        assert all(line[end - 1] in "%0123456789" and line[end] == " " for end in ends)


GIVEN = {
    "--seed": ("0", "seed was 5 and is 0"),
    "--holdout": ("0", "validation data was 100 examples"),
    "--engine": ("auto", None),
    "--missing": ("error", None),
}


@pytest.mark.parametrize("option", GIVEN)
def test_an_option_given_as_its_default_is_given(deltarule: Command, option: str) -> None:
    value, difference = GIVEN[option]
    assert deltarule(*RUN, "--seed", "5", "--holdout", "100").code == 0
    back_to_the_older("kept")
    code, _, err = deltarule("train", "--resume", "kept", option, value)
    assert code == (0 if difference is None else 2)
    assert difference is None or f"got {difference}" in err or f"; {difference}" in err


def test_another_learning_rate_is_another_run(deltarule: Command) -> None:
    assert deltarule(*RUN).code == 0
    back_to_the_older("kept")
    code, _, err = deltarule("train", "--resume", copied("kept"), "--learning-rate", "0.02")
    assert code == 2
    assert "schedule was OneCycle(rate=0.014" in err
    assert "is OneCycle(rate=0.02" in err
    assert deltarule("train", "--resume", "kept", "--learning-rate", "0.014").code == 0


@pytest.mark.parametrize("name", ["r.st", "r.model", "r.bin", "r.safetensors"])
def test_a_model_of_another_suffix_is_written_by_the_run_that_goes_on(deltarule: Command, name: str) -> None:
    assert deltarule(*RUN, "--out", name).code == 0
    whole = weights(name)
    back_to_the_older("kept")
    Path(name).unlink()  # as where the run was killed before it saved anything
    assert deltarule("train", "--resume", "kept").code == 0
    assert weights(name) == whole


def test_a_run_goes_on_where_its_data_have_moved(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="the extra sklearn is not installed")
    write_table("h.csv")
    begun = ("train", "--data", "h.csv", "--target", "y", "--epochs", "4", "--run", "run", "--every-steps", "1")
    assert deltarule(*begun).code == 0
    whole = weights("run/model.safetensors")
    history = read_history("run")
    back_to_the_older("run/checkpoints")
    assert newest_checkpoint("run/checkpoints")[1].step > 0
    Path("data").mkdir()
    shutil.move("h.csv", "data/moved.csv")
    for arguments in ((), ("default",)):
        run = copied("run")
        code, out, err = deltarule("train", *arguments, "--resume", run)
        assert (code, out) == (2, "")
        assert f"the data of this run have moved: got h.csv, but {Path('h.csv').absolute()} does not" in err
        assert f"deltarule train --resume {run} --data PATH" in err
    assert deltarule("train", "--resume", "run", "--data", "data/moved.csv").code == 0
    assert weights("run/model.safetensors") == whole
    assert read_history("run")[-1]["train_loss"] == history[-1]["train_loss"]
    write_table("other.csv", 61)
    code, _, err = deltarule("train", "--resume", copied("run"), "--data", "other.csv")
    assert code == 2
    assert "training data was 48 examples, SHA-256" in err
    monkeypatch.chdir("data")
    assert "does not exist; say where they are:" in deltarule("train", "--resume", "../run").err


OF_MODELS = {
    "evaluate": ("evaluate", "h.safetensors"),
    "explain": ("explain", "h.safetensors"),
    "check": ("check", "h.safetensors"),
    "rates": ("plot", "rates", "h.safetensors"),
    "flips": ("plot", "staircase", "h.safetensors"),
}


@pytest.mark.parametrize("name", OF_MODELS)
def test_a_model_whose_data_have_moved_says_so_and_takes_the_new_place(deltarule: Command, name: str) -> None:
    pytest.importorskip("pandas", reason="the extra sklearn is not installed")
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    write_table("h.csv")
    train = ("train", "--data", "h.csv", "--target", "y", "--epochs", "2", "--out", "h.safetensors")
    assert deltarule(*train).code == 0
    before = deltarule(*OF_MODELS[name], "--json")
    shutil.move("h.csv", "moved.csv")
    code, out, err = deltarule(*OF_MODELS[name], "--json")
    assert (code, out) == (2, "")
    assert f"the data of this model have moved: got h.csv, but {Path('h.csv').absolute()} does not exist" in err
    assert "--data PATH" in err
    after = deltarule(*OF_MODELS[name], "--json", "--data", "moved.csv")
    assert (after.code, after.out) == (before.code, before.out.replace("h.csv", "moved.csv"))
    assert "not seen in training" in after.err or name in ("check", "rates")


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "pretrained", "--data", "digits", "--json"],
        ["explain", "pretrained", "--data", "digits", "--json"],
        ["check", "pretrained", "--data", "digits", "--json"],
        ["train", "drawings", "--from", "pretrained", "--data", "digits", "--epochs", "1", "--json"],
        ["plot", "confusion", "pretrained", "--data", "digits", "--json"],
    ],
)
def test_pretrained_is_a_model_for_every_command(deltarule: Command, arguments: list[str]) -> None:
    result = deltarule(*arguments)
    assert result.code == 0
    assert "pretrained.safetensors" in result.err
    assert result.json is not None


def test_a_file_called_pretrained_comes_first(deltarule: Command, digits_model: Path) -> None:
    in_the_box = deltarule("evaluate", "pretrained", "--data", "digits", "--json").json
    shutil.copy(digits_model, "pretrained")
    mine = deltarule("evaluate", "pretrained", "--data", "digits", "--json").json
    assert mine["accuracy"] < 0.95 < in_the_box["accuracy"]


@pytest.mark.parametrize("command", ["explain", "check"])
def test_a_name_that_is_nearly_pretrained_gets_it_offered(deltarule: Command, command: str) -> None:
    code, _, err = deltarule(command, "pretraned")
    assert code == 2
    assert "did you mean 'pretrained'?" in err
