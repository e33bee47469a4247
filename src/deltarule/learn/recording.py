"""Record what a program computes, line by line: rewrite its syntax tree so that it passes each value to a recorder.

Every value of an expression, and every value that a statement stores, is kept with its line. So each z, a, delta and
gradient is recorded, whether it has a name and is returned or not.
"""

import ast
import builtins
import copy
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import CodeType, FrameType
from typing import Any

import numpy as np

from deltarule.learn.code_files import Place
from deltarule.learn.examples import COLUMN
from deltarule.learn.program import (
    READS,
    TABLES,
    Loop,
    Program,
    is_computed,
    is_literal,
    is_numeric,
    leaves,
    name_of,
    names_of,
    reason,
    script_statements,
)
from deltarule.learn.roles import argument_of, is_start, parameter_kind, role_of
from deltarule.learn.stored_values import MOST_NUMBERS, NUMBERS, arrays_by_name, parameters_in, rows_off_zero
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

HOOKS = SEEN, STORED, GIVEN, MOVED, SUPPLIED, ROUNDS = tuple(
    f"_deltarule_{name}" for name in ("seen", "stored", "given", "moved", "supplied", "rounds")
)
MOST_EVENTS, MOST_SECONDS = 4000, 1.0
SUPPLIED_KINDS = ("X", "Y", "y_flat", "m", "epochs", "alpha", "n_in", "n_hidden", "n_out", "sizes", "batch_size")
LAST = "the last"  # the key of an item that was appended
RETURNED = "result"  # the name for a dict that a function returns without a name
GIVEN_SOURCE = "pass"  # the source of an argument of a function or a variable of a loop
UNSEEN = (ast.JoinedStr, ast.Starred, ast.Slice, ast.Lambda)


class Enough(BaseException):
    """Raised to stop a program when enough is recorded; `except Exception` in the program does not catch it."""


@dataclass(frozen=True)
class Where:
    """The place of a recorded value: an expression, a name that is stored to, or the name of a parameter that is read.

    line, text: of the expression or name. function: that contains it. source: the statement that stores, else the text.
    """

    line: int
    text: str
    function: str
    source: str
    is_store: bool
    place: Place
    is_load: bool = False


def where_at(program: Program, line: int, function: str = "") -> Where:
    """The Where of a whole line of a program. function: the one that contains the line, or ""."""
    return Where(line, "", function, "", False, program.place(line))


@dataclass(eq=False, slots=True)
class Event:
    """A recorded array, as float64 or complex. time: its number in the recording. name: of what was stored, with key.

    rounds: (number of the loop, number of the round) for each loop around it, the outermost first.
    callers: the lines of the calls that led to it, the innermost first.
    """

    time: int
    where: Where
    name: str
    value: Array
    rounds: tuple[tuple[int, int], ...] = ()
    callers: tuple[int, ...] = ()

    def at(self, time: int, value: Array | None = None) -> "Event":
        """A copy of this event at another time, and with another value if one is given."""
        return Event(time, self.where, self.name, self.value if value is None else value, self.rounds, self.callers)

    @property
    def role(self) -> str:
        """The role of the function in which the value was computed, such as "forward", by the function's name."""
        return role_of(self.where.function.rpartition(".")[2])

    @property
    def lines(self) -> tuple[int, ...]:
        """The line number of this event, then those of the calls that led to it, the innermost first."""
        return self.where.line, *self.callers


@dataclass(frozen=True, eq=False)
class InitialParameter:
    """A weight matrix or a bias when it was created: `raw` as the program drew it, `value` as we drew it anew."""

    name: str
    kind: str
    where: Where
    raw: Array
    value: Array


