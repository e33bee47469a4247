"""What is printed where: results on stdout, everything else on stderr, JSON without NaN."""

import json
import math
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def note(text: str) -> None:
    """Tell the user something that is not the result."""
    typer.echo(text, err=True)


def entry(title: str, text: str) -> str:
    """A text beside its title, in lines that fit the terminal and break between words."""
    return textwrap.fill(
        text,
        width=shutil.get_terminal_size().columns,
        initial_indent=f"{title:<9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_json(value: Any) -> None:
    """Print one JSON value; a number that is not finite becomes null."""
    typer.echo(json.dumps(without_nan(value), indent=2))


def without_nan(value: Any) -> Any:
    """The same dicts, lists and numbers, with None for what is no finite number."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows under the names of their columns: names to the left, numbers to the right."""
    columns = {name: [name, *(row[name] for row in rows)] for name in rows[0]}
    widths = {name: max(map(len, cells)) for name, cells in columns.items()}
    first = next(iter(columns))
    for line in zip(*columns.values(), strict=True):
        cells = (
            cell.ljust(widths[name]) if name == first else cell.rjust(widths[name])
            for name, cell in zip(columns, line, strict=True)
        )
        typer.echo("  ".join(cells))


def percent(share: float) -> str:
    """A share of 1 for people: "98.85 %"."""
    return f"{100 * share:.2f} %"


def score_words(name: str, value: float) -> str:
    """A score for people: "accuracy 98.85 %" or "R2 0.9987"."""
    return f"accuracy {percent(value):>8}" if name == "accuracy" else f"R2 {value:.4f}"
