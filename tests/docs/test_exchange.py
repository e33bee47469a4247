"""docs/exchange.md: its Python runs as it stands, block after block, and writes what it says."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "exchange.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("onnx", "onnxruntime", "sklearn", "pandas"):
        if find_spec(module) is None:
            pytest.skip(f"the page uses {module}")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, Any] = {}
    with np.errstate(all="warn", under="ignore"):  # scikit-learn's solver overflows on its way
        exec("\n".join(blocks), names)
    written = {"digits.onnx", "digits.npz", "iris.safetensors", "module.safetensors"}
    assert {path.name for path in tmp_path.iterdir()} == written
    assert names["theirs"].network.layer_sizes == (784, 16, 10)
