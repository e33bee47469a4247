"""An epoch of the same training by deltarule and by its peers, side by side: seconds, memory, and what was learned.

    python benchmarks/peers.py
    python benchmarks/peers.py --workloads headline --peers PyTorch,JAX

Every contender (benchmarks/contenders/) has a process of its own, and they take turns: nobody trains while another
does. All start from the same weights, have their images in memory, and take as many steps with as large batches.

warm   seconds of an epoch in a process that has trained one before: the ratio with its 95 % interval, pair by pair
cold   seconds of a fresh process, from its start to the end of its first epoch: import, loading, compilation
first  the same where nothing compiled has been kept on disk yet
peak   the most memory of a fresh process that trains an epoch
loss   after the first epoch, by one yardstick: who skips work does not come near ours

sgemm and peak are no peers but bounds, whose ratio is the share of their rate that training reaches: the epoch's matrix
products alone, at the network's own shapes, through NumPy; as many multiply-adds in registers as those products take.

--limit AVX2 holds everybody to that instruction set, --limit "one core" to one core.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from contenders import ENTRIES
from measuring import (
    Row,
    Worker,
    comparison,
    in_turns,
    options,
    read_rows,
    surroundings,
    training,
    unmeasured,
    write_rows,
)
from workloads import WORKLOADS, Workload, prepare

OURS, BOUNDS, SLOW = "deltarule", ("sgemm", "peak"), "tutorial loop"
PEERS = [name for name in ENTRIES if name != OURS]
REASONS = ("absent", "failed", "left_out")
SLOW_ROUNDS = 3
SLOW_FLOPS = 10**11  # an epoch of more takes the tutorial loop many minutes: it sits out unless --peers names it
LIMITS: dict[str, dict[str, str]] = {  # variables that hold everybody to a limit
    "AVX2": {
        "DELTARULE_INSTRUCTIONS": "v3",
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
    "one core": {},  # the processes inherit this one's
}
ALIKE = 0.3  # how far apart, as a logarithm, two losses may be: orders differ, and so does what they lead to


@dataclass(frozen=True)
class Contest:
    """A workload, which images it has, the folder where they are, the engine that ours takes, and a limit for all."""

    workload: Workload
    images: str
    folder: Path
    engine: str = "auto"
    limit: str | None = None

    def __str__(self) -> str:
        return f"{self.workload}{f', {self.limit}' if self.limit else ''}"

    def worker(self, name: str) -> Worker:
        """A fresh process of a contender; whatever it compiles is kept in the folder, for later ones of the same."""
        kept = {variable: str(self.folder / "kept") for variable in ("TORCHINDUCTOR_CACHE_DIR",)}
        settings = {"engine": self.engine} if name == OURS else {}
        variables = kept | LIMITS.get(self.limit or "", {})
        return training(ENTRIES[name].subject, self.workload, self.folder, variables, **settings)

    def fresh(self, name: str) -> Row:
        """Seconds from the start of a fresh process to the end of its first epoch, and its report."""
        began = time.perf_counter()
        with self.worker(name) as worker:
            worker.ask("epoch")
            seconds = time.perf_counter() - began
            return {"seconds": seconds, **worker.ask("report")}

    def warm(self, names: Sequence[str], repetitions: int) -> dict[str, list[float]]:
        """The seconds of an epoch, of all of them in turn."""
        with ExitStack() as stack:
            workers = {name: stack.enter_context(self.worker(name)) for name in names}
            return in_turns(workers, "epoch", repetitions, {SLOW: SLOW_ROUNDS})


def contest(work: Contest, peers: Sequence[str], repetitions: int, n_fresh: int) -> list[Row]:
    """A row for each of `peers`, or of all where that is empty: measured, or why not."""
    reasons = {name: {"absent": absent} for name in peers or PEERS if (absent := ENTRIES[name].absent())}
    for name in [name for name in peers or PEERS if ENTRIES[name].lacks == work.workload.optimizer]:
        reasons[name] = {"left_out": f"no {work.workload.optimizer}"}
    if not peers and work.workload.flops > SLOW_FLOPS:
        reasons[SLOW] = {"left_out": "many minutes an epoch: name it in --peers"}
    fresh = {OURS: [work.fresh(OURS) for _ in range(n_fresh)]}
    for name in [name for name in peers or PEERS if name not in reasons and name not in BOUNDS]:
        try:
            fresh[name] = [work.fresh(name) for _ in range(1 if name == SLOW else n_fresh)]
        except ChildProcessError as failure:
            reasons[name] = {"failed": str(failure)}
    taken = work.warm([OURS, *(name for name in peers or PEERS if name not in reasons)], repetitions)
    rows = []
    for name in peers or PEERS:
        named = "peers", str(work), name
        if name in reasons:
            row = unmeasured(*named, taken[OURS], reasons[name])
        else:
            row = comparison(*named, taken[OURS][: len(taken[name])], taken[name])
        if name in fresh:
            row |= costs(fresh[name], "peer") | beside(fresh[OURS][-1], fresh[name][-1])
        row |= {"engine": fresh[OURS][0]["engine"], "images": work.images, "flops": work.workload.flops}
        rows.append(row | costs(fresh[OURS], "ours"))
    return rows


def costs(runs: Sequence[Row], who: str) -> Row:
    """What somebody's fresh processes tell: seconds, peak memory, and the loss after the first epoch."""
    return {
        f"{who}_first_seconds": runs[0]["seconds"],
        f"{who}_cold_seconds": median(run["seconds"] for run in runs[1:] or runs),
        f"{who}_peak_megabytes": runs[-1]["peak_megabytes"],
        f"{who}_loss": runs[0]["loss"],
    }


