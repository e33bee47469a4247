"""deltarule train --checkpoint and --resume: the command as a user meets it, signals and kills included."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.files.checkpoint import newest_in
from deltarule.files.model_file import load
from deltarule.files.run_folder import read_history, read_recording

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-m", "deltarule", "train"]
SET = ("--set", "batch_size=128", "--set", "network.hidden=[128]")  # whatever the recipe comes to
DIGITS = ("quick", "--data", "digits", "--holdout", "200", *SET)
SHORT = ("train", *DIGITS, "--epochs", "4")
LONG = (*DIGITS, "--epochs", "3000", "--every-seconds", "0.05")
STEPS = 40  # of SHORT: 1,237 images in batches of 128, four times

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def weights(path: str) -> bytes:
    return load(path).network.parameters.vector.tobytes()


def newest_step(folder: str) -> int:
    return newest_in(folder)[1].step


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
    assert "the network guesses" not in "".join(lines)


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
    assert f"passed over: {newest} is no sound checkpoint" in caplog.text


def test_other_checkpoints_are_left_alone(deltarule: Command) -> None:
    deltarule(*SHORT, "--checkpoint", "kept", "--every-steps", "12")
    code, out, err = deltarule(*SHORT, "--checkpoint", "kept")
    assert (code, out) == (2, "")
    assert "got kept, which holds those of another; deltarule train --resume kept  goes on with that run" in err


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
    assert "--resume-anyway  goes on nevertheless" in err


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
    Path(start).unlink()
    assert "start.safetensors, which does not exist" in deltarule("train", "--resume", "kept").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "none"], "--resume takes a folder of checkpoints: got none, which holds none"),
        (["--every-steps", "5"], "got no folder; add --checkpoint DIR"),
        (["--checkpoint", "c", "--every-steps", "5", "--every-seconds", "5"], "got both; give one"),
    ],
)
def test_wrong_use_is_code_2(deltarule: Command, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("train", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_checkpoints_of_a_program_go_on_in_that_program(deltarule: Command) -> None:
    import numpy as np

    import deltarule as dr

    dr.fit(dr.Network((2, 2)), np.eye(2), np.array([0, 1]), callbacks=[dr.Checkpoints("kept", every_steps=1)])
    code, _, err = deltarule("train", "--resume", "kept")
    assert code == 2
    assert "were made by a program, not by deltarule train: go on with that program" in err


def test_a_folder_that_cannot_be_made_fails_before_any_work(deltarule: Command) -> None:
    Path("file").write_text("")
    code, out, err = deltarule(*SHORT, "--checkpoint", "file/kept")
    assert (code, out) == (1, "")
    assert "checkpoints need a folder that can be written to: got file/kept: Not a directory" in err
    assert "recipe" not in err


@posix_only
@pytest.mark.usefixtures("heeded_interrupts")
@pytest.mark.parametrize(
    ("which", "word", "code"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)], ids=["INT", "TERM"]
)
def test_a_signal_keeps_the_step_and_says_how_to_go_on(deltarule: Command, which: int, word: str, code: int) -> None:
    command = [*PROGRAM, *LONG, "--checkpoint", "kept"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 60/3000 " in line for line in process.stderr)
        process.send_signal(which)
        out, err = process.communicate()
    assert (process.returncode, out) == (code, "")
    assert f"by {word}; what it had learned until then is in model.safetensors" in err
    step = newest_step("kept")
    assert f"deltarule train --resume kept  goes on after step {step:,}" in err
    assert step > 600
    assert "after step" in deltarule("train", "--resume", "kept", "--epochs", "61", "--resume-anyway").err


@posix_only
def test_a_killed_run_goes_on(deltarule: Command) -> None:
    with subprocess.Popen([*PROGRAM, *LONG, "--checkpoint", "kept"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 60/3000 " in line for line in process.stderr)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not Path("model.safetensors").exists()
    assert newest_step("kept") > 0
    went_on = deltarule("train", "--resume", "kept", "--epochs", "120", "--resume-anyway")
    assert went_on.code == 0
    assert "tested" in went_on.out


@posix_only
def test_a_step_that_takes_too_long_is_broken_off() -> None:
    """Full batches through a wide network take seconds; the process is gone long before one ends."""
    slow = ["--set", "batch_size=full", "--set", "network.hidden=[2000,2000]", "--epochs", "50", "--engine", "numpy"]
    command = [*PROGRAM, "quick", "--data", "digits", *slow, "--checkpoint", "kept"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 2/50 " in line for line in process.stderr)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        err = process.communicate()[1]
    assert process.returncode == 143
    assert "goes on after step " in err
    assert newest_step("kept") >= 2
    assert time.monotonic() - began < 30.0  # 50 such steps take minutes
