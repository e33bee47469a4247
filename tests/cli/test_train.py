"""deltarule train: what it trains, says, saves, and does when something goes wrong."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.data.dataset import Splits
from deltarule.files.model_file import load, save
from deltarule.files.run_folder import FolderLock, read_history
from deltarule.nn.network import Network
from deltarule.recipes import read
from deltarule.recipes.schema import parse

Command = Callable[..., Any]
LINEAR = ("train", "linear", "--data", "digits")
SMALL = (*LINEAR, "--epochs", "1")


def weights(path: str | Path) -> bytes:
    return load(path).network.parameters.vector.tobytes()


def write_csv(path: str, header: str, rows: list[str]) -> None:
    Path(path).write_text("\n".join([header, *rows]) + "\n")


def test_with_nothing_else_and_no_mnist_it_trains_on_the_bundled_digits(deltarule: Command) -> None:
    result = deltarule("train", "--offline", "--epochs", "1")
    assert result.code == 0
    assert "the bundled digits (1,797 images), because mnist is not on this machine" in result.err
    assert "recipe   default" in result.err
    assert "suited   to 1,437 images: hidden layers 512-256, 1 epoch, batches of 256" in result.err
    assert "At epoch 0 the weights are random. Chance, one class in 10, is 10.00 %." in result.err
    assert "of 360 images right" in result.out
    assert load("model.safetensors").record["dataset"] == "digits"
    commands = [line.removeprefix("next").split() for line in result.out.splitlines()[-2:]]
    for program, *arguments in commands:
        assert program == "deltarule"
        assert deltarule(*arguments).code == 0


@pytest.mark.parametrize(
    ("arguments", "chance"),
    [
        (SMALL, "Chance, one class in 10, is 10.00 %."),
        (("train", "cute-dog", "--epochs", "1"), "Chance, a coin toss per label, is 50.00 %."),
        (("train", "arithmetic", "--epochs", "1"), "Always answering the mean gives R2 0."),
    ],
)
def test_the_first_line_says_what_chance_is_for_the_task(
    deltarule: Command, arguments: tuple[str, ...], chance: str
) -> None:
    assert f"At epoch 0 the weights are random. {chance}\n" in deltarule(*arguments).err


def test_with_nothing_else_it_finds_mnist(deltarule: Command, mnist: Splits) -> None:
    small = ("--set", "data.split={kind='head', train=500}", "--set", "network.hidden=[]", "--epochs", "1")
    result = deltarule("train", *small, "--json")
    assert (result.json["recipe"], result.json["dataset"]) == ("default", "mnist")
    assert (result.json["train_examples"], result.json["test_examples"]) == (500, 59_500)
    assert "MNIST, because it is in" in result.err


def test_its_json_agrees_with_what_it_saved(deltarule: Command) -> None:
    facts = deltarule(*SMALL, "--seed", "3", "--out", "m.safetensors", "--json").json
    model = load("m.safetensors")
    test = load_data("digits").test
    assert test is not None
    assert facts["test_accuracy"] == (model.predict(test.inputs) == test.targets).mean()
    assert facts["parameters"] == 7850
    assert (facts["train_examples"], facts["test_examples"]) == (1437, 360)
    assert (facts["model"], facts["engine"], facts["seed"]) == ("m.safetensors", "native", 3)
    assert [row["epoch"] for row in facts["history"]] == [0, 1] == list(range(facts["epochs"] + 1))
    assert {key: model.record[key] for key in facts if key in model.record} == {
        key: value for key, value in facts.items() if key not in ("model", "history", "mistakes", "stop_reason")
    }


def test_the_report_shows_the_mistake_that_the_json_puts_first(deltarule: Command) -> None:
    worst = deltarule(*SMALL, "--json").json["mistakes"][0]
    shown = deltarule(*SMALL).out
    names = "0123456789"
    assert (
        f"image {worst['example']}, is {names[worst['true']]}, taken for {names[worst['predicted']]} "
        f"with probability {worst['activation']:.4f}"
    ) in shown
    assert "█" in shown


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(deltarule: Command) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert deltarule(*SMALL, "--seed", seed, "--out", name).code == 0
    assert weights("a") == weights("b") != weights("c")


def test_holdout_keeps_the_best_epoch(deltarule: Command) -> None:
    result = deltarule(*LINEAR, "--epochs", "3", "--holdout", "400", "--set", "schedule.rate=0.5", "--json")
    losses = [row["validation_loss"] for row in result.json["history"]]
    assert result.json["best_epoch"] == losses.index(min(losses))
    assert (result.json["train_examples"], result.json["validation_examples"]) == (1037, 400)


def test_a_run_folder_is_enough_to_repeat_the_run(deltarule: Command) -> None:
    facts = deltarule(*SMALL, "--set", "schedule.rate=0.01", "--seed", "5", "--run", "run", "--json").json
    assert facts["model"] == str(Path("run", "model.safetensors"))
    assert read_history("run") == facts["history"]
    recipe = read("run/recipe.toml")
    assert (recipe.training.schedule, recipe.data.name) == ({"name": "cosine", "rate": 0.01}, "digits")
    assert deltarule("train", "run", "--seed", "5", "--out", "again").code == 0
    assert weights("again") == weights("run/model.safetensors")
    assert parse(load("again").record["recipe_toml"], "saved") == recipe


def test_a_run_folder_that_cannot_be_made_ends_the_run_before_it_begins(deltarule: Command) -> None:
    Path("taken").write_text("a file")
    code, out, err = deltarule(*SMALL, "--run", "taken")
    assert (code, out) == (2, "")
    assert "a run needs a folder: got taken" in err
    assert "epoch 0" not in err


def test_two_runs_in_one_folder_at_once_are_refused(deltarule: Command) -> None:
    """The second would write its history and its model among the files of the first."""
    assert deltarule(*SMALL, "--run", "run").code == 0
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    with FolderLock(Path("run")):
        code, out, err = deltarule(*SMALL, "--run", "run", "--force")
    assert (code, out) == (1, "")
    assert f"got run, which another run writes to, process {os.getpid()} on " in err
    assert "; wait for it, stop it, or give another folder" in err
    after = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    assert after.pop(".lock").startswith(f"{os.getpid()} on ".encode())
    assert before.pop(".lock")
    assert after == before
    assert deltarule(*SMALL, "--run", "run", "--force").code == 0


def test_with_run_and_out_the_model_is_in_both_places(deltarule: Command) -> None:
    assert deltarule(*SMALL, "--run", "run", "--out", "m").code == 0
    assert Path("m").read_bytes() == Path("run/model.safetensors").read_bytes()


def test_plot_draws_the_curves(deltarule: Command) -> None:
    pytest.importorskip("matplotlib")
    assert deltarule(*SMALL, "--plot", "curves.png").code == 0
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")


def test_from_goes_on_from_a_model(deltarule: Command, digits_model: Path) -> None:
    standing = ("--set", "schedule.rate=0", "--out", "same")
    result = deltarule(*SMALL, "--from", digits_model, *standing)
    assert weights("same") == weights(digits_model)
    assert "the given model, before any step" in result.err


def test_from_takes_over_the_names_of_new_classes(deltarule: Command, digits_model: Path) -> None:
    digits = load_data("digits").train
    np.savez("few.npz", X=digits.inputs[:50], y=digits.targets[:50])
    Path("letters").mkdir()
    pillow = pytest.importorskip("PIL.Image")
    for k, letter in enumerate("abcdefghij"):
        Path("letters", letter).mkdir()
        for n in range(5):
            pillow.fromarray(digits.inputs[k + n].reshape(28, 28)).save(Path("letters", letter, f"{n}.png"))
    assert deltarule("train", "linear", "--data", "letters", "--from", digits_model, "--epochs", "1").code == 0
    assert load("model.safetensors").class_names == tuple("abcdefghij")


def test_an_older_model_is_replaced_and_that_is_said(deltarule: Command) -> None:
    assert "older" not in deltarule(*SMALL).out
    assert "model.safetensors, replacing an older file" in deltarule(*SMALL).out


def test_data_in_one_part_give_a_fifth_for_the_test(deltarule: Command) -> None:
    digits = load_data("digits").train
    rows = [",".join(map(str, [y, *x])) for x, y in zip(digits.inputs[:100], digits.targets[:100], strict=True)]
    write_csv("my.csv", ",".join(["label", *(f"pixel{k}" for k in range(784))]), rows)
    result = deltarule("train", "linear", "--data", "my.csv", "--epochs", "1", "--json")
    assert (result.json["train_examples"], result.json["test_examples"]) == (80, 20)
    assert "20 examples drawn at random for the test" in result.err
    again = deltarule("evaluate", "model.safetensors", "--json").json
    assert (again["examples"], again["accuracy"]) == (20, result.json["test_accuracy"])


def test_a_recipes_split_falls_back_to_that_of_other_data(deltarule: Command) -> None:
    result = deltarule("train", "sigmoid-16-16", "--data", "digits", "--epochs", "1", "--json")
    assert (result.json["train_examples"], result.json["test_examples"]) == (1437, 360)
    assert "the data's own test" in result.err


def test_a_recipes_split_stays_where_it_fits(deltarule: Command) -> None:
    result = deltarule(*SMALL, "--set", "data.split={kind='head', train=1000}", "--json")
    assert (result.json["train_examples"], result.json["test_examples"]) == (1000, 437)


def test_a_table_of_values(deltarule: Command) -> None:
    rows = [f"{x},{y},{2 * x - y + 100}" for x in range(12) for y in range(12)]
    write_csv("prices.csv", "x,y,price", rows)
    options = ("--data", "prices.csv", "--target", "price", "--task", "values", "--epochs", "60")
    result = deltarule("train", *options, "--set", "network.hidden=[]", "--set", "schedule.rate=0.05", "--json")
    assert result.json["test_r2"] > 0.9
    assert "no deformation" in result.err
    assert load("model.safetensors").class_names == ("price",)


def test_a_table_of_classes(deltarule: Command) -> None:
    rows = [f"{x},{'high' if x > 20 else 'low'}" for x in range(40)]
    write_csv("sizes.csv", "x,kind", rows)
    result = deltarule("train", "--data", "sizes.csv", "--target", "kind", "--epochs", "2")
    assert "of 8 examples right" in result.out
    assert load("model.safetensors").class_names == ("high", "low")


def test_where_there_is_no_test_it_says_so(deltarule: Command) -> None:
    report = deltarule("train", "xor", "--epochs", "1").out
    assert "there are no other examples for a test" in report
    facts = deltarule("train", "xor", "--epochs", "1", "--json").json
    assert (facts["test_examples"], facts["test_accuracy"], facts["test_loss"]) == (0, None, None)


def test_many_epochs_are_told_in_few_lines(deltarule: Command) -> None:
    lines = [line for line in deltarule("train", "xor", "--epochs", "203").err.splitlines() if "/203" in line]
    assert 20 <= len(lines) <= 52
    assert "0/203" in lines[0]
    assert "203/203" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["defalt"], "did you mean 'default'?"),
        (["--data", "dgits"], "did you mean 'digits'?"),
        (["--data", "digits", "--set", "epoch=3"], "did you mean training.epochs?"),
        (["--data", "digits", "--set", "network.activation=relo"], "did you mean 'relu'?"),
        (["--data", "digits", "--set", "epochs=many"], "epochs"),
        (["--data", "digits", "--engine", "numb"], "no engine is called 'numb'"),
        (["--data", "digits", "--holdout", "1437"], "must be 1 to 1436"),
        (["--data", "digits", "--from", "nothing"], "which does not exist; deltarule train  makes one"),
        (["--data", "digits", "--from", "default"], "is the name of a recipe; deltarule train default"),
        (["--data", "digits", "--out", "missing/m"], "its folder does not exist"),
        (["--data", "digits", "--out", "."], "which is a folder; give a file's name"),
        (["--data", "digits", "--plot", "curves.gif"], ".png, .svg or .pdf"),
        (["--data", "digits", "--epochs", "0"], "--epochs"),
        (["--data", "xor", "--target", "y"], "a column of a CSV file: got xor"),
        (["--target", "y"], "a column of a CSV file: got mnist"),
        (["missing.toml"], "missing.toml"),
    ],
)
def test_wrong_use_is_code_2_before_any_work(deltarule: Command, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("train", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "epoch 0" not in err
    assert list(Path().iterdir()) == []


def test_a_network_too_large_for_the_memory_is_an_error_and_no_traceback(deltarule: Command) -> None:
    code, _, err = deltarule(*SMALL, "--set", "network.hidden=[1000000000000]")
    assert code == 1
    assert "Error: Unable to allocate" in err


def test_mnist_that_cannot_be_had_is_a_failed_job_where_it_was_asked_for(deltarule: Command) -> None:
    code, _, err = deltarule("train", "quick", "--data", "mnist", "--offline")
    assert code == 1
    assert "--data digits" in err


def test_a_run_that_diverges_at_once_leaves_the_older_model_alone(deltarule: Command) -> None:
    save(Network((2, 2)), "model.safetensors")
    older = Path("model.safetensors").read_bytes()
    huge = ("--set", "schedule={name='constant', rate=1e38}", "--set", "network.hidden=[8]")
    code, out, err = deltarule(*LINEAR, *huge, "--set", "optimizer=sgd", "--set", "network.activation=identity")
    assert (code, out) == (1, "")
    assert "no epoch was complete, so nothing was saved" in err
    assert "of epoch 1, first in layer" in err
    assert Path("model.safetensors").read_bytes() == older


def test_a_run_that_diverges_later_keeps_what_it_had_learned(deltarule: Command) -> None:
    growing = ("--set", "schedule={name='step_decay', rate=0.1, every_epochs=1, factor=1e38}")
    network = ("--set", "network.hidden=[8]", "--set", "network.activation=identity", "--set", "optimizer=sgd")
    code, out, err = deltarule(*LINEAR, *growing, *network)
    assert (code, out) == (1, "")
    assert "diverged what it had learned until then is in model.safetensors" in err
    assert deltarule(*SMALL, *growing, *network, "--out", "one_epoch").code == 0
    assert weights("model.safetensors") == weights("one_epoch")


def test_a_full_disk_loses_nothing(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Network((2, 2)), "model.safetensors")
    older = Path("model.safetensors").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = deltarule(*SMALL)
    assert (code, out) == (1, "")
    assert "the disk is full" in err
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == {"model.safetensors": older}
