"""Execute the statements of a learner's program, in a separate process only, and keep the objects that they define.

Python's own modules and NumPy are imported at once. Plots do nothing, a progress bar returns its argument, and
everything else is imported when it is used, and only then an error says if it is not installed.
"""

import __future__

import ast
import builtins
import re
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from deltarule.learn.activations import TANH, sigma_of
from deltarule.learn.code_files import Place
from deltarule.learn.program import DRAWING, PLAIN, PYTHON2_NAMES, TABLES, Program, is_numeric
from deltarule.learn.roles import role_of
from deltarule.learn.sandbox import Failure, attempt
from deltarule.randomness import generator

OLD_NUMPY: dict[str, Any] = {name: vars(builtins)[name] for name in ("complex", "float", "int", "object", "str")}
OLD_NUMPY |= {"float_": np.float64, "Inf": np.inf, "NaN": np.nan}
OLD_NUMPY |= {"product": np.prod, "in1d": np.isin, "row_stack": np.vstack}
ANNOTATIONS = __future__.annotations.compiler_flag  # so that annotations are not evaluated
MOST_SECONDS_TO_RUN = 60.0  # of one statement, with `run`
MOST_TYPED = 60  # answers to a program that asks its user
DATA = re.compile(r"(?i)load|read|fetch|get|next|data|label|target|encod|binar|hot|mnist|iris|image|model|network")


class Failed(NamedTuple):
    """A statement that raised an error. place: the line that raised it, in the statement or in a function it calls."""

    place: Place
    failure: Failure
    statement: ast.stmt


@dataclass
class Namespace:
    """The objects of a program by name; the names that were supplied, and the statements that failed."""

    program: Program
    names: dict[str, Any]
    supplied: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    printed: str = ""

    def get(self, name: str) -> Any:
        """The object with a name in `Program.functions` or `classes`, such as "module.f"; None if it is missing."""
        value = self.names.get(name.partition(".")[0])
        for part in name.split(".")[1:]:
            value = getattr(value, part, None)
        return value


def carry_out(program: Program, supplied: dict[str, Any], *, run: bool = False) -> Namespace:
    """Execute the kept part of a program, or with `run` all of it, statement by statement, as a notebook would.

    supplied: objects for names that the program reads but does not define. Call only in a process of `sandbox`.
    """
    for name, value in OLD_NUMPY.items():
        if name not in vars(np):  # NumPy 1 had it, and many programs still use it
            setattr(np, name, value)
    modules: dict[str, Any] = {}
    space = Namespace(program, names_to_begin(program, modules, run=run))
    names = space.names
    others = names_of_star(program) | names_without_import(program) | program.values | supplied
    names |= {name: value for name, value in others.items() if name not in program.known}
    for node in program.tree.body if run else program.kept:
        code = compile(ast.Module([node], []), str(program.path), "exec", ANNOTATIONS, dont_inherit=True)
        place = program.place(node.lineno)
        done = attempt(
            f"{place}: {program.line(node.lineno).strip()}",
            exec,
            code,
            names,
            seconds=MOST_SECONDS_TO_RUN if run else 1.0,
        )
        space.printed += done.printed
        if done.error is not None:
            home = program.home(done.error.file)
            place = home.place(done.error.line) if done.error.line else place
            space.failed.append(Failed(place, done.error, node))
    names |= {name: supplied[name] for name in set(supplied) - set(names)}  # names whose own statement failed
    space.supplied = sorted(name for name in supplied if names[name] is supplied[name])
    return space


