"""What plain networks reach on MNIST: single ones, committees of differently drawn digits, one distilled from them.

    python benchmarks/records.py --minutes 90         # train what is missing of the plan, as long as that
    python benchmarks/records.py --report             # every idea on held-out images, from what is trained
    python benchmarks/records.py --final --minutes 90  # the same plan on all training images
    python benchmarks/records.py --final --open-test --figure

records/plan.toml lists the runs: a recipe, how the digits are drawn for it (a view), a seed; the committees; and the
students, which learn a committee's answers. A run's network and its checkpoints, one each minute, are under
build/records, and it goes on where it was stopped. What a trained network answers to the images that it is scored on
is kept in results/records, so that a committee's members may be trained on different machines. Choices are made on the
last 10,000 training images. The test labels are read by one function, once for each network trained on every training
image; what it says is appended to results/records_test.json with the date.

Views (after D. Ciresan, U. Meier, J. Schmidhuber, "Multi-column deep neural networks for image classification", 2012;
U. Meier and others, "Better digit recognition with a committee of simple neural nets", 2011): "as it is"; "width N",
the ink N pixels wide; "upright", without slant; "upright, width N".
"""

import argparse
import hashlib
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
from deltarule.errors import DownloadError
from deltarule.native import engine_call
from deltarule.nn.arrays import Array
from deltarule.recipes import Recipe
from deltarule.recipes import read as read_recipe
from deltarule.recipes.build import build
from deltarule.training.callbacks import Callback
from deltarule.training.engine import NATIVE, engine

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[1]
WORK, KEPT = ROOT / "build" / "records", RESULTS / "records"
SIDE, CENTER = 28, 14.0
COPIES = 16  # deformed copies of an image whose answers are averaged
ACROSS = 10  # digits in a row of the figure
THOUSANDTHS = 1000  # as which answers are kept
GENTLE = Deformation(rotation=5.0, scale=0.05, shift=0.7, shear=4.0)
BLOCK = 10_000  # images that are drawn anew at a time


class Run(NamedTuple):
    """A network to train: a recipe, what is changed in it, the data set, the view of its digits, a seed.

    teachers: of a student, who learns what this committee answers to each image as it is deformed anew in each epoch.
    is_trial: it shows what an idea is worth, on held-out images alone.
    """

    name: str
    recipe: str
    data: str = "mnist"
    view: str = "as it is"
    seed: int = 0
    changes: tuple[str, ...] = ()
    teachers: str = ""
    is_trial: bool = False

    def network(self, final: bool) -> Path:
        """The file of its trained network; its checkpoints are beside it."""
        return WORK / place(final) / self.name / "model.safetensors"

    def answers(self, final: bool) -> Path:
        """The file of its answers; a JSON file of the same name says how they came about."""
        return KEPT / place(final) / f"{self.name.replace(', ', '-').replace(' ', '-')}.npz"

    def digest(self, final: bool) -> str:
        """What its answers belong to: what it is trained on, and how."""
        own = {name: value for name, value in self._asdict().items() if value != self._field_defaults.get(name)}
        del own["name"], own["recipe"]  # what the recipe says is in its digest
        return hashlib.sha256(repr([digest(recipe_of(self), not final), own]).encode()).hexdigest()[:16]

    def facts(self, final: bool) -> Row | None:
        """How its answers came about; None where none are kept, or where its recipe was another."""
        found = read_rows(self.answers(final).with_suffix(".json"))
        return found[0] if found and found[0]["digest"] == self.digest(final) else None


def place(final: bool) -> str:
    """The folder of runs on all training images, or of those without the last ones."""
    return "final" if final else "held-out"


def recipe_of(run: Run) -> Recipe:
    """Its recipe, with its changes and its data set."""
    return read_recipe(run.recipe).with_changes([*run.changes, f"data.name={run.data}"])


class TimeIsUp(Callback):
    """Ends a run where its time is up; its checkpoint is the last."""

    def __init__(self, end: float) -> None:
        self.end = end

    def step_end(self, state: Any) -> None:
        """After each step."""
        if time.monotonic() >= self.end:
            raise KeyboardInterrupt


@cache
def planned() -> Row:
    """What is in records/plan.toml."""
    return tomllib.loads((HERE / "records" / "plan.toml").read_text(encoding="utf-8"))


@cache
def plan() -> dict[str, Run]:
    """Its runs, by name, teachers before students."""
    runs = [Run(**row | {"changes": tuple(row.get("changes", ()))}) for row in planned()["run"]]
    return {run.name: run for run in runs}


@cache
def committees() -> dict[str, list[str]]:
    """Its committees: the names of their members, by name."""
    return {row["name"]: row["members"] for row in planned()["committee"]}


# The digits


