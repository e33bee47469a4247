"""Writes a model as an ONNX file, which computes everything from the user's data to the output in any ONNX runtime.

The graph, of opset 17 (IR version 8), has one input X and one output, both with a batch of any size:

X               (batch, features): uint8 if the network reads pixels; float64, in the data's own units, if inputs are
                standardized; else in the network's dtype
probabilities   (batch, outputs): of a softmax or a single sigmoid. The output is called "activations" if they are not
                probabilities, and "values", in the targets' own units, if the task is "values"

The nodes in between fill in missing cells (NaN) and flag them, if the model does; divide pixels by 255, or standardize
inputs; compute Gemm and the activation of each layer; and convert outputs to the targets' units.
The file's metadata are what `metadata` returns, each a JSON value: task, class_names and so on.
"""

import json
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from deltarule.atomic import AnyPath, write_atomically
from deltarule.errors import DISTRIBUTION, SettingError, closest, require, sentence
from deltarule.files.exchange.foreign import metadata
from deltarule.files.model_file import model_argument
from deltarule.model import Model
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.parts import PARTS, No, part_of
from deltarule.public import public

OPSET, IR_VERSION = 17, 8  # of 2022: ONNX Runtime 1.12 and later read them
LARGEST = 2**31 - 2**20  # a protobuf of 2 GiB cannot be read; the graph around the arrays takes a few KB


@public('save_onnx(network, "network.onnx")')
def save_onnx(thing: Network | Model, path: AnyPath, *, pixels: bool | None = None, force: bool = False) -> None:
    """Write a network, or a model, as an ONNX file: whole or not at all.

    `save_onnx` replaces an older ONNX file of deltarule, any other file only with `force`.

    pixels: whether X is uint8 and means value / 255; by default if the network reads pixels. Pass False for pixels
        that are floats from 0 to 1.

    The same model gives the same bytes. ONNX's checker checks the content before it is written. The weights keep their
    dtype and are in the file itself.

    Raises MissingExtraError without the extra `onnx`; SettingError for a custom activation, for which ONNX has no
    operators, for complex numbers, and for 2 GiB or more; FileError if the file cannot be written.

    >>> save_onnx(Network((784, 30, 10)), "digits.onnx")  # X float32 (batch, 784) -> probabilities (batch, 10)
    """
    data = onnx_bytes(model_argument(thing, 'dr.save_onnx(network, "network.onnx")', path), pixels=pixels)
    write_atomically(path, data, "ONNX file", force=force)


def onnx_bytes(thing: Network | Model, *, pixels: bool | None = None) -> bytes:
    """The content of the file that `save_onnx` writes; arguments and errors as there."""
    checker = require("onnx.checker", "onnx")
    from onnx import helper

    model = thing if isinstance(thing, Model) else Model(thing)
    network, number, is_pixels = model.network, model.network.dtype, model.pixels if pixels is None else pixels
    if number not in (np.float32, np.float64):
        raise SettingError(f"ONNX takes float32 or float64: got {number}; export network.astype(np.float32)")
    if (n_bytes := network.parameters.vector.nbytes) > LARGEST:
        raise SettingError(sentence("exchange.onnx_size", gigabytes=n_bytes / 2**30))
    output = "values" if model.task == "values" else "probabilities" if model.has_probabilities else "activations"
    entry = np.uint8 if is_pixels else number if model.input_scaling is None else np.float64
    answer = number if model.target_scaling is None else np.float64
    n_cells = network.layer_sizes[0] - int(flags_of(model).sum())
    sides = [("X", entry, n_cells), (output, answer, network.layer_sizes[-1])]
    ends = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), ["batch", size])
        for name, dtype, size in sides
    ]
    graph = helper.make_graph([], "-".join(map(str, network.layer_sizes)), ends[:1], ends[1:])
    _add_network(graph, model, is_pixels, output)
    whole = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="deltarule",
        producer_version=version(DISTRIBUTION),
    )
    inputs = [name for name, is_flag in zip(model.input_names, flags_of(model), strict=True) if not is_flag]
    helper.set_model_props(whole, metadata(model) | {"inputs": json.dumps(inputs)})
    data: bytes = whole.SerializeToString(deterministic=True)
    checker.check_model(data, full_check=True)
    return data


def flags_of(model: Model) -> Array:
    """Which inputs flag a missing cell, (n_inputs,), empty without columns: an ONNX file computes them from X's NaN."""
    flags = (each.indicator and name == each.input_names[-1] for each in model.columns for name in each.input_names)
    return np.fromiter(flags, bool)


