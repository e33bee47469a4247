"""The table of parts: a row for each activation, loss, optimizer, penalty, schedule and initializer.

The rows are in parts.toml. A part is written as its name, "relu", or as a dict of its name and settings,
{"name": "leaky_relu", "slope": 0.1}: in recipes, in model files, and wherever Network, `fit` and Trainer take one. A
class is given as "module:name" and imported when it is needed, so this module imports none of them. A name that is not
in the table is refused; nothing from a user's file is ever imported or run.

A new part needs a class, a row in parts.toml, and a kernel in `native/` (or in its row the reason why there is none).
"""

import ast
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache, partial
from importlib import import_module
from inspect import signature
from operator import attrgetter
from types import FunctionType
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from deltarule.elsewhere import line_for, names_for, words
from deltarule.errors import SettingError, ShapeError, closest, read_tables, sentence
from deltarule.public import Activations, public
from deltarule.settings import (
    brief,
    check_call,
    check_choice,
    one_per_layer,
    setting,
    setting_error,
    setting_names,
    source_text,
    with_article,
)

T = TypeVar("T")
Kind = Literal["activation", "loss", "optimizer", "penalty", "schedule", "initializer"]
Spec = str | Mapping[str, Any]
LONGEST_CALL = 200  # characters: Python's parser takes memory and depth for a longer text, which a recipe may hold


class No(str):
    """The reason why a cell of the table is empty, as a string."""

    __slots__ = ()


class Operator(NamedTuple):
    """A node of a part's ONNX graph. name: its operator. makes: its output; "a" is the activation.

    reads: its inputs, each "z", the output of an earlier node, the name of a setting of the part, or a number.
    attributes: {name: a number, or the name of a setting of the part}.
    """

    name: str
    makes: str
    reads: Sequence[str | float] = ("z",)
    attributes: Mapping[str, str | int] = {}


@dataclass(frozen=True)
class Part:
    """A row of the table: one activation, loss, optimizer, penalty, schedule or initializer.

    home: its class or function, as "module:name". kernel: "module:name" of the code number of its C kernel, then the
    settings that the kernel takes, "-" for an unused one. sklearn: its name in scikit-learn. torch: its module in
    torch.nn, with the arguments that are settings. synonyms: other names for it. An empty cell holds a No: the reason.
    """

    kind: Kind
    name: str
    home: str
    kernel: str | No
    onnx: tuple[Operator, ...] | No
    sklearn: str | No
    torch: str | No
    synonyms: tuple[str, ...] = ()

    @property
    def maker(self) -> Any:
        """The class or function at `home`, imported now."""
        return object_at(self.home)


def _part(kind: Kind, name: str, cells: Mapping[str, Any]) -> Part:
    """The Part of this kind and name, from the cells of its row in parts.toml."""
    read = {key: No(cell[4:]) if str(cell).startswith("no: ") else cell for key, cell in cells.items()}
    if not isinstance(read["onnx"], No):
        read["onnx"] = tuple(Operator(*each) for each in read["onnx"])
    return Part(kind, name, **read | {"synonyms": tuple(read.get("synonyms", ()))})


_TABLES = read_tables("parts")
BASES: dict[Kind, str] = {kind: row["base"] for kind, row in _TABLES["kinds"].items()}  # the base class of its parts
PARTS: dict[Kind, dict[str, Part]] = {
    kind: {name: _part(kind, name, _TABLES["every"].get(kind, {}) | cells) for name, cells in rows.items()}
    for kind, rows in _TABLES["parts"].items()
}
ROWS = [row for table in PARTS.values() for row in table.values()]
_BY_HOME = {row.home: row for row in ROWS}


@cache
def object_at(home: str) -> Any:
    """The object at `home`, "module:name", whose module is imported."""
    module, _, name = home.partition(":")
    return attrgetter(name)(import_module(module))


def part_of(thing: Any) -> Part | None:
    """The row for the class of an object; None if that class is not deltarule's own, such as a user's subclass."""
    kind = type(thing)
    return _BY_HOME.get(f"{kind.__module__}:{kind.__qualname__}")


