"""Checks of single parts of a program: activations, derivatives, one-hot, initial weights, names, and batches."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.learn.activations import BIPOLAR, MISTAKEN, RELU, SIGMOID, SOFTMAX, Sigma, is_close, sigma_of
from deltarule.learn.examples import SmallBatch
from deltarule.learn.layers import chains
from deltarule.learn.matching import Session, Trial, sees
from deltarule.learn.program import TABLES, Loop, Program, name_of, names_of
from deltarule.learn.recording import Where, where_at
from deltarule.learn.report import ProgramFinding
from deltarule.learn.roles import argument_of, is_gradient, number_in, parameter_kind, role_of
from deltarule.learn.sandbox import attempt
from deltarule.learn.wording import finding_at, for_columns, text_of
from deltarule.nn.arrays import Array

POINTS = np.array([[-2.1, 1.3, 0.4], [0.7, -0.6, 1.9], [-1.2, 2.3, -0.3], [0.2, -1.7, 0.9], [1.1, 0.6, -2.4]])
FORMULAS = TABLES["formulas_in_words"]


def probe(session: Session, run: Trial | None) -> Iterator[ProgramFinding]:
    """Findings about single parts of a program, called alone or read in its code, in the order of computation."""
    yield from unset_names(session.program)
    is_seen = run is not None and run.verdict is not None and len(run.verdict.layers) > 0
    yield from unset_attributes(session.program, "warning" if is_seen else "mistake")
    run = run or session.run(lambda run: None, SmallBatch())  # for the small functions of a program without a network
    if run.space is not None:
        yield from start_findings(session.program, run)
        functions = list(callables(session, run))
        sigmoid = own_sigmoid(functions)
        for name, function, node in functions:
            yield from function_findings(session.program, name, function, node, sigmoid)
    if not sees(run, "delta"):
        yield from sums_without_axis(session.program)
    yield from lost_values(session.program)
    yield from unread_updates(session.program)
    yield from shuffles_of_inputs(session.program)


def callables(session: Session, run: Trial) -> Iterator[tuple[str, Any, ast.FunctionDef]]:
    """The functions of the module and the methods of the network, each as (name, function, syntax tree)."""
    for name, block in session.program.functions.items():
        function = run.space.get(name) if run.space else None
        if function is not None and isinstance(block.node, ast.FunctionDef):
            yield name, function, block.node
    for name, block in session.program.classes.items():
        for node in (each for each in ast.walk(block.node) if isinstance(each, ast.FunctionDef)):
            function = getattr(run.owner, node.name, None) if type(run.owner).__name__ == name else None
            if callable(function):
                yield node.name, function, node


def result(function: Callable[..., Any], *arguments: Any) -> Array | None:
    """Call a function; its result, or the first of several, as a float array; None if it raises or has no numbers."""
    done = attempt("a small function", function, *arguments, seconds=0.5)
    value = done.value[0] if isinstance(done.value, tuple) and done.value else done.value
    if done.error is not None or not isinstance(value, np.ndarray | list | float | np.generic):
        return None
    array = np.asarray(value)
    return array.astype(float) if array.dtype.kind in "biuf" else None


def own_sigmoid(functions: Iterable[tuple[str, Any, ast.FunctionDef]]) -> Sigma:
    """The sigmoid of a program: sigma(k z) if one of its functions computes that with a constant k above 0."""
    for name, function, _ in functions:
        found = result(function, POINTS.copy()) if sigma_of(name) is SIGMOID and role_of(name) == "activation" else None
        if found is not None and found.shape == POINTS.shape and found.min() > 0 and found.max() < 1:
            k = float(np.median(np.log(found / (1 - found)) / POINTS))
            steep = SIGMOID.with_steepness(k)
            if k > 0 and not is_close(found, SIGMOID.value(POINTS), 1e-4) and is_close(found, steep.value(POINTS)):
                return steep
    return SIGMOID


def function_findings(
    program: Program, name: str, function: Any, node: ast.FunctionDef, sigmoid: Sigma = SIGMOID
) -> Iterator[ProgramFinding]:
    """Findings about one function, if its name is that of an activation, a derivative or a one-hot encoding."""
    role, kind = role_of(name), sigma_of(name)
    kind = sigmoid if kind is SIGMOID else kind
    n_arguments = len([each for each in node.args.args if each.arg != "self"]) - len(node.args.defaults)
    where = place_of(program, node)
    with np.errstate(all="ignore"):
        if role in ("activation", "softmax") and kind is not None and n_arguments == 1:
            powers = [each.lineno for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr == "exp"]
            where = where_at(program, powers[0], node.name) if kind is SOFTMAX and powers else where
            yield from activation_findings(program, where, name, kind, function)
        elif role == "derivative" and kind is not None and kind is not SOFTMAX:
            yield from derivative_findings(program, where, name, kind, function, n_arguments)
        elif role == "one_hot":
            lines = [
                each.lineno
                for each in ast.walk(node)
                if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Subscript)
            ]
            at = replace(where, line=lines[-1], place=program.place(lines[-1])) if lines else where
            yield from one_hot_findings(program, at, name, function, n_arguments)


def place_of(program: Program, node: ast.FunctionDef) -> Where:
    """The line in which a function computes its result: the last that sets the returned name, else the last return."""
    returns = sorted((each for each in ast.walk(node) if isinstance(each, ast.Return)), key=lambda each: each.lineno)
    name = getattr(returns[-1].value, "id", "") if returns else ""
    stores = [each.lineno for each in ast.walk(node) if isinstance(each, ast.stmt) and name and name in names_of(each)]
    return where_at(program, (stores or [each.lineno for each in returns] or [node.lineno])[-1], node.name)


def finding(
    program: Program, where: Where, key: str, array: str = "", level: str = "mistake", **values: Any
) -> ProgramFinding:
    """A finding with the texts of the row `key` of mistakes.toml, filled in with `values`."""
    return finding_at(program, where, level, key, text_of(key, values), array)


def activation_findings(
    program: Program, where: Where, name: str, kind: Sigma, function: Any
) -> Iterator[ProgramFinding]:
    """A finding if an activation does not compute what its name says, or if a softmax overflows."""
    found = result(function, POINTS.copy())
    if found is None or found.shape != POINTS.shape:
        return
    if kind is SOFTMAX:
        large = result(function, np.array([[1000.0, 0.0], [0.0, 1000.0]]))
        if large is not None and np.isnan(large).any():
            yield finding(program, where, "softmax-overflow", "a", "warning")
        return
    right = kind.value(POINTS)
    if is_close(found, right, 1e-4) or (kind is SIGMOID and is_close(found, BIPOLAR.value(POINTS))):
        return
    for key, meant, wrong in MISTAKEN:
        if meant is kind and is_close(found, wrong(POINTS)):
            yield finding(program, where, key, "a", own=kind.name, layer="l")
            return
    if kind is RELU and (found[POINTS > 0] == POINTS[POINTS > 0]).all():
        return  # leaky, or another of its family
    n = int(np.abs(found - right).argmax())
    yield finding(
        program, where, "activation-differs", "a", name=name, kind=kind.name, at=POINTS.flat[n], yours=found.flat[n],
        right=right.flat[n], formula=FORMULAS[kind.name][0],
    )  # fmt: skip


def derivative_findings(
    program: Program, where: Where, name: str, kind: Sigma, function: Any, n_arguments: int
) -> Iterator[ProgramFinding]:
    """A finding if a derivative is correct neither as a function of z nor as one of a."""
    given = [POINTS.copy()] if n_arguments == 1 else [np.ones_like(POINTS), POINTS.copy()]
    for arguments in (given, given[::-1]):
        found = result(function, *arguments)
        if found is None or found.shape != POINTS.shape or n_arguments > 2:
            return
        of_a = kind.of_a(POINTS) if kind.of_a else kind.slope(POINTS)
        rights = (kind.slope(POINTS), of_a)
        bipolar = (BIPOLAR.slope(POINTS), (1 - POINTS**2) / 2) if kind is SIGMOID else ()
        if any(is_close(found, right, 1e-4) for right in (*rights, *bipolar)):
            return
        if kind is RELU and (found[POINTS > 0] == 1).all() and len(set(found[POINTS < 0].tolist())) == 1:
            return
    if (found := result(function, *given)) is None:
        return
    n = int(np.minimum(np.abs(found - rights[0]), np.abs(found - rights[1])).argmax())
    yield finding(
        program, where, "derivative-differs", "sigma'", name=name, kind=kind.name, at=POINTS.flat[n],
        yours=found.flat[n], right=rights[0].flat[n], of_a=rights[1].flat[n], formula=FORMULAS[kind.name][1],
    )  # fmt: skip


def one_hot_findings(
    program: Program, where: Where, name: str, function: Any, n_arguments: int
) -> Iterator[ProgramFinding]:
    """A finding if a function for one-hot targets shifts the classes, or returns something else."""
    y = np.array([2, 0, 1, 3, 1, 0, 2])
    found = result(function, y) if n_arguments == 1 else result(function, y, 4)
    if found is None or found.ndim != 2 or len(y) not in found.shape:
        return
    lying = found if found.shape[0] == len(y) else found.T
    right = np.eye(max(4, lying.shape[1]))[y]
    if lying.shape != right.shape or np.array_equal(lying, right):
        return
    for step in (1, -1):
        if np.array_equal(lying, np.roll(right, step, axis=1)) or np.array_equal(lying[:, :-1], right[:, 1:]):
            yield finding(program, where, "one-hot-shifted", "t", name=name, cls=1, column=int(lying[2].argmax()))
            return
    yield finding(program, where, "one-hot-wrong", "t", name=name)


def start_findings(program: Program, run: Trial) -> Iterator[ProgramFinding]:
    """Findings for initial weights that are all equal, or saturate a sigmoid or tanh, and for biases of samples."""
    found = list(run.verdict.layers) if run.verdict else []
    chain = max(found, next(iter(chains(run.recorder.starts)), []), key=len)
    for start in run.recorder.starts:
        is_table = start.kind == "biases" and start.raw.ndim == 2 and min(start.raw.shape) > 1
        if is_table and not any(start.where.line == layer.weights.where.line for layer in chain):
            yield finding(program, start.where, "bias-of-samples", "b", name=start.name, shape=start.raw.shape)
    kinds = [each.name for each in run.verdict.run.kinds] if run.verdict else []
    meant = "sigmoid" if re.search("sigmoid|tanh", program.text.casefold()) else ""
    for l, layer in enumerate(chain):
        start, raw = layer.weights, layer.weights.raw
        where = start.where
        if len(chain) > 1 and raw.size > 1 and np.ptp(raw) == 0:
            yield finding(program, where, "init-equal", f"W of layer {l}", name=start.name, value=raw.flat[0])
        fan_in, kind = layer.W.shape[0], kinds[l] if l < len(kinds) else meant
        z = fan_in * 0.13 * abs(float(raw.mean()))  # 0.13: the mean of MNIST's pixels
        if l + 1 < len(chain) and z > 20 and raw.min() >= 0 and kind in ("sigmoid", "tanh", ""):
            shown = {"name": start.name, "low": raw.min(), "high": raw.max(), "fan_in": fan_in, "z": z}
            yield finding(program, where, "init-saturates", f"W of layer {l}", **shown, kind=kind or "a sigmoid")


def unset_names(program: Program) -> Iterator[ProgramFinding]:
    """Findings for names of the module that a statement reads before any statement sets them."""
    defined, later = set[str](), dict[str, int]()
    body = program.tree.body
    for node in body:
        for name in names_of(node):
            later.setdefault(name, node.lineno)
    known = set(program.imports) | set(program.own)
    said = set[str]()
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            reads = [each for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)]
            inner = {name for each in ast.walk(node) for name in names_of(each)}
            for each in reads:
                name = each.id
                if name in later and name not in defined | known | said | inner and later[name] > node.lineno:
                    said.add(name)
                    where = where_at(program, each.lineno)
                    yield finding(program, where, "used-before-value", name=name, later=program.place(later[name]).line)
        defined |= {name for each in ast.walk(node) for name in names_of(each)}


def unset_attributes(program: Program, level: str) -> Iterator[ProgramFinding]:
    """Findings for attributes of `self` that a class without a base reads, but that nothing in the program sets."""
    nodes = program.nodes
    known = {each.attr for each in nodes if isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load)}
    known |= {name for each in nodes if isinstance(each, ast.ClassDef) for part in each.body for name in names_of(part)}
    if known & {"__getattr__", "__dict__"} or any(name_of(each) in ("setattr", "__dict__", "vars") for each in nodes):
        return
    for name, node in program.own.items():
        is_whole = isinstance(node, ast.ClassDef) and all(name_of(each) == "object" for each in node.bases)
        for each in ast.walk(node) if is_whole else ():
            if isinstance(each, ast.Attribute) and name_of(each.value) == "self" and each.attr not in known:
                known.add(each.attr)
                where = where_at(program, each.lineno, name)
                error = f"AttributeError: '{name}' object has no attribute '{each.attr}'"
                hint = f"give self.{each.attr} a value in __init__, or write the name that it has"
                yield finding(
                    program, where, "raises", "", level, function=f"line {where.place.line}", error=error, hint=hint
                )


def sums_without_axis(program: Program) -> Iterator[ProgramFinding]:
    """Findings for bias gradients summed over all axes, in a function where another gradient's sum has an axis."""
    for name, block in program.functions.items():
        sums = [each for each in ast.walk(block.node) if isinstance(each, ast.Assign) and "sum(" in ast.unparse(each)]
        sums = [each for each in sums if any(map(is_gradient, names_of(each)))]
        bare = [each for each in sums if "axis" not in ast.unparse(each)]
        for each in bare if len(bare) < len(sums) else ():
            found = finding(program, where_at(program, each.lineno, name), "bias-all-axes", "dC/db", layer="l")
            yield for_columns(found) if any("axis=1" in ast.unparse(other) for other in sums) else found


