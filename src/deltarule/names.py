"""What recipes and model files call things: fixed tables from names to classes, and settings in between.

A thing is written as its name, "relu", or as a table of its name and settings, {name = "leaky_relu", slope = 0.1}.
A name that is not in the table is refused; nothing that a file says is ever imported or run.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from deltarule.errors import SettingError, closest
from deltarule.nn.activations import ELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.initializers import (
    Initializer,
    glorot_uniform,
    he_normal,
    lecun_normal,
    standard_normal,
    uniform,
    zeros,
)
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from deltarule.nn.penalties import L1, L2, Penalty

T = TypeVar("T")
Spec = str | Mapping[str, Any]

ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "silu": SiLU,
    "softmax": Softmax,
}
LOSSES: dict[str, type[Loss]] = {
    "quadratic": Quadratic,
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}
PENALTIES: dict[str, type[Penalty]] = {"l1": L1, "l2": L2}
INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "glorot_uniform": glorot_uniform,
    "lecun_normal": lecun_normal,
    "standard_normal": standard_normal,
    "uniform": uniform,
    "zeros": zeros,
}


def named(what: str, table: Mapping[str, type[T]], spec: Spec, **more: Any) -> T:
    """The thing of `table` that `spec` names, with its settings and `more`. `what` is its kind, for messages.

    Raises SettingError for an unknown name or setting (with the closest one) or a value that is no number.
    """
    settings = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = settings.pop("name", None)
    if not isinstance(name, str) or name not in table:
        raise SettingError(f"no {what} is called {name!r}: {closest(str(name), table)}")
    return with_settings(f"{what} {name}", table[name], settings, **more)


def with_settings(what: str, kind: type[T], settings: Mapping[str, Any], **more: Any) -> T:
    """kind(**settings, **more), after a check that the settings exist and are numbers."""
    legal = [key for key in setting_names(kind) if key not in more]
    for key, value in settings.items():
        if key not in legal:
            offer = closest(key, legal) if legal else "it has none"
            raise SettingError(f"{what} has no setting {key!r}: {offer}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"{key} of {what} must be a number: got {value!r}")
    missing = [key for key in legal if key not in settings and not hasattr(kind, key)]  # a default is a class attribute
    if missing:
        raise SettingError(f"{what} needs {' and '.join(missing)}, a number: got {settings or 'no settings'}")
    return kind(**settings, **more)


def described(what: str, table: Mapping[str, type[T]], thing: T) -> dict[str, Any]:
    """The spec that `named` turns into an equal thing: {"name": ..., settings}. SettingError for a user's own class."""
    for name, kind in table.items():
        if type(thing) is kind:
            return {"name": name} | {key: getattr(thing, key) for key in setting_names(kind)}
    raise SettingError(f"only these {what}s have a name: got {type(thing).__name__}. {closest('', table)}")


def setting_names(kind: type[Any]) -> list[str]:
    """The settings of a class: the numbers among the fields that its constructor takes."""
    return [each.name for each in fields(kind) if each.init and each.type in (int, float)]
