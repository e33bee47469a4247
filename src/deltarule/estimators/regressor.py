"""MLPRegressor: values for rows of numbers."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from deltarule.errors import DataError
from deltarule.estimators.objective import Examples
from deltarule.estimators.perceptron import Perceptron
from deltarule.estimators.settings import CONSTRAINTS
from deltarule.nn.activations import Activation, Identity
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss, Quadratic
from deltarule.public import public
from deltarule.settings import Task


@public("MLPRegressor((100,), max_iter=200)")
class MLPRegressor(RegressorMixin, Perceptron):
    """scikit-learn's MLPRegressor on deltarule's network: same parameters, same results, and more of both.

    loss: "squared_error", half of it, averaged over samples and outputs where it is told. (Not yet "poisson".)
    hidden_layer_sizes: neurons of each hidden layer; one number is one layer, () is none.
    activation: of all hidden layers, or a list with one for each: "identity", "logistic", "tanh", "relu", and beyond
        scikit-learn "leaky_relu", "elu", "silu".
    solver: "adam", "sgd", "lbfgs", and beyond scikit-learn "adamw", "nesterov", "rmsprop".
    alpha: the penalty is alpha / (2 n) sum w^2 on the weights, n being the samples of a batch (or the sum of their
        weights): deltarule's L2 of strength alpha / n.
    batch_size: samples a step; "auto" is 200, or all where there are fewer. learning_rate_init: the first rate.
    learning_rate: "constant"; "invscaling" and "adaptive", for sgd and nesterov; and beyond scikit-learn, for all but
        lbfgs, "cosine" and "one_cycle", planned for `max_iter` epochs, and "plateau", a fifth after every 5 epochs
        without progress.
    power_t: of "invscaling". max_iter: epochs at most, or iterations of lbfgs; max_fun: its calls at most.
    shuffle: whether the order of samples changes every epoch. random_state: of weights, split and order.
    tol, n_iter_no_change: the run ends after so many epochs in which the loss, or the score, got no better by `tol`.
    verbose: print a line an epoch. warm_start: `fit` goes on from where the last one ended.
    momentum, nesterovs_momentum: of sgd. beta_1, beta_2, epsilon: of adam and adamw. rho: of rmsprop.
    weight_decay: of adamw, on top of alpha.
    early_stopping: hold out `validation_fraction` of the samples, end by their score, keep the best parameters.
    scoring: that score: None for R2, "loss", a scorer's name, or a function (estimator, X, y) -> float.
    dropout: the share of each hidden layer's neurons left out of a step, or a list with one for each.
    engine: "numpy", "numba", or "auto": Numba where it is there and the run long enough to be worth compiling.

    After `fit`:

    model_: the deltarule Model, for explain, diagnose, gradcheck, save and the page. coefs_, intercepts_: its weights
        and biases. n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_: its shape.
    loss_, loss_curve_, best_loss_: training loss with penalty, the last, of every epoch, the lowest.
    validation_scores_, best_validation_score_, validation_loss_curve_: on what was held out, else None.
    n_iter_: epochs of the last call; t_: samples seen in all. stopped_: whether the run ended by itself.

    Raises what scikit-learn raises for bad arguments, ValueError and TypeError, and DivergenceError, at the step and
    with the layer, where a loss or weight is no finite number any more.

    >>> X = np.linspace(-1.0, 1.0, 20).reshape(-1, 1)
    >>> fitted = MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(fitted.score(X, X[:, 0] ** 2) > 0.99)
    True
    """

    _y_is_numeric: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {**CONSTRAINTS, "loss": [StrOptions({"squared_error"})]}

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        weight_decay: float = 0.01,
        rho: float = 0.99,
        scoring: Any = None,
        engine: str = "auto",
    ) -> None:
        self._keep(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Learn from X (n_samples, n_features), dense or sparse, and y, (n_samples,) or (n_samples, n_outputs).

        sample_weight: (n_samples,), how much each counts.
        validation_data: (X, y) or (X, y, sample_weight), scored after every epoch; the best parameters are kept.
        """
        return self._fit(X, y, sample_weight, validation_data, False)

    @available_if(Perceptron._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """One more epoch, on these samples; arguments as for `fit`.

        With early stopping every call holds out its share, the best parameters answer, and calls after `stopped_`
        change nothing.
        """
        return self._fit(X, y, sample_weight, validation_data, True)

    def _examples(self, X: Any, y: Any, *others: Any) -> Examples:
        if any(isinstance(each, str) for each in np.asarray(y).ravel()[:1].tolist()):
            raise DataError(f"y holds texts, such as {str(np.asarray(y).ravel()[0])!r}: use MLPClassifier for classes")
        return super()._examples(X, y, *others)

    def _read_targets(self, y: Array, is_first: bool, incremental: bool) -> Array:
        values = y.reshape(len(y), -1).astype(np.float64, copy=False)
        if is_first:
            self._n_values = values.shape[1]
        elif values.shape[1] != self._n_values:
            raise ValueError(f"y must have {self._n_values} outputs, as at first: got {values.shape[1]}")
        return values

    def _output(self) -> tuple[Activation, Loss, Task, tuple[str, ...]]:
        return Identity(), Quadratic(), "values", tuple(map(str, range(self._n_values)))

    def _score_of(self, outputs: Array, answers: Any, weights: Array | None) -> float:
        return float(r2_score(answers, outputs.reshape(np.shape(answers)), sample_weight=weights))

    def predict(self, X: Any) -> Array:
        """Values for X (n_samples, n_features): (n_samples,), or (n_samples, n_outputs) for several outputs."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs
