"""docs/names.md: no public name is missing, none is there that does not exist, and its Python runs as it stands."""

import re
from pathlib import Path

import pytest

import deltarule as dr

PAGE = (Path(__file__).parents[2] / "docs" / "names.md").read_text(encoding="utf-8")


def test_every_public_name_is_there() -> None:
    assert set(dr.__all__) - set(re.findall(r"`(\w+)", PAGE)) == set()


def test_every_name_there_is_public() -> None:
    cells = re.findall(r"^\| (`.+?) \|", PAGE, flags=re.MULTILINE)
    assert len(cells) > 30
    assert set(re.findall(r"`(\w+)", " ".join(cells))) - set(dr.__all__) == set()


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    exec(block, {})
    assert "100" in capsys.readouterr().out.splitlines()[-1]
