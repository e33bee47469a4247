"""What a model file says about how its network was trained, as far as the commands need it."""

from typing import Any

import msgspec

from deltarule.data.reading import Missing
from deltarule.model import Model


class TrainingRecord(msgspec.Struct):
    """What `deltarule train` keeps in Model.record, among more that is only for people to read.

    recipe: its name; recipe_toml: all of it, as it was carried out; seed: what its split was drawn with.
    dataset: a name or path; target: the column that was learned, where the data are a table; missing: what became of
        rows that lacked a cell, as for `read_table`; size: what images of a folder were brought to, if anything.
    environment: as `files.run_folder.environment` says, the hash of the data among it.
    """

    recipe: str
    recipe_toml: str
    seed: int
    dataset: str
    target: str | None
    missing: Missing = "error"
    size: int | None = None
    environment: dict[str, Any] = {}


def training_record(model: Model) -> TrainingRecord | None:
    """The record of a model, None for one that `deltarule train` has not made."""
    try:
        return msgspec.convert(model.record, TrainingRecord)
    except msgspec.ValidationError:
        return None
