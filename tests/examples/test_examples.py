"""The examples run as they stand, in an empty folder, and stay short."""

import ast
import os
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
LIMITS = {"one_page.py": 100}  # run by test_one_page.py, because it needs MNIST
APART = {"dask_search.py", "optuna_search.py"}  # whose processes import the program
SAID = {
    "continue_from_model.py": "after three more epochs",
    "own_activation.py": "relative error",
    "own_callback.py": "epoch 2  train_accuracy",
    "own_csv.py": "rye on a field of 3 by 7: 10",
    "scikit_learn.py": "beyond scikit-learn: 9",
    "train_from_arrays.py": "it has never seen",
}
NEEDED = {"dask_search.py": ("distributed", "sklearn"), "optuna_search.py": ("optuna",)}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES} == set(SAID) | set(LIMITS) | APART


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LIMITS.get(path.name, 40)


@pytest.mark.parametrize("name", SAID)
def test_an_example_runs_and_says_its_result(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    with np.errstate(divide="warn", over="warn", invalid="warn"):
        runpy.run_path(str(next(path for path in EXAMPLES if path.name == name)), run_name="__main__")
    assert SAID[name] in capsys.readouterr().out


def test_dask_gives_the_fits_to_two_workers(tmp_path: Path) -> None:
    assert "6 settings, tried by 2 worker processes" in said("dask_search.py", tmp_path)


def test_optunas_trials_come_from_two_processes_and_some_end_early(tmp_path: Path) -> None:
    text = said("optuna_search.py", tmp_path)
    trials = ast.literal_eval(text.partition("Counter(")[2].partition(")\n")[0])
    assert {process: sum(n for (name, _), n in trials.items() if name == process) for process, _ in trials} == {
        "first": 10,
        "second": 10,
    }
    assert {outcome for _, outcome in trials} == {"COMPLETE", "PRUNED"}
    assert "validation loss 0." in text


def said(name: str, folder: Path) -> str:
    """What an example prints in processes of its own; it is skipped where something that it needs is not installed."""
    for module in NEEDED[name]:
        if find_spec(module) is None:
            pytest.skip(f"{name} needs {module}")
    patient = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "120s"}  # on a busy machine workers take long to start
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1"} | patient
    path = next(path for path in EXAMPLES if path.name == name)
    result = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, cwd=folder, env=quiet
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
