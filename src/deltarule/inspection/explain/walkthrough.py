"""What `explain` finds: the numbers of one example, as JSON and in words."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deltarule.inspection.explain.passes import MOST_TERMS, Effect, LayerPass, LongSum, NeuronPass, TrialStep, largest
from deltarule.inspection.gradcheck.equation_checks import Check
from deltarule.inspection.presentation import (
    WIDTH,
    align,
    number,
    number_table,
    plain,
    shorten,
    table,
    text_image,
    wrap,
)
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.equations import SYMBOLS, Equation
from deltarule.nn.losses import smoothing_of
from deltarule.public import public

NUMBERS = ("inputs", "targets", "output_gradient", "numeric_output_delta", "loss", "layers", "neuron")
MOST_ROWS = 12  # outputs or inputs that are listed one by one

Lines = list[str]


@public()
@dataclass(frozen=True, eq=False, repr=False)
class Walkthrough:
    """What `explain` finds. Shown or printed, it is a text of 80 columns; `as_dict()` has every number in it.

    raw, inputs: the example as it came and as the network reads it, (features,). targets: (outputs,).
    loss: C. output_gradient: dC/da of the outputs, (outputs,).
    numeric_output_delta: dC/dz of the outputs, (outputs,), by complex step.
    gradient_norm: |dC/dp| over all parameters. steps: what steps of several rates do.
    equations: those that are shown; checks: for each of them by id.
    alone: whether one equation was asked for, which is then told with symbols, lines of code and proof.
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
    alone: bool

    def as_dict(self) -> dict[str, Any]:
        """The same in dicts, lists, strings and numbers: what `deltarule explain --json` prints."""
        network, model = self.model.network, self.model
        return {
            "layer_sizes": list(network.layer_sizes),
            "parameters": network.parameters.size,
            "loss_name": type(network.loss).__name__,
            "class_names": list(model.class_names),
            "image_shape": model.image_shape,
            "input_names": list(model.input_names),
            **{name: plain(getattr(self, name)) for name in NUMBERS},
            "gradient_norm": self.gradient_norm,
            "steps": plain(self.steps),
            "equations": [equation_json(equation, self.checks[equation.id]) for equation in self.equations],
        }

    def text(self, encoding: str = "utf-8") -> str:
        """All of it in words and numbers, at most 80 columns; `encoding` is what the terminal takes."""
        lines = heading(self, encoding)
        for equation in self.equations:
            lines += ["", *statement(equation), *(symbols_and_code(equation) if self.alone else []), ""]
            lines += [*SECTIONS[equation.id](self, encoding), *check_lines(self.checks[equation.id])]
            lines += ["", "Proof", "-----", *equation.proof.splitlines()] if self.alone else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()


def equation_json(equation: Equation, checks: Sequence[Check]) -> dict[str, Any]:
    """An equation and its checks, as plain values."""
    names = ("id", "title", "latex", "text", "says", "place", "proof")
    return {name: getattr(equation, name) for name in names} | {
        "code": equation.code(),
        "symbols": [asdict(SYMBOLS[symbol]) for symbol in equation.symbols],
        "checks": [asdict(check) | {"ok": check.ok} for check in checks],
    }


def heading(walk: Walkthrough, encoding: str) -> Lines:
    """Which network, and which example."""
    network, model = walk.model.network, walk.model
    sizes = "-".join(map(str, network.layer_sizes))
    activations = ", ".join(type(activation).__name__ for activation in network.activations)
    loss = str(network.loss).removesuffix("()")
    standardized = "Below, both are standardized." if model.target_scaling is not None else ""
    lines = [
        *wrap(f"Network {sizes} ({activations}), {loss}, {network.parameters.size:,} parameters"),
        *wrap(
            f"One example, so i is 0 and its share s is 1. It should be {answer_words(walk, walk.targets)}; "
            f"the network says {answer_words(walk, walk.layers[-1].a)}. {standardized}"
        ),
    ]
    if model.image_shape is not None:
        return [*lines, "", *picture_lines(walk.inputs, model.image_shape, encoding)]
    if len(walk.inputs) > MOST_ROWS:
        return [*lines, f"  {len(walk.inputs)} inputs from {number(walk.inputs.min())} to {number(walk.inputs.max())}"]
    names = [source_name(walk, 0, k) for k in range(len(walk.inputs))]
    return [*lines, "", *number_table("input", names, {"as it came": walk.raw, "as it is read": walk.inputs})]


