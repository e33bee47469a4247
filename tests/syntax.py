"""The syntax of the project's own modules: parsed once, and not before a test looks at it."""

import ast
import gc
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "deltarule"
Trees = dict[Path, ast.Module]


@cache
def package() -> Trees:
    """The modules of deltarule."""
    return parsed(*sorted(SOURCE.rglob("*.py")))


@cache
def house() -> Trees:
    """The modules of deltarule, the tests, the examples and the benchmarks."""
    rooms = ("tests", "examples", "benchmarks")
    return package() | parsed(*(path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))))


def parsed(*paths: Path) -> Trees:
    """Their syntax, which no garbage collection looks through: that takes a second for half a million nodes."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    gc.freeze()
    return trees
