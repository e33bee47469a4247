"""What the benchmarks share: runs taken in turn, ratios with their uncertainty, the machine's name, rows as JSON."""

import argparse
import json
import math
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

from deltarule.atomic import write_atomically

RESULTS = Path(__file__).with_name("results")

Row = dict[str, Any]


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


def interleaved(measures: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, list[float]]:
    """What each measure returned, round by round. Every round takes all of them, every other one in reverse order."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for i in range(repetitions):
        for name in list(measures)[:: 1 if i % 2 == 0 else -1]:
            taken[name].append(measures[name]())
    return taken


def comparison(benchmark: str, workload: str, peer: str, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """A row for seconds that were measured in pairs, side by side; two pairs at least.

    ratio is how many times as long the peer takes: the geometric mean over the pairs. ratio_low and ratio_high are its
    95 % interval, Student's for the mean of the logarithms.
    """
    from scipy.special import stdtrit  # here, so that who only records or starts processes stays small

    logs = [math.log(their / our) for our, their in zip(ours, theirs, strict=True)]
    margin = stdtrit(len(logs) - 1, 0.975) * stdev(logs) / math.sqrt(len(logs))
    return {
        "benchmark": benchmark,
        "workload": workload,
        "peer": peer,
        "ours_seconds": median(ours),
        "peer_seconds": median(theirs),
        "ratio": math.exp(fmean(logs)),
        "ratio_low": math.exp(fmean(logs) - margin),
        "ratio_high": math.exp(fmean(logs) + margin),
        "repetitions": len(logs),
    }


def surroundings(*packages: str) -> Row:
    """What every row ends with: the machine, limits on threads, and versions: Python, NumPy, its BLAS, `packages`."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        **{name: version(name) for name in packages},
    }
    threads = {name: number for name, number in os.environ.items() if name.endswith("_NUM_THREADS")}
    return {"machine": machine(), "threads": threads, "versions": versions}


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
