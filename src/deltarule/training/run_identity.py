"""What makes a run the run that it is: settings and data, in words that two runs can be compared by."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deltarule.data.dataset import Dataset, data_hash
from deltarule.nn.arrays import Array
from deltarule.training.callbacks import EarlyStopping
from deltarule.training.strides import can_stride

if TYPE_CHECKING:
    from deltarule.training.trainer import Trainer

APART = ("network", "engine", "callbacks")  # of a Trainer's fields: in words of their own, or no matter


def identity_of(
    trainer: "Trainer", train: Dataset, validation: Dataset | None, sample_weight: Array | None
) -> dict[str, str]:
    """All that the course of a run depends on besides its state, by name; of the data, the SHA-256."""
    network, settings = trainer.network, [each.name for each in dataclasses.fields(trainer) if each.name not in APART]
    stopping = [callback for callback in trainer.callbacks if isinstance(callback, EarlyStopping)]
    return {
        "network": "-".join(map(str, network.layer_sizes)),
        "activations": in_words(network.activations),
        "loss": in_words(network.loss),
        "dropout": in_words(network.dropout),
        "dtype": network.dtype.name,
        **{name: in_words(getattr(trainer, name)) for name in settings},
        "early stopping": in_words([vars_of(each, "patience", "monitor") for each in stopping]),
        "engine": trainer.engine.name,
        "steps in one call": "many" if can_stride(trainer, train) else "one",
        "training data": _data_in_words(train),
        "validation data": "none" if validation is None else _data_in_words(validation),
        "sample weights": "none" if sample_weight is None else hashlib.sha256(sample_weight.tobytes()).hexdigest(),
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs, each as "epochs was 5 and is 6"; nothing where the runs are the same."""
    return [
        f"{name} was {before.get(name, 'not there')} and is {now.get(name, 'not there')}"
        for name in [*now, *(before.keys() - now.keys())]
        if before.get(name) != now.get(name)
    ]


def in_words(thing: Any) -> str:
    """A setting as one would write it: its type with the settings that it was made with.

    >>> in_words((Constant(0.1), None, 5))
    '(Constant(rate=0.1), None, 5)'
    """
    if isinstance(thing, list | tuple):
        return f"({', '.join(map(in_words, thing))})"
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return vars_of(thing, *(field.name for field in dataclasses.fields(thing) if field.init))
    if thing is None or isinstance(thing, bool | int | float | str):
        return repr(thing)
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))  # of a function, or an object of one's own


def vars_of(thing: object, *names: str) -> str:
    """The type of a thing with some of its attributes."""
    settings = ", ".join(f"{name}={in_words(getattr(thing, name))}" for name in names)
    return f"{type(thing).__name__}({settings})"


def _data_in_words(data: Dataset) -> str:
    return f"{data.n_samples:,} examples, SHA-256 {data_hash(data)[:16]}"
