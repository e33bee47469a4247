"""The chapters of the course run, say what they compute, and fail where a default of the package changes."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr

COURSE = Path(__file__).parents[2] / "docs" / "course"
CHAPTERS = sorted(COURSE.glob("[0-9]*.md"))
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?P<options>---\n.*?\n---\n|(?::[^\n]*\n)*)(?P<code>.*?)^```$", re.S | re.M
)
FENCED = re.compile(r"^```.*?^```$|\A---\n.*?\n---\n", re.S | re.M)
GLUED = re.compile(r"\{glue:text\}`([^`:]+):?([^`]*)`")


class Cell(NamedTuple):
    """A cell of a chapter."""

    tags: set[str]
    code: str
    line: int


def cells(path: Path) -> Iterator[Cell]:
    """The cells in their order."""
    text = path.read_text(encoding="utf-8")
    for found in CELL.finditer(text):
        tags = re.search(r"tags: \[(.*?)\]", found["options"])
        yield Cell(
            set(re.split(r",\s*", tags[1])) if tags else set(), found["code"], text.count("\n", 0, found.start("code"))
        )


def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the cells up to a heavy one, in a plain namespace, and return what they glued into the text."""
    pytest.importorskip("matplotlib").use("Agg")
    glued: dict[str, Any] = {}
    glue = ModuleType("myst_nb")
    glue.glue = lambda name, value, display=True: glued.update({name: value})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "myst_nb", glue)
    names: dict[str, Any] = {}
    with np.printoptions():  # a chapter may set how it prints
        for cell in cells(path):
            if "heavy" in cell.tags:
                break
            if "hide-input" not in cell.tags:  # a cell whose code is folded draws, and only draws
                exec(compile("\n" * cell.line + cell.code, str(path), "exec"), names)
    return glued


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_and_has_the_numbers_of_its_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    glued = run(path, monkeypatch)
    asked = GLUED.findall(path.read_text(encoding="utf-8"))
    assert asked
    is_whole = not any("heavy" in cell.tags for cell in cells(path))
    for name, form in asked:
        if is_whole or name in glued:
            assert type(glued[name]) in (int, float, str), name
            format(glued[name], form)


def names_in(code: str) -> tuple[set[str], set[str]]:
    """The names that code makes, and those that it needs."""
    nodes = list(ast.walk(ast.parse(code)))
    made = {each.arg for each in nodes if isinstance(each, ast.arg)}
    made |= {(each.asname or each.name).partition(".")[0] for each in nodes if isinstance(each, ast.alias)}
    made |= {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.ExceptHandler) and each.name}
    names = [each for each in nodes if isinstance(each, ast.Name)]
    made |= {each.id for each in names if isinstance(each.ctx, ast.Store)}
    return made, {each.id for each in names if isinstance(each.ctx, ast.Load)}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_notebook_needs_no_cell_that_only_the_site_has(path: Path) -> None:
    """Notebooks to download lack the cells that are removed from the page: no other cell may need their names."""
    removed: set[str] = set()
    shown: set[str] = set()
    for cell in cells(path):
        made, needed = names_in(cell.code)
        if "remove-cell" in cell.tags and "notebook" not in cell.tags:
            removed |= made
        else:
            shown |= made
            assert needed & removed - shown == set(), f"{path.name}:{cell.line}"


# One default of the package for each chapter, changed: then what the chapter asserts must no longer hold.
def double_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = dr.Quadratic.value
    monkeypatch.setattr(dr.Quadratic, "value", lambda *args, **kwargs: 2 * halves(*args, **kwargs))


def flip_the_sigmoid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dr.Sigmoid, "forward", lambda self, z, out: np.divide(1, 1 + np.exp(z), out=out))
    monkeypatch.setattr(dr.Sigmoid, "value", lambda self, z: 1 / (1 + np.exp(z)))


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    rightly = dr.fit
    monkeypatch.setattr(dr, "fit", lambda *args, **kwargs: rightly(*args, **({"learning_rate": 1e-5} | kwargs)))


def hide_another_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    rightly = dr.Network
    monkeypatch.setattr(dr, "Network", lambda sizes, **given: rightly(sizes, **(given | {"hidden": "tanh"})))


CHANGES = {  # chapters 8 and 10 assert after their heavy cells, when the site is built
    "01": slow_down,
    "02": flip_the_sigmoid,
    "03": double_the_loss,
    "04": double_the_loss,
    "05": hide_another_activation,
    "06": hide_another_activation,
    "07": hide_another_activation,
    "09": hide_another_activation,
}


@pytest.mark.parametrize("chapter", CHANGES)
def test_a_changed_default_fails_the_chapter(chapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = COURSE.glob(f"{chapter}-*.md")
    CHANGES[chapter](monkeypatch)
    with pytest.raises(AssertionError):
        run(path, monkeypatch)


def prose(path: Path) -> str:
    """What is read: no code, no options, no comments."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_read_in_a_quarter_of_an_hour(path: Path) -> None:
    assert len(re.findall(r"[\w’'-]+", prose(path))) < 1500


def words(path: Path) -> list[str]:
    """The terms that a chapter introduces."""
    (glossary,) = re.findall(r"^```\{glossary\}\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M)
    return re.findall(r"^(?!:)(\S.*)$", glossary, re.M)


def test_no_chapter_uses_a_word_before_it_is_explained() -> None:
    """A term in the glossary of a later chapter does not occur in an earlier one, except where that looks ahead."""
    early = []
    for place, path in enumerate(CHAPTERS):
        for word in words(path):
            for before in CHAPTERS[:place]:
                text = re.sub(r"\[[^\]]*\]\([^)]*\)|\*Step.*?\*|`[^`\n]*`", " ", prose(before))
                sentences = re.split(r"(?<=[.:?!])\s+", text)
                hits = [each for each in sentences if re.search(rf"\b{re.escape(word)}s?\b", each, re.I)]
                early += [
                    f"{before.stem}: {word}: {hit[:90]}" for hit in hits if not re.search(r"[Cc]hapters? \d", hit)
                ]
    assert early == []


def test_each_word_is_explained_once_and_linked_where_it_comes_up() -> None:
    everything = [word for path in CHAPTERS for word in words(path)]
    assert sorted(everything) == sorted(set(everything))
    for path in CHAPTERS[:5]:
        linked = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]*)>?`", path.read_text(encoding="utf-8"))
        assert words(path) == list(dict.fromkeys(linked)), path.stem


def test_every_figure_says_what_it_shows() -> None:
    for path in CHAPTERS:
        for found in CELL.finditer(path.read_text(encoding="utf-8")):
            is_figure = "plt.subplots(" in found["code"] or "plt.figure(" in found["code"]
            if is_figure and "remove-cell" not in found["options"]:
                assert re.search(r"^ +alt: \S.{30}", found["options"], re.M), f"{path.stem}: {found['code'][:80]}"
