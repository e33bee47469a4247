"""A model as an ONNX file: the whole way from what the user has to the answer, for every runtime that reads ONNX.

The graph, of opset 17 (IR version 8), has one input X and one output, both with a batch of any size:

X               (batch, features): uint8 where the network reads pixels; float64, in their own units, where inputs are
                standardized; else in the network's dtype
probabilities   (batch, outputs): of a softmax or a single sigmoid. It is called activations where they are no
                probabilities, and values, in the targets' own units, where the model answers values

In between: pixels / 255, the standardization, Gemm and the activation of each layer, the targets' units.
The file's metadata are what `meaning_of` returns, each a JSON value: task, class_names and so on.
"""

import os
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from deltarule.atomic import write_atomically
from deltarule.errors import DISTRIBUTION, SettingError, closest, require
from deltarule.files.meaning import meaning_of, model_in
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.parts import PARTS, No, part_of
from deltarule.public import public

OPSET, IR_VERSION = 17, 8  # of 2022: ONNX Runtime 1.12 and whatever is younger reads them
LARGEST = 2**31 - 2**20  # no protobuf of 2 GiB can be read; the graph around the arrays takes a few KB


@dataclass
class Graph:
    """Nodes, each named after what it makes, in the order in which they run; and the arrays that they read.

    dtype: the network's.
    """

    dtype: np.dtype[Any]
    nodes: list[Any] = field(default_factory=list)
    arrays: list[Any] = field(default_factory=list)

    def add(self, operator: str, made: str, *read: str, **attributes: Any) -> str:
        """Add a node that makes `made` out of what it reads; returns `made`."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, read, [made], name=made, **attributes))
        return made

    def cast(self, made: str, read: str, dtype: DTypeLike) -> str:
        """Add a node that gives `read` another dtype."""
        return self.add("Cast", made, read, to=_number(dtype))

    def constant(self, name: str, value: Array) -> str:
        """Add an array, which may be a single number; returns its name."""
        from onnx import numpy_helper

        self.arrays.append(numpy_helper.from_array(value, name))
        return name


@public('save_onnx(network, "network.onnx")')
def save_onnx(
    thing: Network | Model, path: str | os.PathLike[str], *, pixels: bool | None = None, force: bool = False
) -> None:
    """Write a network, or a model, as an ONNX file: whole or not at all.

    An older ONNX file of deltarule is replaced; any other file only with `force`.

    pixels: whether X is uint8 and counts as value / 255; by default where the network reads pixels. Give False for
        pixels that come as floats from 0 to 1.

    The same model gives the same bytes; ONNX's checker has found them sound before they are written. The weights keep
    their dtype and are in the file itself.

    Raises MissingExtraError without the extra `onnx`; SettingError for what ONNX has no operators for, an activation of
    your own, or does not hold: complex numbers, 2 GiB or more. Raises FileError where the file cannot be written.

    >>> save_onnx(Network((784, 30, 10)), "digits.onnx")  # X float32 (batch, 784) -> probabilities (batch, 10)
    """
    data = onnx_bytes(model_in(thing, 'dr.save_onnx(network, "network.onnx")', path), pixels=pixels)
    write_atomically(path, data, "ONNX file", force=force)


def onnx_bytes(thing: Network | Model, *, pixels: bool | None = None) -> bytes:
    """The content of the file that `save_onnx` writes; arguments and errors as there."""
    checker = require("onnx.checker", "onnx")
    model = thing if isinstance(thing, Model) else Model(thing)
    if model.network.dtype not in (np.float32, np.float64):
        raise SettingError(
            f"ONNX takes float32 or float64: got {model.network.dtype}; export network.astype(np.float32)"
        )
    check_size(model.network.parameters.vector.nbytes)
    whole = _whole(model, model.pixels if pixels is None else pixels)
    data: bytes = whole.SerializeToString(deterministic=True)
    checker.check_model(data, full_check=True)
    return data


def check_size(n_bytes: int) -> None:
    """Raise SettingError for parameters of so many bytes that no ONNX file holds them."""
    if n_bytes > LARGEST:
        raise SettingError(
            f"an ONNX file without external data holds less than 2 GiB: got {n_bytes / 2**30:.1f} GiB of parameters; "
            "save them with deltarule.save or deltarule.save_npz"
        )


def output_name(model: Model) -> str:
    """What the graph's output is called: probabilities, activations or values."""
    if model.task == "values":
        return "values"
    return "probabilities" if model.has_probabilities else "activations"


