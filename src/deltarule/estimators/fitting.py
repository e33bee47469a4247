"""Fit: one call of `fit` or `partial_fit`, which gives an engine a Plan for each epoch, with scikit-learn's numbers.

The samples come in the order in which scikit-learn takes them, from the same generator: the same `random_state` gives
the same network, to rounding. When a run ends is its rule, too.
"""

import math
import sys
import warnings
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from deltarule.data.reading import print_if_possible
from deltarule.errors import DivergenceError
from deltarule.estimators import settings
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import SGD, Adam, Optimizer
from deltarule.nn.penalties import L2, Penalty
from deltarule.training.batches import steps_per_epoch
from deltarule.training.divergence import are_finite, divergence
from deltarule.training.engine import REFERENCE, engine
from deltarule.training.evaluation import loss_and_outputs
from deltarule.training.plan import Buffers, Plan
from deltarule.training.schedules import Constant, Schedule

SLOWER = 5.0  # what a rate is divided by when nothing gets better
SLOWEST = 1e-6  # below this it is not divided again
PLATEAU = 5  # epochs without progress after which "plateau" divides it, or half of n_iter_no_change


class Examples(NamedTuple):
    """What an estimator was given, checked.

    inputs: (n_samples, n_features), an array or SparseRows, of the network's dtype.
    targets: (n_samples,) int64 classes, or (n_samples, n_outputs) labels or values, as in Dataset.
    weights: (n_samples,) float64, or None where all count the same.
    answers: what a scorer compares predictions with: y as it was given.
    """

    inputs: Any
    targets: Array
    weights: Array | None
    answers: Any

    def take(self, rows: Array) -> "Examples":
        """Copies of the examples at `rows`."""
        weights = None if self.weights is None else self.weights[rows]
        return Examples(self.inputs[rows], self.targets[rows], weights, self.answers[rows])

    @property
    def importance(self) -> Array:
        """The weights, (n_samples,): 1 where all count the same."""
        return np.ones(len(self.targets)) if self.weights is None else self.weights


@dataclass
class Descent:
    """How far a descent has come, in all calls of `partial_fit`.

    optimizer: with what it remembers. schedule: step -> learning rate; factor: what that is multiplied by, and rule:
        the name of what changes the factor. step: how many there have been.
    """

    optimizer: Optimizer
    schedule: Schedule
    rule: str
    factor: float = 1.0
    step: int = 0

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.schedule(self.step) * self.factor

    def scale_rate(self, factor: float) -> None:
        """Take a new factor. Momentum keeps its speed: what moves is rate times velocity, so the velocity grows."""
        state = self.optimizer.state()
        if "velocity" in state:
            state["velocity"] *= self.factor / factor
            self.optimizer.load_state(state)
        self.factor = factor


