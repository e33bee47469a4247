"""Networks in files other than model files: deltarule's npz and ONNX, arrays called W1 and b1, PyTorch's arrays.

In an npz or ONNX file of deltarule, JSON says what the arrays mean: `metadata` writes it, `model_of` reads it.
"""

import json
import os
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from deltarule.atomic import AnyPath, atomic_stream
from deltarule.data.readers.npz import read_arrays
from deltarule.data.reading import refuse_special
from deltarule.errors import DataError, ModelFileError, SettingError, require, sentence
from deltarule.files.exchange.sklearn import LOSSES, network_of
from deltarule.files.exchange.torch import from_torch
from deltarule.files.model_file import JSON_RULE, ModelDescription, arrays_of, model_argument, rebuild_model
from deltarule.files.model_file import load as load_model_file
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.parts import make, part_of, resolve, spec_of
from deltarule.public import public

WEIGHTS, BIASES = r"(?i)(?:w|weights?)_?(\d+)", r"(?i)(?:b|bias(?:es)?)_?(\d+)"


@public('save_npz(network, "network.npz")')
def save_npz(thing: Network | Model, path: AnyPath, *, force: bool = False) -> None:
    """Write a network, or a model, as an npz file, which NumPy alone can read: whole or not at all.

    The file's arrays are named as in a model file; `meaning` is a string of JSON: task, pixels, class_names,
    image_shape, columns, activations, loss, record. Nothing in the file needs pickle.

    `save_npz` replaces an older file of its own, any other file only with `force`. The same model gives the same bytes.
    `load` reads such files.

    Raises SettingError for an activation of your own, and FileError where the file cannot be written.

    >>> save_npz(Network((784, 30, 10)), "digits.npz")
    >>> np.load("digits.npz")["layers.1.weight"].shape
    (30, 10)
    """
    model = model_argument(thing, 'dr.save_npz(network, "network.npz")', path)
    content = ", ".join(f'"{name}": {value}' for name, value in metadata(model).items())
    arrays: dict[str, Any] = {"meaning": np.array(f"{{{content}}}")} | arrays_of(model)
    with atomic_stream(path, "npz file", force=force) as stream:
        np.savez(stream, **arrays)


