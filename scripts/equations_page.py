#!/usr/bin/env python3
"""Writes docs/equations.md from the registry: python scripts/equations_page.py."""

from collections.abc import Iterator
from pathlib import Path

from deltarule.nn.equations import EQUATIONS, SYMBOLS, Equation

PAGE = Path(__file__).parents[1] / "docs" / "equations.md"
HEAD = """\
# The equations

Every equation that deltarule computes: what it says, why it is true, which lines compute it. Written by
`scripts/equations_page.py` from the registry, [`nn/equations.py`](../src/deltarule/nn/equations.py), which
`deltarule explain --equation ID` reads, too, with the numbers of an example. What else is called what:
[notation](notation.md).

A sample is a row. Indices: $i$ a sample, $l$ a layer, counted from 0, the last one $L$; $j$ a neuron of layer $l$, $k$
one of a neighboring layer. $a^{l-1}$ is what layer $l$ reads: for the first layer, the data.
"""


def page() -> str:
    """The whole page."""
    links = "\n".join(
        f"- [{equation.id}](#{anchor(equation)}): {equation.title.lower()}" for equation in EQUATIONS.values()
    )
    return "\n".join([HEAD, links, "", *(line for equation in EQUATIONS.values() for line in section(equation))])


def anchor(equation: Equation) -> str:
    """Where GitHub puts a section of that heading."""
    return heading(equation).lower().replace(" ", "-").replace(":", "").replace(",", "")


def heading(equation: Equation) -> str:
    """An equation's id and title."""
    return f"{equation.id}: {equation.title}"


def section(equation: Equation) -> Iterator[str]:
    """What the page says of one equation."""
    yield from (f"## {heading(equation)}", "", f"$${equation.latex}$$", "", equation.says, "")
    yield from ("| symbol | what it is | in the code | shape |", "|---|---|---|---|")
    for symbol in (SYMBOLS[name] for name in equation.symbols):
        yield f"| ${symbol.latex}$ | {symbol.means} | `{symbol.code}` | {symbol.shape} |"
    yield from ("", f"Computed in `{equation.place}`:", "", "```python", equation.code(), "```", "")
    yield from ("### Why", "", equation.proof)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