def make(kind: Kind, spec: Spec, **more: Any) -> Any:
    """The part that `spec` names, made with the settings in `spec` and those in `more`.

    Raises SettingError for an unknown name or setting (with the closest one), or a value that is not legal.
    """
    settings = {"name": spec} if isinstance(spec, str) else dict(spec)
    table = PARTS[kind]
    name: Any = settings.pop("name", None)
    if name is None and len(settings) == 1 and (meant := next(iter(settings))) in table:
        line = spec_text(f"{kind} {meant}", table[meant].maker, setting_names(table[meant].maker))
        raise SettingError(sentence("settings.no_name", kind=kind, given=spec, line=line))
    called = ((word, row) for row in table.values() for word in (*row.synonyms, row.home.split(":")[1].lower()))
    synonyms = {word: row.name for word, row in called}
    if isinstance(name, str) and name not in table and kind != "initializer":  # which has no settings
        _refuse_call(kind, name, {**synonyms, **{each: each for each in table}})
    check_choice(kind, name, tuple(table), synonyms)
    if kind == "initializer":  # a function, without settings
        return table[name].maker
    return with_settings(f"{kind} {name}", table[name].maker, settings, **more)


def _refuse_call(kind: Kind, text: str, names: Mapping[str, str]) -> None:
    """Raise SettingError for a part that is written as a call, "LeakyReLU(0.1)": the object's own, if it has one."""
    if len(text) > LONGEST_CALL:
        return
    try:
        call: Any = ast.parse(text, mode="eval").body
        name = names[ast.unparse(call.func).split(".")[-1].lower()]
        values = [ast.literal_eval(each) for each in call.args]
        settings = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AttributeError, KeyError):
        return
    thing = PARTS[kind][name].maker(*values, **settings)
    spec = json.dumps(spec_of(kind, thing))
    raise SettingError(sentence("settings.call", kind=kind, given=text, line=source_text(thing), spec=spec))


def with_settings(what: str, kind: type[T], settings: Mapping[str, Any], **more: Any) -> T:
    """kind(**settings, **more). SettingError if a setting is unknown or missing; what: the part in its message."""
    legal = [key for key in setting_names(kind) if key not in more]
    if unknown := [key for key in settings if key not in legal]:
        names = names_for(unknown[0])
        synonyms = {unknown[0].casefold(): key for key in names if key in legal}
        offer = closest(unknown[0], legal, synonyms) if legal else "it has none"
        others = [row for row in ROWS if row.kind == what.split()[0] in ("activation", "optimizer")]
        if not synonyms and (has_it := [row for row in others if unknown[0] in setting_names(row.maker)]):
            offer = f"use {spec_text(f'{has_it[0].kind} {has_it[0].name}', has_it[0].maker, [unknown[0]])}"
        is_rate = what.startswith("optimizer") and "learning_rate" in names
        offer += words()["rate_of_fit"].format(kind="Adam") if is_rate else ""
        raise SettingError(f"{what} has no setting {unknown[0]!r}: {offer}")
    if missing := [key for key in required_settings(kind) if key in legal and key not in settings]:
        got, works = dict(settings) or "no settings", spec_text(what, kind, missing)
        raise SettingError(f"{what} needs {' and '.join(missing)}, a number: got {got}; use {works}")
    return kind(**settings, **more)


def required_settings(kind: type[Any]) -> list[str]:
    """The settings of a class that have no default."""
    given = {each.name for each in fields(kind) if each.default is not MISSING}
    return [name for name in setting_names(kind) if name not in given]


def spec_text(what: str, kind: type[Any], keys: Iterable[str]) -> str:
    """A part's spec as text with a legal value for each setting in `keys`; what: "KIND NAME", or a kind alone."""
    written = {"name": what.split()[1]} if " " in what else {}
    return json.dumps(written | {key: _example(key, kind) for key in keys})


def _example(key: str, kind: type[Any]) -> Any:
    asked = setting(key, kind)
    return 1.0 if asked is None else asked.like(None)


