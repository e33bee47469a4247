"""Fit: one call of `fit` or `partial_fit`, from checked examples to an estimator that has learned.

The samples come in the order in which scikit-learn takes them, from the same generator: the same `random_state` gives
the same network, to rounding.
"""

import math
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from deltarule.data.reading import print_if_possible
from deltarule.errors import DivergenceError
from deltarule.estimators import settings
from deltarule.estimators.objective import Examples, Objective, Rows
from deltarule.estimators.rates import Rate
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import Adam, Optimizer
from deltarule.training.batches import steps_per_epoch
from deltarule.training.divergence import are_finite
from deltarule.training.engine import engine, seconds_with_numpy


@dataclass
class Fit:
    """An estimator that is being fitted: its parameters say how, its attributes show after every epoch how far it is.

    train: what it learns from; held_out: what it is validated on, or None.
    incremental: whether it is a `partial_fit`, one epoch.
    """

    estimator: Any
    train: Examples
    held_out: Examples | None
    random_state: np.random.RandomState
    incremental: bool

    def run(self) -> None:
        """Train; a run that is interrupted keeps what it has, and warns. Raises DivergenceError."""
        estimator, n_samples = self.estimator, len(self.train)
        self.network, self.progress = estimator.model_.network, estimator._progress
        self.parameters, by_score = self.network.parameters, estimator._stops_early
        self.is_planned = estimator.learning_rate in settings.PLANNED  # for so many epochs: that is its end
        self.progress.tol, self.progress.by_score = estimator.tol, by_score
        self.progress.patience = math.inf if self.is_planned and not by_score else estimator.n_iter_no_change
        estimator._show(estimator.loss_)
        self.is_stochastic = estimator.solver in settings.SOLVERS
        self.batch_size = self._batch_size() if self.is_stochastic else n_samples
        self.max_epochs = 1 if self.incremental else estimator.max_iter
        seconds = seconds_with_numpy(self.parameters.size, n_samples, self.batch_size, self.max_epochs)
        self.engine = engine(estimator.engine, seconds)
        seed = self.random_state.randint(2**31) if any(self.network.dropout) else 0
        self.objective = Objective(self.network, self.engine, estimator.alpha, self.batch_size, seed)
        is_named = estimator.scoring not in (None, "loss")
        self.scorer = check_scoring(estimator, estimator.scoring) if is_named else None
        self.kept, estimator.n_iter_ = self.parameters.vector.copy(), 0
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                (self._descend if self.is_stochastic else self._minimize)()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        finally:
            self._keep_best()

    def _batch_size(self) -> int:
        asked, n_samples = self.estimator.batch_size, len(self.train)
        if asked == "auto":
            return min(settings.AUTO_BATCH, n_samples)
        if asked > n_samples:
            words = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            warnings.warn(words, stacklevel=2)
        return min(int(asked), n_samples)

    def _descend(self) -> None:
        """Epochs of steps; where the loss is lost, the network has the parameters of the last whole epoch."""
        estimator, n_samples = self.estimator, len(self.train)
        given, steps = estimator.get_params(deep=False), steps_per_epoch(n_samples, self.batch_size)
        fresh = (settings.optimizer(given), settings.rate(given, steps), 0)
        state: tuple[Optimizer, Rate, int] = estimator._state or fresh
        self.optimizer, self.rate, self.step = state
        order = np.arange(n_samples)
        try:
            for epoch in range(1, self.max_epochs + 1):
                if estimator.shuffle and n_samples > self.batch_size:
                    order = order[self.random_state.permutation(n_samples)]
                loss = self._train_epoch(order, epoch)
                estimator.t_ += n_samples
                self._add_epoch(loss)
                if self._is_over():
                    break
                self.kept[:] = self.parameters.vector
        except DivergenceError:
            self.parameters.vector[:] = self.kept
            raise
        finally:
            estimator._state = (self.optimizer, self.rate, self.step)

    def _train_epoch(self, order: Array, epoch: int) -> float:
        """The mean loss over an epoch's batches, each before its step; a batch of zero weight is only counted."""
        objective, total, seen = self.objective, 0.0, 0.0
        rate = self.rate.current
        for start in range(0, len(order), self.batch_size):
            rows: Rows = slice(start, min(start + self.batch_size, len(order)))
            if self.estimator.shuffle and len(order) > self.batch_size:  # else no order is needed, and views will do
                rows = order[rows]
            rate, weight = self.rate.at(self.step), self.train.weight(rows)
            if weight > 0.0:
                descended, reported = objective.descend(self.train, rows)
                if not math.isfinite(descended):
                    raise objective.divergence(descended, rate, self.step, epoch)
                self._take_step(rate)
                total, seen = total + reported * weight, seen + weight
            self.step += 1
        if not are_finite(self.parameters):
            raise objective.divergence(total, rate, self.step, epoch)
        return total / (seen or 1.0)

    def _take_step(self, rate: float) -> None:
        """scikit-learn's Adam adds epsilon to the root before it is corrected for having started at 0, ours after."""
        if type(adam := self.optimizer) is Adam:
            adam.epsilon = self.estimator.epsilon / math.sqrt(1.0 - adam.beta_2 ** (adam.steps + 1))
        self.engine.step_of(self.optimizer)(self.parameters, self.objective.grads, rate)

    def _add_epoch(self, loss: float) -> None:
        """Note an epoch's loss, and the score and loss on what is held out."""
        estimator, progress = self.estimator, self.progress
        estimator.n_iter_ += 1
        progress.add(loss)
        self._print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        if self.held_out is not None:
            progress.validate(*self._validation_figures(self.held_out), self.parameters.vector)
            self._print(f"Validation score: {progress.scores[-1]:f}")
        estimator._show(loss)

    def _validation_figures(self, held_out: Examples) -> tuple[float, float]:
        """(score, loss) on what is held out. DivergenceError where an output is not finite."""
        loss, outputs = self.objective.evaluate(held_out)
        if not np.isfinite(outputs).all():
            epoch = self.estimator.n_iter_
            step = epoch * steps_per_epoch(len(self.train), self.batch_size)
            raise self.objective.divergence(loss, self.estimator.learning_rate_init, step, epoch)
        if self.estimator.scoring == "loss":
            return -loss, loss
        if self.scorer is None:
            return self.estimator._score_of(outputs, held_out.answers, held_out.weights), loss
        weights = {} if held_out.weights is None else {"sample_weight": held_out.weights}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return float(self.scorer(self.estimator, held_out.inputs, held_out.answers, **weights)), loss

    def _is_over(self) -> bool:
        """Whether an epoch of descent was the last, because it makes no more progress."""
        estimator, progress, rate = self.estimator, self.progress, self.rate
        rate.end_epoch(estimator.t_, progress.stalled, self.optimizer)
        if progress.stalled > progress.patience:
            goes_on = rate.goes_on(self.optimizer)
            end = f"Setting learning rate to {rate.current:f}" if goes_on else "Stopping."
            self._print(f"{progress.says} {end}")
            if not goes_on:
                estimator.stopped_ = True
                return True
            progress.stalled = 0
        if estimator.n_iter_ == estimator.max_iter and not (self.incremental or self.is_planned):
            reached = f"Maximum iterations ({estimator.max_iter}) reached"
            words = f"Stochastic Optimizer: {reached} and the optimization hasn't converged yet."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)
        return False

    def _print(self, line: str) -> None:
        if self.estimator.verbose:
            print_if_possible(line, sys.stdout)

    def _minimize(self) -> None:
        """SciPy's L-BFGS (Liu & Nocedal 1989); interrupted, it leaves the parameters of the last whole iteration.

        Raises DivergenceError where the loss is not a finite number, at the start or at the end.
        """
        estimator, vector, reported = self.estimator, self.parameters.vector, math.nan
        everything = slice(0, len(self.train))

        def loss_and_gradient(point: Array) -> tuple[float, Array]:
            nonlocal reported
            vector[:] = point
            descended, reported = self.objective.descend(self.train, everything)
            return descended, self.objective.grads.vector.astype(np.float64)

        def end_iteration(intermediate_result: OptimizeResult) -> None:
            vector[:] = self.kept[:] = intermediate_result.x
            self._add_epoch(reported)  # the last point that a line search looks at is the one that it takes

        def check_finite(step: int) -> None:
            descended, _ = loss_and_gradient(vector)
            if not (math.isfinite(descended) and are_finite(self.parameters)):
                raise self.objective.divergence(descended, 1.0, step, max(step, 1))

        check_finite(0)
        options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
        start = vector.astype(np.float64)
        try:
            found = minimize(
                loss_and_gradient, start, jac=True, method="L-BFGS-B", callback=end_iteration, options=options
            )
        except KeyboardInterrupt:
            vector[:] = self.kept
            raise
        vector[:] = found.x
        check_finite(found.nit)
        estimator.n_iter_, estimator.loss_ = min(found.nit, estimator.max_iter), reported
        if found.status == 1:
            reached = f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status})"
            words = f"{reached}:\n{found.message}\n\nIncrease max_iter or max_fun, or scale the data (StandardScaler)."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)

    def _keep_best(self) -> None:
        """The parameters that were validated best, for who predicts; `partial_fit` goes on from the latest."""
        estimator, progress, vector = self.estimator, self.progress, self.parameters.vector
        estimator._latest = None
        if progress.best is not None:
            estimator._latest = vector.copy() if self.incremental else None
            vector[:] = progress.best
        if math.isnan(estimator.loss_) and progress.losses:
            estimator.loss_ = progress.losses[-1]
