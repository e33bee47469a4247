"""Converts networks that scikit-learn has trained to Models, which have copies of their arrays in the same layout."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.columns import Column, input_names
from deltarule.errors import DataError, SettingError, ShapeError, closest, sentence
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Activation, Exp, Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.parts import PARTS, No
from deltarule.public import public

FITTED = ("coefs_", "intercepts_", "out_activation_")
LOSSES = {Softmax: "cross_entropy", Sigmoid: "binary_cross_entropy", Exp: "poisson"}  # for others quadratic
# For each scaler, by name: the center that it subtracts and the spread that it divides by.
SCALERS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "StandardScaler": lambda scaler: (scaler.mean_, scaler.scale_),
    "RobustScaler": lambda scaler: (scaler.center_, scaler.scale_),
    "MaxAbsScaler": lambda scaler: (None, scaler.scale_),
    "MinMaxScaler": lambda scaler: (-scaler.min_ / scaler.scale_, 1.0 / scaler.scale_),
}

Layers = dict[str, tuple[Array, Array]]  # W (fan_in, fan_out) and b (fan_out,), by how their names begin


@public("from_sklearn(estimator)")
def from_sklearn(estimator: Any) -> Model:
    """The Model in a fitted MLPClassifier or MLPRegressor of scikit-learn, or in an estimator of deltarule's.

    The Model's outputs are the estimator's own: for two classes a single sigmoid, the probability of the second class
    and named after it. Names of classes and of columns and the dtype are kept. The arrays are copies.

    A Pipeline of imputers, scalers, one-hot encoders (also in a ColumnTransformer) and, last, an estimator works, too.

    Raises SettingError for another kind of estimator, for one that is not fitted, for another step in a Pipeline, and
    for activations that have no counterpart here.

    >>> from sklearn.neural_network import MLPRegressor
    >>> estimator = MLPRegressor(8, solver="lbfgs", random_state=0).fit(np.eye(4), np.arange(4.0))
    >>> from_sklearn(estimator).network.layer_sizes
    (4, 8, 1)
    """
    if isinstance(model := getattr(estimator, "model_", None), Model):
        return model
    if hasattr(estimator, "steps") and not isinstance(estimator, type):
        return from_pipeline(estimator)
    check_estimator(estimator)
    known = {row.sklearn: row for row in PARTS["activation"].values() if not isinstance(row.sklearn, No)}
    for name in (estimator.activation, estimator.out_activation_):
        if name not in known:
            raise SettingError(f"no activation here is scikit-learn's {name!r}: {closest(name, known)}")
    hidden, output = known[estimator.activation].maker(), known[estimator.out_activation_].maker()
    arrays = enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    names = tuple(map(str, getattr(estimator, "classes_", ())))
    if isinstance(output, Sigmoid) and estimator.n_outputs_ == 1:
        names = names[-1:]
    return Model(
        network_of({f"coefs_[{l}]": layer for l, layer in arrays}, hidden, output),
        class_names=names,
        columns=tuple(Column(str(name)) for name in getattr(estimator, "feature_names_in_", ())),
        record={"origin": f"scikit-learn's {type(estimator).__name__}"},
    )


def from_pipeline(pipeline: Any) -> Model:
    """Make a Model of a fitted Pipeline: of the steps that prepare the columns, and of the network in the last one."""
    *steps, (_, last) = pipeline.steps
    model = from_sklearn(last)
    first = next(step for _, step in pipeline.steps if hasattr(step, "n_features_in_"))  # not "passthrough"
    given = [*map(str, getattr(first, "feature_names_in_", range(first.n_features_in_)))]
    prepared = Preparation.of(list(map(Column, given)))
    for _, step in steps:
        prepared = prepare(step, prepared)
    is_plain = not hasattr(first, "feature_names_in_") and prepared.columns == tuple(map(Column, given))
    network = deepcopy(model.network)  # so that an estimator of deltarule keeps its own
    network.weights[0][:] = network.weights[0][prepared.order]
    scaling = Standardization(*prepared[1:3]) if prepared.center.any() or (prepared.spread != 1.0).any() else None
    return replace(model, network=network, columns=() if is_plain else prepared.columns, input_scaling=scaling)


def check_estimator(estimator: Any) -> None:
    """Raise SettingError unless `estimator` is a fitted network of scikit-learn, by the names of its classes."""
    name, kinds = type(estimator).__name__, {kind.__name__ for kind in type(estimator).__mro__}
    cures = (
        (isinstance(estimator, type), "a_class"),
        (hasattr(estimator, "best_estimator_"), "search"),
        (isinstance(estimator, str), "path"),
        (not kinds & {"MLPClassifier", "MLPRegressor"}, "other_model"),
        (not all(hasattr(estimator, each) for each in FITTED), "not_fitted"),
    )
    if key := next((key for is_so, key in cures if is_so), ""):
        raise SettingError(sentence(f"exchange.{key}", name=name, variable=name.lower(), given=estimator))


def network_of(layers: Layers, hidden: Any, output: Activation) -> Network:
    """Make a network with copies of these arrays. ShapeError if they do not fit each other, DataError for NaN."""
    sizes = [len(next(iter(layers.values()))[0])]
    for prefix, (W, b) in layers.items():
        name = prefix.rstrip("._") or "weight"
        if len(W) != sizes[-1] or b.shape != W.shape[1:]:
            raise ShapeError(sentence("exchange.order", before=sizes[-1], name=name, W=W, b=b))
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            raise DataError(f"parameters must be finite numbers: got others in {name}; did training diverge?")
        sizes.append(W.shape[1])
    network = Network(
        sizes,
        hidden=hidden,
        output=output,
        loss=LOSSES.get(type(output), "quadratic"),
        task="labels" if isinstance(output, Sigmoid) else None,  # for others Network infers it, or leaves it open
        dtype=np.result_type(np.float32, *(W.dtype for W, _ in layers.values())),
    )
    for l, (W, b) in enumerate(layers.values()):
        network.weights[l][:], network.biases[l][:] = W, b
    network.input_range = None  # it was trained on numbers as they are
    return network


class Preparation(NamedTuple):
    """The effect of preprocessing: columns and, for each of their inputs, mean, scale and place in sklearn's order."""

    columns: tuple[Column, ...]
    center: Array
    spread: Array
    order: Array

    @classmethod
    def of(cls, columns: Sequence[Column]) -> "Preparation":
        """The Preparation of these columns by no step: it changes nothing."""
        n_inputs = len(input_names(columns))
        return cls(tuple(columns), np.zeros(n_inputs), np.ones(n_inputs), np.arange(n_inputs))