def statement(equation: Equation) -> Lines:
    """The equation in a line, and in words."""
    title = f"{equation.id}  {equation.title}" if equation.id.startswith("BP") else equation.title
    return [title, "-" * len(title), *(f"  {line}" for line in equation.text.splitlines()), *wrap(equation.says)]


def symbols_and_code(equation: Equation) -> Lines:
    """Its symbols, and the lines that compute it."""
    rows: list[Sequence[str]] = []
    for symbol in (SYMBOLS[name] for name in equation.symbols):
        rows += [(symbol.text, symbol.means), ("", f"in the code {symbol.code}: {symbol.shape}")]
    code = [f"    {line}" for line in equation.code().splitlines()]
    return ["", *table(["symbol", "what it is"], rows, left=2), "", f"  Computed in {equation.place}:", "", *code]


def forward(walk: Walkthrough, encoding: str) -> Lines:
    """Every layer in a line, and one neuron's sum written out."""
    rows = [
        [str(each.layer), f"{each.fan_in} -> {each.fan_out}", each.activation, spread(each.z), spread(each.a)]
        for each in walk.layers
    ]
    neuron = walk.neuron
    names = [source_name(walk, neuron.layer, term.number) for term in neuron.weighted.largest]
    rows_of_sum = sum_rows(neuron.weighted, names, {"bias": neuron.bias, "z": neuron.z})
    return [
        *table(["layer", "shape", "sigma", "z from .. to", "a from .. to"], rows, left=3),
        "",
        f"  {neuron.name.capitalize()}, written out:",
        *table(["from", "a", "w", "w a"], [*rows_of_sum, ["a = sigma(z)", "", "", number(neuron.a)]]),
    ]


def loss(walk: Walkthrough, encoding: str) -> Lines:
    """The outputs beside their targets."""
    last = walk.layers[-1]
    kind = type(walk.model.network.loss)
    formula = (kind.__doc__ or kind.__name__).partition(":")[0].partition(". ")[0].strip().rstrip(".")
    columns = {"z": last.z, "a": last.a, "t": walk.targets, "a - t": last.a - walk.targets}
    return [*outputs(walk, columns), "", *wrap(f"{formula}. Here that is C = {walk.loss:.10g}.")]


def output_error(walk: Walkthrough, encoding: str) -> Lines:
    """Delta of the outputs, and where it comes from."""
    last = walk.layers[-1]
    slope = {} if last.slope is None else {"sigma'(z)": last.slope}
    numbers = {"dC/da": walk.output_gradient, **slope, "delta": last.delta, "complex step": walk.numeric_output_delta}
    lines = outputs(walk, numbers)
    return [*lines, "", *nudge_lines(walk)] if walk.neuron.back is None else lines


def shortcut(walk: Walkthrough, encoding: str) -> Lines:
    """The same delta as a difference."""
    last = walk.layers[-1]
    return outputs(walk, {"a": last.a, "t": walk.targets, "delta = a - t": last.delta})


def outputs(walk: Walkthrough, columns: dict[str, Array]) -> Lines:
    """A row for each output; where they are many, for those with the largest errors."""
    names = [shorten(name) for name in walk.model.class_names]
    lines = listing("output", names, columns, walk.layers[-1].delta, MOST_ROWS, "outputs")
    return lines + smoothing_note(walk) if "t" in columns else lines


def smoothing_note(walk: Walkthrough) -> Lines:
    """Why targets are neither 0 nor 1; nothing where they are."""
    loss, n_outputs = walk.model.network.loss, len(walk.targets)
    if not (smoothing := smoothing_of(loss)):
        return []
    right, wrong = loss.targets(np.zeros((1, n_outputs)), np.array([[1.0, 0.0]]))[0]
    why = f"target {number(right)} instead of 1, {number(wrong)} instead of 0: labels are smoothed by {smoothing:g}"
    return ["", *wrap(f"{why}, so C is {loss.lowest(n_outputs):.4f} at least.")]


