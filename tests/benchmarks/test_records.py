"""How benchmarks/records.py draws digits anew, and what it says of two contenders."""

from typing import Any

import numpy as np
import pytest

import deltarule as dr


@pytest.fixture(scope="module")
def images() -> Any:
    return dr.load_data("digits").train.inputs[:200]


@pytest.mark.parametrize(("view", "width"), [("width 12", 12), ("width 16", 16), ("upright, width 14", 14)])
def test_a_view_has_its_width(module: Any, images: Any, view: str, width: int) -> None:
    ink = module.drawn(images, view).reshape(-1, 28, 28) > 64
    widths = [np.ptp(np.flatnonzero(each.any(axis=0))) + 1 for each in ink]
    assert abs(np.median(widths) - width) <= 1


def test_an_upright_digit_does_not_lean(module: Any, images: Any) -> None:
    leaning = [abs(maps[0]) for maps in module.ink_maps(images, True, None)[1]]
    upright = [abs(maps[0]) for maps in module.ink_maps(module.drawn(images, "upright"), True, None)[1]]
    assert np.median(upright) < 0.2 * np.median(leaning)


def test_contenders_are_compared_by_what_each_alone_has_right(module: Any) -> None:
    first, second = np.array([1, 1, 1, 1, 0, 1, 0], bool), np.array([1, 0, 0, 0, 1, 1, 0], bool)
    assert module.compared(first, second) == {"only_this": 3, "only_other": 1, "p": 0.625}
    assert module.compared(first, first)["p"] == 1.0


def test_the_plan_names_its_teachers_before_their_students(module: Any) -> None:
    seen = set[str]()
    for run in module.plan().values():
        assert set(run.teachers) <= seen
        seen.add(run.name)
