"""Check a learner's own program: what it computes, step by step, and which line is the first wrong one."""

import ast
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.errors import SettingError, sentence
from deltarule.learn.code_files import find_program
from deltarule.learn.judgement import Step
from deltarule.learn.losses import NAMES
from deltarule.learn.matching import ABSENT, Session, Trial, has_gradients, sees
from deltarule.learn.namespace import MOST_SECONDS_TO_RUN, names_without_import, values_of_run
from deltarule.learn.omissions import notes as reading_notes
from deltarule.learn.omissions import omission_behind, omissions, stop_behind
from deltarule.learn.probes import probe
from deltarule.learn.program import TABLES, Program, name_of, read_program
from deltarule.learn.recording import Where
from deltarule.learn.repairs import with_repair
from deltarule.learn.report import ADAPTER, ProgramCheck, ProgramFinding, ProgramPart
from deltarule.learn.sandbox import Failure, run_apart, tell
from deltarule.learn.training import accuracy_of
from deltarule.learn.wording import ARRAYS, EQUATIONS, describe, finding_at, finding_of, text_of
from deltarule.public import public

SECONDS, TRAIN_SECONDS = 20.0, 5.0
BACK = r"reversed\(range\([^,()]+ - 1\)\)|range\([^,()]+ - 2, -1, -1\)"
MISTAKES, ERRORS = TABLES["mistakes"], TABLES["errors"]
INNER_ROLES = ("", "gradient_check", "loss_derivative", "accuracy")  # functions with these roles are not in the report


@public('check("network.py")')
def check(path: str | os.PathLike[str], *, run: bool = False, train: bool = True) -> ProgramCheck:
    """Check a network that you wrote yourself, and name the first line that is wrong.

    path: a program (.py), a notebook (.ipynb) or a page with code (.md). Its imports, functions, classes and constants
    are used; statements that read files, plot or train are left out. run: whether to execute those, too. train: whether
    to train a program without mistakes on the bundled digits for a few seconds. Returns a ProgramCheck.

    The program runs in a separate process with limits of time and memory: check your own files, not strangers'.
    """
    program = find_program(os.fspath(path)) or Path(path)
    if not program.is_file():
        raise SettingError(sentence("program.no_file", name=path))
    return check_program(program, run=run, train=train)


def check_program(path: str | os.PathLike[str], *, run: bool = False, train: bool = True) -> ProgramCheck:
    """Check a program file as `check` does: run `check_here` in a separate process, and return its result."""
    read_program(Path(path))  # a program that cannot be read is refused here
    words: dict[str, Any] = {"path": str(Path(path).resolve()), "run": run, "train": train}
    seconds = SECONDS + TRAIN_SECONDS * train + MOST_SECONDS_TO_RUN * run
    folder = str(Path(path).resolve().parent) if run else None
    apart = run_apart(
        "deltarule.learn.check:check_here", words, seconds=seconds, folder=folder, megabytes=4_096 if run else 1_024
    )
    if apart.ended == "returned":
        return ProgramCheck.from_json_dict(apart.value)
    if apart.parts:
        return ProgramCheck.from_json_dict(apart.parts[-1] | {"notes": [apart.says]})
    return ProgramCheck(str(path), False, notes=(apart.says,))


def check_here(path: str, *, run: bool = False, train: bool = True) -> dict[str, Any]:
    """Check a program in this process, which runs the learner's code; return ProgramCheck.to_json_dict()."""
    program = read_program(Path(path))
    program.values = values_of_run(program) if run else {}
    session = Session(program, runs_all=run)
    best = session.best_run()
    found = findings_of(session, best)
    ordered = in_order(program, without_echoes(calmer(program, best, found)))
    ordered = with_repair(session, best, ordered, findings_of)
    findings = [replace(each, line=program.place(each.line).line) if each.line else each for each in ordered]
    verdict = best.verdict if best else None
    n_layers = len(verdict.layers) if verdict else 0
    steps = [each for each in verdict.steps if each.is_found] if verdict else []
    seen = {("dW" if each.mistake == "never-updated" else each.quantity, each.layer) for each in steps}
    matched = n_layers > 0 and all((name, index) in seen for name in ("z", "dW") for index in range(n_layers))
    missing = [text for each in session.runs if (text := omission_behind(program, each.error))]
    missing += [text for each in session.runs if not matched and (text := stop_behind(program, each.error))]
    names = ", ".join(sorted(names_without_import(program)))
    missing += [TABLES["notes"]["unimported"].format(names=names)] if names and "*" not in program.imports else []
    result = ProgramCheck(
        path=Path(path).name,
        matched=matched,
        findings=tuple(findings),
        right=tuple(right_words(verdict)) if verdict else (),
        parts=tuple(parts_of(session)),
        layers=tuple(describe(verdict.run)) if verdict and verdict.run.z else (),
        left_out=() if run else omissions(program),
        supplied=tuple(sorted(best.supplied)) if best else (),
        notes=tuple(dict.fromkeys([*notes_of(program, verdict), *missing])),
        adapter="" if matched else adapter_for(program, session),
    )
    if train and result.ok and best is not None:
        tell("part", result.to_json_dict())  # the result if training takes too long
        with np.errstate(all="ignore"):  # an overflow shows in the accuracy
            result = replace(result, accuracy=accuracy_of(session, best, TRAIN_SECONDS - 1.0))
    return result.to_json_dict()


