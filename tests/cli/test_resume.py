"""deltarule train --checkpoint and --resume: the command as a user meets it."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from deltarule.cli import train
from deltarule.cli.options import RECIPE_KEYS, TrainOptions
from deltarule.cli.resume import KEPT_OPTIONS
from deltarule.errors import FileError
from deltarule.files import run_folder
from deltarule.files.checkpoint import checkpoint_bytes, newest_checkpoint, read_checkpoint
from deltarule.files.model_file import load
from deltarule.files.run_folder import read_history, read_recording

Command = Callable[..., Any]
SET = ("--set", "batch_size=128", "--set", "network.hidden=[128]")  # whatever the recipe comes to
DIGITS = ("quick", "--data", "digits", "--holdout", "200", *SET)
SHORT = ("train", *DIGITS, "--epochs", "4")
STEPS = 40  # of SHORT: 1,237 images in batches of 128, four times


def weights(path: str) -> bytes:
    return load(path).network.parameters.vector.tobytes()


def newest_step(folder: str) -> int:
    return newest_checkpoint(folder)[1].step


def back_to_the_older(folder: str) -> None:
    """As if the run had been killed before its newest checkpoint."""
    max(Path(folder).glob("step-*")).unlink()


def test_a_run_goes_on_with_nothing_else_said(deltarule: Command) -> None:
    kept = deltarule(*SHORT, "--seed", "5", "--checkpoint", "kept", "--every-steps", "12", "--out", "a.safetensors")
    assert kept.code == 0
    assert deltarule(*SHORT, "--seed", "5", "--out", "plain.safetensors").code == 0
    back_to_the_older("kept")
    step = newest_step("kept")
    assert 0 < step < STEPS
    Path("a.safetensors").rename("b.safetensors")
    result = deltarule("train", "--resume", "kept", "--json")
    assert (result.code, result.json["model"], result.json["seed"]) == (0, "a.safetensors", 5)
    assert f"resumed  after step {step}, in epoch " in result.err
    assert weights("a.safetensors") == weights("b.safetensors") == weights("plain.safetensors")
    assert [row["epoch"] for row in result.json["history"]] == [0, 1, 2, 3, 4]


def test_it_says_where_it_goes_on_and_shows_the_epoch_before(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "20")
    back_to_the_older("kept")
    lines = deltarule("train", "--resume", "kept").err.splitlines()
    heading = next(k for k, line in enumerate(lines) if line.split()[:2] == ["epoch", "loss"])
    shown = [int(line.split()[0].removesuffix("/4")) for line in lines[heading + 1 :] if "/4 " in line]
    assert shown == list(range(shown[0], 5))
    assert shown[0] > 0
    assert "the weights are random" not in "".join(lines)


def test_the_folder_of_a_run_is_enough(deltarule: Command) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    assert deltarule(*SHORT, "--run", "run", "--every-steps", "12").code == 0
    history, recording = read_history("run"), read_recording("run")
    model = weights("run/model.safetensors")
    back_to_the_older("run/checkpoints")
    Path("run/model.safetensors").unlink()
    assert deltarule("train", "--resume", "run").code == 0
    assert weights("run/model.safetensors") == model
    again = read_history("run")
    assert [row["validation_loss"] for row in again] == [row["validation_loss"] for row in history]
    assert read_recording("run")["epochs"].tolist() == recording["epochs"].tolist() == [0, 1, 2, 3, 4]
    assert not Path("model.safetensors").exists()


def test_a_damaged_one_is_passed_over_and_that_is_said(deltarule: Command, caplog: Any) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    older, newest = sorted(Path("kept").glob("step-*"))
    newest.write_bytes(newest.read_bytes()[:-5])
    result = deltarule("train", "--resume", "kept")
    assert result.code == 0
    assert f"after step {int(older.stem[5:])}," in result.err
    assert f"skipped: {newest} is not an intact checkpoint" in caplog.text


def test_other_checkpoints_are_left_alone(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    code, out, err = deltarule(*SHORT, "--checkpoint", "kept")
    assert (code, out) == (2, "")
    assert "got kept, which holds those of another run; deltarule train --resume kept  resumes it" in err


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        (["--epochs", "5"], "epochs was 4 and is 5"),
        (["--set", "optimizer=sgd"], "optimizer was Adam"),
        (["linear"], "network was 784-128-10 and is 784-10"),
        (["--seed", "3"], "seed was 0 and is 3"),
        (["--holdout", "100"], "training data was 1,237 examples, SHA-256 "),
    ],
)
def test_another_run_is_refused_and_the_difference_named(
    deltarule: Command, arguments: list[str], difference: str
) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    code, out, err = deltarule("train", *arguments, "--resume", "kept")
    assert (code, out) == (2, "")
    assert difference in err
    assert "--resume-anyway  goes on with the new ones" in err


def test_told_to_it_goes_on_nevertheless(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    result = deltarule("train", "--epochs", "5", "--resume", "kept", "--resume-anyway", "--json")
    assert result.code == 0
    assert "anyway   schedule was OneCycle" in result.err
    assert result.json["epochs"] == 5


def test_checkpoints_may_go_elsewhere_from_there_on(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12", "--out", "a.safetensors")
    back_to_the_older("kept")
    before = {path.name: path.read_bytes() for path in Path("kept").iterdir()}
    result = deltarule("train", "--resume", "kept", "--checkpoint", "new", "--every-steps", "5", "--out", "b")
    assert result.code == 0
    assert {path.name: path.read_bytes() for path in Path("kept").iterdir()} == before
    assert newest_step("new") > newest_step("kept")
    assert weights("a.safetensors") == weights("b")


def test_from_a_model_it_needs_the_model_again(deltarule: Command, digits_model: Path) -> None:
    start = shutil.copy(digits_model, "start.safetensors")
    begun = ("train", "linear", "--data", "digits", "--from", start, "--epochs", "30", "--out", "a.safetensors")
    deltarule(*begun, "--checkpoint", "kept", "--every-steps", "9")
    back_to_the_older("kept")
    assert deltarule("train", "--resume", "kept", "--out", "b.safetensors").code == 0
    assert weights("a.safetensors") == weights("b.safetensors")
    Path(start).rename("moved.safetensors")
    assert "start.safetensors, which does not exist: say where they are" in deltarule("train", "--resume", "kept").err
    again = deltarule("train", "--resume", "kept", "--from", "moved.safetensors", "--out", "c.safetensors")
    assert again.code == 0
    assert weights("a.safetensors") == weights("c.safetensors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "none"], "--resume takes a folder of checkpoints: got none, which does not exist"),
        (["--every-steps", "5"], "got no folder; add --checkpoint DIR"),
        (["--resume", "none/step-000000000001.safetensors"], "which does not exist"),
        (
            ["--resume", __file__],
            f"a file; give the folder; deltarule train --from {__file__}  starts from a model's weights",
        ),
        (["--checkpoint", "c", "--every-steps", "5", "--every-seconds", "5"], "got both; give one"),
        (["--run", "r", "--every-steps", "5", "--every-seconds", "5"], "got both; give one"),
        (["--resume-anyway"], "--resume-anyway is for a run to resume: got none; add --resume DIR"),
    ],
)
def test_wrong_use_is_code_2(deltarule: Command, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("train", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def change_record(folder: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path, snapshot = newest_checkpoint(folder)
    path.write_bytes(checkpoint_bytes(replace(snapshot, record=change(dict(snapshot.record)))))


def test_a_checkpoint_keeps_the_options_that_are_marked(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    once = {"given", "data", "changes", "checkpoint", "every_steps", "every_seconds"}
    once |= {"recipe", "resume", "resume_anyway", "force", "offline", "as_json"}
    once |= RECIPE_KEYS.keys()
    assert set(KEPT_OPTIONS) == {each.name for each in fields(TrainOptions)} - once
    assert set(newest_checkpoint("kept")[1].record) == {"recipe", "recipe_name", *KEPT_OPTIONS}


def test_a_checkpoint_without_later_options_is_read(deltarule: Command) -> None:
    deltarule(*SHORT, "--seed", "5", "--checkpoint", "kept", "--every-steps", "12")
    earlier = ("recipe", "recipe_name", "engine", "target", "target_task", "seed", "holdout", "start", "out", "run")
    change_record("kept", lambda record: {name: record[name] for name in (*earlier, "plot")} | {"diagnose": False})
    result = deltarule("train", "--resume", "kept", "--json")
    assert (result.code, result.json["seed"]) == (0, 5)


@pytest.mark.parametrize("change", [{"seed": "5"}, {"missing": "guess"}, {"run": 3}, {"unheard_of": 1}])
def test_a_record_that_train_did_not_write_is_refused(deltarule: Command, change: dict[str, Any]) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    change_record("kept", lambda record: record | change)
    code, out, err = deltarule("train", "--resume", "kept")
    assert (code, out) == (2, "")
    assert "were made by a program, not by deltarule train" in err


def test_checkpoints_of_a_program_go_on_in_that_program(deltarule: Command) -> None:
    import numpy as np

    import deltarule as dr

    dr.fit(dr.Network((2, 2)), np.eye(2), np.array([0, 1]), callbacks=[dr.Checkpoints("kept", every_steps=1)])
    code, _, err = deltarule("train", "--resume", "kept")
    assert code == 2
    assert "were made by a program, not by deltarule train: resume with that program" in err


def test_a_folder_that_cannot_be_made_fails_before_any_work(deltarule: Command) -> None:
    Path("file").write_text("")
    code, out, err = deltarule(*SHORT, "--checkpoint", "file/kept")
    assert (code, out) == (1, "")
    assert "a run needs a folder that can be written to: got file/kept: Not a directory" in err
    assert "recipe" not in err


@pytest.mark.parametrize(
    ("name", "place", "precious"),
    [("out", "a", "a"), ("run", "run", "run/recipe.toml"), ("plot", "curves.png", "curves.png")],
)
def test_results_replace_nothing_else_on_the_word_of_a_stranger(
    deltarule: Command, name: str, place: str, precious: str
) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    begun = [*SHORT, "--checkpoint", "kept", "--every-steps", "12", f"--{name}", place]
    assert deltarule(*begun).code == 0
    if name != "plot":  # what is there is the result of such a run
        assert deltarule("train", "--resume", "kept").code == 0
    if name == "run":
        shutil.rmtree("run")
        Path("run").mkdir()
    Path(precious).write_text("precious")
    code, out, err = deltarule("train", "--resume", "kept")
    assert (code, out) == (2, "")
    assert f"got '{place}' for --{name}; confirm it with  --{name} {place} --force  or give another path" in err
    assert Path(precious).read_text() == "precious"


@pytest.mark.parametrize("place", [".profile", "a\0b", "link.safetensors", "x" * 5000])
def test_nothing_new_is_made_where_a_stranger_says(deltarule: Command, place: str) -> None:
    """A link leads to where a name of another kind would be made, and other names are none."""
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    change_record("kept", lambda record: record | {"out": place})
    Path("link.safetensors").symlink_to(".profile")
    code, out, err = deltarule("train", "--resume", "kept")
    assert (code, out) == (2, "")
    assert "for --out" in err
    assert not Path(".profile").exists()


def test_a_run_whose_folder_is_full_ends_with_its_network(
    deltarule: Command, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(files: run_folder.RunFiles, rows: Any) -> None:
        raise FileError(f"{files.folder} could not be written: the disk is full")

    monkeypatch.setattr(run_folder.RunFiles, "write_history", full)
    monkeypatch.setattr(run_folder.RunFiles, "write_recording", full)
    assert deltarule(*SHORT, "--run", "run").code == 0
    assert caplog.text.count("history not written: run could not be written: the disk is full") == 5
    assert caplog.text.count("recording not written: run could not be written: the disk is full") == 1
    assert weights("run/model.safetensors")


def test_a_network_that_cannot_go_where_it_should_goes_elsewhere(
    deltarule: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, whole = train.write_atomically, Path("whole.safetensors")
    assert deltarule(*SHORT, "--out", whole).code == 0
    Path("disk").mkdir()

    def full(path: Path, data: bytes, kind: str, **how: bool) -> None:
        if path.parent.name in full_disks:
            raise FileError(f"{path} could not be written: the disk is full")
        real(path, data, kind, **how)

    monkeypatch.setattr(train, "write_atomically", full)
    full_disks = {"disk"}
    code, out, err = deltarule(*SHORT, "--out", "disk/a.safetensors")
    assert (code, out) == (1, "")
    rescued = Path(err.rpartition("To save it, the network was written to ")[2].strip())
    assert weights(str(rescued)) == weights(str(whole))
    full_disks.add(rescued.parent.name)
    assert Path(tempfile.gettempdir()) != rescued.parent
    monkeypatch.setattr(tempfile, "tempdir", str(Path("disk").resolve()))
    assert "Nor could the network be written elsewhere" in deltarule(*SHORT, "--out", "disk/a.safetensors").err


STILL = ("--epochs", "1", "--learning-rate", "1e-30", "--out", "same.safetensors")  # changes no float32
EARLIER = Path(__file__).parents[1] / "goldens" / "step-000000000010.safetensors"  # of xor, by the first version


def test_a_checkpoint_of_the_first_version_gives_its_weights(deltarule: Command) -> None:
    Path("kept").mkdir()
    shutil.copy(EARLIER, "kept")
    result = deltarule("train", "--resume", "kept")
    assert result.code == 2
    assert "a checkpoint of an earlier deltarule" in result.err
    again = f"--from kept/{EARLIER.name}"
    assert again in " ".join(result.err.split())
    result = deltarule("train", "--from", "kept", *STILL)
    assert result.code == 0
    assert f"weights  kept/{EARLIER.name}: those after step 10" in result.err
    parameters = read_checkpoint(EARLIER, weights_only=True).arrays["parameters"]
    assert weights("same.safetensors") == parameters.tobytes()
    result = deltarule("train", "nielsen-30", "--data", "digits", *again.split())
    assert result.code == 2
    assert "a checkpoint of 33 parameters, for a network of 23,860" in " ".join(result.err.split())


def test_a_checkpoint_gives_its_weights_to_a_new_run(deltarule: Command) -> None:
    deltarule("train", "xor", "--epochs", "30", "--checkpoint", "kept", "--out", "long.safetensors")
    parameters = newest_checkpoint("kept")[1].arrays["parameters"]
    Path("kept").rename("moved")
    assert deltarule("train", "--from", "moved", *STILL, "--checkpoint", "new", "--every-steps", "1").code == 0
    assert weights("same.safetensors") == parameters.tobytes()
    assert deltarule("train", "--resume", "new").code == 0
