"""A learner's folder: what is there, what is right, and what comes next.

All of that is read from the learner's files; a small file beside them records the hints given and the training reached.
Existing files are never overwritten.
"""

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltarule.atomic import atomic_stream
from deltarule.errors import SettingError, closest
from deltarule.learn.lessons.exercises import Exercise, repairs, says, steps, template, whole_solution
from deltarule.learn.lessons.judge import Fault, find_fault
from deltarule.learn.lessons.questions import Drawn, asks_of, draw_all
from deltarule.learn.lessons.rules import Refusal, refusals
from deltarule.learn.lessons.worker import Request, Worker

FILE, NOTES, BROKEN = "network.py", ".learn.json", "broken"
SECONDS = 3.0  # for all calls of a step
MOST_BYTES = 1_000_000


class Mark(NamedTuple):
    """The result of an exercise. state: right, wrong, to do or refused. guess: the learner's. printed: by a call."""

    exercise: Exercise
    state: str
    fault: Fault | None = None
    guess: str = ""
    printed: str = ""

    @property
    def is_guessed(self) -> bool:
        """Whether the guess is one of the functions with a mistake."""
        return self.guess in self.exercise.faulty

    @property
    def words(self) -> str:
        """What is wrong, with function and line; for a broken network only whether the guess is right."""
        exercise, fault = self.exercise, self.fault
        if fault is None:
            return exercise.says if exercise.faulty else ""
        where = ", ".join(filter(None, [fault.function, f"line {fault.line}" if fault.line else ""]))
        words = f"{where}: {fault.says}" if where else fault.says
        if not exercise.faulty or not fault.function or self.state == "refused":
            return words
        key = "right" if self.is_guessed else "wrong" if self.guess in exercise.functions else "unknown"
        values = {"guess": self.guess, "n": len(exercise.faulty), "hint": closest(self.guess, exercise.functions)}
        answer = says(f"repair.{key if self.guess else 'no'}_guess", **values)
        is_plain = "NameError" in fault.says or (self.is_guessed and fault.function == self.guess)
        return f"{answer} {says('repair.so_far', words=words)}" if is_plain and not fault.is_named else answer

    def to_json_dict(self) -> dict[str, Any]:
        """The result as a dict for JSON."""
        exercise = self.exercise
        facts = {"id": exercise.id, "number": exercise.number, "title": exercise.title, "state": self.state}
        fault = (self.fault if not exercise.faulty else None) or Fault("", "")
        return facts | {"says": self.words, "function": fault.function, "line": fault.line, "is_named": fault.is_named}


class LearnerFile(NamedTuple):
    """A learner's file. problem: why it cannot run. refused: what is not allowed. lines: those of functions by name."""

    name: str
    source: str
    problem: Fault | None = None
    refused: Sequence[Refusal] = ()
    lines: Mapping[str, int] = MappingProxyType({})
    guess: str = ""


