"""`pretrained` is a MODEL for every command, unless a file has that name."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "pretrained", "--data", "digits", "--json"],
        ["explain", "pretrained", "--data", "digits", "--json"],
        ["diagnose", "pretrained", "--data", "digits", "--json"],
        ["train", "drawings", "--from", "pretrained", "--data", "digits", "--epochs", "1", "--json"],
        ["plot", "rates", "pretrained", "--data", "digits", "--json"],
    ],
)
def test_commands_take_it(deltarule: Command, arguments: list[str]) -> None:
    result = deltarule(*arguments)
    assert result.code == 0
    assert "pretrained.safetensors" in result.err
    assert result.json is not None


def test_a_file_of_that_name_comes_first(deltarule: Command, digits_model: Path) -> None:
    in_the_box = deltarule("evaluate", "pretrained", "--data", "digits", "--json").json
    shutil.copy(digits_model, "pretrained")
    mine = deltarule("evaluate", "pretrained", "--data", "digits", "--json").json
    assert mine["accuracy"] < 0.95 < in_the_box["accuracy"]


@pytest.mark.parametrize("command", ["explain", "gradcheck", "diagnose"])
def test_a_name_that_is_nearly_it_is_told_so(deltarule: Command, command: str) -> None:
    code, _, err = deltarule(command, "pretraned")
    assert code == 2
    assert "did you mean 'pretrained'?" in err
