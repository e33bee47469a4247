"""What a history shows: overfitting, divergence, a rate that is too high or too low, and nothing where all is well."""

import math

import pytest

from deltarule.inspection.diagnosis.diagnose import Row, history_findings


def rows(losses: list[float], held_out: list[float] | None = None) -> list[Row]:
    table: list[dict[str, float | None]] = [
        {"epoch": epoch, "learning_rate": 0.1, "train_loss": loss} for epoch, loss in enumerate(losses)
    ]
    for row, loss in zip(table, held_out or [], strict=False):
        row["validation_loss"] = loss
    return list(table)


def falling(n_epochs: int, to: float = 0.05) -> list[float]:
    return [to + (2.3 - to) * math.exp(-epoch / 2) for epoch in range(n_epochs)]


@pytest.mark.parametrize(
    ("losses", "held_out", "level", "fault"),
    [
        ([2.3, 1.0, math.nan], None, "fault", "diverged"),
        ([2.3, 2.9, 70.0], None, "fault", "diverged"),
        ([2.3, 2.31, 2.3, 2.3], None, "fault", "stuck-at-chance"),
        ([2.3, 2.298, 2.296, 2.294], None, "fault", "learning-rate-too-low"),
        ([2.3, 0.5, 0.9, 0.4, 0.8, 0.4, 0.9, 0.5], None, "warning", "learning-rate-too-high"),
        ([2.3 - 0.1 * epoch for epoch in range(13)], None, "warning", "learning-rate-too-low"),
        (falling(10), [2.3, 1.0, 0.4, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6], "warning", "overfitting"),
    ],
)
def test_a_bad_run_is_named(losses: list[float], held_out: list[float] | None, level: str, fault: str) -> None:
    assert [(each.level, each.id) for each in history_findings(rows(losses, held_out))] == [(level, fault)]


def test_the_evidence_is_the_historys() -> None:
    (found,) = history_findings(rows(falling(4), [2.3, 0.4, 0.5, 0.6]))
    assert found.evidence["epoch"] == 1
    assert (found.evidence["validation loss there"], found.evidence["at the end"]) == (0.4, 0.6)
    assert found.evidence["training loss there"] == falling(4)[1]
    assert "since epoch 1" in found.says


def test_what_json_could_not_hold_counts_as_no_number() -> None:
    lost: list[Row] = [{"train_loss": 2.3, "learning_rate": 8.0}, {"train_loss": None, "learning_rate": 8.0}]
    (found,) = history_findings(lost)
    assert found.id == "diverged"
    assert found.evidence["learning rate"] == 8.0


@pytest.mark.parametrize(
    "held_out", [None, falling(12, 0.1), [*falling(9, 0.1), 0.15, 0.16, 0.15]], ids=["none", "falling", "level"]
)
def test_a_sound_run_has_no_finding(held_out: list[float] | None) -> None:
    assert list(history_findings(rows(falling(12), held_out))) == []


def test_an_epoch_before_the_first_step_shows_nothing() -> None:
    assert list(history_findings(rows([2.3]))) == list(history_findings([])) == []
