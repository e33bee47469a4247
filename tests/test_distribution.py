"""The name that pip installs stands in one constant, from which every message that says how to install is made."""

import ast
import re
import tomllib

import pytest
from syntax import ROOT, SOURCE, package

from deltarule import errors

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = set(PROJECT["optional-dependencies"])
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.py"))]


def literals(position: int, *functions: str) -> list[str]:
    """The strings that calls of these functions pass there."""
    calls = [node for tree in package().values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [call.args[position:] for call in calls if getattr(call.func, "id", "") in functions]
    return [str(nodes[0].value) for nodes in given if nodes and isinstance(nodes[0], ast.Constant)]


def test_the_constant_is_the_projects_name() -> None:
    assert PROJECT["name"] == errors.DISTRIBUTION


def test_the_citation_names_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", citation, re.M) == [PROJECT["version"]]


def test_the_workflow_makes_every_wheel_and_runs_what_the_script_runs() -> None:
    lines = ast.parse((ROOT / "hatch_build.py").read_text(encoding="utf-8")).body
    (table,) = [
        line.value for line in lines if isinstance(line, ast.Assign) and ast.unparse(line.targets) == "PLATFORMS"
    ]
    workflow = (ROOT / ".github/workflows/wheels.yml").read_text(encoding="utf-8")
    assert re.findall(r"{ platform: (\w+),", workflow) == list(ast.literal_eval(table))
    (tests,) = re.findall(r"pytest -q (.*)", (ROOT / "scripts/test-wheel").read_text(encoding="utf-8"))
    assert f'&& pytest -q {tests}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all((ROOT / path).exists() for path in tests.split())


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
