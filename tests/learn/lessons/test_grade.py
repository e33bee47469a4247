"""Grades: points by step, alike for alike secrets, and the same in every grader's format."""

import doctest
import json
import os
import subprocess
from pathlib import Path

import pytest

from deltarule.errors import FileError, SettingError
from deltarule.learn.lessons.exercises import steps, template, whole_solution
from deltarule.learn.lessons.grade import MOST_POINTS, check_step, class_report, grade_folders, write_tests
from deltarule.learn.lessons.worker import Replies, Request, Worker

SLIP = whole_solution().replace("return delta.sum(axis=0)", "return np.sum(delta)")
SLIPS = SLIP.replace("return (delta @ W.T) * prime(z)", "return delta @ W.T")


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    for student, code in (("ann", whole_solution()), ("bob", SLIP), ("cy", SLIPS), ("dee", template()), ("eve", "")):
        folder = tmp_path / "all" / student
        folder.mkdir(parents=True)
        (folder / ("network.py" if code else "else.py")).write_text(code, encoding="utf-8")
    return tmp_path / "all"


def test_a_class_has_points_and_a_report_of_slips(submissions: Path, worker: Worker) -> None:
    grades = grade_folders(submissions, worker, "spring")
    assert [each.score for each in grades] == [MOST_POINTS, MOST_POINTS - 5, MOST_POINTS - 10, 0, 0]
    report = class_report(grades)
    assert report["steps"]["bias_gradient"] == 1
    assert report["steps"]["adam"] == 3
    assert [slip["students"] for slip in report["slips"]] == [["bob", "cy"], ["cy"]]
    assert report["slips"][0]["says"].startswith("bias_gradient: np.sum without an axis")


def test_a_grade_is_what_gradescope_reads(submissions: Path, worker: Worker) -> None:
    (grade,) = grade_folders(submissions / "bob", worker)
    results = json.loads(json.dumps(grade.to_json_dict()))
    assert results["score"] == sum(test["score"] for test in results["tests"]) == MOST_POINTS - 5
    assert sum(test["max_score"] for test in results["tests"]) == MOST_POINTS
    for test, step in zip(results["tests"], steps(), strict=True):
        assert {"name", "number", "score", "max_score", "status", "output", "visibility"} == set(test)
        assert test["name"] == step.title
    assert "np.sum without an axis" in results["tests"][9]["output"]


def test_a_secret_asks_each_student_otherwise_and_the_same_again(
    submissions: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = Worker.ask

    def note_down(self: Worker, request: Request, seconds: float) -> Replies:
        asked.append(str(request.calls))
        return ask(self, request, seconds)

    monkeypatch.setattr(Worker, "ask", note_down)
    for student, secret in (("ann", "s"), ("ann", "s"), ("bob", "s"), ("ann", "")):
        grade_folders(submissions / "ann", worker, secret, student)
    one, again, *others = (asked[n * 16 : n * 16 + 16] for n in range(4))
    assert one == again
    assert all(one[n] != other[n] for other in others for n in range(16))


def test_folders_without_work_are_refused(tmp_path: Path, worker: Worker) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(SettingError, match="neither a network"):
            grade_folders(folder, worker)


def test_the_tests_for_other_graders_find_the_slip(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otter runs the doctests of a dict named test; nbgrader gives a cell its points unless it raises."""
    paths = write_tests(tmp_path / "tests", "spring")
    assert len(paths) == 16 + 2 + 2
    monkeypatch.chdir(submissions / "bob")
    notebook = json.loads((tmp_path / "tests" / "nbgrader" / "network.ipynb").read_text(encoding="utf-8"))
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in notebook["cells"][1:]}
    for number, name, is_right in ((1, "sigmoid", True), (10, "bias_gradient", False)):
        namespace: dict[str, object] = {}
        exec((tmp_path / "tests" / "otter" / f"{name}.py").read_text(encoding="utf-8"), namespace)
        test = namespace["test"]
        assert isinstance(test, dict)
        assert (namespace["OK_FORMAT"], test["name"], test["points"]) == (True, name, 5)
        (suite,) = test["suites"]
        (case,) = suite["cases"]
        parsed = doctest.DocTestParser().get_doctest(case["code"], {}, name, None, None)
        assert doctest.DocTestRunner(verbose=False).run(parsed, out=lambda text: None).failed == (not is_right)
        cell = cells[f"step-{number:02}-{name}"]
        marks = {"grade": True, "locked": True, "points": 5, "schema_version": 3, "solution": False, "task": False}
        assert cell["metadata"]["nbgrader"] == marks | {"grade_id": f"step-{number:02}-{name}"}
        if is_right:
            exec(cell["source"], {})
        else:
            with pytest.raises(AssertionError, match="without an axis"):
                exec(cell["source"], {})


def test_the_tests_overwrite_nothing(tmp_path: Path) -> None:
    write_tests(tmp_path, "")
    with pytest.raises(FileError, match="already exists and is not overwritten"):
        write_tests(tmp_path, "")
    assert "secret" not in (tmp_path / "otter" / "adam.py").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="Gradescope's machines run a shell")
def test_the_script_for_gradescope_is_a_shells(tmp_path: Path) -> None:
    write_tests(tmp_path, "it's $secret")
    script = tmp_path / "gradescope" / "run_autograder"
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    assert "--secret 'it'\"'\"'s $secret' --json" in script.read_text(encoding="utf-8")


def test_a_step_is_checked_by_itself(submissions: Path, tmp_path: Path) -> None:
    assert check_step("bias_gradient", str(submissions / "ann" / "network.py")) == "right"
    assert check_step("1", str(tmp_path / "network.py")) == "there is no network.py"
