"""What plain networks reach on MNIST: single ones, committees of differently drawn digits, one distilled from them.

    python benchmarks/records.py --minutes 90         # train what is missing of the plan, as long as that
    python benchmarks/records.py --report             # every idea on held-out images, from what is trained
    python benchmarks/records.py --final --minutes 90  # the same plan on all training images
    python benchmarks/records.py --final --report --open-test

records/plan.toml lists the members: a recipe, how the digits are drawn for it (a view), a seed; and the students, which
learn a committee's answers. A run is kept under build/records, with a checkpoint each minute, and goes on where it was
stopped. Choices are made on the last 10,000 training images. The test labels are read by one function, once for all
that is trained on every training image; what it says is appended to results/records_test.json with the date.

Views (after D. Ciresan, U. Meier, J. Schmidhuber, "Multi-column deep neural networks for image classification", 2012;
U. Meier and others, "Better digit recognition with a committee of simple neural nets", 2011): "as it is"; "width N",
the ink N pixels wide; "upright", without slant; "upright, width N".
"""

import argparse
import math
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measuring import RESULTS, Row, read_rows, surroundings, write_rows
from recipes import digest

import deltarule as dr
from deltarule.data.augment import Deformation, deform, warp
from deltarule.data.catalog import load
from deltarule.data.dataset import Dataset, Splits
from deltarule.nn.arrays import Array
from deltarule.recipes import read as read_recipe
from deltarule.recipes.build import build
from deltarule.training.callbacks import Callback

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[1]
WORK = ROOT / "build" / "records"
N_HELD_OUT, SIDE, INK_HEIGHT, CENTER = 10_000, 28, 20, 14.0
COPIES = 16  # deformed copies of an image whose answers are averaged
GENTLE = Deformation(rotation=5.0, scale=0.05, shift=0.7, shear=4.0)
BLOCK = 10_000  # images that are drawn anew at a time


class Run(NamedTuple):
    """A network to train: a recipe, what is changed in it, the view of its digits, a seed.

    teachers, copies: of a student, who learns what these answer to so many deformed copies of each image.
    is_trial: it shows what an idea is worth, on held-out images alone.
    """

    name: str
    recipe: str
    view: str = "as it is"
    seed: int = 0
    changes: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    copies: int = 0
    is_trial: bool = False

    def folder(self, final: bool) -> Path:
        """Where it is kept."""
        return WORK / ("final" if final else "held out") / self.name


class TimeIsUp(Callback):
    """Ends a run where its time is up; its checkpoint is the last."""

    def __init__(self, end: float) -> None:
        self.end = end

    def step_end(self, state: Any) -> None:
        """After each step."""
        if time.monotonic() >= self.end:
            raise KeyboardInterrupt


