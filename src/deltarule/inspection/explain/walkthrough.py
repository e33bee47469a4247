"""The result of `explain`: the numbers of one example, as JSON and as text."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from textwrap import indent
from typing import Any

import numpy as np

from deltarule.inspection.gradcheck.equation_checks import Check
from deltarule.inspection.presentation import align, in_unicode, number, number_table, picture_lines, plain, table, wrap
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.equations import SYMBOLS, Equation
from deltarule.public import public

NUMBERS = ("inputs", "targets", "output_gradient", "numeric_output_delta", "loss", "layers", "neuron")
MOST_LETTERS = 22  # of a user's own names
MOST_TERMS = 5  # terms of a sum to list one by one
MOST_ROWS = 12  # outputs or inputs to list one by one

Lines = list[str]


@dataclass(frozen=True)
class Term:
    """A product in a sum; `number` is the number of the neuron or input that it comes from."""

    number: int
    left: float
    right: float
    product: float


@dataclass(frozen=True)
class LongSum:
    """A sum of products: its largest terms, the sum of the others, and the total."""

    largest: tuple[Term, ...]
    n_others: int
    others: float
    total: float

    @classmethod
    def of(cls, left: Array, right: Array) -> "LongSum":
        """The LongSum of the products left * right, both (n,)."""
        products = left * right
        first, others = np.split(largest(products), [MOST_TERMS])
        terms = (Term(int(n), left[n].item(), right[n].item(), products[n].item()) for n in first)
        return cls(tuple(terms), len(others), products[others].sum().item(), products.sum().item())


@dataclass(frozen=True)
class Effect:
    """The effect of a nudge on neuron `number`, or on the loss: as the derivative predicts it, and the actual one."""

    number: int
    predicted: float
    actual: float

    @classmethod
    def most(cls, predicted: Array, actual: Array) -> tuple["Effect", ...]:
        """The largest effects on the neurons of a layer, given the predicted and the actual ones, both (fan_out,)."""
        return tuple(cls(int(n), predicted[n].item(), actual[n].item()) for n in largest(predicted)[:MOST_TERMS])


@dataclass(frozen=True)
class TrialStep:
    """The effect of a step of gradient descent on the loss: predicted as -rate |gradient|^2, and the actual one."""

    rate: float
    predicted: float
    actual: float


@dataclass(frozen=True, eq=False)
class LayerPass:
    """A layer's numbers for the example: z, a, sigma'(z) and delta, each (fan_out,), and the norms of its gradients.

    slope: sigma'(z); None after a softmax, where it is a matrix.
    """

    layer: int
    fan_in: int
    fan_out: int
    activation: str
    z: Array
    a: Array
    slope: Array | None
    delta: Array
    weights_gradient_norm: float
    biases_gradient_norm: float


@dataclass(frozen=True, eq=False)
class NeuronPass:
    """One neuron in full.

    weighted: the sum of its inputs (left) times its weights (right); adding the bias gives z, and a = sigma(z).
    slope: sigma'(z); None in a softmax, where it is a matrix.
    back: the sum of weights (left) times delta (right) over the next layer; None in the last.
    next_layer: effects of a nudge of z by `nudge` on z of the next layer, the largest first. loss: its effect on C.
    delta, numeric_delta: dC/dz by backpropagation, and by complex step.
    gradient, numeric_gradient: dC/dw of all its weights, (fan_in,), by both; gradient_error: their relative error.
    """

    layer: int
    neuron: int
    weighted: LongSum
    bias: float
    z: float
    a: float
    slope: float | None
    back: LongSum | None
    nudge: float
    next_layer: tuple[Effect, ...]
    loss: Effect
    delta: float
    numeric_delta: float
    gradient: Array
    numeric_gradient: Array
    gradient_error: float

    @property
    def name(self) -> str:
        """The name of the neuron in the text."""
        return f"neuron {self.neuron} of layer {self.layer}"


@public()
@dataclass(frozen=True, eq=False, repr=False)
class Walkthrough:
    """The result of `explain`. Shown or printed, it is a text of 80 columns; `as_dict()` has every number in it.

    raw, inputs: the example as given and as the network reads it, (features,). targets: (outputs,).
    loss: C. output_gradient: dC/da of the outputs, (outputs,).
    numeric_output_delta: dC/dz of the outputs, (outputs,), by complex step.
    gradient_norm: |dC/dp| over all parameters. steps: the effect of steps with several rates.
    equations: the equations shown; a single one also with symbols, code and proof. checks: of each equation, by id.
    """

    model: Model
    raw: Array
    inputs: Array
    targets: Array
    loss: float
    output_gradient: Array
    numeric_output_delta: Array
    layers: tuple[LayerPass, ...]
    neuron: NeuronPass
    gradient_norm: float
    steps: tuple[TrialStep, ...]
    equations: tuple[Equation, ...]
    checks: dict[str, list[Check]]

    def as_dict(self) -> dict[str, Any]:
        """The walkthrough as dicts, lists, strings and numbers: what `deltarule explain --json` prints."""
        network, model = self.model.network, self.model
        return {
            "layer_sizes": list(network.layer_sizes),
            "parameters": network.parameters.size,
            "loss_name": type(network.loss).__name__,
            "class_names": list(model.class_names),
            "image_shape": model.image_shape,
            "input_names": list(model.input_names),
            **{name: plain(getattr(self, name)) for name in (*NUMBERS, "gradient_norm", "steps")},
            "equations": [
                {name: getattr(equation, name) for name in ("id", "title", "latex", "text", "says", "place", "proof")}
                | {"code": equation.code(), "symbols": [asdict(SYMBOLS[symbol]) for symbol in equation.symbols]}
                | {"checks": [asdict(check) | {"ok": check.ok} for check in self.checks[equation.id]]}
                for equation in self.equations
            ],
        }

    def text(self) -> str:
        """The walkthrough as text, in words and numbers, at most 80 columns wide."""
        lines, is_alone = heading(self), len(self.equations) == 1
        for equation in self.equations:
            lines += ["", *statement(equation, in_full=is_alone), "", *SECTIONS[equation.id](self)]
            lines += check_lines(self.checks[equation.id])
            lines += ["", "Proof", "-----", *proof_lines(equation.proof)] if is_alone else []
        return "\n".join(lines)

    __repr__ = text


def heading(walk: Walkthrough) -> Lines:
    """The lines that describe the network and the example."""
    network, model = walk.model.network, walk.model
    sizes, loss = "-".join(map(str, network.layer_sizes)), str(network.loss).removesuffix("()")
    activations = ", ".join(type(activation).__name__ for activation in network.activations)
    right, found = answer_words(walk, walk.targets), answer_words(walk, walk.layers[-1].a)
    says = f"One example, so i is 0 and its share s is 1. It should be {right}; the network says {found}."
    says += " Below, both are standardized." if model.target_scaling is not None else ""
    lines = wrap(f"Network {sizes} ({activations}), {loss}, {network.parameters.size:,} parameters") + wrap(says)
    if model.image_shape is not None:
        return [*lines, "", *picture_lines(walk.inputs, model.image_shape)]
    if len(walk.inputs) > MOST_ROWS:
        return [*lines, f"  {len(walk.inputs)} inputs from {number(walk.inputs.min())} to {number(walk.inputs.max())}"]
    names = [source_name(walk, 0, k) for k in range(len(walk.inputs))]
    return [*lines, "", *number_table("input", names, {"as it came": walk.raw, "as it is read": walk.inputs})]


def statement(equation: Equation, *, in_full: bool) -> Lines:
    """The lines that state an equation as a formula and in words; in_full: with its symbols and its code."""
    title = f"{equation.id}  {equation.title}" if equation.id.startswith("BP") else equation.title
    lines = [title, "-" * len(title), f"  {in_unicode(equation.latex)}", *wrap(equation.says)]
    if not in_full:
        return lines
    rows: list[Sequence[str]] = []
    for symbol in (SYMBOLS[name] for name in equation.symbols):
        rows += [(in_unicode(symbol.latex), symbol.means), ("", f"in the code {symbol.code}: {symbol.shape}")]
    lines += ["", *table(["symbol", "what it is"], rows, left=2), "", f"  Computed in {equation.place}:", ""]
    return lines + [f"    {line}" for line in equation.code().splitlines()]


def proof_lines(proof: str) -> Lines:
    """The paragraphs of a proof as lines for a terminal; formulas that stand alone keep their lines."""
    lines: Lines = []
    for paragraph in proof.rstrip().split("\n\n"):
        shown = in_unicode(paragraph)
        lines += ["", *(indent(shown, "    ").split("\n") if paragraph.startswith("$$") else wrap(shown))]
    return lines


def forward(walk: Walkthrough) -> Lines:
    """The lines on the forward pass: one for every layer, and the sum of one neuron written out."""
    rows = [
        [str(each.layer), f"{each.fan_in} -> {each.fan_out}", each.activation, spread(each.z), spread(each.a)]
        for each in walk.layers
    ]
    lines = table(["layer", "shape", "σ", "z from .. to", "a from .. to"], rows, left=3)
    neuron = walk.neuron
    terms = sum_rows(walk, neuron.layer, neuron.weighted, bias=neuron.bias, z=neuron.z)
    terms.append(["a = σ(z)", "", "", number(neuron.a)])
    return [*lines, "", f"  {neuron.name.capitalize()}, written out:", *table(["from", "a", "w", "w a"], terms)]


def loss(walk: Walkthrough) -> Lines:
    """The lines on the loss: the outputs beside their targets, and C."""
    last = walk.layers[-1]
    kind = type(walk.model.network.loss)
    formula = (kind.__doc__ or kind.__name__).partition(":")[0].partition(". ")[0].strip().rstrip(".")
    columns = {"z": last.z, "a": last.a, "t": walk.targets, "a - t": last.a - walk.targets}
    return [*outputs(walk, columns), "", *wrap(f"{formula}. Here that is C = {walk.loss:.10g}.")]


def output_error(walk: Walkthrough) -> Lines:
    """The lines on BP1: delta of the outputs, and its factors."""
    last = walk.layers[-1]
    slope = {} if last.slope is None else {"σ′(z)": last.slope}
    numbers = {"∂C/∂a": walk.output_gradient, **slope, "δ": last.delta, "complex step": walk.numeric_output_delta}
    lines = outputs(walk, numbers)
    return [*lines, "", *nudge_lines(walk)] if walk.neuron.back is None else lines


def shortcut(walk: Walkthrough) -> Lines:
    """The lines on the shortcut: delta of the outputs as the difference a - t."""
    last = walk.layers[-1]
    return outputs(walk, {"a": last.a, "t": walk.targets, "δ = a - t": last.delta})


def outputs(walk: Walkthrough, columns: dict[str, Array]) -> Lines:
    """A table of outputs, or of those with the largest errors; with smoothed labels, why targets are not 0 or 1."""
    loss, names = walk.model.network.loss, [shorten(name) for name in walk.model.class_names]
    lines = listing("output", names, columns, walk.layers[-1].delta, MOST_ROWS, "outputs")
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if "t" not in columns or not smoothing:
        return lines
    right, wrong = loss.targets(np.zeros((1, len(names))), np.array([[1.0, 0.0]]))[0]
    why = f"target {number(right)} instead of 1, {number(wrong)} instead of 0: labels are smoothed by {smoothing:g}"
    return [*lines, "", *wrap(f"{why}, so C is {loss.lowest(len(names)):.4f} at least.")]


def hidden_error(walk: Walkthrough) -> Lines:
    """The lines on BP2: the errors of the next layer, sent back to a hidden neuron, and a nudge that checks them."""
    neuron = walk.neuron
    if neuron.back is None:
        return [f"  {neuron.name.capitalize()} is an output: see BP1."]
    slope = "(a matrix)" if neuron.slope is None else number(neuron.slope)
    rows = sum_rows(walk, neuron.layer + 2, neuron.back, sum=neuron.back.total)
    rows += [["times σ′(z)", "", "", slope], ["is δ", "", "", number(neuron.delta)]]
    head = [f"  What comes back to {neuron.name}:", *table(["from", "w", "δ", "w δ"], rows)]
    return [*head, "", *nudge_lines(walk)]


def nudge_lines(walk: Walkthrough) -> Lines:
    """The lines on a nudge of the neuron's z: its effects, and delta by backpropagation and by the complex step."""
    neuron = walk.neuron
    names = [*(f"z of neuron {each.number} of layer {neuron.layer + 1}" for each in neuron.next_layer), "C"]
    effects = [*neuron.next_layer, neuron.loss]
    columns = {"as predicted": [each.predicted for each in effects], "in fact": [each.actual for each in effects]}
    error = abs(neuron.delta - neuron.numeric_delta) / (abs(neuron.numeric_delta) or 1.0)
    return [
        f"  Nudge z of {neuron.name} by {neuron.nudge:g}, and it changes:",
        *number_table("", names, columns, "+"),
        "",
        f"  δ of {neuron.name}",
        f"    by backpropagation  {neuron.delta:+.16e}",
        f"    by complex step     {neuron.numeric_delta:+.16e}",
        f"    relative error      {error:.1e}",
    ]


