"""What labels, values, dropout and clipping cost: an epoch of 784-256-128-10 (Adam, batch 128) beside that of classes.

Each kind has a process of its own, and they take turns. labels are ten sigmoids under their cross-entropy, values ten
numbers under the squared error, dropout leaves out a fifth of the hidden neurons, clip shortens gradients to a norm of
1. The ratio is the kind's seconds by those of classes. Asked: at most 1.25 each.
"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import comparison, in_turns, options, surroundings, training, write_rows
from workloads import HEADLINE, prepare

PLAIN, KINDS = "classes", ("labels", "values", "dropout", "clip")


def main() -> None:
    """Measure, tell, and write a row for each kind."""
    parser = options(__doc__, "kinds.json", repetitions=9)
    parser.add_argument("--examples", type=int, default=60_000, metavar="N", help="images (60000)")
    given = parser.parse_args()
    workload = replace(HEADLINE, n_samples=given.examples)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        images = prepare(Path(folder), workload.n_samples)
        workers = {
            kind: stack.enter_context(training("ours:OfAKind", workload, Path(folder), kind=kind))
            for kind in (PLAIN, *KINDS)
        }
        taken = in_turns(workers, "epoch", given.repetitions)
    rows = [comparison("kinds", f"{workload}, {PLAIN}", kind, taken[PLAIN], taken[kind]) for kind in KINDS]
    for row in rows:
        print("{peer:8} {peer_seconds:.3f} s, {ratio:.2f} times ({ratio_low:.2f} to {ratio_high:.2f})".format(**row))
    write_rows(given.json, [row | {"images": images} | surroundings() for row in rows])


if __name__ == "__main__":
    main()
