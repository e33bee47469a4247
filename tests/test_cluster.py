"""Benchmarks spread over a Dask cluster of two worker processes find what they find alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deltarule import recipes

PATIENT = os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "120s"}  # a busy machine starts workers slowly
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CLUSTER = """
import json
from dask.distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        print(cluster.scheduler_address, flush=True)
        input()
        print(json.dumps(list(client.run(lambda dask_worker: dask_worker.state.executed_count).values())))
"""
LADDER = """
import json, sys
from functools import partial
import ladder, recipes
run = partial(ladder.run_recipe, recipes.planned(sys.argv[1], [], False), "numpy")
known, kept = [{"seed": 1, "accuracy": 0.5, "warm_seconds": 1.0}], []
ladder.measured(known, run, 3, lambda runs: kept.append(len(runs)), sys.argv[2])
print(json.dumps([kept, known, [run(0), run(2)]]))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[subprocess.Popen[str]]:
    if find_spec("distributed") is None:
        pytest.skip("dask[distributed] is not installed")
    command = [sys.executable, "-c", CLUSTER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=PATIENT) as process:
        yield process


@pytest.fixture(scope="module")
def address(cluster: subprocess.Popen[str]) -> str:
    assert cluster.stdout is not None
    return cluster.stdout.readline().strip()


def written(tmp_path: Path, name: str, *changes: str) -> Path:
    path = tmp_path / f"{name}.toml"
    path.write_text(recipes.read(name).with_changes(changes).to_toml(), encoding="utf-8")
    return path


def findings(path: Path) -> Any:
    """What the runs in a file of results found, without how long that took and where."""
    (row,) = json.loads(path.read_text(encoding="utf-8"))
    circumstances = {"train_seconds", "machine", "threads", "versions"}
    return [{name: value for name, value in run.items() if name not in circumstances} for run in row["runs"]]


def started(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=BENCHMARKS, env=PATIENT)


def test_recipes(tmp_path: Path, address: str) -> None:
    options = ("recipes.py", "--recipes", written(tmp_path, "xor", "epochs=2"), "--seeds", "6", "--json")
    alone = started(*options, tmp_path / "alone.json")
    spread = started(*options, tmp_path / "spread.json", "--dask", address)
    assert (alone.returncode, spread.returncode) == (0, 0), spread.stderr
    assert spread.stdout.count("xor  seed") == 6
    assert [run["seed"] for run in findings(tmp_path / "spread.json")] == list(range(6))
    assert findings(tmp_path / "spread.json") == findings(tmp_path / "alone.json")
    assert started(*options, tmp_path / "spread.json", "--dask", address).stdout == ""  # all is recorded


def test_a_run_that_fails_is_told_and_the_others_are_kept(tmp_path: Path, address: str) -> None:
    wild = written(tmp_path, "arithmetic", "epochs=2", "schedule.rate=1e30")
    done = started("recipes.py", "--recipes", wild, "--seeds", "1", "--json", tmp_path / "a.json", "--dask", address)
    assert done.returncode == 1
    assert done.stderr.startswith("arithmetic  seed 0: loss and parameters must stay finite")
    assert not (tmp_path / "a.json").exists()


def test_the_ladder(tmp_path: Path, address: str) -> None:
    done = started("-c", LADDER, written(tmp_path, "linear", "data.name=digits", "epochs=1"), address)
    assert done.returncode == 0, done.stderr
    *told, last = done.stdout.splitlines()
    kept, known, alone = json.loads(last)
    assert (len(told), kept) == (2, [2, 3])
    assert [run["seed"] for run in known] == [0, 1, 2]
    assert [known[seed]["accuracy"] for seed in (0, 2)] == [run["accuracy"] for run in alone]


def test_both_workers_worked(cluster: subprocess.Popen[str], address: str) -> None:
    """To be run last: it ends the cluster."""
    out, _ = cluster.communicate("\n")
    counts = json.loads(out)
    assert len(counts) == 2
    assert min(counts) >= 1
