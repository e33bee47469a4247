"""The examples run as they stand, in an empty folder, and stay short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
LIMITS = {"one_page.py": 100}  # run by test_one_page.py, because it needs MNIST
SAID = {
    "continue_from_model.py": "after three more epochs",
    "own_activation.py": "relative error",
    "own_csv.py": "rye on a field of 3 by 7: 10",
    "scikit_learn.py": "beyond scikit-learn: 9",
    "train_from_arrays.py": "it has never seen",
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES} == set(SAID) | set(LIMITS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LIMITS.get(path.name, 40)


@pytest.mark.parametrize("name", SAID)
def test_an_example_runs_and_says_its_result(name: str, tmp_path: Path) -> None:
    path = next(path for path in EXAMPLES if path.name == name)
    quiet = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, check=True, cwd=tmp_path, env=quiet
    )
    assert SAID[name] in result.stdout
