"""Numbers and sentences in columns of text, for a terminal of 80."""

import math
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 78
MOST_LETTERS = 22  # of a user's own names


def number(value: float, sign: str = "-") -> str:
    """Five digits, 0.12346 or 1.2346e-07; with sign "+" also a plus where there is one."""
    return f"{float(value) + 0.0:{sign}.5g}"  # 0 added, so that -0.0 becomes 0.0


def aligned(values: Iterable[float]) -> list[str]:
    """Numbers that can be added up by eye: as many decimals for all as give the largest five digits."""
    values = [float(value) + 0.0 for value in values]
    sign = "+" if min(values, default=0.0) < 0.0 else ""
    largest = max(map(abs, values), default=0.0)
    if largest and not 1e-4 <= largest < 1e6:
        return [f"{value:{sign}.4e}" for value in values]
    decimals = max(0, 4 - math.floor(math.log10(largest))) if largest else 1
    return [f"{round(value, decimals) + 0.0:{sign}.{decimals}f}" for value in values]


def shortened(name: str) -> str:
    """A name that leaves room for its numbers."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}..."


def wrapped(sentence: str) -> list[str]:
    """A sentence in lines of at most WIDTH columns, indented by two."""
    indent = "  "
    return textwrap.wrap(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Rows below their heads, indented by four; the first `left` columns to the left, the others to the right."""
    lines = [[cell.replace("\n", "\\n") for cell in cells] for cells in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [[*map(str.ljust, line[:left], widths), *map(str.rjust, line[left:], widths[left:])] for line in lines]
    return [f"    {'  '.join(cells)}".rstrip() for cells in aligned]
