"""What everything public answers to a wrong call or name: what was passed, what is needed, and a line that works."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partialmethod, wraps
from inspect import Parameter, Signature, signature
from numbers import Integral, Real
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

from deltarule.elsewhere import ACTS, ARGUMENTS, FOUND_AT, SYNONYMS, line_for
from deltarule.errors import DeltaruleError, SettingError, UnknownNameError, closest
from deltarule.settings import RATE_OF_FIT, RATES, SETTINGS, check_settings, setting, shown, with_article

T = TypeVar("T")
RAW = (TypeError, AttributeError, LookupError, ValueError)  # what Python raises where an argument is of a wrong kind
PLAIN: dict[str, Any] = {"text": str, "number": Real, "whole number": Integral, "path": (str, os.PathLike)}


def public(line: str = "", *, name: str = "", is_inner: bool = False) -> Callable[[T], T]:
    """Let a function or a class answer what does not fit with a SettingError, and not in Python's words.

    A function, a constructor and a method answer a call that does not fit, and an argument of a wrong kind. An object
    answers a name that it does not have, and what cannot be assigned.

    line: a call that works, for functions and constructors; of others it is made from what they need. name: what the
        function is called in public, where that is another name. is_inner: whether a training step calls its methods,
        which then stay as they are, `step` aside.
    """

    def decorate(thing: T) -> T:
        if not isinstance(thing, type):
            return _with_answers(thing, None, line, name)  # type: ignore[return-value,arg-type]
        own = f"{thing.__qualname__}."
        for each, method in list(vars(thing).items()):
            function = method.__func__ if isinstance(method, classmethod) else method
            is_public = each in ("__init__", "step") or not (is_inner or each.startswith("_"))
            if is_public and isinstance(function, FunctionType) and function.__qualname__.startswith(own):
                answers = _with_answers(function, thing, line if each == "__init__" else "", "")
                setattr(thing, each, classmethod(answers) if isinstance(method, classmethod) else answers)
        _answer_names(thing)
        return thing

    return decorate


@dataclass_transform(field_specifiers=(field,))
def part(**how: bool) -> Callable[[type[T]], type[T]]:
    """Make a class a dataclass that checks its settings, prints as it is written, and explains its wrong calls."""

    def decorate(kind: type[T]) -> type[T]:
        for name, does in (("__post_init__", check_settings), ("__repr__", as_written)):
            if getattr(kind, name, object.__repr__) is object.__repr__:
                setattr(kind, name, does)
        return public(is_inner=True)(dataclass(repr=False, **how)(kind))

    return decorate


def as_written(thing: Any) -> str:
    """A part as a program writes it: ReLU(), LeakyReLU(slope=0.1), Tanh(initializer=lecun_normal)."""
    given = ((each, getattr(thing, each.name)) for each in fields(thing) if each.init and each.repr)
    changed = ((each.name, getattr(value, "__name__", value)) for each, value in given if value != each.default)
    settings = ", ".join(f"{name}={value}" for name, value in changed)
    return f"{type(thing).__name__}({settings})"


def _with_answers(function: Callable[..., Any], owner: type[Any] | None, line: str, name: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except RAW as error:
            if not isinstance(error, DeltaruleError) or isinstance(error, UnknownNameError):
                Call(function, owner, line, name).explain(args, kwargs)
            raise

    return call


@dataclass
class Call:
    """A public function, or a method of `owner`, that was called in vain; line and name as for `public`."""

    function: Callable[..., Any]
    owner: type[Any] | None
    line: str
    name: str

    def explain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Raise SettingError where the arguments do not fit, in number, name or kind."""
        parameters = dict(signature(self.function).parameters)
        self.is_made = self.function.__name__ == "__init__"
        self.called = self.name or self.function.__name__
        self.parameters, self.is_of_class = parameters, "cls" in parameters
        if self.owner is not None:
            parameters.pop(next(iter(parameters)))
            if not self.is_of_class and not (args and isinstance(args[0], self.owner)):
                self._refuse_class(self.owner)
            self.owner, args = args[0] if self.is_of_class else type(args[0]), args[1:]
            self.called = self.owner.__name__ if self.is_made else self.called
        self._check_names(kwargs)
        self._check_number(args, kwargs)
        self._check_kinds(args, kwargs)

    @property
    def needed(self) -> list[str]:
        """The arguments that have no default."""
        optional = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        return [
            each.name for each in self.parameters.values() if each.default is each.empty and each.kind not in optional
        ]

    def works(self, *more: str) -> str:
        """A line that works: the one that was given, or one of what is needed, with `more` arguments."""
        if (line := self.line or self._argument(self.called)[1]) and not more and "(" in line:
            return line
        names = self.needed if self.needed or more else [each for each in self.parameters if self._setting(each)][:1]
        written = [self._written(each) for each in names if not any(each == item.split("=")[0] for item in more)]
        name = "" if self.owner is None else self.owner.__name__ if self.is_of_class else _name_of(self.owner)
        before = f"{name}." if name and not self.is_made else ""
        return f"{before}{self.called}({', '.join([*written, *more])})"

    def _setting(self, name: str) -> Any:
        return setting(name, self.owner if self.is_made and self.owner else self.called)

    def _written(self, name: str) -> str:
        asked = self._setting(name)
        example = self._argument(name)[1]
        return example if example or asked is None else f"{name}={asked.like(None)}"

    def _argument(self, name: str) -> tuple[str, str]:
        """The kind of an argument, and an example; its own name where nothing is known."""
        whose = self.owner.__name__ if self.owner else self.called
        kinds, _, example = ARGUMENTS.get(f"{whose}.{name}", ARGUMENTS.get(name, "")).partition(": ")
        return kinds, example or ("" if self._setting(name) else name)

    def _refuse_class(self, owner: type[Any]) -> NoReturn:
        """Raise SettingError for a method that was called on the class."""
        kind, line = owner.__name__, f"{_name_of(owner)} = dr.{owner.__name__}(...), and {self.works()}"
        raise SettingError(f"{self.called} is a method of {with_article(kind)}, not of the class: use {line}")

    def _check_names(self, kwargs: Mapping[str, Any]) -> None:
        if any(each.kind is each.VAR_KEYWORD for each in self.parameters.values()):
            return
        for wrong in (each for each in kwargs if each not in self.parameters):
            raise SettingError(f"{self.called} has no argument {wrong!r}: {self._offer(wrong)}")

    def _offer(self, wrong: str) -> str:
        """The argument that was meant, where it is found, or what to leave out; or the nearest."""
        word = wrong.casefold()
        names = _names_for(word)
        if own := [name for name in names if name in self.parameters]:
            meant = "learning_rate_init" if "learning_rate_init" in own else own[0]
            return closest(wrong, self.parameters, {word: meant})
        if self.owner is not None and not self.is_made:
            of_class = [each for each in signature(self.owner).parameters if each in (wrong, *names)]
            if of_class and self.owner.__name__ not in ("Network", "Model"):
                asked, made = setting(of_class[-1], self.owner), self.owner.__name__
                line = f"{made}(..., {of_class[-1]}={'...' if asked is None else asked.like(None)})"
                return f"it is an argument of {self.owner.__name__}; use {line}"
        has_settings = self.is_made or (self.called == "fit" and self.owner is None)
        for name in (wrong, *names) if has_settings else ():
            if name in FOUND_AT and name not in self.parameters:
                where, how = FOUND_AT[name]
                subject = "the learning rate" if name == "learning_rate" and wrong != name else "it"
                if self.owner and _name_of(self.owner) == "optimizer":
                    how = how.replace("X, y,", f"X, y, optimizer={self.called}(),")
                return f"{subject} is {where}; use {how}"
        offer = closest(wrong, self.parameters) if self.parameters else "it takes none"
        if (has_settings and self.parameters) or "did you mean" in offer:
            return offer
        return f"leave it out, as in {self.works()}"

    def _check_number(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        every = self.parameters.values()
        by_position = [each.name for each in every if each.kind is each.POSITIONAL_OR_KEYWORD]
        missing = [each for each in self.needed if each not in kwargs and each not in by_position[: len(args)]]
        if len(args) > len(by_position) and not any(each.kind is each.VAR_POSITIONAL for each in every):
            takes = f"{', '.join(by_position)} alone by position" if by_position else "its arguments by name"
            takes = takes if self.parameters else "no arguments"
            got = f"{len(args)}{'' if by_position else ' by position'}"
            is_optimizer = self.is_made and _name_of(self.owner) == "optimizer"
            more = RATE_OF_FIT if is_optimizer else ""
            raise SettingError(f"{self.called} takes {takes}: got {got}; use {self.works()}{more}")
        twice = [each for each in by_position[: len(args)] if each in kwargs]
        if twice:
            raise SettingError(f"{self.called} got {twice[0]} twice, by position and by name: use {self.works()}")
        if missing:
            raise SettingError(f"{self.called} needs {' and '.join(missing)}; use {self.works()}")

    def _check_kinds(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        given = dict(zip(self.parameters, args, strict=False)) | dict(kwargs)
        for name, value in given.items():
            kinds, example = self._argument(name)
            if kinds and value is not self.parameters[name].default and not is_a(value, kinds):
                needs = " or ".join(with_article(each.removeprefix("nd")) for each in kinds.split("|"))
                instead = made_of(value, kinds) or example
                by_name = self.parameters[name].default is not Parameter.empty
                line = self.works(f"{name}={instead}") if by_name else self.works().replace(example, instead, 1)
                raise SettingError(f"{self.called} takes {name}, {needs}: got {shown(value)}; use {line}")


def is_a(value: Any, kinds: str) -> bool:
    """Whether a value is of one of these kinds, "Network|Model": names of classes, or of PLAIN."""
    names = [each.__name__ for each in type(value).__mro__]
    return any(kind in names or isinstance(value, PLAIN.get(kind, ())) for kind in kinds.split("|"))


def made_of(value: Any, kinds: str) -> str:
    """What makes one of these kinds of what was given, in its place; "" where nothing does."""
    whole = f'dr.load("{value}")' if isinstance(value, str | os.PathLike) else ""
    names = [each.__name__ for each in type(value).__mro__]
    whole = "estimator.model_" if "Perceptron" in names else whole
    ways = {"Model": whole, "Network": f"{whole}.network" if whole else ""}
    if "Model" in names or "Trainer" in names:
        ways["Network"] = f"{names[0].lower()}.network"
    if "Splits" in names:
        ways["Dataset"] = "splits.train"
    return next((ways[kind] for kind in reversed(kinds.split("|")) if ways.get(kind)), "")


def check_network(given: Any, line: str, kinds: str = "Network|Model") -> None:
    """Raise SettingError unless a network was given; line: the call that was meant, with `network` in it."""
    if not is_a(given, kinds):
        cure = re.sub(r"\bnetwork\b(?![=.])", made_of(given, kinds) or "network", line, count=1)
        raise SettingError(f"a Network comes first: got {shown(given)}; use {cure}")


def _name_of(kind: type[Any] | None) -> str:
    """What a variable that holds one is called in lines: network, model, data, optimizer."""
    names = [each.__name__ for each in kind.__mro__] if kind else []
    usual = {"Dataset": "data", "MLPClassifier": "estimator", "MLPRegressor": "estimator"}
    bases = ("Activation", "Loss", "Optimizer", "Penalty", "Callback")
    whose = next((each for each in bases if each in names), names[0] if names else "")
    return usual.get(whose, whose.lower())


def _names_for(word: str) -> list[str]:
    """The settings and arguments that another library calls by that word."""
    found = [key.rpartition(".")[2] for key, each in SETTINGS.items() if word in each.synonyms]
    return [*found, *SYNONYMS.get(word, "").split()]


def line_of(kind: type[Any], name: str) -> str | None:
    """The line that does what `name` does elsewhere, for objects of a class; None where there is none."""
    return next((line for each in kind.__mro__ if (line := line_for(each.__name__, name))), None)


def no_attribute(whose: str | type[Any], name: str, known: Iterable[str], begins: str) -> UnknownNameError:
    """The error for a name that does not exist: with the line that does it here, or the closest names."""
    line = line_for(whose, name) if isinstance(whose, str) else line_of(whose, name)
    near, _, names = closest(name, [each for each in known if not each.startswith("_")]).partition("Known: ")
    offer = f"use {line}" if line else near.strip() or f"Known: {names}"
    return UnknownNameError(f"{begins} has no attribute {name!r}: {offer}")


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
            raise no_attribute(cls, name, dir(cls), f"the class {cls.__name__}")


def refuse(thing: Any, says: str, *arguments: Any) -> NoReturn:
    """Raise SettingError, as the method of a class that has no such method."""
    raise SettingError(says.format(type(thing).__name__))


def _missing(thing: Any, name: str) -> Any:
    """A name that an object does not have."""
    kind = type(thing)
    if hasattr(kind, name) or name.startswith("_"):
        return object.__getattribute__(thing, name)  # which says what is wrong with it
    raise no_attribute(kind, name, dir(thing), f"{kind.__name__!r} object")


def _refuse_change(thing: Any, name: str, value: Any) -> None:
    """Assign an attribute of a frozen class, which objects of derived classes may have."""
    kind = type(thing)
    if name in kind.__dataclass_fields__ or kind.__module__.startswith("deltarule."):
        line = f"{kind.__name__}(..., {name}={shown(value)})"
        raise SettingError(f"{with_article(kind.__name__)} cannot be changed: got a new {name}; make another, {line}")
    object.__setattr__(thing, name, value)


def _refuse_rate(thing: Any, name: str, value: Any) -> None:
    """Assign an attribute of what has no learning rate, or has it by another name."""
    if name in RATES and name not in type(thing).__dataclass_fields__:
        line = line_of(type(thing), "lr")
        raise SettingError(f"{with_article(type(thing).__name__)} has no {name!r} to assign: use {line}")
    object.__setattr__(thing, name, value)


def _answer_names(kind: type[Any]) -> None:
    """Let objects of a class answer names, calls and indices that they do not have with what to use instead."""
    for act, (method, does) in ACTS.items():
        if not any(method in vars(each) for each in kind.__mro__) and (line := line_for(kind.__name__, act)):
            setattr(kind, method, partialmethod(refuse, f"{{!r}} object {does}: use {line}"))
            if act == "len":
                kind.__bool__ = lambda thing: True
    kind.__getattr__ = _missing
    fields_of = getattr(kind, "__dataclass_fields__", {})
    if fields_of and kind.__dataclass_params__.frozen:
        kind.__setattr__ = _refuse_change  # type: ignore[assignment]
    elif fields_of and "learning_rate" not in fields_of and line_of(kind, "lr"):
        kind.__setattr__ = _refuse_rate  # type: ignore[assignment]


@public()
class Views(tuple[Any, ...]):
    """Arrays that are parts of one vector: `weights[0] += W` changes it, another array would not."""

    def __setitem__(self, place: Any, given: Any) -> None:
        if given is not self[place]:
            l = place if isinstance(place, int) else 0
            lines = f"network.weights[{l}][:] = W, or network.biases[{l}][:] = b"
            raise SettingError(f"an array of a network cannot be replaced, only its numbers: use {lines}")
