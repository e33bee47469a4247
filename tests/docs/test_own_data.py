"""docs/own-data.md: its programs and commands run in order, and say what the page says that they say."""

import re
import shlex
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from deltarule.cli import main
from deltarule.data.catalog import load as load_data

PAGE = (Path(__file__).parents[2] / "docs" / "own-data.md").read_text(encoding="utf-8")


class Step(NamedTuple):
    """A command of the page, and the lines below it."""

    command: str
    says: list[str]


def programs() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps() -> list[Step]:
    blocks = re.findall(r"(?:^    .+\n)+", PAGE, re.MULTILINE)
    found = []
    for block in blocks:
        for line in block.splitlines():
            text = line.strip()
            if text.startswith("$ "):
                found.append(Step(text[2:], []))
            else:
                found[-1].says.append(text)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page's commands read: its own tables, a few digits in Kaggle's form, crosses and bars as images."""
    pytest.importorskip("pandas")
    pillow = pytest.importorskip("PIL.Image")
    folder = tmp_path_factory.mktemp("own data")
    with chdir(folder):
        scope: dict[str, Any] = {}
        exec(programs()[0], scope)
        digits = load_data("digits").train.take(slice(60))
        header = [f"pixel{k}" for k in range(784)]
        for name, names, rows in (
            ("train.csv", ["label", *header], np.column_stack([digits.targets, digits.inputs])),
            ("test.csv", header, digits.inputs),
        ):
            np.savetxt(name, rows, "%d", delimiter=",", header=",".join(names), comments="")
        for k in range(20):
            pixels = np.zeros((30 + k, 40), np.uint8)
            pixels[:, 15:25] = 255
            pixels[10:20, :] = 255 * (k % 2)
            Path("pictures", ("bar", "cross")[k % 2]).mkdir(parents=True, exist_ok=True)
            pillow.fromarray(pixels).save(f"pictures/{('bar', 'cross')[k % 2]}/{k}.png")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, str]]:
    def command(line: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        monkeypatch.setenv("COLUMNS", "1000")
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, capsys.readouterr().err

    return command


def test_the_commands_of_the_page_run_and_say_what_it_says(
    folder: Path, run: Callable[[str], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert len(steps()) > 9
    for step in steps():
        code, err = run(step.command)
        assert (step.command, code != 0) == (step.command, any(line.startswith("Error") for line in step.says)), err
        said = {line.strip() for line in err.splitlines()}
        assert (step.command, [line for line in step.says if line not in said]) == (step.command, [])
    assert Path("submission.csv").read_text(encoding="utf-8").startswith("ImageId,Label\n1,")


def test_the_programs_of_the_page_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    scope: dict[str, Any] = {}
    for program in programs():
        exec(program, scope)
    (price,) = scope["model"].predict(scope["pd"].DataFrame({"town": ["Ulm"], "size": [100.0]}))[:, 0]
    assert price == pytest.approx(250.0, abs=25.0)  # 2.5 a square meter, and Ulm costs nothing more