def names_without_import(program: Program) -> dict[str, Any]:
    """The modules, and functions of NumPy, that a program uses without an import, by name: they are supplied."""
    calls = {node.func.id for node in program.nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    found = {name: getattr(np, name) for name in {*program.free} & calls if hasattr(np, name)}
    modules = {name: {"np": "numpy"}.get(name, name) for name in program.free}
    return found | {name: import_module(module) for name, module in modules.items() if module in PLAIN}


def names_of_star(program: Program) -> dict[str, Any]:
    """Stand-ins for the names that a program may get by `from module import *`, if the module is not here."""
    module = program.imports.get("*", "numpy:*")[:-2]
    is_here = is_numeric(module) or module in program.modules
    return {} if is_here else {name: Later(f"{module}.{name}") for name in program.free}


def values_of_run(program: Program) -> dict[str, Any]:
    """Execute all of a program; return its variables by name, without imports and definitions."""
    names = carry_out(program, {}, run=True).names
    return {name: value for name, value in names.items() if name not in program.known and not name.startswith("__")}


def names_to_begin(program: Program, modules: dict[str, Any], *, run: bool) -> dict[str, Any]:
    """The initial names of a module, before its first statement. modules: programs imported so far, by file."""

    def load(name: str, *where: Any, fromlist: Any = (), level: int = 0) -> Any:
        """The replacement for `__import__`: a program in the same folder, or what `stand_in` returns."""
        fromlist = where[2] if len(where) > 2 else fromlist
        inner = {each: beside for each, beside in program.modules.items() if f"{each}.".startswith(f"{name}.")}
        if not inner:
            return stand_in(name if fromlist else name.partition(".")[0]) if name else ModuleType("beside")
        for each, beside in inner.items():
            key = str(beside.path)
            if key not in modules:
                modules[key] = ModuleType(each)
                vars(modules[key]).update(names_to_begin(beside, modules, run=False))
                fill(beside, vars(modules[key]))
        module = modules[str(inner[name].path)] if name in inner else ModuleType(name)
        vars(module).update({each.rpartition(".")[2]: modules[str(inner[each].path)] for each in inner if each != name})
        return module

    def fill(beside: Program, names: dict[str, Any]) -> None:
        for node in beside.kept:
            exec(compile(ast.Module([node], []), str(beside.path), "exec", ANNOTATIONS, dont_inherit=True), names)  # noqa: S102

    typed = iter(generator(0, "typed").uniform(0.1, 0.9, MOST_TYPED))

    def answer(*prompt: Any) -> "Typed":
        for number in typed:
            return Typed(number)
        raise EOFError("there is no more input")

    own = vars(builtins) | PYTHON2_NAMES | {"__import__": load, "input": answer, "raw_input": answer}
    return {"__name__": "__main__" if run else program.path.stem, "__file__": str(program.path), "__builtins__": own}


def stand_in(name: str) -> Any:
    """The module of this name, or a replacement: Idle for plots and progress bars, Later unless Python's or NumPy's."""
    name = TABLES["aliases"].get(name, name)
    top = name.partition(".")[0]
    if top in DRAWING or top in TABLES["modules"]["aside"]:
        return Idle(top not in DRAWING)
    return import_module(name) if is_numeric(name) else Later(name)


class Typed(str):
    """The text that `input` returns in a check: a number between 0 and 1; `int` of it is 3."""

    def __int__(self) -> int:
        return 3


class Idle:
    """A replacement for objects such as plots: calls do nothing, or with gives_back return their first argument."""

    def __init__(self, gives_back: bool = False, lacks_data: bool = False) -> None:  # of a class not installed
        self._gives_back, self._lacks_data = gives_back, lacks_data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._lacks_data and DATA.search(name):
            raise ModuleNotFoundError(f"{name} is not here: its data are supplied")
        return self

    def __call__(self, *given: Any, **words: Any) -> Any:
        return given[0] if self._gives_back and given and not isinstance(given[0], str) else self

    def __format__(self, _: str) -> str:
        return ""

    def __iter__(self) -> Any:
        return iter((self, self))  # as in  fig, ax = plt.subplots()

    def __getitem__(self, *key: Any) -> Any:
        return self

    def __setitem__(self, *key: Any) -> None:
        pass

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()

    __enter__, __exit__ = __getitem__, __setitem__


def value_by_name(name: str, *given: Any, **words: Any) -> Any:
    """What a missing function returns, by its name: an activation, its slope (of a, if it is given that), or a loss."""
    role, kind, array = role_of(name), sigma_of(name), np.asarray(given[0], float)
    if kind is not None and len(given) - (given[-1] is True) == 1 and role in ("activation", "softmax", "derivative"):
        is_slope = role == "derivative" or given[-1] is True or True in words.values()
        is_output = ((-1 if kind is TANH else 0) < array).all() and (array < 1).all()
        slope = kind.of_a if kind.of_a and is_output else kind.slope
        return slope(array) if is_slope else kind.value(array)
    if role in ("loss", "loss_derivative") and len(given) == 2 and ("mse" in name or "square" in name):
        y, outputs = given if np.isin(given[0], (0, 1)).all() else given[::-1]
        return 2 * (outputs - y) / np.size(y) if role == "loss_derivative" else np.mean((outputs - y) ** 2)
    return Idle(gives_back=False)


class Later:
    """A module, or a name in one, that is imported when it is called, indexed or iterated over."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in TABLES["modules"]["aside"]:
            return Idle(gives_back=True)
        path = f"{self._path}.{name}"
        return import_module(TABLES["aliases"][path]) if path in TABLES["aliases"] else Later(path)

    def _real(self) -> Any:
        first, *others = self._path.split(".")
        if first in TABLES["modules"]["data"]:
            raise ModuleNotFoundError(f"{self._path} is not imported here: its data are supplied")
        real, path = import_module(first), first  # ModuleNotFoundError says what is not installed
        for part in others:
            path = f"{path}.{part}"
            real = getattr(real, part) if hasattr(real, part) else import_module(path)
        return real

    def __call__(self, *given: Any, **words: Any) -> Any:
        name = self._path.rpartition(".")[2]
        try:
            real = self._real()
        except ModuleNotFoundError:
            if name[:1].isupper() and not DATA.search(name):  # a class, such as that of a scaler
                return Idle(gives_back=True, lacks_data=True)
            if not any(isinstance(each, np.ndarray | float) for each in given):
                raise
            return value_by_name(name, *given, **words)
        return real(*given, **words)

    def __getitem__(self, key: Any) -> Any:
        return self._real()[key]

    def __iter__(self) -> Any:
        return iter(self._real())

    def __instancecheck__(self, value: Any) -> bool:
        return type(value).__module__.partition(".")[0] == self._path.partition(".")[0]

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()