def hidden_error(walk: Walkthrough, encoding: str) -> Lines:
    """The errors of a hidden neuron's successors, come back to it; and the nudge that proves it."""
    neuron = walk.neuron
    if neuron.back is None:
        return [f"  {neuron.name.capitalize()} is an output: see BP1."]
    names = [f"neuron {term.number} of layer {neuron.layer + 1}" for term in neuron.back.largest]
    ends = [
        ["times sigma'(z)", "", "", "(a matrix)" if neuron.slope is None else number(neuron.slope)],
        ["is delta", "", "", number(neuron.delta)],
    ]
    return [
        f"  What comes back to {neuron.name}:",
        *table(["from", "w", "delta", "w delta"], [*sum_rows(neuron.back, names, {"sum": neuron.back.total}), *ends]),
        "",
        *nudge_lines(walk),
    ]


def nudge_lines(walk: Walkthrough) -> Lines:
    """What a nudge of the neuron's z moves, and delta by nudging."""
    neuron = walk.neuron
    names = [*(f"z of neuron {each.number} of layer {neuron.layer + 1}" for each in neuron.next_layer), "C"]
    error = abs(neuron.delta - neuron.numeric_delta) / (abs(neuron.numeric_delta) or 1.0)
    return [
        f"  Nudge z of {neuron.name} by {neuron.nudge:g}, and it moves:",
        *effect_table("", names, "as predicted", [*neuron.next_layer, neuron.loss]),
        "",
        f"  delta of {neuron.name}",
        f"    by backpropagation  {neuron.delta:+.16e}",
        f"    by complex step     {neuron.numeric_delta:+.16e}",
        f"    relative error      {error:.1e}",
    ]


def effect_table(head: str, names: Sequence[str], predicted: str, effects: Sequence[Effect | TrialStep]) -> Lines:
    """What was predicted beside what happens."""
    columns = {predicted: [each.predicted for each in effects], "in fact": [each.actual for each in effects]}
    return number_table(head, names, columns, "+")


def bias_gradient(walk: Walkthrough, encoding: str) -> Lines:
    """The neuron's own, and the size of every layer's."""
    neuron = walk.neuron
    rows = [[str(each.layer), f"({each.fan_out},)", number(each.biases_gradient_norm)] for each in walk.layers]
    gradient = number(neuron.delta, "+")
    says = f"The bias of neuron {neuron.neuron} of layer {neuron.layer} is told its delta, {gradient}."
    return [*table(["layer", "shape of dC/db", "norm"], rows, left=2), "", *wrap(says)]


def weight_gradient(walk: Walkthrough, encoding: str) -> Lines:
    """The neuron's largest, an image of all, and the size of every layer's."""
    neuron, shape = walk.neuron, walk.model.image_shape
    norms = [
        [str(each.layer), f"({each.fan_in}, {each.fan_out})", number(each.weights_gradient_norm)]
        for each in walk.layers
    ]
    reads = walk.inputs if neuron.layer == 0 else walk.layers[neuron.layer - 1].a
    names = [source_name(walk, neuron.layer, k) for k in range(len(reads))]
    columns = {
        "a": reads,
        "delta": np.full(len(reads), neuron.delta),
        "a delta": neuron.gradient,
        "complex step": neuron.numeric_gradient,
    }
    lines = [
        *table(["layer", "shape of dC/dw", "norm"], norms, left=2),
        "",
        f"  Neuron {neuron.neuron} of layer {neuron.layer}, the weights that are told most:",
        *listing("from", names, columns, neuron.gradient, MOST_TERMS, "weights"),
        f"    relative error of all: {neuron.gradient_error:.1e}",
    ]
    if neuron.layer == 0 and shape is not None:
        lines += ["", *gradient_image(neuron.gradient, shape, encoding)]
    return lines


def gradient_image(gradient: Array, shape: tuple[int, int], encoding: str) -> Lines:
    """Where descent lowers the weights of a neuron, and where it raises them."""
    lines: Lines = []
    for words, part in (("lowers (dC/dw > 0)", gradient), ("raises (dC/dw < 0)", -gradient)):
        if part.max() > 0.0:
            head = f"  As an image, those of its weights that descent {words}:"
            lines += [head, *picture_lines(part, shape, encoding)]
    return lines or wrap("All of them are 0: this neuron learns nothing from this example.")