def lost_values(program: Program) -> Iterator[ProgramFinding]:
    """Findings for return statements that return one parameter twice, and leave out another of its kind."""
    for name, block in program.functions.items():
        for node in (each for each in ast.walk(block.node) if isinstance(each, ast.Return)):
            if not isinstance(node.value, ast.Tuple):
                continue
            names = [each.id for each in node.value.elts if isinstance(each, ast.Name)]
            twice = [each for each in names if names.count(each) > 1]
            stored = {each.id for each in ast.walk(block.node) if isinstance(each, ast.Name)} | set(block.parameters)
            kind = parameter_kind(twice[0]) if twice else ""
            lost = sorted(each for each in stored - set(names) if kind and parameter_kind(each) == kind)
            if twice and lost:
                places = [n for n, each in enumerate(names) if each == twice[0]]
                beside = [n for n in places if n and number_in(names[n - 1]) == number_in(lost[0])]
                right = [lost[0] if n == (beside or places)[-1] else each for n, each in enumerate(names)]
                where = where_at(program, node.lineno, name)
                shown = {"name": name, "twice": twice[0], "lost": lost[0], "right": ", ".join(right)}
                yield finding(program, where, "returned-twice", "the result", **shown)


def unread_updates(program: Program) -> Iterator[ProgramFinding]:
    """Findings for loops in functions whose update returns new parameters that nothing else in the loop reads."""
    functions = [each for each in program.nodes if isinstance(each, ast.FunctionDef)]
    for scope, loop in [(each, node) for each in functions for node in ast.walk(each) if isinstance(node, Loop)]:
        calls = [each for each in ast.walk(loop) if isinstance(each, ast.Call)]
        forward = [each.lineno for each in calls if role_of(name_of(each.func)) == "forward"]
        updates = [each for each in calls if role_of(name_of(each.func)) == "update"]
        for node in (each for each in ast.walk(loop) if isinstance(each, ast.Assign) and each.value in updates):
            name, update = name_of(node.targets[0]), program.own.get(name_of(getattr(node.value, "func", node)))
            reads, inside = ([name_of(each) for each in ast.walk(part)].count(name) for part in (loop, node))
            in_place = any(isinstance(each, ast.AugAssign) for each in ast.walk(update or node))
            if update and name and forward and inside > 1 and reads == inside and not in_place:
                yield finding(program, where_at(program, min(forward), scope.name), "never-read", "W", name=name)


