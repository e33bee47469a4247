"""Accuracy by the second: the recipes `quick`, `default` and `thorough`, made for 1, 10 and 60 seconds of two cores.

    python benchmarks/ladder.py
    python benchmarks/ladder.py --rungs quick,default --seeds 3

Each recipe is trained with every seed on all of MNIST's training images, then scored once on the test set. Beside that
stands what its settings were chosen by, its accuracy on the last 10,000 training images after learning the others
(--choices seeds). scikit-learn's MLPClassifier of (100, 100), all else its default, is in the same table.

warm is the seconds of `fit` alone; cold those of a fresh `deltarule train`, importing, loading, testing and
saving included. The results are written after every run, and a run that they hold is skipped.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from measuring import RESULTS, Row, machine, read_rows, surroundings, write_rows
from recipes import Plan, digest, examples, mean_and_sd, planned

from deltarule.recipes.build import build
from deltarule.training.evaluation import evaluate

RUNGS = {"quick": 1, "default": 10, "thorough": 60}
PEER = "scikit-learn"


def run_recipe(plan: Plan, engine: str, seed: int) -> Row:
    """A run of a recipe: accuracy and seconds of training."""
    job = build(plan.recipe, plan.splits, seed=seed, engine=engine)
    history = job.trainer.fit(job.train)
    assert job.test is not None
    accuracy = evaluate(job.trainer.network, job.model.scaled(job.test), engine=job.trainer.engine)[1]
    return {"seed": seed, "accuracy": accuracy, "warm_seconds": history["seconds"][-1], "machine": machine()}


def run_sklearn(held_out: bool, seed: int) -> Row:
    """The same for scikit-learn's network, whose inputs are float32 from 0 to 1 before its clock starts."""
    from sklearn.neural_network import MLPClassifier

    splits = examples("mnist", held_out)
    assert splits.test is not None
    X, X_test = (part.inputs / np.float32(255.0) for part in (splits.train, splits.test))
    began = time.perf_counter()
    network = MLPClassifier((100, 100), random_state=seed).fit(X, splits.train.targets)
    seconds = time.perf_counter() - began
    accuracy = network.score(X_test, splits.test.targets)
    return {"seed": seed, "accuracy": accuracy, "warm_seconds": seconds, "machine": machine()}


def cold_seconds(name: str) -> float:
    """How long a fresh `deltarule train NAME --data mnist` takes, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "deltarule",
            "train",
            name,
            "--data",
            "mnist",
            "--offline",
            "--engine",
            "native",
        ]
        subprocess.run(command, check=True, cwd=folder, env=os.environ, capture_output=True)
        return time.perf_counter() - began


def measure(known: list[Row], run: Callable[[int], Row], seeds: int, keep: Callable[[list[Row]], None]) -> None:
    """Run the seeds that are not known yet, and keep what is known after each."""
    for seed in sorted(set(range(seeds)) - {row["seed"] for row in known}):
        known.append(run(seed))
        print("  seed {seed}  {accuracy:.4f}  {warm_seconds:.2f} s".format(**known[-1]), flush=True)
        known.sort(key=lambda row: row["seed"])
        keep(known)


def climb(name: str, given: argparse.Namespace) -> None:
    """Measure a rung, or the peer, and write its row."""
    plans = None if name == PEER else {held_out: planned(name, [], held_out) for held_out in (False, True)}
    identity = PEER if plans is None else digest(plans[False].recipe, held_out=False)
    rows = read_rows(given.json)
    row = next((row for row in rows if (row["workload"], row["digest"]) == (name, identity)), None)
    row = row or {"benchmark": "ladder", "workload": name, "digest": identity, "budget_seconds": RUNGS.get(name)}

    def keep(part: str, runs: list[Row]) -> None:
        row[part] = runs
        row[f"{part}_accuracy"] = mean_and_sd([run["accuracy"] for run in runs])
        row["warm_seconds"] = median(run["warm_seconds"] for run in row.get("test", runs))
        others = [other for other in read_rows(given.json) if other["workload"] != name]
        write_rows(given.json, [*others, row | surroundings("scikit-learn")])

    for part, held_out, seeds in (("held_out", True, given.choices), ("test", False, given.seeds)):
        print(f"{name}, {'the last 10,000 training images' if held_out else 'test set'}", flush=True)
        run = partial(run_sklearn, held_out) if plans is None else partial(run_recipe, plans[held_out], "native")
        measure(row.get(part, []), run, seeds, lambda runs, part=part: keep(part, runs))
    if plans is not None and "cold_seconds" not in row:
        row["cold_seconds"] = cold_seconds(name)
        keep("test", row["test"])


def table(rows: list[Row]) -> str:
    """The ladder in words."""
    lines = [f"{'':14}{'held-out':>18}{'test':>18}{'warm':>9}{'cold':>9}"]
    for row in rows:
        scores = [
            "{:.2f} ± {:.2f} %".format(*(100 * (row[part][which] or 0.0) for which in ("mean", "sd")))
            for part in ("held_out_accuracy", "test_accuracy")
        ]
        cold = f"{row['cold_seconds']:.1f} s" if "cold_seconds" in row else ""
        lines.append(f"{row['workload']:14}{scores[0]:>18}{scores[1]:>18}{row['warm_seconds']:>7.1f} s{cold:>9}")
    return "\n".join(lines)


def main() -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rungs", default=",".join([*RUNGS, PEER]), metavar="A,B", help="which rows (all)")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="runs scored on the test set (10)")
    parser.add_argument("--choices", type=int, default=3, metavar="N", help="runs scored on training images (3)")
    parser.add_argument("--json", default=RESULTS / "ladder.json", metavar="FILE", help="results/ladder.json")
    given = parser.parse_args()
    for name in given.rungs.split(","):
        climb(name, given)
    print(table(read_rows(given.json)))


if __name__ == "__main__":
    main()
