"""The page's modules that touch no page, run by Node: what they compute is what the library computes."""

import json
from pathlib import Path

import numpy as np
import pytest
from node import run_node
from page_cases import page_cases

from deltarule.data.built_in import digit_cells, load_digits

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a file with all cases."""
    path = tmp_path_factory.mktemp("cases") / "cases.json"
    path.write_text(json.dumps(page_cases()), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The paths of the bundled digits: as a page holds them, and as images before labels, part by part."""
    folder, splits = tmp_path_factory.mktemp("digits"), load_digits()
    parts = [each for each in (splits.train, splits.test) if each is not None]
    (folder / "images").write_bytes(
        b"".join(part.inputs.tobytes() + part.targets.astype(np.uint8).tobytes() for part in parts)
    )
    (folder / "digits").write_bytes(digit_cells())
    return {"DIGITS": str(folder / "digits"), "IMAGES": str(folder / "images")}


@pytest.mark.parametrize("program", sorted(path.name for path in HERE.glob("*.test.js")))
def test_javascript(program: str, cases: str, digits: dict[str, str]) -> None:
    run_node("--test", HERE / program, CASES=cases, **digits)
