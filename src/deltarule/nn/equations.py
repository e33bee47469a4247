r"""The registry: every equation that the network computes, stated once, with its proof and the lines that compute it.

Whatever shows an equation reads it here. Indices: i a sample, l a layer, counted from 0, the last one L; j a neuron of
layer l, k one of a neighboring layer. a^(l-1) is what layer l reads: for the first layer, the data.

>>> print(EQUATIONS["BP4"].text)
dC/dw^l_jk = sum_i a^(l-1)_ik delta^l_ij
>>> print(EQUATIONS["BP4"].code())
np.matmul(inputs[l].T, delta[l], out=grads.weights[l])
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from inspect import getsource
from itertools import takewhile
from textwrap import dedent
from typing import Any

from deltarule.errors import SettingError, closest
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Poisson
from deltarule.nn.network import Network, backward, forward
from deltarule.nn.optimizers import SGD


@dataclass(frozen=True)
class Symbol:
    """What a letter stands for.

    latex, text: how it is written; text for a terminal.
    means: what it is. code: what the code calls it, with the order of its indices. shape: of the array that holds it.
    """

    latex: str
    text: str
    means: str
    code: str
    shape: str


def _latex(symbol: str) -> str:
    """A symbol as LaTeX: dC/db^l_j is the fraction of its two differentials."""
    symbol = re.sub(r"_(\w\w)", r"_{\1}", symbol.replace("(l-1)", "{l-1}"))
    symbol = re.sub("sigma|delta", r"\\\g<0>", symbol)
    return re.sub("dC/d(.+)", r"\\frac{\\partial C}{\\partial \1}", symbol)


SYMBOLS = {
    text: Symbol(_latex(text), text, means, code, shape)
    for text, means, code, shape in (
        ("C", "the loss of a batch", "loss_value(network, y, ws)", "a number"),
        ("C_i", "what sample i costs alone", "loss.sample_losses(a, t)[i]", "(batch,)"),
        ("s_i", "the share of sample i: 1 / batch", "shares[i]", "(batch,)"),
        ("t_ij", "the target of output j", "loss.targets(a, y)[i, j]", "(batch, outputs)"),
        ("w^l_jk", "the weight to neuron j from neuron k", "weights[l][k, j]", "(fan_in, fan_out)"),
        ("b^l_j", "the bias of neuron j", "biases[l][j]", "(fan_out,)"),
        ("z^l_ij", "the weighted input of neuron j", "ws.z[l][i, j]", "(batch, fan_out)"),
        ("a^l_ij", "the activation of neuron j", "ws.a[l][i, j]", "(batch, fan_out)"),
        ("a^(l-1)_ik", "what layer l reads", "ws.inputs[l][i, k]", "(batch, fan_in)"),
        ("sigma", "the activation function of the layer", "activations[l].value(z)", "as z"),
        ("sigma'", "the derivative of sigma", "activations[l].derivative(z, a)", "as z"),
        ("delta^l_ij", "the error of neuron j: dC/dz", "ws.delta[l][i, j]", "(batch, fan_out)"),
        ("dC/da^L_ij", "how C answers to output j", "loss.gradient(a, y, shares)[i, j]", "(batch, outputs)"),
        ("dC/db^l_j", "the gradient by a bias", "grads.biases[l][j]", "(fan_out,)"),
        ("dC/dw^l_jk", "the gradient by a weight", "grads.weights[l][k, j]", "(fan_in, fan_out)"),
        ("p", "all weights and biases, one vector", "network.parameters.vector", "(parameters,)"),
        ("r", "the learning rate", "learning_rate", "a number"),
    )
}


@dataclass(frozen=True)
class Equation:
    """An equation of the library.

    id, title: what it is called.
    latex: for a page. text: for a terminal, lines of at most 76 columns. says: one sentence in plain words.
    symbols: what occurs in it, keys of SYMBOLS.
    home: the function or method that computes it.
    markers: lines in the source of `home`: a comment above lines that compute it, or a line that does.
    applies_to: whether a network computes it.
    """

    id: str
    title: str
    latex: str
    text: str
    says: str
    symbols: tuple[str, ...]
    home: Callable[..., Any]
    markers: tuple[str, ...]
    applies_to: Callable[[Network], bool] = lambda network: True

    @property
    def proof(self) -> str:
        """Markdown with LaTeX: why the equation is true, every step and every index."""
        return files(__package__).joinpath("proofs", f"{self.id}.md").read_text(encoding="utf-8")

    @property
    def place(self) -> str:
        """The importable name of what computes it: deltarule.nn.network.backward."""
        return f"{self.home.__module__}.{self.home.__qualname__}"

    def code(self) -> str:
        """The lines that compute it, as they stand in the source."""
        lines = getsource(self.home).splitlines()
        return "\n".join(_lines_at(lines, marker) for marker in self.markers)


def _lines_at(lines: list[str], marker: str) -> str:
    """The line that holds the marker; if that is a comment, the lines below it, as far as a blank one or a comment."""
    start = next(n for n, line in enumerate(lines) if marker in line)
    if not lines[start].lstrip().startswith("#"):
        return lines[start].strip()
    below = takewhile(lambda line: line.lstrip()[:1] not in ("", "#"), lines[start + 1 :])
    return dedent("\n".join(below))


def _shortcut(loss: type[Loss], **words: Any) -> Equation:
    """BP1 where it is proven to collapse; words: id, title and says."""
    return Equation(
        latex=r"\delta^L_{ij} = s_i \bigl(a^L_{ij} - t_{ij}\bigr)",
        text="delta^L_ij = s_i (a^L_ij - t_ij)",
        symbols=("delta^l_ij", "s_i", "a^l_ij", "t_ij"),
        home=Loss.shortcut,
        markers=("return self._by_sample(np.subtract, a, y, shares, out)",),
        applies_to=lambda network: network.has_shortcut and isinstance(network.loss, loss),
        **words,
    )


EQUATIONS = {
    equation.id: equation
    for equation in (
        Equation(
            id="forward",
            title="The forward pass",
            latex=r"z^l_{ij} = \sum_k w^l_{jk}\, a^{l-1}_{ik} + b^l_j, \qquad a^l_{ij} = \sigma\bigl(z^l_{ij}\bigr)",
            text="z^l_ij = sum_k w^l_jk a^(l-1)_ik + b^l_j\na^l_ij = sigma(z^l_ij)",
            says="A neuron adds up what it reads, each number weighted, adds its bias, and answers with sigma of that.",
            symbols=("w^l_jk", "a^(l-1)_ik", "b^l_j", "z^l_ij", "a^l_ij", "sigma"),
            home=forward,
            markers=("# z^l", "# a^l"),
        ),
        Equation(
            id="C",
            title="The loss",
            latex=r"C = \sum_i s_i\, C_i\bigl(a^L_i, t_i\bigr), \qquad \sum_i s_i = 1",
            text="C = sum_i s_i C_i(a^L_i, t_i),   sum_i s_i = 1",
            says="How wrong the network is: the average, over samples, of a smooth function of its outputs.",
            symbols=("C", "C_i", "s_i", "a^l_ij", "t_ij"),
            home=Loss.value,
            markers=("return (shares * losses).sum().item()",),
        ),
        Equation(
            id="BP1",
            title="The error of an output",
            latex=r"\delta^L_{ij} = \frac{\partial C}{\partial a^L_{ij}}\, \sigma'\bigl(z^L_{ij}\bigr)"
            r" \qquad \Bigl(\text{softmax: } \sum_k \frac{\partial C}{\partial a^L_{ik}}"
            r"\, \frac{\partial a^L_{ik}}{\partial z^L_{ij}}\Bigr)",
            text="delta^L_ij = dC/da^L_ij sigma'(z^L_ij)\n(softmax: sum_k dC/da^L_ik da^L_ik/dz^L_ij)",
            says="An output's error is how C answers to its activation, times how its activation answers to its z.",
            symbols=("delta^l_ij", "dC/da^L_ij", "sigma'", "z^l_ij"),
            home=backward,
            markers=("# BP1",),
        ),
        _shortcut(
            CrossEntropy,
            id="BP1-softmax",
            title="The error of an output, for cross-entropy after softmax",
            says="With these two BP1 shrinks to a difference: the probability that was given minus the one deserved.",
        ),
        _shortcut(
            BinaryCrossEntropy,
            id="BP1-sigmoid",
            title="The error of an output, for binary cross-entropy after sigmoid",
            says="With these two the flat ends of the sigmoid cancel: an output that is surely wrong still learns.",
        ),
        _shortcut(
            Poisson,
            id="BP1-exponential",
            title="The error of an output, for the Poisson loss after exponential",
            says="With these two the slope e^z cancels: what is left is the predicted count minus the one observed.",
        ),
        Equation(
            id="BP2",
            title="The error of a hidden neuron",
            latex=r"\delta^l_{ij} = \sigma'\bigl(z^l_{ij}\bigr) \sum_k w^{l+1}_{kj}\, \delta^{l+1}_{ik}",
            text="delta^l_ij = sigma'(z^l_ij) sum_k w^(l+1)_kj delta^(l+1)_ik",
            says="A hidden neuron's error is what comes back from those it speaks to, weighted, times its own slope.",
            symbols=("delta^l_ij", "sigma'", "z^l_ij", "w^l_jk"),
            home=backward,
            markers=("# BP2",),
            applies_to=lambda network: len(network.weights) > 1,
        ),
        Equation(
            id="BP3",
            title="The gradient by a bias",
            latex=r"\frac{\partial C}{\partial b^l_j} = \sum_i \delta^l_{ij}",
            text="dC/db^l_j = sum_i delta^l_ij",
            says="C answers to a bias as it does to the neuron's z, since the one moves the other by the same amount.",
            symbols=("dC/db^l_j", "delta^l_ij"),
            home=backward,
            markers=("# BP3",),
        ),
        Equation(
            id="BP4",
            title="The gradient by a weight",
            latex=r"\frac{\partial C}{\partial w^l_{jk}} = \sum_i a^{l-1}_{ik}\, \delta^l_{ij}",
            text="dC/dw^l_jk = sum_i a^(l-1)_ik delta^l_ij",
            says="C answers to a weight by what came in through it, times the error of the neuron behind it.",
            symbols=("dC/dw^l_jk", "a^(l-1)_ik", "delta^l_ij"),
            home=backward,
            markers=("# BP4",),
        ),
        Equation(
            id="update",
            title="The update",
            latex=r"p \leftarrow p - r\, \frac{\partial C}{\partial p}",
            text="p <- p - r dC/dp",
            says="Every weight and bias moves against its derivative: no direction lets C fall faster.",
            symbols=("p", "r", "C"),
            home=SGD.update,
            markers=("p -= learning_rate * g",),
        ),
    )
}


def find_equation(name: str) -> Equation:
    """The equation with that id, small or capital letters; SettingError, with the closest one, where there is none."""
    for equation in EQUATIONS.values():
        if equation.id.casefold() == name.casefold():
            return equation
    raise SettingError(f"no equation is called {name!r}: {closest(name, EQUATIONS)}")
