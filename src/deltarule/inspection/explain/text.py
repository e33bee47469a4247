"""A walkthrough in words: at most 80 columns, no color, an equation a section."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deltarule.inspection.explain.text_image import text_image
from deltarule.inspection.explain.text_table import WIDTH, aligned, number, shortened, table, wrapped
from deltarule.nn.equations import SYMBOLS, Equation
from deltarule.nn.losses import smoothing_of

if TYPE_CHECKING:
    from deltarule.inspection.explain.neuron import LongSum
    from deltarule.inspection.explain.walkthrough import Walkthrough
    from deltarule.inspection.gradcheck.equation_checks import Check
    from deltarule.nn.arrays import Array

MOST_ROWS = 12  # outputs or inputs that are listed one by one

Lines = list[str]


def text_of(walk: "Walkthrough", encoding: str) -> str:
    """The whole text."""
    lines = heading(walk, encoding)
    for equation in walk.equations:
        lines += ["", *statement(equation), *(told(equation) if walk.alone else []), ""]
        lines += [*SECTIONS[equation.id](walk, encoding), *checked(walk.checks[equation.id])]
        lines += ["", "Proof", "-----", *equation.proof.splitlines()] if walk.alone else []
    return "\n".join(lines)


def heading(walk: "Walkthrough", encoding: str) -> Lines:
    """Which network, and which example."""
    network, model = walk.model.network, walk.model
    sizes = "-".join(map(str, network.layer_sizes))
    activations = ", ".join(type(activation).__name__ for activation in network.activations)
    loss = str(network.loss).removesuffix("()")
    standardized = "Below, both are standardized." if model.target_scaling is not None else ""
    lines = [
        *wrapped(f"Network {sizes} ({activations}), {loss}, {network.parameters.size:,} parameters"),
        *wrapped(
            f"One example, so i is 0 and its share s is 1. It should be {in_words(walk, walk.targets)}; "
            f"the network says {in_words(walk, walk.layers[-1].a)}. {standardized}"
        ),
    ]
    if model.image_shape is not None:
        return [*lines, "", *picture(walk.inputs, model.image_shape, encoding)]
    if len(walk.inputs) > MOST_ROWS:
        return [*lines, f"  {len(walk.inputs)} inputs from {number(walk.inputs.min())} to {number(walk.inputs.max())}"]
    rows = [[source(walk, 0, k), number(walk.raw[k]), number(a)] for k, a in enumerate(walk.inputs)]
    return [*lines, "", *table(["input", "as it came", "as it is read"], rows)]


def statement(equation: Equation) -> Lines:
    """The equation in a line, and in words."""
    title = f"{equation.id}  {equation.title}" if equation.id.startswith("BP") else equation.title
    return [title, "-" * len(title), *(f"  {line}" for line in equation.text.splitlines()), *wrapped(equation.says)]


def told(equation: Equation) -> Lines:
    """Its symbols, and the lines that compute it."""
    rows: list[Sequence[str]] = []
    for symbol in (SYMBOLS[name] for name in equation.symbols):
        rows += [(symbol.text, symbol.means), ("", f"in the code {symbol.code}: {symbol.shape}")]
    code = [f"    {line}" for line in equation.code().splitlines()]
    return ["", *table(["symbol", "what it is"], rows, left=2), "", f"  Computed in {equation.place}:", "", *code]


def forward(walk: "Walkthrough", encoding: str) -> Lines:
    """Every layer in a line, and one neuron's sum written out."""
    rows = [
        [str(each.layer), f"{each.fan_in} -> {each.fan_out}", each.activation, spread(each.z), spread(each.a)]
        for each in walk.layers
    ]
    neuron = walk.neuron
    names = [source(walk, neuron.layer, term.number) for term in neuron.weighted.largest]
    rows_of_sum = sum_rows(neuron.weighted, names, {"bias": neuron.bias, "z": neuron.z})
    return [
        *table(["layer", "shape", "sigma", "z from .. to", "a from .. to"], rows, left=3),
        "",
        *wrapped(f"Neuron {neuron.neuron} of layer {neuron.layer}, written out:"),
        *table(["from", "a", "w", "w a"], [*rows_of_sum, ["a = sigma(z)", "", "", number(neuron.a)]]),
    ]


def loss(walk: "Walkthrough", encoding: str) -> Lines:
    """The outputs beside their targets."""
    last = walk.layers[-1]
    formula = first_sentence(type(walk.model.network.loss))
    columns = {"z": last.z, "a": last.a, "t": walk.targets, "a - t": last.a - walk.targets}
    return [*outputs(walk, columns), "", *wrapped(f"{formula}. Here that is C = {walk.loss:.10g}.")]


def output_error(walk: "Walkthrough", encoding: str) -> Lines:
    """Delta of the outputs, and where it comes from."""
    last = walk.layers[-1]
    slope = {} if last.slope is None else {"sigma'(z)": last.slope}
    numbers = {"dC/da": walk.output_gradient, **slope, "delta": last.delta, "complex step": walk.numeric_output_delta}
    lines = outputs(walk, numbers)
    return [*lines, "", *nudge(walk)] if walk.neuron.back is None else lines


