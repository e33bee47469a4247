"""What the estimators' parameters may be, and the parts of deltarule that they stand for."""

import re
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from deltarule.errors import read_tables
from deltarule.nn.activations import Activation, Sigmoid
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.parts import PARTS, No, make
from deltarule.settings import ENGINES, all_settings, check_choice, setting, setting_names
from deltarule.training.schedules import Cosine, OneCycle, Schedule

ACTIVATIONS = {  # the estimators' name: the name here; of hidden layers, so without those of outputs alone
    (name if isinstance(row.sklearn, No) else row.sklearn): name
    for name, row in PARTS["activation"].items()
    if name not in ("softmax", "exponential")
}
# Those that take steps, all but lbfgs: the estimators' name, and the name here.
SOLVERS = {"sgd": "momentum", "nesterov": "nesterov", "adam": "adam", "adamw": "adamw", "rmsprop": "rmsprop"}
PLANNED: dict[str, Callable[[float, int], Schedule]] = {"cosine": Cosine, "one_cycle": OneCycle}
AUTO_BATCH = 200  # samples a step, or as many as there are


def interval(name: str) -> Interval:
    """The range of a setting, as scikit-learn has it."""
    asked = all_settings()[name]
    low, high = (None if abs(bound) == np.inf else asked.kind(bound) for bound in (asked.low, asked.high))
    return Interval(Real if asked.kind is float else Integral, low, high, closed="neither" if asked.is_open else "left")


DESCRIPTIONS = read_tables("estimators/descriptions")
CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "solver": [StrOptions({"lbfgs", *SOLVERS})],
    "alpha": [interval("strength")],
    "batch_size": [StrOptions({"auto"}), interval("batch_size")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "plateau", *PLANNED})],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "n_iter_no_change": [interval("n_iter_no_change"), Options(Real, {np.inf})],
    "dropout": [interval("dropout"), list, tuple],
    "rho": [interval("decay")],
    "scoring": [str, callable, None],
    "engine": [StrOptions(set(ENGINES))],
}
CONSTRAINTS |= {key: ["boolean"] for key in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping")}
RANGES = "learning_rate_init power_t max_iter tol momentum validation_fraction beta_1 beta_2 epsilon max_fun"
CONSTRAINTS |= {name: [interval(name)] for name in (*RANGES.split(), "weight_decay")}


def value_meant(estimator: Any, wrong: str) -> str:
    """A parameter with a legal value, the one that was meant by what was given for `wrong`; "" where nothing tells."""
    value, rows = getattr(estimator, wrong), type(estimator)._parameter_constraints
    word = (value if isinstance(value, str) else type(value).__name__).strip().casefold()
    word = next((name for name, here in ACTIVATIONS.items() if here == word), word)
    taking = [name for name in (wrong, *rows) if any(word in getattr(each, "options", ()) for each in rows[name])]
    if taking and word != "auto":
        return f"{taking[0]}={word!r}"
    wrong = "learning_rate_init" if wrong == "learning_rate" and isinstance(value, float) else wrong
    if wrong in ("activation", "loss", "hidden_layer_sizes") and (sizes := re.findall(r"[1-9]\d*", str(value))):
        before = [estimator.hidden_layer_sizes] if wrong == "activation" else []
        return f"hidden_layer_sizes={(*before, *map(int, sizes))}"
    asked = setting({"alpha": "strength", "rho": "decay", "learning_rate": ""}.get(wrong, wrong))
    return f"{wrong}={asked.like(value)}" if asked else ""


def hidden_sizes(given: Any) -> list[int]:
    """hidden_layer_sizes as a list. Raises ValueError, with scikit-learn's words, for a size below 1."""
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if any(not isinstance(size, Integral) or size <= 0 for size in sizes):
        whole = "" if all(isinstance(size, Integral) for size in sizes) else " Use whole numbers, as in (100, 50)."
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.{whole}")
    return sizes


def hidden_activation(name: Any, place: str) -> Activation:
    """The activation of a hidden layer by the estimators' name for it. SettingError for a name that there is not."""
    check_choice(place, name, tuple(sorted(ACTIVATIONS)))
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
    is_nesterov = estimator.solver == "sgd" and estimator.nesterovs_momentum
    kind = PARTS["optimizer"]["nesterov" if is_nesterov else SOLVERS[estimator.solver]].maker
    return kind(**{name: getattr(estimator, "rho" if name == "decay" else name) for name in setting_names(kind)})
