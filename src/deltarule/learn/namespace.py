"""What a learner's program defines, as objects: the one place that carries out its code, in a process of its own."""

import ast
import builtins
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from deltarule.learn.code_files import Place
from deltarule.learn.imports import PYTHON2_NAMES, stand_in
from deltarule.learn.program import Program
from deltarule.learn.sandbox import attempt

OLD_NUMPY = {"float": float, "int": int, "object": object, "str": str, "float_": np.float64, "complex": complex}
OLD_NUMPY |= {"Inf": np.inf, "NaN": np.nan, "product": np.prod, "cumproduct": np.cumprod, "alltrue": np.all}
OLD_NUMPY |= {"in1d": np.isin, "row_stack": np.vstack, "sometrue": np.any, "trapz": getattr(np, "trapezoid", None)}


class Failed(NamedTuple):
    """A statement that raised: where it stands, and what it raised."""

    place: Place
    error: str


@dataclass
class Namespace:
    """The names of a program with their objects; those that were supplied; and the statements that failed."""

    program: Program
    names: dict[str, Any]
    supplied: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    printed: str = ""

    def get(self, name: str) -> Any:
        """What a name of `Program.functions`, `classes` or `loops` stands for; None where its statement failed."""
        value = self.names.get(name.partition(".")[0])
        for part in name.split(".")[1:]:
            value = getattr(value, part, None)
        return value


def build(program: Program, supplied: dict[str, Any], *, run: bool = False) -> Namespace:
    """Carry out what is kept of a program, or with `run` all of it, statement by statement."""
    for name, value in OLD_NUMPY.items():
        if name not in vars(np):  # which NumPy 1 had, and many programs still use
            setattr(np, name, value)
    space = Namespace(program, {"__name__": "__main__" if run else program.path.stem, "__file__": str(program.path)})
    space.names["__builtins__"] = vars(builtins) | PYTHON2_NAMES | {"__import__": Importer(program, run=run)}
    space.names |= {name: value for name, value in supplied.items() if name not in program.known}
    space.supplied = sorted(set(supplied) - program.known)
    for node in program.tree.body if run else program.kept:
        carry_out(space, node)
    for name in set(supplied) & program.constants - set(space.names):  # whose statement failed
        space.names[name] = supplied[name]
        space.supplied.append(name)
    for loop in program.loops:
        carry_out(space, loop.node)
    return space


def carry_out(space: Namespace, node: ast.stmt) -> None:
    """Carry out one statement; note what it raises, and go on as a notebook would."""
    code = compile(ast.Module([node], []), space.names["__file__"], "exec")
    done = attempt("import", exec, code, space.names)
    space.printed += done.printed
    if done.error is not None:
        place = space.program.place(done.error.line or node.lineno)
        space.failed.append(Failed(place, done.error.says))


class Importer:
    """`__import__` as a learner's program sees it: programs beside it without their training, and what stands in."""

    def __init__(self, program: Program, *, run: bool) -> None:
        self.program, self.run = program, run
        self.modules: dict[str, Any] = {}

    def __call__(self, name: str, *where: Any, fromlist: Any = (), level: int = 0) -> Any:
        """A module, as `__import__` returns it, called with globals, locals, fromlist and level."""
        fromlist = where[2] if len(where) > 2 else fromlist
        if name in self.modules:
            return self.modules[name]
        if name in self.program.modules:
            from types import ModuleType

            module = ModuleType(name)
            self.modules[name] = module
            vars(module).update(build(self.program.modules[name], {}, run=self.run).names)
            return module
        found = stand_in(name)
        if not fromlist and "." in name:
            return stand_in(name.partition(".")[0])
        return found
