"""Makes public functions and classes explain a wrong call or name: what was passed, what is needed, a line that works.

The lines and names in these messages come from elsewhere.toml.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cache, partial, wraps
from importlib import import_module
from inspect import Parameter, Signature, signature
from itertools import chain
from math import prod
from opcode import opname
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, dataclass_transform
from warnings import warn

from deltarule.elsewhere import is_a, line_for, names_for, no_attribute, substitute_for, variable_of, words
from deltarule.errors import DataError, DeltaruleError, SettingError, ShapeError, UnknownNameError, closest, sentence
from deltarule.settings import (
    brief,
    check,
    check_flag,
    check_settings,
    setting,
    setting_names,
    source_text,
    with_article,
)

T = TypeVar("T")
RAW = (TypeError, AttributeError, LookupError, ValueError)  # what Python raises for an argument of the wrong kind
FLAGS = ("<class 'bool'>", "bool", "bool | None")  # the annotations of arguments that are True or False
ACTS: dict[str, list[str]] = words()["acts"]  # {sign: [Python's methods, words for the error]}
OUTER = {"__init__", "__call__", "step", "fit", "score", "value", "derivative", "forward", "predict", "outputs"}
OUTER |= {"probabilities", "astype", "workspace", "backward", "gradient", "sample_losses", "sample_gradients"}


def public(line: str = "", *, is_inner: bool = False) -> Callable[[T], T]:
    """Make a function or a class explain its misuse with a SettingError instead of Python's own error.

    Misuse is a call that does not fit, an argument of the wrong kind, a missing attribute, a useless assignment.

    line: a call that works, for messages; if empty, a call with the required arguments is shown. is_inner: a training
        step calls the methods of this class, so only those in OUTER are wrapped.
    """

    def decorate(thing: T) -> T:
        if not isinstance(thing, type):
            return _with_answers(thing, None, line)  # type: ignore[return-value,arg-type]
        borrowed = {"score": getattr(thing, "score", None)}  # scikit-learn's, for an estimator
        members: dict[str, Any] = borrowed | dict(vars(thing))
        for name, method in members.items():
            function = method.__func__ if isinstance(method, classmethod) else method
            if hasattr(method, "fn"):  # scikit-learn's, for methods that exist only with some settings
                method.fn = _with_answers(method.fn, thing, "")
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
    """Make a class a dataclass that checks its settings, prints as the code that makes it, and explains wrong calls."""

    def decorate(kind: type[T]) -> type[T]:
        for name, does in (("__post_init__", check_settings), ("__repr__", source_text)):
            if getattr(kind, name, object.__repr__) is object.__repr__:
                setattr(kind, name, does)
        return public(is_inner=True)(dataclass(repr=False, **how)(kind))

    return decorate


def former_name(name: str, goes_in: str) -> property:
    """A property that returns the attribute `name`, and warns that this former name goes in version `goes_in`."""

    def get(thing: Any) -> Any:
        warn(f"this former name goes in deltarule {goes_in}: use .{name}", DeprecationWarning, stacklevel=2)
        return getattr(thing, name)

    return property(get)


def former_part(name: str, instead: str, goes_in: str) -> Any:
    """The part that a former public name stands for, with a warning of what `fit` takes `instead` of it."""
    warn(f"dr.{name} goes in deltarule {goes_in}: use {instead} in fit or Trainer", DeprecationWarning, stacklevel=3)
    return getattr(import_module("deltarule.training.clip_and_average"), name)


def _with_answers(function: Callable[..., Any], owner: type[Any] | None, line: str) -> Callable[..., Any]:
    kinds = {} if variable_of(owner) == "estimator" else function.__annotations__  # scikit-learn looks at these in fit
    flags = [name for name, kind in kinds.items() if str(kind) in FLAGS and name != "return"]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in flags if kwargs else ():
            check_flag(name, kwargs.get(name))
        try:
            answer = function(*args, **kwargs)
        except RAW as error:
            is_raw = not isinstance(error, DeltaruleError) or isinstance(error, UnknownNameError)
            if is_raw and not comes_from_program(error):
                Call(function, owner, line).explain(args, kwargs, error)
            raise
        if function.__name__ == "__init__" and type(args[0]).__setattr__ is _assign:  # type: ignore[comparison-overlap]
            vars(args[0])["_is_made"] = True  # from now on assignments come from programs, not from the constructor
        return answer

    return call


def comes_from_program(error: BaseException) -> bool:
    """Whether an error was raised in code that is neither deltarule's nor a library's, such as a user's callback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return name == "__main__" or bool(
        trace
        and "site-packages" not in trace.tb_frame.f_code.co_filename
        and name.partition(".")[0] not in sys.stdlib_module_names | {"deltarule"}
    )


