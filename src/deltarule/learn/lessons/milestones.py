"""What a learner's own network is trained on, with nothing but the learner's functions: a dog, xor, and digits."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.catalog import find_default, load
from deltarule.data.dataset import Dataset, Splits
from deltarule.learn.lessons.child import Special
from deltarule.learn.lessons.exercises import says
from deltarule.learn.lessons.worker import Request, Worker
from deltarule.nn.network import Network, outputs_of
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator


class Milestone(NamedTuple):
    """A task. sizes: the hidden layers. rounds: calls of `train`, each of some epochs, until `reach` is reached.

    reach: the accuracy to reach; that of the digits at hand is lower where MNIST is not here.
    """

    name: str
    hidden: tuple[int, ...]
    rounds: int
    epochs: int
    batch_size: int
    rate: float
    reach: float
    seconds: float


MILESTONES = (
    Milestone("cute-dog", (), 1, 200, 20, 3.0, 0.80, 30.0),
    Milestone("xor", (8,), 1, 3000, 4, 4.0, 1.0, 30.0),
    Milestone("mnist", (30,), 30, 1, 10, 3.0, 0.95, 120.0),
)
OF_DIGITS = Milestone("digits", (30,), 30, 1, 10, 3.0, 0.84, 60.0)


class Attainment(NamedTuple):
    """What training has come to: the accuracy by round, and why it ended early, if it did."""

    milestone: Milestone
    accuracies: list[float]
    problem: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the last accuracy is high enough."""
        return bool(self.accuracies) and self.accuracies[-1] >= self.milestone.reach


def data_of(milestone: Milestone) -> tuple[Milestone, Splits]:
    """The milestone's data; where MNIST is not on this machine, the bundled digits and what is reached there."""
    if milestone.name != "mnist":
        return milestone, load(milestone.name, offline=True)
    splits, _ = find_default(offline=True)
    return (milestone if splits.train.name == "mnist" else OF_DIGITS), splits


def inputs_and_targets(data: Dataset, like: Dataset) -> tuple[Any, Any]:
    """Numbers for a learner's network: pixels from 0 to 1, or columns standardized as those of `like`."""
    X = data.inputs / 255 if data.inputs.dtype == np.uint8 else data.inputs - like.inputs.mean(axis=0)
    if data.inputs.dtype != np.uint8:
        X = X / like.inputs.std(axis=0)
    return X, data.targets.astype(float) if data.targets.ndim == 2 else np.eye(data.n_outputs)[data.targets]


def attain(
    milestone: Milestone, source: str, worker: Worker, show: Callable[[int, float], None] = lambda *_: None
) -> Attainment:
    """Train with a learner's functions, and judge the weights here. show: gets round and accuracy."""
    milestone, splits = data_of(milestone)
    train, test = splits.train, splits.test or splits.train
    inputs, targets = inputs_and_targets(train, train)
    kinds: dict[str, Any] = {"hidden": "sigmoid", "output": "sigmoid", "loss": "quadratic", "task": "values"}
    network = Network((train.n_features, *milestone.hidden, targets.shape[1]), **kinds, dtype=np.float64)
    network.parameters.vector[:] = generator(0, "start").normal(0.0, 1.0, network.parameters.size)
    own = [[Special("own", name)] * len(network.weights) for name in ("sigmoid", "sigmoid_prime")]
    reached: list[float] = []
    for number in range(1, milestone.rounds + 1):
        given: list[Any] = [inputs, targets, list(network.weights), list(network.biases), *own, milestone.epochs]
        given += [milestone.batch_size, milestone.rate, Special("rng", [number, 0])]
        replies = worker.ask(Request(source, "", [("train", given)], watched=False), milestone.seconds)
        message = replies.messages[0] if replies.messages else {}
        if not take(message.get("value"), network.parameters):
            key, kind, words = (
                ("raised" if "error" in message else "nothing"),
                message.get("error"),
                message.get("words"),
            )
            return Attainment(milestone, reached, says(f"milestone.{key}", kind=kind, words=words))
        outputs = outputs_of(network, inputs_and_targets(test, train)[0])
        found = outputs.argmax(axis=1) if test.targets.ndim == 1 else outputs >= 0.5
        reached.append(float((found == test.targets).mean()))
        show(number, reached[-1])
        if reached[-1] >= milestone.reach:
            break
    return Attainment(milestone, reached)


def take(value: Any, parameters: Parameters) -> bool:
    """Whether `train` returned weights and biases that fit; if so, they become the parameters."""
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(each, list) for each in value)):
        return False
    arrays, room = [*value[0], *value[1]], [*parameters.weights, *parameters.biases]
    if [np.shape(each) for each in arrays] != [each.shape for each in room]:
        return False
    if not all(each.dtype.kind == "f" and np.isfinite(each).all() for each in arrays):
        return False
    for old, new in zip(room, arrays, strict=True):
        old[...] = new
    return True
