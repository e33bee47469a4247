"""An epoch in strides: many steps in one call, where nobody has to be told of each."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.nn.arrays import Array
from deltarule.randomness import generator
from deltarule.training.batches import sample_order, steps_per_epoch
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.checks import explain_divergence, highest_loss
from deltarule.training.evaluation import Score
from deltarule.training.update import Latest, MovingAverage, NoClipping

if TYPE_CHECKING:
    from deltarule.training.trainer import Trainer

LARGEST_BATCH = 1024  # samples; larger ones are worked through in pieces
STRIDE_WEIGHTS = 2**33  # weights times samples of a stride: a tenth of a second, so that neither Ctrl-C nor a bar waits
STRIDE_INPUTS = 2**23  # numbers in the deformed images of a stride, at most


class Plan(NamedTuple):
    """Steps that an engine takes in one call.

    order: indices of samples, (n,); the last batch may be short. batch_size: of the others.
    learning_rates: (steps,) float64. paces: the share of its distance that the average moves at each update, (steps,).
    highest_loss: no step is taken from a higher one.
    """

    order: Array
    batch_size: int
    learning_rates: Array
    paces: Array
    highest_loss: float


def can_stride(trainer: "Trainer", train: Dataset) -> bool:
    """Whether nothing stands between the steps that has to see each of them."""
    listeners = [callback for callback in trainer.listeners if type(callback).step_end is not Callback.step_end]
    return (
        trainer.engine.can_take_steps(trainer.network, trainer.optimizer, trainer.penalty)
        and trainer.batch_size is not None
        and trainer.batch_size <= LARGEST_BATCH
        and train.task == "classes"
        and type(trainer.average) in (Latest, MovingAverage)
        and type(trainer.clip) is NoClipping
        and not any(callback.every_step for callback in listeners)
    )


def train_epoch_in_strides(
    trainer: "Trainer", state: TrainingState, train: Dataset, sample_weight: Array | None
) -> None:
    """Take the steps of an epoch that are left, the same as the Trainer's own loop takes."""
    tally = state.tally
    order = sample_order(train.n_samples, trainer.seed, state.epoch)[tally.score.n_samples :]
    began = time.perf_counter()
    with trainer.engine.one_thread_each():
        for samples in strides(trainer, state, order):
            losses, answered = take_stride(trainer, state, train, samples, sample_weight)
            state.seconds += time.perf_counter() - began
            starts = np.arange(0, len(samples), trainer.batch_size)
            weights = np.ones(len(samples)) if sample_weight is None else sample_weight[samples]
            tally.add_all(losses, np.add.reduceat(weights, starts))
            tally.score.count(answered, len(samples))
            state.is_updating = False
            trainer.tell("step_end", state)
            if state.stop_reason is not None:
                break
            began = time.perf_counter()


def strides(trainer: "Trainer", state: TrainingState, order: Array) -> Iterator[Array]:
    """The samples of an epoch, a whole number of batches at a time, cut where a callback wants to be told."""
    batch_size = trainer.batch_size or len(order)
    longest = STRIDE_WEIGHTS // (trainer.network.parameters.size * batch_size)
    if trainer.augment is not None:
        longest = min(longest, STRIDE_INPUTS // (trainer.network.layer_sizes[0] * batch_size))
    while len(order) > 0:
        wanted = [callback.every_steps for callback in trainer.callbacks if callback.every_steps is not None]
        size = batch_size * min([max(1, longest), *(every - state.step % every for every in wanted)])
        yield order[:size]
        order = order[size:]


def take_stride(
    trainer: "Trainer", state: TrainingState, train: Dataset, samples: Array, sample_weight: Array | None
) -> tuple[Array, int]:
    """The losses of a stride's steps, and how many samples were answered rightly. Raises DivergenceError."""
    n_steps, average = steps_per_epoch(len(samples), trainer.batch_size), trainer.average
    rates = np.array([float(trainer.schedule(state.step + i)) for i in range(n_steps)])
    data, order = (train.inputs, train.targets, sample_weight), samples
    if trainer.augment is not None:
        weights, order = None if sample_weight is None else sample_weight[samples], np.arange(len(samples))
        data = stride_images(trainer, state, train, samples), train.targets[samples], weights
    state.is_updating = True
    losses, answered, updates = trainer.engine.take_steps(
        trainer.network,
        trainer.optimizer,
        trainer.penalty,
        (state.grads, None if type(average) is Latest else average.parameters),
        data,
        Plan(order, trainer.batch_size or len(order), rates, average.paces(n_steps), highest_loss(state)),
    )
    n_taken = int(np.count_nonzero(losses <= highest_loss(state)))
    state.step += n_taken
    average.steps += updates
    state.batch_loss, state.learning_rate = losses[-1].item(), rates[len(losses) - 1].item()
    if n_taken < len(losses):  # show the workspace what broke it
        broken = np.split(samples, np.arange(0, len(samples), trainer.batch_size)[1:])[n_taken]
        trainer.gradient(state, train, broken, None, Score(train.task))
        raise DivergenceError(explain_divergence(state))
    return losses, answered


def stride_images(trainer: "Trainer", state: TrainingState, train: Dataset, samples: Array) -> Array:
    """The images of a stride as its steps see them, (samples, features)."""
    X = np.empty((len(samples), train.n_features), trainer.network.dtype)
    batch_size = trainer.batch_size or len(samples)

    def deform(number: int) -> None:
        batch = slice(number * batch_size, (number + 1) * batch_size)
        trainer.engine.gather(train.inputs, samples[batch], X[batch])
        rng = generator(trainer.seed, "augment 0", state.epoch, state.step + number)
        trainer.engine.deform(X[batch], train.image_shape, trainer.augment, rng, X[batch])

    trainer.engine.each(deform, range(steps_per_epoch(len(samples), batch_size)))
    return X
