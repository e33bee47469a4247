"""Run folders under stress: two processes on one folder, drives that lack something, runs that go on after a move.

What a reader is given afterwards is compared with what each run comes to alone: one run's files, or one clear sentence.
"""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import cache
from itertools import count as numbers
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from commands import weights
from counting import LOG, Count, collected_warnings, forked, fresh_folder, litter
from ends import command, written
from injection import Operation, watched

from deltarule.cli.resolve import load_model, training_record
from deltarule.errors import DeltaruleError
from deltarule.files.checkpoint import Checkpoints
from deltarule.files.run_folder import read_history
from deltarule.native.loader import library
from deltarule.training.callbacks import TrainingState

SEEDS = (1, 2)
TRAIN = ["train", "small.toml", "--json", "--run", "run"]
KEEPS = ["--every-steps", "12"]
NO_LOCK = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Process:
    """A command in a folder, in a process that is forked from this one. around: what is patched there."""

    counter = numbers()

    def __init__(self, folder: Path, arguments: list[str], *around: Any) -> None:
        self.texts = [folder / f"said-{next(self.counter)}.txt" for _ in range(2)]
        for path in self.texts:
            path.touch()  # here, for the process may be killed at once

        def work() -> None:
            os.chdir(folder)
            for number, path in enumerate(self.texts, start=1):
                os.dup2(os.open(path, os.O_WRONLY), number)
            sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
            LOG.handlers.clear()  # what `forked` put there keeps warnings from being seen
            for each in around:
                each.__enter__()
            command(arguments)

        self.id = forked(work)

    def end(self) -> Ended:
        """Wait for it."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.id, 0)[1])
        out, err = (path.read_text(errors="replace") for path in self.texts)
        return Ended(code, out, " ".join(err.split()))


def no_lock(code: int) -> Any:
    """A drive that has no locks, and says so in one way or another."""
    return patch("fcntl.flock", side_effect=OSError(code, os.strerror(code)))


@cache
def expected(seed: int) -> tuple[bytes, float]:
    """The weights, and the last loss, of the run of a seed that is alone."""
    library()
    with fresh_folder() as folder:
        written(folder)
        ended = Process(folder, [*TRAIN, "--seed", str(seed)]).end()
        return weights(folder / "run" / "model.safetensors") or b"", json.loads(ended.out)["history"][-1]["train_loss"]


def used_folder(folder: Path, *more: str) -> None:
    """A run of the first seed, which has ended."""
    written(folder)
    assert Process(folder, [*TRAIN, "--seed", "1", *more]).end().code == 0


def seen_in(folder: Path) -> set[int | str]:
    """The seeds of what a reader of a run folder is given: its model, that model's record, and its history.

    What the reader is told instead is left out; a wrong answer is itself in the set.
    """
    seeds: set[int | str] = set()
    with chdir(folder.parent), collected_warnings(), patch("deltarule.cli.resolve.tell"):
        for read in (model_seeds, history_seeds):
            try:
                seeds |= read(folder.name)
            except DeltaruleError as error:
                if "run.json" not in str(error):
                    seeds.add(f"{type(error).__name__}: {error}")
    return seeds


def model_seeds(name: str) -> set[int | str]:
    model = load_model(name)
    found = {seed for seed in SEEDS if expected(seed)[0] == model.network.parameters.vector.tobytes()}
    return {*(found or {"weights of no run"}), training_record(model).seed}


def history_seeds(name: str) -> set[int | str]:
    rows = read_history(name)
    if len(rows) < 5:  # of a run that is not at its end
        return set()
    found: set[int | str] = {seed for seed in SEEDS if expected(seed)[1] == rows[-1]["train_loss"]}
    return found or {"history of no run"}


def is_told(ended: Ended) -> bool:
    """Whether a command ended well, or with one sentence."""
    return ended.code == 0 or (ended.code in (1, 2) and "Traceback" not in ended.err and "Error: " in ended.err)


# two processes, one folder


def races(n_races: int, seed: int = 0, *, locks: bool = True) -> Count:
    """Two processes use one folder, the second some moment later. locks: whether the drive has any."""
    count, rng = Count(), random.Random(seed)
    around = [] if locks else [no_lock(errno.ENOLCK)]
    second = {
        "train": [*TRAIN, "--seed", "2"],
        "evaluate": ["evaluate", "run", "--data", "small.npz", "--json"],
        "resume": ["train", "--resume", "run", "--json"],
    }
    with fresh_folder() as base:
        used_folder(base, *KEEPS)
        checkpoints = base / "run" / "checkpoints"
        max(checkpoints.glob("step-*")).unlink()
        for number, name in enumerate(islice(cycle(second), n_races)):
            with fresh_folder() as folder:
                shutil.copytree(base, folder, dirs_exist_ok=True)
                one = Process(folder, [*TRAIN, "--seed", "1" if name == "train" else "2"], *around)
                time.sleep(rng.uniform(0.0, 0.15))
                other = Process(folder, second[name], *around)
                both = [one.end(), other.end()]
                seen = seen_in(folder / "run")
                well = all(map(is_told, both)) and any(each.code == 0 for each in both)
                one_run = len(seen) == 1 if locks else len(seen) <= 1
                harm = f"race {number}, train/{name}: codes {[each.code for each in both]}, seen {seen}"
                count.check(well and one_run and not litter(folder / "run"), harm)
    return count


def kills_in_a_used_folder(n_kills: int, seed: int = 0) -> Count:
    """A second run is killed at a random moment: a reader finds one run, or is told."""
    count, rng = Count(), random.Random(seed)
    with fresh_folder() as base:
        used_folder(base)
        for number in range(n_kills):
            with fresh_folder() as folder:
                shutil.copytree(base, folder, dirs_exist_ok=True)
                second = Process(folder, [*TRAIN, "--seed", "2"])
                time.sleep(rng.uniform(0.0, 0.2))
                os.kill(second.id, signal.SIGKILL)
                second.end()
                seen = seen_in(folder / "run")
                count.check(len(seen) <= 1, f"kill {number}: seen {seen}")
    return count


# drives that lack something


class Drive(NamedTuple):
    """A drive. action: what an operation on it meets. lock: what flock says. code: how a run on it ends."""

    action: Callable[[Operation], None] = lambda operation: None
    lock: int | None = None
    code: int = 0
    says: str = ""


def failing(code: int, *kinds: str, after: int = 0) -> Callable[[Operation], None]:
    """Operations of some kinds fail, from a number on."""
    left = [after]

    def act(operation: Operation) -> None:
        if operation.kind in kinds:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(code, os.strerror(code), operation.path)

    return act


def slow(operation: Operation) -> None:
    """A drive at the other end of the world."""
    time.sleep(0.005)


def drives() -> Iterator[tuple[str, Drive]]:
    """Every drive, by what is wrong with it."""
    for code in NO_LOCK:
        yield f"flock says {errno.errorcode[code]}", Drive(lock=code, says="without locks")
    for code in NO_SYNC:
        yield f"fsync says {errno.errorcode[code]}", Drive(failing(code, "fsync"), says="does not confirm")
        yield f"both say {errno.errorcode[code]}", Drive(failing(code, "fsync"), code, says="without locks")
    for after in (0, 1, 2, 5, 20, 40):
        yield f"full after {after} writes", Drive(failing(errno.ENOSPC, "write", "fsync", after=after), code=1)
    yield "read-only", Drive(failing(errno.EROFS, "open", "rename", "unlink"), code=1)
    for code in (errno.EXDEV, errno.EPERM, errno.EBUSY, errno.EIO, errno.EEXIST):
        for after in (0, 3, 9):
            yield f"rename {after} says {errno.errorcode[code]}", Drive(failing(code, "rename", after=after), code=1)
    yield "slow", Drive(slow)


def bad_drives(every: int = 1) -> Count:
    """A run on each drive, which keeps checkpoints: it ends as it would, or with one sentence, its network saved."""
    count = Count()
    for name, drive in list(drives())[::every]:
        with fresh_folder() as folder:
            written(folder)
            (folder / "drive").mkdir()
            around: list[Any] = [watched(folder / "drive", drive.action)]
            around += [no_lock(drive.lock)] if drive.lock else []
            run = ["train", "small.toml", "--json", "--seed", "1", "--run", "drive/run", *KEEPS]
            ended = Process(folder, run, *around).end()
            places = [folder / "drive" / "run" / "model.safetensors", *folder.glob("deltarule-rescued-*")]
            is_saved = expected(1)[0] in [weights(path) for path in places]
            is_early = ended.code == 1 and "0/4" not in ended.err  # nothing has been learned
            told = is_told(ended) and ended.code in (0, drive.code)
            told = told and ended.err.count(drive.says or "Error: ") == (ended.code or bool(drive.says))
            left = litter(folder / "drive" / "run") if (folder / "drive" / "run").is_dir() else []
            what = f"{name}: code {ended.code}, saved {is_saved}, left {left}, {ended.err[-300:]!r}"
            count.check((is_saved or is_early) and told and not left, what)
    return count


# a run that goes on after a move


def as_npz(folder: Path) -> list[str]:
    written(folder)
    return ["--data", "small.npz"]


def as_table(folder: Path) -> list[str]:
    rng = np.random.default_rng(0)
    rows = [f"{a},{b},{'yes' if float(a) > float(b) else 'no'}" for a, b in rng.normal(size=(240, 2)).round(3)]
    (folder / "table.csv").write_text("\n".join(["first,second,more", *rows]) + "\n", encoding="utf-8")
    return ["--data", "table.csv", "--target", "more"]


def as_pixels(folder: Path) -> list[str]:
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, [k % 2, *rng.integers(256, size=16)])) for k in range(240)]
    (folder / "pixels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ["--data", "pixels.csv"]


def as_folder(folder: Path) -> list[str]:
    image = __import__("PIL.Image", fromlist=["Image"])
    rng = np.random.default_rng(0)
    for k in range(80):
        place = folder / "pictures" / f"{k % 2}"
        place.mkdir(parents=True, exist_ok=True)
        image.fromarray(rng.integers(256, size=(6, 6), dtype=np.uint8)).save(place / f"{k:02d}.png")
    return ["--data", "pictures", "--size", "6"]


KINDS = (as_npz, as_table, as_pixels, as_folder)
MOVES = ("folder", "copy", "data", "all, from another place", "machine")
STOPS = (1, 2, 3)  # checkpoints before the last
OTHER_MACHINE = {"DELTARULE_THREADS": "1", "DELTARULE_INSTRUCTIONS": "v3"}


def moves(some: slice = slice(None)) -> Count:
    """A run goes on from each stop after each move, to the same bits, where its folder is now, and nowhere else."""
    count = Count()
    for kind, move, stop in list(product(KINDS, MOVES, STOPS))[some]:
        with fresh_folder() as folder:
            harm = harm_of_move(folder, kind(folder), move, stop)
            count.check(not harm, f"{kind.__name__}, {move}, stop {stop}: {harm}")
    return count


def paced() -> Any:
    """Runs that wait for each checkpoint, so that there are two."""
    real = Checkpoints.step_end

    def step_end(checkpoints: Checkpoints, state: TrainingState) -> None:
        real(checkpoints, state)
        checkpoints.wait()

    return patch.object(Checkpoints, "step_end", step_end)


def harm_of_move(folder: Path, data: list[str], move: str, stop: int) -> str:
    """What goes wrong; "" where nothing does."""
    run = ["train", "--json", *data, "--epochs", "4", "--set", "batch_size=20", "--run", "run"]
    begun = Process(folder, [*run, "--every-steps", str(2 * stop)], paced()).end()
    outcome = weights(folder / "run" / "model.safetensors")
    steps = sorted((folder / "run" / "checkpoints").glob("step-*"))
    if begun.code or outcome is None or len(steps) < 2:
        return f"the first run ended with {begun.code}, {len(steps)} checkpoints: {begun.err[-300:]}"
    steps[-1].unlink()
    (folder / "run" / "model.safetensors").unlink()
    place, now, more, here = folder / "run", data[1], list[str](), folder
    if move in ("folder", "all, from another place"):
        place = (folder / "run").rename(folder / "moved")
    if move == "copy":
        place = Path(shutil.copytree(folder / "run", folder / "copied"))
    if move in ("data", "all, from another place"):
        now = str((folder / data[1]).rename(folder / f"now-{data[1]}"))
        more = ["--data", now]
    if move == "all, from another place":
        here = folder / "elsewhere"
        here.mkdir()
    before = {path.name for path in (folder / "run").iterdir()} if (folder / "run").is_dir() else set()
    arguments = ["train", "--json", "--resume", str(place), *more]
    if move == "machine":
        environment = {**os.environ, **OTHER_MACHINE}
        command = [sys.executable, "-m", "deltarule", *arguments]
        found = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
        ended = Ended(found.returncode, found.stdout, found.stderr)
    else:
        ended = Process(here, arguments).end()
    same = weights(place / "model.safetensors") == outcome
    wrong = {
        f"code {ended.code}: {ended.err[-300:]}": ended.code != 0,
        "other bits, and no word of it": not same and not (move == "machine" and "differ" in ended.err),
        "the old place was written to": move == "copy" and before != {p.name for p in (folder / "run").iterdir()},
        "an old place was made again": place.name == "moved" and (folder / "run").exists(),
        "another folder was made": any((here / name).exists() for name in ("run", "model.safetensors"))
        and here != folder,
        "its files do not belong together": model_and_history(place) is None,
    }
    return ", ".join(what for what, is_so in wrong.items() if is_so)


def model_and_history(folder: Path) -> Any:
    """What readers of a run folder are given; None where one is told that a file does not belong."""
    with collected_warnings(), patch("deltarule.cli.resolve.tell"):
        try:
            return load_model(str(folder)), read_history(folder)
        except DeltaruleError:
            return None