def shuffles_of_inputs(program: Program) -> Iterator[ProgramFinding]:
    """Findings where inputs and targets come from different samples, or where batches leave samples out."""
    functions: list[ast.AST] = [each for each in program.nodes if isinstance(each, ast.FunctionDef)]
    for scope in functions or [program.tree]:
        nodes = sorted((each for each in ast.walk(scope) if hasattr(each, "lineno")), key=lambda each: each.lineno)
        yield from (
            finding(program, where_at(program, line, getattr(scope, "name", "")), key, "t", level)
            for key, level, line in [*samples_apart(nodes), *samples_left_out(nodes)]
        )


def samples_apart(nodes: list[Any]) -> Iterator[tuple[str, str, int]]:
    """Where targets are shuffled or cut into batches differently from the inputs, as (mistake, level, line)."""
    orders, shuffled, mixed_names, names = set[str](), set[str](), set[str](), dict[str, int]()
    parts: dict[str, dict[str, int]] = {"X": {}, "Y": {}}
    for node in nodes:
        if isinstance(node, ast.Assign):
            calls = {name_of(each.func) for each in ast.walk(node.value) if isinstance(each, ast.Call)}
            is_part = isinstance(node.value, ast.Subscript) and name_of(node.value.value) in orders
            orders |= set(names_of(node)) if calls & {"permutation"} or is_part else set()
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            taken = [each for value in values for each in ast.walk(value) if isinstance(each, ast.Subscript)]
            is_mixed = any({name_of(name) for name in ast.walk(each.slice)} & orders for each in taken)
            shuffled |= set(names_of(node)) if is_mixed else set()
            kept = [argument_of(name_of(each)) for each in values if isinstance(each, ast.Name)]
            if is_mixed and {"Y", "y_flat"} & set(kept):  # X[order], y
                yield "targets-of-other-samples", "mistake", node.lineno
        if isinstance(node, ast.Call) and name_of(node.func) == "shuffle" and node.args:
            orders |= {name_of(node.args[0])}
        if isinstance(node, ast.Subscript) and {name_of(each) for each in ast.walk(node.slice)} & orders:
            mixed_names.add(name_of(node.value))
        kind = argument_of(name_of(node.value)).replace("y_flat", "Y") if isinstance(node, ast.Subscript) else ""
        if kind in parts and isinstance(node.ctx, ast.Load):
            cuts = [each for each in getattr(node.slice, "elts", [node.slice]) if ast.unparse(each) != ":"]
            inner = {name_of(each) for cut in cuts for each in ast.walk(cut)} - {""}
            if len(cuts) == 1 and (inner & orders or (isinstance(cuts[0], ast.Slice) and inner)):
                parts[kind].setdefault(ast.unparse(cuts[0]), node.lineno)
                names |= {f"{kind} {name_of(node.value)}": node.lineno} if isinstance(cuts[0], ast.Slice) else {}
        elif isinstance(node, ast.Name) and argument_of(node.id) in ("Y", "y_flat") and "output" not in node.id:
            names.setdefault("Y", node.lineno)
    apart = [line for cut, line in parts["Y"].items() if cut not in parts["X"]] if parts["X"] else []
    mixed = {kind: {name[2:] in shuffled for name in names if name.startswith(f"{kind} ")} for kind in parts}
    if not apart and mixed["X"] == {True} and mixed["Y"] == {False}:  # cut from targets in their old order
        apart = [line for name, line in names.items() if name.startswith("Y ")]
    is_alone = mixed_names - orders and all(argument_of(each) == "X" for each in mixed_names - orders) and "Y" in names
    for line in apart or (list(parts["X"].values())[-1:] if is_alone else []):
        yield "targets-of-other-samples", "mistake", line


