"""Trainer, the training loop, which has the engine take some steps per call; and fit, which trains on arrays."""

import dataclasses
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation, deformation_of
from deltarule.data.dataset import Dataset
from deltarule.errors import LOG, DivergenceError, SettingError, sentence
from deltarule.examples import check_data, examples_for, validation_examples, warn_of_data
from deltarule.model import take_meaning
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_meaning
from deltarule.nn.optimizers import Adam, Optimizer
from deltarule.nn.penalties import L2, Penalty
from deltarule.parts import Spec, resolve
from deltarule.public import Named, check_network, public
from deltarule.randomness import generator
from deltarule.settings import BatchSize, TrainingNumbers, brief, check, setting_error
from deltarule.targets import check_weights
from deltarule.training.callbacks import Callback, EarlyStopping, TrainingState, call_all, callbacks_of
from deltarule.training.clip_and_average import ClipNorm, Latest, MovingAverage, NoClipping
from deltarule.training.engine import REFERENCE, Engine, engine
from deltarule.training.evaluation import BLOW_UP, are_finite, divergence, loss_and_score
from deltarule.training.history import History, Monitor, Row
from deltarule.training.plan import SCORE_NAMES, Buffers, Outcome, Plan, Score, samples_per_step, steps_per_epoch
from deltarule.training.schedules import Constant, ReduceOnPlateau, Schedule, schedule_of, schedules_in, warn_of_length
from deltarule.training.snapshot import Snapshot, data_in_words, in_words

STRETCH_WEIGHTS = 2**33  # weights times samples of one call: about a tenth of a second
STRETCH_INPUTS = 2**23  # the most numbers in the deformed images of one call
APART = ("network", "engine", "callbacks")  # fields that `identity` describes in another way, or leaves out
FIRST_LOOK = 10_000  # training samples to evaluate epoch 0 on


