"""Train a network with a learner's functions alone, on cute-dog, xor, and MNIST or the bundled digits."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.catalog import find_default, load
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import SettingError
from deltarule.learn.lessons.child import Special
from deltarule.learn.lessons.course import Course, Mark, examine_all, read_file
from deltarule.learn.lessons.exercises import says, steps
from deltarule.learn.lessons.worker import Request, Worker
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator


class Milestone(NamedTuple):
    """A training task: at most `rounds` calls of `train`, each of `epochs` epochs, until the accuracy is `reach`."""

    name: str
    hidden: tuple[int, ...]
    rounds: int
    epochs: int
    batch_size: int
    rate: float
    reach: float


MILESTONES = (
    Milestone("cute-dog", (), 1, 200, 20, 3.0, 0.80),
    Milestone("xor", (8,), 1, 3000, 4, 4.0, 1.0),
    Milestone("mnist", (30,), 30, 1, 10, 3.0, 0.95),
)
OF_DIGITS = Milestone("digits", (30,), 30, 1, 10, 3.0, 0.84)
SECONDS = 120.0  # for a call; an epoch of MNIST takes 10 s on two cores
NEEDED = (0, *range(3, 14))  # the places of the steps that training needs: 1, and 4 to 14
Show = Callable[[int, float], None]  # is given a round and its accuracy


class Attainment(NamedTuple):
    """The result of training: the accuracy after each round, and why training failed, or ""; the network as a model."""

    milestone: Milestone
    accuracies: list[float]
    problem: str = ""
    model: Model | None = None

    @property
    def is_reached(self) -> bool:
        """Whether the last accuracy is at least that of the milestone."""
        return bool(self.accuracies) and self.accuracies[-1] >= self.milestone.reach


def data_of(milestone: Milestone) -> tuple[Milestone, Splits]:
    """The milestone and its data; for "mnist" without MNIST on this machine, OF_DIGITS and the bundled digits."""
    if milestone.name != "mnist":
        return milestone, load(milestone.name, offline=True)
    splits, _ = find_default(offline=True)
    return (milestone if splits.train.name == "mnist" else OF_DIGITS), splits


def inputs_and_targets(data: Dataset, like: Dataset) -> tuple[Any, Any]:
    """The inputs, pixels from 0 to 1 or columns standardized as those of `like`; the targets, floats (n, outputs)."""
    X = data.inputs / 255 if data.inputs.dtype == np.uint8 else data.inputs - like.inputs.mean(axis=0)
    if data.inputs.dtype != np.uint8:
        X = X / like.inputs.std(axis=0)
    return X, data.targets.astype(float) if data.targets.ndim == 2 else np.eye(data.n_outputs)[data.targets]


def still_missing(marks: Sequence[Mark]) -> str:
    """What keeps the steps with these marks from training, in words; "" if they can."""
    faulty = [marks[place] for place in NEEDED if marks[place].state != "right"]
    wrong = next((mark for mark in faulty if mark.state != "to do"), None)
    key, first = ("learn.fix_first", wrong) if wrong else ("learn.write_first", faulty[0] if faulty else None)
    return says(key, number=first.exercise.number, words=first.words) if first else ""


def attain_again(folder: Path, worker: Worker, show: Show) -> tuple[Model, str]:
    """The network of a learner's folder as a model, and its data: the last milestone reached, trained once more.

    SettingError if there is none, or the functions no longer train it.
    """
    course = Course(folder)
    reached = [each for each in MILESTONES if each.name in course.milestones and course.file.is_file()]
    if not reached:
        raise SettingError(says("milestone.none", folder=folder))
    file = read_file(course.file)
    problem = still_missing(examine_all(steps(), file, worker))
    result = Attainment(reached[-1], [], problem) if problem else attain(reached[-1], file.source, worker, show)
    if result.problem or result.model is None:
        raise SettingError(says("milestone.lost", folder=folder, problem=result.problem))
    return result.model, result.milestone.name


def attain(milestone: Milestone, source: str, worker: Worker, show: Show = lambda *_: None) -> Attainment:
    """Train with a learner's functions; return the accuracy by round."""
    milestone, splits = data_of(milestone)
    train, test = splits.train, splits.test or splits.train
    inputs, targets = inputs_and_targets(train, train)
    test_inputs, test_targets = inputs_and_targets(test, train)
    start = Parameters((train.n_features, *milestone.hidden, targets.shape[1]), dtype=np.float64)
    start.vector[:] = generator(0, "start").normal(0.0, 1.0, start.size)
    network: list[Any] = [list(start.weights), list(start.biases)]
    own, primes = ([Special("own", name)] * len(network[0]) for name in ("sigmoid", "sigmoid_prime"))
    reached: list[float] = []
    for number in range(1, milestone.rounds + 1):
        how = [milestone.epochs, milestone.batch_size, milestone.rate, Special("rng", [number, 0])]
        given = [inputs, targets, *network, own, primes, *how]
        network, problem = answer_of(worker, source, "train", given, [*start.weights, *start.biases])
        if not problem:
            outputs, problem = answer_of(worker, source, "forward", [test_inputs, *network, own], [test_targets])
        if problem:
            return Attainment(milestone, reached, problem)
        right = (outputs >= 0.5) == test_targets if test.targets.ndim == 2 else outputs.argmax(axis=1) == test.targets
        reached.append(float(right.mean()))
        show(number, reached[-1])
        if reached[-1] >= milestone.reach:
            break
    trained = Network(start.layer_sizes, hidden="sigmoid", output="sigmoid", loss="quadratic", dtype=np.float64)
    for mine, given in zip((*trained.weights, *trained.biases), (*network[0], *network[1]), strict=True):
        mine[:] = given
    return Attainment(milestone, reached, model=Model.suited(trained, train))


def answer_of(worker: Worker, source: str, name: str, given: list[Any], like: list[Array]) -> tuple[Any, str]:
    """The result of train or forward, and ""; or None and why, unless its arrays have the shapes of those in `like`."""
    replies = worker.ask(Request(source, "", [(name, given)], watched=False), SECONDS)
    message = replies.messages[0] if replies.messages else {}
    if "error" in message:
        return None, says("milestone.raised", name=name, kind=message["error"], words=message["words"])
    value = message.get("value")
    lists = value if isinstance(value, list) and all(isinstance(each, list) for each in value) else []
    arrays = [each for part in lists for each in part][-len(like) :]
    if [np.shape(each) for each in arrays] != [each.shape for each in like]:
        return None, says("milestone.nothing", name=name)
    return (value if name == "train" else arrays[-1]), ""
