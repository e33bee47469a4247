"""The page's modules that touch no page, run by Node: what they compute is what the library computes."""

import json
from pathlib import Path

import pytest
from node import run_node
from page_cases import page_cases

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a file with all cases."""
    path = tmp_path_factory.mktemp("cases") / "cases.json"
    path.write_text(json.dumps(page_cases()), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("program", sorted(path.name for path in HERE.glob("*.test.js")))
def test_javascript(program: str, cases: str) -> None:
    run_node("--test", HERE / program, CASES=cases)
