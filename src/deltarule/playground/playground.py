"""The contents of the page: networks to look at, what can be trained, and the current run, if any."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DataError, DeltaruleError, DivergenceError, SettingError, closest
from deltarule.files.model_file import model_bytes
from deltarule.files.page import in_ink, page_example
from deltarule.inspection.diagnosis.diagnose import diagnose_network
from deltarule.inspection.diagnosis.static_findings import LEARNED, chance_loss, sample_of
from deltarule.inspection.measures.metrics import confusion_matrix
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.playground.frames import Control, Watcher, message
from deltarule.recipes import names, read
from deltarule.recipes.build import Job, adapt, build, split
from deltarule.settings import all_settings, check_choice
from deltarule.training.evaluation import evaluate
from deltarule.training.history import History
from deltarule.training.plan import SCORE_NAMES

MOST_IN_CELL = 60  # examples of a cell of the confusion matrix that the page can show
MOST_STREAMED = 1_000_000  # parameters that the page is sent with each frame; those of a larger network come at the end
MOST_HELD_OUT = 5000  # at most so many training examples give the validation curve,
HELD_OUT = 6  # and at most one in so many
FEWEST = 12  # with fewer training examples, none is held out
STOP_SECONDS = 5.0  # how long to wait for a run to stop
SMALLEST_RATE, LARGEST_RATE, MOST_EPOCHS = 1e-9, 1e9, 10_000  # limits of the page, within those of settings.toml
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

Datasets = Mapping[str, Callable[[], Splits]]  # {name: function that loads the data}
Say = Callable[[str], None]


class Start(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="type", tag="start"):
    """An order to train a recipe on data, both named. rate, epochs: replace the recipe's. paused: wait at the start."""

    recipe: Name
    data: Name
    rate: Annotated[float, msgspec.Meta(gt=all_settings()["learning_rate"].low, le=LARGEST_RATE)] | None = None
    epochs: Annotated[int, msgspec.Meta(ge=1, le=MOST_EPOCHS)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=int(all_settings()["seed"].low), lt=2**32)] = 0
    paused: bool = False