@public('load("network.safetensors")')
def load(path: AnyPath, *, hidden: Any = None, output: Any = "softmax") -> Model:
    """Load the model in a file that `save`, `save_npz` or `save_onnx` wrote.

    `load` also reads an npz of arrays W1, b1, W2, b2 and so on, as for a self-written network, and a .safetensors file
    of PyTorch's state_dict. Such files do not name the activations, so pass them:

    hidden: the activation of every hidden layer, or one for each. output: as for `from_torch`.

    Raises FileError if there is no such file, SettingError if `hidden` is needed or the file is of another kind, and
    ModelFileError or DataError if it is damaged, hostile or of another version. Nothing in a file is executed: it names
    activations and losses, which are looked up in a table.

    >>> from deltarule import save
    >>> save(Network((784, 30, 10)), "digits.safetensors")
    >>> load("digits.safetensors").network.layer_sizes
    (784, 30, 10)
    """
    kind = Path(path).suffix.lower() if isinstance(path, str | os.PathLike) and Path(path).is_file() else ""
    if kind == ".onnx":
        return from_onnx(path)
    if kind == ".npz" and zipfile.is_zipfile(path):
        arrays = read_arrays(path)
        if (meaning := arrays.pop("meaning", None)) is not None:
            return model_of(path, str(meaning), arrays)
        if hidden is None:
            raise SettingError(sentence("exchange.hidden", path=path))
        return model_in(arrays, str(path), hidden, output)
    if hidden is None:
        return load_model_file(path)
    refuse_special(path)  # opening a pipe would wait
    try:
        arrays = load_file(path)
    except (SafetensorError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{path}: a .safetensors file of float32 arrays was expected: got another ({error})") from error
    return model_in(arrays, str(path), hidden, output)


def model_in(arrays: dict[str, Array], path: str, hidden: Any, output: Any) -> Model:
    """Make a Model of arrays called W1, b1 and so on, W as (fan_in, fan_out) or transposed, or called as in PyTorch."""
    weights, biases = (by_number(arrays, pattern) for pattern in (WEIGHTS, BIASES))
    if not weights:
        return from_torch(arrays, hidden=hidden, output=output)
    if list(weights) != list(biases) or len(arrays) != 2 * len(weights):
        raise SettingError(sentence("exchange.numbered", path=path, names=", ".join(arrays)))
    layers = {f"W{number}": (W, biases[number].ravel()) for number, W in weights.items()}
    ways = [layers, {name: (W.T, b) for name, (W, b) in layers.items()}]
    fitting = [way for way in ways if fit_each_other(way)]
    if len(fitting) != 1:
        got = ", ".join(f"{name} {W.shape}" for name, (W, _) in layers.items())
        raise SettingError(sentence("exchange.turned", path=path, got=got, n_ways=len(fitting)))
    return Model(network_of(fitting[0], hidden, resolve("activation", output, "output")), record={"origin": path})


def by_number(arrays: dict[str, Array], pattern: str) -> dict[int, Array]:
    """The floating-point arrays whose names match `pattern`, by the number in the name, in numeric order."""
    found = ((re.fullmatch(pattern, name), array) for name, array in arrays.items())
    return dict(sorted((int(match[1]), array) for match, array in found if match and array.dtype.kind == "f"))


def fit_each_other(layers: dict[str, tuple[Array, Array]]) -> bool:
    """Whether the shapes of weights and biases fit each other, in each layer and from layer to layer."""
    shapes = [(W.shape, b.shape) for W, b in layers.values()]
    is_linked = all(one[0][-1] == other[0][0] for one, other in pairwise(shapes))
    return is_linked and all(len(W) == 2 and b == W[1:] for W, b in shapes)


def from_onnx(path: AnyPath) -> Model:
    """Load the Model in an ONNX file that `save_onnx` wrote; SettingError for another program's file."""
    onnx = require("onnx", "onnx")
    broken = require("google.protobuf.message", "onnx").DecodeError
    try:
        whole = onnx.load(path, load_external_data=False)
    except (ValueError, OSError, broken) as error:
        raise DataError(f"{path}: an ONNX file was expected, but it cannot be read: {error}") from error
    if whole.producer_name != "deltarule":
        raise SettingError(f"{path}: an ONNX file of deltarule was expected: got one by {whole.producer_name!r}")
    meaning = ", ".join(f"{json.dumps(each.key)}: {each.value}" for each in whole.metadata_props)
    try:
        arrays = {each.name: onnx.numpy_helper.to_array(each) for each in whole.graph.initializer}
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: arrays of an ONNX file were expected, but they are damaged: {error}") from error
    return model_of(path, f"{{{meaning}}}", arrays)


def metadata(model: Model) -> dict[str, str]:
    """A model's task, pixels, class_names, image_shape, columns, inputs, activations, loss, record: each as JSON.

    columns: those of the training table; inputs: the names of the network's inputs that they become. A column of text
        becomes an input for each category ("town=Ulm"), which is 1 for cells of that category and else 0.
    A custom loss is null: predictions do not depend on it. SettingError for a custom activation, or for a record that
    JSON cannot express.
    """
    network = model.network
    content: dict[str, Any] = {name: getattr(model, name) for name in ("task", "pixels", "class_names", "image_shape")}
    content["columns"] = [column.fields for column in model.columns]
    content["inputs"] = model.input_names
    content["activations"] = [spec_of("activation", each) for each in network.activations]
    content["loss"] = None if part_of(network.loss) is None else spec_of("loss", network.loss)
    content["record"] = model.record
    try:
        return {name: json.dumps(value, sort_keys=True, allow_nan=False) for name, value in content.items()}
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(f"{JSON_RULE}: {error}") from error


def model_of(path: AnyPath, text: str, arrays: dict[str, Array]) -> Model:
    """Rebuild a model from `text`, the content of `metadata` as one JSON object, and arrays named as in model files."""
    try:
        meaning: dict[str, Any] = json.loads(text)
        names = [f"layers.{l}.weight" for l in range(len(meaning["activations"]))]
        sizes = [len(arrays[names[0]]), *(arrays[name].shape[1] for name in names)]
        output = make("activation", meaning["activations"][-1])
        own = spec_of("loss", make("loss", LOSSES.get(type(output), "quadratic")))
        given = {key: value for key, value in meaning.items() if key != "inputs"} | {"loss": meaning["loss"] or own}
        given |= {"layer_sizes": sizes, "dropout": [0.0] * (len(sizes) - 2), "dtype": arrays[names[0]].dtype.name}
        given |= {f"{side}_scaling": f"{side}.mean" in arrays for side in ("input", "target")}
        description = msgspec.convert(given, ModelDescription)
        known = {name: arrays[name] for name in description.layout()}
        for name, slot in description.layout().items():
            if known[name].shape != slot.shape:
                raise ModelFileError(f"expected {slot} in {name!r}: got the shape {known[name].shape}")
        return rebuild_model(description, known)
    except (KeyError, TypeError, IndexError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} was not loaded: {error}") from error
