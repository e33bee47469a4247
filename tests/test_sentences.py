"""sentences.toml: each message is used, and is given every value that it names."""

import ast
import re
from string import Formatter

from syntax import package

from deltarule.errors import read_tables, sentence

TABLES = {name: table for name, table in read_tables("sentences").items() if name != "writing"}  # by numbers of errors
KEYS = [f"{name}.{key}" for name, table in TABLES.items() for key in table]


def test_every_sentence_is_asked_for() -> None:
    """By its whole key, or by its name where the code chooses among several."""
    nodes = [node for tree in package().values() for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    words = {word for node in nodes if isinstance(node.value, str) for word in re.findall(r"\w+", node.value)}
    names = {key: key.removesuffix("_as_targets").removesuffix("_for_loss").split(".", 1) for key in KEYS}
    assert [key for key, parts in names.items() if not words.issuperset(parts)] == []


def test_a_call_gives_the_values_that_its_sentence_names() -> None:
    calls = [node for tree in package().values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call for call in calls if getattr(call.func, "id", "") == "sentence"]
    whole = [call for call in asked if isinstance(call.args[0], ast.Constant)]
    assert len(whole) >= 30
    for call in whole:
        key = str(call.args[0].value)  # type: ignore[attr-defined]
        assert key in KEYS
        given = {each.arg for each in call.keywords}
        parts = Formatter().parse(TABLES[key.partition(".")[0]][key.partition(".")[2]])
        assert None in given or given == {re.split(r"[.\[]", field)[0] for _, field, _, _ in parts if field}, key


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    assert sentence("examples.path", given="{x}", line="{y}") == (
        "X is a path, '{x}', but a network takes arrays: use {y}"
    )


def test_there_are_sentences() -> None:
    assert len(KEYS) >= 100
