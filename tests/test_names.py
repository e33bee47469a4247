"""Names: what a function, a class, a module and a test may be called, so that a stranger finds it."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from syntax import SOURCE, Trees, house, package

# Participles that do not end in -ed, and words that end in it and are none.
IRREGULAR = {"told", "gone", "shown", "drawn", "found", "taken", "kept", "made", "written", "heard", "seen", "held"}
IRREGULAR |= {"said", "known", "meant", "left", "built"}
NOUNS = {"seed", "speed", "need", "feed"}
ADJECTIVES = {"signed", "saturated", "required", "compiled", "untrained", "known"}  # of the noun after it
PUBLIC = {"suited", "scaled", "unscaled"}  # methods of Model, which users call by these names


def is_participle(word: str) -> bool:
    return word not in NOUNS | ADJECTIVES and (word in IRREGULAR or word.endswith("ed"))


def functions(trees: Trees) -> Iterator[tuple[Path, str]]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name


def test_no_function_hides_its_action_behind_a_participle() -> None:
    named = [(path.name, name) for path, name in functions(package()) if is_participle(name.strip("_").split("_")[0])]
    assert [each for each in named if each not in {("model.py", name) for name in PUBLIC}] == []


def test_no_module_is_called_after_a_participle() -> None:
    assert [str(path.relative_to(SOURCE)) for path in package() if is_participle(path.stem.split("_")[-1])] == []


def test_no_two_classes_have_one_name() -> None:
    names = Counter(
        node.name for tree in package().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_modules_of_a_room_differ_by_an_ending() -> None:
    """`export` and `exporting`, `bundle` and `bundled`: who looks for one finds the other."""
    for room in {path.parent for path in package()}:
        stems = sorted(path.stem for path in room.iterdir() if path.stem != "__pycache__")
        pairs = [(one, other) for one in stems for other in stems if other.removeprefix(one) in ENDINGS]
        assert pairs == [], room.name


ENDINGS = {"s", "r", "d", "ed", "er", "ing", "ion"}


def test_a_test_says_its_fact_in_70_characters() -> None:
    names = [name for path, name in functions(house()) if path.stem.startswith("test_") and name.startswith("test_")]
    assert [name for name in names if len(name) > 70] == []
    assert len(names) > 1000