def bias_gradient(walk: Walkthrough) -> Lines:
    """The lines on BP3: dC/db of the neuron, and the norm of dC/db of every layer."""
    rows = [[str(each.layer), f"({each.fan_out},)", number(each.biases_gradient_norm)] for each in walk.layers]
    says = f"∂C/∂b of {walk.neuron.name} equals its δ, {number(walk.neuron.delta, '+')}."
    return [*table(["layer", "shape of ∂C/∂b", "norm"], rows, left=2), "", *wrap(says)]


def weight_gradient(walk: Walkthrough) -> Lines:
    """The lines on BP4: the neuron's largest dC/dw, an image of all of them, and the norm of dC/dw of every layer."""
    neuron, shape, gradient = walk.neuron, walk.model.image_shape, walk.neuron.gradient
    shapes = [f"({each.fan_in}, {each.fan_out})" for each in walk.layers]
    norms = [[str(each.layer), shapes[each.layer], number(each.weights_gradient_norm)] for each in walk.layers]
    lines = table(["layer", "shape of ∂C/∂w", "norm"], norms, left=2)
    reads = walk.inputs if neuron.layer == 0 else walk.layers[neuron.layer - 1].a
    names = [source_name(walk, neuron.layer, k) for k in range(len(reads))]
    columns = {"a": reads, "δ": np.full(len(reads), neuron.delta), "a δ": gradient}
    columns["complex step"] = neuron.numeric_gradient
    lines += ["", f"  {neuron.name.capitalize()}, its weights with the largest ∂C/∂w:"]
    lines += listing("from", names, columns, gradient, MOST_TERMS, "weights")
    lines.append(f"    relative error of all: {neuron.gradient_error:.1e}")
    if neuron.layer > 0 or shape is None:
        return lines
    for words, part in (("lowers (∂C/∂w > 0)", gradient), ("raises (∂C/∂w < 0)", -gradient)):
        if part.max() > 0.0:
            lines += ["", f"  As an image, those of its weights that descent {words}:", *picture_lines(part, shape)]
    nothing = ["", *wrap("All of them are 0: this neuron learns nothing from this example.")]
    return lines if gradient.any() else [*lines, *nothing]


