"""The name that pip installs stands in one constant, from which every message that says how to install is made."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from deltarule import errors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "deltarule"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = set(PROJECT["optional-dependencies"])
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.py"))]
CALLS = [
    node
    for path in sorted(SOURCE.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
]


def literals(position: int, *functions: str) -> list[str]:
    """The strings that calls of these functions pass there."""
    calls = [call for call in CALLS if ast.unparse(call.func) in functions and len(call.args) > position]
    given = [call.args[position] for call in calls]
    return [str(node.value) for node in given if isinstance(node, ast.Constant)]


def test_the_constant_is_the_projects_name() -> None:
    assert PROJECT["name"] == errors.DISTRIBUTION


def test_the_package_says_it_once() -> None:
    """Neither Python nor the page writes a command of pip, or asks for a version, with a name of its own."""
    texts = {path: path.read_bytes().decode(errors="replace") for path in SOURCE.rglob("*") if path.is_file()}
    written = [path.name for path, text in sorted(texts.items()) if re.search(r"\bpip3? install\b", text)]
    assert {name for name in written if not name.endswith(".pyc")} == {"errors.py"}
    assert errors.DISTRIBUTION not in literals(0, "version", "distribution", "metadata")
    for path, text in texts.items():
        assert path.suffix == ".pyc" or f"{errors.DISTRIBUTION}[" not in text, path


def test_messages_follow_the_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "DISTRIBUTION", "another-name")
    with pytest.raises(errors.MissingExtraError, match=r'not installed: run  pip install "another-name\[plot\]"$'):
        errors.require("deltarule_has_no_such_module", "plot")
    assert errors.install_command(option="--upgrade") == "pip install --upgrade another-name"


def test_every_extra_that_a_message_offers_exists() -> None:
    offered = set(literals(1, "require")) | set(literals(0, "install_command"))
    assert {"page", "plot", "sklearn"} <= offered <= EXTRAS


def test_pages_and_the_extra_all_name_it() -> None:
    """What pages say to install: with one of our extras in brackets, it is this distribution."""
    texts = [path.read_text(encoding="utf-8") for path in (*PAGES, ROOT / "pyproject.toml")]
    named = [found for text in texts for found in re.findall(r"""["'`]([a-zA-Z][\w.-]*)\[([\w,]+)\]""", text)]
    ours = [name for name, extras in named if set(extras.split(",")) <= EXTRAS]
    assert len(ours) >= 5
    assert set(ours) == {errors.DISTRIBUTION}
