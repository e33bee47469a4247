"""Every recipe, trained with several seeds and scored once on examples that it has not seen: the README's table.

    python benchmarks/recipes.py
    python benchmarks/recipes.py --recipes quick,default --seeds 3
    python benchmarks/recipes.py --recipes default --choose --set schedule.rate=0.003

Seeds 0 to 4, and up to 19 where a run takes less than ten seconds: some recipes fail with one seed in seven. The
results are written after every run, and a run that they already hold is skipped: stop this and start it again as you
like. A recipe whose data, network or training has changed starts afresh.

--choose is for finding settings: the last sixth of the training examples (MNIST's last 10,000) takes the place of the
test set, which is not touched. Its results go into a file of their own.
"""

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, stdev

from measuring import RESULTS, Row, read_rows, surroundings, write_rows

from deltarule import recipes
from deltarule.data.catalog import load
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DeltaruleError
from deltarule.recipes.build import build
from deltarule.recipes.schema import Recipe
from deltarule.training.evaluation import evaluate
from deltarule.training.plan import SCORE_NAMES

LONG = ("hour", "ten-minutes")  # which records.py trains
SCORES = ("accuracy", "r2", "mnist_accuracy")
FEW, MANY, SHORT_SECONDS = 5, 20, 10.0  # how many seeds, and below which seconds of a run there are many


@cache
def examples(name: str, held_out: bool) -> Splits:
    """A data set; with `held_out`, the last sixth of its training examples takes the place of its test set."""
    splits = load(name, announce=lambda message: print(message, file=sys.stderr))
    return splits.train.hold_out(splits.train.n_samples // 6) if held_out else splits


@dataclass(frozen=True)
class Plan:
    """A recipe to measure: the name of its row, on held-out training examples or not, (inputs, hidden ..., outputs)."""

    recipe: Recipe
    workload: str
    held_out: bool
    layer_sizes: tuple[int, ...]

    @property
    def splits(self) -> Splits:
        """The examples, before the recipe splits them its own way."""
        return examples(self.recipe.data.name, self.held_out)

    @property
    def effort(self) -> int:
        """What training takes, roughly: weights, times examples, times epochs."""
        weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(self.layer_sizes))
        return weights * self.splits.train.n_samples * self.recipe.training.epochs


def digest(recipe: Recipe, held_out: bool) -> str:
    """What results belong to, in 16 characters: the recipe without what it says about itself, and the examples."""
    tree = tomllib.loads(recipe.to_toml()) | {"about": None}
    return hashlib.sha256(json.dumps([tree, held_out], sort_keys=True).encode()).hexdigest()[:16]


def planned(name: str, changes: Sequence[str], held_out: bool) -> Plan:
    """The plan for a recipe's name, or its TOML file, with some settings changed. Loads its data."""
    recipe = recipes.read(name).with_changes(changes)
    train = examples(recipe.data.name, held_out).train
    layer_sizes = (train.n_features, *recipe.network.hidden, train.n_outputs)
    return Plan(recipe, " ".join([recipe.about.name, *changes]), held_out, layer_sizes)


def mnist_test(plan: Plan) -> Dataset | None:
    """MNIST's test set, for a recipe that is tested on other digits; else None."""
    data = plan.recipe.data
    elsewhere = data.name == "digits" or (data.name == "mnist" and data.split.kind != "given")
    return examples("mnist", plan.held_out).test if elsewhere else None


def train_and_score(plan: Plan, seed: int) -> Row:
    """One run: trained as the command line does it, then scored."""
    job = build(plan.recipe, plan.splits, seed=seed)
    network, history = job.trainer.network, job.trainer.fit(job.train, job.validation)
    scored_on = job.train if job.test is None else job.model.scaled(job.test)
    loss, score = evaluate(network, scored_on)
    run = {
        "seed": seed,
        SCORE_NAMES[scored_on.task]: score,
        "loss": loss,
        "train_seconds": history["seconds"][-1],
        "epochs": len(history) - 1,
        "parameters": network.parameters.size,
        "unseen_examples": 0 if job.test is None else job.test.n_samples,
        "engine": job.trainer.engine.name,
    }
    if (mnist := mnist_test(plan)) is not None:
        run["mnist_accuracy"] = evaluate(network, job.model.scaled(mnist))[1]
    return run | surroundings()


