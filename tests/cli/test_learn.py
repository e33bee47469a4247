"""`deltarule learn`: where one is, hints, training, and grades, as the command line shows them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltarule.learn.lessons import milestones
from deltarule.learn.lessons.exercises import find_step, repairs, template, whole_solution

Command = Callable[..., Any]
SLIP = whole_solution().replace("return delta.sum(axis=0)", "return np.sum(delta)")


def test_the_first_call_writes_the_file_and_shows_the_first_step(deltarule: Command) -> None:
    result = deltarule("learn")
    assert (result.code, result.err) == (0, f"written  {Path('my-network', 'network.py')}\n")
    assert Path("my-network", "network.py").read_text(encoding="utf-8") == template()
    assert "0 of 16 steps are right" in result.out
    assert find_step("1").says in result.out
    assert "def sigmoid_prime(z):" in result.out


def test_a_wrong_answer_is_named_with_function_and_line(deltarule: Command) -> None:
    Path("network.py").write_text(SLIP, encoding="utf-8")
    result = deltarule("learn")
    assert "15 of 16 steps are right in network.py." in result.out
    line = 1 + SLIP[: SLIP.index("def bias_gradient")].count("\n")
    assert f"bias_gradient, line {line}: np.sum without an axis" in result.out.split("--hint")[1]
    assert result.code == 1
    rows = deltarule("learn", "--json").json
    assert (rows["next"], rows["exercises"][9]["state"], rows["exercises"][9]["is_named"]) == (
        "bias_gradient",
        "wrong",
        True,
    )
    assert [row["state"] for row in rows["exercises"]].count("right") == 15


def test_hints_solutions_and_steps_are_shown(deltarule: Command) -> None:
    step = find_step("softmax")
    hints = [deltarule("learn", "--step", "3", "--hint").out for _ in range(2)]
    assert hints == [f"hint {n}   {step.hints[n - 1]}\n" for n in (1, 2)]
    code = "         " + "\n         ".join(step.solution.strip().splitlines()[1:])
    assert deltarule("learn", "--step", "3", "--hint").out.endswith(f"\n\n{code}\n")
    assert deltarule("learn", "--solution").out.strip() == find_step("1").solution.strip()
    assert deltarule("learn", "--step", "BP9").code == 2
    assert "dC/db^l_j = sum_i delta^l_ij" in deltarule("learn", "--step", "bias_gradient").out
    assert deltarule("learn", "--step", "adam", "--json").json["number"] == 16


@pytest.mark.parametrize(
    ("code", "state", "words", "exit_code"),
    [
        (whole_solution(), "right", "", 0),
        (template(), "to do", "", 0),
        (SLIP, "wrong", "np.sum without an axis adds up", 1),
        (SLIP.replace("np.sum(delta)", "open(delta)"), "refused", "open is not allowed", 1),
    ],
)
def test_a_step_is_shown_with_its_verdict(
    deltarule: Command, code: str, state: str, words: str, exit_code: int
) -> None:
    Path("network.py").write_text(code, encoding="utf-8")
    result = deltarule("learn", "--step", "bias_gradient")
    assert result.code == exit_code
    shown, verdict = result.out.split(f"Your code in network.py: {state}.")
    assert find_step("10").says.split()[0] in shown
    assert words in verdict
    assert bool(verdict.strip()) == bool(words)
    assert deltarule("learn", "--step", "bias_gradient", "--json").json["state"] == state
    assert deltarule("learn", "--step", "momentum").code == 0


def test_a_broken_network_says_what_a_guess_is_worth(deltarule: Command) -> None:
    Path("network.py").write_text(whole_solution(), encoding="utf-8")
    Path("broken").mkdir()
    texts = [repair.solution for repair in repairs()]
    for n, guess in enumerate(("sigmoid", "", "update")):
        texts[n] = repairs()[n].stub.replace('GUESS = ""', f'GUESS = "{guess}"')
    for repair, text in zip(repairs(), texts, strict=True):
        Path("broken", f"{repair.number:02}.py").write_text(text, encoding="utf-8")
    result = deltarule("learn")
    assert "16 of 16 steps are right" in result.out
    assert "can be trained (cute-dog, xor, mnist)" in result.out
    assert [line.split()[1] for line in result.out.splitlines()[18:30]] == ["broken"] * 3 + ["repaired"] * 9
    shown = {line[:5]: line for line in result.out.splitlines() if line[2:5] == ".py"}
    assert "Broken networks" in result.out
    assert "Yes, it is sigmoid" in shown["01.py"]
    assert "02.py" not in shown
    assert "not in update" in shown["03.py"]
    assert repairs()[3].says in shown["04.py"]
    assert deltarule("learn", "--step", "broken-02", "--solution").out.strip() == f"loss: {repairs()[1].says}"
    assert "broken/02.py: The printed loss" in deltarule("learn", "--step", "broken-02").out


def test_training_reaches_the_milestones_and_remembers(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milestones, "OF_DIGITS", milestones.OF_DIGITS._replace(rounds=1, reach=0.5))
    Path("network.py").write_text(whole_solution(), encoding="utf-8")
    result = deltarule("learn", "--train")
    assert result.code == 0
    assert "digits" in result.out
    assert "MNIST is not on this machine" in result.out
    text = deltarule("learn").out
    assert "16 of 16 steps are right" in text
    assert "can be trained" not in text
    Path("network.py").write_text(template(), encoding="utf-8")
    failed = deltarule("learn", "--train")
    assert failed.code == 1
    assert "needs steps 1 and 4 to 14" in failed.out
    by_chapter_8 = whole_solution()
    for step in map(find_step, ("relu", "softmax", "momentum", "adam")):  # of chapters 9 and 10
        by_chapter_8 = by_chapter_8.replace(step.solution, step.stub)
    Path("network.py").write_text(by_chapter_8, encoding="utf-8")
    assert deltarule("learn", "--train").code == 0
    assert "12 of 16 steps are right" in deltarule("learn").out
    Path("network.py").write_text(whole_solution().replace("(a - t) * prime(z)", "(a - t)"), encoding="utf-8")
    assert deltarule("learn", "--train").out.startswith("Step 8 is wrong: fix it first.")


def test_grades_are_printed_for_one_and_for_a_class(deltarule: Command) -> None:
    for student, code in (("ann", whole_solution()), ("bob", SLIP)):
        Path("all", student).mkdir(parents=True)
        Path("all", student, "network.py").write_text(code, encoding="utf-8")
    assert deltarule("learn", "grade", Path("all", "bob"), "--secret", "s", "--json").json["score"] == 75
    assert "75 of 80 points" in deltarule("learn", "grade", Path("all", "bob")).out
    report = deltarule("learn", "grade", "all")
    assert "bias_gradient: np.sum without an axis" in report.out
    assert "(bob)" in report.out
    assert set(deltarule("learn", "grade", "all", "--json").json["students"]) == {"ann", "bob"}


def test_tests_for_other_graders_are_written(deltarule: Command) -> None:
    result = deltarule("learn", "grade", "--tests", "out")
    assert (result.code, result.err.count("written")) == (0, 20)
    assert Path("out", "otter", "adam.py").exists()
    assert deltarule("learn", "grade", "--tests", "out").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a", "b"], "learn takes one folder: got a b"),
        (["grade"], "learn grade takes one folder"),
        (["grade", "a", "b"], "learn grade takes one folder"),
        (["grade", "nowhere"], "neither a network.py"),
    ],
)
def test_wrong_use_says_what_is_right(arguments: list[str], words: str, deltarule: Command) -> None:
    result = deltarule("learn", *arguments)
    assert (result.code, result.out) == (2, "")
    assert words in result.err


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as POSIX has it")
def test_watching_answers_when_the_file_is_saved(heeded_interrupts: None) -> None:
    Path("network.py").write_text(template(), encoding="utf-8")
    command = [sys.executable, "-m", "deltarule", "learn", ".", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        start = time.perf_counter()
        Path("network.py").write_text(f"import numpy as np\n{find_step('1').solution}", encoding="utf-8")
        lines.append(process.stdout.readline())
        print(f"answered after {time.perf_counter() - start:.2f} s")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert lines[0] == "Watching network.py; stop with Ctrl-C\n"
    assert lines[1].startswith("0 of 16 steps  step 1 (The sigmoid and its slope) is to do")
    assert lines[2].startswith("1 of 16 steps  step 2 ")
