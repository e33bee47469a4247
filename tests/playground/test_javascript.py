"""The page's modules that touch no page, run by Node: what they compute is what the library computes."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.parametrize("program", sorted(path.name for path in HERE.glob("*.test.js")))
def test_javascript(program: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here: install nodejs 20 or later to test the page's modules")
    result = subprocess.run([node, "--test", HERE / program], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_golden_file_is_what_the_library_computes() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_playground_golden.py"))
    stored = json.loads(script["GOLDEN"].read_text(encoding="utf-8"))
    for old, new in zip(stored["cases"], script["golden"]()["cases"], strict=True):
        assert old["model"] == new["model"]
        np.testing.assert_allclose(flat(old), flat(new), rtol=1e-13, atol=1e-15)


def flat(thing: Any) -> list[float]:
    """All numbers in it, in order."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, list):
        return [number for each in thing for number in flat(each)]
    return [thing] if isinstance(thing, int | float) else []
