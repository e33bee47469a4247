"""deltarule train, interrupted and killed as a user or a machine does it: what is kept, and what is said."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.cli.interrupts import Interrupted, handle_interrupts
from deltarule.files.checkpoint import newest_checkpoint
from deltarule.files.model_file import load

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-m", "deltarule", "train"]
SET = ("--set", "batch_size=128", "--set", "network.hidden=[32]", "--engine", "numpy")  # whatever the recipe comes to
DIGITS = ("quick", "--data", "digits", "--holdout", "200", *SET)
LONG = (*DIGITS, "--epochs", "3000", "--every-seconds", "0.05")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def newest_step(folder: str) -> int:
    return newest_checkpoint(folder)[1].step


@pytest.mark.usefixtures("heeded_interrupts")
def test_ctrl_c_keeps_the_step_and_says_how_to_go_on(deltarule: Command) -> None:
    command = [*PROGRAM, *LONG, "--checkpoint", "kept"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 60/3000 " in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "by Ctrl-C; what it had learned until then is in model.safetensors" in err
    step = newest_step("kept")
    assert f"deltarule train --resume kept  goes on after step {step:,}" in err
    assert step > 600
    assert "after step" in deltarule("train", "--resume", "kept", "--epochs", "61", "--resume-anyway").err


def test_without_checkpoints_sigterm_keeps_what_was_learned() -> None:
    """Ctrl-C does the same: test_command_line.py. With checkpoints, SIGTERM is below."""
    command = [*PROGRAM, *DIGITS, "--epochs", "3000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 60/3000 " in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)  # an impatient one does not disturb what is being written
        err = process.communicate()[1]
    assert process.returncode == 143
    assert "by SIGTERM; what it had learned until then is in model.safetensors" in err
    assert "go on" not in err
    assert load("model.safetensors").record["epochs"] >= 60


def test_a_signal_that_was_to_be_ignored_is_ignored() -> None:
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    for ignored in signals:
        before = signal.signal(ignored, signal.SIG_IGN)
        try:
            for heard in signals - {ignored}:
                with handle_interrupts(None):
                    assert signal.getsignal(ignored) == signal.SIG_IGN
                    signal.raise_signal(ignored)
                    with pytest.raises(Interrupted) as caught:
                        signal.raise_signal(heard)
                    signal.raise_signal(heard)
                assert caught.value.signum == heard
        finally:
            signal.signal(ignored, before)


def test_a_killed_run_goes_on(deltarule: Command) -> None:
    with subprocess.Popen([*PROGRAM, *LONG, "--checkpoint", "kept"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(" 60/3000 " in line for line in process.stderr)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not Path("model.safetensors").exists()
    assert newest_step("kept") > 0
    some_more = str(newest_step("kept") // 10 + 2)  # epochs, of ten steps
    went_on = deltarule("train", "--resume", "kept", "--epochs", some_more, "--resume-anyway")
    assert went_on.code == 0
    assert "tested" in went_on.out


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
