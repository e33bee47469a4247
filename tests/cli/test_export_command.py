"""deltarule export: what it writes, what it says, what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deltarule as dr

Command = Callable[..., Any]


def test_a_page_is_what_show_makes(deltarule: Command, digits_model: Path) -> None:
    result = deltarule("export", digits_model, "--html", "digits.html", "--json")
    page = Path("digits.html").read_text(encoding="utf-8")
    assert page == dr.show(dr.load(digits_model)).html
    size = Path("digits.html").stat().st_size
    assert result.json == {"model": str(digits_model), "format": "html", "file": "digits.html", "bytes": size}


def test_data_bring_their_unseen_examples_along(deltarule: Command, digits_model: Path) -> None:
    assert deltarule("export", digits_model, "--html", "digits.html", "--data", "digits").code == 0
    test = dr.load_data("digits").test
    assert Path("digits.html").read_text(encoding="utf-8") == dr.show(dr.load(digits_model), test).html


def test_an_older_page_is_replaced_and_that_is_said(deltarule: Command, arithmetic_model: Path) -> None:
    Path("page.html").write_text("old")
    result = deltarule("export", arithmetic_model, "--html", "page.html")
    assert result.code == 0
    assert "in the place of an older file" in result.out
    assert Path("page.html").read_text(encoding="utf-8") != "old"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "one format, --html FILE: got none of them"),
        (["--html", "page.txt"], 2, "a browser opens a page by its name: got page.txt; use page.html"),
        (["--html", "nowhere/page.html"], 2, "its folder does not exist"),
        (["--html", "page.html", "--data", "arithmetic"], 2, "leave the examples out"),
    ],
)
def test_what_it_refuses(deltarule: Command, digits_model: Path, arguments: list[str], code: int, says: str) -> None:
    result = deltarule("export", digits_model, *arguments)
    assert result.code == code
    assert says in result.err
    assert not Path("page.html").exists()


def test_a_model_that_is_none(deltarule: Command) -> None:
    Path("none.safetensors").write_text("nothing")
    result = deltarule("export", "none.safetensors", "--html", "page.html")
    assert result.code == 1
    assert "was not loaded" in result.err