def findings_of(session: Session, run: Trial | None) -> list[ProgramFinding]:
    """All findings: those of the program's parts tested alone (`probe`), then those of a run's arrays and errors."""
    return [*probe(session, run), *run_findings(session.program, session, run)]


def calmer(program: Program, run: Trial | None, found: Sequence[ProgramFinding]) -> list[ProgramFinding]:
    """Turn findings about functions that a recognized program never uses into warnings; return all findings."""
    used = set(map(name_of, program.nodes))
    small = ("activation-differs", "derivative-differs") if sees(run, "delta") else ()
    unused = [each for each in found if each.id in small and each.function.rpartition(".")[2] not in used]
    if run is not None and run.how == "by_functions":  # we pass a batch; the program may pass one sample
        unused += [each for each in found if each.id == "softmax-of-all"]
    return [replace(each, level="warning") if each in unused else each for each in found]


def run_findings(program: Program, session: Session, run: Trial | None) -> list[ProgramFinding]:
    """The findings of a run: for its wrong arrays, then for errors that the program raised."""
    found, wrong = list[ProgramFinding](), mistakes_of(run)
    if run is not None and run.verdict is not None:
        found += [finding_of(program, run.verdict.run, each) for each in wrong]
        for each in (each for each in run.verdict.steps if "aside" in each.values and not each.mistake):
            key, factor = each.values["aside"]
            step = replace(each, mistake=key, values=each.values | {"factor": factor})
            found.append(replace(finding_of(program, run.verdict.run, step), level="warning"))
    return found + error_findings(program, session, run, is_explained=bool(wrong))


def mistakes_of(run: Trial | None) -> list[Step]:
    """The steps of a run whose arrays are wrong. Doubtful ones are left out, as where an error stopped the run."""
    if run is None or run.verdict is None:
        return []
    steps = run.verdict.steps
    is_stopped = run.error is not None and run.error.kind in ERRORS["theirs"]
    is_dead = not all(each.any() for each in run.verdict.run.a)  # a layer whose outputs are all 0 proves nothing
    doubtful = [*MISTAKES["weak"], *MISTAKES["chance"]] if is_stopped else MISTAKES["weak"] if is_dead else []
    wrong = [each for each in steps if each.mistake not in ("", "?", *doubtful)]
    used = {each.layer for each in steps if each.quantity == "dW" and each.is_found}
    unused = ("db", "delta") if is_stopped else ("db",)  # these may look wrong by chance, if no dC/dW is made with them
    wrong = [each for each in wrong if each.quantity not in unused or each.layer in used]
    wrong = [each for each in wrong if not (run.is_cut and each.mistake.startswith("targets"))]
    knows_loss = any(each.quantity == "loss" and not each.mistake for each in steps)
    unsure = [] if knows_loss else ["off"]  # then the targets may differ from the given ones
    unsure += [] if has_gradients(run.verdict) else ["targets-not-one-hot", *(["slope-half"] if is_stopped else [])]
    last = len(run.verdict.layers) - 1
    return [each for each in wrong if (each.quantity, each.layer) != ("delta", last) or each.mistake not in unsure]


