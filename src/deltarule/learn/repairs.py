"""What to write instead of a wrong line: small edits of it, tried in the program until its mistake is gone."""

import ast
import copy
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from deltarule.learn.activations import sigma_of
from deltarule.learn.code_files import Code
from deltarule.learn.matching import Session, Trial, preference
from deltarule.learn.program import TABLES, Program, name_of, program_of
from deltarule.learn.report import ProgramFinding
from deltarule.learn.roles import argument_of, number_in
from deltarule.learn.wording import is_readable, name_of_array, slope_text

MOST_SECONDS, MOST_EDITS = 1.2, 30
EDITS, FORMULAS = TABLES["edits"], TABLES["formulas"]
Find = Callable[[Session, Trial | None], list[ProgramFinding]]


def with_repair(
    session: Session, run: Trial | None, findings: list[ProgramFinding], find: Find
) -> list[ProgramFinding]:
    """Findings, the first mistake with the first edit after which it is gone and no other has come.

    find: judges a run of a program.
    """
    found = next((each for each in findings if each.level == "mistake"), None)
    if run is None or found is None or not found.line or not run.called or run.verdict is None:
        return findings
    wrong, begun = {(each.id, each.array) for each in findings if each.level == "mistake"}, time.process_time()
    for text in [each for each in dict.fromkeys(edits(session.program, run, found)) if each != found.code][:MOST_EDITS]:
        if time.process_time() - begun > MOST_SECONDS:
            break
        left = mistakes_with(session, run, found, text, find)
        if left is not None and len(left) < len(wrong) and (found.id, found.array) not in left:
            return [replace(each, write=text) if each is found else each for each in findings]
    return findings


def mistakes_with(
    session: Session, run: Trial, found: ProgramFinding, text: str, find: Find
) -> set[tuple[str, str]] | None:
    """The mistakes of the program with another text of a line; None where it does not run as far as before."""
    program, lines = session.program, session.program.text.split("\n")
    old = lines[found.line - 1]
    lines[found.line - 1] = old[: len(old) - len(old.lstrip())] + text
    try:
        twin = Session(program_of(Code(program.path, "\n".join(lines), program.places, []), ()))
    except SyntaxError:
        return None
    twin.program.values = program.values
    how = partial(twin.by_class, name=run.called[0]) if run.how == "by_class" else getattr(twin, run.how)
    again = twin.run(how, run.examples)
    if (again.error and not run.error) or not seen_in(run) <= seen_in(again):
        return None
    left = {(each.id, each.array) for each in find(twin, again) if each.level == "mistake"}
    if len(left) == 1 and (found.id, found.array) not in left:  # in another form of the data all may be right
        again = max(twin.in_every_form(how), key=preference, default=again)
        left = {(each.id, each.array) for each in find(twin, again) if each.level == "mistake"}
    return left


def seen_in(run: Trial) -> set[tuple[str, int]]:
    """The arrays that were found in a run, the loss and the update aside."""
    steps = run.verdict.steps if run.verdict else ()
    return {(each.quantity, each.layer) for each in steps if each.is_found and each.quantity not in ("update", "loss")}


