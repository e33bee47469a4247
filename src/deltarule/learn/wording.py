"""A step that is wrong, in words: the row of mistakes.toml, and what to write instead in the program's own names."""

import ast
import re
from dataclasses import replace
from typing import Any

from deltarule.inspection.gradcheck.catalog import ROWS, TEXTS
from deltarule.learn.activations import IDENTITY, factor_between, is_close
from deltarule.learn.judgement import Pass, Step
from deltarule.learn.program import Program
from deltarule.learn.recording import Event, Where
from deltarule.learn.report import ProgramFinding
from deltarule.learn.second_opinion import second_opinion
from deltarule.nn.arrays import Array

NUMBER = r"([\w.]+(?:\[\w+\])?)"
DIVISION = re.compile(rf"1\.?0?\s*/\s*{NUMBER}\s*\)?\s*\*|\*\s*\(?\s*1\.?0?\s*/\s*{NUMBER}|/\s*{NUMBER}\s*;?\s*$")
EQUATIONS = {"z": "forward", "a": "forward", "loss": "C", "dW": "BP4", "db": "BP3", "update": "update"}
ARRAYS = {"dW": "dC/dW", "db": "dC/db", "loss": "the loss", "update": "the update"}
DEFAULTS: dict[str, Any] = {
    "factor": 1.0, "error": 1.0, "yours": 0.0, "right": 0.0, "rate": 0.1, "half": "one factor",
    "other": "another layer",
    "used": "an array", "meant": "its own layer", "which": "last", "fits": "another loss", "loss": "the loss",
    "activation": "another activation", "shape": "another shape", "row": 0, "neuron": 0, "what": "neuron",
    "shapes": "",
    "class": 0, "column": 1, "base": 2, "parameter": "the parameter", "inverse": "", "why": "", "hint": "",
}  # fmt: skip


def text_of(key: str, values: dict[str, Any]) -> tuple[str, str, str]:
    """The equation, the sentence and the fix of a row."""
    row = ROWS[key]
    values = DEFAULTS | values
    equation = row.get("equation", values.get("equation", ""))
    says, fix = (row[name].format_map(values | {"equation": equation}) for name in ("says", "fix"))
    says = says.replace("layer another layer", "another layer")
    return equation or "forward", says, fix.replace("a[-1]", "X")


def finding_of(program: Program, run: Pass, step: Step) -> ProgramFinding:
    """A step that is wrong as a finding."""
    last, l = len(run.layers) - 1, step.layer
    equation = EQUATIONS.get(step.quantity, "BP1" if l == last else "BP2")
    kind = run.kinds[l].name if l < len(run.kinds) else "the activation"
    line = (
        TEXTS["output" if step.quantity == "delta" and l == last else step.quantity] if step.quantity in TEXTS else ""
    )
    values: dict[str, Any] = {"layer": l, "next": l + 1, "before": l - 1, "own": kind, "equation": equation}
    slope = TEXTS.get(kind[:1].upper() + kind[1:], f"the derivative of {kind}")
    values |= {"array": ARRAYS.get(step.quantity, step.quantity), "slope": slope, "meant": l} | step.values
    values["line"] = line.format_map(DEFAULTS | values)
    equation, says, fix = text_of(step.mistake, values)
    array = ARRAYS.get(step.quantity, step.quantity)
    array += "" if step.quantity == "loss" else f" of layer {l}"
    event = step.values.get("at") or step.event
    where, line = event.where if event else None, step.values.get("line", 0)
    where = replace(where, line=line, place=program.place(line)) if where and isinstance(line, int) and line else where
    key = step.mistake
    if key == "off" and (mistake := second_opinion(run, step)) is not None:
        key, equation, says, fix = mistake.id, mistake.equation, mistake.says, mistake.fix
    return finding_at(program, where, "mistake", key, (equation, says, fix), array, own_line(program, run, step))


def finding_at(
    program: Program,
    where: Where | None,
    level: str,
    key: str,
    texts: tuple[str, str, str],
    array: str = "",
    write: str = "",
) -> ProgramFinding:
    """A finding at an expression."""
    line = where.line if where else 0
    place = str(where.place) if where else program.path.name
    code = program.line(line).strip() if where else ""
    equation, says, fix = texts
    return ProgramFinding(
        level, key, equation, place, line, code, where.function if where else "", array, says, fix, write
    )


def name_of_array(run: Pass, array: Array | None, function: str) -> str:
    """The shortest name under which a function of the program has an array; "" where it has none."""
    names = [
        bare_name(each.name) for each in run.trace.events
        if array is not None and each.name and each.value.size == array.size and is_same(each.value, array)
        and is_readable(each, function)
    ]  # fmt: skip
    return min(names, key=len, default="")


