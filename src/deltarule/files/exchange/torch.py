"""Networks that PyTorch has trained, as Models: copies of the arrays alone; weights are (out, in), and transposed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deltarule.errors import SettingError
from deltarule.files.exchange import Layer, network_of
from deltarule.model import Model
from deltarule.nn.activations import Activation, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.network import with_meaning
from deltarule.parts import Spec, resolve
from deltarule.public import public
from deltarule.settings import shown


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
        got = f"{shown(state_dict)}; use the network's state_dict()"
        raise SettingError(f"state_dict must be a mapping from names to arrays: got {got}")
    last: Activation = resolve("activation", output, "output")
    layers = linear_layers({name: np.asarray(value) for name, value in state_dict.items()})
    return Model(
        with_meaning(network_of(layers, hidden, last), pixels=pixels),
        class_names=class_names,
        image_shape=image_shape,
        record={"origin": "a PyTorch state_dict"},
    )


def linear_layers(arrays: Mapping[str, Array]) -> list[Layer]:
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
    prefixes = list(weights)
    if len({re.sub(r"\d+", "", prefix) for prefix in prefixes}) == 1:
        prefixes.sort(key=lambda prefix: [int(number) for number in re.findall(r"\d+", prefix)])
    layers = []
    for prefix in prefixes:
        W = weights[prefix].T
        b = arrays.get(f"{prefix}bias", np.zeros(W.shape[1], W.dtype))
        layers.append(Layer(prefix.rstrip("._") or "weight", W, b))
    return layers