@public("Trainer(network=network).fit(dr.Dataset(X, y))", is_inner=True)
@dataclass(kw_only=True)
class Trainer(TrainingNumbers, metaclass=Named):
    """The training of a network; `fit` runs it. Every part is an object, or what the function `fit` accepts for it.

    optimizer, schedule (step -> learning rate), penalty: how a step updates the parameters.
    epochs: passes over the training set; batch_size: samples per step, None for all of them.
    augment: deform every training image anew at each step.
    average: a moving average of the parameters as the result, or none. clip: gradient clipping, or none.
    engine: "numpy", "native", or "auto": native if it supports every part.
    callbacks: called in order.
    monitor: the history's column for choosing the best epoch, if there is a validation set.
    seed: for shuffling, dropout and augmentation, each with its own stream of random numbers.
    """

    network: Network
    optimizer: Optimizer = field(default_factory=Adam)
    schedule: Schedule = field(default_factory=lambda: Constant(0.001))
    penalty: Penalty = field(default_factory=Penalty)
    augment: Deformation | None = None
    average: Latest = field(default_factory=Latest)
    clip: NoClipping = field(default_factory=NoClipping)
    engine: Engine = REFERENCE
    callbacks: Sequence[Callback] = ()
    monitor: str = "validation_loss"

    def __post_init__(self) -> None:
        check_network(self.network, "dr.Trainer(network=network)", "Network")
        self.batch_size = None if str(self.batch_size) == "full" else self.batch_size
        for each in dataclasses.fields(TrainingNumbers):
            check(each.name, getattr(self, each.name))
        self.optimizer = resolve("optimizer", self.optimizer, "optimizer")
        self.schedule = schedule_of(self.schedule, "schedule")
        self.penalty = Penalty() if self.penalty is None else resolve("penalty", self.penalty, "penalty")
        self.augment = deformation_of(self.augment)
        for name, base, kind in (("average", Latest, MovingAverage), ("clip", NoClipping, ClipNorm)):
            given = getattr(self, name)
            if not isinstance(given, base):
                check(name, given)
                setattr(self, name, base() if given is None else kind(given))
        self.callbacks = callbacks_of(self.callbacks)
        Monitor(self.monitor)
        if not isinstance(self.engine, Engine):
            self.engine = engine(self.engine, self.network, self.optimizer, self.penalty)

    def fit(
        self,
        train: Dataset,
        validation: Dataset | None = None,
        *,
        sample_weight: Any = None,
        resume: Snapshot | None = None,
    ) -> History:
        """Train the network in place and return the history.

        train, validation: inputs and targets as the network reads them (see Model.scaled). Their task, image shape and
            names become the network's if it has none. If they are uint8, the network reads pixels from now on.
        sample_weight: (n_samples,), how much each training sample counts. A batch whose weights sum to 0 has the loss 0
            and no update, but its step counts for the schedule.
        resume: the state of an earlier run of the same trainer on the same data. The run continues from there, and ends
            with the same bits as if it had never stopped. SettingError if it is another run's.

        With a validation set the network ends with the parameters of its best epoch, else with those of the last, even
        if a callback or an exception ends the run. Raises DivergenceError as soon as a loss is not finite, or 1,000
        times that of epoch 0; the network then keeps the parameters of the best (or last) complete epoch.
        """
        check_data(self.network, train, validation, self.augment)
        stops = [each.patience for each in self.callbacks if isinstance(each, EarlyStopping)]
        if isinstance(self.schedule, ReduceOnPlateau) and stops and min(stops) <= self.schedule.patience:
            values = {"plateau": self.schedule.patience, "stop": min(stops), "meant": max(min(stops) // 2, 1)}
            LOG.warning(sentence("schedules.late", **values))
        if any(isinstance(each, ReduceOnPlateau) and each is not self.schedule for each in self.callbacks):
            raise SettingError(sentence("schedules.among_callbacks"))  # it would change nothing
        warn_of_length(self.schedule, self.epochs, self.epochs * steps_per_epoch(train.n_samples, self.batch_size))
        if not all(each.flags.writeable for each in (*self.network.weights, *self.network.biases)):
            raise SettingError(sentence("network.read_only"))
        take_meaning(self.network, train)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, train.n_samples)
        if resume is not None and not isinstance(resume, Snapshot):
            raise SettingError(sentence("snapshot.no_snapshot", got=brief(resume)))
        if self.engine.says:
            LOG.debug("the engine is %s: %s", self.engine.name, self.engine.says)
        plan, state = self._begin(train, validation, sample_weight)
        final = state.best if validation is not None else self.average.parameters
        if resume is not None:
            resume.restore(state)
        self._best = Monitor(self.monitor)
        call_all(state.listeners, "train_begin", state)
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                if resume is None:
                    self._end_epoch(state, *loss_and_score(self.network, train.take(slice(FIRST_LOOK)), self.engine))
                while state.epoch < self.epochs and state.stop_reason is None:
                    state.epoch += 1
                    self._train_epoch(state, plan)
                    self._end_epoch(state, state.tally.mean_loss, state.tally.value)
        except BaseException as error:
            state.ending = error
            if isinstance(error, DivergenceError):
                final = state.best
            elif not state.buffers.is_changing:
                with suppress(MemoryError):
                    state.left_off = self.network.parameters.copy()
            raise
        else:
            state.left_off = self.network.parameters.copy()
        finally:
            self.network.parameters.vector[:] = final.vector
            state.history.stop_reason = state.stop_reason
            self._end(state)
        return state.history

    def _end(self, state: TrainingState) -> None:
        """Call `train_end` of every listener, even if one of them raises: the others may have work to save.

        If an exception ended the run, one that is raised here is added to it as a note, and does not replace it.
        """
        failed, state.buffers.is_changing = state.ending, False
        for listener in state.listeners:
            try:
                listener.train_end(state)
            except BaseException as error:
                if failed is None:
                    failed = error
                else:
                    failed.add_note(f"{type(listener).__name__}.train_end failed as well: {error!r}")
        if state.ending is None and failed is not None:
            raise failed

    def _begin(self, train: Dataset, validation: Dataset | None, weights: Array | None) -> tuple[Plan, TrainingState]:
        """A Plan, filled in as far as all steps of the run share it, and the TrainingState of the new run."""
        batch_size, schedule = samples_per_step(train.n_samples, self.batch_size), self.schedule
        buffers = Buffers(self.network, min(batch_size, train.n_samples))
        self.average.begin(self.network.parameters)
        plan = Plan(
            inputs=train.inputs,
            targets=train.loss_targets,
            order=np.arange(0),
            batch_size=batch_size,
            learning_rates=np.empty(0),
            sample_weight=weights,
            seed=self.seed,
            penalty=self.penalty,
            clip=self.clip,
            average=self.average,
            image_shape=train.image_shape,
            buffers=buffers,
        )
        own = (schedule,) if isinstance(schedule, Callback) and schedule not in self.callbacks else ()
        return plan, TrainingState(
            network=self.network,
            buffers=buffers,
            optimizer=self.optimizer,
            average=self.average,
            best=self.network.parameters.copy(),
            train=train,
            validation=validation,
            tally=Score(train.task),
            listeners=[*own, *self.callbacks],
            identity=cache(partial(self.identity, train, validation, weights)),
            learning_rate=float(schedule(0)),
            n_epochs=self.epochs,
            n_steps=self.epochs * steps_per_epoch(train.n_samples, self.batch_size),
        )

    def _train_epoch(self, state: TrainingState, plan: Plan) -> None:
        """Take the steps of an epoch that remain, several per call of the engine."""
        plan.epoch, first = state.epoch, state.history.rows[0]["train_loss"]
        plan.deformation = self.augment and self.augment.at_epoch(state.epoch, self.epochs)
        plan.highest_loss = min(BLOW_UP * max(first, 1.0), plan.highest_loss)
        order = sample_order(state.train.n_samples, self.batch_size, self.seed, state.epoch)[state.tally.n_samples :]
        hears = [each for each in state.listeners if getattr(each.step_end, "__func__", None) is not Callback.step_end]
        began = time.perf_counter()
        for samples in self._stretches(state, order, plan, hears):
            n_steps = steps_per_epoch(len(samples), plan.batch_size)
            plan.order, plan.first_step, plan.score = samples, state.step, state.tally
            plan.learning_rates = np.array([float(self.schedule(state.step + i)) for i in range(n_steps)])
            self._note(state, plan, self.engine.run_steps(self.network, self.optimizer, plan))
            vars(state)["seconds"] += time.perf_counter() - began  # a callback may not assign it
            call_all(hears, "step_end", state)
            if state.stop_reason is not None:
                break
            began = time.perf_counter()

    def _stretches(self, state: TrainingState, order: Array, plan: Plan, hears: Sequence[Callback]) -> Iterator[Array]:
        """Yield the samples for each call of the engine: whole batches, up to where a callback needs `step_end` next.

        A call takes about a tenth of a second, so that neither Ctrl-C nor a progress bar has to wait.
        """
        most = STRETCH_WEIGHTS // self.network.parameters.size
        if self.augment is not None:
            most = min(most, STRETCH_INPUTS // self.network.layer_sizes[0])
        is_many = self.engine.can_run_in_one_call(self.network, self.optimizer, plan)
        is_watched = any(each.every_step or not is_many for each in hears)
        start, longest = 0, 1 if is_watched else max(1, most // plan.batch_size) if is_many else len(order)
        while start < len(order):
            wanted = [each.every_steps for each in self.callbacks if each.every_steps is not None and is_many]
            size = min([longest, *(every - state.step % every for every in wanted)])
            yield order[start : start + size * plan.batch_size]
            start += size * plan.batch_size

    def _note(self, state: TrainingState, plan: Plan, outcome: Outcome) -> None:
        """Update the state with the results of some steps. Raises DivergenceError if the loss diverged."""
        last = len(outcome.losses) - 1
        vars(state).update(batch_loss=outcome.losses[last], learning_rate=plan.learning_rates[last].item())
        state.step += outcome.steps
        if outcome.steps <= last:
            raise self._divergence(state)
        state.tally = outcome.score or state.tally
        for loss, weight in zip(outcome.losses, outcome.weights, strict=True):
            state.tally.loss += loss * weight
            state.tally.weight += weight
        state.buffers.is_changing = False

    def _end_epoch(self, state: TrainingState, loss: float, score: float) -> None:
        """Add the epoch's row to the history; keep its parameters if they are the best, or nothing is validated."""
        history, counted, score_name = state.history, self.average.parameters, SCORE_NAMES[state.task]
        if not are_finite(counted):
            raise self._divergence(state)
        row: Row = {name: getattr(state, name) for name in ("epoch", "step", "learning_rate", "seconds")}
        row |= {"train_loss": loss, f"train_{score_name}": score}
        if state.validation is not None:
            found = loss_and_score(with_meaning(self.network, parameters=counted), state.validation, self.engine)
            row |= {"validation_loss": found[0], f"validation_{score_name}": found[1]}
        state.buffers.is_changing = True
        history.rows.append(row)
        if state.validation is None or self._best.improves(history):
            history.best_epoch = state.epoch
            state.best.vector[:] = counted.vector
        state.tally, state.buffers.is_changing = Score(state.task), False
        call_all(state.listeners, "epoch_end", state)

    def _divergence(self, state: TrainingState) -> DivergenceError:
        """The error for a run that diverged in this state. It names the rate that the user set, not a schedule's."""
        last = float(self.schedule(max(state.step - 1, 0)))
        rates = getattr(schedules_in(self.schedule)[-1], "rate", last), last
        where = {"step": state.step, "epoch": state.epoch, "kept": state.history.best_epoch, "loss": state.batch_loss}
        strength = self.penalty.strength if isinstance(self.penalty, L2) else 0.0
        return divergence(state.network, state.workspace, rates, strength=strength, **where)

    def identity(self, train: Dataset, validation: Dataset | None, sample_weight: Array | None) -> dict[str, str]:
        """The settings and data that a run depends on, as text by name; for data the text has their SHA-256."""
        network, own_first = self.network, sorted(dataclasses.fields(self), key=lambda each: "setting" in each.metadata)
        return {
            "network": "-".join(map(str, network.layer_sizes)),
            **{name: in_words(getattr(network, name)) for name in ("activations", "loss", "dropout")},
            "dtype": network.dtype.name,
            **{each.name: in_words(getattr(self, each.name)) for each in own_first if each.name not in APART},
            "early stopping": in_words([each.monitor for each in self.callbacks if isinstance(each, EarlyStopping)]),
            "engine": self.engine.name,
            "training data": data_in_words(train),
            "validation data": "none" if validation is None else data_in_words(validation),
            "sample weights": "none" if sample_weight is None else hashlib.sha256(sample_weight.tobytes()).hexdigest(),
        }


def sample_order(n_samples: int, batch_size: BatchSize, seed: int, epoch: int) -> Array:
    """The indices of an epoch's samples, (n_samples,) int64, shuffled anew for each epoch unless batch_size is None."""
    return np.arange(n_samples) if batch_size is None else generator(seed, "shuffle", epoch).permutation(n_samples)


@public("fit(network, X, y, epochs=10)")
def fit(
    network: Network,
    X: Any,
    y: Any = None,
    *,
    epochs: int = 10,
    batch_size: BatchSize = 128,
    learning_rate: float | Schedule = 0.001,
    optimizer: Optimizer | Spec = "adam",
    penalty: Penalty | Spec | None = None,
    augment: Deformation | Mapping[str, float] | None = None,
    average: float | Latest | None = None,
    clip: float | NoClipping | None = None,
    validation: tuple[Any, Any] | Dataset | None = None,
    sample_weight: Any = None,
    callbacks: Callback | Sequence[Callback] = (),
    engine: str | Engine = "auto",
    seed: int = 0,
    resume: Snapshot | None = None,
) -> History:
    """Train `network` in place on X and y, or on a Dataset, and return the history; its epoch 0 is before any step.

    X: (n_samples, features), or images (n_samples, height, width); uint8 means value / 255. Or a Dataset, without y.
    y: (n_samples,) classes, counted from 0; or (n_samples, outputs) of 0 and 1 for a network that ends in Sigmoid; or
        (n_samples, outputs) values; or, for classes, probabilities: rows that sum to 1.
    epochs: passes over the samples. batch_size: samples per step, None or "full" for all of them.
    learning_rate: a number, or a schedule (step -> number); ReduceOnPlateau(0.001) also depends on the history.
    optimizer: an object or a name, such as Momentum() or "sgd". penalty: L2(strength) or L1(strength) on the weights.
    augment: deform every image anew at each step: Deformation(rotation=10), or a dict of its amounts.
    average: decay of a moving average of the parameters, which becomes the result. clip: the largest gradient norm.
    validation: (X, y) or a Dataset, to choose the best epoch; without it the last epoch is kept.
    sample_weight: (n_samples,), how much each sample counts.
    callbacks: one, or a list; Progress() prints, EarlyStopping() ends a run that no longer improves.
    engine: "numpy", "native", or "auto": the library in C if it is installed and has every part of the run.
    seed: for shuffling, dropout and augmentation.
    resume: the state of an earlier run of the same call (see Checkpoints).

    Raises ShapeError, DataError or SettingError for arguments that do not fit, DivergenceError if the loss diverges.

    >>> network = Network((2, 8, 2))
    >>> history = fit(network, np.eye(2), np.array([0, 1]), epochs=3)
    >>> len(history)
    4
    """
    check_network(network, "dr.fit(network, X, y)", "Network")
    update: dict[str, Any] = {"optimizer": optimizer, "penalty": penalty, "average": average, "clip": clip}
    others: dict[str, Any] = {"augment": augment, "callbacks": callbacks, "engine": engine, "seed": seed}
    if isinstance(epochs, float) and 0 < epochs < 1 and type(learning_rate) is int and learning_rate > 0:
        raise setting_error("epochs", "a whole number", epochs, f"epochs={learning_rate}, learning_rate={epochs}")
    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "schedule": schedule_of(learning_rate)}
    trainer = Trainer(network=network, **given, **update, **others)
    held_out = validation_examples(network, validation, of_arrays=y is not None)
    train = examples_for(network, X, y, "the training data")[1]
    warn_of_data(network, train)
    history = trainer.fit(train, held_out, sample_weight=sample_weight, resume=resume)
    losses, rates = history["train_loss"], history["learning_rate"]
    if losses[-1] > 2 * losses[0]:
        LOG.warning(sentence("examples.rise", first=losses[0], last=losses[-1], rate=max(rates) / 10))
    return history