def spec_of(kind: Kind, thing: Any) -> dict[str, Any]:
    """The spec with which `make` makes an equal part, {"name": ...} | settings. SettingError for a user's own class."""
    row = part_of(thing)
    if row is None or row.kind != kind:
        raise SettingError(f"only these {kind}s have a name: got {type(thing).__name__}. {closest('', PARTS[kind])}")
    return {"name": row.name} | {key: getattr(thing, key) for key in setting_names(type(thing))}


def resolve(kind: Kind, given: Any, name: str) -> Any:
    """The part that a user gave for the argument `name`: the object itself, or the one that a name or a spec describes.

    Raises SettingError for anything else, for example a class instead of an object.
    """
    if isinstance(given, str | Mapping):
        return make(kind, given)
    base, is_class, row = object_at(BASES[kind]), isinstance(given, type), part_of(given)
    other = "" if row is None or row.kind == kind else row.kind  # an activation can be called, but is not a schedule
    if isinstance(given, base) and not is_class and not other:
        if row is None and isinstance(base, type):
            check_methods(given, base)
        return given
    works = '"softmax"' if name == "output" else _TABLES["kinds"][kind]["example"]
    works += ', or "identity" for none' if name == "output" and given is None else ""
    word = getattr(given, "__name__", type(given).__name__).lower()  # of a function, a class, another object
    works = f'"{word}"' if word in PARTS[kind] else works
    if is_class and kind not in ("schedule", "initializer") and issubclass(given, base):
        works = f"{given.__name__}({', '.join(str(_example(each, given)) for each in required_settings(given))})"
    elif kind in ("penalty", "schedule") and isinstance(given, int | float) and not isinstance(given, bool):
        works = f"{works.partition('(')[0]}({given})"
    elif isinstance(given, list | tuple) and (fit := [each for each in given if isinstance(each, base)]):
        works = f"{fit[0]!r}, and an argument for each of the others, such as clip=1.0 or penalty=L2(0.0001)"
    elif kind == "initializer" and hasattr(given, "shape"):
        works = f'"he_normal", or, to compute it for an array, {name.split()[-1]}().value(z)'
    elif kind == "initializer" and isinstance(given, int | float):
        works += f", or for a slope LeakyReLU(slope={given})"
    elif callable(given) and not row and kind in ("activation", "loss", "optimizer") and not is_class:
        works += f", or an object of class Mine(dr.{base.__name__})"
    elif other:
        works += f", and {'learning_rate' if other == 'schedule' else other}={type(given).__name__}(...)"
    needed = f"{with_article(kind)}{'' if kind == 'schedule' else ' or its name'}"
    raise setting_error(name, needed, given, f"{name.split()[0]}={works}")


WORDS_FOR_TARGETS = [[each] for each in ("t", "y", "y_true", "true", "target", "targets", "label", "labels")]


def check_methods(thing: Any, base: type[Any]) -> None:
    """Raise SettingError if a method of a user's own class cannot take the arguments that the base's method takes."""
    if absent := [each.name for each in fields(base) if not hasattr(thing, each.name)] if is_dataclass(base) else []:
        raise SettingError(f"{type(thing).__name__} has no {absent[0]}: use super().__init__() first in its __init__")
    for name, method in vars(type(thing)).items():
        theirs = getattr(base, name, None) if isinstance(method, FunctionType) and not name.startswith("_") else None
        if callable(theirs):
            every = signature(theirs).parameters.values()
            takes = [each.name for each in every if each.kind is each.POSITIONAL_OR_KEYWORD]
            out = {"out": None} if "out" in takes else {}
            by_place = [each for each in takes if each != "out"]
            by_place += getattr(thing, "moments", ()) if name == "update" else ()
            if by_place[1:3] == ["a", "t"] and [*signature(method).parameters][1:2] in WORDS_FOR_TARGETS:
                raise SettingError(f"outputs come first, and targets second: use def {name}(self, a, t)")
            check_call(f"{name} of {type(thing).__name__}", method, by_place, f"def {name}", **out)


