"""What to write instead of a wrong line: small edits, tried in the program until its mistake is gone."""

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from deltarule.learn.activations import IDENTITY, sigma_of
from deltarule.learn.code_files import Code
from deltarule.learn.judgement import Pass
from deltarule.learn.matching import Session, Trial, sees
from deltarule.learn.program import TABLES, Program, program_of
from deltarule.learn.report import ProgramFinding
from deltarule.learn.roles import argument_of, number_in
from deltarule.learn.wording import bare_name, is_readable, name_of_array, slope_text

MOST_SECONDS, MOST_EDITS = 1.0, 30
ARRAYS, EDITS, REWRITES, FORMULAS = (TABLES[each] for each in ("arrays", "edits", "rewrites", "formulas"))
Find = Callable[[Session, Trial | None], list[ProgramFinding]]


def with_repair(
    session: Session, run: Trial | None, findings: list[ProgramFinding], find: Find
) -> list[ProgramFinding]:
    """The findings; `write` of the first mistake is the first edit that removes it. find: returns a run's findings."""
    found = next((each for each in findings if each.level == "mistake"), None)
    if run is None or found is None or not found.line or not run.called or run.verdict is None:
        return findings
    n_wrong, begun = len({(each.id, each.array) for each in findings if each.level == "mistake"}), time.process_time()
    for text in [each for each in dict.fromkeys(edits(session.program, run, found)) if each != found.code][:MOST_EDITS]:
        if time.process_time() - begun > MOST_SECONDS:
            break
        left = mistakes_with(session, run, found, text, find)
        if left is not None and len(left) < n_wrong and (found.id, found.array) not in left:
            return [replace(each, write=text) if each is found else each for each in findings]
    return findings


def mistakes_with(
    session: Session, run: Trial, found: ProgramFinding, text: str, find: Find
) -> set[tuple[str, str]] | None:
    """Run the program with `text` in the finding's line; return its mistakes, None if it gets less far than before."""
    program, lines = session.program, session.program.text.split("\n")
    old = lines[found.line - 1]
    lines[found.line - 1] = old[: len(old) - len(old.lstrip())] + text
    try:
        compile("\n".join(lines), "an edit", "exec")
        twin = Session(program_of(Code(program.path, "\n".join(lines), program.places, []), ()))
    except SyntaxError:
        return None
    twin.program.values = program.values
    how = partial(twin.by_class, name=run.called[0]) if run.how == "by_class" else getattr(twin, run.how)
    again = twin.run(how, run.examples)
    twin.runs = [again]
    kinds = (each.verdict.run.kinds if each.verdict else [] for each in (run, again))
    is_lost = any(new is IDENTITY is not old for old, new in zip(*kinds, strict=False))
    steps = (each.verdict.steps if each.verdict else () for each in (run, again))
    known = [any("scale" in each.values for each in found_steps) for found_steps in steps]
    is_lost |= (known[0] or found.array == ARRAYS["loss"]) and not known[1]  # a loss of another sign is not a loss
    is_lost |= sees(run, "loss") and not sees(again, "loss")
    is_lost |= again.error is not None and (not run.error or found.id == "raises")
    if is_lost or not arrays_of_run(run) <= arrays_of_run(again):
        return None
    return {(each.id, each.array) for each in find(twin, again) if each.level == "mistake"}


def arrays_of_run(run: Trial) -> set[tuple[str, int]]:
    """The arrays that were found in a run, as (quantity, layer), except the loss and the update."""
    steps = run.verdict.steps if run.verdict else ()
    return {(each.quantity, each.layer) for each in steps if each.is_found and each.quantity not in ("update", "loss")}


