"""Findings: what is wrong, with evidence in numbers and a fix, and the diagnosis that consists of them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from deltarule.errors import read_tables
from deltarule.inspection.presentation import entry
from deltarule.public import former_name, public

Level = Literal["note", "warning", "fault"]
LEVELS: tuple[Level, ...] = ("fault", "warning", "note")

TEXTS = read_tables("inspection/diagnosis/findings")  # by id
RANKS = {name.partition(":")[0]: rank for rank, name in reversed([*enumerate(TEXTS)])}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or worth knowing.

    level: "fault": it keeps the network from learning; "warning": it may do harm; "note": it explains something.
    id: a name for programs. says: what is wrong. evidence: what was measured, by name. fix: what to do.
    explains: the ids of other findings that it causes.
    """

    level: Level
    id: str
    says: str
    evidence: Mapping[str, float]
    fix: str
    explains: tuple[str, ...] = ()

    @classmethod
    def of(cls, level: Level, name: str, evidence: Mapping[str, float], **words: Any) -> "Finding":
        """The finding called `name` in TEXTS, its sentences filled in with evidence and words."""
        says, fix = (TEXTS[name][key].format_map({**evidence, **words}) for key in ("says", "fix"))
        id_, explains = name.partition(":")[0], TEXTS[name].get("explains", "")
        return cls(level, id_, says, evidence, fix, tuple(explains.split()))

    @classmethod
    def by_limits(cls, name: str, measure: float, evidence: Mapping[str, float], **words: Any) -> Iterator["Finding"]:
        """Yield the finding called `name` if the measure reaches a limit in TEXTS, at the highest level reached."""
        for level in LEVELS:
            if measure >= TEXTS[name].get(level, math.inf):
                yield cls.of(level, name, evidence, **words)
                return

    @property
    def is_suspect(self) -> bool:
        """Whether the finding matters only if the network does not learn."""
        return "suspect" in TEXTS.get(self.id, {})

    def as_note(self) -> "Finding":
        """The finding if the network learns in spite of it: a suspect becomes a note, except a fault of inputs."""
        is_disproved = self.is_suspect and (self.level == "warning" or not self.id.startswith("inputs-"))
        return replace(self, level="note") if is_disproved else self

    mend = former_name("fix", goes_in="0.3")


@public()
@dataclass(frozen=True)
class Diagnosis:
    """All findings, faults first, and causes before what they explain. A Diagnosis without findings is false."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Diagnosis":
        """The Diagnosis with these findings, in order; a cause gets at least the level of what it explains."""
        found = sorted(findings, key=lambda each: RANKS.get(each.id, len(RANKS)))
        explained: set[str] = set()
        ordered = []
        for each in found:
            theirs = [other for other in found if other.id in each.explains] if each.level != "note" else []
            level = min([each.level, *(other.level for other in theirs)], key=LEVELS.index)
            ordered.append(replace(each, level=level, explains=tuple(dict.fromkeys(other.id for other in theirs))))
            explained |= {other.id for other in theirs}
        return cls(tuple(sorted(ordered, key=lambda each: (LEVELS.index(each.level), each.id in explained))))

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that keep the network from learning."""
        return tuple(each for each in self.findings if each.level == "fault")

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def to_json_list(self) -> list[dict[str, Any]]:
        """The findings as dicts. Until deltarule 0.3 each holds its fix under the former key, too."""
        return [asdict(each) | {"explains": list(each.explains), "mend": each.fix} for each in self.findings]

    def to_text(self, width: int = 80) -> str:
        """The findings in lines of at most `width` characters."""
        lines = []
        for each in self.findings:
            measured = ", ".join(f"{name} {number:.4g}" for name, number in each.evidence.items())
            sentences = [(each.level, each.says), ("", f"Measured: {measured}."), ("", f"Fix: {each.fix}.")]
            sentences += [("", f"This explains: {', '.join(each.explains)}.")] if each.explains else []
            lines += [entry(title, text, width) for title, text in sentences]
        return "\n".join(lines) or "Nothing wrong was found."

    __str__ = to_text