def check_assignment(network: Any, name: str, value: Any) -> Any:
    """`value`, checked and converted, for assignment to a network's attribute; SettingError if it cannot be assigned.

    Raises ShapeError if class_names or image_shape do not fit the number of outputs or inputs.
    """
    is_made = name in vars(network) or name != "layer_sizes"
    if is_made and (line := line_for("assigned", name)):
        raise SettingError(f"{name} of a network cannot be assigned: use {line}")
    is_ours = type(network).__module__.startswith("deltarule.") and "class_names" in vars(network)
    if is_ours and not (name in vars(network) or hasattr(type(network), name) or name.startswith("_")):
        offer = closest(name, [each for each in dir(network) if not each.startswith("_")])
        if offer.startswith("did you mean"):
            raise SettingError(f"a network has no {name!r} to assign: {offer.partition(' Known')[0]}")
    if name == "parameters" and (sizes := getattr(value, "layer_sizes", None)) != network.layer_sizes:
        needed, note = f"Parameters of {network.layer_sizes}", f" of {sizes}" if sizes else ""
        raise setting_error(name, needed, value, "network.parameters.vector[:] = vector", note)
    if name == "activations":
        n_layers = len(network.layer_sizes) - 1
        return Activations(one_per_layer(name, value, n_layers, partial(resolve, "activation")))
    if name == "dropout":
        return one_per_layer(name, value, len(network.layer_sizes) - 2)
    if name == "task" and value == "classes" and network.layer_sizes[-1] == 1:
        raise SettingError(sentence("network.classes_of_one"))
    if name == "image_shape" and value is not None and math.prod(value) != network.layer_sizes[0]:
        raise ShapeError(sentence("network.image_shape", shape=value, n_inputs=network.layer_sizes[0]))
    if name == "class_names":
        n_outputs = network.layer_sizes[-1]
        names = tuple(map(str, range(n_outputs)) if value is None else value)
        if len(names) != n_outputs:
            raise ShapeError(sentence("network.class_names", n_outputs=n_outputs, n_names=len(names)))
        return names
    return resolve("loss", value, "loss") if name == "loss" else value


@public()
class Views(tuple[Any, ...]):
    """Arrays that are parts of one vector: `weights[0] += W` changes it, but `weights[0] = W` raises SettingError."""

    def __setitem__(self, place: Any, given: Any) -> None:
        if given is not self[place]:
            at = place if isinstance(place, int) else 0
            raise SettingError(sentence("network.replaced", l=at, shape=self[at].shape))

    def __array__(self, *given: Any, **named: Any) -> NDArray[Any]:
        try:
            return np.array([*self], *given, **named)
        except ValueError as error:
            raise ShapeError(sentence("network.ragged", shapes=", ".join(str(each.shape) for each in self))) from error


def draw(initializer: Callable[..., Any], rng: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[Any]:
    """The array (fan_in, fan_out) that an initializer returns. SettingError if it has another shape."""
    needed = f"shape {(fan_in, fan_out)}"
    try:
        W: NDArray[Any] = initializer(rng, fan_in, fan_out)
        got = f"shape {np.shape(W)}"
    except TypeError as error:
        got = str(error)
    if got != needed:
        raise SettingError(sentence("settings.initializer", needed=needed, got=got, given=brief(initializer)))
    return W


def kernel_values(thing: Any) -> tuple[Any, ...] | None:
    """(code, *settings) for the C kernel of a part, with 0 for an unused setting; None if the part has no kernel."""
    row = part_of(thing)
    if row is None or isinstance(row.kernel, No):
        return None
    code, *settings = row.kernel.split()
    return object_at(code), *(0.0 if name == "-" else float(getattr(thing, name)) for name in settings)


def missing_kernels(*things: Any) -> list[str]:
    """For each of these objects without a C kernel, a sentence with its class and the reason."""
    rows = [(type(thing).__name__, part_of(thing)) for thing in things]
    reasons = [
        f"{name} is not deltarule's own" if row is None else f"{name} has no kernel ({row.kernel})"
        for name, row in rows
        if row is None or isinstance(row.kernel, No)
    ]
    return list(dict.fromkeys(reasons))
