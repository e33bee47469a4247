"""Perceptron: the base class of MLPClassifier and MLPRegressor, with all that they have in common."""

import math
import re
from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, fields, is_dataclass
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, InvalidParameterError, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from deltarule.data.columns import Column
from deltarule.errors import DataError, SettingError, ShapeError, UnknownNameError, read_tables, sentence
from deltarule.estimators.fitting import PLANNED, SOLVERS, Examples, Fit, SparseRows
from deltarule.inputs import MISREAD, is_unit, refuse
from deltarule.model import Model, range_with
from deltarule.nn.activations import Activation, Sigmoid
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, forward
from deltarule.parts import PARTS, No, make, spec_of
from deltarule.public import public
from deltarule.settings import ENGINES, all_settings, brief, check_choice, one_per_layer, setting
from deltarule.training.history import Monitor

NUMBERS = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
ACTIVATIONS = {  # scikit-learn's name: the name here; for hidden layers
    (name if isinstance(row.sklearn, No) else row.sklearn): name
    for name, row in PARTS["activation"].items()
    if name not in ("softmax", "exponential")
}


def interval(name: str) -> Interval:
    """The values that a deltarule setting may have, as scikit-learn's Interval."""
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
    """The setting probably meant by the bad value of `wrong`, as code, such as "solver='sgd'"; "" if unclear."""
    value, rows = getattr(estimator, wrong), type(estimator)._parameter_constraints
    word = (value if isinstance(value, str) else type(value).__name__).strip().casefold()
    word = next((name for name, here in ACTIVATIONS.items() if here == word), word)
    taking = [name for name in (wrong, *rows) if any(word in getattr(each, "options", ()) for each in rows[name])]
    if taking and word != "auto":
        settings = {"rate": "learning_rate_init"}  # of a schedule; other parts call them as estimators do
        given = (
            ((each.name, getattr(value, each.name), each.default) for each in fields(value))
            if is_dataclass(value)
            else ()
        )
        more = [(settings.get(name, name), one) for name, one, default in given if one != default]
        return ", ".join(f"{name}={one!r}" for name, one in [(taking[0], word), *more] if name in rows)
    if wrong == "early_stopping" and isinstance(value, int):
        return f"early_stopping=True, n_iter_no_change={value}"
    wrong = "learning_rate_init" if wrong == "learning_rate" and isinstance(value, float) else wrong
    if wrong in ("activation", "loss", "hidden_layer_sizes") and (sizes := re.findall(r"[1-9]\d*", str(value))):
        before = [estimator.hidden_layer_sizes] if wrong == "activation" else []
        return f"hidden_layer_sizes={(*before, *map(int, sizes))}"
    asked = setting({"alpha": "strength", "rho": "decay", "learning_rate": ""}.get(wrong, wrong))
    return f"{wrong}={asked.like(value)}" if asked else ""


def hidden_sizes(given: Any) -> list[int]:
    """hidden_layer_sizes as a list. Raises ValueError, in scikit-learn's words, for a size below 1."""
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if any(not isinstance(size, Integral) or size <= 0 for size in sizes):
        whole = "" if all(isinstance(size, Integral) for size in sizes) else " Use whole numbers, as in (100, 50)."
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.{whole}")
    return sizes


def hidden_activation(name: Any, place: str) -> Activation:
    """The activation of a hidden layer by scikit-learn's name. SettingError for an unknown name."""
    check_choice(place, name, tuple(sorted(ACTIVATIONS)))
    return make("activation", ACTIVATIONS[name])


def start(network: Network, random_state: np.random.RandomState) -> None:
    """Draw the first weights and biases as scikit-learn does: Glorot & Bengio's eq. 16, smaller ones for sigmoids.

    The layers are drawn in order, weights before biases; the output layer uses the bound of the layer before it.
    """
    hidden = network.activations[:-1]
    for l, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        nearest = hidden[min(l, len(hidden) - 1)] if hidden else None
        bound = np.sqrt((2.0 if isinstance(nearest, Sigmoid) else 6.0) / sum(W.shape))
        W[:] = random_state.uniform(-bound, bound, W.shape)
        b[:] = random_state.uniform(-bound, bound, b.shape)


