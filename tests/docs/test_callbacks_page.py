"""docs/callbacks.md: its Python runs as it stands."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    exec(block, {})
    assert {path.name for path in tmp_path.iterdir()} == {"best.safetensors", "history.csv"}
    said = capsys.readouterr().out
    rates = [float(rate) for rate in said[said.index("[") + 1 : said.index("]")].split(",")]
    assert rates[0] == 0.01
    assert min(rates) < 0.0031  # it did reduce
    assert rates == sorted(rates, reverse=True)
