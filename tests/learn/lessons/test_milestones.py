"""A learner's own functions train a network, and the weights are judged here."""

from collections.abc import Callable

import pytest

from deltarule.learn.lessons import milestones
from deltarule.learn.lessons.exercises import whole_solution
from deltarule.learn.lessons.milestones import MILESTONES, attain
from deltarule.learn.lessons.worker import Worker

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
