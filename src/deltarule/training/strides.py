"""An epoch of a small network in strides: many steps in one call, where nobody has to be told of each."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.nn.arrays import Array
from deltarule.training.averaging import Latest
from deltarule.training.batches import shuffled, steps_per_epoch
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.checks import explain_divergence, highest_loss
from deltarule.training.clipping import NoClipping

if TYPE_CHECKING:
    from deltarule.training.trainer import Trainer

SMALL_LAYER = 64  # neurons; in larger layers the BLAS is faster than loops that spare the zeros
SMALL_BATCH = 256
STRIDE_WEIGHTS = 2**28  # weights times samples of a stride: a tenth of a second, so that neither Ctrl-C nor a bar waits


def can_stride(trainer: "Trainer", train: Dataset) -> bool:
    """Whether the network is small, and nothing stands between its steps that has to see each of them."""
    network, batch_size = trainer.network, trainer.batch_size
    listeners = [callback for callback in trainer.callbacks if type(callback).step_end is not Callback.step_end]
    return (
        trainer.engine.can_take_steps(network, trainer.optimizer, trainer.penalty)
        and max(network.layer_sizes[1:]) <= SMALL_LAYER
        and batch_size is not None
        and batch_size <= SMALL_BATCH
        and train.task == "classes"
        and (type(trainer.average), type(trainer.clip), trainer.augment) == (Latest, NoClipping, None)
        and not any(callback.every_step for callback in listeners)
    )


def train_epoch_in_strides(
    trainer: "Trainer", state: TrainingState, train: Dataset, sample_weight: Array | None
) -> tuple[float, float]:
    """The mean loss and the accuracy of an epoch: the same steps as the Trainer's own loop takes."""
    order = shuffled(train.n_samples, trainer.seed, state.epoch)
    loss, weight, right, seen = 0.0, 0.0, 0, 0
    began, before = time.perf_counter(), state.seconds
    for samples in strides(trainer, state, order):
        losses, answered = take_stride(trainer, state, train, samples, sample_weight)
        state.seconds = before + time.perf_counter() - began
        starts = np.arange(0, len(samples), trainer.batch_size)
        weights = np.add.reduceat(np.ones(len(samples)) if sample_weight is None else sample_weight[samples], starts)
        loss, weight = loss + (losses @ weights).item(), weight + weights.sum().item()
        right, seen = right + answered, seen + len(samples)
        trainer.tell("step_end", state)
        if state.stop_reason is not None:
            break
    return loss / weight, right / seen


def strides(trainer: "Trainer", state: TrainingState, order: Array) -> Iterator[Array]:
    """The samples of an epoch, a whole number of batches at a time, cut where a callback wants to be told."""
    batch_size = trainer.batch_size or len(order)
    longest = STRIDE_WEIGHTS // (trainer.network.parameters.size * batch_size)
    while len(order) > 0:
        wanted = [callback.every_steps for callback in trainer.callbacks if callback.every_steps is not None]
        size = batch_size * min([max(1, longest), *(every - state.step % every for every in wanted)])
        yield order[:size]
        order = order[size:]


def take_stride(
    trainer: "Trainer", state: TrainingState, train: Dataset, samples: Array, sample_weight: Array | None
) -> tuple[Array, int]:
    """The losses of a stride's steps, and how many samples were answered rightly. Raises DivergenceError."""
    n_steps = steps_per_epoch(len(samples), trainer.batch_size)
    rates = np.array([float(trainer.schedule(state.step + i)) for i in range(n_steps)])
    losses, answered = trainer.engine.take_steps(
        trainer.network,
        trainer.optimizer,
        trainer.penalty,
        state.grads,
        (train.inputs, train.targets, sample_weight),
        (samples, trainer.batch_size, rates, highest_loss(state)),
    )
    n_taken = np.count_nonzero(losses <= highest_loss(state)).item()
    state.step += n_taken
    state.batch_loss, state.learning_rate = losses[-1].item(), rates[len(losses) - 1].item()
    if n_taken < len(losses):  # show the workspace what broke it
        broken = np.split(samples, np.arange(0, len(samples), trainer.batch_size)[1:])[n_taken]
        trainer.engine.forward(trainer.network, trainer.load(state, train, broken, 0), state.workspace)
        raise DivergenceError(explain_divergence(state))
    return losses, answered
