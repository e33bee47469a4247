"""The check of a network, from a model, a recipe or a run: first the gradient, then why it does not learn."""

from dataclasses import dataclass
from typing import Any

from deltarule.inspection.diagnosis.findings import Diagnosis
from deltarule.inspection.gradcheck.check import GradientCheck


@dataclass(frozen=True)
class NetworkCheck:
    """The check of a network's gradient, None for a run without a model; and a diagnosis of why it does not learn."""

    gradient: GradientCheck | None
    diagnosis: Diagnosis

    @property
    def ok(self) -> bool:
        """Whether the gradient is right, and nothing was found that keeps the network from learning."""
        return not self.diagnosis.faults and (self.gradient is None or self.gradient.ok)

    def to_json_dict(self) -> dict[str, Any]:
        """The gradient check and the diagnosis as dicts, lists and numbers for JSON."""
        gradient = None if self.gradient is None else self.gradient.to_json_dict()
        return {"kind": "network", "ok": self.ok, "gradient": gradient, "findings": self.diagnosis.to_json_list()}

    def to_text(self, width: int = 80) -> str:
        """The gradient check and the diagnosis as text, in lines of at most `width` characters."""
        parts = [] if self.gradient is None else [self.gradient.to_text(width)]
        return "\n\n".join([*parts, self.diagnosis.to_text(width)])
