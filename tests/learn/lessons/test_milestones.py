"""A learner's own functions train a network, and the weights are judged here."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deltarule.data.catalog import load
from deltarule.errors import SettingError
from deltarule.learn.lessons import course, milestones
from deltarule.learn.lessons.exercises import template, whole_solution
from deltarule.learn.lessons.milestones import MILESTONES, attain, attain_again
from deltarule.learn.lessons.worker import Worker
from deltarule.training.evaluation import evaluate

DOG, XOR, MNIST = MILESTONES


def test_the_solution_learns_the_dog_and_xor(worker: Worker) -> None:
    for milestone in (DOG, XOR):
        assert attain(milestone, whole_solution(), worker).is_reached


def test_without_mnist_the_bundled_digits_stand_in(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milestones, "OF_DIGITS", milestones.OF_DIGITS._replace(rounds=2))
    rounds: list[int] = []
    result = attain(MNIST, whole_solution(), worker, lambda number, accuracy: rounds.append(number))
    assert (result.milestone.name, rounds) == ("digits", [1, 2])
    assert 0.5 < result.accuracies[0] < result.accuracies[1] < result.milestone.reach


def folder_of(folder: Path, code: str, *reached: str) -> Path:
    """A learner's folder, in which these milestones were reached."""
    (folder / "network.py").write_text(code, encoding="utf-8")
    (folder / ".learn.json").write_text(json.dumps({"milestones": dict.fromkeys(reached, 1.0)}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("milestone", [DOG, XOR, MNIST], ids=lambda each: each.name)
def test_the_last_milestone_becomes_a_model_as_good_as_it(
    milestone: milestones.Milestone, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milestones, "OF_DIGITS", milestones.OF_DIGITS._replace(rounds=2))
    names = [each.name for each in MILESTONES[: MILESTONES.index(milestone) + 1]]
    reached: list[float] = []
    model, name = attain_again(folder_of(tmp_path, whole_solution(), *names), worker, lambda _, a: reached.append(a))
    splits = load(name, offline=True)
    assert name == ("digits" if milestone is MNIST else milestone.name)
    assert evaluate(model, splits.test or splits.train).score == pytest.approx(reached[-1])
    assert sorted(each.name for each in tmp_path.iterdir()) == [".learn.json", "network.py"]


def test_without_a_milestone_or_a_program_the_command_is_named(worker: Worker, tmp_path: Path) -> None:
    for folder in (folder_of(tmp_path, whole_solution()), tmp_path / "nowhere"):
        with pytest.raises(SettingError, match=r"no milestone yet.*run  deltarule learn .*(nowhere|[0-9])$"):
            attain_again(folder, worker, print)
    (folder_of(tmp_path, "", "xor") / "network.py").unlink()
    with pytest.raises(SettingError, match="no milestone yet"):
        attain_again(tmp_path, worker, print)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda code: code.replace("for _ in range(epochs):", "while True:"), "Step 14 is wrong: fix it first"),
        (lambda _: template(), "write them first"),
        (lambda code: f"{code}\nwhile True:\n    pass\n", "Step 1 is wrong: fix it first"),
    ],
    ids=["train", "template", "file"],
)
def test_a_program_that_never_returns_or_is_unfinished_is_refused(
    edit: Callable[[str], str], problem: str, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "SECONDS", 0.5)
    code = edit(whole_solution())
    assert code != whole_solution()
    with pytest.raises(SettingError, match=f"can no longer be trained: .*{problem}"):
        attain_again(folder_of(tmp_path, code, "cute-dog"), worker, print)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda code: code.replace("return weights, biases", "return None"), "did not return arrays"),
        (lambda code: code.replace("return weights, biases", "return biases, weights"), "of the right shapes"),
        (lambda code: code.replace("range(epochs)", "range(nothing)"), "train raised NameError"),
        (lambda code: code.replace("1 / (1 + np.exp(-z))", "1 / (1 + np.exp(z))"), ""),
    ],
    ids=["nothing", "swapped", "error", "no minus"],
)
def test_what_does_not_train_says_why(edit: Callable[[str], str], problem: str, worker: Worker) -> None:
    result = attain(DOG, edit(whole_solution()), worker)
    assert not result.is_reached
    assert problem in result.problem
    assert bool(problem) == bool(result.problem)
