#!/usr/bin/env python3
"""Writes the README's table of recipes, between its two markers, from what benchmarks/recipes.py has measured."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "benchmarks" / "results" / "recipes.json"
BEGIN, END = "<!-- recipes: begin -->", "<!-- recipes: end -->"

Row = Mapping[str, Any]


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, and below them what they were measured with."""
    lines = ["| recipe | network | result | seconds | expected | source |", "|---|---|---|---:|---|---|"]
    for row in rows:
        seconds = f"{row['train_seconds']:,.0f}" if row["train_seconds"] >= 10 else f"{row['train_seconds']:.2g}"
        cells = f"`{row['workload']}`", row["network"], result(row), seconds, row["expected"], row["source"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", conditions([run for row in rows for run in row["runs"]])])


def result(row: Row) -> str:
    """The scores of a recipe in words, such as "98.85 ± 0.04 % (5 seeds)"."""
    words = f"R² {spread(row['r2'], 1, 4)}" if "r2" in row else f"{spread(row['accuracy'], 100, 2)} %"
    if not all(run["unseen_examples"] for run in row["runs"]):
        words += " of its training examples"
    if "mnist_accuracy" in row:
        words += f"; {spread(row['mnist_accuracy'], 100, 2)} % of MNIST's test set"
    n_seeds = len(row["runs"])
    return f"{words} ({n_seeds} seed{'s' if n_seeds > 1 else ''})"


def spread(score: Row, unit: int, digits: int) -> str:
    """A mean and its standard deviation in some unit, or the mean alone where there is one seed."""
    mean, sd = score["mean"], score["sd"]
    return f"{unit * mean:.{digits}f}" + ("" if sd is None else f" ± {unit * sd:.{digits}f}")


def conditions(runs: Sequence[Row]) -> str:
    """What the figures are, and which engine, machine and versions they come from."""
    engine = all_of(run["engine"] for run in runs)
    machine = all_of(run["machine"] for run in runs)
    threads = all_of("".join(f", {name}={n}" for name, n in run.get("threads", {}).items()) for run in runs)
    versions = all_of(", ".join(f"{name} {number}" for name, number in run["versions"].items()) for run in runs)
    return (
        "Mean ± standard deviation on examples that were not trained on; the median of the seconds of training. "
        f"Measured by `benchmarks/recipes.py`: engine {engine}; {machine}; {versions}{threads}."
    )


def all_of(values: Iterable[str]) -> str:
    """Every different value once."""
    return " or ".join(sorted(set(values)))


def filled(readme: str, content: str) -> str:
    """The README with `content` between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"expected {BEGIN} and {END} in {README}, in this order: add them where the table is to go")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def main() -> None:
    """Write README.md anew."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))
    README.write_text(filled(README.read_text(encoding="utf-8"), table(rows)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
