"""How long reading a table takes: MNIST's first 42,000 training images in the form of Kaggle's train.csv.

Read as pixels, as `train --data train.csv` does, beside pandas, which reads the file alike but does not check it; and
as a table, as `--target label` does. Asked: the first within 2 s.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from measuring import comparison, interleaved, options, surroundings, write_rows

from deltarule.data.catalog import load
from deltarule.data.readers.kinds import read
from deltarule.data.readers.tables import read_table
from deltarule.errors import DownloadError

ROWS = 42_000
ASKED_SECONDS = 2.0


def images(n_rows: int) -> tuple[Any, str]:
    """A label and 784 pixels a row, (n_rows, 785) uint8, and where they come from: noise where there is no MNIST."""
    try:
        train = load("mnist", offline=True).train.take(slice(n_rows))
        return np.column_stack([train.targets.astype(np.uint8), train.inputs]), "MNIST"
    except DownloadError:
        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (n_rows, 784), dtype=np.uint8) * (rng.random((n_rows, 784)) < 0.19)
        return np.column_stack([np.arange(n_rows, dtype=np.uint8) % 10, pixels.astype(np.uint8)]), "noise"


def write_kaggle(path: Path, table: Any) -> None:
    """Write rows in the form of Kaggle's train.csv."""
    texts = [str(value) for value in range(256)]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["label", *(f"pixel{k}" for k in range(table.shape[1] - 1))]) + "\n")
        file.writelines(",".join(map(texts.__getitem__, row)) + "\n" for row in table.tolist())


def seconds_of(read: Callable[[], object]) -> Callable[[], float]:
    """A measure: how long a call takes."""

    def measure() -> float:
        began = time.perf_counter()
        read()
        return time.perf_counter() - began

    return measure


def main() -> None:
    """Measure, print what was asked for, and write the rows."""
    parser = options(__doc__, "tables.json", repetitions=7)
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"rows of the table ({ROWS})")
    given = parser.parse_args()
    table, source = images(given.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.csv")
        write_kaggle(path, table)
        readers = {
            "pixels": partial(read, path),
            "table": partial(read_table, path, "label", announce=lambda _: None),
            "pandas": partial(pd.read_csv, path),
        }
        if not np.array_equal(readers["pixels"]().rows, table[:, 1:]):
            raise SystemExit("the pixels that were read are not those that were written")
        taken = interleaved({name: seconds_of(read) for name, read in readers.items()}, given.repetitions)
        megabytes = path.stat().st_size / 1e6
    theirs = taken.pop("pandas")
    rows = []
    for name, ours in taken.items():
        found = {"rows": given.rows, "columns": table.shape[1], "megabytes": megabytes, "source": source}
        asked = {"asked_seconds": ASKED_SECONDS} if name == "pixels" else {}
        rows.append(
            comparison("tables", name, "pandas.read_csv", ours, theirs) | found | asked | surroundings("pandas")
        )
        print(
            f"{name}: {median(ours):.2f} s, pandas {median(theirs):.2f} s, {given.rows:,} rows of {source}", flush=True
        )
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
