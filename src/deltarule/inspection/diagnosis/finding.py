"""What a diagnosis is made of: findings, each with its evidence in numbers and what to do about it."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["note", "warning", "fault"]
LEVELS: tuple[Level, ...] = ("fault", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or worth knowing.

    level: "fault", it keeps the network from learning; "warning", it may cost something; "note", it explains something.
    id: a name for programs. says: what is wrong. evidence: what was measured, by name. mend: what to do.
    """

    level: Level
    id: str
    says: str
    evidence: Mapping[str, float]
    mend: str

    @property
    def numbers(self) -> str:
        """The evidence for people: "largest input 255, typical size 33.3"."""
        return ", ".join(f"{name} {number:.4g}" for name, number in self.evidence.items())


@dataclass(frozen=True)
class Diagnosis:
    """All findings, faults first. An empty one means that nothing was found, and is false."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Diagnosis":
        """These findings in the order of their levels."""
        return cls(tuple(sorted(findings, key=lambda each: LEVELS.index(each.level))))

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What keeps the network from learning."""
        return tuple(each for each in self.findings if each.level == "fault")

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def to_json_list(self) -> list[dict[str, Any]]:
        """The findings as dicts."""
        return [asdict(each) for each in self.findings]

    def to_text(self, width: int = 80) -> str:
        """The findings in lines of at most `width` characters."""
        lines = []
        for each in self.findings:
            sentences = ((each.level, each.says), ("", f"Measured: {each.numbers}."), ("", f"Mend: {each.mend}."))
            lines += [entry(title, text, width) for title, text in sentences]
        return "\n".join(lines) or "Nothing wrong was found."

    def __str__(self) -> str:
        return self.to_text()


def entry(title: str, text: str, width: int, indent: int = 9) -> str:
    """A text beside its title, in lines of at most `width` characters."""
    head = f"{title:<{indent}}"
    return textwrap.fill(text, width, initial_indent=head, subsequent_indent=" " * indent, break_on_hyphens=False)