def error_findings(
    program: Program, session: Session, run: Trial | None, *, is_explained: bool
) -> list[ProgramFinding]:
    """Findings for the errors that the program raises: in this run, in its training function, or in its classes."""
    steps = run.verdict.steps if run is not None and run.verdict is not None else ()
    is_known = any(each.quantity == "z" and each.is_found for each in steps)
    if is_known and run is not None and run.verdict is not None and not run.how.startswith(("by_script", "by_files")):
        is_known = bool(np.isin(run.verdict.run.X[0], [run.examples.X, run.examples.X / 255.0]).all())  # not others
    found, error = list[ProgramFinding](), run.error if run is not None else None
    of_batches = [each.error for each in session.runs if not each.examples.is_single and each.score[1] and each.error]
    is_batch = error is not None and any((each.line, each.kind) == (error.line, error.kind) for each in of_batches)
    is_sure = is_known and not is_explained and is_batch  # a vector is a guess
    seen = {(each.examples.labels, each.error and each.error.line) for each in session.runs if each.score[1]}
    is_common = len(seen) > 2 and len({line for _, line in seen}) == 1  # whatever the targets are
    is_ours = (
        run
        and run.supplied
        and re.search("reshape|as indices" + "|out of (bounds|range)" * (not is_common), str(error))
    )
    if run is not None and error is not None and is_sure and not is_ours and error.kind not in ABSENT:
        lost = [each for each in steps if each.mistake == "?"]
        if error.line and not omission_behind(program, error):
            found.append(error_finding(program, run, error, lost[0] if lost else None))
    in_training, in_class = (common_error(program, session, how) for how in ("by_training", "by_class"))
    if in_training is not None and in_training.kind in ERRORS["theirs"] and (run is None or run.how != "by_training"):
        found.append(error_finding(program, None, in_training, None))
    if in_class is not None and not is_known and re.search(ERRORS["nameless"], in_class.says):
        found.append(error_finding(program, None, in_class, None))
    return found


def common_error(program: Program, session: Session, how: str) -> Failure | None:
    """The error that ends every run of one kind (`how`) on one line; None if they differ or left-out code causes it."""
    errors = [each.error for each in session.runs if each.how == how and each.called]
    places = {(each.line, each.kind) if each is not None else (0, "") for each in errors}
    is_one = len(places) == 1 and errors[0] is not None and errors[0].line > 0
    is_ours = "cannot reshape" in str(errors[:1])  # our data
    return errors[0] if is_one and not is_ours and not omission_behind(program, errors[0]) else None


def error_finding(program: Program, run: Trial | None, error: Failure, lost: Step | None) -> ProgramFinding:
    """The finding for an error. lost: the step of the first array that was not found, if any."""
    home, line = program.home(error.file), error.line
    if "interpreted as an integer" in error.message:  # at n = len(x) / 2 rather than range(n)
        names = {*re.findall(r"\w+", home.line(line))}
        shares = [each for each in home.nodes if isinstance(each, ast.Assign) and " / " in ast.unparse(each)]
        before = [each.lineno for each in shares if 0 < line - each.lineno < 20 and name_of(each.targets[0]) in names]
        line = max(before, default=line)
    if run and run.verdict and lost and (lost.quantity, lost.layer + 1) == ("dW", len(run.verdict.layers)):
        line = loop_without_last(program, run.recorder.events[-1].lines) or line
    place = home.place(line)
    where = Where(line, "", "", "", False, place)
    array = f"{ARRAYS.get(lost.quantity, lost.quantity)} of layer {lost.layer}" if lost else ""
    hint = next(hint for word, hint in ERRORS["hints"].items() if word in f"{error.kind}: {error.message}")
    hint = hint if line == error.line else ERRORS["causes"][lost is not None]
    texts = text_of("raises", {"function": f"line {home.place(error.line).line}", "error": error.says, "hint": hint})
    if lost:
        texts = (EQUATIONS.get(lost.quantity, "BP2"), *texts[1:])
    return finding_at(program, where, "mistake", "raises", texts, array)


def loop_without_last(program: Program, lines: Sequence[int]) -> int:
    """The line of a loop from the last layer but one back to the first, around one of these lines; 0 without one."""
    loops = [each for each in program.nodes if isinstance(each, ast.For) and re.search(BACK, ast.unparse(each.iter))]
    return max((each.lineno for each in loops for n in lines if each.lineno < n <= (each.end_lineno or 0)), default=0)


def without_echoes(found: Sequence[ProgramFinding]) -> list[ProgramFinding]:
    """The findings without those that another one explains, such as a wrong delta after a wrong derivative."""
    kept: list[ProgramFinding] = []
    has_one_hot = any(each.id.startswith("one-hot") for each in found)
    activations = {each.id for each in found if each.id == "activation-differs" and each.level == "mistake"}
    inside = {each.function.rpartition(".")[2] for each in found if each.array.startswith("delta")}
    has_derivative = any(each.id == "derivative-differs" and each.function not in inside for each in found)
    for each in found:
        if each.id == "derivative-differs" and each.function in inside:
            continue
        if has_derivative and each.id in MISTAKES["slopes"] and each.array.startswith("delta"):
            continue
        if has_one_hot and each.id.startswith("targets-"):
            continue
        if activations and each.id == "off" and each.array.startswith(("a ", "delta")):
            continue
        if MISTAKES["echoes"].get(each.id) in {other.id for other in found}:
            continue
        if any((other.id, other.line) == (each.id, each.line) for other in kept):
            continue
        kept.append(each)
    return kept