def shortcut(walk: "Walkthrough", encoding: str) -> Lines:
    """The same delta as a difference."""
    last = walk.layers[-1]
    return outputs(walk, {"a": last.a, "t": walk.targets, "delta = a - t": last.delta})


def outputs(walk: "Walkthrough", columns: dict[str, "Array"]) -> Lines:
    """A row for each output; where they are many, for those with the largest errors."""
    shown = most(walk.layers[-1].delta, MOST_ROWS)
    names = [shortened(walk.model.class_names[k]) for k in shown]
    cells = [[number(value) for value in column[shown]] for column in columns.values()]
    return [
        *table(["output", *columns], list(zip(names, *cells, strict=True))),
        *others(shown, walk.targets, "outputs"),
        *(smoothed(walk) if "t" in columns else []),
    ]


def smoothed(walk: "Walkthrough") -> Lines:
    """Why targets are neither 0 nor 1; nothing where they are."""
    loss, n_outputs = walk.model.network.loss, len(walk.targets)
    if not (smoothing := smoothing_of(loss)):
        return []
    right, wrong = loss.targets(np.zeros((1, n_outputs)), np.array([[1.0, 0.0]]))[0]
    why = f"target {number(right)} instead of 1, {number(wrong)} instead of 0: labels are smoothed by {smoothing:g}"
    return ["", *wrapped(f"{why}, so C is {loss.lowest(n_outputs):.4f} at least.")]


def hidden_error(walk: "Walkthrough", encoding: str) -> Lines:
    """The errors of a hidden neuron's successors, come back to it; and the nudge that proves it."""
    neuron = walk.neuron
    if neuron.back is None:
        return wrapped(f"Neuron {neuron.neuron} of layer {neuron.layer} is an output: see BP1.")
    names = [f"neuron {term.number} of layer {neuron.layer + 1}" for term in neuron.back.largest]
    ends = [
        ["times sigma'(z)", "", "", "(a matrix)" if neuron.slope is None else number(neuron.slope)],
        ["is delta", "", "", number(neuron.delta)],
    ]
    return [
        *wrapped(f"What comes back to neuron {neuron.neuron} of layer {neuron.layer}:"),
        *table(["from", "w", "delta", "w delta"], [*sum_rows(neuron.back, names, {"sum": neuron.back.total}), *ends]),
        "",
        *nudge(walk),
    ]


def nudge(walk: "Walkthrough") -> Lines:
    """What a nudge of the neuron's z moves, and delta by nudging."""
    neuron, name = walk.neuron, f"neuron {walk.neuron.neuron} of layer {walk.neuron.layer}"
    moved = [*neuron.next_layer, neuron.loss]
    names = [f"z of neuron {each.number} of layer {neuron.layer + 1}" for each in neuron.next_layer]
    columns = [number(each.predicted, "+") for each in moved], [number(each.actual, "+") for each in moved]
    error = abs(neuron.delta - neuron.numeric_delta) / (abs(neuron.numeric_delta) or 1.0)
    return [
        f"  Nudge z of {name} by {neuron.nudge:g}, and it moves:",
        *table(["", "as predicted", "in fact"], list(zip([*names, "C"], *columns, strict=True))),
        "",
        f"  delta of {name}",
        f"    by backpropagation  {neuron.delta:+.16e}",
        f"    by complex step     {neuron.numeric_delta:+.16e}",
        f"    relative error      {error:.1e}",
    ]


def bias_gradient(walk: "Walkthrough", encoding: str) -> Lines:
    """The neuron's own, and the size of every layer's."""
    neuron = walk.neuron
    rows = [[str(each.layer), f"({each.fan_out},)", number(each.biases_gradient_norm)] for each in walk.layers]
    told_to = (
        f"The bias of neuron {neuron.neuron} of layer {neuron.layer} is told its delta, {number(neuron.delta, '+')}."
    )
    return [*table(["layer", "shape of dC/db", "norm"], rows, left=2), "", *wrapped(told_to)]


def weight_gradient(walk: "Walkthrough", encoding: str) -> Lines:
    """The neuron's largest, an image of all, and the size of every layer's."""
    neuron, shape = walk.neuron, walk.model.image_shape
    norms = [
        [str(each.layer), f"({each.fan_in}, {each.fan_out})", number(each.weights_gradient_norm)]
        for each in walk.layers
    ]
    reads = walk.inputs if neuron.layer == 0 else walk.layers[neuron.layer - 1].a
    shown = most(neuron.gradient, 5)
    names = [source(walk, neuron.layer, k) for k in shown]
    columns = reads[shown], np.full(len(shown), neuron.delta), neuron.gradient[shown], neuron.numeric_gradient[shown]
    cells = (map(number, column) for column in columns)
    lines = [
        *table(["layer", "shape of dC/dw", "norm"], norms, left=2),
        "",
        f"  Neuron {neuron.neuron} of layer {neuron.layer}, the weights that are told most:",
        *table(["from", "a", "delta", "a delta", "complex step"], list(zip(names, *cells, strict=True))),
        *others(shown, neuron.gradient, "weights"),
        f"    relative error of all: {neuron.gradient_error:.1e}",
    ]
    if neuron.layer == 0 and shape is not None:
        lines += ["", *gradient_image(neuron.gradient, shape, encoding)]
    return lines


