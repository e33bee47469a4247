"""What checkpoints cost: an epoch with one each second beside an epoch without, and the training thread's share.

    python benchmarks/checkpoint.py

784-256-128-10 with Adam. Asked: at most 3 ms of the training thread for a checkpoint (p99 of 500, made while others
are being written), and at most 2 % more seconds with one each second.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import comparison, in_turns, options, surroundings, training, write_rows
from workloads import HEADLINE, prepare


def main() -> None:
    """Measure, print what was asked for, and write the row."""
    parser = options(__doc__, "checkpoint.json", repetitions=7)
    parser.add_argument("--examples", type=int, default=HEADLINE.n_samples, metavar="N", help="images (60,000)")
    parser.add_argument("--checkpoints", type=int, default=500, metavar="N", help="for the p99 (500)")
    parser.add_argument("--engine", default="auto", metavar="E", help="deltarule's engine (auto)")
    given = parser.parse_args()
    workload = replace(HEADLINE, n_samples=given.examples)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        images, most = prepare(folder, workload.n_samples), given.checkpoints
        how = {"most": most, "engine": given.engine}
        workers = {
            word: stack.enter_context(training("keeping:Keeping", workload, folder, keeps=word == "with", **how))
            for word in ("without", "with")
        }
        taken = in_turns(workers, "epoch", given.repetitions)
        milliseconds = 1000 * np.array(workers["with"].ask("costs"))
        engine = workers["with"].ask("report")["engine"]
    row = comparison("checkpoint", str(workload), "one each second", taken["without"], taken["with"])
    p50, p99 = np.percentile(milliseconds, [50, 99]).tolist()
    row |= {"images": images, "engine": engine, "checkpoints": len(milliseconds), "p50_ms": p50, "p99_ms": p99}
    write_rows(given.json, [row | surroundings()])
    slower = [100 * (row[each] - 1) for each in ("ratio", "ratio_low", "ratio_high")]
    print("with one each second {:.1f} % slower ({:.1f} to {:.1f})".format(*slower))
    print(f"a checkpoint takes {p50:.2f} ms of the training thread, p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