def summary(plan: Plan, runs: Sequence[Row]) -> Row:
    """The row of a recipe: what it is, the mean and the standard deviation of its scores, and its runs."""
    return {
        "benchmark": "recipes",
        "workload": plan.workload,
        "digest": digest(plan.recipe, plan.held_out),
        "data": plan.recipe.data.name,
        "held_out": plan.held_out,
        "network": "-".join(map(str, plan.layer_sizes)),
        "expected": plan.recipe.about.expected,
        "source": plan.recipe.about.source,
        **{name: mean_and_sd([run[name] for run in runs]) for name in SCORES if name in runs[0]},
        "train_seconds": median(run["train_seconds"] for run in runs),
        "runs": runs,
    }


def mean_and_sd(values: Sequence[float]) -> Row:
    """The mean and the sample standard deviation, which a single value does not have."""
    return {"mean": fmean(values), "sd": stdev(values) if len(values) > 1 else None}


def recorded(path: Path, plan: Plan) -> list[Row]:
    """The runs in the file that are of this recipe as it is now."""
    wanted = plan.workload, digest(plan.recipe, plan.held_out)
    rows = [row for row in read_rows(path) if (row["workload"], row["digest"]) == wanted]
    return rows[0]["runs"] if rows else []


def record(path: Path, plan: Plan, new: Sequence[Row]) -> None:
    """Write the recipe's row anew: the recorded runs and the new ones, which take the place of equal seeds."""
    runs = {run["seed"]: run for run in [*recorded(path, plan), *new]}
    others = [row for row in read_rows(path) if row["workload"] != plan.workload]
    row = summary(plan, [runs[seed] for seed in sorted(runs)])
    write_rows(path, sorted([*others, row], key=lambda each: each["workload"]))


def measure(path: Path, plan: Plan, seeds: Sequence[int], failures: list[str], again: bool) -> None:
    """Train with each of the seeds that the file does not hold, or with all, and write each run into it."""
    known = recorded(path, plan)
    if known:
        record(path, plan, [])  # what the recipe says about itself may have changed
    for seed in [seed for seed in seeds if again or seed not in {run["seed"] for run in known}]:
        with reported(f"{plan.workload}  seed {seed}", failures):
            run = train_and_score(plan, seed)
            record(path, plan, [run])
            scores = "  ".join(f"{name} {run[name]:.4f}" for name in (*SCORES, "loss") if name in run)
            print(f"{plan.workload}  seed {seed}  {scores}  {run['train_seconds']:.2f} s", flush=True)


def is_short(path: Path, plan: Plan) -> bool:
    """Whether the recorded runs of a recipe take so little time that there can be many."""
    seconds = [run["train_seconds"] for run in recorded(path, plan)]
    return bool(seconds) and median(seconds) < SHORT_SECONDS


@contextmanager
def reported(what: str, failures: list[str]) -> Iterator[None]:
    """Work whose failure is told on stderr and noted, so that the rest goes on."""
    try:
        yield
    except DeltaruleError as error:
        failures.append(what)
        print(f"{what}: {error}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--recipes", metavar="A,B", help="names, or TOML files (all but the long ones, which records.py trains)"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of each, seeds 0 to N - 1 (5, or 20 short ones)")
    parser.add_argument("--again", action="store_true", help="run what is recorded, too")
    parser.add_argument("--choose", action="store_true", help="score held-out training examples, no test set")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", help="with --choose: another setting")
    parser.add_argument("--json", type=Path, metavar="FILE", help="results/recipes.json, or with --choose choices.json")
    given = parser.parse_args()
    if given.set and not given.choose:
        parser.error("--set is for choosing settings: give --choose, too")
    given.recipes = (
        given.recipes.split(",") if given.recipes else [each for each in recipes.names() if each not in LONG]
    )
    given.json = given.json or RESULTS / ("choices.json" if given.choose else "recipes.json")
    return given


def main() -> int:
    """Measure, cheap recipes first. 1 where something failed, else 0."""
    given = arguments()
    plans: list[Plan] = []
    failures: list[str] = []
    for name in given.recipes:
        with reported(name, failures):
            plans.append(planned(name, given.set, given.choose))
    for plan in sorted(plans, key=lambda plan: plan.effort):
        measure(given.json, plan, range(given.seeds or FEW), failures, given.again)
        if given.seeds is None and is_short(given.json, plan):
            measure(given.json, plan, range(FEW, MANY), failures, given.again)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
