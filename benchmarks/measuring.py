"""What the benchmarks share: processes that take turns, ratios with their uncertainty, the machine, rows as JSON."""

import argparse
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deltarule.atomic import write_atomically

if TYPE_CHECKING:
    from workloads import Workload

RESULTS = Path(__file__).with_name("results")
WORKER = Path(__file__).with_name("worker.py")
REST_SECONDS = 0.2  # until the threads of whoever went before have stopped spinning

Row = dict[str, Any]
T = TypeVar("T")


def options(description: str, results: str, repetitions: int) -> argparse.ArgumentParser:
    """A parser for what a comparison takes: --repetitions and --json, with these defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--repetitions", type=int, default=repetitions, metavar="N", help=f"rounds, at least 2 ({repetitions})"
    )
    parser.add_argument(
        "--json", type=Path, default=RESULTS / results, metavar="FILE", help=f"the rows go there (results/{results})"
    )
    return parser


def interleaved(
    measures: Mapping[str, Callable[[], T]], repetitions: int, fewer: Mapping[str, int] | None = None
) -> dict[str, list[T]]:
    """What each measure returned, round by round. Every round takes all of them, every other one in reverse order.

    fewer: those that take part in the first rounds only, and in how many.
    """
    rounds = dict.fromkeys(measures, repetitions) | dict(fewer or {})
    taken: dict[str, list[T]] = {name: [] for name in measures}
    for i in range(repetitions):
        for name in list(measures)[:: 1 if i % 2 == 0 else -1]:
            if i < rounds[name]:
                taken[name].append(measures[name]())
    return taken


class Worker:
    """A process of its own that holds a subject, such as a network and its data, and does what it is told.

    Whoever is measured has its threads to itself: two libraries in one process, each with threads that spin while they
    wait, would slow each other down. While others are measured it waits for a line and takes no time.

    subject, arguments: what worker.py makes. environment: variables on top of this process's own.
    """

    def __init__(self, subject: str, arguments: Row, environment: Mapping[str, str] | None = None) -> None:
        order = json.dumps({"subject": subject, "arguments": arguments})
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment or {}),
        )

    def ask(self, method: str) -> Any:
        """What the subject's method returns. ChildProcessError where the process has ended; stderr says why."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(method, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            answer = ""
        else:
            answer = self.process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"stopped at {method!r} with exit code {self.process.wait()}")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.communicate()  # closes its stdin, whereupon it ends


def in_turns(
    workers: Mapping[str, Worker], method: str, repetitions: int, fewer: Mapping[str, int] | None = None
) -> dict[str, list[Any]]:
    """What each worker answers, as `interleaved`. Before, all but `fewer` answer once to warm up."""

    def answer(worker: Worker) -> Any:
        time.sleep(REST_SECONDS)
        return worker.ask(method)

    measures = {name: partial(answer, worker) for name, worker in workers.items()}
    interleaved({name: measure for name, measure in measures.items() if name not in (fewer or {})}, 1)
    return interleaved(measures, repetitions, fewer)


def training(
    subject: str, workload: "Workload", folder: Path, environment: Mapping[str, str] | None = None, **settings: Any
) -> Worker:
    """A worker that makes a contender, such as "ours:Ours", for a workload whose images are in `folder`."""
    arguments = {"subject": subject, "workload": asdict(workload), "folder": str(folder)} | settings
    return Worker("contenders:contender", arguments, environment)


def comparison(benchmark: str, workload: str, peer: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """A row for seconds that were measured in pairs, side by side; two pairs at least.

    ratio is how many times as long the peer takes: the geometric mean over the pairs. ratio_low and ratio_high are its
    95 % interval, Student's for the mean of the logarithms; ratio_median is the pairs' median, which no outlier moves.
    """
    logs = [math.log(their / our) for our, their in zip(ours, theirs, strict=True)]
    mean, margin = mean_interval(logs)
    return {
        "benchmark": benchmark,
        "workload": workload,
        "peer": peer,
        "ours_seconds": median(ours),
        "peer_seconds": median(theirs),
        "ratio": math.exp(mean),
        "ratio_low": math.exp(mean - margin),
        "ratio_high": math.exp(mean + margin),
        "ratio_median": math.exp(median(logs)),
        "repetitions": len(logs),
    }


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean of two values or more, and by how much its 95 % interval (Student's) goes to either side."""
    from scipy.special import stdtrit  # here, so that who only records or starts processes stays small

    return fmean(values), float(stdtrit(len(values) - 1, 0.975) * stdev(values) / math.sqrt(len(values)))


def unmeasured(benchmark: str, workload: str, peer: str, ours: Sequence[float], reason: Row) -> Row:
    """The row of a peer that could not be measured: what `comparison` would say of ours, and the reason."""
    row = comparison(benchmark, workload, peer, ours, ours)
    return row | {name: None for name in row if name.startswith(("peer_", "ratio"))} | reason


def surroundings(*packages: str) -> Row:
    """What every row ends with: the machine, limits on threads, and versions: Python, NumPy, its BLAS, `packages`."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        **{name: number for name in packages if (number := installed(name))},
    }
    threads = {name: number for name, number in os.environ.items() if name.endswith("_NUM_THREADS")}
    return {"machine": machine(), "threads": threads, "versions": versions}


def installed(package: str) -> str | None:
    """The version of an installed package; None for one that is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine() -> str:
    """The processor, how many cores of it there are, and the system."""
    listing = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", listing.read_text(encoding="utf-8")) if listing.exists() else []
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def read_rows(path: Path) -> list[Row]:
    """The rows in a file that `write_rows` wrote; none where there is no such file."""
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Make `rows` the JSON file `path`, whole or not at all; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode())
