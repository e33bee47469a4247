"""What has become slower: the rows in benchmarks/results beside those of a commit, by ratios measured side by side.

A ratio holds on any machine, or nearly so; seconds do not. A row counts as slower where its ratio is worse by more than
--by and the two 95 % intervals lie apart. Prints every such row, and exits with 1 if there is one.
Run the benchmarks first: `make bench`, then `python benchmarks/regressions.py --since HEAD`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

from measuring import RESULTS, Row, read_rows

COSTS = ("checkpoint", "kinds", "playground")  # whose ratio is what something costs: larger is worse
NAMES = ("benchmark", "workload", "peer", "engine")


def slower(before: Sequence[Row], now: Sequence[Row], by: float) -> list[str]:
    """A line for each row of `now` that is slower than the same row of `before`, by a factor above `by`."""
    old = {tuple(row.get(name) for name in NAMES): row for row in before}
    lines = []
    for row in now:
        earlier = old.get(tuple(row.get(name) for name in NAMES), {})
        if not row.get("ratio") or not earlier.get("ratio"):
            continue
        good, bad = (row, earlier) if row["benchmark"] in COSTS else (earlier, row)
        if good["ratio"] > by * bad["ratio"] and good["ratio_low"] > bad["ratio_high"]:
            what = ", ".join(str(row[name]) for name in NAMES if row.get(name))
            lines.append(f"{what}: {earlier['ratio']:.2f} before, {row['ratio']:.2f} now")
    return lines


def rows_of(commit: str, name: str) -> list[Row]:
    """The rows of a file of results as a commit has it; none where it lacks that file."""
    command = ["git", "show", f"{commit}:benchmarks/results/{name}"]
    said = subprocess.run(command, cwd=RESULTS, capture_output=True, check=False).stdout
    rows = json.loads(said or b"[]")
    return rows if isinstance(rows, list) else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--since", default="HEAD", help="the commit to compare with (default: HEAD)")
    parser.add_argument("--by", type=float, default=1.2, help="a factor: less than that counts as noise (default: 1.2)")
    chosen = parser.parse_args()
    files = sorted(RESULTS.glob("*.json"))
    lines = [line for path in files for line in slower(rows_of(chosen.since, path.name), read_rows(path), chosen.by)]
    print("\n".join(lines) or f"nothing is slower than at {chosen.since}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