def edits(program: Program, run: Trial, found: ProgramFinding) -> Iterator[str]:
    """New texts for the line of a finding: small edits, with those that usually undo its mistake first."""
    nodes = [each for each in program.nodes if isinstance(each, ast.stmt) and each.lineno == found.line]
    node, judged = nodes[-1] if nodes else None, run.verdict.run if run.verdict else None
    is_whole = isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr) and node.end_lineno == node.lineno
    if node is None or judged is None or not (is_whole or isinstance(node, ast.For)):
        return
    around = [each for each in program.nodes if isinstance(each, ast.FunctionDef)]
    scope = [program.tree, *(each for each in around if each.lineno <= found.line <= (each.end_lineno or 0))][-1]
    names = [each.where.function for each in judged.trace.events]
    function = next((each for each in names if each.rpartition(".")[2] == getattr(scope, "name", "")), found.function)
    text = ast.unparse(node).split("\n")[0]
    keys = {ast.unparse(each) for each in ast.walk(scope) if isinstance(each, ast.Subscript)}
    head = re.match(r"(.*?\w\]? [-+*/@]?= |return |for .* in )?", text)
    value, words = text.removeprefix(head[0]) if head else text, words_of(judged, found, function)
    kinds = next((kinds for pattern, kinds in EDITS.items() if re.search(pattern, found.id)), EDITS["rest"])
    if not kinds:
        return  # no edit of a line makes one-hot targets of classes
    if isinstance(scope, ast.FunctionDef) and kinds[0] in ("formula", "slope") and isinstance(node, ast.Return):
        kind = sigma_of(function.rpartition(".")[2])
        given = [each.arg for each in scope.args.args if each.arg != "self"]
        texts = FORMULAS.get(kind.name if kind else "", [each for row in FORMULAS.values() for each in row])
        yield from ("return " + re.sub(r"\bz\b", given[0], each) for each in texts if given)
    for kind in dict.fromkeys([*kinds, *EDITS["rest"]]):
        for pattern, new in REWRITES.get(kind, {}).items():
            for other in words.get(kind, [""]):
                for part in re.finditer(pattern, text if pattern.endswith("= ") else value):
                    start, edit = len(text) - len(part.string), part.expand(new.replace("OTHER", other))
                    yield from with_keys(f"{text[: start + part.start()]}{edit}{text[start + part.end() :]}", keys)
        shapes = renames_of(judged, function) if kind == "rename" else {}
        for part in [*re.finditer(r"(?<![\w.])[A-Za-z_][\w.]*(?![\w(\[])", value)][::-1]:  # arguments first
            base = part[0].removesuffix(".T")
            alike = [each for each, shape in shapes.items() if shape == shapes.get(base) and each != base]
            alike.sort(key=lambda each: number_in(each) != number_in(base))
            start, end = part.start(), part.start() + len(base)
            yield from (f"{text.removesuffix(value)}{value[:start]}{each}{value[end:]}" for each in alike)


def words_of(judged: Pass, found: ProgramFinding, function: str) -> dict[str, list[str]]:
    """Texts that edits may insert, by kind, in the program's names: a bias, a slope, the targets, a rate, a count."""
    layer = int(number[1]) if (number := re.search(r"layer (\d+)", found.array)) else len(judged.layers) - 1
    if layer >= len(judged.kinds):
        return {}
    b, events = judged.layers[layer].biases, [each for each in judged.trace.events if is_readable(each, function)]
    names = {
        kind: [each.name for each in events if argument_of(bare_name(each.name)) == kind] for kind in ("alpha", "m")
    }
    counts = [
        f"{each.name}.shape[{each.value.shape.index(judged.n)}]" for each in events if judged.n in each.value.shape
    ]
    words = {
        "bias": [name_of_array(judged, b.value, function) or b.name] if b else [],
        "slope": [slope_text(judged, layer, function)],
        "fed": [name_of_array(judged, each[layer], function) for each in (judged.a, judged.z)],
        "targets": [name_of_array(judged, judged.targets, function)],
        "rate": names["alpha"][:1],
        "share": [*names["m"][:1], *counts[:1]],
    }
    return {kind: [each for each in found if each] for kind, found in words.items()}


def renames_of(judged: Pass, function: str) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays that a function can read, by name, with delta, z, a and X first."""
    named = [each for each in judged.trace.events if re.fullmatch(r"[\w.]+", each.name) and is_readable(each, function)]
    likely = [name_of_array(judged, each, function) for each in [*judged.delta, *judged.z, *judged.a, judged.X]]
    shapes = {each.name: each.value.shape for each in named}
    return {name: shapes[name] for name in dict.fromkeys([*likely, *shapes]) if name in shapes}


def with_keys(text: str, own: set[str]) -> Iterator[str]:
    """Variants of a line with keys that the function uses instead of a constant, A[i] for A[1]; else just the line."""
    found = re.search(r"([\w.]+)\[(?:'[^']*'|-?\d+)\]", text)
    keys = [
        each
        for each in sorted(own)
        if found and each.startswith(f"{found[1]}[") and ":" not in each and found[0] not in own
    ]
    yield from ([text.replace(found[0], each) for each in keys] if found and keys else [text])
