"""ink.js reads as data/ink does, to the last bit: MNIST's images drawn in many ways, and the committed file."""

import json
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from deltarule.data.dataset import Splits

HERE = Path(__file__).parent
SCRIPT = runpy.run_path(str(HERE.parents[1] / "scripts" / "make_ink_golden.py"))


@pytest.mark.no_cover
def test_mnists_images_are_read_alike(mnist: Splits, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here: install nodejs 20 or later to test the page's modules")
    assert mnist.test is not None
    digits = mnist.test.inputs[:200].reshape(-1, 28, 28)
    golden = tmp_path / "mnist.json"
    golden.write_text(json.dumps(SCRIPT["golden"](digits, n_drawings=0)), encoding="utf-8")
    command = [node, "--test", "--test-name-pattern=every picture", HERE / "ink.test.js"]
    environment = os.environ | {"INK_GOLDEN": str(golden)}
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "pass 1" in result.stdout


def test_the_golden_file_is_what_the_library_reads() -> None:
    stored = json.loads(SCRIPT["GOLDEN"].read_text(encoding="utf-8"))
    assert stored == SCRIPT["golden"](SCRIPT["bundled"]())
    assert sum(digest == "blank" for digest in stored["pictures"] + stored["drawings"]) < 20
