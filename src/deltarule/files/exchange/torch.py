"""Converts PyTorch's networks to Models, and back to a Sequential. Its weights are transposed: (fan_out, fan_in)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from deltarule.errors import SettingError, require, sentence
from deltarule.files.exchange.sklearn import Layers, network_of
from deltarule.files.model_file import model_argument
from deltarule.model import Model
from deltarule.nn.activations import Activation, Identity, Softmax
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_meaning
from deltarule.parts import PARTS, No, Spec, part_of, resolve
from deltarule.public import public
from deltarule.settings import brief

PASSED = frozenset(["Dropout", "AlphaDropout", "Flatten", "Identity"])  # modules that do not change an answer


@public('from_torch(state_dict, hidden="relu")')
def from_torch(
    state_dict: Any,
    *,
    hidden: Activation | Spec | Sequence[Activation | Spec] | None = None,
    output: Activation | Spec | None = None,
    class_names: Sequence[str] = (),
    image_shape: tuple[int, int] | None = None,
    pixels: bool = False,
) -> Model:
    """Make a Model of a PyTorch network of Linear layers: from its module, or from the arrays of its state_dict.

    state_dict: the module, a Sequential or your own; or name -> array, or tensor, perhaps inside a checkpoint, for
        which PyTorch is not needed: "0.weight" (fan_out, fan_in), "0.bias" (fan_out,) and so on. A layer may lack its
        bias. If the names differ only in numbers, these give the order of the layers; else the arrays must be in the
        order of the forward pass (a safetensors file sorts them by name).
    hidden: the activation of every hidden layer, or a sequence with one for each: a state_dict does not name them. With
        a module they are found by comparing outputs.
    output: the activation of the last layer. Softmax, the default, after training with CrossEntropyLoss, Sigmoid with
        BCEWithLogitsLoss, "exponential" with PoissonNLLLoss, Identity for values. It also decides the task. A module
        that ends in an activation keeps that.
    class_names, image_shape, pixels: as for Network. Pass pixels=True if it learned from pixels divided by 255.

    The dtype is kept, float32 or float64; numbers of 16 bits become float32. The arrays are copies.

    Raises SettingError for another kind of layer, and for a module that does not just apply its layers in order;
    ShapeError for arrays or activations that do not fit each other, DataError for NaN and infinity.

    >>> state_dict = {"0.weight": np.zeros((8, 4)), "0.bias": np.zeros(8), "2.weight": np.zeros((3, 8))}
    >>> from_torch(state_dict, hidden=ReLU()).network.layer_sizes
    (4, 8, 3)
    """
    found = state_in(state_dict)
    last: Activation = resolve("activation", Softmax() if output is None else output, "output")
    if is_module(found):
        network = from_module(found, hidden, last)
    elif hidden is None:
        raise SettingError(sentence("exchange.no_hidden"))
    else:
        network = network_of(linear_layers({name: as_numbers(value) for name, value in found.items()}), hidden, last)
    return Model(
        with_meaning(network, pixels=pixels),
        class_names=class_names,
        image_shape=image_shape,
        record={"origin": f"PyTorch's {type(found).__name__}" if is_module(found) else "a PyTorch state_dict"},
    )


@public("to_torch(network)")
def to_torch(thing: Network | Model) -> Any:
    """Convert a network, or a model, to a torch.nn.Sequential with the same outputs: Linear layers and activations.

    The Sequential takes what `Model.unscaled` returns: numbers in their own units, strings as 0 and 1, but pixels from
    0 to 1. Images may keep their shape. Its dtype is the network's, or float64 if inputs or targets are standardized,
    because its weights then include the scalings.

    Raises MissingExtraError without PyTorch; SettingError for activations that torch.nn lacks and complex numbers.

    >>> from importlib.util import find_spec
    >>> to_torch(Network((4, 8, 3)))[0].weight.shape if find_spec("torch") else (8, 4)
    torch.Size([8, 4])
    """
    model = model_argument(thing, "dr.to_torch(network)")
    torch = require("torch", package="torch")
    network, inputs, targets = model.network, model.input_scaling, model.target_scaling
    if network.dtype.kind == "c":
        raise SettingError(f"PyTorch's layers take float32 or float64: got {network.dtype}")
    layers = [*zip(network.weights, network.biases, map(modules_of, network.activations), strict=True)]
    if inputs is not None:
        W, b, activation = layers[0]
        W = W / inputs.scale[:, np.newaxis]
        layers[0] = W, b - inputs.mean @ W, activation
    if targets is not None:
        layers.append((np.diag(targets.scale), targets.mean, []))
    dtype = torch.float64 if inputs is not None or targets is not None else getattr(torch, network.dtype.name)
    modules: list[Any] = [] if model.image_shape is None else [torch.nn.Flatten()]
    for W, b, activation in layers:
        linear = torch.nn.Linear(*W.shape, dtype=dtype)
        linear.load_state_dict({"weight": torch.from_numpy(W.T.copy()), "bias": torch.from_numpy(b.copy())})
        modules += [linear, *activation]
    return torch.nn.Sequential(*modules)


def modules_of(activation: Activation) -> list[Any]:
    """A list of the torch.nn module for an activation; [] for the identity. SettingError if torch.nn lacks it."""
    row = part_of(activation)
    if row is None or isinstance(row.torch, No):
        raise SettingError(sentence("exchange.no_module", name=type(activation).__name__))
    name, *settings = row.torch.split()
    given = {theirs: getattr(activation, ours) for theirs, ours in (each.split("=") for each in settings)}
    if name == "Identity":
        return []
    return [getattr(require("torch.nn"), name)(**given | ({"dim": 1} if name == "Softmax" else {}))]


def activation_in(leaf: Any) -> Activation | None:
    """The Activation that a torch.nn module computes (LogSoftmax counts as Softmax); None for other modules."""
    for row in PARTS["activation"].values():
        name, *settings = row.torch.split()
        if name == type(leaf).__name__.removeprefix("Log") and not isinstance(row.torch, No):
            given = {ours: getattr(leaf, theirs) for theirs, ours in (each.split("=") for each in settings)}
            return row.maker(**given)
    return None


def is_module(thing: Any) -> bool:
    """Whether this is a module of PyTorch, without importing PyTorch."""
    return hasattr(thing, "named_modules") and not isinstance(thing, type)


def state_in(given: Any) -> Any:
    """Find the module or state_dict: `given` itself, or inside it, if it is a checkpoint, at any depth."""
    if is_module(given):
        return given
    if not isinstance(given, Mapping):
        raise SettingError(sentence("exchange.no_state_dict", got=brief(given)))
    found = list(states_in(given))
    if len(found) > 1:
        names = [name for name, _ in found]
        raise SettingError(sentence("exchange.checkpoint", name=names[0], names=", ".join(names)))
    return found[0][1] if found else given


def states_in(given: Mapping[Any, Any], place: str = "state_dict") -> Iterator[tuple[str, Any]]:
    """Yield the place and the value of each module, and of each mapping with weights, in a checkpoint."""
    if any(str(key).endswith("weight") for key in given):
        yield place, given
        return
    for key, value in given.items():
        if is_module(value):
            yield f"{place}[{key!r}]", value
        elif isinstance(value, Mapping):
            yield from states_in(value, f"{place}[{key!r}]")


def as_numbers(value: Any) -> Array:
    """Turn an array or a tensor into an array; numbers of 16 bits become float32, since NumPy has no bfloat16."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    value = value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def linear_layers(arrays: Mapping[str, Array]) -> Layers:
    """The layers, in order, in the `arrays` of a state_dict; SettingError if these are not only Linear layers."""
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