class Layers(list[Array]):
    """Arrays of a network, one per layer. An array that is assigned to an index is copied into the network."""

    def __setitem__(self, place: Any, given: Any) -> None:
        """Copy an array into layer `place`, or one per layer for a slice. ShapeError for another shape or number."""
        is_slice = isinstance(place, slice)
        places, arrays = (range(len(self))[place], given) if is_slice else ([place], [given])
        if len(arrays) != len(places):
            raise ShapeError(f"{len(places)} arrays are needed, one for each layer: got {len(arrays)}")
        for l, array in zip(places, arrays, strict=True):
            if np.shape(array) != self[l].shape:
                raise ShapeError(f"the array of layer {l} has the shape {self[l].shape}: got {np.shape(array)}")
            self[l][...] = array

    def _refuse(self, *arguments: Any, **options: Any) -> Any:
        raise TypeError("a network keeps its number of layers: assign to an index, as in coefs_[0] = W")

    append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse


def layer_arrays(name: str, kind: str) -> Any:
    """A property for an estimator's weights or biases (`kind`): one array per layer, views that can be assigned to.

    If arrays are assigned before there is a network, a first `partial_fit` or warm start begins with them.
    """

    def read(estimator: Any) -> Any:
        if "model_" in vars(estimator):
            return Layers(getattr(estimator.model_.network, kind))
        if name in (given := vars(estimator).get("_given", {})):
            return given[name]
        raise UnknownNameError(sentence("estimators.not_fitted", kind=type(estimator).__name__, name=name))

    def assign(estimator: Any, given: Any) -> None:
        if "model_" in vars(estimator):
            read(estimator)[:] = given
        else:
            vars(estimator).setdefault("_given", {})[name] = list(given)

    return property(read, assign)


def refuse_confused(X: Any, y: Any, sample_weight: Any) -> None:
    """Raise an error for arguments that NumPy or scikit-learn would convert wrongly, or reject in unclear words."""
    refuse(X, "X", MISREAD)
    refuse(y, "y", MISREAD)
    if getattr(X, "ndim", 2) == 1 and getattr(y, "ndim", 1) == 2:
        raise ShapeError(sentence("estimators.swapped", X=X, y=y))
    if getattr(X, "ndim", 2) > 2:
        raise ShapeError(sentence("estimators.not_rows", X=X))
    if isinstance(sample_weight, dict):
        raise SettingError(sentence("estimators.weights_of_classes"))


