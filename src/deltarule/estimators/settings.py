"""What the estimators' parameters may be, and the parts of deltarule that they stand for."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from deltarule.errors import closest
from deltarule.nn.activations import Activation, Sigmoid
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from deltarule.parts import PARTS, No, make
from deltarule.settings import ENGINES, all_settings, brief, setting_names
from deltarule.training.schedules import Cosine, OneCycle, Schedule

ACTIVATIONS = {  # the estimators' name: the name here; of hidden layers, so without those of outputs alone
    (name if isinstance(row.sklearn, No) else row.sklearn): name
    for name, row in PARTS["activation"].items()
    if name not in ("softmax", "exponential")
}
SOLVERS: dict[str, type[Optimizer]] = {  # those that take steps: all but lbfgs
    "sgd": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSProp,
}
DESCENDING = ("sgd", "nesterov")  # the solvers that "invscaling" and "adaptive" are for
PLANNED: dict[str, Callable[[float, int], Schedule]] = {"cosine": Cosine, "one_cycle": OneCycle}
LEARNING_RATES = {"constant", "invscaling", "adaptive", "plateau", *PLANNED}
AUTO_BATCH = 200  # samples a step, or as many as there are


def interval(name: str) -> Interval:
    """The range of a setting, as scikit-learn has it."""
    asked = all_settings()[name]
    low, high = (None if abs(bound) == np.inf else asked.kind(bound) for bound in (asked.low, asked.high))
    kind = Real if asked.kind is float else Integral
    return Interval(kind, low, high, closed="neither" if asked.is_open else "left")


# What the docstrings of both estimators say, in the place of its name.
DESCRIPTIONS = {
    "{parameters}": """hidden_layer_sizes: neurons of each hidden layer; one number is one layer, () is none.
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
    scoring: that score: None for accuracy or R2, "loss", a scorer's name, or a function (estimator, X, y) -> float,
        which is given the weights of samples, too, where it takes `sample_weight`.
    dropout: the share of each hidden layer's neurons left out of a step, or a list with one for each.
    engine: "numpy", "numba", or "auto": Numba where it is there and the run long enough to be worth compiling.""",
    "{attributes}": """model_: the deltarule Model, for explain, diagnose, gradcheck, save and the page.
    coefs_, intercepts_: its weights and biases, an array a layer: views, which may be assigned.
    n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_: its shape.
    loss_, loss_curve_, best_loss_: training loss with penalty, the last, of every epoch, the lowest.
    validation_scores_, best_validation_score_, validation_loss_curve_: on what was held out, else None.
    n_iter_: epochs of the last call; t_: samples seen in all. stopped_: whether the run ended by itself.

    Raises what scikit-learn raises for bad arguments, ValueError and TypeError, and DivergenceError, at the step and
    with the layer, where a loss or weight is not finite any more.""",
}
CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "solver": [StrOptions({"lbfgs", *SOLVERS})],
    "alpha": [interval("strength")],
    "batch_size": [StrOptions({"auto"}), interval("batch_size")],
    "learning_rate": [StrOptions(LEARNING_RATES)],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "n_iter_no_change": [interval("n_iter_no_change"), Options(Real, {np.inf})],
    "dropout": [interval("dropout"), list, tuple],
    "rho": [interval("decay")],
    "scoring": [str, callable, None],
    "engine": [StrOptions(set(ENGINES))],
    **{name: ["boolean"] for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping")},
    **{
        name: [interval(name)]
        for name in (
            *("learning_rate_init", "power_t", "max_iter", "tol", "momentum", "validation_fraction"),
            *("beta_1", "beta_2", "epsilon", "max_fun", "weight_decay"),
        )
    },
}


def hidden_sizes(given: Any) -> list[int]:
    """hidden_layer_sizes as a list. Raises ValueError, with scikit-learn's words, for a size below 1."""
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if any(not isinstance(size, Integral) or size <= 0 for size in sizes):
        whole = "" if all(isinstance(size, Integral) for size in sizes) else " Use whole numbers, as in (100, 50)."
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.{whole}")
    return sizes


def hidden_activation(name: Any, place: str) -> Activation:
    """The activation of a hidden layer by the estimators' name for it. ValueError for a name that there is not."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        offer = closest(str(name), ACTIVATIONS)
        raise ValueError(f"{place} must be one of {sorted(ACTIVATIONS)}: got {brief(name)}; {offer}")
    return make("activation", ACTIVATIONS[name])


def start(network: Network, random_state: np.random.RandomState) -> None:
    """Draw weights and biases as scikit-learn does: Glorot & Bengio's, eq. 16, with a smaller bound for sigmoids.

    The layers are drawn in order, each its weights and then its biases; the output's bound is that of the layer before.
    """
    hidden = network.activations[:-1]
    for l, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        nearest = hidden[min(l, len(hidden) - 1)] if hidden else None
        bound = np.sqrt((2.0 if isinstance(nearest, Sigmoid) else 6.0) / sum(W.shape))
        W[:] = random_state.uniform(-bound, bound, W.shape)
        b[:] = random_state.uniform(-bound, bound, b.shape)


def optimizer(estimator: Any) -> Optimizer:
    """The optimizer that the parameters of an estimator ask for."""
    kind = SOLVERS[estimator.solver]
    if kind is Momentum and estimator.nesterovs_momentum:
        kind = Nesterov
    return kind(**{name: getattr(estimator, "rho" if name == "decay" else name) for name in setting_names(kind)})
