"""Monitor: the best so far, by enough or by any gain, and how long a figure has stood still."""

import math

import pytest

from deltarule.training.history import Monitor

LOSSES = [1.0, 0.9, 0.85, 0.84, 0.83, 0.5, 0.5]


@pytest.mark.parametrize(
    ("tol", "by_any_gain", "bests", "stalled"),
    [
        (0.0, False, [0, 1, 2, 3, 4, 5, 5], [0, 0, 0, 0, 0, 0, 1]),
        (0.1, False, [0, 0, 2, 2, 2, 5, 5], [0, 1, 0, 1, 2, 0, 1]),
        (0.1, True, [0, 1, 2, 3, 4, 5, 5], [0, 0, 1, 2, 3, 0, 1]),
        (0.0, True, [0, 1, 2, 3, 4, 5, 5], [0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_what_is_a_gain(tol: float, by_any_gain: bool, bests: list[int], stalled: list[int]) -> None:
    """By enough: a gain of more than tol moves the best, as in Keras. By any: tol itself is one, as in scikit-learn."""
    monitor = Monitor(tol=tol, by_any_gain=by_any_gain)
    found, best_epoch = [], -1
    for epoch, loss in enumerate(LOSSES):
        best_epoch = epoch if monitor.takes(loss) else best_epoch
        found.append((best_epoch, monitor.stalled))
        assert monitor.best == LOSSES[best_epoch]
    assert found == list(zip(bests, stalled, strict=True))


def test_a_figure_that_rises() -> None:
    monitor = Monitor("validation_accuracy")
    assert [monitor.takes(figure) for figure in (0.5, 0.4, 0.6)] == [True, False, True]
    assert monitor.best == -0.6


def test_the_first_figure_is_no_standstill_whatever_it_is() -> None:
    monitor = Monitor(patience=1)
    assert not monitor.takes(math.nan)
    assert not monitor.is_stuck
    assert not monitor.takes(math.nan)
    assert monitor.is_stuck


def test_a_cooldown_does_not_count() -> None:
    monitor = Monitor(patience=2)
    stuck = []
    for _ in range(8):
        monitor.takes(1.0)
        stuck.append(monitor.is_stuck)
        if monitor.is_stuck:
            monitor.wait_again(2)
    assert stuck == [False, False, True, False, False, False, True, False]