def name_of_multiple(run: Pass, array: Array | None, function: str) -> str:
    """The name that a function gives to a multiple of an array: to delta, divided by the number of samples."""
    if array is None:
        return ""
    for event, value in run.step_of(run.trace.arrays(array.shape[0], array.shape[1], run.time)):
        if event.where.is_store and is_readable(event, function) and factor_between(value, array) is not None:
            return bare_name(event.name)
    return ""


def is_readable(event: Event, function: str) -> bool:
    """Whether a function can read what an event stored: its own names, the module's, and those of its object."""
    own = event.name.startswith("self.") and event.where.function.partition(".")[0] == function.partition(".")[0]
    return own or event.where.function in (function, "")


def dimensions_of(run: Pass, name: str, array: Array | None) -> int:
    """How many dimensions an array has where it has a name."""
    alike = [each.value for each in run.trace.events if array is not None and bare_name(each.name) == name]
    return next((each.ndim for each in alike if array is not None and is_same(each, array)), 2)


def bare_name(name: str) -> str:
    """A name with its key, and without a mask or a slice that was stored into: dh of dh[z <= 0]."""
    return name if re.fullmatch(r"[^\[]*(\[('[^']*'|-?\d+)\])?", name) else name.partition("[")[0]


def with_own_keys(program: Program, text: str, line: int) -> str:
    """A line with keys as the function around it writes them, grads['dW' + str(l)] for grads['dW2']; "" in doubt."""
    functions = [node for node in ast.walk(program.tree) if isinstance(node, ast.FunctionDef)]
    around = [program.tree, *(node for node in functions if node.lineno <= line <= (node.end_lineno or 0))]
    scopes: list[list[ast.AST]] = [
        [each for each in ast.walk(around[-1]) if getattr(each, "lineno", 0) == line or not is_near]
        for is_near in (True, False)
    ]
    for found in reversed([*re.finditer(r"([\w.]+)\[('[^']*'|-?\d+)\]", text)]):
        for nodes in scopes:
            alike = {
                ast.unparse(each) for each in nodes
                if isinstance(each, ast.Subscript) and ast.unparse(each.value) == found[1]
                and not any(isinstance(part, ast.Slice | ast.Compare) for part in ast.walk(each.slice))
                and all(found[2].strip("'").startswith(str(part.value)) or not isinstance(part.value, str)
                        for part in ast.walk(each.slice) if isinstance(part, ast.Constant))
            }  # fmt: skip
            if found[0] in alike or len(alike) == 1:
                own = found[0] if found[0] in alike else alike.pop()
                text = f"{text[: found.start()]}{own}{text[found.end() :]}"
                break
            if alike:
                return ""
    return text


def is_same(value: Array, array: Array) -> bool:
    """Whether two arrays agree in one of the ways in which they may lie."""
    return any(each.size == array.size and is_close(each.ravel(), array.ravel()) for each in (value, value.T))


def is_in_columns(run: Pass) -> bool:
    """Whether the program's samples are columns."""
    event, size = run.step("z").event, run.z[0].shape[1]
    return event is not None and event.value.ndim > 1 and run.n != event.value.shape[0] == size


def own_line(program: Program, run: Pass, step: Step) -> str:
    """What to write instead, in the program's names and as its arrays lie; "" where a name is missing."""
    event = step.values.get("at") or step.event
    if event is None:
        return bare_line(run, step, "", "")
    code, function = program.line(event.where.line).strip(), event.where.function
    if step.mistake in ("update-adds", "update-subtracts"):
        found = re.match(r"\S+ *([+-])=|(\S+) *= *\2 *([+-]) ", code)
        at = found.start(1) if found and found[1] else found.start(3) if found else 0
        return f"{code[:at]}{'-' if code[at] == '+' else '+'}{code[at + 1 :]}" if at else ""
    if step.quantity == "delta" and code.startswith("return ") and event.role in ("derivative", "activation"):
        slope = slope_text(run, step.layer, function)
        is_here = event.role == "derivative" or "line" not in step.values  # and not a call that lacks deriv=True
        return f"return {slope}" if slope and is_here else ""
    line = with_own_keys(program, bare_line(run, step, function, code), event.where.line)
    part, (target, _, right) = event.where.text, line.partition(" = ")
    is_whole = event.where.is_store or re.match(rf"{re.escape(target)} *=", code.replace('"', "'")) is not None
    if line and not is_whole and code.count(part) == 1:  # a part of a statement that does more
        return code.replace(part, right if right.endswith(")") else f"({right})")
    return f"{line}{batch_share(program, run, step)}" if line and step.quantity in ("dW", "db") else line


def batch_share(program: Program, run: Pass, step: Step) -> str:
    """The text " / m", where the program's other gradients are divided by m, or this one is and there are no others."""
    gradients = [each for each in run.steps if each.quantity in ("dW", "db") and each.event is not None]
    others = [
        each for each in gradients if each.event and step.event and each.event.where.line != step.event.where.line
    ]
    lines = [program.line(each.event.where.line).partition("#")[0] for each in others or [step] if each.event]
    found = [next(filter(None, match.groups())) for match in map(DIVISION.search, lines) if match]
    return f" / {found[0]}" if found else ""


