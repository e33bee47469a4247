"""Results as text: numbers, sentences, tables and images for a terminal of 80 columns; and dataclasses for JSON."""

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from deltarule.errors import read_tables
from deltarule.nn.arrays import Array

WIDTH = 78

BLOCKS = " ░▒▓█▀▄"
INK = np.array([(0, 0), (25, 25), (50, 50), (75, 75), (100, 100), (100, 0), (0, 100)]) / 100  # of upper and lower half
TABLES = read_tables("inspection/terminal")
IN_ASCII = str.maketrans(TABLES["in_ascii"] | dict(zip(BLOCKS, ' :+%#"_', strict=True)))


def plain(value: Any) -> Any:
    """The value in types of JSON: a dataclass becomes a dict, a tuple or an array a list."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def number(value: float, sign: str = "-") -> str:
    """The number as text with five digits, such as 0.12346 or 1.2346e-07; with sign "+" also with a plus sign."""
    return f"{float(value) + 0.0:{sign}.5g}"  # 0 added, so that -0.0 becomes 0.0


def align(values: Iterable[float]) -> list[str]:
    """The numbers as text, to be added by eye: all with as many decimals as give the largest five digits."""
    values = [float(value) + 0.0 for value in values]
    sign = "+" if min(values, default=0.0) < 0.0 else ""
    largest = max(map(abs, values), default=0.0)
    if largest and not 1e-4 <= largest < 1e6:
        return [f"{value:{sign}.4e}" for value in values]
    decimals = max(0, 4 - math.floor(math.log10(largest))) if largest else 1
    return [f"{round(value, decimals) + 0.0:{sign}.{decimals}f}" for value in values]


def entry(title: str, text: str, width: int, indent: int = 9, *, break_long_words: bool = True) -> str:
    """A title and, beside it, a text wrapped to lines of at most `width` characters in all."""
    indents: Any = {"initial_indent": f"{title:<{indent}}", "subsequent_indent": " " * indent}
    return textwrap.fill(text, width, **indents, break_long_words=break_long_words, break_on_hyphens=False)


def wrap(sentence: str) -> list[str]:
    """A sentence in lines of at most WIDTH columns, indented by two."""
    return entry("", sentence, WIDTH, indent=2).split("\n")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, indent: int = 4) -> list[str]:
    """The lines of a table: `rows` below the names in `head`; the first `left` columns left-aligned, the rest right."""
    lines = [[cell.replace("\n", "\\n") for cell in cells] for cells in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [[*map(str.ljust, line[:left], widths), *map(str.rjust, line[left:], widths[left:])] for line in lines]
    return [f"{' ' * indent}{'  '.join(cells)}".rstrip() for cells in aligned]


def number_table(head: str, names: Sequence[str], columns: Mapping[str, Iterable[float]], sign: str = "-") -> list[str]:
    """The lines of a table of numbers: a column of row names, headed `head`, and then `columns`, by name."""
    cells = [[number(value, sign) for value in column] for column in columns.values()]
    return table([head, *columns], list(zip(names, *cells, strict=True)))


def text_image(image: Array) -> str:
    """An image as lines of text, one character for two pixels above each other.

    image: (height, width), any dtype: 0 or less is paper, the largest number is full ink.

    >>> print(text_image(np.array([[0, 9, 0], [9, 9, 9]])))
    ▄█▄
    """
    ink = np.maximum(image, 0.0) / max(image.max(), np.finfo(np.float64).tiny)
    ink = np.pad(ink, [(0, len(ink) % 2), (0, 0)])
    pairs = np.stack([ink[0::2], ink[1::2]], axis=-1)  # (lines, width, 2)
    distances = ((pairs[:, :, None] - INK) ** 2).sum(axis=-1)  # (lines, width, characters)
    return "\n".join("".join(line).rstrip() for line in np.array(list(BLOCKS))[distances.argmin(axis=-1)])


def in_unicode(text: str) -> str:
    """The LaTeX of an equation, or a paragraph of its proof, converted to Unicode for a terminal."""
    for pattern, instead in TABLES["in_unicode"].items():
        text = re.sub(pattern, instead, text)
    return text


def encodable(text: str, encoding: str) -> str:
    """The text for a terminal of this encoding: formulas and images in ASCII where the encoding lacks a character."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(IN_ASCII)
    return text


def picture_lines(array: Array, shape: tuple[int, int]) -> list[str]:
    """The lines of an image as text, indented by four, without empty lines above and below."""
    if shape[1] > WIDTH - 4:
        return [f"    (an image of {shape[0]}x{shape[1]} pixels, too wide to be drawn here)"]
    return [f"    {line}".rstrip() for line in text_image(array.reshape(shape)).strip("\n").splitlines()]
