"""Descent in mini-batches: the solvers sgd, nesterov, rmsprop, adam and adamw.

The samples come in the order in which scikit-learn takes them, from the same generator: the same `random_state` gives
the same network, to rounding.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from deltarule.errors import DivergenceError
from deltarule.estimators.examples import Examples
from deltarule.estimators.rates import Rate
from deltarule.estimators.slope import Slope
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import Adam, Optimizer
from deltarule.settings import Task
from deltarule.training.checks import are_finite


@dataclass
class Descent:
    """Epochs of steps on one network.

    slope: loss and gradient of a batch. step: steps taken so far, over all calls of `partial_fit`. epsilon: Adam's.
    random_state: a NumPy RandomState that orders the samples; None leaves them as they are.
    """

    slope: Slope
    optimizer: Optimizer
    rate: Rate
    task: Task
    batch_size: int
    random_state: np.random.RandomState | None
    step: int = 0
    epsilon: float = 1e-8

    def run(self, train: Examples, max_epochs: int, end_epoch: Callable[[float], bool]) -> None:
        """Epochs, until `end_epoch`, which is given the mean loss of each, says to stop.

        Raises DivergenceError; the network then has the parameters of the last whole epoch.
        """
        parameters, order = self.slope.network.parameters, np.arange(len(train))
        kept = parameters.vector.copy()
        for epoch in range(1, max_epochs + 1):
            if self.random_state is not None and len(train) > self.batch_size:
                places = np.arange(len(order))
                self.random_state.shuffle(places)  # sklearn.utils.shuffle, without its checks
                order = order[places]
            try:
                is_last = end_epoch(self._epoch(train, order, epoch))
            except DivergenceError:
                parameters.vector[:] = kept
                raise
            kept[:] = parameters.vector
            if is_last:
                break

    def _epoch(self, train: Examples, order: Array, epoch: int) -> float:
        """The mean loss over an epoch's batches, each before its step; a batch of zero weight is only counted."""
        slope, total, seen = self.slope, 0.0, 0.0
        learning_rate = self.rate.current
        for chosen in self._batches(order):
            learning_rate, weight = self.rate.at(self.step), train.weight(chosen)
            if weight == 0.0:
                self.step += 1
                continue
            descended, told = slope.descend(train, chosen, self.task)
            if not math.isfinite(descended):
                raise slope.divergence(descended, learning_rate, self.step, epoch)
            if type(self.optimizer) is Adam:
                self._epsilon_before_correction(self.optimizer)
            slope.engine.step(self.optimizer, slope.network.parameters, slope.grads, learning_rate)
            self.step += 1
            total, seen = total + told * weight, seen + weight
        if not are_finite(slope.network.parameters):
            raise slope.divergence(total, learning_rate, self.step, epoch)
        return total / (seen or 1.0)

    def _epsilon_before_correction(self, adam: Adam) -> None:
        """scikit-learn's Adam adds epsilon to the root before it is corrected for having started at 0, ours after."""
        adam.epsilon = self.epsilon / math.sqrt(1.0 - adam.beta_2 ** (adam.steps + 1))

    def _batches(self, order: Array) -> Iterator[Array | slice]:
        n_samples = len(order)
        if n_samples <= self.batch_size:  # the gradient of all samples does not depend on their order
            yield slice(0, n_samples)
            return
        for start in range(0, n_samples, self.batch_size):
            rows = slice(start, min(start + self.batch_size, n_samples))
            yield rows if self.random_state is None else order[rows]
