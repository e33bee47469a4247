r"""The registry of equations: each equation that a network computes, with its proof and the code that computes it.

Docs, page and commands show equations from this registry; the texts are in equations.toml. Indices: i is a sample; l is
a layer, counted from 0, and L the last one; j is a neuron of layer l, and k a neuron of a neighboring layer. a^(l-1) is
the input of layer l; for layer 0 that is the data.

>>> print(EQUATIONS["BP4"].text)
dC/dw^l_jk = sum_i a^(l-1)_ik delta^l_ij
>>> print(EQUATIONS["BP4"].code())
np.matmul(inputs[l].T, delta[l], out=grads.weights[l])
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from inspect import getsource
from itertools import takewhile
from textwrap import dedent
from typing import Any

from deltarule.errors import SettingError, closest, read_tables
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Poisson
from deltarule.nn.network import Network
from deltarule.parts import object_at


@dataclass(frozen=True)
class Symbol:
    """A symbol in the equations: how it is written, and what it means.

    text, latex: the symbol in ASCII and in LaTeX. means: its meaning in words.
    code: the expression for it in the code, with the indices in the array's order. shape: the shape of that array.
    """

    text: str
    latex: str
    means: str
    code: str
    shape: str


_TABLES = read_tables("nn/equations")
SYMBOLS = {text: Symbol(text, *row) for text, row in _TABLES["symbols"].items()}


@dataclass(frozen=True)
class Equation:
    """An equation of the library.

    id, title: its short and its full name.
    latex: the formula for pages and terminals. text: in ASCII, at most 76 columns. says: one sentence in plain words.
    symbols: its symbols, keys of SYMBOLS.
    home: the function or method that computes it.
    markers: texts that find the lines in `home` that compute it: in a comment above them, or in such a line itself.
    applies_to: a function that returns whether a given network computes it.
    """

    id: str
    title: str
    latex: str
    text: str
    says: str
    symbols: tuple[str, ...]
    home: Callable[..., Any]
    markers: tuple[str, ...]
    applies_to: Callable[[Network], bool]

    @property
    def proof(self) -> str:
        """The proof of the equation, with every step and every index, as Markdown with LaTeX."""
        return files(__package__).joinpath("proofs", f"{self.id}.md").read_text(encoding="utf-8")

    @property
    def place(self) -> str:
        """The dotted name of the function that computes the equation, such as deltarule.nn.network.backward."""
        return f"{self.home.__module__}.{self.home.__qualname__}"

    def code(self) -> str:
        """The source lines that compute the equation."""
        lines = getsource(self.home).splitlines()
        return "\n".join(_lines_at(lines, marker) for marker in self.markers)


def _lines_at(lines: list[str], marker: str) -> str:
    """The first line that contains `marker`; if it is a comment, the lines below it, up to a blank line or comment."""
    start = next(n for n, line in enumerate(lines) if marker in line)
    if not lines[start].lstrip().startswith("#"):
        return lines[start].strip()
    return dedent("\n".join(takewhile(lambda line: line.lstrip()[:1] not in ("", "#"), lines[start + 1 :])))


APPLIES_TO: dict[str, Callable[[Network], bool]] = {  # for equations that do not apply to every network
    "BP1-softmax": lambda network: network.has_shortcut and isinstance(network.loss, CrossEntropy),
    "BP1-sigmoid": lambda network: network.has_shortcut and isinstance(network.loss, BinaryCrossEntropy),
    "BP1-exponential": lambda network: network.has_shortcut and isinstance(network.loss, Poisson),
    "BP2": lambda network: len(network.weights) > 1,
}


def _equation(name: str, row: dict[str, Any]) -> Equation:
    """The Equation called `name`, from its row in equations.toml."""
    read = {"symbols": tuple(row["symbols"]), "markers": tuple(row["markers"]), "home": object_at(row["home"])}
    return Equation(id=name, **row | read, applies_to=APPLIES_TO.get(name, lambda network: True))


EQUATIONS = {name: _equation(name, row) for name, row in _TABLES["equations"].items()}


def find_equation(name: str) -> Equation:
    """The equation with the id `name`, in upper or lower case. SettingError, with the closest id, if there is none."""
    for equation in EQUATIONS.values():
        if equation.id.casefold() == name.casefold():
            return equation
    raise SettingError(f"no equation is called {name!r}: {closest(name, EQUATIONS)}")
