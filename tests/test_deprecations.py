"""A former name works for a minor version more, and says what replaces it and when it goes: see CONTRIBUTING.md."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from syntax import ROOT, SOURCE, package

import deltarule


class Former(NamedTuple):
    """A line such as  shuffled = former_name("split_shuffled", goes_in="0.3")  in a class."""

    owner: type[Any]
    name: str
    replacement: str
    goes_in: str


def former_names() -> Iterator[Former]:
    for path, tree in package().items():
        if "= former_name(" not in path.read_text(encoding="utf-8"):
            continue
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            for line in map(ast.unparse, kind.body):
                if found := re.fullmatch(r"(\w+) = former_name\('(\w+)', goes_in='([\d.]+)'\)", line):
                    yield Former(getattr(import_module(module), kind.name), *found.groups())


def version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


@pytest.mark.parametrize("each", [*former_names()], ids=lambda each: f"{each.owner.__name__}.{each.name}")
def test_a_former_name_works_and_says_what_replaces_it(each: Former) -> None:
    thing = object.__new__(each.owner)
    if not hasattr(thing, each.replacement):  # a field, which only the constructor sets
        object.__setattr__(thing, each.replacement, "a value")
    says = rf"goes in deltarule {re.escape(each.goes_in)}: use \.{each.replacement}$"
    with pytest.warns(DeprecationWarning, match=says) as caught:
        assert getattr(thing, each.name) == getattr(thing, each.replacement)
    [warning] = caught
    assert warning.filename == __file__, "the warning names the line of the user"


@pytest.mark.parametrize("each", [*former_names()], ids=lambda each: f"{each.owner.__name__}.{each.name}")
def test_a_former_name_goes_when_it_said_and_is_announced(each: Former) -> None:
    current = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert version(each.goes_in) > version(current)[:2], f"{each.name} was to go in {each.goes_in}"
    items = re.split(r"(?m)^- ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    is_announced = any(f"`{each.replacement}`" in item and f"in {each.goes_in}" in item for item in items)
    assert is_announced, f"say in CHANGELOG.md that the former name of {each.replacement} goes in {each.goes_in}"


@pytest.mark.parametrize(("name", "instead"), deltarule._FORMER.items())
def test_a_former_public_name_works_and_says_what_fit_takes(name: str, instead: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"dr\.{name} goes in deltarule 0\.3: use {instead} in fit") as caught:
        kind = getattr(deltarule, name)
    assert kind.__name__ == name
    assert caught[0].filename == __file__
    assert name not in deltarule.__all__
    word, value = instead.split("=")
    assert isinstance(getattr(deltarule.Trainer(network=deltarule.Network((2, 2)), **{word: float(value)}), word), kind)
    assert f"`dr.{name}`" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_all_that_warns_of_its_end_is_a_former_name() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in package()}
    assert [path.name for path, text in texts.items() if "DeprecationWarning" in text] == ["public.py"]
    calls = sum(len(re.findall(r"\bformer_name\(", text)) for text in texts.values())
    assert calls == 1 + len([*former_names()])  # the one is its definition
