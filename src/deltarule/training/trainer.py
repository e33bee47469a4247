"""The training loop, which contains no network: forward, loss, backward, step, and what happens around them."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation, deformation_of
from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError, SettingError
from deltarule.model import take_meaning
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_parameters
from deltarule.nn.optimizers import Adam, Optimizer
from deltarule.nn.penalties import Penalty
from deltarule.parts import resolve
from deltarule.public import Named, check_network, public
from deltarule.randomness import generator
from deltarule.settings import ENGINES, brief, check, check_choice, setting_names
from deltarule.targets import check_weights
from deltarule.training.batches import batches, steps_per_epoch
from deltarule.training.callbacks import Callback, History, Monitor, Row, TrainingState, callbacks_of
from deltarule.training.checks import (
    are_finite,
    check_augment,
    check_data,
    check_datasets,
    explain_divergence,
    has_diverged,
)
from deltarule.training.engines import REFERENCE, Engine, engine_for
from deltarule.training.evaluation import SCORE_NAMES, Score, Tally, loss_and_score
from deltarule.training.run_identity import identity_of
from deltarule.training.schedules import Constant, Schedule, check_plateaus, schedule_of
from deltarule.training.snapshot import Snapshot
from deltarule.training.strides import can_stride, train_epoch_in_strides
from deltarule.training.update import ClipNorm, Latest, MovingAverage, NoClipping, object_or_number

LOG = logging.getLogger("deltarule")
PIECE_ROWS = 1024  # a larger batch is worked through in pieces of so many samples, whose gradients add up
FIRST_LOOK = 10_000  # how many training samples epoch 0 is evaluated on


@public("Trainer(network=network)", is_inner=True)
@dataclass(kw_only=True)
class Trainer(metaclass=Named):
    """How a network is to be trained; `fit` does it. Every part is an object, or what the function `fit` takes for it.

    optimizer, schedule (step -> learning rate), penalty: the update.
    epochs: passes over the training set; batch_size: samples a step, None for all of them.
    augment: deform every training image anew at each step.
    average: what counts as the result, the latest parameters or their moving average. clip: what long gradients become.
    engine: who does the arithmetic: "numpy", "numba", or "auto", which each `fit` chooses anew.
    callbacks: who listens, in order.
    monitor: the history's column by which the best epoch is chosen where there is a validation set.
    seed: of shuffling, dropout and augmentation, each a stream of its own.
    """

    network: Network
    optimizer: Optimizer = field(default_factory=Adam)
    schedule: Schedule = field(default_factory=lambda: Constant(0.001))
    penalty: Penalty = field(default_factory=Penalty)
    epochs: int = 10
    batch_size: int | None = 128
    augment: Deformation | None = None
    average: Latest = field(default_factory=Latest)
    clip: NoClipping = field(default_factory=NoClipping)
    engine: Engine = REFERENCE
    callbacks: Sequence[Callback] = ()
    monitor: str = "validation_loss"
    seed: int = 0

    def __post_init__(self) -> None:
        check_network(self.network, "dr.Trainer(network=network)", "Network")
        self.batch_size = None if isinstance(self.batch_size, str) and self.batch_size == "full" else self.batch_size
        for name in ("batch_size", *setting_names(type(self))):
            check(name, getattr(self, name))
        self.optimizer = resolve("optimizer", self.optimizer, "optimizer")
        self.schedule = schedule_of(self.schedule, "schedule")
        self.penalty = Penalty() if self.penalty is None else resolve("penalty", self.penalty, "penalty")
        self.augment = deformation_of(self.augment)
        self.average = object_or_number("average", self.average, Latest, MovingAverage)
        self.clip = object_or_number("clip", self.clip, NoClipping, ClipNorm)
        self.callbacks = callbacks_of(self.callbacks)
        Monitor(self.monitor)
        self._engine_name = None
        if not isinstance(self.engine, Engine):
            check_choice("engine", self.engine, ENGINES)
            self.engine, self._engine_name = REFERENCE, self.engine

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
            names become the network's where it has none; uint8 are pixels, for it too from now on.
        sample_weight: (n_samples,), how much each training sample counts. A batch whose weights sum to 0 has the loss 0
            and no update; its step counts for the schedule.
        resume: where an earlier run of the same trainer on the same data has come to. The run goes on from there, and
            ends with the very bits that it would have ended with. SettingError where it was another run's.

        With a validation set the network ends with the parameters of its best epoch, else with those of the last;
        this holds for a run that a callback stops or an exception ends, too. Raises DivergenceError as soon as a loss
        is no finite number, or a thousand times that of epoch 0; the network then keeps the parameters of the best (or
        last) whole epoch.
        """
        check_datasets(train, validation)
        check_data(self.network, train, validation)
        check_augment(self.augment, train)
        check_plateaus(self.schedule, self.callbacks)
        take_meaning(self.network, train)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, train.n_samples)
        if resume is not None and not isinstance(resume, Snapshot):
            works = 'resume=Checkpoints("kept").newest()'
            raise SettingError(f"resume must be a Snapshot: got {brief(resume)}; use {works}")
        if self._engine_name is not None:
            self.engine = engine_for(self, train.n_samples, self._engine_name)
        if self.engine.says:
            LOG.debug("the engine is %s: %s", self.engine.name, self.engine.says)
        state = self._begin(train, validation, sample_weight)
        final = state.best if validation is not None else self.average.parameters
        if resume is not None:
            resume.restore(state)
        monitor = None if validation is None else Monitor(self.monitor)
        if monitor is not None:
            monitor.begin(state.history)
        self.tell("train_begin", state)
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                if resume is None:
                    self._end_epoch(
                        state, loss_and_score(self.network, train.take(slice(FIRST_LOOK)), self.engine), monitor
                    )
                while state.epoch < self.epochs and state.stop_reason is None:
                    state.epoch += 1
                    self._train_epoch(state, train, sample_weight)
                    self._end_epoch(state, state.tally.result, monitor)
        except BaseException as error:
            state.ending = error
            if isinstance(error, DivergenceError):
                final = state.best
            elif not state.is_updating:
                with suppress(MemoryError):
                    state.left_off = self.network.parameters.copy()
            raise
        finally:
            self.network.parameters.vector[:] = final.vector
            state.history.stop_reason = state.stop_reason
            self._end(state)
        return state.history

    def _end(self, state: TrainingState) -> None:
        """Call `train_end` of every listener, whatever another's raises: they have work to save, too.

        The exception that has ended the run is not to be hidden by a later one.
        """
        failed, state.is_updating = state.ending, False
        for listener in self.listeners:
            try:
                listener.train_end(state)
            except BaseException as error:
                if failed is None:
                    failed = error
                else:
                    failed.add_note(f"{type(listener).__name__}.train_end failed as well: {error!r}")
        if state.ending is None and failed is not None:
            raise failed

    def _begin(self, train: Dataset, validation: Dataset | None, sample_weight: Array | None) -> TrainingState:
        network, batch_size = self.network, min(self.batch_size or train.n_samples, train.n_samples)
        grads = network.parameters.zeros_like()
        self.average.begin(network.parameters)
        return TrainingState(
            network=network,
            grads=grads,
            piece_grads=grads.zeros_like() if batch_size > PIECE_ROWS else grads,
            workspace=network.workspace(min(batch_size, PIECE_ROWS)),
            optimizer=self.optimizer,
            average=self.average,
            best=network.parameters.copy(),
            train=train,
            validation=validation,
            tally=Tally(train.task),
            listeners=self.callbacks,
            identity=cache(lambda: identity_of(self, train, validation, sample_weight)),
            learning_rate=float(self.schedule(0)),
            n_epochs=self.epochs,
            n_steps=self.epochs * steps_per_epoch(train.n_samples, self.batch_size),
        )

    def _train_epoch(self, state: TrainingState, train: Dataset, sample_weight: Array | None) -> None:
        if can_stride(self, train):
            return train_epoch_in_strides(self, state, train, sample_weight)
        tally, began = state.tally, time.perf_counter()
        for indices in batches(train.n_samples, self.batch_size, self.seed, state.epoch, tally.score.n_samples):
            weights = None if sample_weight is None else sample_weight[indices]
            batch_weight = len(indices) if weights is None else weights.sum().item()
            score = replace(tally.score)  # a copy, which counts when the step is taken
            state.learning_rate = float(self.schedule(state.step))
            state.batch_loss = self._gradient(state, train, indices, weights, score)
            if has_diverged(state):
                raise DivergenceError(explain_divergence(state))
            if batch_weight > 0.0:
                self._update(state)
            state.step += 1
            state.seconds += time.perf_counter() - began
            tally.score = score
            tally.add(state.batch_loss, batch_weight)
            state.is_updating = False
            self.tell("step_end", state)
            if state.stop_reason is not None:
                break
            began = time.perf_counter()
        return None

    def _update(self, state: TrainingState) -> None:
        """Change the parameters by the gradient of a batch, and move the average along."""
        self.penalty.add_gradient(self.network.parameters, state.grads)
        self.clip.apply(state.grads)
        state.is_updating = True
        self.engine.step(self.optimizer, self.network.parameters, state.grads, state.learning_rate)
        self.average.update(self.network.parameters)

    def _gradient(
        self, state: TrainingState, train: Dataset, indices: Array, weights: Array | None, score: Score
    ) -> float:
        """Leave the gradient of one batch in state.grads, count its answers, return its loss."""
        network, ws, engine, loss = self.network, state.workspace, self.engine, 0.0
        divisor = len(indices) if weights is None else weights.sum().item()
        for start in range(0, len(indices), ws.capacity):
            piece = slice(start, start + ws.capacity)
            y, weight = train.targets[indices[piece]], None if weights is None else weights[piece]
            a = engine.forward(network, self.load(state, train, indices[piece], start), ws)
            loss += engine.loss_value(network, y, ws, sample_weight=weight, divisor=divisor)
            score.add(a, y)
            grads = state.grads if start == 0 else state.piece_grads
            engine.backward(network, y, ws, grads, sample_weight=weight, divisor=divisor)
            if start > 0:
                total = state.grads.vector
                total += grads.vector
        return loss

    def load(self, state: TrainingState, train: Dataset, indices: Array, start: int) -> Array:
        """Gather a piece of a batch into the workspace, deform its images, choose the neurons to drop."""
        X = state.workspace.input_buffer(len(indices))
        self.engine.gather(train.inputs, indices, X)
        if self.augment is not None:
            rng = generator(self.seed, f"augment {start}", state.epoch, state.step)
            self.engine.deform(X, train.image_shape, self.augment, rng, X)
        if any(self.network.dropout):
            state.workspace.draw_masks(generator(self.seed, f"dropout {start}", state.epoch, state.step))
        return X

    def _end_epoch(self, state: TrainingState, trained: tuple[float, float], monitor: Monitor | None) -> None:
        """Add the epoch's row to the history; keep its parameters if they are the best so far, or simply the last."""
        history, counted, validation = state.history, self.average.parameters, state.validation
        if not are_finite(counted):
            raise DivergenceError(explain_divergence(state))
        figures = {"train": trained}
        if validation is not None:
            figures["validation"] = loss_and_score(with_parameters(self.network, counted), validation, self.engine)
        row: Row = {name: getattr(state, name) for name in ("epoch", "step", "learning_rate", "seconds")}
        for which, (loss, score) in figures.items():
            row |= {f"{which}_loss": loss, f"{which}_{SCORE_NAMES[state.task]}": score}
        state.is_updating = True
        history.rows.append(row)
        if monitor is None or monitor.improves(history):
            history.best_epoch = state.epoch
            state.best.vector[:] = counted.vector
        state.tally, state.is_updating = Tally(state.task), False
        self.tell("epoch_end", state)

    @property
    def listeners(self) -> list[Callback]:
        """The callbacks, and a schedule that listens."""
        own: list[Callback] = [self.schedule] if isinstance(self.schedule, Callback) else []
        return [*self.callbacks, *(each for each in own if not any(each is other for other in self.callbacks))]

    def tell(self, event: str, state: TrainingState) -> None:
        """Call that hook of everyone who listens."""
        for listener in self.listeners:
            getattr(listener, event)(state)
