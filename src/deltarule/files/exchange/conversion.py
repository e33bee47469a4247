"""Networks that PyTorch or scikit-learn has trained, as Models: copies of their arrays, which are laid out as ours are.

PyTorch's weights are (fan_out, fan_in), and transposed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.data.columns import Column
from deltarule.errors import DataError, SettingError, ShapeError, closest, sentence
from deltarule.files.exchange.pipeline import Preparation, prepare
from deltarule.model import Model
from deltarule.nn.activations import Activation, Exp, Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_meaning
from deltarule.parts import PARTS, No, Spec, resolve
from deltarule.public import public
from deltarule.settings import brief

FITTED = ("coefs_", "intercepts_", "out_activation_")
LOSSES = {Softmax: "cross_entropy", Sigmoid: "binary_cross_entropy", Exp: "poisson"}  # after others quadratic

Layers = dict[str, tuple[Array, Array]]  # W (fan_in, fan_out) and b (fan_out,), by how their names begin


@public("from_sklearn(estimator)")
def from_sklearn(estimator: Any) -> Model:
    """The Model in a fitted MLPClassifier or MLPRegressor of scikit-learn, or in an estimator of deltarule's.

    Its outputs are the estimator's own: of two classes a single sigmoid, whose name is that of the second class, the
    one that it is the probability of. Names of classes and of columns are kept, and so is the dtype. The arrays are
    copies.

    A Pipeline of such may begin with imputers, scalers and one-hot encoders, also in a ColumnTransformer.

    Raises SettingError for another kind of estimator, for one that is not fitted, for another step before it, and for
    activations that have no counterpart here.

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
    """The Model of a fitted Pipeline: what its steps do to the columns, around the network that it ends in."""
    *steps, (_, last) = pipeline.steps
    model = from_sklearn(last)
    given = [*map(str, getattr(pipeline, "feature_names_in_", range(getattr(pipeline, "n_features_in_", 0))))]
    prepared = Preparation.of(list(map(Column, given)))
    for _, step in steps:
        prepared = prepare(step, prepared)
    is_plain = not hasattr(pipeline, "feature_names_in_") and prepared.columns == tuple(map(Column, given))
    return replace(model, columns=() if is_plain else prepared.columns, input_scaling=prepared.scaling)


def check_estimator(estimator: Any) -> None:
    """Raise SettingError unless it is a fitted network of scikit-learn, as the names of its classes say."""
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


@public('from_torch(state_dict, hidden="relu")')
def from_torch(
    state_dict: Mapping[str, Any],
    *,
    hidden: Activation | Spec | Sequence[Activation | Spec],
    output: Activation | Spec = Softmax(),
    class_names: Sequence[str] = (),
    image_shape: tuple[int, int] | None = None,
    pixels: bool = False,
) -> Model:
    """The Model of a PyTorch network of Linear layers, from the arrays of its state_dict. PyTorch is not needed.

    state_dict: name -> array, or CPU tensor, perhaps inside a checkpoint; "0.weight" (fan_out, fan_in), "0.bias"
        (fan_out,) and so on. A layer may lack its bias. Where names differ in numbers alone these are the layers'
        order; else they must come in the order in which data pass them (a safetensors file sorts them by name).
    hidden: the activation of every hidden layer, or a sequence with one for each: a state_dict does not say.
    output: what makes answers of the last layer's numbers. Softmax where CrossEntropyLoss trained it, Sigmoid where
        BCEWithLogitsLoss did, "exponential" where PoissonNLLLoss did, Identity for values. It also decides the task.
    class_names, image_shape, pixels: as for Network. Give pixels=True where it learned from pixels divided by 255.

    The dtype is kept, float32 or float64; the arrays are copies.

    Raises SettingError for a layer of another kind, ShapeError for arrays or activations that do not fit each other,
    DataError for what is no finite number.

    >>> state_dict = {"0.weight": np.zeros((8, 4)), "0.bias": np.zeros(8), "2.weight": np.zeros((3, 8))}
    >>> from_torch(state_dict, hidden=ReLU()).network.layer_sizes
    (4, 8, 3)
    """
    if not isinstance(state_dict, Mapping):
        raise SettingError(sentence("exchange.no_state_dict", got=brief(state_dict)))
    last: Activation = resolve("activation", output, "output")
    inner = [
        value for value in state_dict.values() if isinstance(value, Mapping) and any("weight" in key for key in value)
    ]
    if len(inner) != 1 and (
        name := next((name for name, value in state_dict.items() if isinstance(value, Mapping)), "")
    ):
        raise SettingError(sentence("exchange.checkpoint", name=name))
    arrays = inner[0] if inner else state_dict  # of a checkpoint
    layers = linear_layers({name: as_numbers(value) for name, value in arrays.items()})
    return Model(
        with_meaning(network_of(layers, hidden, last), pixels=pixels),
        class_names=class_names,
        image_shape=image_shape,
        record={"origin": "a PyTorch state_dict"},
    )


def as_numbers(value: Any) -> Array:
    """An array, or the array in a tensor; numbers of 16 bits, of which NumPy lacks bfloat16, become float32."""
    value = value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def linear_layers(arrays: Mapping[str, Array]) -> Layers:
    """The layers whose weights and biases these are, in their order."""
    weights = {name.removesuffix("weight"): W for name, W in arrays.items() if name.endswith("weight")}
    others = [name for name in arrays if name.removesuffix("bias") not in weights and not name.endswith("weight")]
    others += [f"{prefix}weight" for prefix, W in weights.items() if W.ndim != 2]
    if others or not weights:
        got = f"{others[0]!r} of shape {arrays[others[0]].shape}" if others else "no weight"
        raise SettingError(sentence("exchange.no_linear", got=got))
    prefixes = list(weights)
    if len({re.sub(r"\d+", "", prefix) for prefix in prefixes}) == 1:
        prefixes.sort(key=lambda prefix: [int(number) for number in re.findall(r"\d+", prefix)])
    none = {prefix: np.zeros(len(W)) for prefix, W in weights.items()}
    return {prefix: (weights[prefix].T, arrays.get(f"{prefix}bias", none[prefix])) for prefix in prefixes}


def network_of(layers: Layers, hidden: Any, output: Activation) -> Network:
    """A network with copies of these arrays. ShapeError where they do not fit each other, DataError for NaN."""
    sizes = [len(next(iter(layers.values()))[0])]
    for prefix, (W, b) in layers.items():
        name = prefix.rstrip("._") or "weight"
        if len(W) != sizes[-1] or b.shape != W.shape[1:]:
            raise ShapeError(sentence("exchange.order", before=sizes[-1], name=name, W=W, b=b))
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            raise DataError(f"parameters must be finite numbers: got others in {name}; was training stopped late?")
        sizes.append(W.shape[1])
    network = Network(
        sizes,
        hidden=hidden,
        output=output,
        loss=LOSSES.get(type(output), "quadratic"),
        task="labels" if isinstance(output, Sigmoid) else None,  # after others Network knows it, or not yet
        dtype=np.result_type(np.float32, *(W.dtype for W, _ in layers.values())),
    )
    for l, (W, b) in enumerate(layers.values()):
        network.weights[l][:], network.biases[l][:] = W, b
    network.input_range = None  # it has learned, from numbers that it takes as they are
    return network