def samples_left_out(nodes: list[Any]) -> Iterator[tuple[str, str, int]]:
    """Where batches end at a fixed place, one sample short, or before the last batch, as (mistake, level, line)."""
    for node in (each for each in nodes if isinstance(each, ast.For | ast.ListComp)):
        rounds = [node] if isinstance(node, ast.For) else node.generators
        for each in rounds:
            if not (
                isinstance(each.iter, ast.Call) and name_of(each.iter.func) == "range" and len(each.iter.args) == 3
            ):
                continue
            place, step = ast.unparse(each.target), ast.unparse(each.iter.args[2])
            if ast.unparse(each.iter.args[1]).endswith(f"- {step}"):
                yield "last-batch-left-out", "warning", each.iter.lineno
            if ast.unparse(each.iter.args[1]).endswith(f"- {step} + 1"):
                yield "short-batch-left-out", "warning", each.iter.lineno
            stores = [part for part in ast.walk(node) if isinstance(part, ast.Assign)]
            ends = {name_of(part.targets[0]): ast.unparse(part.value) for part in stores}
            for cut in (part for part in ast.walk(node) if isinstance(part, ast.Slice) and part.lower and part.upper):
                begin, _, end = ast.unparse(cut).partition(":")
                end = ends.get(end, end)  # end = min(start + size, n)
                is_short = f"{place} + {step} - 1" in (end, end[4:].partition(",")[0])
                if begin == place and (not re.search(rf"\b{place}\b", end) or is_short):
                    yield "samples-left-out", "mistake", cut.lineno