class Instruction(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An order to the current run: `Control.obey` explains each."""

    type: Literal["more", "pause", "resume", "step", "stop"]


def parse_order(text: str) -> Start | Instruction:
    """The order in a message. DataError for anything else."""
    try:
        is_start = msgspec.json.decode(text, type=dict[str, Any]).get("type") == "start"
        return msgspec.json.decode(text, type=Start) if is_start else msgspec.json.decode(text, type=Instruction)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise DataError(f"an order in JSON was expected: {error}") from error


@dataclass(frozen=True, eq=False)
class NetworkView:
    """A model that the page shows, and examples for it."""

    model: Model
    examples: Mapping[str, Dataset]  # by part ("train", "test"), as stored; it is judged by the last part

    @cached_property
    def content(self) -> bytes:
        """The bytes of the model file that the page loads."""
        return model_bytes(in_ink(self.model))

    @property
    def test_set(self) -> Dataset:
        """The examples to find the model's mistakes in. SettingError without any, or if the task is not classes."""
        if not self.examples or self.model.task != "classes":
            raise SettingError("finding mistakes needs examples with classes: name some with --data")
        return list(self.examples.values())[-1]

    @cached_property
    def outputs(self) -> Array:
        """The activations of the last layer, (n_samples, outputs), for `test_set`."""
        return self.model.outputs(self.test_set.inputs)

    def example(self, rng: np.random.Generator) -> dict[str, Any]:
        """A random example of the last part in `examples`, for the page. SettingError if there are no examples."""
        if not self.examples:
            raise SettingError("this network came without examples: name some with --data")
        dataset = list(self.examples.values())[-1]
        return page_example(self.model, dataset, int(rng.integers(dataset.n_samples)))

    def mistakes(self) -> dict[str, Any]:
        """The confusion matrix on `test_set` for the page, with the number of examples and of right answers."""
        dataset, predicted = self.test_set, self.outputs.argmax(axis=1)
        counts = {"count": dataset.n_samples, "right": int(np.count_nonzero(predicted == dataset.targets))}
        confusion = confusion_matrix(dataset.targets, predicted, dataset.n_outputs).tolist()
        return counts | {"confusion": confusion, "classNames": self.model.class_names, "data": dataset.name}

    def cell(self, true: int, predicted: int) -> dict[str, Any]:
        """Examples in a cell of the confusion matrix: the surest mistakes, or the least sure right answers, first."""
        a, dataset = self.outputs, self.test_set
        found = np.flatnonzero((dataset.targets == true) & (a.argmax(axis=1) == predicted))
        sure = a[found, predicted] if len(found) else np.empty(0)
        order = np.argsort(sure if true == predicted else -sure, kind="stable")[:MOST_IN_CELL]
        examples = [
            page_example(self.model, dataset, int(i)) | {"predicted": predicted, "probability": float(a[i, predicted])}
            for i in found[order]
        ]
        return {"count": len(found), "examples": examples}


def prepare(order: Start, datasets: Datasets) -> tuple[Job, dict[str, Dataset], list[str]]:
    """(job, examples, changes) for an order: a Job; {part: examples, not scaled}; what changed in the recipe to fit.

    SettingError if the order names an unknown recipe or unknown data; neither name is used as a path.
    """
    check_choice("recipe", order.recipe, tuple(names()))
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
    return job, {"train": train} | ({"test": test} if test else {}), changes


def verdict_on(history: History, network: Network, train: Dataset) -> str | None:
    """Sentences on why a run has learned nothing: first fault, stuck units, fix; None if it has learned something."""
    loss = history.rows[-1]["train_loss"]
    is_stuck = loss is not None and loss > LEARNED * chance_loss(network, sample_of(train))
    faults = diagnose_network(network, train).faults if is_stuck else ()
    says = [each.says for each in faults if each is faults[0] or each.id in ("saturated-units", "dead-relus")][:2]
    return " ".join(["It has learned nothing.", *says, f"Fix: {faults[0].fix}."]) if faults else None


class TrainingRun(threading.Thread):
    """A thread that carries out an order to train; the network goes to the playground; `say` sends messages."""

    def __init__(self, order: Start, playground: "Playground", say: Say) -> None:
        super().__init__(name="training run", daemon=True)
        self.order, self.playground, self.say = order, playground, say
        self.control = Control(paused=order.paused)

    def run(self) -> None:
        """Carry out the order; report the result, or why it is impossible, to the page."""
        try:
            self.train(*prepare(self.order, self.playground.datasets))
        except DeltaruleError as error:
            self.say(message("refused", says=str(error)))
        except MemoryError:
            says = "there is not enough memory for this run: choose smaller data or a smaller batch"
            self.say(message("refused", says=says))
        except Exception as error:  # a fault of ours: the page must not wait, and the terminal shows the traceback
            self.say(message("refused", says=f"the run failed: {type(error).__name__}: {error}"))
            raise

    def train(self, job: Job, examples: dict[str, Dataset], changes: list[str]) -> None:
        """Announce the run to the page, train, test, and report the result."""
        network, trainer, failed = job.model.network, job.trainer, False
        begin = {"sizes": network.layer_sizes, "parameters": network.parameters.size, "changes": changes}
        begin |= {"optimizer": type(trainer.optimizer).__name__, "heldOut": len(job.validation or ())}
        is_small = network.parameters.size <= MOST_STREAMED
        self.playground.trained = view = NetworkView(job.model, examples)
        if is_small:
            _ = view.content  # computed now and cached: later its numbers may not be finite

        def show(frame: str) -> None:
            vars(view).pop("outputs", None)  # the cached ones are old now
            self.say(frame)

        self.say(message("begin", **begin, streamed=is_small))
        trainer.callbacks = [*trainer.callbacks, Watcher(self.control, show)]
        verdict = None
        try:
            history = trainer.fit(job.train, job.validation)
            reason, verdict = history.stop_reason, verdict_on(history, job.model.inner, job.train)
        except DivergenceError as error:
            reason, failed = str(error), True
        part, dataset = list(examples.items())[-1]
        ended = {"reason": reason, "failed": failed, "verdict": verdict, "part": part, "examples": dataset.n_samples}
        self.playground.trained = NetworkView(job.model, examples)
        self.say(message("end", **ended, **{SCORE_NAMES[dataset.task]: evaluate(job.model, dataset).score}))


@dataclass
class Playground:
    """The state of the page: its networks, its data sets and its current run."""

    given: NetworkView  # what the page opens with
    datasets: Datasets  # to train on
    says: Mapping[str, str] = field(default_factory=dict)  # descriptions of the data sets
    run: TrainingRun | None = None  # the current or the last one
    trained: NetworkView | None = None  # the network of the last run
    rng: np.random.Generator = field(default_factory=np.random.default_rng)  # draws the examples that the page asks for
    _one: threading.Lock = field(default_factory=threading.Lock)

    def view(self, which: str) -> NetworkView:
        """The NetworkView called "given" or "trained". SettingError for another name, or before any training."""
        view = {"given": self.given, "trained": self.trained}.get(which)
        if view is None:
            raise SettingError(f"the network of the page is given, or trained here: got {which!r}")
        return view

    def catalogue(self) -> dict[str, Any]:
        """The recipes and data sets that the page offers for training, and the limits for rate and epochs."""
        recipes = []
        for recipe in map(read, names()):
            about, training, schedule = recipe.about, recipe.training, recipe.training.schedule
            row = {"name": about.name, "says": about.says, "data": recipe.data.name, "epochs": training.epochs}
            recipes.append(row | {"rate": schedule.get("rate") if isinstance(schedule, dict) else None})
        return {
            "recipes": recipes,
            "limits": {"rate": [SMALLEST_RATE, LARGEST_RATE], "epochs": [1, MOST_EPOCHS]},
            "datasets": [{"name": name, "says": self.says.get(name, "")} for name in self.datasets],
        }

    def start_run(self, order: Start, say: Say) -> TrainingRun:
        """Start and return a run, after waiting for one that is stopping. SettingError while another is running."""
        with self._one:
            if self.run is not None and self.run.control.stopped:
                self.run.join(timeout=STOP_SECONDS)
            if self.run is not None and self.run.is_alive():
                raise SettingError("one run at a time: another page is training; stop it there first")
            self.run = TrainingRun(order, self, say)
            self.run.start()
            return self.run

    def close(self) -> None:
        """Stop the current run, and wait for it a little."""
        if self.run is not None:
            self.run.control.obey("stop")
            self.run.join(timeout=STOP_SECONDS)