@dataclass
class RunRecorder:
    """Records one run, and gives initial parameters new random values, so that no bias is 0 and no unit saturates.

    redrawn: expressions whose arrays get new values, too. runner: the code of the function that runs the program.
    """

    places: list[Where]
    redrawn: Collection[Where] = ()
    draw: int = 0  # other numbers for another one
    most_seconds: float = MOST_SECONDS
    runner: CodeType | None = None
    events: list[Event] = field(default_factory=list)
    starts: list[InitialParameter] = field(default_factory=list)
    begun: float = field(default_factory=time.process_time)
    size: int = 0
    count: float = 0.0
    loops: list[tuple[int, int]] = field(default_factory=list)
    n_loops: int = 0

    def rounds(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items of a loop and count its rounds, so that numbers computed one by one can become an array."""
        depth, self.n_loops = len(self.loops), self.n_loops + 1
        loop = self.n_loops
        try:
            for n, each in enumerate(items):
                self.loops[depth:] = [(loop, n)]
                yield each
        finally:
            del self.loops[depth:]

    def give(self, index: int, value: Any) -> None:
        """Record the value of a function's argument, or of a loop's variable. index: of its Where in `places`."""
        if isinstance(value, np.ndarray | np.generic | list | tuple):
            self._keep(self.places[index], self.places[index].text, value)

    def see(self, index: int, value: Any) -> Any:
        """Record the value of an expression, and return it. index: of its Where in `places`."""
        where = self.places[index]
        if self.redrawn and where in self.redrawn and isinstance(value, np.ndarray | list):
            value[:] = generator(index, "check").normal(0.3, 0.3, np.shape(value)).tolist()
        self._keep(where, where.text if where.is_load else "", value)
        return value

    def store(self, index: int, *stored: Any) -> None:
        """Record what a statement stored: a value, or a container and the key in it. New parameters are redrawn."""
        where, value, name = self.places[index], stored[0], self.places[index].text
        if len(stored) == 2 and not isinstance(value, np.ndarray):
            try:
                key = len(value) - 1 if stored[1] == LAST else stored[1]
                value, name = value[key], f"{name.partition('[')[0]}[{key!r}]"
            except (LookupError, TypeError):
                return
        for path, kind, array in parameters_in(name, value):
            if is_start(where.source, where.function):
                self._start(path, kind, where, array)
        self._keep(where, name, value)

    def _keep(self, where: Where, name: str, value: Any) -> None:
        callers: tuple[int, ...] | None = None
        for path, array in arrays_by_name(name, value):
            callers = call_lines(sys._getframe(3), self.runner) if callers is None else callers  # of the program's code
            self.events.append(Event(len(self.events), where, path, array, tuple(self.loops), callers))
            self.size += array.size
            self.count += 1.0 if array.size > 1 else 0.6  # what a single number counts
        if self.count > MOST_EVENTS or self.size > MOST_NUMBERS or time.process_time() - self.begun > self.most_seconds:
            raise Enough

    def _start(self, name: str, kind: str, where: Where, array: Array) -> None:
        for n, each in enumerate(self.starts):
            if each.value.shape == array.shape and np.array_equal(each.value, array):
                self.starts[n] = replace(each, name=name)  # kept under a better name
                return
        if "reshape(" in where.source and any((each.name, each.where) == (name, where) for each in self.starts):
            return  # cut from the vector of all parameters again
        if not (where.function or self.loops):  # the module starts again under the same name
            again = (name, "", array.shape)
            self.starts[:] = [
                each for each in self.starts if (each.name, each.where.function, each.value.shape) != again
            ]
        raw, rng = array.astype(np.float64), generator(len(self.starts) + 100 * self.draw, "check")
        if array.flags.writeable and array.dtype.kind == "f":
            scale = 1.5 / np.sqrt(max(array.shape)) if kind == "weights" and array.ndim > 1 else 0.3
            array[...] = rng.normal(0.0 if kind == "weights" else 0.3, scale, array.shape)  # so that no ReLU is dead
        self.starts.append(InitialParameter(name, kind, where, raw, array.astype(np.float64)))


def call_lines(frame: FrameType, runner: CodeType | None) -> tuple[int, ...]:
    """The lines of the calls in a program's file, from `runner` on, that led to one of its frames, innermost first."""
    lines, file, outer = list[int](), frame.f_code.co_filename, frame.f_back
    while outer is not None and outer.f_code is not runner:
        if outer.f_code.co_filename == file:
            lines.append(outer.f_lineno)
        outer = outer.f_back
    return tuple(lines)


class Instrument(ast.NodeTransformer):
    """Rewrites a syntax tree so that the value of every expression that computes, and of every store, is recorded."""

    def __init__(self, places: list[Where], program: Program) -> None:
        self.places, self.place = places, program.place
        modules = TABLES["modules"]["data"]
        self.absent = {name for name, origin in program.imports.items() if re.split(r"[.:]", origin)[0] in modules}
        self.function: list[str] = []
        self.depth = 0  # of loops

    def generic_visit(self, node: ast.AST) -> ast.AST:
        key = ast.walk(node.slice) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) else ()
        is_part = any(isinstance(each, ast.Slice) for each in key)
        is_seen = is_part or isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.ListComp)
        text = ast.unparse(node) if is_seen else ""
        original = node
        if isinstance(node, UNSEEN) and not isinstance(node, ast.Lambda | ast.Starred):
            return node
        super().generic_visit(node)
        if isinstance(node, ast.BinOp):
            node.left, node.right = self._with_load(node.left), self._with_load(node.right)
        elif isinstance(node, ast.Call):
            node.args = [self._with_load(each) for each in node.args]
        if text and not text.startswith(("super(", "print(")):
            call = ast.Call(ast.Name(SEEN, ast.Load()), [ast.Constant(self._index(original, text)), node], [])  # type: ignore[list-item]
            return ast.copy_location(call, original)
        return node

    def _with_load(self, node: ast.expr) -> ast.expr:
        """Wrap an operand to record it if it is a parameter: its value in the second training step shows the update."""
        if not isinstance(node, ast.Name | ast.Attribute) or not parameter_kind(name_of(node)):
            return node
        index = self._index(node, ast.unparse(node))
        self.places[index] = replace(self.places[index], is_load=True)
        call = ast.Call(ast.Name(SEEN, ast.Load()), [ast.Constant(index), node], [])
        return ast.copy_location(call, node)

    def statements(self, node: ast.stmt) -> list[ast.stmt]:
        """A copy of a top-level statement that records its values, as one or more statements."""
        return [ast.fix_missing_locations(each) for each in as_list(self.visit(copy.deepcopy(node)))]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Instrument the body, and record the arguments; defaults, decorators and annotations stay as they are."""
        self.function.append(node.name)
        body = [each for old in node.body for each in as_list(self.visit(old))]
        node.body = [*self._given(node, [each.arg for each in node.args.args if each.arg != "self"]), *body]
        self.function.pop()
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """Instrument a loop: count its rounds, and record its variables in each."""
        self.visit_While(node)
        given = [each.id for each in leaves(node.target) if isinstance(each, ast.Name)]
        node.body = [*self._given(node, given), *node.body]
        node.iter = ast.Call(ast.Name(ROUNDS, ast.Load()), [node.iter], [])
        return node

    def visit_While(self, node: Loop) -> ast.AST:
        """Instrument a loop; what it stores is not the program's data."""
        self.depth += 1
        done = self.generic_visit(node)
        self.depth -= 1
        return done

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """Instrument a comprehension: count its rounds."""
        self.generic_visit(node)
        node.iter = ast.Call(ast.Name(ROUNDS, ast.Load()), [node.iter], [])
        return node

    def visit_Return(self, node: ast.Return) -> Any:
        """Record a returned name, item or comparison, too; a returned dict is stored under a name first."""
        if isinstance(node.value, ast.Dict):
            stored = ast.Assign([ast.Name(RETURNED, ast.Store())], node.value)
            node.value = ast.Name(RETURNED, ast.Load())
            return [*self.visit(ast.copy_location(stored, node)), node]
        if isinstance(node.value, ast.Name | ast.Attribute | ast.Compare | ast.Subscript):
            index = self._index(node.value, ast.unparse(node.value), is_store=True)
            seen = ast.Call(ast.Name(SEEN, ast.Load()), [ast.Constant(index), self.visit(node.value)], [])
            node.value = ast.copy_location(seen, node)
            return node
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Instrument the body of a class."""
        self.function.append(node.name)
        node.body = [each for old in node.body for each in as_list(self.visit(old))]
        self.function.pop()
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        """The assignment, then a statement that records each name or item that it stores."""
        return self._with_notes(node, [leaf for target in node.targets for leaf in leaves(target)], node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign | ast.AugAssign) -> Any:
        """The annotated or augmented assignment, then a statement that records what it stores."""
        return self._with_notes(node, [node.target] if node.value else [], node.value)

    visit_AugAssign = visit_AnnAssign  # noqa: N815  # the name that ast.NodeVisitor calls

    def visit_Expr(self, node: ast.Expr) -> Any:
        """The statement, and after an `append` a statement that records what was appended."""
        call, notes = node.value, list[ast.stmt]()
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append":
            base = call.func.value
            notes = [self._store_note(node, ast.unparse(base), [copy.deepcopy(base), ast.Constant(LAST)])]
        node.value = self.visit(call)
        return [node, *notes]

    def _with_notes(self, node: Any, targets: list[ast.expr], value: ast.expr | None) -> list[ast.stmt]:
        notes = [note for target in targets if (note := self._note(target, node, value))]
        stored = [each.id for each in targets if isinstance(each, ast.Name)]
        is_data = is_literal(value) or not (self.function or self.depth or is_computed(value))
        moved = [each for each in stored if is_data and argument_of(each) in ("X", "Y", "pairs")]
        if isinstance(value, ast.Constant) and not self.function and list(map(argument_of, stored)) == ["batch_size"]:
            value = ast.copy_location(supply(stored[0])[0].value, value)  # type: ignore[attr-defined]  # no more than n
        if value is not None:
            node.value = self.visit(value)
        if self.function and value is not None and self._is_absent(value):
            known = [name for name in stored if supply(name, value=value)]
            self.absent = (self.absent | set(stored)) - set(known)
            handler = [each for name in known for each in supply(name, value=value)]
            handler += copy.deepcopy(notes) if known == stored else []
            catch = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, handler or [ast.Pass()])
            node, notes = ast.copy_location(ast.Try([node, *notes], [catch], [], []), node), []
        moves = [move for each in moved for move in ast.parse(f"{each} = {MOVED}({each}, {argument_of(each)!r})").body]
        return [node, *(ast.copy_location(each, node) for each in moves), *notes]

    def _is_absent(self, value: ast.expr) -> bool:
        """Whether a value comes from a file or a data library, or from a name that got its value there."""
        names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
        called = {name_of(each.func) for each in ast.walk(value) if isinstance(each, ast.Call)}
        return bool(names & self.absent or called & READS)

    def _note(self, target: ast.expr, node: ast.stmt, value: ast.expr | None) -> ast.stmt | None:
        text, arguments = ast.unparse(target), [as_load(target)]
        if isinstance(target, ast.Subscript):
            arguments = [as_load(target.value)]
            calls = [each for each in ast.walk(target.slice) if isinstance(each, ast.Call)]
            is_plain = all(ast.unparse(each.func) in ("str", "int", "len") for each in calls)
            if is_plain and not any(isinstance(each, ast.Slice | ast.Compare) for each in ast.walk(target.slice)):
                arguments.append(copy.deepcopy(target.slice))
        elif not isinstance(target, ast.Name | ast.Attribute):
            return None
        return self._store_note(node, text, arguments)

    def _store_note(self, node: ast.stmt, text: str, arguments: list[ast.expr], hook: str = STORED) -> ast.stmt:
        index = self._index(node, text, is_store=True)
        call = ast.Call(ast.Name(hook, ast.Load()), [ast.Constant(index), *arguments], [])
        return ast.copy_location(ast.Expr(call), node)

    def _given(self, node: ast.stmt, names: list[str]) -> list[ast.stmt]:
        at = ast.copy_location(ast.Pass(), node)
        return [self._store_note(at, name, [ast.Name(name, ast.Load())], GIVEN) for name in names]

    def _index(self, node: ast.AST, text: str, *, is_store: bool = False) -> int:
        source = ast.unparse(node) if is_store else text
        line = getattr(node, "lineno", 0)
        where = Where(line, text, ".".join(self.function), source, is_store, self.place(line))
        self.places.append(where)
        return len(self.places) - 1


def as_list(nodes: Any) -> list[Any]:
    """The result of visiting a node, as a list of nodes."""
    return nodes if isinstance(nodes, list) else [nodes]


def as_load(target: ast.expr) -> ast.expr:
    """The expression that reads the target of an assignment."""
    return ast.copy_location(ast.parse(ast.unparse(target), mode="eval").body, target)


class Tape:
    """Instruments programs, and passes the values of their code to the recorder of the current run, if there is one."""

    def __init__(self) -> None:
        self.places: list[Where] = []
        self.recorder: RunRecorder | None = None
        self.supplies: Callable[[str], Any] = lambda name: None

    def hook(self, name: str, place: int | None = None) -> Callable[..., Any]:
        """A function that calls the method `name` of the current recorder; without a recorder, returns an argument."""

        def call(*given: Any) -> Any:
            if self.recorder is not None:
                return getattr(self.recorder, name)(*given)
            return None if place is None else given[place]

        return call

    def move(self, value: Any, kind: str) -> Any:
        """Add random numbers to data that the program defines, since inputs of 0 make dC/dW 0. kind: X, Y, pairs."""
        is_array = isinstance(value, np.ndarray) and value.dtype.kind in NUMBERS
        is_moved = is_array and value.ndim > 1 and value.size < 10_000 and value.any() and not value.all()
        if self.recorder is not None and isinstance(value, list) and kind != "Y":
            return rows_off_zero(value, kind)
        if self.recorder is None or kind == "pairs" or not is_moved:  # an array of zeros is filled later
            return value
        if kind == "Y" and min(value.shape) > 1 and np.count_nonzero(value) == (value == 1).sum() in value.shape:
            return value  # one-hot
        more = generator(0, f"check {kind}").uniform(0.1, 0.4, value.shape)
        return value + more if kind == "X" else 0.9 * value + 0.2 * more

    def script(self, program: Program, *, skipped: Sequence[str]) -> Program:
        """The instrumented program with its left-out statements, except those left out for a reason in `skipped`."""
        twin, kept = self.instrument(program), {id(node) for node in program.kept}
        writer, body = Instrument(self.places, program), list[ast.stmt]()
        for node in script_statements(program.tree.body):
            if id(node) in kept:
                body += writer.statements(node)
                continue
            stored = names_of(node) if isinstance(node, ast.Assign | ast.AnnAssign) else []
            stored = [name for each in node.body for name in names_of(each)] if isinstance(node, ast.With) else stored
            placed = names_by_place(node)
            given = {name: supply(name, placed.get(name, ""), getattr(node, "value", None)) for name in stored}
            names = [name for name in stored if given[name]]
            handler = [ast.copy_location(each, node) for name in names for each in given[name]]
            handler = [new for each in handler for new in writer.statements(each)]
            handler = handler or ast.parse("raise").body
            asks = [program.imports.get(name_of(each), "") for each in ast.walk(node) if isinstance(each, ast.Name)]
            is_far = any(origin and not is_numeric(origin.partition(":")[0]) for origin in asks)
            if reason(program, node) in skipped or (is_far and names):
                body += [ast.copy_location(each, node) for each in handler if names]
            elif names:
                catch = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, handler)
                body.append(ast.copy_location(ast.Try(writer.statements(node), [catch], [], []), node))
            else:
                body += writer.statements(node)
        twin.kept = [ast.fix_missing_locations(each) for each in body]
        return twin

    def instrument(self, program: Program) -> Program:
        """A copy of a program that records its values, as do copies of the programs that it imports from its folder."""
        for name, value in vars(type(program)).items():
            if isinstance(value, cached_property):
                getattr(program, name)  # computed from the tree as it is written
        twin, writer = copy.copy(program), Instrument(self.places, program)
        twin.kept = [new for node in program.kept for new in writer.statements(node)]
        twin.modules = {name: self.instrument(each) for name, each in program.modules.items()}
        twin.__dict__["loops"] = []
        seen, stored, given, rounds = (self.hook(*row) for row in (("see", 1), ("store",), ("give",), ("rounds", 0)))
        hooks = seen, stored, given, self.move, lambda name: self.supplies(name), rounds
        vars(builtins).update(zip(HOOKS, hooks, strict=True))  # every module of the program sees these
        return twin


def supply(name: str, like: str = "", value: ast.expr | None = None) -> list[ast.stmt]:
    """A statement that sets a name to the value that we supply for it, or for a name like it (`like`), or none.

    value: what the program stores there. A table that it reads gets none, and columns cut from one are inputs.
    """
    kind, part = argument_of(name), getattr(value, "slice", None)
    if kind not in SUPPLIED_KINDS and not like:
        return []
    if kind not in ("X", "Y", "y_flat") and not like and value is not None:
        if re.match(r"loadtxt|genfromtxt|read_", name_of(getattr(value, "func", value))):
            return []
        like, kind = ("x", "") if isinstance(part, ast.Tuple) and isinstance(part.elts[-1], ast.Slice) else ("", kind)
    known = like if like and (like == COLUMN or kind not in SUPPLIED_KINDS) else name
    return ast.parse(f"{name} = {SUPPLIED}({known!r})").body


def names_by_place(node: ast.stmt) -> dict[str, str]:
    """What the names in a statement that unpacks a data set hold, by position: {"a": "x", "b": "labels"} for a, b."""
    target, value = getattr(node, "targets", [None])[0], getattr(node, "value", None)
    called = name_of(value.func) if isinstance(value, ast.Call) else ""
    names = [each.id for each in leaves(target) if isinstance(each, ast.Name)] if target is not None else []
    is_table = isinstance(value, ast.Attribute)  # table["label"].values
    key = getattr(value.value if isinstance(value, ast.Attribute) else value, "slice", None)
    last = key.elts[-1] if isinstance(key, ast.Tuple) else key if is_table else None
    if isinstance(last, ast.Constant | ast.UnaryOp) and len(names) == 1 and argument_of(names[0]) in ("Y", "y_flat"):
        return {names[0]: COLUMN}  # one column of a table, (n,)
    pair = "XY" if len(names) == 2 and re.search("load|read|fetch|data", called) else ""
    order = {"load_data": "XYXY", "train_test_split": "XXYY"}.get(called, pair)
    return {name: "x" if kind == "X" else "labels" for name, kind in zip(names, order, strict=False)}