def _whole(model: Model, pixels: bool) -> Any:
    from onnx import helper

    number = model.network.dtype
    graph = Graph(number)
    made = _layers(graph, model, _inputs(graph, model, pixels))
    if model.target_scaling is not None:
        _in_own_units(graph, made, model.target_scaling, output_name(model))
    entry = np.uint8 if pixels else number if model.input_scaling is None else np.float64
    answer = number if model.target_scaling is None else np.float64
    whole = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "-".join(map(str, model.network.layer_sizes)),
            [_side("X", entry, model.network.layer_sizes[0])],
            [_side(output_name(model), answer, model.network.layer_sizes[-1])],
            graph.arrays,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="deltarule",
        producer_version=version(DISTRIBUTION),
    )
    helper.set_model_props(whole, meaning_of(model))
    return whole


def _side(name: str, dtype: DTypeLike, size: int) -> Any:
    """The input or the output: (batch, size)."""
    from onnx import helper

    return helper.make_tensor_value_info(name, _number(dtype), ["batch", size])


def _inputs(graph: Graph, model: Model, pixels: bool) -> str:
    """X as layer 0 reads it. What is standardized may be large beside its spread, so that is done in float64."""
    scaling, made = model.input_scaling, "X"
    wide = model.network.dtype if scaling is None else np.dtype(np.float64)
    if pixels:
        made = graph.add(
            "Div", "unit", graph.cast("pixels", made, wide), graph.constant("white", np.array(255.0, wide))
        )
    if scaling is None:
        return made
    made = graph.add("Sub", "centered", made, graph.constant("input.mean", np.asarray(scaling.mean, wide)))
    made = graph.add("Div", "standardized", made, graph.constant("input.scale", np.asarray(scaling.scale, wide)))
    return graph.cast("inputs", made, model.network.dtype)


def _layers(graph: Graph, model: Model, made: str) -> str:
    """The layers, the last of which makes the output, unless that goes on to its own units."""
    network, name = model.network, output_name(model)
    activations = [f"layers.{l}.a" for l in range(len(network.weights))]
    activations[-1] = name if model.target_scaling is None else f"standardized_{name}"
    layers = zip(network.weights, network.biases, network.activations, activations, strict=True)
    for l, (W, b, activation, a) in enumerate(layers):
        arrays = [graph.constant(f"layers.{l}.weight", W), graph.constant(f"layers.{l}.bias", b)]
        z = graph.add("Gemm", f"layers.{l}.z", made, *arrays)
        made = _activate(graph, activation, z, a)
    return made


def _in_own_units(graph: Graph, made: str, scaling: Standardization, name: str) -> None:
    made = graph.cast("wide", made, np.float64)
    made = graph.add("Mul", "spread", made, graph.constant("target.scale", np.asarray(scaling.scale, np.float64)))
    graph.add("Add", name, made, graph.constant("target.mean", np.asarray(scaling.mean, np.float64)))


def _activate(graph: Graph, activation: Activation, z: str, a: str) -> str:
    """Add the operators that make `a` of `z`: the row of the activation says which."""
    row = part_of(activation)
    if row is None or isinstance(row.onnx, No):
        known = [name for name, each in PARTS["activation"].items() if not isinstance(each.onnx, No)]
        raise SettingError(
            "ONNX has operators for the activations that have a name here: "
            f"got {type(activation).__name__}; {closest('', known)}"
        )
    made = {"z": z}
    for operator in row.onnx:
        name = a if operator.makes == "a" else f"{a}.{operator.makes}"
        read = [
            made[each]
            if each in made
            else graph.constant(f"{name}.{i}", np.array(_value(activation, each), graph.dtype))
            for i, each in enumerate(operator.reads)
        ]
        attributes = {key: _value(activation, value) for key, value in operator.attributes.items()}
        made[operator.makes] = graph.add(operator.name, name, *read, **attributes)
    return made["a"]


def _value(activation: Activation, given: str | float) -> Any:
    """A number, or the setting of that name."""
    return getattr(activation, given) if isinstance(given, str) else given


def _number(dtype: DTypeLike) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