@cache
def plan() -> dict[str, Run]:
    """The runs of records/plan.toml, by name, teachers before students."""
    content = tomllib.loads((HERE / "records" / "plan.toml").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = content["run"]
    for row in rows:
        row |= {key: tuple(each) for key, each in row.items() if isinstance(each, list)}
    runs = [Run(**row) for row in rows]
    return {run.name: run for run in runs}


# The digits


@cache
def digits(final: bool) -> Splits:
    """MNIST's own parts, or its training images: the last ones to look at, and those before them."""
    splits = load("mnist")
    return splits if final else splits.train.hold_out(N_HELD_OUT)


def ink_maps(images: Array, upright: bool, width: float | None) -> Array:
    """(row, column, 1) in the new picture to row and column in the old one: (2, n_samples, 3)."""
    pixels = images.reshape(-1, SIDE, SIDE).astype(np.float64)
    total, places = pixels.sum(axis=(1, 2)), np.arange(SIDE, dtype=np.float64)
    row, column = pixels.sum(axis=2) @ places / total, pixels.sum(axis=1) @ places / total
    down, right = places - row[:, np.newaxis], places - column[:, np.newaxis]
    spread = np.einsum("nij,ni->n", pixels, down**2)
    slant = np.einsum("nij,ni,nj->n", pixels, down, right) / spread if upright else np.zeros(len(pixels))
    growth = np.ones(len(pixels))
    if width is not None:
        moved = right[:, np.newaxis, :] - slant[:, np.newaxis, np.newaxis] * down[:, :, np.newaxis]
        ink = pixels > 0.25 * pixels.max(axis=(1, 2), keepdims=True)
        first, last = np.where(ink, moved, np.inf).min(axis=(1, 2)), np.where(ink, moved, -np.inf).max(axis=(1, 2))
        growth = np.clip(width / (last - first + 1.0), 0.5, 2.0)
    zeros, ones = np.zeros(len(pixels)), np.ones(len(pixels))
    rows = np.stack([ones, zeros, row - CENTER], axis=1)
    across = 1.0 / growth
    columns = np.stack([slant, across, column - CENTER * across - slant * CENTER], axis=1)
    return np.stack([rows, columns])


def drawn(images: Array, view: str) -> Array:
    """Images, uint8, in a view of them."""
    if view == "as it is":
        return images
    upright, width = view.startswith("upright"), float(view.split()[-1]) if "width" in view else None
    grid = np.stack([*np.indices((SIDE, SIDE)).reshape(2, -1), np.ones(SIDE * SIDE)])
    found = np.empty_like(images)
    for start in range(0, len(images), BLOCK):
        part = slice(start, start + BLOCK)
        points = (ink_maps(images[part], upright, width) @ grid).reshape(2, -1, SIDE, SIDE)
        found[part] = np.clip(np.rint(warp(images[part].astype(np.float32), points.astype(np.float32))), 0, 255)
    return found


def seen(data: Dataset, view: str) -> Dataset:
    """A dataset in a view of it."""
    return replace(data, inputs=drawn(data.inputs, view))


# Training


def train(run: Run, final: bool, end: float) -> bool:
    """Train a run, or go on with it; False where its time was up first."""
    folder = run.folder(final)
    if (folder / "model.safetensors").exists():
        return True
    recipe = read_recipe(run.recipe).with_changes(run.changes)
    learned = digits(final).train if not run.teachers else taught(run, final, recipe.training.augment)
    job = build(recipe, Splits(seen(learned, run.view)), seed=run.seed)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = dr.Checkpoints(folder / "checkpoints", every_seconds=60.0)
    trainer = replace(job.trainer, callbacks=[*job.trainer.callbacks, TimeIsUp(end), checkpoints])
    try:
        history = trainer.fit(job.train, resume=checkpoints.newest())
    except KeyboardInterrupt:
        return False
    dr.save(job.model, folder / "model.safetensors")
    sizes = job.trainer.network.layer_sizes
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    spent = 3 * weights * learned.n_samples * (len(history) - 1)
    facts = {"seconds": history["seconds"][-1], "multiply_adds": spent, "network": "-".join(map(str, sizes))}
    facts["digest"] = digest(recipe, not final)
    write_rows(folder / "run.json", [facts | surroundings()])
    return True


def taught(run: Run, final: bool, augment: Any) -> Dataset:
    """What a student learns: deformed copies of the images, and what its teachers answer to each."""
    data, rng = digits(final).train, np.random.default_rng(run.seed)
    deformation = augment if isinstance(augment, Deformation) else Deformation(**(augment or {}))
    inputs, answers = [data.inputs], [committee([answers_of(name, data.inputs, final) for name in run.teachers])]
    for _ in range(run.copies):
        bent = deform(data.inputs.astype(np.float32), (SIDE, SIDE), deformation, rng)
        images = np.clip(np.rint(bent), 0, 255).astype(np.uint8)
        inputs.append(images)
        answers.append(committee([answers_of(name, images, final) for name in run.teachers]))
    soft = np.concatenate(answers).astype(np.float64)
    soft /= soft.sum(axis=1, keepdims=True)
    return replace(data, inputs=np.concatenate(inputs), targets=soft.argmax(axis=1), soft_targets=soft)


# Answers


def answers_of(name: str, images: Array, final: bool, copies: int = 0) -> Array:
    """A member's probabilities, (n_samples, 10); the mean over the images and gently deformed copies, if any."""
    run = plan()[name]
    model = dr.load(run.folder(final) / "model.safetensors")
    found = model.probabilities(drawn(images, run.view)).astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(copies):
        bent = np.clip(np.rint(deform(images.astype(np.float32), (SIDE, SIDE), GENTLE, rng)), 0, 255).astype(np.uint8)
        found += model.probabilities(drawn(bent, run.view))
    return found / (copies + 1)


def committee(answers: Sequence[Array]) -> Array:
    """The mean of what its members answer."""
    return np.mean(answers, axis=0)


def compared(first: Array, second: Array) -> Row:
    """McNemar's test of two contenders: what each alone has right, and how likely that is if they are equals."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n, k = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2.0**n if n else 1.0
    return {"only_this": only_first, "only_other": only_second, "p": min(1.0, 2.0 * tail)}


def contenders(final: bool) -> Iterator[tuple[str, list[str]]]:
    """Each trained run; then committees: of each recipe's runs, and of all but students and trials."""
    trained = [run for run in plan().values() if (run.folder(final) / "model.safetensors").exists()]
    yield from ((run.name, [run.name]) for run in trained)
    members = [run for run in trained if not run.teachers and not run.is_trial]
    recipes = sorted({run.recipe for run in members})
    groups = {f"committee of {each}": [run.name for run in members if run.recipe == each] for each in recipes}
    groups["committee of all"] = [run.name for run in members]
    yield from ((name, group) for name, group in groups.items() if len(group) > 1)


def report(final: bool, labels: Array, images: Array) -> list[Row]:
    """Accuracy of every contender, as it is and over deformed copies, beside the first of the plan or of its trials."""
    kept: dict[tuple[str, int], Array] = {}
    rows, firsts = list[Row](), dict[bool, Array]()
    for name, group in contenders(final):
        for copies in (0, COPIES):
            for each in group:
                if (each, copies) not in kept:
                    kept[each, copies] = answers_of(each, images, final, copies)
            right = committee([kept[each, copies] for each in group]).argmax(axis=1) == labels
            first = firsts.setdefault(plan()[group[0]].is_trial, right)
            facts = [read_rows(plan()[each].folder(final) / "run.json")[0] for each in group]
            row = {"benchmark": "records", "workload": name, "copies": copies, "final": final, "members": group}
            row |= {what: sum(each[what] for each in facts) for what in ("multiply_adds", "seconds")}
            row |= {"accuracy": float(right.mean()), "against_first": compared(right, first)}
            rows.append(row | {"wrong": np.flatnonzero(~right).tolist() if final else []} | surroundings())
            seconds = sum(each["seconds"] for each in facts)
            print(f"{name:32s} {copies:3d} copies  {100 * right.mean():.2f} %  {seconds / 60:6.1f} min", flush=True)
    return rows


def open_test_labels() -> None:
    """Score all that was trained on every training image on the test set, and append it to the log."""
    test = digits(final=True).test
    assert test is not None
    log = RESULTS / "records_test.json"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [row | {"opened": now} for row in report(True, test.targets, test.inputs)]
    write_rows(log, [*read_rows(log), *rows])


def main() -> None:
    """Train, report, or open the test labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, metavar="N", help="train what is missing, so long (0)")
    parser.add_argument("--runs", default="", metavar="A;B", help="of the plan (all)")
    parser.add_argument("--final", action="store_true", help="on all training images")
    parser.add_argument("--report", action="store_true", help="say what has been reached, on held-out images")
    parser.add_argument("--open-test", action="store_true", help="with --final: score it on the test set, logged")
    given = parser.parse_args()
    end = time.monotonic() + 60.0 * given.minutes
    names = given.runs.split(";") if given.runs else [*plan()]
    for name in [name for name in names if not (given.final and plan()[name].is_trial)]:
        if given.minutes and not train(plan()[name], given.final, end):
            print(f"{name}: the time was up; it goes on from its checkpoint", flush=True)
            break
    if given.open_test and given.final:
        open_test_labels()
    elif given.report:
        held_out = digits(final=False).test
        assert held_out is not None
        write_rows(RESULTS / "records.json", report(False, held_out.targets, held_out.inputs))


if __name__ == "__main__":
    main()