def in_order(program: Program, found: Sequence[ProgramFinding]) -> list[ProgramFinding]:
    """Sort the findings in the order of computation; a finding about a loop is moved to the line of that loop."""

    def key(finding: ProgramFinding) -> int:
        name = finding.array.removeprefix("dC/d").partition(" ")[0]
        stage = {"z": 2, "a": 2, "the": 3, "sigma'": 4, "delta": 5, "W": 5, "b": 5}.get(name, 6)
        if finding.id in MISTAKES["first"]:
            stage = MISTAKES["first"].index(finding.id) - len(MISTAKES["first"])
        elif finding.id in MISTAKES["last"]:
            stage = 7
        elif finding.id == "raises":
            stage = 6 if any(each.id != "raises" and each.line == finding.line for each in found) else 1
        return stage

    loops = ("never-filled", "loop-forward")
    return [at_loop(program, each) if each.id in loops else each for each in sorted(found, key=key)]


def at_loop(program: Program, finding: ProgramFinding) -> ProgramFinding:
    """Move a finding to the line of the loop over layers that skips its layer or runs in the wrong direction."""
    functions = [each for each in program.nodes if isinstance(each, ast.FunctionDef)]
    around = [each for each in functions if each.lineno <= finding.line <= (each.end_lineno or 0)]
    loops = [each for node in around[:1] for each in ast.walk(node) if isinstance(each, ast.For | ast.While)]
    loops = [each for each in loops if (each.lineno < finding.line) == (finding.id == "loop-forward")]
    loops = [each for each in loops if "range" in ast.unparse(each).partition("\n")[0]]
    if not loops:
        return finding
    line = loops[-1].lineno
    return replace(finding, line=line, place=str(program.place(line)), code=program.line(line).strip(), write="")


def right_words(verdict: Any) -> list[str]:
    """The kinds of arrays without a mistake, as a list of one text, ["z of all layers, the loss"], or of none."""
    lines = []
    for quantity in ("z", "a", "loss", "delta", "dW", "db", "update"):
        steps = [each for each in verdict.steps if each.quantity == quantity]
        right = sorted({each.layer for each in steps})
        is_figure = quantity == "loss" and any(each.values.get("loss") == NAMES["absolute"] for each in steps)
        if right and not is_figure and not any(each.mistake for each in steps):
            named = f"layer{'s' * (len(right) > 1)} {' and '.join(map(str, right))}"
            where = "all layers" if len(right) == len(verdict.layers) else named
            lines.append("the loss" if quantity == "loss" else f"{quantity} of {where}")
    return [", ".join(lines)] if lines else []


def notes_of(program: Program, verdict: Any) -> list[str]:
    """Notes for the report: how the file was read, to which loss the gradient belongs, and if it has a penalty."""
    notes = list(reading_notes(program))
    if verdict is None:
        return notes
    first = next((each for each in verdict.steps if each.quantity == "delta" and each.note), None)
    if first is not None and not first.mistake:
        notes.append(f"the gradient is that of {NAMES[first.note]}")
    if any(each.note == "penalty" for each in verdict.steps):
        notes.append("the gradient includes a share of the weights: a penalty")
    return notes


def parts_of(session: Session) -> list[ProgramPart]:
    """The program's functions and classes with their roles, for the report."""
    program = session.program
    parts = [
        ProgramPart(name, role, program.functions[name].place.line)
        for name, role in session.functions.items()
        if role not in INNER_ROLES
    ]
    return parts + [ProgramPart(name, "class", block.place.line) for name, block in program.classes.items()]


def adapter_for(program: Program, session: Session) -> str:
    """Code to fill in, so that a network that was not recognized can be checked; "" if the program has no network."""
    names = [name for name, role in session.functions.items() if role in ("forward", "backward")]
    names = names or list(program.classes)[:1]
    words = {"hidden": "sigmoid", "output": "softmax", "loss": "cross_entropy"}
    return ADAPTER.format(module=program.path.stem, names=", ".join(names), **words) if names else ""
