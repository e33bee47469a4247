"""An epoch of 784-256-128-10 (ReLU, Adam, batch 128) with the NumPy engine, beside scikit-learn's MLPClassifier.

The headline of peers.py with these two, each in a process of its own; without MNIST the images are synthetic, and the
row says so. peak_megabytes is the most memory of a fresh process that loads the images and trains an epoch. Asked: at
most 300, and a ratio whose interval lies above 1.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import options, surroundings, write_rows
from peers import Contest, contest, start, told
from workloads import HEADLINE, prepare


def main() -> None:
    """Measure, print the row in words, and write it."""
    parser = options(__doc__, "epoch.json", repetitions=9)
    parser.add_argument("--examples", type=int, default=60_000, metavar="N", help="training images (60000)")
    given = parser.parse_args()
    workload = replace(HEADLINE, n_samples=given.examples)
    with TemporaryDirectory() as folder:
        images = prepare(Path(folder), workload.n_samples)
        work = Contest(workload, images, Path(folder), engine="numpy")
        (row,) = contest(work, ["scikit-learn"], given.repetitions, n_fresh=1)
    row |= {"benchmark": "epoch", "peak_megabytes": row["ours_peak_megabytes"]}
    print(f"{workload} of {images}")
    print(f"deltarule     {row['ours_seconds']:8.3f} s, {start(row, 'ours')}")
    print(told(row))
    write_rows(given.json, [row | surroundings("scikit-learn")])


if __name__ == "__main__":
    main()