def edits(program: Program, run: Trial, found: ProgramFinding) -> Iterator[str]:
    """Small edits of the line of a finding, those that undo its mistake first."""
    nodes = [each for each in ast.walk(program.tree) if isinstance(each, ast.stmt) and each.lineno == found.line]
    node = nodes[-1] if nodes else None
    if isinstance(node, ast.For):
        node = ast.copy_location(ast.For(node.target, node.iter, [ast.Pass()], []), node)
    elif not isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr) or node.end_lineno != node.lineno:
        return
    around = [each for each in ast.walk(program.tree) if isinstance(each, ast.FunctionDef)]
    scope = [program.tree, *(each for each in around if each.lineno <= found.line <= (each.end_lineno or 0))][-1]
    keys = {ast.unparse(each) for each in ast.walk(scope) if isinstance(each, ast.Subscript)}
    functions = [each.where.function for each in run.recorder.events]
    inside = (each for each in functions if each.rpartition(".")[2] == getattr(scope, "name", ""))
    function = next(inside, found.function)
    events = run.verdict.run.trace.events if run.verdict else []
    shapes = {each.name: each.value.shape for each in events if each.name and is_readable(each, function)}
    judged = run.verdict.run if run.verdict else None
    arrays = [*judged.delta, *judged.z, *judged.a, judged.X] if judged else []
    likely = {name_of_array(judged, each, function) for each in arrays if judged}
    shapes = dict(sorted(shapes.items(), key=lambda row: row[0] not in likely))
    kinds = next((kinds for pattern, kinds in EDITS.items() if re.search(pattern, found.id)), EDITS["rest"])
    given = [each.arg for each in scope.args.args if each.arg != "self"] if isinstance(scope, ast.FunctionDef) else []
    if given and kinds[0] == "formula" and isinstance(node, ast.Return):
        kind = sigma_of(function.rpartition(".")[2])
        texts = FORMULAS.get(kind.name if kind else "", [each for row in FORMULAS.values() for each in row])
        yield from ("return " + re.sub(r"\bz\b", given[0], each) for each in texts)
    for kind in dict.fromkeys([*kinds, *EDITS["rest"]]):
        for each in edits_of(kind, node, run, replace(found, function=function), shapes):
            yield from with_keys(ast.unparse(each).split("\n")[0], keys)


def with_keys(text: str, own: set[str]) -> Iterator[str]:
    """A line, or the same with each key under which the function reads such an item: A[i] for A[1]."""
    found = re.search(r"([\w.]+)\[(?:'[^']*'|-?\d+)\]", text)
    keys = [each for each in sorted(own) if found and each.startswith(f"{found[1]}[") and ":" not in each]
    yield from (text.replace(found[0], each) for each in keys if found and found[0] not in own)
    if not keys or (found and found[0] in own):
        yield text


def edits_of(
    kind: str, node: ast.stmt, run: Trial, found: ProgramFinding, shapes: dict[str, tuple[int, ...]]
) -> Iterator[ast.stmt]:
    """The edits of one kind: of the whole right side, and of its parts."""
    value = getattr(node, "value", getattr(node, "iter", None))
    if value is None or run.verdict is None:
        return
    judged, text = run.verdict.run, ast.unparse(value)
    layer = int(number[1]) if (number := re.search(r"layer (\d+)", found.array)) else len(judged.layers) - 1
    wholes, factors = list[str](), list[str]()
    if kind == "negate":
        wholes = [f"-({text})"]
    elif kind == "bias" and layer < len(judged.layers) and (b := judged.layers[layer].biases):
        wholes = [f"{text} + {name_of_array(judged, b.value, found.function) or b.name}"]
    elif kind == "slope" and layer < len(judged.kinds):
        factors = [each for each in [slope_text(judged, layer, found.function)] if each]
    elif kind in ("rate", "share"):
        names = [
            each for each in shapes if argument_of(each.rpartition(".")[2]) == ("alpha" if kind == "rate" else "m")
        ]
        counts = [f"{each}.shape[{shape.index(judged.n)}]" for each, shape in shapes.items() if judged.n in shape]
        wholes = [f"({text}) {'*/'[kind == 'share']} {each}" for each in [*names, *counts[: kind == "share"]][:2]]
    elif kind == "targets":
        wholes = [f"{text} - {each}" for each in [name_of_array(judged, judged.targets, found.function)] if each]
    if isinstance(node, ast.AugAssign) and kind == "plus":
        new = copy.deepcopy(node)
        new.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield new
    for place, part in list(enumerate(ast.walk(node)))[:: -1 if kind == "rename" else 1]:  # arguments first
        for other in inner_edits(kind, part, shapes, factors):
            yield with_part(node, place, other)
    for whole in [*wholes, *(f"({text}) * {each}" for each in factors)] if hasattr(node, "value") else ():
        new = copy.deepcopy(node)
        new.value = ast.parse(whole, mode="eval").body  # type: ignore[attr-defined]
        yield new


