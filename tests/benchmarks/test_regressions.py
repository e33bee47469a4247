"""How benchmarks/regressions.py tells what has become slower."""

from typing import Any

import pytest


def row(benchmark: str, ratio: float, margin: float = 0.1) -> dict[str, Any]:
    ends = {"ratio_low": ratio * (1 - margin), "ratio_high": ratio * (1 + margin)}
    return {"benchmark": benchmark, "workload": "w", "peer": "p", "ratio": ratio} | ends


@pytest.mark.parametrize(
    ("benchmark", "before", "now", "margin", "is_slower"),
    [
        ("peers", 4.0, 2.0, 0.1, True),
        ("peers", 2.0, 4.0, 0.1, False),
        ("peers", 4.0, 3.5, 0.01, False),  # by less than a factor of 1.2
        ("peers", 4.0, 2.5, 0.5, False),  # the intervals meet
        ("kinds", 1.1, 1.6, 0.1, True),  # what a kind costs beside classes
        ("kinds", 1.6, 1.1, 0.1, False),
    ],
)
def test_slower_is_what_two_intervals_show(
    module: Any, benchmark: str, before: float, now: float, margin: float, is_slower: bool
) -> None:
    lines = module.slower([row(benchmark, before, margin)], [row(benchmark, now, margin)], 1.2)
    assert lines == ([f"{benchmark}, w, p: {before:.2f} before, {now:.2f} now"] if is_slower else [])


def test_a_row_without_a_like_is_not_slower(module: Any) -> None:
    assert module.slower([], [row("peers", 1.0)], 1.2) == []
    assert module.slower([row("peers", 9.0)], [row("peers", 1.0) | {"ratio": None}], 1.2) == []


def test_rows_of_a_commit_are_those_of_its_files(module: Any) -> None:
    assert {row["benchmark"] for row in module.rows_of("HEAD", "peers.json")} == {"peers"}
    assert module.rows_of("HEAD", "none.json") == []
