"""The benchmarks run in this process: in one of its own, each would import NumPy, deltarule and its peer anew."""

import importlib
import json
import runpy
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a benchmark, as in `run("epoch.py", "--examples", "8", exits=0)`: what it prints on stdout and stderr."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(importlib.import_module("measuring"), "REST_SECONDS", 0.0)

    def running(script: str, *arguments: str | Path, exits: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        code, words = 0, ""
        with warnings.catch_warnings(action="default"), np.errstate(divide="warn", over="warn", invalid="warn"):
            try:
                runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
            except SystemExit as stop:
                code, words = (1, stop.code) if isinstance(stop.code, str) else (stop.code or 0, "")
        out, err = capsys.readouterr()
        assert code == exits, err
        return out, f"{err}{words}"

    return running


@pytest.fixture(scope="module")
def module(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The benchmark that a file of tests is about: records.py for test_records.py."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module(request.path.stem.removeprefix("test_"))
    sys.path.remove(str(BENCHMARKS))


class Here:
    """What measuring.Worker is, without a process of its own."""

    def __init__(self, subject: str, arguments: dict[str, Any], environment: object = None) -> None:
        module, name = subject.split(":")
        self.subject = getattr(importlib.import_module(module), name)(**arguments)

    def ask(self, method: str) -> Any:
        return json.loads(json.dumps(getattr(self.subject, method)()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """There is no process to end."""


@pytest.fixture
def _workers_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where it is not the processes that count, which test_peers.py starts: each would import scikit-learn anew."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(importlib.import_module("measuring"), "Worker", Here)
    sklearn = pytest.importorskip("sklearn", reason="the peer is scikit-learn")
    with sklearn.config_context():  # which a peer changes
        yield
