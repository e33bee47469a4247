"""Answers to other libraries' names: the line that does the same in deltarule, from elsewhere.toml."""

import os
import sys
from collections.abc import Callable
from functools import cache, partial
from numbers import Integral, Real
from typing import Any

from deltarule.errors import MissingNameError, UnknownNameError, closest, read_tables

PLAIN: dict[str, Any] = {"text": str, "number": Real, "whole number": Integral, "path": (str, os.PathLike)}
PLAIN["function"] = Callable


@cache
def words() -> dict[str, Any]:
    """The tables of elsewhere.toml; in "names" and those listed below, each name in a row gets an entry of its own."""
    tables = read_tables("elsewhere")
    rows = ((whose, row) for whose, table in tables["names"].items() for row in table.items())
    for name in ("pictures", "columns", "commands", "verbs", "options", "schedules", "choices", "modules"):
        tables[name] = {alias: meant for meant, aliases in tables[name].items() for alias in aliases.split()}
    names = {(whose, name): line for whose, (called, line) in rows for name in called.casefold().split()}
    return tables | {"names": names}


def names_for(word: str) -> list[str]:
    """The settings and arguments of deltarule that `word` stands for in other libraries: learning_rate for "lr"."""
    return [name for name, called in words()["synonyms"].items() if word.casefold() in called.split()]


def line_for(whose: str | type[Any], name: str) -> str | None:
    """The line of code that does what `name` does in other libraries; whose: a class or its name. None if unknown."""
    owners = [whose] if isinstance(whose, str) else [each.__name__ for each in whose.__mro__]
    it, net = next((words()["holds"][each] for each in owners if each in words()["holds"]), ("network", "network"))
    owners += " ".join(words()["also"].get(each, "") for each in owners if name not in words()["acts"]).split()
    word = str(name).casefold()
    keys = ((owner, each) for owner in owners for each in (word, word.rstrip("_")))
    line = next((words()["names"][key] for key in keys if key in words()["names"]), None)
    return line and line.format(it=it, net=net, name=name)


def variable_of(kind: type[Any] | None) -> str:
    """The variable that code in messages uses for an object of a class: network, model, data, optimizer."""
    names = [each.__name__ for each in kind.__mro__] if kind else [""]
    variables: dict[str, str] = words()["variables"]
    return next((variables[each] for each in names if each in variables), names[0].lower())


def no_attribute(whose: str | type[Any], name: str, thing: Any, begins: str) -> str:
    """The message for a name that `thing` does not have: `begins`, then the line to use, or the closest names."""
    line = line_for(whose, name)
    near, _, names = closest(name, [each for each in dir(thing) if not each.startswith("_")]).partition("Known: ")
    offer = f"use {line}" if line else near.strip() or f"Known: {names}"
    return f"{begins} has no attribute {name!r}: {offer}"


def is_a(value: Any, kinds: str) -> bool:
    """Whether a value is of one of the kinds in "Network|text": names of its class or a base, or keys of PLAIN."""
    names = [each.__name__ for each in type(value).__mro__]
    return any(kind in names or isinstance(value, PLAIN.get(kind, ())) for kind in kinds.split("|"))


def substitute_for(value: Any, kinds: str, name: str = "") -> str:
    """The code that makes an object of one of these kinds from the value given as `name`; "" if none is known."""
    fitted = "estimator" if hasattr(value, "model_") else "estimator.fit(X, y)"
    model = f'dr.load("{value}")' if is_a(value, "path") else f"{fitted}.model_" if is_a(value, "Perceptron") else ""
    model = "dr.from_sklearn(pipeline)" if is_a(value, "Pipeline") else model
    if "Model" in kinds:
        return model
    if "DataFrame" in kinds:
        lazy = "frame.collect()" if hasattr(value, "collect") else ""  # polars has lazy frames
        return "pandas.DataFrame(data)" if is_a(value, "dict|list") else lazy
    if "Dataset" in kinds:
        return f"splits.{'test' if name == 'validation' else 'train'}" if is_a(value, "Splits") else ""
    is_near = "Network" in kinds and (model or is_a(value, "Model|Trainer"))
    return f"{model or type(value).__name__.lower()}.network" if is_near else ""


def unknown_name(module: str, name: str, called: str = "dr.{}") -> UnknownNameError:
    """The error for a name that a module does not have; called: the code for a public name, such as "dr.{}"."""
    begins, whole = f"module {module!r}", sys.modules["deltarule"]
    says = f"{begins} has no attribute {name!r}: use {called.format(name)}"
    return UnknownNameError(says if name in whole.__all__ else partial(no_attribute, "deltarule", name, whole, begins))


def refuse_module(module: str) -> None:
    """Raise MissingNameError if a program imports `module`, which does not exist; return if it only looks it up."""
    if sys._getframe(4).f_code.co_name == "_get_module_details":  # python -m deltarule.train
        raise MissingNameError(f"no module is called {module!r}: use python -m {module.replace('.', ' ', 1)}")
    if sys._getframe(3).f_code.co_name == "_find_and_load_unlocked":
        (home, _, name), homes = module.rpartition("."), sys.modules["deltarule"]._ON_DEMAND
        meant = words()["modules"].get(name, name)
        if names := [each for each, place in homes.items() if meant in place.split(".")[1:]]:
            raise MissingNameError(f"no module is called {module!r}: use from deltarule import {', '.join(names)}")
        raise MissingNameError(str(unknown_name(home, name, "from deltarule import {}")))
