"""What to write instead of a wrong line: small edits of it, tried in the program until its mistake is gone."""

import ast
import copy
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from deltarule.learn.activations import sigma_of
from deltarule.learn.code_files import Code
from deltarule.learn.matching import Session, Trial, preference
from deltarule.learn.program import Program, name_of, program_of
from deltarule.learn.report import ProgramFinding
from deltarule.learn.roles import argument_of, number_in
from deltarule.learn.wording import is_readable, name_of_array, slope_text

Find = Callable[[Session, Trial | None], list[ProgramFinding]]
MOST_SECONDS, MOST_EDITS = 1.0, 30
FORMULAS = {
    "sigmoid": ["1 / (1 + np.exp(-z))", "z * (1 - z)", "1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z)))"],
    "tanh": ["np.tanh(z)", "1 - z ** 2", "1 - np.tanh(z) ** 2"],
    "ReLU": ["np.maximum(0, z)", "1.0 * (z > 0)"],
    "softmax": [f"np.exp(z) / np.sum(np.exp(z), axis={axis}, keepdims=True)" for axis in (1, 0)],
}
SIGNS, NAMES, FACTORS = ("swap", "negate", "plus"), ("rename", "turn"), ("drop", "divide", "share")
# The edits that undo a mistake, by a part of its id; the first that fits.
EDITS = {
    "init": ("draw",), "never-filled|loop|forgotten": ("drop", "number"),
    "differs|relu-|sigmoid-|tanh-|softmax-[um]": ("formula", *SIGNS, "axis"),
    "sign|update-(adds|subtracts)|inverted|minus": (*SIGNS, "compare", "unwrap"),
    "bias-(sub|twice)": (*SIGNS, "drop"), "no-bias": ("bias",), "bias-": ("axis", "rename", "drop"),
    "no-slope|delta-a-minus-t": ("slope", "rename"),
    "twice|shortcut|diagonal|by-outputs|times": ("unwrap", "drop", "rename"),
    "undivided|factor": FACTORS, "divided": ("drop",), "rate": ("rate",), "error-[sa]": ("unwrap", "drop"),
    "axis|of-all": ("axis",), "transposed": ("turn", "rename"), "mask": ("rename", "compare"),
    "loss": (*SIGNS, "unwrap", "log", "square"), "slope": ("rename", "unwrap", "slope"), "targets-f": ("targets",),
    "off": ("drop",),
}  # fmt: skip


def repair(session: Session, run: Trial, findings: list[ProgramFinding], find: Find) -> str:
    """The first edit of a wrong line after which its mistake is gone, and no other has come; "" where none is found."""
    found, begun = next(each for each in findings if each.level == "mistake"), time.process_time()
    wrong = {(each.id, each.array) for each in findings if each.level == "mistake"}
    texts = dict.fromkeys([found.write, *edits(session.program, run, found)])
    for text in [each for each in texts if each and each != found.code][:MOST_EDITS]:
        if time.process_time() - begun > MOST_SECONDS:
            break
        left = mistakes_with(session, run, found, text, find)
        if left is not None and len(left) < len(wrong) and (found.id, found.array) not in left:
            return text
    return ""


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
    if left and (found.id, found.array) not in left:  # in another form of the data all may be right
        again = max(twin.in_every_form(how), key=preference, default=again)
        left = {(each.id, each.array) for each in find(twin, again) if each.level == "mistake"}
    return left


