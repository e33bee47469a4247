"""How benchmarks/records.py draws digits anew, and what it says of two contenders."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
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
        assert set(module.committees().get(run.teachers, [])) <= seen
        seen.add(run.name)
    assert {each for members in module.committees().values() for each in members} <= seen


def test_answers_are_kept_for_what_the_plan_has(module: Any) -> None:
    kept = {path for path in module.KEPT.rglob("*.*") if path.suffix in (".json", ".npz")}
    planned = {run.answers(final) for run in module.plan().values() for final in (False, True) if run.facts(final)}
    assert kept == planned | {path.with_suffix(".json") for path in planned}


SMALL = {
    "committee": [{"name": "both", "members": ["one", "two"]}],
    "run": [
        {"name": "one", "view": "upright"},
        {"name": "two", "seed": 1},
        {"name": "student, seed 0", "teachers": "both"},
        {"name": "no hidden layer", "is_trial": True, "changes": ["network.hidden=[]", "training.epochs=3"]},
    ],
}


@pytest.fixture
def small(module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """records.py with a small plan in a folder of its own: takes its arguments, returns the folder of its results."""
    changes = ["network.hidden=[16]", "training.epochs=3", "training.augment.elastic_alpha=0.0"]
    rows = [{"recipe": "ten-minutes", "data": "digits", "changes": changes} | row for row in SMALL["run"]]
    monkeypatch.setattr(module, "planned", lambda: {"committee": SMALL["committee"], "run": rows})
    for name, folder in (("WORK", "work"), ("RESULTS", "results"), ("KEPT", "results/records")):
        monkeypatch.setattr(module, name, tmp_path / folder)
    monkeypatch.setattr(module, "COPIES", 2)
    caches = module.plan, module.committees

    def records(*arguments: str) -> Path:
        for cache in caches:
            cache.cache_clear()
        monkeypatch.setattr(sys, "argv", ["records.py", *arguments])
        module.main()
        return tmp_path / "results"

    yield records
    for cache in caches:
        cache.cache_clear()


def test_the_test_labels_are_opened_once_for_each_final_network(
    module: Any, small: Callable[..., Path], tmp_path: Path
) -> None:
    results = small("--final", "--minutes", "1", "--runs", "one;two")
    assert not (results / "records_test.json").exists()
    shutil.rmtree(tmp_path / "work")  # on another machine
    small("--final", "--open-test")
    log = (results / "records_test.json").read_text(encoding="utf-8")
    small("--final", "--open-test")
    assert (results / "records_test.json").read_text(encoding="utf-8") == log
    rows = json.loads(log)
    assert [(row["workload"], row["copies"]) for row in rows] == [
        (name, copies) for name in ("one", "two", "both") for copies in (0, module.COPIES)
    ]
    labels = dr.load_data("digits").test.targets
    assert all(len(row["wrong"]) == round((1 - row["accuracy"]) * len(labels)) for row in rows)
    assert rows[4]["multiply_adds"] == rows[0]["multiply_adds"] + rows[2]["multiply_adds"]
    assert rows[0]["accuracy"] > 0.3


def test_a_student_needs_the_networks_of_its_teachers(module: Any, small: Callable[..., Path], tmp_path: Path) -> None:
    results = small("--minutes", "1")
    rows = json.loads((results / "records.json").read_text(encoding="utf-8")) if small("--report") else []
    assert [row["workload"] for row in rows[::2]] == ["one", "two", "student, seed 0", "no hidden layer", "both"]
    kept = {file: file.read_bytes() for file in (results / "records").rglob("*.npz")}
    shutil.rmtree(tmp_path / "work")
    (results / "records/held-out/student-seed-0.json").unlink()
    small("--minutes", "1")
    assert {file: file.read_bytes() for file in (results / "records").rglob("*.npz")} == kept
    assert sorted(path.name for path in (tmp_path / "work/held-out").iterdir()) == ["one", "student, seed 0", "two"]


def test_a_student_that_was_stopped_learns_the_same(small: Callable[..., Path], tmp_path: Path) -> None:
    file = small("--minutes", "1", "--runs", "one;two;student, seed 0") / "records/held-out/student-seed-0.npz"
    at_once = np.load(file)["averaged"]
    file.with_suffix(".json").unlink()
    shutil.rmtree(tmp_path / "work/held-out/student, seed 0")
    small("--minutes", "1e-9", "--runs", "student, seed 0")
    assert not (tmp_path / "work/held-out/student, seed 0/model.safetensors").exists()
    small("--minutes", "1", "--runs", "student, seed 0")
    assert np.array_equal(np.load(file)["averaged"], at_once)
