"""A learner's folder: nothing in it is overwritten, and where one is follows from the files."""

import os
import signal
from pathlib import Path
from threading import Timer

import pytest

from deltarule.errors import SettingError
from deltarule.learn.lessons.course import BROKEN, NOTES, Course, examine_all, read_file
from deltarule.learn.lessons.exercises import find_exercise, find_step, repairs, steps, template, whole_solution
from deltarule.learn.lessons.worker import Replies, Request, Worker


def opened(folder: Path) -> Course:
    course = Course(folder)
    course.open()
    return course


def test_a_new_folder_gets_the_file_and_a_second_time_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert opened(folder).created == [folder / "network.py"]
    assert (folder / "network.py").read_text(encoding="utf-8") == template()
    (folder / "network.py").write_text(template() + "# mine", encoding="utf-8")
    assert opened(folder).created == []
    assert (folder / "network.py").read_text(encoding="utf-8").endswith("# mine")


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text("x = 1 +", encoding="utf-8")
    (tmp_path / "data.csv").write_bytes(b"\xff\x00")
    opened(tmp_path)
    assert (tmp_path / "notes.py").read_text(encoding="utf-8") == "x = 1 +"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "network.py", "notes.py"]


def test_a_folder_of_something_else_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text("def ping(host):\n    pass\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"another program.*deltarule learn my-network"):
        opened(tmp_path)
    with pytest.raises(SettingError, match="the exercises need a folder"):
        opened(tmp_path / "network.py")


def test_a_file_that_was_renamed_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_net.py").write_text(template(), encoding="utf-8")
    with pytest.raises(SettingError, match=r"my_net\.py .* rename it to network\.py"):
        opened(tmp_path)
    assert not (tmp_path / "network.py").exists()


def test_a_file_with_an_error_is_still_the_learners(tmp_path: Path, worker: Worker) -> None:
    (tmp_path / "network.py").write_text("def sigmoid(z)\n    return z\n", encoding="utf-8")
    marks = opened(tmp_path).marks(worker)
    assert {mark.fault.says for mark in marks if mark.fault} == {"Python cannot read the file: expected ':'"}
    assert {mark.fault.line for mark in marks if mark.fault} == {1}


def test_steps_may_be_done_in_any_order(tmp_path: Path, worker: Worker) -> None:
    course = opened(tmp_path)
    course.file.write_text(f"import numpy as np\n{find_step('adam').solution}", encoding="utf-8")
    assert [mark.state for mark in course.marks(worker)] == ["to do"] * 15 + ["right"]


def test_hints_become_plainer_and_the_last_one_stays(tmp_path: Path) -> None:
    course, step = opened(tmp_path), find_step("relu")
    assert [course.hint(step) for _ in range(4)] == [(n, step.hints[n - 1]) for n in (1, 2, 3, 3)]
    for damaged in ("[1, 2]", "{", '{"hints": 3}', '{"hints": {"relu": "x"}}', '{"hints": {"relu": -7}}'):
        (tmp_path / NOTES).write_text(damaged, encoding="utf-8")
        assert course.hint(step) == (1, step.hints[0])
    assert course.milestones == {}


def test_the_broken_networks_come_once_all_steps_are_right(tmp_path: Path, worker: Worker) -> None:
    course = opened(tmp_path)
    course.file.write_text(whole_solution(), encoding="utf-8")
    marks = course.marks(worker)
    assert [mark.state for mark in marks] == ["right"] * len(steps()) + ["wrong"] * len(repairs())
    assert course.created[1:] == [tmp_path / BROKEN / f"{n:02}.py" for n in range(1, 13)]
    first = repairs()[0]
    course.path_of(first).write_text(first.solution, encoding="utf-8")
    assert [mark.state for mark in course.marks(worker)][len(steps())] == "right"
    assert course.path_of(first).read_text(encoding="utf-8") == first.solution


def test_exercises_are_found_by_number_name_and_function() -> None:
    assert find_exercise("9") is find_exercise("hidden_error") is find_step("Hidden_Error")
    assert find_exercise("sigmoid_prime").number == 1
    assert find_exercise("broken-03") is find_exercise("broken/3") is repairs()[2]
    with pytest.raises(
        SettingError, match=r"no step softmaxx: did you mean 'softmax'.* steps are 1 to 16, or sigmoid, relu"
    ):
        find_exercise("softmaxx")


def test_the_worker_goes_on_after_a_call_that_hangs_or_dies() -> None:
    with Worker() as worker:
        loop = Request("def f():\n    while True: pass", "", [("f", [])])
        assert worker.ask(loop, 0.3) == Replies([], "time", is_loaded=True)
        killed = Request("def g():\n    return 2", "", [("g", []), ("g", [])])
        assert [message["value"] for message in worker.ask(killed, 5.0).messages] == [2, 2]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system measures no processor time of a process")
def test_a_machine_that_is_busy_with_something_else_makes_no_call_late() -> None:
    request = Request("def g():\n    return 2", "", [("g", [])])
    with Worker() as worker:
        worker.ask(request, 5.0)
        assert worker._process is not None
        os.kill(worker._process.pid, signal.SIGSTOP)
        Timer(0.5, os.kill, [worker._process.pid, signal.SIGCONT]).start()
        assert [message["value"] for message in worker.ask(request, 0.1).messages] == [2]


def test_a_file_that_never_loads_is_tried_once(tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltarule.learn.lessons.course.SECONDS", 0.2)
    course = opened(tmp_path)
    course.file.write_text(template() + "\nwhile True:\n    pass\n", encoding="utf-8")
    marks = course.marks(worker)
    assert {mark.words.partition(" within")[0] for mark in marks} == {"the file did not load"}
    assert len(marks) == 16


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('GUESS = ""', "GUESS = sigmoid", 'in quotes: GUESS = "sigmoid"'),
        ('GUESS = ""', 'GUESS = "sigmod"', "There is no function sigmod: did you mean 'sigmoid'"),
        ('GUESS = ""', 'GUESS = "loss"', "The mistake is not in loss."),
        ("np.exp(z))", "np.exp(zz))", "name 'zz' is not defined"),
        ("import numpy", "import numpy numpy", "Python cannot read the file"),
    ],
)
def test_a_failed_repair_says_why(old: str, new: str, words: str, tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "01.py"
    path.write_text(repairs()[0].stub.replace(old, new), encoding="utf-8")
    assert words in examine_all(repairs()[:1], read_file(path), worker)[0].words


def test_a_broken_network_gives_nothing_away_before_a_guess(tmp_path: Path, worker: Worker) -> None:
    course = opened(tmp_path)
    course.file.write_text(whole_solution(), encoding="utf-8")
    for mark in course.marks(worker)[len(steps()) :]:
        facts = mark.to_json_dict()
        assert (facts["function"], facts["line"]) == ("", 0)
        assert not any(name in facts["says"] for name in mark.exercise.faulty)