def seen_in(run: Trial) -> set[tuple[str, int]]:
    """The arrays that were found in a run, the update aside."""
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
    kinds = next((kinds for pattern, kinds in EDITS.items() if re.search(pattern, found.id)), NAMES)
    wider = [*kinds, *(each for each in (*SIGNS, *NAMES, "slope", "drop", "axis") if each not in kinds)]
    around = [each for each in ast.walk(program.tree) if isinstance(each, ast.FunctionDef)]
    around = [each for each in around if each.lineno <= found.line <= (each.end_lineno or 0)]
    own = {
        ast.unparse(each)
        for each in ast.walk(around[-1] if around else program.tree)
        if isinstance(each, ast.Subscript)
    }
    inside = [each.where.function for each in run.recorder.events if around]
    inside = [each for each in inside if around and each.rpartition(".")[2] == around[-1].name]
    found = replace(found, function=next(iter(inside), found.function))
    shapes = shapes_by_name(run, found.function)
    given = [each.arg for each in around[-1].args.args if each.arg != "self"] if around else []
    if given and wider[0] == "formula" and isinstance(node, ast.Return):
        kind = sigma_of(found.function.rpartition(".")[2])
        texts = FORMULAS.get(kind.name if kind else "", [each for row in FORMULAS.values() for each in row])
        yield from ("return " + re.sub(r"\bz\b", given[0], each) for each in texts)
    for kind in wider:
        for each in edits_of(kind, node, run, found, shapes):
            yield from with_keys(ast.unparse(each).split("\n")[0], own)


def with_keys(text: str, own: set[str]) -> Iterator[str]:
    """A line, or the same with each key under which the function reads such an item: A[i] for A[1]."""
    found = re.search(r"([\w.]+)\[(?:'[^']*'|-?\d+)\]", text)
    keys = [each for each in sorted(own) if found and each.startswith(f"{found[1]}[") and ":" not in each]
    yield from (text.replace(found[0], each) for each in keys if found and found[0] not in own)
    if not keys or (found and found[0] in own):
        yield text


def shapes_by_name(run: Trial, function: str) -> dict[str, tuple[int, ...]]:
    """The names of arrays that a function can read, with their shapes."""
    events = run.verdict.run.trace.events if run.verdict else []
    named = [each for each in events if each.name.isidentifier() or re.fullmatch(r"[\w.]+", each.name)]
    return {each.name: each.value.shape for each in named if is_readable(each, function)}


def edits_of(
    kind: str, node: ast.stmt, run: Trial, found: ProgramFinding, shapes: dict[str, tuple[int, ...]]
) -> Iterator[ast.stmt]:
    """The edits of one kind."""
    value = getattr(node, "value", getattr(node, "iter", None))
    if value is None or run.verdict is None:
        return
    judged, text = run.verdict.run, ast.unparse(value)
    layer = int(number[1]) if (number := re.search(r"layer (\d+)", found.array)) else len(judged.layers) - 1
    wholes: Iterable[str] = ()
    if kind == "negate":
        wholes = [text[1:] if text.startswith("-") else f"-({text})"]
    elif kind == "bias" and layer < len(judged.layers) and (b := judged.layers[layer].biases):
        own = name_of_array(judged, b.value, found.function) or b.name
        wholes = [f"{text} + {own}"]
    elif kind == "slope" and layer < len(judged.kinds):
        wholes = [f"({text}) * {each}" for each in [slope_text(judged, layer, found.function)] if each]
    elif kind in ("rate", "divide", "share"):
        wanted = "alpha" if kind == "rate" else "m"
        names = [each for each in shapes if argument_of(each.rpartition(".")[2]) == wanted]
        inputs = [each for each, shape in shapes.items() if judged.n in shape and len(shape) == 2 and kind != "rate"]
        counts = [f"{each}.shape[{shapes[each].index(judged.n)}]" for each in inputs[:1]]
        sign = "*" if kind == "rate" else "/"
        wholes = [f"({text}) {sign} {each}" for each in [*names, *counts][:2]]
    elif kind == "targets":
        wholes = [f"{text} - {each}" for each in [name_of_array(judged, judged.targets, found.function)] if each]
    elif kind == "square":
        wholes = [f"({text}) ** 2"]
    for whole in wholes if hasattr(node, "value") else ():
        new = copy.deepcopy(node)
        new.value = ast.parse(whole, mode="eval").body  # type: ignore[attr-defined]
        yield new
    if isinstance(node, ast.AugAssign) and kind == "plus":
        new = copy.deepcopy(node)
        new.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield new
    for place, part in list(enumerate(ast.walk(node)))[:: -1 if kind == "rename" else 1]:  # arguments first
        for other in inner_edits(kind, part, shapes):
            yield with_part(node, place, other)