def gradient_image(gradient: "Array", shape: tuple[int, int], encoding: str) -> Lines:
    """Where descent lowers the weights of a neuron, and where it raises them."""
    lines: Lines = []
    for words, part in (("lowers (dC/dw > 0)", gradient), ("raises (dC/dw < 0)", -gradient)):
        if part.max() > 0.0:
            lines += [f"  As an image, those of its weights that descent {words}:", *picture(part, shape, encoding)]
    return lines or wrapped("All of them are 0: this neuron learns nothing from this example.")


def update(walk: "Walkthrough", encoding: str) -> Lines:
    """What a step does to the loss."""
    rows = [[f"{step.rate:g}", number(step.predicted, "+"), number(step.actual, "+")] for step in walk.steps]
    return [
        *wrapped(
            f"The gradient by all {walk.model.network.parameters.size:,} parameters has the norm "
            f"{number(walk.gradient_norm)}. A step on this example alone changes C = {number(walk.loss)}:"
        ),
        *table(["r", "by -r |gradient|^2", "in fact"], rows),
        *wrapped("The smaller the step, the better the two agree; where they part, the step is too long."),
    ]


SECTIONS: dict[str, Callable[["Walkthrough", str], Lines]] = {
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


def in_words(walk: "Walkthrough", values: "Array") -> str:
    """Outputs or targets: the class with the largest; else each with its name, as far as they fit."""
    model, names = walk.model, walk.model.class_names
    if model.task == "classes":
        return names[values.argmax()]
    if model.target_scaling is not None:
        values = model.target_scaling.undo(values)
    named = (f"output {name}" if name.isdigit() else name for name in names[:4])
    shown = [f"{name} = {number(a)}" for name, a in zip(named, values, strict=False)]
    return ", ".join(shown) + (", ..." if len(names) > 4 else "")


def source(walk: "Walkthrough", layer: int, k: int) -> str:
    """What number k of those that a layer reads is called."""
    model = walk.model
    if layer > 0:
        return f"neuron {k} of layer {layer - 1}"
    if model.image_shape is not None:
        return f"pixel in row {k // model.image_shape[1]}, column {k % model.image_shape[1]}"
    return shortened(model.input_names[k]) if model.columns else f"input {k}"


def sum_rows(total: "LongSum", names: Sequence[str], summed: dict[str, float]) -> list[Sequence[str]]:
    """The largest terms of a sum by name, what the others come to, and what belongs to the sum besides."""
    rest = {f"{total.n_others:,} others sum to": total.others} if total.n_others else {}
    rest |= summed
    factors = [(number(term.left), number(term.right)) for term in total.largest] + [("", "")] * len(rest)
    products = aligned([*(term.product for term in total.largest), *rest.values()])
    rows = zip([*names, *rest], factors, products, strict=True)
    return [(name, left, right, product) for name, (left, right), product in rows]


def most(values: "Array", n_most: int) -> list[int]:
    """All indices in order where they are few, else those of the largest values, signs aside."""
    if len(values) <= n_most:
        return list(range(len(values)))
    return np.argsort(-np.abs(values), kind="stable")[:n_most].tolist()


def others(shown: Sequence[int], of: "Array", what: str) -> Lines:
    """A line that says how many are not shown."""
    n_others = len(of) - len(shown)
    return [f"    and {n_others:,} others of the {len(of):,} {what}"] if n_others else []


def spread(array: "Array") -> str:
    """From the least to the largest."""
    return number(array[0]) if len(array) == 1 else f"{number(array.min())} .. {number(array.max())}"


def picture(array: "Array", shape: tuple[int, int], encoding: str) -> Lines:
    """An image in text, without its empty margins above and below."""
    if shape[1] > WIDTH - 4:
        return [f"    (an image of {shape[0]}x{shape[1]} pixels, too wide to be drawn here)"]
    lines = text_image(array.reshape(shape), encoding).strip("\n").splitlines()
    return [f"    {line}".rstrip() for line in lines]


def checked(checks: "Sequence[Check]") -> Lines:
    """The checks, a line each."""
    lines = ["", "  Checked, with the relative error:"]
    tiny = [check.ok and check.relative_error > check.tolerance for check in checks]
    for check, is_tiny in zip(checks, tiny, strict=True):
        error = check.absolute_error if is_tiny else check.relative_error
        verdict = "WRONG" if not check.ok else "ok * " if is_tiny else "ok   "
        lines.append(f"    {error:.1e}  {verdict}  {check.says}")
    return [*lines, "    * the absolute error: both are 0 but for rounding"] if any(tiny) else lines


def first_sentence(kind: type) -> str:
    """What the docstring of a loss says that it is."""
    return (kind.__doc__ or kind.__name__).partition(":")[0].partition(". ")[0].strip().rstrip(".")