def read_file(path: Path) -> LearnerFile:
    """Read a learner's file and its syntax tree, without running it."""
    try:
        source = path.read_bytes()[:MOST_BYTES].decode("utf-8-sig")
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # bytes that are not text are a ValueError
        words = says("file.syntax", words=getattr(error, "msg", None) or error)
        return LearnerFile(path.name, "", Fault("", words, getattr(error, "lineno", None) or 0))
    lines = {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
    quote, guess = (*re.findall(r"^GUESS *= *([\"']?)(\w*)", source, re.MULTILINE), ("", ""))[0]
    problem = Fault("", says("repair.no_quotes", guess=guess)) if guess and not quote else None
    return LearnerFile(path.name, source, problem, refusals(tree), lines, guess)


def examine(exercise: Exercise, file: LearnerFile, worker: Worker, drawn: Drawn) -> Mark:
    """The result of an exercise in a file. Ours replace the functions of earlier steps, so each step counts alone."""
    if file.problem is not None:
        return Mark(exercise, "wrong", file.problem, file.guess)
    known = {name for step in steps() for name in step.functions} if not exercise.faulty else set[str]()
    for refused in file.refused:
        if refused.function in exercise.functions or refused.function not in known:
            return Mark(exercise, "refused", Fault(refused.function, refused.says, refused.line), file.guess)
    asks = asks_of(exercise, drawn)
    supplied = "" if exercise.faulty else whole_solution(exercise.number)
    calls = [(ask.function, ask.arguments) for ask in asks]
    replies = worker.ask(Request(file.source, supplied, calls, file.name), SECONDS)
    if not replies.is_loaded:
        message = (replies.messages or [{"error": "", "words": "", "line": 0}])[0]
        key = "stops" if replies.messages else f"missing_{replies.missing}"
        words = says(f"file.{key}", kind=message["error"], words=message["words"], seconds=SECONDS)
        return Mark(exercise, "wrong", Fault("", words, message["line"]), file.guess)
    fault = find_fault(exercise, asks, replies, SECONDS)
    printed = next(filter(None, (message.get("printed", "") for message in replies.messages)), "")
    if fault is None:
        return Mark(exercise, "right", printed=printed)
    others = [name for name in file.lines if all(name not in step.functions for step in steps())]
    near = get_close_matches(fault.function, others, n=1, cutoff=0.5)
    if near and fault.is_to_do and fault.function not in file.lines and not exercise.faulty:
        words = says("result.renamed", name=fault.function, found=near[0])
        fault = Fault(fault.function, words, file.lines[near[0]])
    fault = fault._replace(line=fault.line or file.lines.get(fault.function, 0))
    state = "to do" if fault.is_to_do and not exercise.faulty else "wrong"
    return Mark(exercise, state, fault, file.guess, printed)


def examine_all(
    exercises: Iterable[Exercise], file: LearnerFile, worker: Worker, rng: np.random.Generator | None = None
) -> list[Mark]:
    """The results of exercises, in order. A file that does not load is tried only once. rng: draws the test inputs."""
    drawn, marks = draw_all(rng or np.random.default_rng()), list[Mark]()
    for exercise in exercises:
        marks.append(examine(exercise, file, worker, drawn))
        fault = marks[-1].fault
        if marks[-1].state == "wrong" and fault is not None and not fault.function:
            file = file._replace(problem=fault)
    return marks


class Course:
    """A learner's folder. created: the files written when it was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / FILE
        self.created: list[Path] = []
        self._known: dict[Path, tuple[LearnerFile, list[Mark]]] = {}

    def open(self) -> None:
        """Create the folder and its network.py, if missing. SettingError if the folder holds something else."""
        names = {name for step in steps() for name in step.functions}
        if self.folder.exists() and not self.folder.is_dir():
            raise SettingError(says("folder.file", folder=self.folder))
        if self.file.exists():
            file = read_file(self.file)
            if file.source.strip() and not names & set(file.lines):
                raise SettingError(says("folder.other", file=self.file))
            return
        for path in sorted(self.folder.glob("*.py")):
            if len(names & set(read_file(path).lines)) > 2:
                raise SettingError(says("folder.renamed", name=path.name, folder=self.folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(self.file, template())

    def _write(self, path: Path, text: str) -> None:
        """Write a new file, and add it to `created`; leave an existing one as it is."""
        with suppress(FileExistsError), path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            self.created.append(path)

    def write_repairs(self) -> None:
        """Write the files of the broken networks that are missing."""
        (self.folder / BROKEN).mkdir(exist_ok=True)
        for repair in repairs():
            self._write(self.path_of(repair), repair.stub)

    def path_of(self, exercise: Exercise) -> Path:
        """The path of the file for an exercise: a broken network's own, else network.py."""
        return self.folder / BROKEN / f"{exercise.number:02}.py" if exercise.faulty else self.file

    def marks(self, worker: Worker) -> list[Mark]:
        """The results of the steps; once all are right, also of the broken networks. Unchanged files are not rerun."""
        found = self._marks_in(self.file, steps(), worker)
        if all(mark.state == "right" for mark in found):
            self.write_repairs()
        for repair in repairs():
            path = self.path_of(repair)
            found = found + self._marks_in(path, [repair], worker) if path.exists() else found
        return found

    def _marks_in(self, path: Path, exercises: Sequence[Exercise], worker: Worker) -> list[Mark]:
        file = read_file(path)
        if path not in self._known or self._known[path][0] != file:
            self._known[path] = file, examine_all(exercises, file, worker)
        return self._known[path][1]

    @property
    def milestones(self) -> dict[str, Any]:
        """The accuracy of each milestone that was reached, by name."""
        return self._table("milestones")

    def _notes(self) -> dict[str, Any]:
        """The content of the folder's .learn.json; an empty dict if the file is missing or unreadable."""
        notes: Any = {}
        with suppress(OSError, ValueError):
            notes = json.loads((self.folder / NOTES).read_text(encoding="utf-8"))
        return notes if isinstance(notes, dict) else {}

    def _table(self, name: str) -> dict[str, Any]:
        table = self._notes().get(name)
        return table if isinstance(table, dict) else {}

    def keep(self, table: str, key: str, value: Any) -> None:
        """Keep a value in the folder's .learn.json, under a key of a table."""
        notes = self._notes() | {table: self._table(table) | {key: value}}
        with atomic_stream(self.folder / NOTES) as stream:
            stream.write(json.dumps(notes, indent=2).encode())

    def hint(self, exercise: Exercise) -> tuple[int, str]:
        """The number and the text of the next hint for an exercise; after the last hint, the last one again."""
        given = self._table("hints").get(exercise.id)
        number = min(max(given, 0) + 1, len(exercise.hints)) if isinstance(given, int) else 1
        self.keep("hints", exercise.id, number)
        return number, exercise.hints[number - 1]