def bare_line(run: Pass, step: Step, function: str, code: str) -> str:
    """The same without what a gradient is divided by."""
    l, columns = step.layer, is_in_columns(run)
    if step.quantity not in ("z", "dW", "db", "delta") or l >= len(run.layers):
        return ""
    if step.quantity == "delta":
        return delta_line(run, step, function, code) if l + 1 < len(run.layers) else ""
    layer, array = run.layers[l], run.delta[l] if l < len(run.delta) else None
    a, delta, W = name_of_array(run, run.inputs(l), function), name_of_array(run, array, function), layer.weights.name
    is_vector = dimensions_of(run, delta, array) == 1 == run.n
    plus = f" + {layer.biases.name}" if layer.biases else ""
    forms = {  # of W as (fan_in, fan_out), and as (fan_out, fan_in)
        "z": (f"{a} @ {W}{plus}", f"{W} @ {a}{plus}"),
        "dW": (f"{a}.T @ {delta}", f"{delta} @ {a}.T"),
        "db": 2 * (f"np.sum({delta}, axis={int(columns)}, keepdims=True)" if run.n > 1 else delta,),
    }
    if is_vector:
        forms["dW"] = (f"np.outer({a}, {delta})", f"np.outer({delta}, {a})")
    is_known = (a or step.quantity == "db") and (delta or step.quantity == "z")
    is_lying = step.quantity != "z" or columns or not layer.is_out_first
    return f"{target_name(run, step)} = {forms[step.quantity][layer.is_out_first]}" if is_known and is_lying else ""


def delta_line(run: Pass, step: Step, function: str, code: str) -> str:
    """The same of delta of a hidden layer."""
    l, target, following, after = (
        step.layer,
        target_name(run, step),
        run.layers[step.layer + 1],
        run.delta[step.layer + 1],
    )
    behind = name_of_array(run, after, function) or name_of_multiple(run, after, function)
    if run.n == following.W.shape[1] == 1:  # one number is a multiple of any other
        numbers = [each.name for each in run.trace.events if each.where.is_store and each.value.size == 1]
        numbers = [each for each in numbers if re.search(rf"\b{re.escape(each)}\b", code)]
        behind = behind if behind in numbers else numbers[-1] if numbers else ""
    slope, W = slope_text(run, l, function), following.weights.name
    error = name_of_array(run, None if after is None else after @ following.W.T, function)
    if slope and error and error != target and error in code:
        return f"{target} = {error} * {slope}"
    product = f"{W}.T @ {behind}" if is_in_columns(run) else f"{behind} @ {W}.T"
    if dimensions_of(run, behind, after) == 0:
        product = f"{behind} * {W}.ravel()"
    elif dimensions_of(run, W, following.weights.value) == 1:
        product = f"np.outer({behind}, {W})"
    return f"{target} = ({product}) * {slope}" if behind and slope else ""


def slope_text(run: Pass, l: int, function: str) -> str:
    """sigma' of a layer in the program's names."""
    a, z, kind = name_of_array(run, run.a[l], function), name_of_array(run, run.z[l], function), run.kinds[l]
    texts = {
        "sigmoid": f"{a} * (1 - {a})" if a else "", "tanh": f"(1 - {a}**2)" if a else "",
        "ReLU": f"({z} > 0)" if z else f"({a} > 0)" if a else "",
        "bipolar sigmoid": f"(1 - {a}**2) / 2" if a else "",
    }  # fmt: skip
    return "1" if kind is IDENTITY else texts.get(kind.name, "")


def target_name(run: Pass, step: Step) -> str:
    """The name that the program gives to what a step computes."""
    usual = {"z": "z", "dW": "dW", "db": "db", "delta": "delta"}.get(step.quantity, step.quantity)
    if step.event is None:
        return usual
    after = run.trace.events[step.event.time : step.event.time + 12]
    stored = [each.name for each in after if each.where.is_store and each.where.line == step.event.where.line]
    name = bare_name(step.event.name or next(iter(stored), usual))
    own = [each.name for layer in run.layers for each in (layer.weights, layer.biases) if each]
    return usual if name in own and step.quantity != "update" else name


def describe(run: Pass) -> list[str]:
    """The network as it was recognized, a line for each layer."""
    lines = []
    for l, (layer, kind) in enumerate(zip(run.layers, run.kinds, strict=False)):
        fan_in, fan_out = layer.W.shape
        bias = layer.biases.name if layer.biases else "no bias"
        lines.append(
            f"layer {l}: {layer.weights.name} {layer.weights.value.shape}, {bias}: {fan_in} -> {fan_out}, {kind.name}"
        )
    samples = (
        "one sample at a time" if run.n == 1 else "samples in columns" if is_in_columns(run) else "samples in rows"
    )
    return [*lines, samples]
