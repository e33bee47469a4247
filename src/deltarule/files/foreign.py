"""Networks that other software has trained, as Models: to be explained, checked, diagnosed, exported and shown.

Only arrays are taken over. scikit-learn's are laid out as ours are; PyTorch's weights are (out, in) and are transposed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.columns import Column
from deltarule.errors import DataError, SettingError, ShapeError, closest
from deltarule.model import Model
from deltarule.nn.activations import Activation, Identity, Sigmoid, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, with_meaning
from deltarule.parts import PARTS, No, Spec, resolve
from deltarule.public import public
from deltarule.settings import Task, shown

LOSSES: dict[type[Activation], Loss] = {Softmax: CrossEntropy(), Sigmoid: BinaryCrossEntropy()}  # else Quadratic
TASKS: dict[type[Activation], Task] = {Sigmoid: "labels"}  # after others the network knows its own, or none
FITTED = ("coefs_", "intercepts_", "out_activation_")


@dataclass(frozen=True)
class Layer:
    """A layer's arrays, W (fan_in, fan_out) and b (fan_out,), and what messages call it."""

    name: str
    W: Array
    b: Array


@public("from_sklearn(estimator)")
def from_sklearn(estimator: Any) -> Model:
    """The Model in a fitted MLPClassifier or MLPRegressor of scikit-learn, or in an estimator of deltarule's.

    Its outputs are the estimator's own: of two classes a single sigmoid, whose name is that of the second class, the
    one that it is the probability of. Names of classes and of columns are kept, and so is the dtype. The arrays are
    copies.

    Raises SettingError for another kind of estimator, a Pipeline for instance, for one that is not fitted, and for an
    output that has no counterpart here (that of a Poisson regression).

    >>> from sklearn.neural_network import MLPRegressor
    >>> estimator = MLPRegressor(8, solver="lbfgs", random_state=0).fit(np.eye(4), np.arange(4.0))
    >>> from_sklearn(estimator).network.layer_sizes
    (4, 8, 1)
    """
    if isinstance(model := getattr(estimator, "model_", None), Model):
        return model
    _check_estimator(estimator)
    hidden, output = (_sklearn_activation(name) for name in (estimator.activation, estimator.out_activation_))
    arrays = enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    layers = [Layer(f"coefs_[{l}]", W, b) for l, (W, b) in arrays]
    network = _network(layers, hidden, output)
    names = tuple(map(str, getattr(estimator, "classes_", ())))
    if isinstance(output, Identity):
        names = ()
    elif isinstance(output, Sigmoid) and estimator.n_outputs_ == 1:
        names = names[-1:]
    return Model(
        network,
        TASKS.get(type(output)),
        names,
        columns=tuple(Column(str(name)) for name in getattr(estimator, "feature_names_in_", ())),
        record={"origin": f"scikit-learn's {type(estimator).__name__}"},
    )


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

    state_dict: name -> array, or CPU tensor; "0.weight" (fan_out, fan_in), "0.bias" (fan_out,) and so on. A layer may
        lack its bias. Where names differ in numbers alone these are the layers' order; else they must come in the order
        in which data pass them, as they do from PyTorch (a safetensors file sorts them by name).
    hidden: the activation of every hidden layer, or a sequence with one for each: a state_dict does not say.
    output: what makes answers of the last layer's numbers. Softmax where CrossEntropyLoss trained it, Sigmoid where
        BCEWithLogitsLoss did, Identity for values. It also decides the task.
    class_names, image_shape, pixels: as for Network. Give pixels=True where it learned from pixels divided by 255.

    The dtype is kept, float32 or float64; the arrays are copies.

    Raises SettingError for a layer of another kind, ShapeError for arrays or activations that do not fit each other,
    DataError for what is no finite number.

    >>> state_dict = {"0.weight": np.zeros((8, 4)), "0.bias": np.zeros(8), "2.weight": np.zeros((3, 8))}
    >>> from_torch(state_dict, hidden=ReLU()).network.layer_sizes
    (4, 8, 3)
    """
    if not isinstance(state_dict, Mapping):
        got = shown(state_dict)
        raise SettingError(
            f"state_dict must be a mapping from names to arrays: got {got}; use the network's state_dict()"
        )
    last: Activation = resolve("activation", output, "output")
    layers = _linear_layers({name: np.asarray(value) for name, value in state_dict.items()})
    return Model(
        with_meaning(_network(layers, hidden, last), pixels=pixels),
        TASKS.get(type(last)),
        class_names,
        image_shape,
        record={"origin": "a PyTorch state_dict"},
    )


def _check_estimator(estimator: Any) -> None:
    """Raise SettingError unless it is a fitted network of scikit-learn's. Who has one has imported scikit-learn."""
    name, kinds = type(estimator).__name__, {kind.__name__ for kind in type(estimator).__mro__}
    wanted = "from_sklearn takes a fitted MLPClassifier or MLPRegressor"
    if isinstance(estimator, type):
        raise SettingError(f"{wanted}: got the class {estimator.__name__}; make one and call its fit(X, y)")
    if hasattr(estimator, "steps"):
        raise SettingError(
            f"{wanted}: got a {name}; give its last step, {name.lower()}[-1], and ask that what the steps before it "
            "make of the inputs (a StandardScaler is Model's input_scaling, Standardization(scaler.mean_, "
            "scaler.scale_))"
        )
    if hasattr(estimator, "best_estimator_"):
        raise SettingError(f"{wanted}: got a {name}; give its best_estimator_")
    if not kinds & {"MLPClassifier", "MLPRegressor"}:
        raise SettingError(f"{wanted}: got {name}; other models have no layers to take over")
    if not all(hasattr(estimator, each) for each in FITTED):
        raise SettingError(f"{wanted}: got a {name} that is not fitted; call its fit(X, y) first")


