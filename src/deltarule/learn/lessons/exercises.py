"""The exercises, from the TOML files beside this one: steps, in order, and broken networks to repair."""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from deltarule.errors import SettingError, closest
from deltarule.nn.equations import EQUATIONS

HEAD = '''"""A neural network, written by hand.

Replace each `raise NotImplementedError` with your code; run  deltarule learn  to see what is right and what is next.
A sample is a row: an array of the shape (batch, neurons) has a row for each sample and a column for each neuron.
"""

import numpy as np
'''
TO_DO = "    raise NotImplementedError\n"


@dataclass(frozen=True)
class WrongAnswer:
    """A common mistake. says: what is wrong, and what to write instead. code: functions with the mistake."""

    says: str
    code: str


@dataclass(frozen=True)
class Exercise:
    """A step, or a broken network.

    id: its name on the command line. number: from 1. gives: names of the values that a function returns, if several.
    signature: the functions as the learner finds them: empty ones for a step, ones with mistakes for a broken network.
    asks: calls of the functions, with the names of inputs that questions.py draws. views: by function, the key in VIEWS
    of the facts to compare instead of its results. faulty: the functions with a mistake.
    """

    id: str
    number: int
    title: str
    says: str
    signature: str
    solution: str
    hints: tuple[str, ...]
    wrong: tuple[WrongAnswer, ...]
    equation: str = ""
    formula: str = ""
    gives: tuple[str, ...] = ()
    asks: tuple[dict[str, Any], ...] = ()
    views: dict[str, str] = field(default_factory=dict)
    is_in_place_fine: bool = False
    points: int = 5
    faulty: tuple[str, ...] = ()

    @property
    def functions(self) -> list[str]:
        """The names of the exercise's functions, in order."""
        return re.findall(r"^def (\w+)", self.solution, re.MULTILINE)

    @property
    def equation_text(self) -> str:
        """The equation of the exercise, from the registry if that has it, else its formula."""
        return EQUATIONS[self.equation].text if self.equation else self.formula

    @property
    def stub(self) -> str:
        """The exercise's code in the learner's file before the learner changes it."""
        if self.faulty:
            return f'"""{says("repair.head", title=self.title)}"""\n\n{self.signature}'
        parts = re.split(r"\n\n\n(?=def )", self.signature.strip())
        return "\n\n\n".join(f"{part}\n{TO_DO}".rstrip("\n") for part in parts) + "\n"


def exercise(table: dict[str, Any], name: str, number: int) -> Exercise:
    """The Exercise that a TOML table describes, with the edits for its wrong answers applied."""
    fields = dict(table)
    solution = fields.pop("solution").strip() + "\n"
    rows = [(row, word) for row in fields.pop("wrong") for word in row.get("each", [""])]
    wrong = [WrongAnswer(row["says"].replace("EACH", w), _code(row, solution).replace("EACH", w)) for row, w in rows]
    fields |= {key: tuple(fields.get(key, ())) for key in ("hints", "gives", "asks", "faulty")}
    fields["says"] = " ".join(fields["says"].split())
    return Exercise(id=name, number=number, solution=solution, wrong=tuple(wrong), **fields)


def _code(row: dict[str, Any], solution: str) -> str:
    """The code of a wrong answer: as given in `code`, or the solution with one or two texts replaced."""
    code = str(row.get("code", solution))
    for old, new in filter(None, (row.get("edit"), row.get("also"))):
        code = _replace(code, old, new)
    return code.strip() + "\n"


def _replace(code: str, old: str, new: str) -> str:
    if old not in code:
        raise ValueError(f"the code has no {old!r}")
    return code.replace(old, new)


@cache
def read_table(name: str) -> dict[str, Any]:
    """The content of a TOML file in the folder of this module."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


@cache
def steps() -> tuple[Exercise, ...]:
    """The steps from the sigmoid to Adam, in order."""
    names = sorted(each.name for each in (files(__package__) / "steps").iterdir() if each.name.endswith(".toml"))
    return tuple(exercise(read_table(f"steps/{name}"), name[3:-5], n) for n, name in enumerate(names, 1))


def says(key: str, **values: Any) -> str:
    """The sentence with this key ("table.row") in sentences.toml, with these values filled in."""
    table, _, row = key.partition(".")
    return str(read_table("sentences.toml")[table][row]).format(**values)


@cache
def repairs() -> tuple[Exercise, ...]:
    """The broken networks, in order."""
    tables = read_table("repairs.toml")
    return tuple(_repair(row, tables["programs"], number) for number, row in enumerate(tables["repair"], 1))


def _repair(row: dict[str, Any], programs: dict[str, Any], number: int) -> Exercise:
    fields, edits = dict(row), row["edits"]
    program = programs[fields.pop("program")]
    right = broken = program["code"].strip() + "\n"
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        broken = _replace(broken, old, new)
    del fields["edits"]
    fields |= {"signature": broken, "solution": right, "wrong": [{"says": fields["says"], "code": broken}]}
    shared = {key: program[key] for key in ("asks", "views") if key in program}
    return exercise(fields | shared, f"broken-{number:02}", number)


def find_step(word: str) -> Exercise:
    """The step of that name or number, or with that function. Raises SettingError with the closest name for others."""
    for step in steps():
        called = (step.id, str(step.number), step.title.casefold().partition(":")[0])  # "bp3" of "BP3: ..."
        if word.casefold() in called or word in step.functions:
            return step
    names = [step.id for step in steps()]
    hint = closest(word, names).partition("Known")[0]
    raise SettingError(says("learn.no_step", word=word, hint=hint, n=len(names), names=", ".join(names)))


def find_exercise(word: str) -> Exercise:
    """The step from `find_step`, or the broken network of that name: broken-01, broken-1, broken/01.py."""
    number = re.sub(r"^broken[-/]?0*(\d+)(\.py)?$", r"broken-\1", word.casefold())
    return next((repair for repair in repairs() if number == f"broken-{repair.number}"), None) or find_step(word)


def template() -> str:
    """The file that learners fill in."""
    sections = [f"# Step {step.number}: {step.title}\n\n\n{step.stub}" for step in steps()]
    return "\n\n".join([HEAD, *sections])


def whole_solution(before: int | None = None) -> str:
    """The solutions of all steps, or of those before a number, as a program."""
    return "\n\n".join(
        ["import numpy as np\n", *(step.solution for step in steps()[: None if before is None else before - 1])]
    )
