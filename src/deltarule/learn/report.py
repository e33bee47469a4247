"""The report of a check of a learner's program, as text for a terminal, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deltarule.errors import read_tables
from deltarule.inspection.presentation import entry
from deltarule.public import public

ADAPTER = read_tables("learn/vocabulary")["adapter"]["text"]


@dataclass(frozen=True)
class ProgramFinding:
    """A mistake (level "mistake") or a weakness (level "warning") in a program, with its place.

    place: as "file, line 40". code: the text of the line. array: what it computes, as "dC/dW of layer 1". equation: its
    id. fix: what to write instead, as a formula. write: the same in the program's names, "" if these are unknown.
    """

    level: str
    id: str
    equation: str
    place: str
    line: int
    code: str
    function: str
    array: str
    says: str
    fix: str
    write: str = ""


@dataclass(frozen=True)
class ProgramPart:
    """A function, a method or a class of the program, and its recognized role."""

    name: str
    role: str
    line: int


@public()
@dataclass(frozen=True)
class ProgramCheck:
    """The result of `check` for a learner's program.

    ok: whether nothing is wrong; None if nothing wrong was found, but the program was not recognized.
    matched: whether a forward and a backward pass were recognized.
    findings: mistakes and warnings, in the order of computation. right: which arrays are right, in words.
    parts: functions and classes with their roles. layers: the recognized network, a line for each layer.
    left_out: what was not run. supplied: names that got our values. notes: conventions, and how the file was read.
    accuracy: on held-out digits after a few seconds of training; None if nothing was trained. adapter: code to fill in.
    """

    path: str
    matched: bool
    findings: tuple[ProgramFinding, ...] = ()
    right: tuple[str, ...] = ()
    parts: tuple[ProgramPart, ...] = ()
    layers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    supplied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accuracy: float | None = None
    adapter: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether no mistake was found; None if there is none, but the program was not recognized either."""
        if any(each.level == "mistake" for each in self.findings):
            return False
        return True if self.matched else None

    @property
    def first(self) -> ProgramFinding | None:
        """The first mistake in the order of computation; None if there is none."""
        return next((each for each in self.findings if each.level == "mistake"), None)

    def to_json_dict(self) -> dict[str, Any]:
        """The result of the check as dicts, lists and numbers for JSON, with `ok` and `first`."""
        first = self.first
        return {"kind": "program", "ok": self.ok, "first": first and asdict(first), **asdict(self)}

    @classmethod
    def from_json_dict(cls, content: dict[str, Any]) -> "ProgramCheck":
        """The result of a check, from what `to_json_dict` returned."""
        fields = {key: value for key, value in content.items() if key not in ("kind", "ok", "first")}
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
        parts = {"findings": ProgramFinding, "parts": ProgramPart}
        fields |= {key: tuple(kind(**each) for each in fields.get(key, ())) for key, kind in parts.items()}
        return cls(**fields)

    def to_text(self, width: int = 80) -> str:
        """The report of the check as text, in lines of at most `width` characters."""
        lines = [self.verdict_line(), ""]
        mistakes = [each for each in self.findings if each.level == "mistake"]
        warnings = [each for each in self.findings if each.level != "mistake"]
        for n, each in enumerate(mistakes):
            lines += [*finding_lines(each, "first" if n == 0 else "then", width), ""]
        for each in warnings:
            lines += [*finding_lines(each, "warning", width), ""]
        found = ", ".join(f"{each.name} ({each.role})" for each in self.parts)
        trained = "" if self.accuracy is None else f"{100 * self.accuracy:.1f} % of held-out digits are right"
        rows = [("right", self.right), ("network", self.layers), ("note", self.notes), ("found", (found,))]
        rows += [("supplied", (", ".join(self.supplied),)), ("left out", ("; ".join(self.left_out),))]
        for title, texts in [*rows, ("trained", (trained,))]:
            lines += [entry(title if n == 0 else "", text, width, 10) for n, text in enumerate(texts) if text]
        if self.adapter:
            lines += ["", "Fill in these lines to have your gradient checked:", "", self.adapter]
        return "\n".join(lines).rstrip()

    def verdict_line(self) -> str:
        """The result of the check in one sentence: what is right, or how many mistakes were found."""
        n = sum(each.level == "mistake" for each in self.findings)
        if n:
            return f"{self.path}: {n} mistake{'s' * (n > 1)} found"
        if not self.matched:
            return f"{self.path}: no forward and backward pass was recognized"
        seen = " ".join(self.right)
        before, behind = "the loss, " * ("the loss" in seen), " and the update" * ("update" in seen)
        verb = "are" if before or behind else "is"
        return f"{self.path}: {before if behind else before.replace(', ', ' and ')}the gradient{behind} {verb} right"

    def __str__(self) -> str:
        return self.to_text()


def finding_lines(finding: ProgramFinding, title: str, width: int) -> Sequence[str]:
    """A finding as lines of text: the title with its place, its code, what is wrong, and what to write instead."""
    what = f"{finding.array}, {finding.equation}" if finding.array else finding.equation
    function = f", in {finding.function}" if finding.function else ""
    rows = [(title, f"{finding.place}{function} ({what})"), ("", finding.code), ("", finding.says)]
    rows.append(("write", finding.write or finding.fix))
    return [entry(head, text, width, 10) for head, text in rows if text]
