"""deltarule recipes and deltarule data: what there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.data.dataset import Splits
from deltarule.data.sources import SOURCES
from deltarule.recipes import names, read
from deltarule.recipes.schema import parse

Command = Callable[..., Any]


def test_every_recipe_is_listed(deltarule: Command) -> None:
    rows, text = deltarule("recipes", "--json").json, deltarule("recipes").out
    assert [row["name"] for row in rows] == names()
    for row in rows:
        assert set(row) == {"name", "network", "data", "expected", "source"}
        assert all(row[key] and row[key] in text for key in row)
    networks = {row["name"]: row["network"] for row in rows}
    assert networks["default"] == "512-256 relu, softmax"
    assert networks["linear"] == "softmax"


def test_a_recipe_is_printed_as_toml_that_train_takes(deltarule: Command) -> None:
    assert parse(deltarule("recipes", "xor").out, "printed") == read("xor")
    assert deltarule("recipes", "xor", "--json").json["training"]["batch_size"] == "full"
    code, _, err = deltarule("recipes", "xorr")
    assert code == 2
    assert "did you mean 'xor'?" in err


def test_every_data_set_is_listed(deltarule: Command) -> None:
    rows, text = deltarule("data", "list", "--json").json, deltarule("data", "list").out
    assert [row["name"] for row in rows] == list(SOURCES)
    assert {row["where"] for row in rows} == {"comes with deltarule", "not here"}
    assert all(row["name"] in text and row["says"] in text for row in rows)


def test_info_counts(deltarule: Command) -> None:
    content = deltarule("data", "info", "digits", "--json").json
    assert (content["train_examples"], content["test_examples"]) == (1437, 360)
    assert sum(content["train_per_class"]) == 1437
    assert (content["license"], content["image_shape"], content["task"]) == ("CC BY 4.0", [28, 28], "classes")
    assert "1,437" in deltarule("data", "info", "digits").out


def test_info_of_a_file_and_of_what_is_not_here(deltarule: Command) -> None:
    Path("two.csv").write_text("0,1,2,3,4\n1,5,6,7,8\n")
    assert deltarule("data", "info", "two.csv", "--json").json["train_per_class"] == [1, 1]
    assert "deltarule data fetch kmnist" in deltarule("data", "info", "kmnist").out
    assert deltarule("data", "info", "nothing").code == 2


def test_fetch_and_verify_what_comes_with_deltarule(deltarule: Command) -> None:
    assert deltarule("data", "fetch", "xor").out == "xor comes with deltarule\n"
    assert deltarule("data", "verify", "xor", "--json").json == []
    assert deltarule("data", "verify", "xor").code == 0


def test_verify_fails_where_files_are_missing(deltarule: Command) -> None:
    code, out, err = deltarule("data", "verify", "mnist")
    assert code == 1
    assert out.count("missing") == 4
    assert "deltarule data fetch mnist" in err


def test_verify_finds_genuine_and_wrong_files(
    deltarule: Command, mnist: Splits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert deltarule("data", "verify", "mnist").out.count("genuine") == 4
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1" + b"\0\0\0\1" + b"\7")
    monkeypatch.setenv("DELTARULE_DATA", str(tmp_path))
    states = deltarule("data", "verify", "mnist", "--json").json
    assert [each["genuine"] for each in states] == [None] * 4
    assert "t10k-labels" in states[3]["wrong"][0]


def test_an_unknown_name(deltarule: Command) -> None:
    for command in ("fetch", "verify"):
        code, _, err = deltarule("data", command, "mnits")
        assert code == 2
        assert "did you mean 'mnist'?" in err