def chain_in(module: Any) -> tuple[Layers, list[Activation]]:
    """The Linear layers of a module in the order of definition, and the activation after each (identity if none).

    Raises SettingError if the module contains one of another kind, which it names.
    """
    layers: Layers = {}
    activations: list[Activation] = []
    for name, leaf in module.named_modules():
        kind = type(leaf).__name__
        if next(leaf.children(), None) is not None or kind in PASSED:
            continue
        if kind == "Linear":
            W = as_numbers(leaf.weight)
            layers[name] = W.T, np.zeros(len(W), W.dtype) if leaf.bias is None else as_numbers(leaf.bias)
            activations.append(Identity())
        elif activations and (activation := activation_in(leaf)):
            activations[-1] = activation
        else:
            raise SettingError(sentence("exchange.no_chain", name=name or "the module", kind=kind))
    if not layers:
        raise SettingError(sentence("exchange.no_linear", got=f"a {type(module).__name__} without any"))
    return layers, activations


def from_module(module: Any, hidden: Any, output: Activation) -> Network:
    """Make a network with the same outputs as a module, as tested on 32 rows of random numbers.

    hidden: if None, the activations that the module defines are tried first, then each known one for all layers,
    because a module may apply activations as functions, which are not visible.
    """
    layers, defined = chain_in(module)
    wide = {name: (W.astype(np.float64), b.astype(np.float64)) for name, (W, b) in layers.items()}
    fan_in = len(next(iter(layers.values()))[0])
    X = np.random.default_rng(0).normal(size=(32, fan_in)) * np.logspace(-1.0, 1.0, 32)[:, np.newaxis]
    theirs, every = outputs_of_module(module, X), [row.maker() for row in PARTS["activation"].values()]
    ends = {repr(end): end for end in (defined[-1], *every)}.values()
    for between in [defined[:-1], *every] if hidden is None else [hidden]:
        with np.errstate(all="ignore"):  # from activations that are not the module's
            z = network_of(wide, between, Identity()).outputs(X)
            found = [end for end in ends if is_end(end, z, theirs)]
        if found:
            return network_of(layers, between, output if isinstance(found[0], Identity) else found[0])
    raise SettingError(sentence("exchange.other_forward", kind=type(module).__name__))


def is_end(end: Activation, z: Array, theirs: Array) -> bool:
    """Whether `end` applied to `z` gives a module's outputs, `theirs`, or, if it is softmax, their exponentials."""
    ways = (theirs, np.exp(theirs)) if isinstance(end, Softmax) else (theirs,)
    return theirs.shape == z.shape and any(np.allclose(end.value(z), each, 1e-6, 1e-6) for each in ways)


def outputs_of_module(module: Any, X: Array) -> Array:
    """The outputs of a module for X, (n_samples, outputs), computed in float64 by a copy of it in evaluation mode."""
    torch = require("torch", package="torch")
    try:
        with torch.no_grad():
            made = deepcopy(module).cpu().double().eval()(torch.from_numpy(X))
            return np.asarray(made.numpy()).reshape(len(X), -1)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise SettingError(sentence("exchange.other_forward", kind=type(module).__name__)) from error
