"""How much longer an epoch takes beside a process that computes all the time.

    python benchmarks/busy.py

Alone and beside take turns. On two cores the best is 4/3 times as long: the other process has half of one core.
The threads of a step wait for one another, so with fixed shares the whole step is as slow as the core that has company.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import REST_SECONDS, Worker, comparison, interleaved, options, surroundings, training, write_rows
from workloads import WORKLOADS, prepare

COMPANY = "while True: pass"


def epoch(worker: Worker, has_company: bool) -> float:
    """The seconds of an epoch."""
    company = subprocess.Popen([sys.executable, "-c", COMPANY]) if has_company else None
    try:
        time.sleep(REST_SECONDS)
        seconds: float = worker.ask("epoch")
        return seconds
    finally:
        if company is not None:
            company.kill()
            company.wait()


def main() -> None:
    """Measure, print and write."""
    parser = options(__doc__, "busy.json", 7)
    parser.add_argument("--workloads", default="headline,deep", metavar="A,B", help="headline,deep")
    parser.add_argument("--examples", type=int, metavar="N", help="images of an epoch (those of peers.py)")
    given = parser.parse_args()
    rows = []
    for name in given.workloads.split(","):
        workload = WORKLOADS[name]
        workload = replace(workload, n_samples=given.examples or workload.n_samples)
        with TemporaryDirectory() as folder:
            prepare(Path(folder), workload.n_samples)
            with training("ours:Ours", workload, Path(folder)) as worker:
                worker.ask("epoch")
                measures: dict[str, Callable[[], float]] = {
                    "alone": partial(epoch, worker, False),
                    "beside": partial(epoch, worker, True),
                }
                taken = interleaved(measures, given.repetitions)
        row = comparison("busy", str(workload), "beside a busy process", taken["alone"], taken["beside"])
        rows.append(row | surroundings())
        print(f"{workload}: {row['ours_seconds']:.3f} s alone, {row['ratio']:.2f} times as long beside a busy process")
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