@public()
@dataclass(eq=False, repr=False, kw_only=True)
class Perceptron(BaseEstimator, metaclass=ABCMeta):
    """A network with scikit-learn's interface: parameters are stored as given, and checked when `fit` is called.

    A subclass says what it predicts by defining `_output`, `_read_targets` and `_score_of`.
    """

    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    dropout: Any = 0.0
    weight_decay: float = 0.01
    rho: float = 0.99
    scoring: Any = None
    engine: str = "auto"
    coefs_ = layer_arrays("coefs_", "weights")
    intercepts_ = layer_arrays("intercepts_", "biases")

    def __post_init__(self) -> None:
        """Raise SettingError for X and y passed to the constructor instead of `fit`."""
        if data := [each for each in vars(self).values() if getattr(each, "ndim", 0) > 1]:
            raise SettingError(sentence("estimators.data", given=brief(data[0]), kind=type(self).__name__))

    def __init_subclass__(cls, **options: Any) -> None:
        """Replace names in braces in a subclass's docstring by the texts in descriptions.toml."""
        super().__init_subclass__(**options)
        for name, text in DESCRIPTIONS.items():
            cls.__doc__ = cls.__doc__ and cls.__doc__.replace(name, text)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, as in scikit-learn. SettingError, with the name that was meant, for an unknown one."""
        type(self)(**params)  # which checks as the constructor does
        return super().set_params(**params)

    def _is_stochastic(self) -> bool:
        """True if the solver has a `partial_fit`, for scikit-learn's `available_if`; else raises AttributeError."""
        if self.solver not in SOLVERS:
            raise UnknownNameError(sentence("estimators.not_stochastic", kind=type(self).__name__, solver=self.solver))
        return True

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Learn from X (n_samples, n_features), dense or sparse, and y.

        y: for a classifier (n_samples,) classes of any kind, or (n_samples, n_labels) of 0 and 1; for a regressor
            (n_samples,) or (n_samples, n_outputs) numbers.
        sample_weight: (n_samples,), how much each counts.
        validation_data: (X, y) or (X, y, sample_weight), scored after every epoch; the best parameters are kept.
        """
        return self._fit(X, y, sample_weight, validation_data, False)

    @available_if(_is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train for one more epoch, on these samples; the arguments are those of `fit`.

        With early stopping every call holds out a share of its samples, the best parameters predict, and once
        `stopped_` is True, calls change nothing.
        """
        return self._fit(X, y, sample_weight, validation_data, True)

    @abstractmethod
    def _output(self) -> dict[str, Any]:
        """The arguments of Network that depend on the targets: output, loss, task and class_names."""

    @abstractmethod
    def _read_targets(self, y: Array, is_first: bool, incremental: bool) -> Array:
        """The targets for the network, (n_samples,) or (n_samples, n_outputs), from the user's y, or ValueError."""

    @abstractmethod
    def _score_of(self, outputs: Array, answers: Any, weights: Array | None) -> float:
        """The score of a network's outputs, compared with the true `answers`: accuracy or R2."""

    def _validate_params(self) -> None:
        """Check the parameters as scikit-learn does; its error gets the value that was probably meant, if any."""
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            cure = value_meant(self, str(error).split("'")[1])
            raise InvalidParameterError(f"{error} Use {cure}." if cure else str(error)) from None
        if self.solver == "lbfgs" and np.any(self.dropout):
            raise ValueError("dropout needs a solver that takes steps: got 'lbfgs'; use 'adam', or dropout=0.0")

    def _fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool) -> Self:
        is_first = not hasattr(self, "model_") or not (self.warm_start or incremental)
        examples = self._examples(X, y, sample_weight, is_first, incremental)
        random_state = check_random_state(self.random_state)
        if is_first:
            self._begin(examples, random_state)
            given = self.__dict__.pop("_given", {})
            for name in given if incremental or self.warm_start else ():
                setattr(self, name, given[name])
        elif incremental and self._stops_early and self.stopped_:
            return self
        else:
            self._resume(incremental)
        train, held_out = self._split(examples, validation_data, random_state, incremental)
        for part, use in ((None if incremental else train, "learn from"), (held_out, "validate on")):
            if part is not None and part.weights is not None and not part.weights.any():
                raise ValueError(sentence("estimators.no_weight", n_samples=len(part.targets), use=use))
        seen = range_with(self.model_.network.input_range, getattr(train.inputs, "matrix", train.inputs))
        self.model_.network.input_range = None if is_unit(seen) else seen  # a range from 0 to 1 would refuse integers
        Fit(self, train, held_out, random_state, incremental).run()
        return self

    def _examples(self, X: Any, y: Any, sample_weight: Any, is_first: bool, incremental: bool) -> Examples:
        """The arguments, checked as scikit-learn does, as Examples; if `is_first`, they fix features and outputs."""
        refuse_confused(X, y, sample_weight)
        how = {"multi_output": True, "y_numeric": isinstance(self, RegressorMixin), "reset": is_first}
        text = [each for each in np.asarray(y[:1] if isinstance(y, list) else y).ravel()[:1] if isinstance(each, str)]
        if how["y_numeric"] and text:
            raise DataError(f"y holds strings, such as {str(text[0])!r}: use MLPClassifier for classes")
        X, y = validate_data(self, X, y, **NUMBERS, order="C", **how)
        if is_first:
            self._takes_sparse_labels = issparse(y)
        y = y.toarray() if issparse(y) else y
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X = X if is_first else X.astype(self.model_.network.dtype, copy=False)
        targets = self._read_targets(y, is_first, incremental)
        return Examples(SparseRows(X) if issparse(X) else X, targets, self._weights(y, weights), y)

    def _weights(self, y: Array, weights: Array | None) -> Array | None:
        """How much each sample counts, (n_samples,), by its own and its class's weight; None if all count alike."""
        return weights

    def _begin(self, examples: Examples, random_state: np.random.RandomState) -> None:
        """Create a new network and reset all fitted attributes."""
        sizes, n_features = hidden_sizes(self.hidden_layer_sizes), examples.inputs.shape[1]
        hidden = one_per_layer("activation", self.activation, len(sizes), hidden_activation)
        how = {"hidden": hidden, "dropout": self.dropout, "dtype": examples.inputs.dtype} | self._output()
        network = Network((n_features, *sizes, len(how["class_names"])), **how)
        start(network, random_state)
        network.input_range = None  # inputs are plain numbers, not pixels
        columns = map(Column, getattr(self, "feature_names_in_", ()))
        self.model_ = Model(network, columns=tuple(columns), record={"estimator": type(self).__name__})
        self.n_layers_, self.n_outputs_ = len(sizes) + 2, network.layer_sizes[-1]
        self.t_, self.n_iter_, self.loss_, self.stopped_ = 0, 0, math.nan, False
        self.out_activation_ = PARTS["activation"][spec_of("activation", network.activations[-1])["name"]].sklearn
        self.loss_curve_: list[float] = []
        self.validation_scores_ = self.validation_loss_curve_ = self.best_validation_score_ = None
        self.best_loss_ = None if self._stops_early else math.inf
        self._losses, self._scores = Monitor("train_loss", by_any_gain=True), Monitor("score", by_any_gain=True)
        later: Any = None
        self._descent = self._best = self._latest = self._split_seed = later

    def _resume(self, incremental: bool) -> None:
        """Prepare to continue from the last call; a warm start takes a fresh optimizer, as in scikit-learn."""
        sizes = (self.n_features_in_, *hidden_sizes(self.hidden_layer_sizes), self.n_outputs_)
        network = self.model_.network
        if sizes != network.layer_sizes:
            raise ValueError(f"a fit can only continue with the same layers: got {sizes} after {network.layer_sizes}")
        if self._latest is not None and np.array_equal(network.parameters.vector, self._best):
            network.parameters.vector[:] = self._latest  # coefs_ has not been assigned since
        if not incremental:
            self._descent, self.stopped_ = None, False

    def _split(
        self, examples: Examples, validation_data: Any, random_state: np.random.RandomState, incremental: bool
    ) -> tuple[Examples, Examples | None]:
        """Training and validation examples; the latter as given or, with early stopping, held out; else None."""
        if validation_data is not None:
            if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
                raise ValueError(sentence("estimators.validation_data", given=f"{validation_data!r:.60}"))
            sample_weight = validation_data[2] if len(validation_data) == 3 else None
            return examples, self._examples(validation_data[0], validation_data[1], sample_weight, False, True)
        if not self._stops_early:
            return examples, None
        seed: Any = random_state
        if incremental:  # calls with the same examples hold out the same ones
            self._split_seed = seed = random_state.randint(2**31) if self._split_seed is None else self._split_seed
        stratify = examples.answers if self.n_outputs_ == 1 and not isinstance(self, RegressorMixin) else None
        rows, share = np.arange(len(examples.targets)), self.validation_fraction
        try:
            kept, held = train_test_split(rows, random_state=seed, test_size=share, stratify=stratify)
        except ValueError as error:
            of_each = "" if stratify is None else ", and of each class at least one on either side"
            values = {"error": str(error).rstrip("."), "share": share, "n_samples": len(rows), "of_each": of_each}
            raise ValueError(sentence("estimators.no_split", **values)) from None
        if len(held) < 2:
            raise ValueError(sentence("estimators.small_validation"))
        return examples.take(kept), examples.take(held)

    @property
    def _stops_early(self) -> bool:
        """Whether the validation score may end a run; never with the solver lbfgs, which has its own criterion."""
        return bool(self.early_stopping) and self.solver in SOLVERS

    def _check_inputs(self, X: Any) -> Any:
        check_is_fitted(self)
        refuse_confused(X, None, None)
        X = validate_data(self, X, **NUMBERS, reset=False).astype(self.model_.network.dtype, copy=False)
        return SparseRows(X) if issparse(X) else X

    def _outputs(self, X: Any) -> Array:
        """The network's outputs a^L, (n_samples, n_outputs), for X as the user gave it."""
        X, network = self._check_inputs(X), self.model_.network
        with np.errstate(over="ignore", invalid="ignore"):
            return network.outputs(X) if isinstance(X, np.ndarray) else forward(network, X, network.workspace(len(X)))

    def hidden_activations(self, X: Any) -> list[Array]:
        """The activations of every hidden layer for X (n_samples, n_features): an (n_samples, fan_out) array per layer.

        X: as for `predict`. Raises NotFittedError before `fit`.
        """
        X, network = self._check_inputs(X), self.model_.network
        ws = network.workspace(len(X))
        forward(network, X, ws)
        return ws.a[:-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
