#!/usr/bin/env python3
"""Writes docs/equations.md from the registry: python scripts/equations_page.py."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import deltarule as dr
from deltarule.inspection.explain.walkthrough import SECTIONS
from deltarule.nn.equations import EQUATIONS, SYMBOLS, Equation

PAGE = Path(__file__).parents[1] / "docs" / "equations.md"
HEAD = """\
# The equations

Every equation that deltarule computes: what it says, why it is true, which lines compute it.
`scripts/equations_page.py` writes this page from the registry, [`nn/equations.py`](../src/deltarule/nn/equations.py).
`deltarule explain --equation ID` shows an equation with the numbers of your example. For other names and symbols see
[notation](notation.md).

The numbers are those of the course's small network, 2-3-1, and its first dog, which is cute: see
[the four equations](course/07-the-four-equations.md).

A sample is a row. Indices: $i$ is a sample; $l$ is a layer, counted from 0, and $L$ the last one; $j$ is a neuron of
layer $l$ and $k$ one of a neighboring layer. $a^{l-1}$ is what layer $l$ reads: for the first layer, the data.
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
    yield from ("### With numbers", "", "```text", *numbers(equation), "```", "")
    yield from ("### Why", "", equation.proof)


def numbers(equation: Equation) -> Iterator[str]:
    """The equation at work on one example, as `deltarule explain` shows it, without what rounding decides."""
    network = dog_network(equation)
    walk = dr.explain(network, np.array([0.9, 0.1]), 1, equation=equation.id)
    lines = list(SECTIONS[equation.id](walk))
    exact = next((place for place, line in enumerate(lines) if line.startswith("  delta of ")), len(lines))
    kept = [line.removeprefix("  ") for line in lines[:exact] if "relative error" not in line]
    yield from "\n".join(kept).rstrip().splitlines()


def dog_network(equation: Equation) -> dr.Network:
    """The 2-3-1 network of the course, with the output and loss that an equation is about."""
    kinds = {
        "BP1-softmax": ("softmax", "cross_entropy"),
        "BP1-sigmoid": ("sigmoid", "binary_cross_entropy"),
        "BP1-exponential": ("exponential", "poisson"),
    }
    output, loss = kinds.get(equation.id, ("sigmoid", "quadratic"))
    W2 = np.array([[1.0], [4.0], [-2.0]])
    if output == "softmax":  # one output for each answer: not cute, cute
        W2 = np.hstack([-W2, W2]) / 2
    network = dr.Network((2, 3, W2.shape[1]), hidden="sigmoid", output=output, loss=loss, dtype="float64")
    network.weights[0][:], network.biases[0][:] = [[4.0, -3.0, -2.0], [-4.0, 3.0, 1.0]], [-1.0, -1.0, 1.0]
    network.weights[1][:], network.biases[1][:] = W2, [1.0, -1.0] if output == "softmax" else [-2.0]
    return network


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
