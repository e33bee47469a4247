"""A picture to be drawn, and its numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltarule.inspection.picture import Picture


@dataclass(frozen=True)
class Shown:
    """What a picture shows, for `--json`, and what draws it."""

    facts: dict[str, Any]
    draw: Callable[[], Picture]
