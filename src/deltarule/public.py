"""What everything public answers to a wrong call or name: what was passed, what is needed, and a line that works.

The words are in elsewhere.toml.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial, wraps
from importlib.util import find_spec
from inspect import Parameter, Signature, signature
from numbers import Integral, Real
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from deltarule.errors import (
    DeltaruleError,
    MissingNameError,
    SettingError,
    ShapeError,
    UnknownNameError,
    closest,
    read_tables,
)
from deltarule.settings import brief, check, check_settings, setting, setting_names, source_text, with_article

T = TypeVar("T")
RAW = (TypeError, AttributeError, LookupError, ValueError)  # what Python raises where an argument is of a wrong kind
PLAIN: dict[str, Any] = {"text": str, "number": Real, "whole number": Integral, "path": (str, os.PathLike)}
PLAIN["function"] = Callable
ACTS: dict[str, list[str]] = read_tables("elsewhere")["acts"]  # by sign: the method, and what the class does not do
OUTER = {"__init__", "__call__", "step", "fit", "score", "value", "derivative", "forward", "predict", "outputs"}
OUTER |= {"probabilities", "astype", "workspace", "backward", "gradient", "sample_losses", "sample_gradients"}
SHOWN = ("loss", "activation")  # whose methods take arrays that a program makes
VARIABLES = {"Dataset": "data", "Perceptron": "estimator"}  # what holds an object in lines, where not its class's name


def public(line: str = "", *, is_inner: bool = False) -> Callable[[T], T]:
    """Let a function or a class answer what does not fit with a SettingError, and not in Python's words.

    That is a call that does not fit, an argument of a wrong kind, a missing attribute, an assignment in vain.

    line: a call that works, for functions and constructors; of others it is made from what they need. is_inner: whether
        a training step calls its methods, which then stay as they are, those in OUTER aside.
    """

    def decorate(thing: T) -> T:
        if not isinstance(thing, type):
            return _with_answers(thing, None, line)  # type: ignore[return-value,arg-type]
        borrowed = {"score": getattr(thing, "score", None)}  # scikit-learn's, where the thing is an estimator
        for name, method in list((borrowed | vars(thing)).items()):
            function = method.__func__ if isinstance(method, classmethod) else method
            is_public = name in OUTER or not (is_inner or name.startswith("_"))
            is_own = name in borrowed or getattr(function, "__qualname__", "").startswith(f"{thing.__qualname__}.")
            if is_public and is_own and isinstance(function, FunctionType):
                answers = _with_answers(function, thing, line if name == "__init__" else "")
                setattr(thing, name, classmethod(answers) if isinstance(method, classmethod) else answers)
        _answer_names(thing)
        return thing

    return decorate


@dataclass_transform(field_specifiers=(field,))
def part(**how: bool) -> Callable[[type[T]], type[T]]:
    """Make a class a dataclass that checks its settings, prints as it is written, and explains its wrong calls."""

    def decorate(kind: type[T]) -> type[T]:
        for name, does in (("__post_init__", check_settings), ("__repr__", source_text)):
            if getattr(kind, name, object.__repr__) is object.__repr__:
                setattr(kind, name, does)
        return public(is_inner=True)(dataclass(repr=False, **how)(kind))

    return decorate


def _with_answers(function: Callable[..., Any], owner: type[Any] | None, line: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except RAW as error:
            if not isinstance(error, DeltaruleError) or isinstance(error, UnknownNameError):
                Call(function, owner, line).explain(args, kwargs, error)
            raise

    return call


class Call:
    """A public function, or a method of `owner`, that was called in vain; line: as for `public`."""

    def __init__(self, function: Callable[..., Any], owner: type[Any] | None, line: str) -> None:
        self.parameters, self.owner, self.line = dict(signature(function).parameters), owner, line
        self.is_of_class, self.is_made = "cls" in self.parameters, function.__name__ == "__init__"
        self.called = function.__name__

    def explain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: Exception) -> None:
        """Raise SettingError where the arguments do not fit, in number, name or kind; ShapeError where in shape."""
        if self.owner is not None:
            self.parameters.pop(next(iter(self.parameters)))
            if not self.is_of_class and not (args and isinstance(args[0], self.owner)):
                kind = self.owner.__name__
                line = f"{variable_of(self.owner)} = dr.{kind}(...), and {self.works()}"
                raise SettingError(f"{self.called} is a method of {with_article(kind)}, not of the class: use {line}")
            self.owner, args = args[0] if self.is_of_class else type(args[0]), args[1:]
            self.called = self.owner.__name__ if self.is_made else self.called
        if not any(each.kind is each.VAR_KEYWORD for each in self.parameters.values()):
            unknown, answered = [each for each in kwargs if each not in self.parameters], words()["instead"]
            for wrong in sorted(unknown, key=lambda each: f"{self.called}.{each}" not in answered):
                raise SettingError(f"{self.called} has no argument {wrong!r}: {self._offer(wrong, kwargs)}")
        self._check_number(args, kwargs)
        given = dict(zip(self.parameters, args, strict=False)) | dict(kwargs)
        self._check_kinds(given)
        shapes = [f"{name} of shape {each.shape}" for name, each in given.items() if hasattr(each, "shape")]
        if len(shapes) > 1 and variable_of(self.owner) in SHOWN and self.owner.__module__.startswith("deltarule."):
            says = f"{self.called} cannot take {' and '.join(shapes)}: {error}"
            raise ShapeError(f"{says}; use {self.works()}") from error

    @property
    def required(self) -> list[str]:
        """The arguments that have no default."""
        every = self.parameters.values()
        return [each.name for each in every if each.default is each.empty and each.kind is not each.VAR_KEYWORD]

    def works(self, more: str = "") -> str:
        """A line that works: the one that was given, or one of what is needed, with one argument `more`."""
        if (line := self.line or self._argument(self.called)[1]) and not more and "(" in line:
            return line
        names = [name for name in self.required if name != more.partition("=")[0]]
        if not self.required and not more:
            names = [name for name in self.parameters if self._setting(name)][:1]
        written = [self._argument(name)[1] or f"{name}={self._setting(name).like(None)}" for name in names]
        written += [more] if more else []
        thing = "" if self.owner is None else self.owner.__name__ if self.is_of_class else variable_of(self.owner)
        return f"{f'{thing}.' if thing and not self.is_made else ''}{self.called}({', '.join(written)})"

    def _setting(self, name: str) -> Any:
        return setting(name, self.owner if self.is_made and self.owner else self.called)

    def _argument(self, name: str) -> tuple[str, str]:
        """The kind of an argument, and an example; its own name where nothing is known."""
        rows, owners = words()["arguments"], self.owner.__mro__ if self.owner else ()
        keys = (*(f"{each.__name__}.{name}" for each in owners), f"{self.called}.{name}", name)
        kinds, _, example = next((rows[key] for key in keys if key in rows), "").partition(": ")
        return kinds, example or ("" if self._setting(name) else name)

    def _offer(self, wrong: str, given: Mapping[str, Any]) -> str:
        """The argument that was meant, where it is found, or what to leave out; or the nearest."""
        names, owner = names_for(wrong), self.owner
        if line := words()["instead"].get(f"{self.called}.{wrong}"):
            return f"use {line.format_map({'lr': 0.1, **given, 'value': brief(given[wrong])})}"
        if own := [name for name in names if name in self.parameters]:
            meant = "learning_rate_init" if "learning_rate_init" in own else own[0]
            if meant in self.required:
                return f"did you mean {meant!r}? Use {self.works()}"
            return closest(wrong, self.parameters, {wrong.casefold(): meant})
        if owner is not None and not self.is_made and owner.__name__ not in ("Network", "Model"):
            for name in (each for each in signature(owner).parameters if each in (wrong, *names)):
                value = "..." if (asked := setting(name, owner)) is None else asked.like(None)
                return f"it is an argument of {owner.__name__}; use {owner.__name__}(..., {name}={value})"
        has_settings = variable_of(owner) != "estimator" if self.is_made else self.called == "fit" and owner is None
        found_at = words()["found_at"] if has_settings else {}
        if name := next((each for each in (wrong, *names) if each in found_at and each not in self.parameters), ""):
            where, how = found_at[name]
            subject = "the learning rate" if name == "learning_rate" and wrong != name else "it"
            if name == "learning_rate" and type(given[wrong]) is float:
                how = how.replace("0.01", f"{given[wrong]}")
            if variable_of(owner) == "optimizer":
                how = how.replace("X, y,", f"X, y, optimizer={self.called}(),")
            return f"{subject} is {where}; use {how}"
        offer = closest(wrong, self.parameters) if self.parameters else ""
        is_near = (has_settings and offer) or "did you mean" in offer
        return offer if is_near else f"leave it out, as in {self.works()}"

    def _check_number(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        every, called = self.parameters.values(), self.called
        by_position = [each.name for each in every if each.kind is each.POSITIONAL_OR_KEYWORD]
        if len(args) > len(by_position):
            takes = "its arguments by name" if every else "no arguments"
            takes, how = (f"{', '.join(by_position)} alone by position", "") if by_position else (takes, " by position")
            more = words()["rate_of_fit"] if self.is_made and variable_of(self.owner) == "optimizer" else ""
            raise SettingError(
                f"{called} takes {takes}: got {len(args)}{how}; use {self.works()}{more.format(kind=called)}"
            )
        given = by_position[: len(args)]
        if twice := [each for each in given if each in kwargs]:
            raise SettingError(f"{called} got {twice[0]} twice, by position and by name: use {self.works()}")
        if missing := [each for each in self.required if each not in (*kwargs, *given)]:
            line = self.works()
            if any(is_a(each, "Dataset") for each in args):
                line = line.replace("X, y", "data.inputs, data.targets")
            raise SettingError(f"{called} needs {' and '.join(missing)}; use {line}")

    def _check_kinds(self, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            kinds, example = self._argument(name)
            default = self.parameters[name].default if name in self.parameters else value
            if kinds and value is not default and not is_a(value, kinds):
                needs = " or ".join(with_article(each.removeprefix("nd")) for each in kinds.split("|"))
                instead = substitute_for(value, kinds) or example
                is_needed = default is Parameter.empty
                line = self.works().replace(example, instead, 1) if is_needed else self.works(f"{name}={instead}")
                raise SettingError(f"{self.called} takes {name}, {needs}: got {brief(value)}; use {line}")


def is_a(value: Any, kinds: str) -> bool:
    """Whether a value is of one of these kinds, "Network|Model": names of classes, or of PLAIN."""
    names = [each.__name__ for each in type(value).__mro__]
    return any(kind in names or isinstance(value, PLAIN.get(kind, ())) for kind in kinds.split("|"))


def substitute_for(value: Any, kinds: str) -> str:
    """What makes one of these kinds of what was given, in its place; "" where nothing does."""
    fitted = "estimator" if hasattr(value, "model_") else "estimator.fit(X, y)"
    model = f'dr.load("{value}")' if is_a(value, "path") else f"{fitted}.model_" if is_a(value, "Perceptron") else ""
    if "Model" in kinds:
        return model
    if "Dataset" in kinds:
        return "splits.train" if is_a(value, "Splits") else ""
    is_near = "Network" in kinds and (model or is_a(value, "Model|Trainer"))
    return f"{model or type(value).__name__.lower()}.network" if is_near else ""


def check_network(given: Any, line: str, kinds: str = "Network|Model") -> None:
    """Raise SettingError unless a network was given; line: the call that was meant, with `network` in it."""
    if not is_a(given, kinds):
        if is_a(given, "Perceptron") and line.startswith("dr.fit("):
            raise SettingError(f"a Network comes first: got {brief(given)}; use estimator.fit(X, y)")
        cure = re.sub(r"\bnetwork\b(?![=.])", substitute_for(given, kinds) or "network", line, count=1)
        raise SettingError(f"a Network comes first: got {brief(given)}; use {cure}")


@cache
def words() -> dict[str, Any]:
    """elsewhere.toml, with its names by themselves."""
    tables = read_tables("elsewhere")
    rows = ((whose, row) for whose, table in tables["names"].items() for row in table.items())
    return tables | {"names": {(whose, name): line for whose, (called, line) in rows for name in called.split()}}


def names_for(word: str) -> list[str]:
    """The settings and arguments that another library calls by that word."""
    return [name for name, called in words()["synonyms"].items() if word.casefold() in called.split()]


def line_for(whose: str | type[Any], name: str) -> str | None:
    """The line that does what `name` does elsewhere, for objects of a class; None where there is none."""
    owners = [whose] if isinstance(whose, str) else [each.__name__ for each in whose.__mro__]
    owners += ["Network"] if {"Model", "deltarule"} & {*owners} else []
    line = next((words()["names"][owner, name] for owner in owners if (owner, name) in words()["names"]), None)
    it, net = ("model", "model.network") if "Model" in owners else ("network", "network")
    return line and line.format(it=it, net=net)


def variable_of(kind: type[Any] | None) -> str:
    """What a variable that holds an object of a class is called in lines: network, model, data, optimizer."""
    names = [each.__name__ for each in kind.__mro__] if kind else [""]
    bases = ("Perceptron", "Activation", "Loss", "Optimizer", "Penalty", "Callback")
    whose = next((each for each in bases if each in names), names[0])
    return VARIABLES.get(whose, whose.lower())


def no_attribute(whose: str | type[Any], name: str, thing: Any, begins: str) -> UnknownNameError:
    """The error for a name that `thing` does not have: with the line that does it here, or the closest names."""
    return UnknownNameError(partial(_offer_name, whose, name, thing, begins))


def _offer_name(whose: str | type[Any], name: str, thing: Any, begins: str) -> str:
    line = line_for(whose, name)
    near, _, names = closest(name, [each for each in dir(thing) if not each.startswith("_")]).partition("Known: ")
    offer = f"use {line}" if line else near.strip() or f"Known: {names}"
    return f"{begins} has no attribute {name!r}: {offer}"


class Named(type):
    """A class that answers a name that it does not have, as its objects do.

    help() shows how it is made and its methods, as for an Enum; attributes are in the docstring, computed or not.
    """

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_") and callable(getattr(cls, name))]

    @property
    def __signature__(cls) -> Signature:
        """How a thing is made, without the types, which the docstring says in words."""
        _, *parameters = signature(cls.__init__).parameters.values()  # type: ignore[misc]
        return Signature([each.replace(annotation=each.empty) for each in parameters])

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
            raise no_attribute(cls, name, cls, f"the class {cls.__name__}")


def _answer_names(kind: type[Any]) -> None:
    """Let objects of a class answer names, acts and assignments that they do not have with what to use instead."""
    for act, (methods, _) in ACTS.items():
        for method in methods.split() if line_for(kind, act) else ():
            if method not in vars(kind):
                own = next((vars(each)[method] for each in kind.__mro__ if method in vars(each)), None)
                setattr(kind, method, _act_in_vain(act, None if act == "*" else own))
    if line_for(kind, "len"):
        kind.__bool__ = lambda thing: True
    kind.__getattr__ = _refuse_name
    is_frozen = "__dataclass_params__" in vars(kind) and kind.__dataclass_params__.frozen
    if is_frozen or not ("__setattr__" in vars(kind) or issubclass(kind, tuple) or variable_of(kind) == "estimator"):
        kind.__setattr__ = _assign  # type: ignore[assignment]


def _act_in_vain(act: str, own: Callable[..., Any] | None) -> Callable[..., Any]:
    """A method that says what to use instead of an act; own: that of a base, which is asked first."""

    def refuse(thing: Any, *given: Any) -> Any:
        try:  # a step of training asks this way for its weights
            if own and (found := own(thing, *given)) is not NotImplemented:
                return found
        except (LookupError, TypeError):
            pass
        says = f"{type(thing).__name__!r} object {ACTS[act][1]}:"
        if own and act == "[]":
            says = f"the places are 0 to {len(thing) - 1}: got {brief(given[0])};"
        raise SettingError(f"{says} use {line_for(type(thing), act)}")

    return refuse


def _refuse_name(thing: Any, name: str) -> Any:
    kind = type(thing)
    if hasattr(kind, name) or name.startswith("_"):
        return object.__getattribute__(thing, name)  # which says what is wrong with it
    raise no_attribute(kind, name, thing, f"{kind.__name__!r} object")


def _assign(thing: Any, name: str, value: Any) -> None:
    """Assign an attribute. SettingError where a program does so in vain, or where the class is frozen."""
    kind, is_ours = type(thing), type(thing).__module__.startswith("deltarule.")
    if not sys._getframe(1).f_globals.get("__name__", "").startswith("deltarule."):
        known, called = getattr(kind, "__dataclass_fields__", {}), with_article(kind.__name__)
        if known and kind.__dataclass_params__.frozen and (name in known or is_ours):
            begins = f"{called} cannot be changed: got {brief(value)} for {name}"
            raise SettingError(f"{begins}; use dataclasses.replace({variable_of(kind)}, {name}=...)")
        if line := is_ours and line_for(f"{kind.__name__} assigned", name):
            raise SettingError(f"{name} of {called} cannot be assigned: use {line}")
        if is_ours and not hasattr(thing, name):
            raise no_attribute(kind, name, thing, f"{kind.__name__!r} object")
        is_default = value is None and getattr(kind, name, "") is None
        if not is_default and name in vars(thing) and (name in setting_names(kind) if known else setting(name, kind)):
            check(name, value)
    object.__setattr__(thing, name, value)


def unknown_name(module: str, name: str) -> DeltaruleError:
    """The error for a name that a module does not have: of `from module import name`, an ImportError."""
    begins, whole = f"module {module!r}", sys.modules["deltarule"]
    says = f"{begins} has no attribute {name!r}: use dr.{name}"
    says = says if name in whole.__all__ else _offer_name("deltarule", name, whole, begins)
    asks = sys._getframe(2).f_code.co_name  # Python's own function, which asks hasattr before it looks for a module
    is_import = asks == "_handle_fromlist" and find_spec(f"{module}.{name}") is None
    return MissingNameError(says) if is_import else UnknownNameError(says)


@public()
class Activations(tuple[Any, ...]):
    """The activation of each layer, as the network was made with them."""


@public()
class Views(tuple[Any, ...]):
    """Arrays that are parts of one vector: `weights[0] += W` changes it, another array would not."""

    def __setitem__(self, place: Any, given: Any) -> None:
        if given is not self[place]:
            l = place if isinstance(place, int) else 0
            lines = f"network.weights[{l}][:] = W, or network.biases[{l}][:] = b"
            raise SettingError(f"an array of a network cannot be replaced, only its numbers: use {lines}")
