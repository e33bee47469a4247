"""Programs for Node that use the page's modules."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deltarule.native.loader import page_engine

STATIC = Path(__file__).parents[1] / "src" / "deltarule" / "playground" / "static"


def run_node(*arguments: str | Path, **environment: str) -> str:
    """What Node prints, with the page's engine in the file ENGINE of its environment."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here: install nodejs 20 or later to test the page's modules")
    with TemporaryDirectory() as folder:
        engine = Path(folder) / "engine.wasm"
        engine.write_bytes(page_engine())
        given = os.environ | environment | {"ENGINE": str(engine)}
        done = subprocess.run([node, *arguments], capture_output=True, text=True, env=given, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