def _add_node(graph: Any, operator: str, output: str, *inputs: str | tuple[str, Any], **attributes: Any) -> str:
    """Add a node that computes `output`; return this name. inputs: names, or (name, array) for a new constant."""
    from onnx import helper, numpy_helper

    names = [each if isinstance(each, str) else each[0] for each in inputs]
    graph.initializer.extend(numpy_helper.from_array(each[1], each[0]) for each in inputs if not isinstance(each, str))
    graph.node.append(helper.make_node(operator, names, [output], name=output, **attributes))
    return output


def _add_network(graph: Any, model: Model, pixels: bool, output: str) -> None:
    """Add the nodes from X to `output`. Data may be large compared with their spread, so float64 standardizes."""
    from onnx.helper import np_dtype_to_tensor_dtype as tensor_dtype

    network, scaling, wide = model.network, model.target_scaling, np.dtype(np.float64)
    add, number = partial(_add_node, graph), network.dtype if model.input_scaling is None else wide
    a = _add_fills(add, model, number)
    if pixels:
        a = add("Cast", "pixels", a, to=tensor_dtype(number))
        a = add("Div", "unit", a, ("white", np.array(255.0, number)))
    if model.input_scaling is not None:
        a = add("Sub", "centered", a, ("input.mean", np.asarray(model.input_scaling.mean, wide)))
        a = add("Div", "standardized", a, ("input.scale", np.asarray(model.input_scaling.scale, wide)))
        a = add("Cast", "inputs", a, to=tensor_dtype(network.dtype))
    names = [f"layers.{l}.a" for l in range(len(network.weights))]
    names[-1] = output if scaling is None else f"standardized_{output}"
    for l, (W, b, activation) in enumerate(zip(network.weights, network.biases, network.activations, strict=True)):
        z = add("Gemm", f"layers.{l}.z", a, (f"layers.{l}.weight", W), (f"layers.{l}.bias", b))
        a = _add_activation(add, activation, z, names[l], network.dtype)
    if scaling is not None:
        a = add("Cast", "wide", a, to=tensor_dtype(wide))
        a = add("Mul", "spread", a, ("target.scale", np.asarray(scaling.scale, wide)))
        add("Add", output, a, ("target.mean", np.asarray(scaling.mean, wide)))


def _add_fills(add: Callable[..., str], model: Model, number: np.dtype[Any]) -> str:
    """Add the nodes that fill in and flag missing cells, if the model allows any; return the name of their result.

    X has no flags: the nodes compute a flag, 1 where its column's number or string is NaN in X.
    """
    from onnx.helper import np_dtype_to_tensor_dtype as tensor_dtype

    fill = [each for column in model.columns for each in (*column.fills, *[1.0] * column.indicator)]
    is_flag = flags_of(model)
    if all(each is None for each in fill):
        return "X"
    cells = add("Gather", "cells", "X", ("places", np.cumsum(~is_flag) - 1), axis=1) if is_flag.any() else "X"
    missing = add("IsNaN", "missing", cells)
    filled = add("Where", "filled", missing, ("fill", np.array(fill, float).astype(number)), cells)
    if not is_flag.any():
        return filled
    return add("Where", "flagged", ("is_flag", is_flag), add("Cast", "flags", missing, to=tensor_dtype(number)), filled)


def _add_activation(add: Callable[..., str], activation: Activation, z: str, a: str, dtype: np.dtype[Any]) -> str:
    """Add the operators that compute `a` from `z`, from the activation's row in the table of parts; return `a`."""
    row = part_of(activation)
    if row is None or isinstance(row.onnx, No):
        known = [name for name, each in PARTS["activation"].items() if not isinstance(each.onnx, No)]
        got = f"{type(activation).__name__}; {closest('', known)}"
        raise SettingError(f"ONNX has operators for the activations that have a name here: got {got}")

    def value(given: str | float) -> Any:
        return getattr(activation, given) if isinstance(given, str) else given

    names = {"z": z} | {each.makes: f"{a}.{each.makes}" for each in row.onnx} | {"a": a}
    for operator in row.onnx:
        output = names[operator.makes]
        inputs = [
            names[each] if each in names else (f"{output}.{i}", np.array(value(each), dtype))
            for i, each in enumerate(operator.reads)
        ]
        attributes = {key: value(each) for key, each in operator.attributes.items()}
        add(operator.name, output, *inputs, **attributes)
    return a
