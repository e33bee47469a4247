#!/usr/bin/env python3
"""Writes the tables of README and docs, each between its two markers, from what the benchmarks have measured.

recipes: from results/recipes.json.  peers: from results/peers.json.  reliability: from results/faults.json, which
`make faults` writes.  figures: a row of each. A table without results, or without markers, is left as it is.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("recipes", "records", "speed", "reliability"))]

COSTS = {
    "cold_seconds": ("cold", "s"),
    "first_seconds": ("cold, the first time", "s"),
    "peak_megabytes": ("peak memory", "MB"),
}

Row = Mapping[str, Any]


def recipes_table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, and below them what they were measured with."""
    lines = ["| recipe | network | result | seconds | expected | source |", "|---|---|---|---:|---|---|"]
    for row in rows:
        seconds = f"{row['train_seconds']:,.0f}" if row["train_seconds"] >= 10 else f"{row['train_seconds']:.2g}"
        cells = f"`{row['workload']}`", row["network"], result(row), seconds, row["expected"], row["source"]
        lines.append(f"| {' | '.join(cells)} |")
    runs = [run for row in rows for run in row["runs"]]
    explained = "Mean ± standard deviation on examples not used for training; seconds is the median time of training."
    return "\n".join([*lines, "", f"{explained} {conditions('recipes', runs)}"])


def result(row: Row) -> str:
    """The scores of a recipe in words, such as "98.85 ± 0.04 % (5 seeds)"."""
    words = f"R² {spread(row['r2'], 1, 4)}" if "r2" in row else f"{spread(row['accuracy'], 100, 2)} %"
    if not all(run["unseen_examples"] for run in row["runs"]):
        words += " of its training examples"
    if "mnist_accuracy" in row:
        words += f"; {spread(row['mnist_accuracy'], 100, 2)} % of MNIST's test set"
    n_seeds = len(row["runs"])
    if n_seeds == 1:
        return f"{words} (1 seed)"
    lowest = min(run["r2"] if "r2" in row else 100 * run["accuracy"] for run in row["runs"])
    return f"{words} ({n_seeds} seeds, the lowest {lowest:.{4 if 'r2' in row else 2}f})"


def spread(score: Row, unit: int, digits: int) -> str:
    """A mean and its standard deviation in some unit, or the mean alone where there is one seed."""
    mean, sd = score["mean"], score["sd"]
    return f"{unit * mean:.{digits}f}" + ("" if sd is None else f" ± {unit * sd:.{digits}f}")


def peers_table(rows: Sequence[Row]) -> str:
    """How many times as long each peer takes, workload by workload; then what a start of the first workload costs."""
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    workloads: dict[str, dict[str, Row]] = {}
    for row in rows:
        workloads.setdefault(row["workload"], {})[row["peer"]] = row
    lines = [f"| | deltarule | {' | '.join(peers)} |", "|---|---:|" + "---:|" * len(peers)]
    for workload, of in workloads.items():
        seconds = f"{next(iter(of.values()))['ours_seconds']:.3g} s"
        lines.append(f"| {' | '.join([workload, seconds, *(ratio(of.get(peer, {})) for peer in peers)])} |")
    headline, of = next(iter(workloads.items()))
    ours = next(iter(of.values()))
    for what, (words, unit) in COSTS.items():
        figures = [ours.get(f"ours_{what}"), *(of.get(peer, {}).get(f"peer_{what}") for peer in peers)]
        lines.append(f"| {words} | {' | '.join('' if each is None else f'{each:.3g} {unit}' for each in figures)} |")
    explained = (
        "deltarule: seconds of an epoch; the others: how many times as long they take (95 % interval), side by side in "
        "one run. sgemm is the epoch's matrix products alone, peak as many multiply-adds in registers. "
        f"The last three rows are for {headline}. Cold: the first epoch of a fresh process, with import, loading and "
        "compilation; the first time: the same before any compiled code was kept; and the peak memory of that process."
    )
    return "\n".join([*lines, "", f"{explained} {conditions('peers', rows)}"])


def reliability_table(rows: Sequence[Row]) -> str:
    """Every fault that was injected, how often, and how often nothing was lost."""
    lines = ["| fault | injected | without harm |", "|---|---:|---:|"]
    lines += [f"| {row['fault']} | {row['tried']:,} | {row['harmless']:,} |" for row in rows]
    return "\n".join([*lines, "", f"Counted by `make faults`: {circumstances(rows)}."])


def ratio(row: Row) -> str:
    """A ratio with its interval, such as "2.10 (2.05 to 2.15)", or why there is none."""
    if row.get("ratio") is None:
        return next((word for word in ("absent", "failed") if word in row), "")
    return "{ratio:.2f} ({ratio_low:.2f} to {ratio_high:.2f})".format(**row)


def conditions(benchmark: str, runs: Sequence[Row]) -> str:
    """Which engine, machine and versions the figures come from."""
    engine = all_of(run["engine"] for run in runs)
    return f"Measured by `benchmarks/{benchmark}.py`: engine {engine}; {circumstances(runs)}."


