"""What is printed where: results on stdout, everything else on stderr, JSON without NaN."""

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from deltarule.nn.arrays import Array


def note(text: str) -> None:
    """Tell the user something that is not the result."""
    typer.echo(text, err=True)


def entry(title: str, text: str, indent: int = 9) -> str:
    """A text beside its title, in lines that fit the terminal and break between words."""
    return textwrap.fill(
        text,
        width=shutil.get_terminal_size().columns,
        initial_indent=f"{title:<{indent}}",
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_json(value: Any) -> None:
    """Print one JSON value; a path becomes a string, and a number that is not finite null."""
    typer.echo(json.dumps(without_nan(value), indent=2, default=os.fspath))


def without_nan(value: Any) -> Any:
    """The same dicts, lists and numbers, with None for what is no finite number."""
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows below the names of their columns, the first column to the left, the others to the right."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        typer.echo("  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]))


def drawn(pixels: "Array", image_shape: tuple[int, int]) -> str:
    """An image in text, of its pixels (height * width,)."""
    from deltarule.inspection.text_image import text_image

    return text_image(pixels.reshape(image_shape), sys.stdout.encoding).strip("\n")


def percent(share: float) -> str:
    """A share of 1 for people: "98.85 %"."""
    return f"{100 * share:.2f} %"


def score_words(name: str, value: float) -> str:
    """A score for people: "accuracy 98.85 %" or "R2 0.9987"."""
    return f"accuracy {percent(value):>8}" if name == "accuracy" else f"R2 {value:.4f}"