def update(walk: Walkthrough) -> Lines:
    """The lines on the update: the effect of steps of several sizes on the loss."""
    rates, n_parameters = [f"{step.rate:g}" for step in walk.steps], walk.model.network.parameters.size
    columns = {"by -r ‖gradient‖^2": [step.predicted for step in walk.steps]}
    columns["in fact"] = [step.actual for step in walk.steps]
    gradient = f"The gradient of all {n_parameters:,} parameters has the norm {number(walk.gradient_norm)}."
    return [
        *wrap(f"{gradient} A step on this example alone changes C = {number(walk.loss)}:"),
        *number_table("r", rates, columns, "+"),
        *wrap("The smaller the step, the better the two agree; if they differ, the step is too large."),
    ]


SECTIONS: dict[str, Callable[[Walkthrough], Lines]] = {
    "C": loss,
    "forward": forward,
    "BP1": output_error,
    **dict.fromkeys(("BP1-softmax", "BP1-sigmoid", "BP1-exponential"), shortcut),
    "BP2": hidden_error,
    "BP3": bias_gradient,
    "BP4": weight_gradient,
    "update": update,
}


def answer_words(walk: Walkthrough, values: Array) -> str:
    """Outputs or targets in words: the class with the largest value; or for other tasks, the first four by name."""
    model, names = walk.model, walk.model.class_names
    if model.task == "classes":
        return names[values.argmax()]
    if model.target_scaling is not None:
        values = model.target_scaling.undo(values)
    named = (f"output {name}" if name.isdigit() else name for name in names[:4])
    shown = [f"{name} = {number(a)}" for name, a in zip(named, values, strict=False)]
    return ", ".join(shown) + (", ..." if len(names) > 4 else "")