class Call:
    """A failed call of a public function or of a method of `owner`, to be explained; line: as for `public`."""

    def __init__(self, function: Callable[..., Any], owner: type[Any] | None, line: str) -> None:
        self.parameters, self.owner, self.line = dict(signature(function).parameters), owner, line
        self.placed: dict[str, Any] = {}  # the positional arguments, by name
        self.is_of_class, self.is_made = "cls" in self.parameters, function.__name__ == "__init__"
        self.called = function.__name__

    def explain(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], error: Exception) -> None:
        """Raise SettingError, DataError or ShapeError if the arguments explain why the call failed with `error`."""
        if self.owner is not None:
            self.parameters.pop(next(iter(self.parameters)))
            if not self.is_of_class and not (args and isinstance(args[0], self.owner)):
                kind = words()["makers"].get(self.owner.__name__, self.owner.__name__)
                line = f"{variable_of(self.owner)} = dr.{kind}(...), and {self.works()}"
                raise SettingError(f"{self.called} is a method of {with_article(kind)}, not of the class: use {line}")
            self.owner, args = args[0] if self.is_of_class else type(args[0]), args[1:]
            if self.is_made and not self.owner.__module__.startswith("deltarule."):
                self.line = f"super().__init__({self.line.partition('(')[2]}" if self.line.endswith(")") else self.line
            self.called = self.owner.__name__ if self.is_made else self.called
        own = [each.name for each in self.parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
        self.by_position, self.placed = own, dict(zip(own, args, strict=False))
        if not any(each.kind is each.VAR_KEYWORD for each in self.parameters.values()):
            unknown, rows = [each for each in kwargs if each not in self.parameters], words()["instead"]
            self.answered = {} if variable_of(self.owner) == "estimator" and not self.is_made else rows
            for wrong in sorted(unknown, key=lambda each: f"{self.called}.{each}" not in self.answered):
                raise SettingError(f"{self.called} has no argument {wrong!r}: {self._offer(wrong, kwargs)}")
        self._check_number(args, kwargs)
        given = self.placed | dict(kwargs)
        self._check_kinds(given)
        shapes = [f"{name} of shape {each.shape}" for name, each in given.items() if hasattr(each, "shape")]
        is_ours = self.owner is not None and self.owner.__module__.startswith("deltarule.")
        of_shapes = len(shapes) > 1 and is_ours and variable_of(self.owner) in ("loss", "activation")
        says = str(error)
        if cure := next((line for part, line in words()["cures"].items() if part in says), ""):
            raise DataError(f"{says.rstrip('.')}; {cure}") from error
        if of_shapes or (type(error) is ValueError and is_a(given.get("ws"), "Workspace")):  # for another batch
            why = error if of_shapes else sentence("network.other_batch", ws=given["ws"])
            says = f"{self.called} cannot take {' and '.join(shapes)}: {why}"
            raise ShapeError(f"{says}; use {self.works()}") from error

    @property
    def required(self) -> list[str]:
        """The arguments that have no default."""
        every = self.parameters.values()
        return [each.name for each in every if each.default is each.empty and each.kind is not each.VAR_KEYWORD]

    def works(self, **more: Any) -> str:
        """The text of a call that works: the declared `line`, or one with the required arguments and `more`."""
        if (line := self.line or self._argument(self.called)[1]) and not more and "(" in line:
            return line
        taken = {name: value for name, value in self.placed.items() if more and name not in more}
        names = [name for name in self.required if name not in taken | more]
        if not self.required and not more:
            names = [name for name in self.parameters if self._setting(name)][:1]
        lead = "{}=" if more and self.by_position[:1] in [[name] for name in more] else ""  # then none is positional
        examples = [(name, str(self._like(name, value))) for name, value in taken.items()]
        examples += [(name, self._argument(name)[1] or f"{name}={self._setting(name).like(None)}") for name in names]
        written = [each if each.startswith(f"{name}=") else lead.format(name) + each for name, each in examples]
        written += [f"{name}={str(value).removeprefix(f'{name}=')}" for name, value in more.items()]
        thing = "" if self.owner is None else self.owner.__name__ if self.is_of_class else variable_of(self.owner)
        return f"{f'{thing}.' if thing and not self.is_made else ''}{self.called}({', '.join(written)})"

    def _setting(self, name: str) -> Any:
        return setting(name, self.owner if self.is_made and self.owner else self.called)

    def _own_name(self, word: str) -> str:
        """The argument of this call with that name, here or in other libraries; "" if there is none."""
        return next((name for name in (word, *names_for(word)) if name in self.parameters), "")

    def _like(self, name: str, value: Any) -> Any:
        """What to write for an argument in a line: the given value if it is legal, else a legal one or an example."""
        if type(value).__repr__ is source_text:  # type: ignore[comparison-overlap]
            return repr(value)
        asked, shown = setting(name, self.owner or self.called), brief(value)
        if asked and not isinstance(value, str | list | tuple):
            return asked.like(value)
        is_plain = isinstance(value, str | bool | list | tuple) and not shown.startswith(("a ", "[<"))
        example = self._argument(name)[1]
        return shown if is_plain or (example == name and is_a(value, "number")) else example or "..."

    def _argument(self, name: str) -> tuple[str, str]:
        """(kinds, example) of an argument in elsewhere.toml; if it is not listed there, its name is the example."""
        rows, owners = words()["arguments"], self.owner.__mro__ if self.owner else ()
        keys = (*(f"{each.__name__}.{name}" for each in owners), f"{self.called}.{name}", name)
        kinds, _, example = next((rows[key] for key in keys if key in rows), "").partition(": ")
        return kinds, example or ("" if self._setting(name) else name)

    def _offer(self, wrong: str, given: Mapping[str, Any]) -> str:
        """The advice for an unknown argument: the one that was meant, where to pass it, or to leave it out."""
        names, owner = names_for(wrong), self.owner
        if line := self.answered.get(f"{self.called}.{wrong}"):
            return f"use {line.format_map({'lr': 0.1, **given, 'value': brief(given[wrong])})}"
        if meant := self._own_name(wrong):
            more = {name: self._like(name, value) for each, value in given.items() if (name := self._own_name(each))}
            free = [name for name in self.by_position if name not in more]  # for the positional values
            self.placed = dict(zip(free, self.placed.values(), strict=False))
            return f"did you mean {meant!r}? Use {self.works(**more)}"
        if owner is not None and not self.is_made and owner.__name__ not in ("Network", "Model"):
            for name in (each for each in (wrong, *names) if each in signature(owner).parameters):
                line = f"{owner.__name__}(..., {name}={self._like(name, given[wrong])})"
                return f"it is an argument of {owner.__name__}; use {line}"
        has_settings, kind = self.is_made or self.called == "fit", variable_of(owner)
        found_at = words()["found_at"] | words().get(f"found_at_{kind}", {}) if has_settings else {}
        if name := next((each for each in (wrong, *names) if each in found_at and each not in self.parameters), ""):
            where, how = found_at[name]
            subject = "the learning rate" if name == "learning_rate" and wrong != name else "it"
            optimizer = f"optimizer={self.called}(), " if kind == "optimizer" else ""
            line = how.format(optimizer=optimizer, value=self._like(name, given[wrong]), kind=owner and owner.__name__)
            return f"{subject} is {where}; use {line}"
        if owner is not None and wrong in vars(owner).get("__annotations__", ()):
            return f"its class needs an __init__, or @dataclass(frozen=True) above  class {owner.__name__}(...)"
        offer = closest(wrong, self.parameters) if self.parameters else ""
        works = f"leave it out, as in {self.works()}"
        return offer if "did you mean" in offer else f"{works}; {offer}" if has_settings and offer else works

    def _check_number(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        called, by_position = self.called, self.by_position
        if len(args) > len(by_position):
            takes = "its arguments by name" if self.parameters else "no arguments"
            takes, how = (f"{', '.join(by_position)} alone by position", "") if by_position else (takes, " by position")
            if called == "Network" and not any(is_a(each, "text|Activation|Loss") for each in args):
                image, *others = (each if isinstance(each, list | tuple) else [each] for each in args)
                self.line = f"Network({(prod(image), *chain(*others))})"
            elif named := self._by_name(args[len(by_position) :]):
                self.line = self.works(**named)
            else:
                self.line = words()["too_many"].get(f"{called}.{len(args)}") or self.line
            more = words()["rate_of_fit"] if self.is_made and variable_of(self.owner) == "optimizer" else ""
            works = f"{self.works()}{more.format(kind=called)}"
            raise SettingError(f"{called} takes {takes}: got {len(args)}{how}; use {works}")
        given = by_position[: len(args)]
        if twice := [each for each in given if each in kwargs]:
            raise SettingError(f"{called} got {twice[0]} twice, by position and by name: use {self.works()}")
        if missing := [each for each in self.required if each not in (*kwargs, *given)]:
            line = self.works()
            if any(is_a(each, "Dataset") for each in args):
                line = line.replace("X, y", "data.inputs, data.targets")
            raise SettingError(f"{called} needs {' and '.join(missing)}; use {line}")

    def _by_name(self, surplus: tuple[Any, ...]) -> dict[str, Any]:
        """{name: value} for surplus positional arguments, each with a name that fits its kind; {} if one fits none."""
        found, rows = dict[str, Any](), words()["by_kind"]
        for value in surplus:
            fits = (name for name in rows if name in self.parameters.keys() - found and is_a(value, rows[name]))
            found |= value if isinstance(value, dict) else {(name := next(fits, "")): self._like(name, value)}
        return {} if {*found} - {*self.parameters} else found

    def _check_kinds(self, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            kinds, example = self._argument(name)
            default = self.parameters[name].default if name in self.parameters else value
            if kinds and value is not default and not is_a(value, kinds):
                needs = " or ".join(with_article(each.removeprefix("nd")) for each in kinds.split("|"))
                self.line = words()["meant"].get(f"{self.called}.{type(value).__name__}", self.line)
                instead = substitute_for(value, kinds, name) or example
                is_needed = default is Parameter.empty
                line = self.works().replace(example, instead, 1) if is_needed else self.works(**{name: instead})
                raise SettingError(f"{self.called} takes {name}, {needs}: got {brief(value)}; use {line}")


def check_network(given: Any, line: str, kinds: str = "Network|Model") -> None:
    """Raise SettingError unless `given` is a network or a model; line: the right call, with `network` in it."""
    if not is_a(given, kinds):
        cure = re.sub(r"\bnetwork\b(?![=.])", substitute_for(given, kinds) or "network", line, count=1)
        cure = words()["meant"].get(f"{line.removeprefix('dr.').partition('(')[0]}.{type(given).__name__}", cure)
        raise SettingError(f"a Network comes first: got {brief(given)}; use {cure}")


class Named(type):
    """The metaclass of public classes: if a class lacks an attribute, the error says what to use, as for its objects.

    help() shows only the constructor and the methods, as for an Enum; the docstring lists the attributes.
    """

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_") and callable(getattr(cls, name))]

    @property
    def __signature__(cls) -> Signature:
        """The constructor's signature without annotations; the docstring gives the types in words."""
        _, *parameters = signature(cls.__init__).parameters.values()  # type: ignore[misc]
        return Signature([each.replace(annotation=each.empty) for each in parameters])

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
            raise UnknownNameError(partial(no_attribute, cls, name, cls, f"the class {cls.__name__}"))


def _answer_names(kind: type[Any]) -> None:
    """Make unsupported names, operations and assignments of a class raise an error that says what to use instead."""
    for act, (methods, _) in ACTS.items():
        for method in methods.split() if line_for(kind, act) else ():
            if method not in vars(kind):
                own = next((vars(each)[method] for each in kind.__mro__ if method in vars(each)), None)
                setattr(kind, method, _act_in_vain(act, None if act == "*" else own))
    if line_for(kind, "len"):
        kind.__bool__ = lambda thing: True
    if line_for(kind, "unpack"):
        kind.__iter__ = _unpack
    kind.__getattr__ = _refuse_name
    whose = variable_of(kind)
    if whose == "callback" or (is_dataclass(kind) and whose != "estimator"):
        kind.__setattr__ = _assign  # type: ignore[assignment]


def _unpack(thing: Any) -> Any:
    """The iterator of a named tuple. SettingError if a program unpacks it to more or fewer names than it has items."""
    frame = sys._getframe(1)
    does, n_names = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
    if opname[does] == "UNPACK_SEQUENCE" and n_names != len(thing):
        holds = f"{with_article(type(thing).__name__)} holds {' and '.join(thing._fields)}"
        raise SettingError(f"{holds}: got {n_names} names to unpack it to; use {line_for(type(thing), 'unpack')}")
    return tuple.__iter__(thing)


def _act_in_vain(act: str, own: Callable[..., Any] | None) -> Callable[..., Any]:
    """Make the method for an operation: it raises an error with the fix; own: a base's method, which it tries first."""

    def refuse(thing: Any, *given: Any, **named: Any) -> Any:
        try:  # a training step gets its weights this way
            if own and (found := own(thing, *given)) is not NotImplemented:
                return found
        except (LookupError, TypeError):
            pass
        says = f"{type(thing).__name__!r} object {ACTS[act][1]}:"
        if own and act == "[]":
            says = f"the indices are 0 to {len(thing) - 1}: got {brief(given[0])};"
        raise SettingError(f"{says} use {line_for(type(thing), act)}")

    return refuse


def _refuse_name(thing: Any, name: str) -> Any:
    kind = type(thing)
    if hasattr(kind, name) or name.startswith("_"):
        try:
            return object.__getattribute__(thing, name)  # its own message explains it
        except AttributeError as error:
            raise error.__cause__ or error from None  # the cause says more than scikit-learn's error
    raise UnknownNameError(partial(no_attribute, kind, name, thing, f"{kind.__name__!r} object"))


@cache
def _assignment(kind: Any, name: str) -> tuple[str | None, bool]:
    """(line, is_setting) of an attribute. line: what to write instead of assigning it, None if it may be."""
    has_fields = hasattr(kind, "__dataclass_fields__")
    is_setting = name in setting_names(kind) if has_fields else setting(name, kind) is not None
    return line_for(f"{kind.__name__} assigned", name), is_setting


def _assign(thing: Any, name: str, value: Any) -> None:
    """Assign an attribute. SettingError if the class is frozen or, once the object is made, the attribute is unknown.

    An attribute that only deltarule may change, such as the learning rate of a run, is set in `vars(thing)` instead.
    """
    kind: Any = type(thing)
    fields, is_ours = getattr(kind, "__dataclass_fields__", {}), kind.__module__.startswith("deltarule.")
    if fields and kind.__dataclass_params__.frozen and (name in fields or is_ours):
        begins = f"{with_article(kind.__name__)} cannot be changed: got {brief(value)} for {name}"
        raise SettingError(f"{begins}; use dataclasses.replace({variable_of(kind)}, {name}=...)")
    if "_is_made" in vars(thing):
        line, is_setting = _assignment(kind, name)
        if is_ours and line:
            raise SettingError(f"{name} of {with_article(kind.__name__)} cannot be assigned: use {line}")
        if is_ours and not (name in fields or name.startswith("_")):
            getattr(thing, name)  # which explains a name that it does not have
        if is_setting and name in vars(thing) and (value is not None or getattr(kind, name, "") is not None):
            check(name, value)
    object.__setattr__(thing, name, value)


@public()
class Activations(tuple[Any, ...]):
    """The activation of each layer."""


@public()
class LossValue(float):
    """The loss C of a batch, a float. Other libraries' attributes (item, backward) raise an error with the fix."""


@public()
class LossAndGradient(NamedTuple):
    """What `loss_and_gradient` returns: (loss, grads); grads are Parameters."""

    loss: float
    grads: Any
