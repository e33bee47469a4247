"""Grades: points by step, for one folder or a class; and tests for other graders."""

import hashlib
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.errors import FileError, SettingError, install_command
from deltarule.learn.lessons.course import FILE, Mark, examine_all, read_file
from deltarule.learn.lessons.exercises import Exercise, find_step, read_table, says, steps, template
from deltarule.learn.lessons.worker import Worker
from deltarule.randomness import generator


class Grade(NamedTuple):
    """The results of a student's exercises (`marks`), which are empty if there is no file."""

    student: str
    marks: list[Mark]

    @property
    def score(self) -> int:
        """The points of the steps that are right."""
        return sum(each.exercise.points for each in self.marks if each.state == "right")

    @property
    def slips(self) -> list[str]:
        """The named mistakes, as "step: mistake"."""
        named = [each for each in self.marks if each.fault is not None and each.fault.is_named]
        return [f"{each.exercise.id}: {each.fault.says}" for each in named if each.fault is not None]

    def to_json_dict(self) -> dict[str, Any]:
        """The grade in the form that Gradescope reads from results.json."""
        found = {each.exercise.id: each for each in self.marks}
        tests = [_test_row(step, found.get(step.id)) for step in steps()]
        output = says("grade.total", score=self.score, points=MOST_POINTS) if self.marks else says("grade.no_file")
        return {"score": self.score, "output": output, "output_format": "text", "tests": tests}


MOST_POINTS = sum(step.points for step in steps())


def _test_row(step: Exercise, mark: Mark | None) -> dict[str, Any]:
    is_right = mark is not None and mark.state == "right"
    return {
        "number": str(step.number),
        "name": step.title,
        "score": step.points if is_right else 0,
        "max_score": step.points,
        "status": "passed" if is_right else "failed",
        "output": mark_text(mark) if mark is not None else says("grade.no_file"),
        "visibility": "visible",
    }


def mark_text(mark: Mark) -> str:
    """The result of an exercise in one line: "right", or "wrong: " and what is wrong."""
    return f"{mark.state}: {mark.words}" if mark.words else mark.state


def grade_file(
    path: Path, worker: Worker, secret: str = "", student: str = "", exercises: Sequence[Exercise] = ()
) -> Grade:
    """Grade a file. With a secret, the test data depend on it and on the student, and are the same every time."""
    word = hashlib.sha256(f"{secret}\0{student}".encode()).digest()
    rng = generator(int.from_bytes(word[:6]), "grade") if secret else None
    return Grade(student, examine_all(exercises or steps(), read_file(path), worker, rng) if path.is_file() else [])


def grade_folders(folder: Path, worker: Worker, secret: str = "", student: str = "") -> list[Grade]:
    """The grade of a folder with a network.py; else those of the folders in it, by name. SettingError without any."""
    if not folder.is_dir():
        raise SettingError(says("grade.no_folder", folder=folder))
    if (folder / FILE).is_file():
        return [grade_file(folder / FILE, worker, secret, student or folder.resolve().name)]
    folders = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith(".")]
    if not folders:
        raise SettingError(says("grade.no_folder", folder=folder))
    return [grade_file(each / FILE, worker, secret, each.name) for each in folders]


def class_report(grades: Sequence[Grade]) -> dict[str, Any]:
    """A report on a class: each student's grade, how many have each step right, and the mistakes, commonest first."""
    students: dict[str, list[str]] = {}
    for each in grades:
        for slip in each.slips:
            students.setdefault(slip, []).append(each.student)
    order = sorted(students, key=lambda slip: (-len(students[slip]), slip))
    right = [mark.exercise.id for each in grades for mark in each.marks if mark.state == "right"]
    return {
        "students": {each.student: each.to_json_dict() for each in grades},
        "steps": {step.id: right.count(step.id) for step in steps()},
        "slips": [{"says": slip, "students": students[slip]} for slip in order],
    }


def check_step(step: str, path: str = FILE, secret: str = "", student: str = "") -> str:
    """Whether a step is right in a file: "right", or one line on what is wrong. For notebooks and other graders."""
    with Worker() as worker:
        marks = grade_file(Path(path), worker, secret, student, [find_step(step)]).marks
    return mark_text(marks[0]) if marks else says("grade.no_file")


def write_tests(folder: Path, secret: str) -> list[Path]:
    """Write tests for Otter, nbgrader and Gradescope, and network.py to fill in. FileError if a file exists."""
    texts = read_table("formats.toml")

    def fill(text: str, **values: Any) -> str:
        text = str(texts[text]).lstrip("\n")
        for key, value in values.items():
            text = text.replace(f"<<{key}>>", str(value))
        return text

    cells, files = [_cell("markdown", "introduction", fill("notebook"))], {"nbgrader/network.py": template()}
    for step in steps():
        call = f'"{step.id}"' + (f", secret={secret!r}" if secret else "")
        code = json.dumps(fill("doctest", call=call))
        filled = fill("otter", name=json.dumps(step.id), points=step.points, code=code, hidden=bool(secret))
        files[f"otter/{step.id}.py"] = filled
        cells.append(_cell("code", f"step-{step.number:02}-{step.id}", fill("nbgrader", call=call), step.points))
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    files["nbgrader/network.ipynb"] = json.dumps(notebook, indent=1) + "\n"
    files["gradescope/setup.sh"] = fill("setup", install=install_command())
    files["gradescope/run_autograder"] = fill("run_autograder", secret=shlex.quote(secret))
    paths = [folder / name for name in files]
    if taken := [path for path in paths if path.exists()]:
        raise FileError(says("grade.exists", path=taken[0]))
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        path.chmod(0o755 if path.parent.name == "gradescope" else 0o644)
    return paths


def _cell(kind: str, name: str, source: str, points: int = 0) -> dict[str, Any]:
    """A cell of a notebook, as nbgrader's third schema describes one: tests are locked, and have points."""
    rules = {"grade": True, "locked": True, "points": points, "solution": False, "task": False}
    marks = {"nbgrader": rules | {"grade_id": name, "schema_version": 3}} if points else {}
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": name.replace("_", "-"), "metadata": marks, "source": source, **more}
