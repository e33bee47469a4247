"""What a model's numbers mean, for the formats of other software: as JSON, because that every language reads."""

import json
from dataclasses import asdict
from typing import Any

from deltarule.errors import SettingError
from deltarule.model import Model
from deltarule.parts import describe, part_of
from deltarule.public import check_network, is_a
from deltarule.settings import check_path, shown


def model_in(thing: Any, line: str, path: Any = "") -> Model:
    """The model that a function was given, or the one around a network. SettingError where it is given neither.

    line: a call that works. path: where it is to write to, or empty.
    """
    if is_a(path, "Network|Model|Perceptron"):
        raise SettingError(f"a Network comes first, then a path: got {shown(thing)} first; use {line}")
    check_network(thing, line)
    check_path("path", path)
    return thing if isinstance(thing, Model) else Model.of(thing)


def meaning_of(model: Model) -> dict[str, str]:
    """Its task, pixels, class_names, image_shape, columns, inputs, activations (with settings), loss, record, as JSON.

    columns: of the table that was learned from; inputs: what the numbers that are read of it are called. A text is a
        number for each category, 1 where it is that one ("town=Ulm") and else 0.
    A loss of one's own is null: no answer depends on it.

    Raises SettingError for an activation of one's own, and for names or a record that are no JSON.
    """
    network = model.network
    said: dict[str, Any] = {name: getattr(model, name) for name in ("task", "pixels", "class_names", "image_shape")}
    said["columns"] = [asdict(column) for column in model.columns]
    said["inputs"] = model.input_names
    said["activations"] = [describe("activation", each) for each in network.activations]
    said["loss"] = None if part_of(network.loss) is None else describe("loss", network.loss)
    said["record"] = model.record
    try:
        return {name: json.dumps(value, sort_keys=True, allow_nan=False) for name, value in said.items()}
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(
            f"the names and the record of a model must be strings, finite numbers, lists and dicts of these: {error}"
        ) from error