def inner_edits(kind: str, part: ast.AST, shapes: dict[str, tuple[int, ...]], factors: list[str]) -> Iterator[ast.expr]:
    """What may stand in the place of a part of an expression."""
    op = getattr(part, "op", None)
    if isinstance(part, ast.BinOp):
        is_sum = isinstance(op, ast.Add | ast.Sub)
        if kind == "swap" and isinstance(op, ast.Sub):
            yield ast.BinOp(part.right, op, part.left)
        if kind == "plus" and is_sum:
            yield ast.BinOp(part.left, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), part.right)
        if kind == "slope" and isinstance(op, ast.Mult):
            yield from (ast.BinOp(part.left, op, ast.parse(each, mode="eval").body) for each in factors)
        if kind == "drop" or (kind == "unwrap" and isinstance(op, ast.Pow)):
            yield from [part.left] if isinstance(op, ast.Div | ast.Pow) else [part.left, part.right]
    elif isinstance(part, ast.UnaryOp) and kind in ("swap", "unwrap"):
        yield part.operand
    elif isinstance(part, ast.Call):
        if len(part.args) == 1 and kind == "unwrap":
            yield part.args[0]
        if len(part.args) == 1 and kind == "rename" and not isinstance(part.args[0], ast.Name | ast.Attribute):
            names = [each for each in shapes if re.fullmatch(r"[\w.]+", each)][:3]
            yield from (ast.Call(part.func, [ast.parse(each, mode="eval").body], part.keywords) for each in names)
        if len(part.args) == 1 and kind == "negate":
            yield ast.Call(part.func, [ast.UnaryOp(ast.USub(), part.args[0])], part.keywords)
        if kind == "draw" and name_of(part.func) in ("zeros", "ones", "full"):
            shape = ast.unparse(part.args[0]).strip("()")
            yield ast.parse(f"0.1 * np.random.randn({shape})", mode="eval").body
        if kind == "axis" and name_of(part.func) in ("sum", "max", "mean"):
            keep = ast.keyword("keepdims", ast.Constant(value=True))
            for axis in (0, 1):
                yield ast.Call(part.func, part.args[:1], [ast.keyword("axis", ast.Constant(axis)), keep])
    elif isinstance(part, ast.Compare) and kind == "compare":
        yield from (ast.Compare(part.left, [turned], [ast.Constant(0)]) for turned in (ast.Gt(), ast.LtE()))
    elif isinstance(part, ast.Constant) and kind == "number" and type(part.value) is int:
        yield from (ast.Constant(part.value + step) for step in (-1, 1))
    elif isinstance(part, ast.Attribute) and part.attr == "T" and kind == "turn":
        yield part.value
    elif isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Load):
        own, name = shapes.get(ast.unparse(part)), ast.unparse(part)
        if kind == "turn" and own:
            yield ast.Attribute(part, "T", ast.Load())
        alike = [each for each, shape in shapes.items() if shape == own and each != name and kind == "rename"]
        alike.sort(key=lambda each: number_in(each) != number_in(name))
        yield from (ast.parse(each, mode="eval").body for each in alike if re.fullmatch(r"[\w.]+", each))


def with_part(node: ast.stmt, place: int, other: ast.expr) -> ast.stmt:
    """A statement with another expression in the place of one of its parts."""
    new = copy.deepcopy(node)
    old = list(ast.walk(new))[place]

    class Swap(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> ast.AST:
            return copy.deepcopy(other) if each is old else self.generic_visit(each)

    return ast.fix_missing_locations(Swap().visit(new))
