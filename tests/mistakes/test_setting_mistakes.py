"""What beginners get wrong about settings and objects: what is said to them, and what works.

setting_mistakes.txt holds the table, a block a mistake: its cause, the code, the message's first sentence, and the code
put right.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import DataError, DeltaruleError, SettingError
from deltarule.training.clip_and_average import ClipNorm, MovingAverage


class Row(NamedTuple):
    cause: str
    code: str
    sentence: str
    right: str


def rows(section: str) -> list[Row]:
    text = (Path(__file__).parent / "setting_mistakes.txt").read_text(encoding="utf-8")
    (content,) = (part.partition("\n")[2] for part in text.split("## ")[1:] if part.startswith(section + "\n"))
    blocks = [block.splitlines() for block in content.strip().split("\n\n")]
    return [Row(*(line.strip() for line in block)) for block in blocks]


SECTIONS = (
    "Network",
    "fit",
    "Trainer",
    "Parts, schedules, callbacks",
    "Looking inside",
    "Files and data",
    "Names of other libraries",
)
ROWS = [row for section in SECTIONS for row in rows(section)]
ESTIMATORS = rows("Estimators")


def words() -> dict[str, Any]:
    """What the code of a row may name: everything public, data, and networks that fit them."""
    rng = np.random.default_rng(0)
    known = {name: getattr(dr, name) for name in dr.__all__ if not name.startswith("MLP")}
    known |= {kind.__name__: kind for kind in (ClipNorm, MovingAverage)}
    X, y = rng.random((60, 4)), np.arange(60) % 3
    images = {"X28": rng.random((60, 4, 4)), "net28": dr.Network((16, 3), rng=0)}
    return known | images | {"dr": dr, "np": np, "X": X, "y": y, "net": dr.Network((4, 8, 3), rng=0)}


def run(code: str, more: dict[str, Any]) -> Any:
    return eval(code, words() | more)


def check_row(row: Row, more: dict[str, Any]) -> str:
    """What is said to it."""
    with pytest.raises((DeltaruleError, ValueError)) as caught:
        run(row.code, more)
    said = str(caught.value)
    assert said.startswith(row.sentence), said
    assert not isinstance(caught.value, DataError)
    assert len(said) - len(row.sentence) < 420, said
    run(row.right, more)
    return said


# A cure, a close name, or the names that there are: nobody is left with what was wrong alone.
CURES = ("use ", "Known: ", "did you mean ", "give ", "as in ", "it has none", " such as ", "as ','")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_a_mistake_is_answered(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dr.save(dr.Network((4, 3)), "kept.safetensors")
    said = check_row(row, {})
    assert any(word in said for word in CURES), said


@pytest.mark.parametrize("row", ESTIMATORS, ids=lambda row: row.code)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_mistake_with_an_estimator_is_answered(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
    check_row(row, {"MLPClassifier": dr.MLPClassifier, "MLPRegressor": dr.MLPRegressor})


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [({"activation": "sigmoid"}, "activation='logistic'"), ({"learning_rate": 0.01}, "learning_rate_init=0.01")],
)
def test_an_estimator_names_the_value_that_was_meant(wrong: dict[str, Any], meant: str) -> None:
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')
    with pytest.raises(ValueError, match=rf"Use {meant}\.$"):
        dr.MLPClassifier(**wrong).fit(words()["X"], words()["y"])


INSIDE = {  # what users are given, or what stands within a step, where nothing but arithmetic has a place
    *(
        "Callback",
        "Column",
        "DeltaruleError",
        "History",
        "Parameters",
        "Standardization",
        "TrainingState",
        "Walkthrough",
    ),
    *("Workspace", "forward", "backward", "loss_value", "MLPClassifier", "MLPRegressor"),
    *("glorot_uniform", "he_normal", "lecun_normal", "standard_normal", "uniform", "zeros"),
}


@pytest.mark.parametrize("name", [name for name in dr.__all__ if callable(getattr(dr, name)) and name not in INSIDE])
def test_an_argument_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(SettingError, match="has no argument 'bogus'"):
        getattr(dr, name)(bogus=1)


def test_the_table_is_large() -> None:
    table = [*ROWS, *ESTIMATORS]
    assert len({row.code for row in table}) == len(table) >= 90
    assert len({row.cause for row in table}) >= 40