@cache
def digits(final: bool, name: str = "mnist") -> Splits:
    """A data set's own parts, or its training images: the last sixth to look at, and those before them."""
    splits = load(name)
    return splits if final else splits.train.hold_out(splits.train.n_samples // 6)


def scored(run: Run, final: bool) -> Dataset:
    """The images that it is scored on."""
    test = digits(final, run.data).test
    assert test is not None
    return test


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


def needed(names: Sequence[str], final: bool) -> Iterator[Run]:
    """What is to be trained: runs without kept answers, after those teachers whose networks are not on this machine."""
    for run in (plan()[name] for name in names):
        if not run.facts(final) and not (final and run.is_trial):
            teachers = [plan()[name] for name in committees().get(run.teachers, [])]
            yield from (each for each in teachers if not each.network(final).exists())
            yield run


def train(run: Run, final: bool, end: float) -> bool:
    """Train a run, or go on with it, and keep its answers; False where its time was up first."""
    file, recipe, data = run.network(final), recipe_of(run), seen(digits(final, run.data).train, run.view)
    if file.exists():
        keep(run, final)
        return True
    job = build(recipe, Splits(data), seed=run.seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    checkpoints = dr.Checkpoints(file.with_name("checkpoints"), every_seconds=60.0)
    trainer = replace(job.trainer, callbacks=[*job.trainer.callbacks, TimeIsUp(end), checkpoints])
    if run.teachers:
        assert trainer.augment is not None
        lesson = Lesson(run, final, trainer.augment, trainer.epochs)
        data, trainer = lesson.data, replace(trainer, augment=None, callbacks=[lesson, *trainer.callbacks])
    try:
        history = trainer.fit(data, resume=checkpoints.newest())
    except KeyboardInterrupt:
        return False
    dr.save(job.model, file)
    sizes = job.trainer.network.layer_sizes
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(sizes))
    spent = 3 * weights * data.n_samples * (len(history) - 1)
    facts = {"seconds": history["seconds"][-1], "multiply_adds": spent, "network": "-".join(map(str, sizes))}
    write_rows(file.with_name("run.json"), [facts | surroundings()])
    keep(run, final)
    return True


class Lesson(Callback):
    """What a student learns: images that are drawn anew for each epoch, and what its teachers answer to them.

    The images are deformed as the recipe says. `data` is a dataset whose arrays are overwritten after each epoch.
    """

    every_step = False

    def __init__(self, run: Run, final: bool, deformation: Deformation, n_epochs: int) -> None:
        train, members = digits(final, run.data).train, [plan()[name] for name in committees()[run.teachers]]
        self.seed, self.deformation, self.n_epochs, self.epoch = run.seed, deformation, n_epochs, 0
        self.teachers = [(dr.load(each.network(final)), each.view) for each in members]
        soft = np.full((train.n_samples, train.n_outputs), 1.0 / train.n_outputs)
        self.images, self.data = train.inputs, replace(train, inputs=train.inputs.copy(), soft_targets=soft)
        self.draw(1)

    def draw(self, epoch: int) -> None:
        """Draw the images of an epoch, from 1, and write down the teachers' answers to them."""
        bend, rng = self.deformation.at_epoch(epoch, self.n_epochs), np.random.default_rng([self.seed, epoch])
        self.epoch, soft = epoch, self.data.soft_targets
        assert soft is not None
        for start in range(0, len(soft), BLOCK):
            part = slice(start, start + BLOCK)
            self.data.inputs[part] = images = bent(self.images[part], bend, rng)
            soft[part] = sum(each.probabilities(drawn(images, view)) for each, view in self.teachers)
        soft /= soft.sum(axis=1, keepdims=True)

    def train_begin(self, state: Any) -> None:
        """Draw the images of the epoch that comes next, if they are not there."""
        if self.epoch != state.epoch + 1 <= self.n_epochs:
            self.draw(state.epoch + 1)

    epoch_end = train_begin


def bent(images: Array, deformation: Deformation, rng: np.random.Generator) -> Array:
    """Deformed images, uint8."""
    act = engine_call.deform if engine("auto").name == NATIVE else deform
    found = act(images.astype(np.float32), (SIDE, SIDE), deformation, rng, np.empty(images.shape, np.float32))
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


# Answers


def answers_of(run: Run, images: Array, final: bool, copies: int = 0) -> Array:
    """A network's probabilities, (n_samples, 10); the mean over the images and gently deformed copies, if any."""
    model = dr.load(run.network(final))
    found = model.probabilities(drawn(images, run.view)).astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(copies):
        found += model.probabilities(drawn(bent(images, GENTLE, rng), run.view))
    return found / (copies + 1)


def keep(run: Run, final: bool) -> None:
    """Keep what a trained network answers to the images that it is scored on, and to them and deformed copies."""
    images, file = scored(run, final).inputs, run.answers(final)
    plain, averaged = (np.rint(THOUSANDTHS * answers_of(run, images, final, n)).astype(np.uint16) for n in (0, COPIES))
    facts = read_rows(run.network(final).with_name("run.json"))[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, plain=plain, averaged=averaged)
    write_rows(file.with_suffix(".json"), [facts | {"digest": run.digest(final)}])


def compared(first: Array, second: Array) -> Row:
    """McNemar's test of two contenders: what each alone has right, and how likely that is if they are equals."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n, k = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, i) for i in range(k + 1)) / 2.0**n if n else 1.0
    return {"only_this": only_first, "only_other": only_second, "p": min(1.0, 2.0 * tail)}


def contenders(final: bool) -> Iterator[tuple[str, list[Run]]]:
    """Each run that has answers, then each committee all of whose members have."""
    there = {run.name: run for run in plan().values() if run.facts(final)}
    yield from ((run.name, [run]) for run in there.values())
    for name, members in committees().items():
        if there.keys() >= set(members):
            yield name, [there[each] for each in members]


def report(final: bool, done: Sequence[Row] = ()) -> list[Row]:
    """Accuracy of every contender, as it is and over deformed copies, beside the first of the plan or of its trials.

    done: what need not be scored again.
    """
    rows, firsts = list[Row](), dict[tuple[str, bool], Array]()
    before = [(row["workload"], row["digests"]) for row in done]
    for name, members in contenders(final):
        labels = scored(members[0], final).targets
        facts = [each.facts(final) or {} for each in members]
        digests = [each["digest"] for each in facts]
        work = {what: sum(each[what] for each in facts) for what in ("multiply_adds", "seconds")}
        where = {what: facts[0][what] for what in surroundings()}
        for what, copies in (("plain", 0), ("averaged", COPIES)):
            answers = [np.load(each.answers(final))[what] for each in members]
            right = np.sum(answers, axis=0).argmax(axis=1) == labels
            against = compared(right, firsts.setdefault((members[0].data, members[0].is_trial), right))
            row = {"benchmark": "records", "workload": name, "copies": copies, "final": final, **work}
            row |= {"members": [each.name for each in members], "digests": digests, "accuracy": float(right.mean())}
            row |= {"against_first": against, "wrong": np.flatnonzero(~right).tolist(), **where}
            if (name, digests) not in before:
                rows.append(row)
                minutes = work["seconds"] / 60
                print(f"{name:32s} {copies:3d} copies  {100 * right.mean():.2f} %  {minutes:6.1f} min", flush=True)
    return rows


def open_test_labels() -> None:
    """Score what was trained on all training images, and was not scored yet, on the test set; append it to the log."""
    log = RESULTS / "records_test.json"
    done, now = read_rows(log), datetime.now(UTC).isoformat(timespec="seconds")
    write_rows(log, [*done, *(row | {"opened": now} for row in report(True, done))])


def draw_wrong_digits() -> None:
    """Draw docs/wrong-digits.png: the test images that the largest committee misreads, and its shares of two classes.

    Above each, its label with the committee's share, and the class that has the largest.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows, test = read_rows(RESULTS / "records_test.json"), scored(next(iter(plan().values())), final=True)
    row = max((row for row in rows if not row["copies"]), key=lambda row: (len(row["members"]), row["opened"]))
    shares = np.mean([np.load(plan()[each].answers(final=True))["plain"] for each in row["members"]], axis=0)
    n_rows = math.ceil(len(row["wrong"]) / ACROSS)
    figure, axes = plt.subplots(n_rows, ACROSS, figsize=(ACROSS, 1.4 * n_rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, row["wrong"], strict=False):
        label, percent = test.targets[i], np.rint(100 * shares[i] / shares[i].sum()).astype(int)
        axis.imshow(test.inputs[i].reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(f"{label}: {percent[label]} %\n{percent.argmax()}: {percent.max()} %", fontsize=7)
    figure.tight_layout(pad=0.3)
    figure.savefig(ROOT / "docs" / "wrong-digits.png", dpi=110, metadata={"Software": None})
    print(f"docs/wrong-digits.png: the {len(row['wrong'])} digits that {row['workload']} misreads")


def main() -> None:
    """Train, report, open the test labels, or draw what stays wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, metavar="N", help="train what is missing, so long (0)")
    parser.add_argument("--runs", default="", metavar="A;B", help="of the plan (all)")
    parser.add_argument("--final", action="store_true", help="on all training images")
    parser.add_argument("--report", action="store_true", help="say what has been reached, on held-out images")
    parser.add_argument("--open-test", action="store_true", help="with --final: score it on the test set, logged")
    parser.add_argument("--figure", action="store_true", help="draw docs/wrong-digits.png from that log")
    given = parser.parse_args()
    end = time.monotonic() + 60.0 * given.minutes
    names = given.runs.split(";") if given.runs else [*plan()]
    for run in needed(names, given.final) if given.minutes else ():
        try:
            if not train(run, given.final, end):
                print(f"{run.name}: the time was up; it goes on from its checkpoint", flush=True)
                break
        except DownloadError as error:
            print(f"{run.name}: skipped: {error}", flush=True)
    if given.open_test and given.final:
        open_test_labels()
    elif given.report:
        write_rows(RESULTS / "records.json", report(False))
    if given.figure:
        draw_wrong_digits()


if __name__ == "__main__":
    main()
