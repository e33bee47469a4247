"""deltarule plot: pictures of a run and of a model, and what cannot be drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

Command = Callable[..., Any]


def test_the_curves_of_a_run(deltarule: Command) -> None:
    run = deltarule("train", "linear", "--data", "digits", "--epochs", "2", "--holdout", "300", "--run", "r", "--json")
    result = deltarule("plot", "curves", "r", "--out", "curves.png")
    assert result.code == 0
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
    best = run.json["best_epoch"]
    accuracy = run.json["history"][best]["validation_accuracy"]
    assert f"{round(100 * accuracy, 2):g} % at epoch {best}" in result.out


@pytest.mark.parametrize("kind", ["confusion", "mistakes"])
def test_what_a_model_takes_for_what(deltarule: Command, digits_model: Path, kind: str) -> None:
    result = deltarule("plot", kind, digits_model, "--out", "picture.svg")
    assert result.code == 0
    assert "<svg" in Path("picture.svg").read_text(encoding="utf-8")
    assert result.out.startswith("picture.svg: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curves", "."], "curves are drawn of a run's folder"),
        (["curves", "nothing"], "curves are drawn of a run's folder"),
        (["confusion", "nothing"], "deltarule train  makes one"),
        (["drawing", "nothing"], "curves"),
    ],
)
def test_what_cannot_be_drawn(deltarule: Command, arguments: list[str], message: str) -> None:
    code, out, err = deltarule("plot", *arguments, "--out", "picture.png")
    assert (code, out) == (2, "")
    assert message in err
    assert not Path("picture.png").exists()


@pytest.mark.parametrize("kind", ["confusion", "mistakes"])
def test_a_regression_takes_nothing_for_anything(deltarule: Command, arithmetic_model: Path, kind: str) -> None:
    code, _, err = deltarule("plot", kind, arithmetic_model, "--out", "picture.png")
    assert code == 2
    assert "which holds values" in err
