"""The command line in this process, in an empty folder, and two small trained models."""

import os
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from deltarule.cli import main
from deltarule.inspection.diagnosis import causes


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout; fails if there is anything else, NaN included."""
        return msgspec.json.decode(self.out)


Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def _empty_folder_and_wide_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")  # so that no sentence is broken
    monkeypatch.setattr(causes, "WATCHED", 60)  # steps of a trial in `check`: fewer than in earnest


@pytest.fixture
def deltarule(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `deltarule ARGUMENTS`."""

    def run(*arguments: str | os.PathLike[str]) -> Result:
        monkeypatch.setattr(sys, "argv", ["deltarule", *map(os.fspath, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, *capsys.readouterr())

    return run


def trained(folder: Path, *arguments: str) -> Path:
    """The model that `deltarule train ARGUMENTS` saves in `folder`."""
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["deltarule", "train", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 0
    return folder / "model.safetensors"


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reads the bundled digits, with a softmax."""
    return trained(tmp_path_factory.mktemp("digits"), "linear", "--data", "digits", "--epochs", "2")


@pytest.fixture(scope="session")
def arithmetic_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Knows a little arithmetic: a regression of two numbers."""
    return trained(tmp_path_factory.mktemp("arithmetic"), "arithmetic", "--epochs", "2")
