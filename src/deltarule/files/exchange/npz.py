"""A model as an npz file: its arrays under the names that a model file gives them, for whoever has NumPy alone.

layers.0.weight (fan_in, fan_out), layers.0.bias (fan_out,), layers.1.weight and so on; input.mean, input.scale,
target.mean, target.scale where inputs or targets are standardized; and meaning, a JSON object in a string: task,
pixels, class_names, image_shape, columns, activations, loss, record. Nothing in it needs pickle.
"""

import os
from typing import Any

import numpy as np

from deltarule.atomic import atomic_stream
from deltarule.files.exchange import metadata
from deltarule.files.model_file import arrays_of, model_argument
from deltarule.model import Model
from deltarule.nn.network import Network
from deltarule.public import public


@public('save_npz(network, "network.npz")')
def save_npz(thing: Network | Model, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a network, or a model, as an npz file: whole or not at all.

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
