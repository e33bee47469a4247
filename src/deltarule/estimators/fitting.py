"""Fit: one call of `fit` or `partial_fit`. It has an engine run a Plan per epoch; its results match scikit-learn's.

The samples come in scikit-learn's order, from the same generator: the same `random_state` gives the same network, up to
rounding. The rule for the end of a run is scikit-learn's, too.
"""

import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from deltarule.data.reading import print_if_possible
from deltarule.errors import LOG, DivergenceError, sentence
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import SGD, Adam, Optimizer
from deltarule.nn.penalties import L2, Penalty
from deltarule.parts import PARTS
from deltarule.settings import setting_names
from deltarule.training.engine import engine
from deltarule.training.evaluation import are_finite, divergence, loss_and_outputs
from deltarule.training.plan import PIECE_ROWS, Buffers, Plan, steps_per_epoch
from deltarule.training.schedules import Constant, Cosine, OneCycle, Schedule

SLOWER = 5.0  # the rate is divided by this when nothing improves
SLOWEST = 1e-6  # below this rate it is not divided again
PLATEAU = 5  # epochs without progress until "plateau" divides the rate; or half of n_iter_no_change, if less
# The solvers that take steps, all but lbfgs: their names in scikit-learn, and in deltarule.
SOLVERS = {"sgd": "momentum", "nesterov": "nesterov", "adam": "adam", "adamw": "adamw", "rmsprop": "rmsprop"}
PLANNED: dict[str, Callable[[float, int], Schedule]] = {"cosine": Cosine, "one_cycle": OneCycle}
AUTO_BATCH = 200  # samples per step, or as many as there are


class Examples(NamedTuple):
    """The data that an estimator is fitted to, or validated on, after all checks.

    inputs: (n_samples, n_features), an array or SparseRows, of the network's dtype.
    targets: (n_samples,) int64 classes, or (n_samples, n_outputs) labels or values, as in Dataset.
    weights: (n_samples,) float64, or None if all count the same.
    answers: y as it was given, for a scorer to compare predictions with.
    """

    inputs: Any
    targets: Array
    weights: Array | None
    answers: Any

    def take(self, rows: Array) -> "Examples":
        """Copies of the examples at `rows`."""
        taken: Any = (None if each is None else each[rows] for each in self)
        return Examples(*taken)


@dataclass
class Descent:
    """The state of gradient descent, kept from one call of `partial_fit` to the next.

    optimizer: with its state. schedule: step -> learning rate. factor: what the rate is multiplied by.
    rule: the name of the rule that changes the factor, such as "adaptive". step: the number of steps so far.
    """

    optimizer: Optimizer
    schedule: Schedule
    rule: str
    factor: float = 1.0
    step: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self.schedule(step) * self.factor

    def scale_rate(self, factor: float) -> None:
        """Set a new factor of the learning rate; rescale momentum's velocity, so that rate times velocity stays."""
        state = self.optimizer.state()
        if "velocity" in state:
            state["velocity"] *= self.factor / factor
            self.optimizer.load_state(state)
        self.factor = factor