def source_name(walk: Walkthrough, layer: int, k: int) -> str:
    """The name of input k of a layer, as a reader knows it, such as "pixel in row 3, column 4"."""
    model = walk.model
    if layer > 0:
        return f"neuron {k} of layer {layer - 1}"
    if model.image_shape is not None:
        return f"pixel in row {k // model.image_shape[1]}, column {k % model.image_shape[1]}"
    return shorten(model.input_names[k]) if model.columns else f"input {k}"


def shorten(name: str) -> str:
    """The name, cut to at most MOST_LETTERS letters, to leave room for its numbers."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}..."


def sum_rows(walk: Walkthrough, layer: int, total: LongSum, **summed: float) -> list[Sequence[str]]:
    """Rows of a table: the largest terms of a sum over a layer's inputs, the sum of the others, and then `summed`."""
    names = [source_name(walk, layer, term.number) for term in total.largest]
    rest = ({f"{total.n_others:,} others sum to": total.others} if total.n_others else {}) | summed
    factors = [(number(term.left), number(term.right)) for term in total.largest] + [("", "")] * len(rest)
    products = align([*(term.product for term in total.largest), *rest.values()])
    return [(name, *both, product) for name, both, product in zip([*names, *rest], factors, products, strict=True)]


def listing(head: str, names: Sequence[str], columns: dict[str, Array], by: Array, n_most: int, what: str) -> Lines:
    """A table of columns of numbers; of more than n_most rows, those with the largest |by|, and the others counted."""
    shown = np.arange(len(by)) if len(by) <= n_most else largest(by)[:n_most]
    rows = {name: column[shown] for name, column in columns.items()}
    lines = number_table(head, [names[k] for k in shown.tolist()], rows)
    n_others = len(by) - len(shown)
    return [*lines, f"    and {n_others:,} others of the {len(by):,} {what}"] if n_others else lines


def largest(values: Array) -> Array:
    """The indices of all values, from the largest to the smallest absolute value."""
    return np.argsort(-np.abs(values), kind="stable")


def spread(array: Array) -> str:
    """The range of an array as text."""
    return number(array[0]) if len(array) == 1 else f"{number(array.min())} .. {number(array.max())}"


def check_lines(checks: Sequence[Check]) -> Lines:
    """The checks as text, a line each."""
    lines = ["", "  Checked, with the relative error:"]
    tiny = [check.ok and check.relative_error > check.tolerance for check in checks]
    for check, is_tiny in zip(checks, tiny, strict=True):
        error = check.absolute_error if is_tiny else check.relative_error
        verdict = "WRONG" if not check.ok else "ok * " if is_tiny else "ok   "
        lines.append(f"    {error:.1e}  {verdict}  {check.says}")
    return [*lines, "    * the absolute error: both are 0 but for rounding"] if any(tiny) else lines