def new_descent(estimator: Any, n_steps: int) -> Descent:
    """One that an estimator's parameters ask for, before the first of so many steps."""
    rule, rate = estimator.learning_rate, estimator.learning_rate_init
    if rule in ("invscaling", "adaptive") and estimator.solver not in settings.DESCENDING:
        rule = "constant"
    schedule = settings.PLANNED[rule](rate, n_steps) if rule in settings.PLANNED else Constant(rate)
    return Descent(settings.optimizer(estimator), schedule, rule)


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
        estimator, n_samples = self.estimator, len(self.train.targets)
        self.network = estimator.model_.network
        self.n_averaged = self.network.layer_sizes[-1] if getattr(estimator, "loss", "") == "squared_error" else 1
        self.max_epochs = 1 if self.incremental else estimator.max_iter
        is_stochastic = estimator.solver in settings.SOLVERS
        self._prepare(self._batch_size() if is_stochastic else n_samples)
        self.monitor = estimator._scores if estimator._stops_early else estimator._losses
        is_planned = estimator.learning_rate in settings.PLANNED  # for so many epochs: that is its end
        estimator._scores.tol = estimator._losses.tol = estimator.tol
        estimator._scores.patience = estimator.n_iter_no_change + 1
        estimator._losses.patience = math.inf if is_planned else estimator.n_iter_no_change + 1
        if self.held_out is not None and estimator.validation_scores_ is None:
            estimator.validation_scores_, estimator.validation_loss_curve_ = [], []
        is_named = estimator.scoring not in (None, "loss")
        self.scorer = check_scoring(estimator, estimator.scoring) if is_named else None
        self.kept, estimator.n_iter_ = self.network.parameters.vector.copy(), 0
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                (self._descend if is_stochastic else self._minimize)()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        finally:
            self._keep_best()

    def _batch_size(self) -> int:
        asked, n_samples = self.estimator.batch_size, len(self.train.targets)
        if asked == "auto":
            return min(settings.AUTO_BATCH, n_samples)
        if asked > n_samples:
            words = "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            warnings.warn(words, stacklevel=2)
        return min(int(asked), n_samples)

    def _prepare(self, batch_size: int) -> None:
        """Choose the engine, and the part of the plan that all epochs share."""
        network, train, alpha = self.network, self.train, self.estimator.alpha
        self.engine = engine(self.estimator.engine)
        self.buffers, self.importance = Buffers(network, batch_size), train.importance
        if isinstance(train.inputs, SparseRows):  # a piece's gradient takes more room than the samples of a batch
            self.engine, self.buffers = REFERENCE, Buffers(network, batch_size, batch_size)
        self.plan = Plan(
            train.inputs,
            train.targets,
            order=np.arange(len(train.targets)),
            batch_size=batch_size,
            learning_rates=np.zeros(0),
            sample_weight=train.weights,
            seed=self.random_state.randint(2**31) if any(network.dropout) else 0,
            penalty=L2(alpha) if alpha else Penalty(),
            buffers=self.buffers,
        )

    def _descend(self) -> None:
        """Epochs of steps; where the loss is lost, the network has the parameters of the last whole epoch."""
        estimator, n_samples, vector = self.estimator, len(self.train.targets), self.network.parameters.vector
        if estimator._descent is None:
            n_steps = estimator.max_iter * steps_per_epoch(n_samples, self.plan.batch_size)
            estimator._descent = new_descent(estimator, n_steps)
        self.descent: Descent = estimator._descent
        order = self.plan.order
        try:
            for epoch in range(1, self.max_epochs + 1):
                if estimator.shuffle and n_samples > self.plan.batch_size:
                    order = order[self.random_state.permutation(n_samples)]
                self._plan_epoch(order, epoch)
                loss = self._train_epoch()
                estimator.t_ += n_samples
                self._add_epoch(loss)
                if self._is_over():
                    break
                self.kept[:] = vector
        except DivergenceError:
            vector[:] = self.kept
            raise

    def _plan_epoch(self, order: Array, epoch: int) -> None:
        """Give the plan an epoch's steps. scikit-learn divides alpha by what a batch weighs.

        Its Adam adds epsilon to the root before that is corrected for having started at 0, ours after.
        """
        plan, descent, starts = self.plan, self.descent, np.arange(0, len(order), self.plan.batch_size)
        plan.order, plan.epoch, plan.first_step = order, epoch, descent.step
        rates = [descent.schedule(step) for step in range(descent.step, descent.step + len(starts))]
        plan.learning_rates = np.array(rates) * descent.factor
        if plan.strengths is None or plan.sample_weight is not None:  # else each epoch's batches weigh the same
            weights = np.add.reduceat(self.importance[order], starts)
            plan.strengths = self.estimator.alpha / np.where(weights > 0.0, weights, np.inf)
            self.n_updates = np.cumsum(weights > 0.0)
        if type(adam := descent.optimizer) is Adam:
            updates = np.maximum(adam.steps + self.n_updates, 1)
            plan.epsilons = self.estimator.epsilon / np.sqrt(1.0 - adam.beta_2**updates)

    def _train_epoch(self) -> float:
        """The mean loss of an epoch's batches, each before its step, with the penalty; what weighs nothing has none."""
        plan, descent = self.plan, self.descent
        outcome = self.engine.run_steps(self.network, descent.optimizer, plan)
        descent.step += outcome.steps
        if outcome.steps < len(outcome.losses):
            rate = plan.learning_rates[outcome.steps].item()
            raise self._divergence(outcome.losses[-1], rate, descent.step, plan.epoch)
        weights = np.array(outcome.weights)
        losses = np.array(outcome.losses) / self.n_averaged + np.array(outcome.penalties)
        loss = float(losses @ weights) / (float(weights.sum()) or 1.0)
        if not (math.isfinite(loss) and are_finite(self.network.parameters)):
            raise self._divergence(loss, plan.learning_rates[-1].item(), descent.step, plan.epoch)
        return loss

    def _divergence(self, loss: float, learning_rate: float, step: int, epoch: int) -> DivergenceError:
        ws, kept = self.buffers.workspace, epoch - 1
        return divergence(self.network, ws, loss=loss, learning_rate=learning_rate, step=step, epoch=epoch, kept=kept)

    def _add_epoch(self, loss: float) -> None:
        """Note an epoch's loss, and the score and loss on what is held out."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        estimator._losses.takes(loss, estimator.n_iter_)
        estimator.best_loss_ = None if estimator._stops_early else estimator._losses.best
        self._print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        if self.held_out is not None:
            score, held_out_loss = self._validation_figures(self.held_out)
            estimator.validation_scores_.append(score)
            estimator.validation_loss_curve_.append(held_out_loss)
            if estimator._scores.takes(score, estimator.n_iter_) or estimator._best is None:
                estimator._best = self.network.parameters.vector.copy()
            estimator.best_validation_score_ = -estimator._scores.best
            self._print(f"Validation score: {score:f}")

    def _validation_figures(self, held_out: Examples) -> tuple[float, float]:
        """(score, loss) on what is held out. DivergenceError where an output is not finite."""
        estimator, (inputs, targets, weights, answers) = self.estimator, held_out
        loss, blocks = loss_and_outputs(self.network, inputs, targets, self.engine, weights)
        loss, outputs = loss / self.n_averaged, np.concatenate(blocks)
        if not np.isfinite(outputs).all():
            steps = estimator.n_iter_ * steps_per_epoch(len(self.train.targets), self.plan.batch_size)
            raise self._divergence(loss, estimator.learning_rate_init, steps, estimator.n_iter_)
        if estimator.scoring == "loss":
            return -loss, loss
        if self.scorer is None:
            return estimator._score_of(outputs, answers, weights), loss
        known = signature(getattr(self.scorer, "_score_func", self.scorer)).parameters
        how = {"sample_weight": weights} if weights is not None and "sample_weight" in known else {}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return float(self.scorer(estimator, getattr(inputs, "matrix", inputs), answers, **how)), loss

    def _is_over(self) -> bool:
        """Whether an epoch of descent was the last. Where there is no more progress, the rate may become smaller."""
        estimator, descent, monitor = self.estimator, self.descent, self.monitor
        rule, can_slow_down, stalled = descent.rule, descent.rate > SLOWEST, monitor.stalled
        if rule == "invscaling":
            descent.scale_rate((estimator.t_ + 1) ** -estimator.power_t)
        elif rule == "plateau" and can_slow_down and stalled:
            patience = max(1, min(PLATEAU, estimator.n_iter_no_change // 2))
            descent.scale_rate(descent.factor / (SLOWER if stalled % patience == 0 else 1.0))
        if monitor.is_stuck:
            end, estimator.stopped_ = "Stopping.", not (rule == "adaptive" and can_slow_down)
            if not estimator.stopped_:
                descent.scale_rate(descent.factor / SLOWER)
                monitor.wait_again()
                end = f"Setting learning rate to {descent.rate:f}"
            figure = "Validation score" if estimator._stops_early else "Training loss"
            epochs = f"tol={estimator.tol:f} for {estimator.n_iter_no_change} consecutive epochs"
            self._print(f"{figure} did not improve more than {epochs}. {end}")
        is_at_end = estimator.n_iter_ == estimator.max_iter and not (self.incremental or rule in settings.PLANNED)
        if is_at_end and not estimator.stopped_:
            reached = f"Maximum iterations ({estimator.max_iter}) reached"
            words = f"Stochastic Optimizer: {reached} and the optimization hasn't converged yet."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)
        return bool(estimator.stopped_)

    def _print(self, line: str) -> None:
        if self.estimator.verbose:
            print_if_possible(line, sys.stdout)

    def _minimize(self) -> None:
        """SciPy's L-BFGS (Liu & Nocedal 1989); interrupted, it leaves the parameters of the last whole iteration.

        Raises DivergenceError where the loss is not a finite number, at the start or at the end.
        """
        estimator, vector = self.estimator, self.network.parameters.vector

        def end_iteration(intermediate_result: OptimizeResult) -> None:
            vector[:] = self.kept[:] = intermediate_result.x
            self._add_epoch(self.reported)  # the last point that a line search looks at is the one that it takes

        self.plan.learning_rates, self.plan.highest_loss = np.zeros(1), -math.inf  # a gradient is wanted, and no step
        self._check_point(vector, 0)
        options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
        how: dict[str, Any] = {"method": "L-BFGS-B", "jac": True, "callback": end_iteration, "options": options}
        try:
            found = minimize(self._loss_and_gradient, vector.astype(np.float64, copy=False), **how)
        except KeyboardInterrupt:
            vector[:] = self.kept
            raise
        self._check_point(found.x, found.nit)
        estimator.n_iter_, estimator.loss_ = min(found.nit, estimator.max_iter), self.reported
        if found.status == 1:
            reached = f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status})"
            words = f"{reached}:\n{found.message}\n\nIncrease max_iter or max_fun, or scale the data (StandardScaler)."
            warnings.warn(words, ConvergenceWarning, stacklevel=2)

    def _loss_and_gradient(self, point: Array) -> tuple[float, Array]:
        """Of all samples at a point, (n_parameters,), with the penalty: what is minimized, and its gradient, float64.

        The loss sums squared errors over the outputs; `reported` has the mean of them, as scikit-learn reports it.
        """
        network, plan, grads = self.network, self.plan, self.buffers.grads
        network.parameters.vector[:] = point
        penalty = replace(plan.penalty, strength=self.estimator.alpha / plan.weight(plan.order))
        loss = self.engine.run_steps(network, SGD(), plan).losses[0]
        penalty.add_gradient(network.parameters, grads)
        extra = penalty.value(network.parameters)
        self.reported = loss / self.n_averaged + extra
        return loss + extra, grads.vector.astype(np.float64)

    def _check_point(self, point: Array, step: int) -> None:
        loss, _ = self._loss_and_gradient(point)
        if not (math.isfinite(loss) and are_finite(self.network.parameters)):
            raise self._divergence(loss, 1.0, step, max(step, 1))

    def _keep_best(self) -> None:
        """The parameters that were validated best, to predict with; `partial_fit` goes on from the latest."""
        estimator, vector = self.estimator, self.network.parameters.vector
        estimator._latest = None
        if self.held_out is not None and estimator._best is not None:
            estimator._latest = vector.copy() if self.incremental else None
            vector[:] = estimator._best
        if math.isnan(estimator.loss_) and estimator.loss_curve_:
            estimator.loss_ = estimator.loss_curve_[-1]


class SparseRows:
    """A CSR matrix as the inputs of a network: matrix products take it as it is, so zeros cost neither room nor time.

    matrix: (n_samples, n_features). is_transposed: it stands for its transpose.
    """

    def __init__(self, matrix: Any, *, is_transposed: bool = False) -> None:
        self.matrix, self.is_transposed = matrix, is_transposed
        self.shape, self.dtype, self.ndim = matrix.shape, matrix.dtype, 2

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: Any) -> "SparseRows":
        return SparseRows(self.matrix[rows])

    @property
    def T(self) -> "SparseRows":  # noqa: N802 - NumPy's name
        """The transpose."""
        return SparseRows(self.matrix, is_transposed=True)

    def __array_ufunc__(self, ufunc: Any, method: str, _: Any, dense: Array, out: tuple[Array]) -> Array:
        """np.matmul(self, dense, out=...), which is all that a network does with its inputs."""
        (product,) = out
        if ufunc is not np.matmul or method != "__call__":
            return NotImplemented
        if self.is_transposed:
            product[...] = 0.0
            columns = np.unique(self.matrix.indices)
            product[columns] = self.matrix[:, columns].T @ dense
        else:
            product[...] = self.matrix @ dense
        return product