def prepare(step: Any, before: Preparation) -> Preparation:
    """The Preparation after the fitted `step`, given the Preparation `before` it, by earlier steps.

    Raises SettingError, naming the step, unless it is an imputer, a scaler or a one-hot encoder of columns, or consists
    of such.
    """
    name, columns = type(step).__name__, before.columns
    if (isinstance(step, str) and step == "passthrough") or (name == "FunctionTransformer" and step.func is None):
        return before
    if hasattr(step, "steps"):
        for _, each in step.steps:
            before = prepare(each, before)
        return before
    if name == "ColumnTransformer":
        used = [each for each in step.transformers_ if not (isinstance(each[1], str) and each[1] == "drop")]
        parts = [prepare(each, Preparation.of(columns_at(chosen, columns))) for _, each, chosen in used]
        made = tuple(column for part in parts for column in part.columns)
        sizes = [len(part.order) for part in parts]
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        center, spread, order = (np.concatenate([part[side] for part in parts]) for side in (1, 2, 3))
        return Preparation(made, center, spread, starts + order)
    is_plain = not any(column.categories or column.indicator for column in columns)
    if name == "SimpleImputer" and is_plain:
        kept, fills = np.array([each == each for each in step.statistics_]), step.statistics_  # others store nothing
        fills = fills * before.spread + before.center if fills.dtype.kind == "f" else fills
        flagged = [*step.indicator_.features_] if step.add_indicator else []
        if kept[flagged].all():
            filled = [Column(columns[at].name, (), fills[at], indicator=at in flagged) for at in np.flatnonzero(kept)]
            is_value = np.concatenate([[True, False][: 1 + each.indicator] for each in filled])
            after = Preparation.of(filled)
            after.center[is_value], after.spread[is_value] = before.center[kept], before.spread[kept]
            return after._replace(order=np.argsort(np.argsort(~is_value, kind="stable")))
    categories = [each for column in getattr(step, "categories_", ()) for each in column]
    has_missing = any(each is None or each != each for each in categories)  # as a category of its own
    is_plain = is_plain and name == "OneHotEncoder" and step.drop is None and not has_missing
    if is_plain and not any(each is not None for each in getattr(step, "infrequent_categories_", ())):
        texts = [tuple(map(str, each)) for each in step.categories_]
        return Preparation.of(list(map(text_column, columns, texts)))
    if name in SCALERS and not getattr(step, "clip", False):
        found = zip(SCALERS[name](step), (0.0, 1.0), strict=True)
        shift, scale = (default if each is None else each[before.order] for each, default in found)
        return before._replace(center=before.center + shift * before.spread, spread=before.spread * scale)
    raise SettingError(sentence("exchange.step", name=name))


def text_column(column: Column, categories: tuple[str, ...]) -> Column:
    """Make a Column of text with these categories; a missing cell counts as the string that an imputer chose."""
    if column.fill is None or str(column.fill) not in categories:
        return Column(column.name, categories)
    return Column(column.name, categories, float(categories.index(str(column.fill))), "most_frequent")


def columns_at(chosen: Any, columns: Sequence[Column]) -> list[Column]:
    """Those of the `columns` that are `chosen` by name, by number, by a slice or by a mask."""
    chosen = chosen if isinstance(chosen, slice) else list([chosen] if isinstance(chosen, str) else chosen)
    if isinstance(chosen, list) and all(isinstance(each, str) for each in chosen):
        chosen = [[column.name for column in columns].index(each) for each in chosen]
    return [columns[at] for at in np.arange(len(columns))[chosen]]