def update(walk: Walkthrough, encoding: str) -> Lines:
    """What a step does to the loss."""
    rates = [f"{step.rate:g}" for step in walk.steps]
    return [
        *wrap(
            f"The gradient by all {walk.model.network.parameters.size:,} parameters has the norm "
            f"{number(walk.gradient_norm)}. A step on this example alone changes C = {number(walk.loss)}:"
        ),
        *effect_table("r", rates, "by -r |gradient|^2", walk.steps),
        *wrap("The smaller the step, the better the two agree; where they part, the step is too long."),
    ]


SECTIONS: dict[str, Callable[[Walkthrough, str], Lines]] = {
    "C": loss,
    "forward": forward,
    "BP1": output_error,
    "BP1-softmax": shortcut,
    "BP1-sigmoid": shortcut,
    "BP2": hidden_error,
    "BP3": bias_gradient,
    "BP4": weight_gradient,
    "update": update,
}


def answer_words(walk: Walkthrough, values: Array) -> str:
    """Outputs or targets: the class with the largest; else each with its name, as far as they fit."""
    model, names = walk.model, walk.model.class_names
    if model.task == "classes":
        return names[values.argmax()]
    if model.target_scaling is not None:
        values = model.target_scaling.undo(values)
    named = (f"output {name}" if name.isdigit() else name for name in names[:4])
    shown = [f"{name} = {number(a)}" for name, a in zip(named, values, strict=False)]
    return ", ".join(shown) + (", ..." if len(names) > 4 else "")


def source_name(walk: Walkthrough, layer: int, k: int) -> str:
    """What number k of those that a layer reads is called."""
    model = walk.model
    if layer > 0:
        return f"neuron {k} of layer {layer - 1}"
    if model.image_shape is not None:
        return f"pixel in row {k // model.image_shape[1]}, column {k % model.image_shape[1]}"
    return shorten(model.input_names[k]) if model.columns else f"input {k}"


def sum_rows(total: LongSum, names: Sequence[str], summed: dict[str, float]) -> list[Sequence[str]]:
    """The largest terms of a sum by name, what the others come to, and what belongs to the sum besides."""
    rest = {f"{total.n_others:,} others sum to": total.others} if total.n_others else {}
    rest |= summed
    factors = [(number(term.left), number(term.right)) for term in total.largest] + [("", "")] * len(rest)
    products = align([*(term.product for term in total.largest), *rest.values()])
    rows = zip([*names, *rest], factors, products, strict=True)
    return [(name, left, right, product) for name, (left, right), product in rows]


def listing(head: str, names: Sequence[str], columns: dict[str, Array], by: Array, n_most: int, what: str) -> Lines:
    """Columns of numbers, where `by` is largest if they are long, and a line that counts the others."""
    shown = np.arange(len(by)) if len(by) <= n_most else largest(by)[:n_most]
    rows = {name: column[shown] for name, column in columns.items()}
    lines = number_table(head, [names[k] for k in shown.tolist()], rows)
    n_others = len(by) - len(shown)
    return [*lines, f"    and {n_others:,} others of the {len(by):,} {what}"] if n_others else lines


def spread(array: Array) -> str:
    """From the least to the largest."""
    return number(array[0]) if len(array) == 1 else f"{number(array.min())} .. {number(array.max())}"


def picture_lines(array: Array, shape: tuple[int, int], encoding: str) -> Lines:
    """An image in text, without its empty margins above and below."""
    if shape[1] > WIDTH - 4:
        return [f"    (an image of {shape[0]}x{shape[1]} pixels, too wide to be drawn here)"]
    lines = text_image(array.reshape(shape), encoding).strip("\n").splitlines()
    return [f"    {line}".rstrip() for line in lines]


def check_lines(checks: Sequence[Check]) -> Lines:
    """The checks, a line each."""
    lines = ["", "  Checked, with the relative error:"]
    tiny = [check.ok and check.relative_error > check.tolerance for check in checks]
    for check, is_tiny in zip(checks, tiny, strict=True):
        error = check.absolute_error if is_tiny else check.relative_error
        verdict = "WRONG" if not check.ok else "ok * " if is_tiny else "ok   "
        lines.append(f"    {error:.1e}  {verdict}  {check.says}")
    return [*lines, "    * the absolute error: both are 0 but for rounding"] if any(tiny) else lines