def _sklearn_activation(name: str) -> Activation:
    known = {row.sklearn: row for row in PARTS["activation"].values() if not isinstance(row.sklearn, No)}
    if name not in known:
        raise SettingError(f"no activation here is scikit-learn's {name!r}: {closest(name, known)}")
    activation: Activation = known[name].made_by()
    return activation


def _linear_layers(arrays: Mapping[str, Array]) -> list[Layer]:
    """The layers whose weights and biases these are, in their order."""
    weights = {name.removesuffix("weight"): W for name, W in arrays.items() if name.endswith("weight")}
    others = [name for name in arrays if name.removesuffix("bias") not in weights and not name.endswith("weight")]
    others += [f"{prefix}weight" for prefix, W in weights.items() if W.ndim != 2]
    if others or not weights:
        got = f"{others[0]!r} of shape {arrays[others[0]].shape}" if others else "no weight"
        raise SettingError(
            f"from_torch takes Linear layers, a weight (fan_out, fan_in) and a bias (fan_out,) each: got {got}; fold "
            "normalizations into the layer before them, and give the layers after the last convolution alone"
        )
    if len({re.sub(r"\d+", "", prefix) for prefix in weights}) == 1:
        weights = dict(
            sorted(weights.items(), key=lambda item: [int(number) for number in re.findall(r"\d+", item[0])])
        )
    biases = {prefix: arrays.get(f"{prefix}bias", np.zeros(len(W), W.dtype)) for prefix, W in weights.items()}
    return [Layer(prefix.rstrip("._") or "weight", W.T, biases[prefix]) for prefix, W in weights.items()]


def _network(layers: Sequence[Layer], hidden: Any, output: Activation) -> Network:
    """A network with copies of these arrays."""
    sizes = [len(layers[0].W)]
    for layer in layers:
        if len(layer.W) != sizes[-1] or layer.b.shape != layer.W.shape[1:]:
            raise ShapeError(
                f"layers must follow each other: got {sizes[-1]} outputs (or inputs) before {layer.name}, which takes "
                f"{layer.W.shape[0]} and makes {layer.W.shape[1]}, with biases {layer.b.shape}; give them in the order "
                "in which data pass them"
            )
        if not (np.isfinite(layer.W).all() and np.isfinite(layer.b).all()):
            raise DataError(
                f"parameters must be finite numbers: got others in {layer.name}; was training stopped late?"
            )
        sizes.append(layer.W.shape[1])
    dtype = np.result_type(np.float32, *(layer.W.dtype for layer in layers))
    network = Network(sizes, hidden=hidden, output=output, loss=LOSSES.get(type(output), Quadratic()), dtype=dtype)
    for l, layer in enumerate(layers):
        network.weights[l][:], network.biases[l][:] = layer.W, layer.b
    return network