def records_table(rows: Sequence[Row]) -> str:
    """What networks and committees reach, when last scored: runs that differ only in their seed are one row."""
    rows = list({(row["workload"], row["copies"]): row for row in rows}.values())
    lines = ["| | networks | % | with deformed copies, % | minutes | multiply-adds |", "|---|---:|---:|---:|---:|---:|"]
    kinds: dict[str, dict[int, list[Row]]] = {}
    for row in rows:
        kinds.setdefault(row["workload"].partition(", seed")[0], {}).setdefault(row["copies"], []).append(row)
    for name, by_copies in kinds.items():
        scores = []
        for found in by_copies.values():
            right = [row["accuracy"] for row in found]
            mean, sd = fmean(right), stdev(right) if len(right) > 1 else None
            seeds = f" ({len(right)} seeds)" if sd is not None else ""
            scores.append(spread({"mean": mean, "sd": sd}, 100, 2) + seeds)
        first = by_copies[0]
        minutes, work = (fmean(row[key] for row in first) for key in ("seconds", "multiply_adds"))
        cells = name, str(len(first[0]["members"])), *scores, f"{minutes / 60:.0f}", f"{work:.1e}"
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Measured by `benchmarks/records.py`: {circumstances(rows)}."])


def ideas_table(rows: Sequence[Row]) -> str:
    """What each idea is worth: a run without it beside the first, whose name its own begins with."""
    trials = [row for row in rows if row["copies"] == 0 and len(row["members"]) == 1]
    base = next(row for row in trials if any(each["workload"].startswith(f"{row['workload']}, ") for each in trials))
    lines = ["| | % | digits that it alone, and the first alone, read | p |", "|---|---:|---:|---:|"]
    for row in trials:
        before, _, idea = row["workload"].partition(base["workload"])
        if not before:
            against, what = row["against_first"], idea.removeprefix(", ") or "all of them"
            beside = f"{against['only_this']}, {against['only_other']} | {against['p']:.2g}" if idea else " |"
            lines.append(f"| {what} | {100 * row['accuracy']:.2f} | {beside} |")
    return "\n".join([*lines, "", f"Measured by `benchmarks/records.py`: {circumstances(trials)}."])


def circumstances(runs: Sequence[Row]) -> str:
    """Machine, versions and limits on threads."""
    machine = all_of(run["machine"] for run in runs)
    limits = {" ".join(f"{name}={n}" for name, n in run.get("threads", {}).items()) for run in runs}
    threads = f"; {'some ' * ('' in limits)}with {all_of(limits - {''})}" if limits - {""} else ""
    versions = all_of(", ".join(f"{name} {number}" for name, number in run["versions"].items()) for run in runs)
    return f"{machine}; {versions}{threads}"


def all_of(values: Iterable[str]) -> str:
    """Every different value once."""
    return " or ".join(sorted(set(values)))


def figures_table(recipes: Sequence[Row], peers: Sequence[Row], faults: Sequence[Row]) -> str:
    """Three figures, each with the script that measures it: how well, how fast, how reliably."""
    default = next(row for row in recipes if row["workload"] == "default")
    torch = next(row for row in peers if row["peer"] == "PyTorch")
    n_faults, n_harmless = (sum(row[name] for row in faults) for name in ("tried", "harmless"))
    rows = [
        (
            f"`deltarule train` reads MNIST's test images after {default['train_seconds']:.2g} s of training",
            result(default),
            "recipes",
        ),
        (
            f"an epoch of {torch['workload']} takes {torch['ours_seconds']:.3g} s; PyTorch takes",
            f"{ratio(torch)} times as long",
            "speed",
        ),
        (f"of {n_faults:,} injected faults, those that did no harm", f"{n_harmless:,}", "reliability"),
    ]
    lines = [f"| {what} | {figure} | [table](docs/{page}.md) |" for what, figure, page in rows]
    return "\n".join(["| what | figure | measured |", "|---|---:|---|", *lines])


def filled(page: str, name: str, content: str) -> str:
    """The page with `content` between the markers of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"expected {begin} and {end}, in this order: add them where the table is to go")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


TABLES: dict[str, tuple[Callable[..., str], list[str]]] = {
    "recipes": (recipes_table, ["recipes"]),
    "peers": (peers_table, ["peers"]),
    "reliability": (reliability_table, ["faults"]),
    "records": (records_table, ["records_test"]),
    "ideas": (ideas_table, ["records"]),
    "figures": (figures_table, ["recipes", "peers", "faults"]),
}


def written(page: str) -> str:
    """The page with every table that it has markers and that there are results for."""
    for name, (table, results) in TABLES.items():
        files = [RESULTS / f"{each}.json" for each in results]
        if f"<!-- {name}: begin -->" in page and all(file.exists() for file in files):
            page = filled(page, name, table(*(json.loads(file.read_text(encoding="utf-8")) for file in files)))
    return page


def main() -> None:
    """Write the pages anew."""
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
