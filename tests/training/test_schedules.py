"""Learning rates over time, held to values worked out by hand and to PyTorch 2.13's."""

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.errors import SettingError
from deltarule.training.schedules import Constant, Cosine, Exponential, OneCycle, Schedule, StepDecay, WarmUp

# torch.optim.lr_scheduler with the arguments in the comments, at a learning rate of 0.8
ONE_CYCLE = [  # OneCycleLR(total_steps=11, pct_start=4/11, final_div_factor=400): 11 points are 10 steps between them
    0.032, 0.224, 0.608, 0.8, 0.7603915084062516, 0.6494109811514192, 0.48903947274516757, 0.31104052725483256,
    0.15066901884858097, 0.03968849159374848, 8e-05,
]  # fmt: skip
COSINE = [  # CosineAnnealingLR(T_max=10, eta_min=0.2)
    0.8, 0.7853169548885461, 0.7427050983124843, 0.676335575687742, 0.5927050983124843, 0.5, 0.4072949016875158,
    0.3236644243122581, 0.2572949016875158, 0.21468304511145395, 0.2,
]  # fmt: skip
STEP_DECAY = [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1]  # StepLR(step_size=3, gamma=0.5)
EXPONENTIAL = [  # ExponentialLR(gamma=0.01 ** 0.1)
    0.8, 0.5047658755841546, 0.3184857364427978, 0.2009509145207664, 0.12679145539688907, 0.08, 0.05047658755841546,
    0.03184857364427978, 0.020095091452076642, 0.01267914553968891, 0.008,
]  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (OneCycle(0.8, 10), ONE_CYCLE),
        (Cosine(0.8, 10, final=0.2), COSINE),
        (StepDecay(0.8, 3, factor=0.5), STEP_DECAY),
        (Exponential(0.8, 10), EXPONENTIAL),
    ],
    ids=lambda value: type(value).__name__,
)
def test_as_pytorch(schedule: Schedule, expected: list[float]) -> None:
    assert [schedule(step) for step in range(len(expected))] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (Constant(0.3), 0, 0.3),
        (Constant(0.3), 10**9, 0.3),
        (StepDecay(1.0, 10), 9, 1.0),
        (StepDecay(1.0, 10), 10, 0.1),
        (StepDecay(1.0, 10), 10_000, 0.0),
        (Exponential(1.0, 100, factor=0.25), 50, 0.5),
        (Exponential(1.0, 100, factor=0.25), 100, 0.25),
        (Exponential(1.0, 100, factor=0.25), 200, 0.0625),
        (Cosine(1.0, 100), 50, 0.5),
        (Cosine(1.0, 100), 100, 0.0),
        (Cosine(1.0, 100, final=0.5), 10_000, 0.5),
        (OneCycle(1.0, 100), 0, 0.04),
        (OneCycle(1.0, 100), 15, 0.52),
        (OneCycle(1.0, 100), 30, 1.0),
        (OneCycle(1.0, 100), 65, 0.50005),
        (OneCycle(1.0, 100), 100, 1e-4),
        (OneCycle(1.0, 100), 10_000, 1e-4),
        (OneCycle(1.0, 100, warm_up=0.0), 0, 1.0),
        (OneCycle(1.0, 100, start_divisor=2.0, end_divisor=4.0), 0, 0.5),
        (OneCycle(1.0, 100, start_divisor=2.0, end_divisor=4.0), 100, 0.25),
        (WarmUp(Constant(1.0), 4), 0, 0.25),
        (WarmUp(Constant(1.0), 4), 3, 1.0),
        (WarmUp(Constant(1.0), 4), 100, 1.0),
        (WarmUp(Cosine(1.0, 10), 20), 5, 0.15),
        (WarmUp(lambda step: step / 10, 2), 0, 0.0),
    ],
)
def test_by_hand(schedule: Schedule, step: int, expected: float) -> None:
    assert schedule(step) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(st.floats(1e-6, 10.0), st.integers(1, 200))
def test_rates_never_leave_the_range_of_their_ends(rate: float, total_steps: int) -> None:
    falling = [StepDecay(rate, 7), Exponential(rate, total_steps), Cosine(rate, total_steps)]
    falling.append(OneCycle(rate, total_steps, warm_up=0.0))
    for schedule in falling:
        rates = [schedule(step) for step in range(total_steps + 1)]
        assert all(late <= early for early, late in itertools.pairwise(rates))
        assert rates[0] == pytest.approx(rate)
    rates = [OneCycle(rate, total_steps, warm_up=0.5)(step) for step in range(total_steps + 1)]
    half = math.ceil(total_steps / 2)
    assert all(early <= late for early, late in itertools.pairwise(rates[:half]))
    assert all(late <= early for early, late in itertools.pairwise(rates[half:]))
    assert max(rates) <= rate * (1 + 1e-12)


@pytest.mark.parametrize(
    "schedule",
    [Constant(1), StepDecay(1, 3), Exponential(1, 3), Cosine(1, 3), OneCycle(1, 3), WarmUp(Constant(1), 3)],
    ids=lambda schedule: type(schedule).__name__,
)
def test_a_rate_is_a_python_float(schedule: Schedule) -> None:
    assert [type(schedule(step)) for step in range(5)] == [float] * 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(-0.1), "rate of Constant must be 0 or more and finite: got -0.1"),
        (lambda: Constant(math.nan), "rate of Constant must be 0 or more and finite: got nan"),
        (lambda: Constant(np.float32(math.inf)), "rate of Constant must be 0 or more and finite: got inf"),
        (lambda: StepDecay(1.0, 0), "every_steps of StepDecay must be a whole number, 1 or more: got 0"),
        (lambda: StepDecay(1.0, 1, factor=-1.0), "factor of StepDecay must be 0 or more and finite: got -1.0"),
        (lambda: Exponential(1.0, 0), "total_steps of Exponential must be a whole number, 1 or more: got 0"),
        (lambda: Cosine(1.0, 10, final=-1.0), "final of Cosine must be 0 or more and finite: got -1.0"),
        (lambda: OneCycle(1.0, -3), "total_steps of OneCycle must be a whole number, 1 or more: got -3"),
        (lambda: OneCycle(1.0, 9, warm_up=1.0), "warm_up of OneCycle must be at least 0 and less than 1: got 1.0"),
        (
            lambda: OneCycle(1.0, 9, start_divisor=0.0),
            "start_divisor of OneCycle must be 1 or more and finite: got 0.0",
        ),
        (lambda: OneCycle(1.0, 9, end_divisor=0.0), "end_divisor of OneCycle must be 1 or more and finite: got 0.0"),
        (lambda: WarmUp(Constant(1.0), 0), "warm_up_steps of WarmUp must be a whole number, 1 or more: got 0"),
    ],
)
def test_illegal_settings(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert re.fullmatch(rf"{re.escape(message)}; use {message.split()[0]}=[\d.]+", str(caught.value))
