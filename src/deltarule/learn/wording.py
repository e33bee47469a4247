"""Put a wrong array into words: its row of mistakes.toml, and what to write instead in the program's own names."""

import re
from dataclasses import replace
from typing import Any

from deltarule.inspection.gradcheck.catalog import ROWS, TEXTS
from deltarule.learn.activations import IDENTITY, is_close
from deltarule.learn.judgement import Pass, Step
from deltarule.learn.program import TABLES, Program
from deltarule.learn.recording import Event, Where
from deltarule.learn.report import ProgramFinding
from deltarule.nn.arrays import Array

EQUATIONS, ARRAYS, DEFAULTS, COLUMNS = (TABLES[each] for each in ("equations", "arrays", "defaults", "columns"))


def text_of(key: str, values: dict[str, Any]) -> tuple[str, str, str]:
    """The equation, the sentence and the fix of the row `key` of mistakes.toml, filled in with `values`."""
    row = ROWS[key]
    values = DEFAULTS | values
    equation = row.get("equation", values.get("equation", ""))
    says, fix = (row[name].format_map(values | {"equation": equation}) for name in ("says", "fix"))
    says = says.replace("layer another layer", "another layer")
    return equation or "forward", says, fix.replace("a[-1]", "X")


def finding_of(program: Program, run: Pass, step: Step) -> ProgramFinding:
    """The finding for a wrong array (`step`) of a run: its texts, and the line to blame."""
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
    found = finding_at(program, where, "mistake", step.mistake, (equation, says, fix), array)
    return for_columns(found) if is_in_columns(run) and run.layers[0].is_out_first else found


def for_columns(finding: ProgramFinding) -> ProgramFinding:
    """Reword a finding for a program whose samples are columns."""
    says, fix = finding.says, finding.fix
    for pattern, instead in COLUMNS.items():
        says, fix = re.sub(pattern, instead, says), re.sub(pattern, instead, fix)
    return replace(finding, says=says, fix=fix)


def finding_at(
    program: Program, where: Where | None, level: str, key: str, texts: tuple[str, str, str], array: str = ""
) -> ProgramFinding:
    """A finding at a place in the program, or in no line if `where` is None. texts: equation, sentence and fix."""
    line = where.line if where else 0
    place = str(where.place) if where else program.path.name
    code, function = (program.line(line).strip(), where.function) if where else ("", "")
    return ProgramFinding(level, key, texts[0], place, line, code, function, array, *texts[1:])


def name_of_array(run: Pass, array: Array | None, function: str) -> str:
    """The shortest name by which a function of the program can read an array; "" if there is none."""
    names = [
        bare_name(each.name) for each in run.trace.events
        if array is not None and each.name and each.value.size == array.size and is_readable(each, function)
        and is_same(each.value, array)
    ]  # fmt: skip
    return min(names, key=len, default="")


def is_readable(event: Event, function: str) -> bool:
    """Whether a function can read what an event stored: its own names, the module's, and those of its object."""
    own = event.name.startswith("self.") and event.where.function.partition(".")[0] == function.partition(".")[0]
    return own or event.where.function in (function, "")


def bare_name(name: str) -> str:
    """A name with its key, but without a mask or a slice that was assigned to: dh for dh[z <= 0]."""
    return name if re.fullmatch(r"[^\[]*(\[('[^']*'|-?\d+)\])?", name) else name.partition("[")[0]


def is_same(value: Array, array: Array) -> bool:
    """Whether two arrays have the same numbers, perhaps after a transpose."""
    return any(each.size == array.size and is_close(each.ravel(), array.ravel()) for each in (value, value.T))


def slope_text(run: Pass, l: int, function: str) -> str:
    """The formula for sigma' of layer l in the program's names, as "a1 * (1 - a1)"; "" if it is unknown."""
    a, z, kind = name_of_array(run, run.a[l], function), name_of_array(run, run.z[l], function), run.kinds[l]
    texts = {
        "sigmoid": f"{a} * (1 - {a})" if a else "", "tanh": f"(1 - {a}**2)" if a else "",
        "ReLU": f"({z} > 0)" if z else f"({a} > 0)" if a else "",
        "bipolar sigmoid": f"(1 - {a}**2) / 2" if a else "",
    }  # fmt: skip
    return "1" if kind is IDENTITY else texts.get(kind.name, "")


def describe(run: Pass) -> list[str]:
    """The recognized network in words, a line for each layer, and one for the layout of the samples."""
    lines = []
    for l, (layer, kind) in enumerate(zip(run.layers, run.kinds, strict=False)):
        fan_in, fan_out = layer.W.shape
        bias = layer.biases.name if layer.biases else "no bias"
        lines.append(
            f"layer {l}: {layer.weights.name} {layer.weights.value.shape}, {bias}: {fan_in} -> {fan_out}, {kind.name}"
        )
    samples = "samples in columns" if is_in_columns(run) else "samples in rows"
    return [*lines, "one sample at a time" if run.n == 1 else samples]


def is_in_columns(run: Pass) -> bool:
    """Whether a sample is a column of the program's arrays."""
    event = run.step("z").event
    return event is not None and event.value.ndim > 1 and run.n != event.value.shape[0] == run.z[0].shape[1]
