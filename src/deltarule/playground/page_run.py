"""A run that the page has asked for: a recipe carried out by the Trainer, in a thread of its own."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DeltaruleError, DivergenceError, SettingError, closest
from deltarule.inspection.measures.metrics import evaluate_model
from deltarule.model import Model
from deltarule.playground.frames import Control, Watcher
from deltarule.playground.protocol import Start, message
from deltarule.recipes import names, read
from deltarule.recipes.build import Job, adapt, build, split
from deltarule.recipes.schema import Recipe

MOST_HELD_OUT = 5000  # training examples for the validation curve,
HELD_OUT = 6  # or one of so many
FEWEST = 12  # examples of which some can be held out

Datasets = Mapping[str, Callable[[], Splits]]  # what loads the data that may be named


@dataclass(frozen=True)
class Preparation:
    """A recipe as it is carried out, the objects that do it, and what they work on."""

    recipe: Recipe
    job: Job
    examples: dict[str, Dataset]  # "train" and, where there are any, "test", as they are stored
    changes: list[str]  # what had to be changed for these data, in words


def prepare(order: Start, datasets: Datasets) -> Preparation:
    """What an order asks for. SettingError where it names what does not exist; nothing in it is taken for a path."""
    if order.recipe not in names():
        raise SettingError(f"no recipe is called {order.recipe!r}: {closest(order.recipe, names())}")
    if order.data not in datasets:
        raise SettingError(f"no data here are called {order.data!r}: {closest(order.data, datasets)}")
    original, splits = read(order.recipe), datasets[order.data]()
    recipe, changes = original.on(order.data), list[str]()
    if order.data != original.data.name:
        recipe, changes = adapt(recipe, splits)
    asked = {"training.epochs": order.epochs, "training.schedule.rate": order.rate}
    recipe = recipe.with_changes([f"{path}={value!r}" for path, value in asked.items() if value is not None])
    train, test = split(recipe, splits, order.seed)
    holdout = min(MOST_HELD_OUT, train.n_samples // HELD_OUT) if train.n_samples >= FEWEST else 0
    job = build(recipe, splits, seed=order.seed, holdout=holdout)
    return Preparation(recipe, job, {"train": train} | ({"test": test} if test else {}), changes)


class TrainingRun(threading.Thread):
    """One run, from an order to a trained network.

    say(data, is_frame): is given messages and frames for the page, from this thread.
    result: the trained model, and its examples by the name of their part, once there are any.
    """

    def __init__(self, order: Start, datasets: Datasets, say: Callable[[bytes, bool], None]) -> None:
        super().__init__(name="training run", daemon=True)
        self.order, self.datasets, self.say = order, datasets, say
        self.control = Control(paused=order.paused)
        self.result: tuple[Model, dict[str, Dataset]] | None = None

    def run(self) -> None:
        """Carry out the order; whatever happens, the page hears how it ended."""
        try:
            ready = prepare(self.order, self.datasets)
            self.train(ready)
        except DeltaruleError as error:
            self.tell("refused", says=str(error))
        except MemoryError:
            self.tell("refused", says="there is not enough memory for this run: choose smaller data or a smaller batch")

    def train(self, ready: Preparation) -> None:
        """Tell what is about to learn, from what; train, test, and tell how it went."""
        job, recipe, reason, failed = ready.job, ready.recipe, None, False
        self.tell(
            "begin",
            recipe=recipe.about.name,
            says=recipe.about.says,
            data=recipe.data.name,
            changes=ready.changes,
            sizes=job.model.network.layer_sizes,
            parameters=job.model.network.parameters.size,
            optimizer=type(job.trainer.optimizer).__name__,
            batch=job.trainer.batch_size,
            learnFrom=job.train.n_samples,
            heldOut=job.validation.n_samples if job.validation else 0,
            imageShape=job.train.image_shape,
        )
        watcher = Watcher(self.control, lambda data: self.say(data, True), job.trainer.engine)
        job.trainer.callbacks = [*job.trainer.callbacks, watcher]
        try:
            reason = job.trainer.fit(job.train, job.validation).stop_reason
        except DivergenceError as error:
            reason, failed = str(error), True
        self.result = job.model, ready.examples
        which, dataset = list(ready.examples.items())[-1]
        report = evaluate_model(job.model, dataset)
        facts = {"part": which, "examples": report.examples, "loss": report.loss, report.score_name: report.score}
        self.tell("end", reason=reason, failed=failed, **facts)

    def tell(self, kind: str, **facts: Any) -> None:
        """Say a message that is no frame."""
        self.say(message(kind, **facts), False)