def beside(ours: Row, theirs: Row) -> Row:
    """What two fresh processes tell beside each other: who took how much memory, and whether both learned the same."""
    peak = ours["peak_megabytes"]
    return {
        "memory_ratio": peak and theirs["peak_megabytes"] / peak,
        "learned_alike": abs(log(theirs["loss"] / ours["loss"])) < ALIKE,
    }


def told(row: Row) -> str:
    """A row in words."""
    words = [f"{row['peer']:13}"]
    if row["ratio"] is None:
        return " ".join([*words, *(f"{reason}: {row[reason]}" for reason in REASONS if reason in row)])
    words.append("{peer_seconds:8.3f} s, {ratio:6.3f} times ours ({ratio_low:.3f} to {ratio_high:.3f})".format(**row))
    if row["peer"] in BOUNDS:
        return " ".join([*words, f"{row['flops'] / row['peer_seconds'] / 1e9:8.1f} GFLOP/s"])
    return " ".join([*words, start(row, "peer"), "" if row["learned_alike"] else "NOT AS OURS"])


def start(row: Row, who: str) -> str:
    """What somebody's fresh processes tell, in words."""
    first, cold = row[f"{who}_first_seconds"], row[f"{who}_cold_seconds"]
    peak, loss = row[f"{who}_peak_megabytes"], row[f"{who}_loss"]
    return f"cold {cold:.2f} s, first {first:.2f} s, peak {peak} MB, loss {loss:.4f}"


def chosen(parser: argparse.ArgumentParser, names: str | None, known: Sequence[str]) -> list[str]:
    """The names in a list with commas; an end with a message where one is none of `known`."""
    listed = names.split(",") if names else []
    if unknown := set(listed) - set(known):
        parser.error(f"expected some of {', '.join(known)}: got {', '.join(sorted(unknown))}")
    return listed


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = options(__doc__, "peers.json", repetitions=9)
    parser.add_argument("--workloads", metavar="A,B", help=f"some of {', '.join(WORKLOADS)} (all)")
    parser.add_argument("--peers", metavar="A,B", help=f"some of {', '.join(PEERS)} (all; a long {SLOW} only so)")
    parser.add_argument("--fresh", type=int, default=3, metavar="N", help="fresh processes of each, at least 1 (3)")
    parser.add_argument("--examples", type=int, default=60_000, metavar="N", help="images at most (60000)")
    parser.add_argument("--limit", choices=LIMITS, help="for everybody; none is the default")
    parser.add_argument("--engine", default="auto", metavar="E", help="deltarule's engine (auto)")
    given = parser.parse_args()
    given.workloads = chosen(parser, given.workloads, list(WORKLOADS)) or list(WORKLOADS)
    given.peers = chosen(parser, given.peers, PEERS)
    return given


def record(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows into the file, in the place of older ones of the same workload and peer."""
    new = {(row["workload"], row["peer"]): row for row in rows}
    old = {(row["workload"], row["peer"]): row for row in read_rows(path)}
    write_rows(path, list((old | new).values()))


def main() -> int:
    """Measure and tell, workload by workload. 1 where somebody failed or has not learned as ours has, else 0."""
    given = arguments()
    around = surroundings(*dict.fromkeys(entry.package for entry in ENTRIES.values()), "native")
    if given.limit == "one core":
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    all_well = True
    for name in given.workloads:
        workload = replace(WORKLOADS[name], n_samples=min(given.examples, WORKLOADS[name].n_samples))
        with TemporaryDirectory() as folder:
            images = prepare(Path(folder), workload.n_samples)
            work = Contest(workload, images, Path(folder), given.engine, given.limit)
            rows = contest(work, given.peers, given.repetitions, given.fresh)
        print(f"{work} of {images}")
        print(f"{OURS:13} {rows[0]['ours_seconds']:8.3f} s, {start(rows[0], 'ours')}")
        for row in rows:
            print(told(row), flush=True)
        record(given.json, [row | around for row in rows])
        all_well &= all("failed" not in row and row.get("learned_alike", True) for row in rows)
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
