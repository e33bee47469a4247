"""That the estimators' benchmark runs, and that its arithmetic is right."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

Run = Callable[..., tuple[str, str]]
SCRIPTS = Path(__file__).parents[2] / "benchmarks"
FITTING: Any = runpy.run_path(str(SCRIPTS / "fitting.py"))


@pytest.mark.usefixtures("_workers_here")
def test_a_table_is_scored_and_timed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    small = ["--tables", "wine", "--engines", "numpy", "--seeds", "1", "--folds", "2", "--repetitions", "2"]
    said, _ = run("estimators.py", *small, "--json", path)
    (row,) = json.loads(path.read_text(encoding="utf-8"))
    assert (row["workload"], row["peer"], row["engine"]) == ("wine", "scikit-learn", "numpy")
    assert row["epochs"] == row["peer_epochs"] == 600
    assert row["ours_loss"] == pytest.approx(row["peer_loss"])
    assert row["ours_score"] == row["peer_score"] > 0.9
    assert row["ratio_low"] < row["ratio"] < row["ratio_high"]
    assert "scikit-learn" in row["versions"]
    assert said.splitlines()[-1].startswith("numpy: ")


def test_a_table_that_is_not_there_is_refused(run: Run) -> None:
    said, complaint = run("estimators.py", "--tables", "iris", exits=1)
    assert said == ""
    assert "no table is called 'iris': digits, breast cancer, wine, diabetes, synthetic" in complaint


def test_pairs_of_scores_are_compared() -> None:
    """By hand: differences -1, -2 and -3 have mean -2, deviation 1, and standard error 1 / sqrt(3)."""
    found = FITTING["compared_scores"]([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    assert (found["fits"], found["ours_score"], found["peer_score"]) == (3, 2.0, 4.0)
    assert found["score_difference"] == -2.0
    assert found["score_standard_error"] == pytest.approx(0.57735, abs=1e-5)
    assert not found["not_worse"]
    assert FITTING["compared_scores"]([1.0, 2.0], [2.0, 1.0])["not_worse"]


def test_every_table_is_what_its_name_says() -> None:
    shapes = {name: table.load()[0].shape for name, table in FITTING["TABLES"].items()}
    assert shapes == {
        "digits": (1797, 64),
        "breast cancer": (569, 30),
        "wine": (178, 13),
        "diabetes": (442, 10),
        "synthetic": (20_000, 20),
    }
