"""What the README and the pages that it opens show is what the code says."""

import re
import shlex
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import app
from deltarule.data import download
from deltarule.errors import DownloadError

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/start.md", "docs/heart.md")}
README, START, _ = PAGES.values()
PROGRAM, STARTING, BACKWARD = (re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0] for page in PAGES.values())


def test_it_fits_on_one_screen() -> None:
    assert len(README.splitlines()) <= 60


def test_the_check_shown_is_what_check_prints_of_the_courses_program(tmp_path: Path) -> None:
    chapter = (ROOT / "docs/course/08-your-own-checked.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^program = '''\n(.*?)^'''$", chapter, re.DOTALL | re.MULTILINE)
    [(name, quoted)] = re.findall(r"^    \$ deltarule check (\S+)\n((?:    .+\n){5})", README, re.MULTILINE)
    (tmp_path / name).write_text(program, encoding="utf-8")
    printed = CliRunner().invoke(app, ["check", str(tmp_path / name), "--no-train"])
    assert printed.exit_code == 1
    assert dedent(quoted) in printed.stdout


def test_the_heart_is_quoted_word_for_word() -> None:
    source = dedent((ROOT / "src/deltarule/nn/network.py").read_text(encoding="utf-8"))
    quoted = [line.strip() for line in BACKWARD.splitlines()]
    lines = [line.strip() for line in source.splitlines()]
    start = lines.index(quoted[0])
    assert lines[start : start + len(quoted)] == quoted


@pytest.mark.parametrize("program", [PROGRAM, STARTING], ids=["README", "start"])
def test_the_program_runs(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "dr.plot" in program:
        pytest.importorskip("matplotlib", reason="plots need the extra plot")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(program.replace('"mnist"', '"digits"').replace("epochs=5", "epochs=1"), names)
    network, model = names["network"], names["model"]
    assert isinstance(network, dr.Network)
    assert isinstance(model, dr.Model)
    np.testing.assert_array_equal(model.network.parameters.vector, network.parameters.vector)


def test_the_program_runs_where_mnist_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class NoMirrors:
        def __init__(self, urls: object) -> None:
            pass

        def fetch(self, file: object, target: object) -> None:
            raise DownloadError("no mirror answers")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "Mirrors", NoMirrors)
    names: dict[str, object] = {}
    exec(STARTING.replace("epochs=5", "epochs=1"), names)
    assert isinstance(names["model"], dr.Model)
    said = capsys.readouterr().err
    assert (
        "the bundled digits (1,797 images), because mnist could not be downloaded: no mirror answers; to have" in said
    )


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\((.+?)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_commands_exist() -> None:
    shown = re.findall(r"^    (?:\$ )?(deltarule .+)$", README + START, re.MULTILINE)
    commands = {shlex.split(line)[1] for line in shown}
    assert commands
    for command in commands:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
