"""sentences.toml: each message is used, and is given every value that it names."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from deltarule.errors import read_tables, sentence

SOURCE = Path(__file__).parents[1] / "src" / "deltarule"
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))]
TABLES = {name: table for name, table in read_tables("sentences").items() if name != "writing"}  # by numbers of errors
KEYS = [f"{name}.{key}" for name, table in TABLES.items() for key in table]
CALLS = [
    node
    for tree in TREES
    for node in ast.walk(tree)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sentence"
]
WORDS = {
    word
    for tree in TREES
    for node in ast.walk(tree)
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
    for word in re.findall(r"\w+", node.value)
}


@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_is_asked_for(key: str) -> None:
    """By its whole key, or by its name where the code chooses among several."""
    table, _, name = key.partition(".")
    assert {table, name.removesuffix("_as_targets").removesuffix("_for_loss")} <= WORDS


WHOLE = [call for call in CALLS if isinstance(call.args[0], ast.Constant)]


@pytest.mark.parametrize("call", WHOLE, ids=lambda call: str(call.args[0].value))
def test_a_call_gives_the_values_that_its_sentence_names(call: ast.Call) -> None:
    key = str(call.args[0].value)  # type: ignore[attr-defined]
    assert key in KEYS
    given = {each.arg for each in call.keywords}
    named = set()
    for _, field, _, _ in Formatter().parse(TABLES[key.partition(".")[0]][key.partition(".")[2]]):
        named |= {re.split(r"[.\[]", field)[0]} if field else set()
    assert None in given or given == named


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    assert sentence("examples.path", given="{x}", line="{y}") == (
        "X is a path, '{x}', and a network takes arrays: use {y}"
    )


def test_there_are_calls() -> None:
    assert len(WHOLE) >= 30
    assert len(KEYS) >= 100