@dataclass
class Fit:
    """One fit of an estimator, whose parameters configure it, and whose attributes show its state after every epoch.

    train: the training data; held_out: the validation data, or None.
    incremental: whether it is a `partial_fit`, one epoch.
    """

    estimator: Any
    train: Examples
    held_out: Examples | None
    random_state: np.random.RandomState
    incremental: bool

    def run(self) -> None:
        """Train the network. If Ctrl-C interrupts the run, warn and keep the state that it has reached.

        Raises DivergenceError; the network then has the parameters of the last whole epoch, or iteration of L-BFGS.
        """
        estimator, losses, scores = self.estimator, self.estimator._losses, self.estimator._scores
        self.network = estimator.model_.network
        self.vector = self.network.parameters.vector
        self.n_averaged = self.network.layer_sizes[-1] if getattr(estimator, "loss", "") == "squared_error" else 1
        self.monitor = scores if estimator._stops_early else losses
        losses.tol = scores.tol = estimator.tol
        scores.patience = estimator.n_iter_no_change + 1
        losses.patience = math.inf if estimator.learning_rate in PLANNED else scores.patience
        if self.held_out is not None and estimator.validation_scores_ is None:
            estimator.validation_scores_, estimator.validation_loss_curve_ = [], []
        self.scorer = None if estimator.scoring in (None, "loss") else check_scoring(estimator, estimator.scoring)
        if estimator.early_stopping and estimator.solver not in SOLVERS:
            LOG.warning("early_stopping has no effect with solver='lbfgs': use solver='adam'")
        if estimator.scoring is not None and self.held_out is None:
            warnings.warn("scoring has no effect without held-out examples: use early_stopping=True", stacklevel=4)
        is_stochastic = estimator.solver in SOLVERS
        self._prepare(estimator.batch_size if is_stochastic else len(self.train.targets))
        self.kept, self.step, estimator.n_iter_ = self.vector.copy(), 0, 0
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                (self._descend if is_stochastic else self._minimize)()
        except DivergenceError:
            self.vector[:] = self.kept
            raise
        except KeyboardInterrupt:
            if not is_stochastic:  # a line search tries points without a finite loss
                self.vector[:] = self.kept
            warnings.warn("Training interrupted by user.", stacklevel=2)
        finally:  # the best validated parameters predict; `partial_fit` continues from the latest
            estimator._latest = None
            if self.held_out is not None and estimator._best is not None:
                estimator._latest = self.vector.copy() if self.incremental else None
                self.vector[:] = estimator._best

    def _prepare(self, asked: int | str) -> None:
        """Choose the engine, and create the plan that all epochs share. asked: samples per step, or "auto"."""
        network, train, alpha = self.network, self.train, self.estimator.alpha
        n_samples = len(train.targets)
        batch_size = min(AUTO_BATCH if asked == "auto" else int(asked), n_samples)
        if asked != "auto" and batch_size < int(asked):
            warnings.warn(sentence("estimators.batch_size"), stacklevel=2)
        self.engine = engine(self.estimator.engine)
        # With a sparse matrix the gradient of a piece takes more memory than the samples of a batch.
        piece_rows = PIECE_ROWS if isinstance(train.inputs, np.ndarray) else batch_size
        self.buffers = Buffers(network, batch_size, piece_rows)
        self.plan = Plan(
            train.inputs,
            train.targets,
            order=np.arange(n_samples),
            batch_size=batch_size,
            learning_rates=np.ones(1),
            sample_weight=train.weights,
            seed=self.random_state.randint(2**31) if any(network.dropout) else 0,
            epoch=1,
            penalty=L2(alpha) if alpha else Penalty(),
            buffers=self.buffers,
        )

    def _descend(self) -> None:
        """Train by gradient descent, epoch after epoch, with sample orders from one generator."""
        estimator, plan = self.estimator, self.plan
        n_samples = len(plan.order)
        if estimator._descent is None:
            rule, rate = estimator.learning_rate, estimator.learning_rate_init
            n_steps = estimator.max_iter * steps_per_epoch(n_samples, plan.batch_size)
            if rule in ("invscaling", "adaptive") and estimator.solver not in ("sgd", "nesterov"):
                rule = "constant"
            schedule = PLANNED[rule](rate, n_steps) if rule in PLANNED else Constant(rate)
            is_nesterov = estimator.solver == "sgd" and estimator.nesterovs_momentum
            kind = PARTS["optimizer"]["nesterov" if is_nesterov else SOLVERS[estimator.solver]].maker
            given = {name: getattr(estimator, "rho" if name == "decay" else name) for name in setting_names(kind)}
            estimator._descent = Descent(kind(**given), schedule, rule)
        for epoch in range(1, 2 if self.incremental else estimator.max_iter + 1):
            plan.epoch = epoch
            if estimator.shuffle and n_samples > plan.batch_size:
                plan.order = plan.order[self.random_state.permutation(n_samples)]
            self._add_epoch(self._train_epoch(estimator._descent))
            estimator.t_ += n_samples
            if self._is_over(estimator._descent):
                break
            self.kept[:] = self.vector

    def _train_epoch(self, descent: Descent) -> float:
        """Take an epoch's steps. Return the mean loss of its batches, each before its step, with the penalty.

        As in scikit-learn, alpha is divided by the weight of each batch (0: no penalty). scikit-learn's Adam adds
        epsilon before the bias correction, deltarule's after it, so the epsilon is converted for each step.
        """
        estimator, plan, optimizer = self.estimator, self.plan, descent.optimizer
        if plan.strengths is None or plan.sample_weight is not None:  # else each epoch's batches weigh the same
            weights = plan.batch_weights()
            plan.strengths = estimator.alpha / np.where(weights > 0.0, weights, np.inf)
            self.n_updates: list[int] = np.cumsum(weights > 0.0).tolist()
        steps = range(descent.step, descent.step + len(plan.strengths))
        plan.first_step = descent.step
        plan.learning_rates = np.array([descent.rate(step) for step in steps])
        if type(optimizer) is Adam:  # with Python's own numbers: most epochs of a small table are one step
            fading = (optimizer.beta_2 ** max(optimizer.steps + n, 1) for n in self.n_updates)
            plan.epsilons = np.array([estimator.epsilon / math.sqrt(1.0 - each) for each in fading])
        outcome = self.engine.run_steps(self.network, optimizer, plan)
        descent.step = self.step = descent.step + outcome.steps
        loss = outcome.losses[-1]
        if outcome.steps == len(outcome.losses):
            parts = zip(outcome.losses, outcome.penalties, outcome.weights, strict=True)
            total = sum((data / self.n_averaged + penalty) * weight for data, penalty, weight in parts)
            loss = total / (sum(outcome.weights) or 1.0)
        self._check(loss)
        return loss

    def _check(self, loss: float) -> None:
        """Raise DivergenceError unless the latest loss and the parameters are finite numbers."""
        if not (math.isfinite(loss) and are_finite(self.network.parameters)):
            rates = self.estimator.learning_rate_init, self.plan.learning_rates[0].item()
            where = {"step": self.step, "epoch": self.plan.epoch, "kept": self.plan.epoch - 1}
            raise divergence(self.network, self.buffers.workspace, rates, loss=loss, **where)

    def _add_epoch(self, loss: float) -> None:
        """Record an epoch's loss in the estimator and, if there are held-out samples, their score and loss."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        estimator._losses.takes(loss)
        estimator.best_loss_ = None if estimator._stops_early else estimator._losses.best
        self._print("Iteration {}, loss = {:.8f}", estimator.n_iter_, loss)
        if self.held_out is not None:
            score, held_out_loss = self._validation_figures(self.held_out)
            estimator.validation_scores_.append(score)
            estimator.validation_loss_curve_.append(held_out_loss)
            if estimator._scores.takes(score) or estimator._best is None:
                estimator._best = self.vector.copy()
            estimator.best_validation_score_ = -estimator._scores.best
            self._print("Validation score: {:f}", score)

    def _validation_figures(self, held_out: Examples) -> tuple[float, float]:
        """The (score, loss) on the held-out samples. DivergenceError if the loss is not finite."""
        estimator, (inputs, targets, weights, answers) = self.estimator, held_out
        loss, outputs = loss_and_outputs(self.network, inputs, targets, self.engine, weights)
        loss /= self.n_averaged
        self._check(loss)
        if estimator.scoring == "loss":
            return -loss, loss
        if self.scorer is None:
            return estimator._score_of(outputs, answers, weights), loss
        known = signature(getattr(self.scorer, "_score_func", self.scorer)).parameters
        how = {"sample_weight": weights} if weights is not None and "sample_weight" in known else {}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return float(self.scorer(estimator, getattr(inputs, "matrix", inputs), answers, **how)), loss

    def _is_over(self, descent: Descent) -> bool:
        """Change the learning rate after an epoch, if the rule says so, and return whether the run is over."""
        estimator, monitor, rule = self.estimator, self.monitor, descent.rule
        can_slow_down = descent.rate(descent.step) > SLOWEST
        if rule == "invscaling":
            descent.scale_rate((estimator.t_ + 1) ** -estimator.power_t)
        elif rule == "plateau" and can_slow_down and monitor.stalled:
            patience = max(1, min(PLATEAU, estimator.n_iter_no_change // 2))
            descent.scale_rate(descent.factor / (SLOWER if monitor.stalled % patience == 0 else 1.0))
        if monitor.is_stuck:
            end, estimator.stopped_ = "Stopping.", not (rule == "adaptive" and can_slow_down)
            if not estimator.stopped_:
                descent.scale_rate(descent.factor / SLOWER)
                monitor.wait_again()
                end = f"Setting learning rate to {descent.rate(descent.step):f}"
            figure = "Validation score" if estimator._stops_early else "Training loss"
            self._print(sentence("estimators.no_progress", figure=figure, estimator=estimator, end=end))
        is_cut_off = not (self.incremental or rule in PLANNED or estimator.stopped_)
        if is_cut_off and estimator.n_iter_ == estimator.max_iter:
            warnings.warn(sentence("estimators.max_iter", reached=estimator.max_iter), ConvergenceWarning, stacklevel=2)
        return bool(estimator.stopped_)

    def _print(self, line: str, *values: Any) -> None:
        if self.estimator.verbose:
            print_if_possible(line.format(*values), sys.stdout)

    def _minimize(self) -> None:
        """Train with SciPy's L-BFGS (Liu & Nocedal 1989), on all samples at once."""
        estimator, plan = self.estimator, self.plan
        plan.highest_loss = -math.inf  # only the gradient is needed, no step
        plan.penalty = replace(plan.penalty, strength=estimator.alpha / plan.batch_weights().item())

        def end_iteration(intermediate_result: OptimizeResult) -> None:
            self.vector[:] = intermediate_result.x
            self._add_epoch(self.reported)  # the last point that a line search evaluates is the one that it takes
            self.kept[:], self.step, plan.epoch = self.vector, estimator.n_iter_, estimator.n_iter_

        self._check(self._loss_and_gradient(self.vector)[0])
        options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
        how: dict[str, Any] = {"method": "L-BFGS-B", "jac": True, "callback": end_iteration, "options": options}
        found = minimize(self._loss_and_gradient, self.vector.astype(np.float64, copy=False), **how)
        self._check(self._loss_and_gradient(found.x)[0])
        estimator.n_iter_, estimator.loss_ = min(found.nit, estimator.max_iter), self.reported
        if found.status == 1:
            warnings.warn(sentence("estimators.lbfgs", found=found), ConvergenceWarning, stacklevel=2)

    def _loss_and_gradient(self, point: Array) -> tuple[float, Array]:
        """The (loss, gradient) of all samples, with the penalty, for parameters `point`; the gradient is float64.

        The loss sums squared errors over the outputs; `self.reported` has their mean, which scikit-learn reports.
        """
        params, plan, grads = self.network.parameters, self.plan, self.buffers.grads
        self.vector[:] = point
        loss = self.engine.run_steps(self.network, SGD(), plan).losses[0]
        plan.penalty.add_gradient(params, grads)
        extra = plan.penalty.value(params)
        self.reported = loss / self.n_averaged + extra
        return loss + extra, grads.vector.astype(np.float64)


class SparseRows:
    """A CSR matrix as the inputs of a network: matrix products use it as it is, so zeros cost neither memory nor time.

    matrix: a SciPy matrix (n_samples, n_features) in CSR format, or its transpose, in CSC format.
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix
        self.shape, self.dtype, self.ndim = matrix.shape, matrix.dtype, 2

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: Any) -> "SparseRows":
        return SparseRows(self.matrix[rows])

    @property
    def T(self) -> "SparseRows":  # noqa: N802 - NumPy's name
        """The transpose."""
        return SparseRows(self.matrix.T)

    def __array_ufunc__(self, ufunc: Any, method: str, _: Any, dense: Array, out: tuple[Array]) -> Array:
        """Compute np.matmul(self, dense, out=...), the only operation that a network applies to its inputs."""
        (product,) = out
        if ufunc is not np.matmul or method != "__call__":
            return NotImplemented
        if self.matrix.format == "csc" and (features := np.unique(self.matrix.indices)).size < len(product):
            product[...] = 0.0
            product[features] = self.matrix.T[:, features].T @ dense
        else:  # to cut columns takes longer than the product, and none is all zeros
            product[...] = self.matrix @ dense
        return product
