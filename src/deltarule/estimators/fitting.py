"""Fit: one call of `fit` or `partial_fit`, from checked examples to an estimator that has learned."""

import math
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from deltarule.data.reporting import print_if_possible
from deltarule.estimators import settings
from deltarule.estimators.descent import Descent
from deltarule.estimators.examples import Examples
from deltarule.estimators.lbfgs import minimized
from deltarule.estimators.listening import Listeners
from deltarule.estimators.slope import Slope, mean_loss
from deltarule.nn.network import Network
from deltarule.settings import Task
from deltarule.training.batches import steps_per_epoch
from deltarule.training.engines import Engine, engine, seconds_with_numpy


@dataclass
class Fit:
    """An estimator that is being fitted.

    estimator: its parameters say how, its attributes show after every epoch how far it is.
    train: what it learns from; held_out: what it is validated on, or None.
    incremental: whether it is a `partial_fit`, one epoch.
    """

    estimator: Any
    train: Examples
    held_out: Examples | None
    listeners: Listeners
    random_state: np.random.RandomState
    incremental: bool

    def run(self) -> None:
        """Train; a run that is interrupted keeps what it has, and warns. Raises DivergenceError."""
        estimator, network = self.estimator, self.network
        estimator.n_iter_ = 0
        stochastic = estimator.solver in settings.STOCHASTIC
        self.batch_size = batch_size = self._batch_size() if stochastic else len(self.train)
        self.engine = self._engine(batch_size)
        seed = self.random_state.randint(2**31) if any(network.dropout) else 0
        self.slope = slope = Slope(network, self.engine, estimator.alpha, batch_size, seed)
        self.scorer = self._scorer()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                (self._descend if stochastic else self._minimize)(slope, batch_size)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        finally:
            self._keep_best()
            self.listeners.end()

    @property
    def network(self) -> Network:
        """The network that is trained, in place."""
        network: Network = self.estimator.model_.network
        return network

    @property
    def task(self) -> Task:
        """What the network answers."""
        task: Task = self.estimator.model_.task
        return task

    def _batch_size(self) -> int:
        asked, n_samples = self.estimator.batch_size, len(self.train)
        if asked == "auto":
            return min(settings.AUTO_BATCH, n_samples)
        if asked > n_samples:
            words = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            warnings.warn(words, stacklevel=2)
        return min(int(asked), n_samples)

    def _engine(self, batch_size: int) -> Engine:
        n_parameters, n_epochs = self.network.parameters.size, 1 if self.incremental else self.estimator.max_iter
        seconds = seconds_with_numpy(n_parameters, len(self.train), batch_size, n_epochs)
        return engine(self.estimator.engine, seconds)

    def _scorer(self) -> Any:
        asked = self.estimator.scoring
        return None if asked in (None, "loss") else check_scoring(self.estimator, asked)

    def _descend(self, slope: Slope, batch_size: int) -> None:
        estimator = self.estimator
        optimizer, self.rate, step = estimator._descending(steps_per_epoch(len(self.train), batch_size))
        order = self.random_state if estimator.shuffle else None
        descent = Descent(slope, optimizer, self.rate, self.task, batch_size, order, step, estimator.epsilon)
        self.optimizer = optimizer
        try:
            descent.run(self.train, 1 if self.incremental else estimator.max_iter, self._end_epoch)
        finally:
            estimator._state = (optimizer, self.rate, descent.step)

    def _end_epoch(self, loss: float) -> bool:
        """Take stock after an epoch of descent; whether it was the last."""
        estimator, progress = self.estimator, self.estimator._progress
        estimator.t_ += len(self.train)
        self._take_stock(loss)
        self.rate.end_epoch(estimator.t_, progress.stalled, self.optimizer)
        is_last = self.incremental or estimator.n_iter_ == estimator.max_iter
        wants_end = self.listeners.end_epoch(is_last)
        if progress.is_stuck:
            lowered = self.rate.goes_on(self.optimizer)
            if estimator.verbose:
                what = f"Setting learning rate to {self.rate.current:f}" if lowered else "Stopping."
                print_if_possible(f"{progress.says} {what}", sys.stdout)
            if not lowered:
                estimator.stopped_ = True
                return True
            progress.stalled = 0
        if estimator.n_iter_ == estimator.max_iter and not self.incremental and not wants_end:
            self._warn_of_end()
        return wants_end

    def _warn_of_end(self) -> None:
        """A run that was planned for so many epochs has come to its end; another one has not converged."""
        if self.estimator.learning_rate not in settings.PLANNED:
            reached = f"Maximum iterations ({self.estimator.max_iter}) reached"
            words = f"Stochastic Optimizer: {reached} and the optimization hasn't converged yet."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)

    def _take_stock(self, loss: float) -> None:
        """Note an epoch's loss, and the score and loss on what is held out."""
        estimator, progress = self.estimator, self.estimator._progress
        estimator.n_iter_ += 1
        progress.add(loss)
        if estimator.verbose:
            print_if_possible(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}", sys.stdout)
        if self.held_out is not None:
            progress.validate(*self._validated(self.held_out), self.network.parameters.vector)
            if estimator.verbose:
                print_if_possible(f"Validation score: {progress.scores[-1]:f}", sys.stdout)
        estimator._show(loss)

    def _validated(self, held_out: Examples) -> tuple[float, float]:
        """(score, loss) on what is held out. DivergenceError where an output is not finite."""
        loss, outputs = mean_loss(self.network, held_out, self.engine, self.task)
        if not np.isfinite(outputs).all():
            epoch = self.estimator.n_iter_
            step = epoch * steps_per_epoch(len(self.train), self.batch_size)
            raise self.slope.divergence(loss, self.estimator.learning_rate_init, step, epoch)
        weights = {} if held_out.weights is None else {"sample_weight": held_out.weights}
        if self.estimator.scoring == "loss":
            return -loss, loss
        if self.scorer is None:
            return self.estimator._score_of(outputs, held_out.answers, held_out.weights), loss
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return float(self.scorer(self.estimator, held_out.inputs, held_out.answers, **weights)), loss

    def _minimize(self, slope: Slope, batch_size: int) -> None:
        estimator = self.estimator
        options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}

        def end_iteration(loss: float) -> bool:
            self._take_stock(loss)
            return self.listeners.end_epoch(estimator.n_iter_ == estimator.max_iter)

        found, loss = minimized(slope, self.train, self.task, end_iteration, options)
        estimator.n_iter_, estimator.loss_ = min(found.nit, estimator.max_iter), loss
        if found.status == 1:
            reached = f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status})"
            words = f"{reached}:\n{found.message}\n\nIncrease max_iter or max_fun, or scale the data (StandardScaler)."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)

    def _keep_best(self) -> None:
        """The parameters that were validated best, for who predicts; `partial_fit` goes on from the latest."""
        estimator, vector = self.estimator, self.network.parameters.vector
        best = estimator._progress.best
        estimator._latest = None
        if best is not None:
            estimator._latest = vector.copy() if self.incremental else None
            vector[:] = best
        if math.isnan(estimator.loss_) and estimator._progress.losses:
            estimator.loss_ = estimator._progress.losses[-1]
