"""Networks that go to other software, and come from it: what a model means, in JSON, and npz files."""

import json
import os
from typing import Any

import numpy as np

from deltarule.atomic import atomic_stream
from deltarule.errors import SettingError
from deltarule.files.model_file import JSON_RULE, arrays_of, model_argument
from deltarule.model import Model
from deltarule.nn.network import Network
from deltarule.parts import part_of, spec_of
from deltarule.public import public


def metadata(model: Model) -> dict[str, str]:
    """Its task, pixels, class_names, image_shape, columns, inputs, activations (with settings), loss, record, as JSON.

    columns: of the table that was learned from; inputs: what the numbers that are read of it are called. A text is a
        number for each category, 1 where it is that one ("town=Ulm") and else 0.
    A loss of one's own is null: no answer depends on it. An activation of one's own is refused, and a record that JSON
    cannot hold: SettingError.
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


@public('save_npz(network, "network.npz")')
def save_npz(thing: Network | Model, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a network, or a model, as an npz file, which NumPy alone can read: whole or not at all.

    Its arrays are called as in a model file; `meaning` is a JSON object in a string: task, pixels, class_names,
    image_shape, columns, activations, loss, record. Nothing in it needs pickle.

    An older file of `save_npz` is replaced; any other file only with `force`. The same model gives the same bytes.
    `load` reads the files that `save` writes, and not these.

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
