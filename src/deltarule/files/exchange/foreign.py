"""Networks in files of other kinds: npz and ONNX files of deltarule, arrays called W1 and b1, or as in PyTorch."""

import json
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from deltarule.data.readers.npz import read_arrays
from deltarule.errors import DataError, ModelFileError, SettingError, require, sentence
from deltarule.files.exchange.conversion import LOSSES, from_torch, network_of
from deltarule.files.model_file import ModelDescription, check_arrays, load, rebuild_model
from deltarule.files.tensor_file import METADATA_KEY
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.parts import make, resolve, spec_of
from deltarule.public import public

WEIGHTS, BIASES = r"(?i)(?:w|weights?)_?(\d+)", r"(?i)(?:b|bias(?:es)?)_?(\d+)"


@public('from_file("network.npz", hidden="relu")')
def from_file(path: str | os.PathLike[str], *, hidden: Any = None, output: Any = "softmax") -> Model:
    """The Model in a file of any kind that holds one: a model file, or what `save_npz` and `save_onnx` wrote.

    Also an npz of arrays W1, b1, W2, b2 and so on, as those save who write a network themselves, or a .safetensors file
    of PyTorch's state_dict. Such files do not say what stands between the layers:

    hidden: the activation of every hidden layer, or one for each. output: as for `from_torch`.

    Nothing in a file can run. Raises SettingError where `hidden` is needed, or the file is of another kind;
    ModelFileError or DataError where it is damaged.

    >>> np.savez("network.npz", W1=np.ones((4, 3)), b1=np.zeros(3), W2=np.ones((3, 2)), b2=np.zeros(2))
    >>> from_file("network.npz", hidden="relu").network.layer_sizes
    (4, 3, 2)
    """
    with Path(path).open("rb") as stream:
        head = stream.read(4)
    if head == b"PK\3\4":
        arrays = read_arrays(path)
        meaning = arrays.pop("meaning", None)
        if meaning is not None:
            return model_of(path, str(meaning), arrays)
    elif Path(path).suffix.lower() == ".onnx":
        return from_onnx(path)
    else:
        try:
            with safe_open(path, "numpy") as file:
                if METADATA_KEY in (file.metadata() or {}):
                    return load(path)
            arrays = load_file(path)
        except (SafetensorError, TypeError) as error:
            raise DataError(
                f"{path}: a .safetensors file of float32 arrays was expected: got another ({error})"
            ) from error
    if hidden is None:
        raise SettingError(sentence("exchange.hidden", path=path))
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
    return Model(network_of(fitting[0], hidden, resolve("activation", output, "output")), record={"origin": str(path)})


def by_number(arrays: dict[str, Array], pattern: str) -> dict[int, Array]:
    """The arrays whose names are a letter or a word and a number, in the order of the numbers."""
    found = ((re.fullmatch(pattern, name), array) for name, array in arrays.items())
    return dict(sorted((int(match[1]), array) for match, array in found if match and array.dtype.kind == "f"))


def fit_each_other(layers: dict[str, tuple[Array, Array]]) -> bool:
    """Whether each layer takes what the one before it makes."""
    shapes = [(W.shape, b.shape) for W, b in layers.values()]
    is_linked = all(one[0][-1] == other[0][0] for one, other in pairwise(shapes))
    return is_linked and all(len(W) == 2 and b == W[1:] for W, b in shapes)


def from_onnx(path: str | os.PathLike[str]) -> Model:
    """The Model in an ONNX file that `save_onnx` wrote; SettingError for another program's."""
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


def model_of(path: str | os.PathLike[str], text: str, arrays: dict[str, Array]) -> Model:
    """The model that `metadata` describes, in one JSON object, of arrays that go by the names of a model file."""
    try:
        meaning: dict[str, Any] = json.loads(text)
        names = [f"layers.{l}.weight" for l in range(len(meaning["activations"]))]
        sizes = [len(arrays[names[0]]), *(arrays[name].shape[1] for name in names)]
        own = spec_of(
            "loss", make("loss", LOSSES.get(type(make("activation", meaning["activations"][-1])), "quadratic"))
        )
        given = {key: value for key, value in meaning.items() if key != "inputs"} | {"loss": meaning["loss"] or own}
        given |= {"layer_sizes": sizes, "dropout": [0.0] * (len(sizes) - 2), "dtype": arrays[names[0]].dtype.name}
        given |= {f"{side}_scaling": f"{side}.mean" in arrays for side in ("input", "target")}
        description = msgspec.convert(given, ModelDescription)
        known = {name: arrays[name] for name in description.layout()}
        for name, slot in description.layout().items():
            if known[name].shape != slot.shape:
                raise ModelFileError(f"expected {slot} in {name!r}: got the shape {known[name].shape}")
        check_arrays(known)
        return rebuild_model(description, known)
    except (KeyError, TypeError, IndexError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} was not loaded: {error}") from error