def inner_edits(kind: str, part: ast.AST, shapes: dict[str, tuple[int, ...]]) -> Iterator[ast.expr]:
    """What may stand in the place of a part of an expression."""
    op, is_read = getattr(part, "op", None), isinstance(getattr(part, "ctx", None), ast.Load)
    if isinstance(part, ast.BinOp) and isinstance(op, ast.Add | ast.Sub):
        if kind == "swap" and isinstance(op, ast.Sub):
            yield ast.BinOp(part.right, op, part.left)
        if kind == "plus":
            yield ast.BinOp(part.left, ast.Sub() if isinstance(op, ast.Add) else ast.Add(), part.right)
    if isinstance(part, ast.BinOp) and kind == "drop":
        yield part.left
        if not isinstance(op, ast.Div | ast.Pow):
            yield part.right
    if isinstance(part, ast.BinOp) and isinstance(op, ast.Pow) and kind == "unwrap":
        yield part.left
    if isinstance(part, ast.UnaryOp) and kind in ("swap", "unwrap"):
        yield part.operand
    if isinstance(part, ast.Call) and len(part.args) == 1 and kind == "unwrap":
        yield part.args[0]
    if isinstance(part, ast.Call) and len(part.args) == 1 and kind == "negate":
        yield ast.Call(part.func, [ast.UnaryOp(ast.USub(), part.args[0])], part.keywords)
    if isinstance(part, ast.Call) and kind == "draw" and name_of(part.func) in ("zeros", "ones", "full"):
        shape = ast.unparse(part.args[0]).strip("()")
        yield ast.parse(f"0.1 * np.random.randn({shape})", mode="eval").body
    if isinstance(part, ast.Constant) and kind == "number" and isinstance(part.value, int):
        yield from (ast.Constant(part.value + step) for step in (-1, 1))
    if isinstance(part, ast.Compare) and len(part.ops) == 1 and kind == "compare":
        for turned in (ast.Gt(), ast.LtE()):
            yield ast.Compare(part.left, [turned], [ast.Constant(0)])
    if isinstance(part, ast.Call) and kind == "axis" and name_of(part.func) in ("sum", "max", "mean"):
        for axis in (0, 1):
            words = [each for each in part.keywords if each.arg != "axis"]
            words = [each for each in words if each.arg != "keepdims"]
            more = [ast.keyword("axis", ast.Constant(axis)), ast.keyword("keepdims", ast.Constant(value=True))]
            yield ast.Call(part.func, part.args[:1], [*words, *more])
    if isinstance(part, ast.Attribute) and part.attr in ("log10", "log2") and kind == "log":
        yield ast.Attribute(part.value, "log", ast.Load())
    if isinstance(part, ast.Attribute) and part.attr == "T" and kind == "turn":
        yield part.value
    elif isinstance(part, ast.Name | ast.Attribute) and is_read and kind in ("turn", "rename"):
        own = shapes.get(ast.unparse(part))
        if own and kind == "turn":
            yield ast.Attribute(part, "T", ast.Load())
        alike = [each for each, shape in shapes.items() if shape == own and kind == "rename"]
        alike.sort(key=lambda each: number_in(each) != number_in(ast.unparse(part)))
        yield from (ast.parse(each, mode="eval").body for each in alike if each != ast.unparse(part))


def with_part(node: ast.stmt, place: int, other: ast.expr) -> ast.stmt:
    """A statement with another expression in the place of one of its parts."""
    new = copy.deepcopy(node)
    old = list(ast.walk(new))[place]

    class Swap(ast.NodeTransformer):
        def visit(self, each: ast.AST) -> ast.AST:
            return copy.deepcopy(other) if each is old else self.generic_visit(each)

    return ast.fix_missing_locations(Swap().visit(new))


def with_repair(
    session: Session, run: Trial | None, findings: list[ProgramFinding], find: Find
) -> list[ProgramFinding]:
    """Findings, the first mistake with a line that was tried, or with none. find: judges a run of a program."""
    first = next((each for each in findings if each.level == "mistake"), None)
    if run is None or first is None or not first.line or not run.called or run.verdict is None:
        return findings
    text = repair(session, run, findings, find)
    return [replace(each, write=text) if each is first else each for each in findings]
