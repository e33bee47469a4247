"""A learner's program as it is: what of it is kept, what is left out and why, and what it takes from elsewhere.

Nothing of it runs here. From the syntax tree come imports, functions, classes and plain constants; what reads files,
trains, draws or prints when it is imported is left out. `learn.namespace` runs what is kept.
"""

import ast
import builtins
import copy
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule.learn.code_files import Note, Place, read_code
from deltarule.learn.imports import PYTHON2_NAMES, alias_of, is_drawing, is_numeric, sibling

if TYPE_CHECKING:
    from deltarule.learn.namespace import Namespace

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Loop = ast.For | ast.While
BUILTINS = set(dir(builtins)) | set(PYTHON2_NAMES) | {"__file__", "__name__", "__doc__"}
CHEAP = {"abs", "bool", "dict", "enumerate", "float", "int", "len", "list", "max", "min", "object", "pow", "range"}
CHEAP |= {"reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip", "complex", "map", "xrange"}
CALM = {"seed", "seterr", "set_printoptions", "filterwarnings", "simplefilter", "setrecursionlimit", "manual_seed"}
READS = {"open", "load", "loadtxt", "genfromtxt", "fromfile", "read", "imread", "loadmat", "fetch_openml", "urlopen"}
READS |= {"load_data", "load_data_wrapper", "fetch_mldata", "urlretrieve", "listdir", "load_dataset", "memmap"}
PRODUCTS = {"dot", "matmul", "einsum", "tensordot", "inner", "outer"}


class LeftOut(NamedTuple):
    """A statement that is not run: where it stands, its first line, and why.

    why: "reads a file", "draws", "prints", "calls the program's own functions", "runs only as a script", "loops",
    "needs what is left out", "is not a constant".
    """

    place: Place
    what: str
    why: str


@dataclass(frozen=True)
class Block:
    """A function, a class, or the body of a loop as a function that returns all its variables in a dict.

    reads: names that it takes from the module and that neither Python nor the program defines: to be supplied. Of a
    loop they are its parameters, too, with its variable and what the program defines outside functions, since a loop
    may change them. uses: other names of the module that it reads. writes: names that a loop gives a value, or a
    function makes global. products: how many products of matrices are written in it.
    """

    name: str
    node: Any
    place: Place
    last: Place
    parameters: tuple[str, ...]
    reads: tuple[str, ...]
    uses: tuple[str, ...]
    writes: tuple[str, ...]
    products: int
    inside: str = ""  # the function that a loop stands in


@dataclass
class Program:
    """A learner's program: its tree, what is kept of it, and what is left out.

    functions, classes: by name, the last of a name. loops: bodies with products of matrices in them, the innermost
    first. free: the names that somebody must supply, with the blocks that read them. modules: the programs beside this
    one that it imports, by name.
    """

    path: Path
    text: str
    places: list[Place]
    notes: list[Note]
    tree: ast.Module
    kept: list[ast.stmt] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    modules: dict[str, "Program"] = field(default_factory=dict)
    star_names: set[str] = field(default_factory=set)

    def place(self, line: int) -> Place:
        """Where a line of the text stands in the learner's file."""
        return self.places[min(max(line, 1), len(self.places)) - 1]

    def line(self, number: int) -> str:
        """A line of the text."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def namespace(self, supplied: dict[str, Any] | None = None, *, run: bool = False) -> "Namespace":
        """Carry out what is kept, with names that are free supplied; `run` carries out everything."""
        from deltarule.learn.namespace import build

        return build(self, supplied or {}, run=run)

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """The functions and classes outside of others, the last of each name."""
        return {node.name: node for node in definitions_in(self.kept)}

    @cached_property
    def constants(self) -> set[str]:
        """The names that kept statements give a value, imports and definitions aside."""
        return {name for node in self.kept for name in targets_of(node)} - set(self.definitions)

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each name that is imported stands for: a module, or one and a name in it."""
        return dict(imports_in(self.kept))

    @cached_property
    def known(self) -> set[str]:
        """Every name that the program defines or imports."""
        return {*self.definitions, *self.constants, *self.imports, *self.star_names}

    @cached_property
    def functions(self) -> dict[str, Block]:
        """Its functions, and those that it takes from programs beside it."""
        return (
            self.from_modules("functions")
            | {name: self.block(node) for name, node in self.definitions.items() if not isinstance(node, ast.ClassDef)}
            | {block.name: block for block in self.lambdas()}
        )

    @cached_property
    def classes(self) -> dict[str, Block]:
        """Its classes, and those that it takes from programs beside it."""
        return self.from_modules("classes") | {
            name: self.block(node) for name, node in self.definitions.items() if isinstance(node, ast.ClassDef)
        }

    @cached_property
    def loops(self) -> list[Block]:
        """The loops over steps, epochs or samples, wherever they stand, as functions: the innermost first."""
        return sorted(self.loop_blocks(), key=lambda loop: (loop.last.line - loop.place.line, loop.place.line))

    @cached_property
    def free(self) -> dict[str, tuple[str, ...]]:
        """The names that the functions and classes read and nobody defines, with the names of those that read them."""
        blocks = [*self.functions.values(), *self.classes.values()]
        names = sorted({name for block in blocks for name in block.reads})
        return {name: tuple(block.name for block in blocks if name in block.reads) for name in names}

    def calls(self, name: str) -> list[ast.Call]:
        """Every call of a function or a method of that name in the whole program, also in what is left out."""
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return [node for node in calls if name in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))]

    def from_modules(self, kind: str) -> dict[str, Block]:
        """Functions or classes of the programs beside this one, under the names by which they are imported."""
        found: dict[str, Block] = {}
        for name, origin in self.imports.items():
            module, _, of_it = origin.partition(":")
            if (program := self.modules.get(module)) is not None:
                blocks = getattr(program, kind)
                found |= {name: blocks[of_it]} if of_it in blocks else {}
                found |= {} if of_it else {f"{name}.{each}": block for each, block in blocks.items()}
        for program in (each for name, each in self.modules.items() if f"*{name}" in self.star_names):
            found |= getattr(program, kind)
        return found

    def block(self, node: Any, name: str = "", inside: str = "") -> Block:
        """A function or class with the names that it reads."""
        reads, writes = global_names(node)
        arguments = getattr(node, "args", None)
        return Block(
            name or node.name,
            node,
            self.place(node.lineno),
            self.place(node.end_lineno or node.lineno),
            tuple(each.arg for each in parameters_of(arguments)) if arguments else (),
            tuple(sorted(reads - self.known - BUILTINS)),
            tuple(sorted(reads & self.known)),
            tuple(sorted(writes)),
            product_count(node),
            inside,
        )

    def lambdas(self) -> Iterator[Block]:
        """Functions that are written as `name = lambda ...`."""
        for node in self.kept:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for name in targets_of(node):
                    yield self.block(node.value, name)

    def loop_blocks(self) -> Iterator[Block]:
        """Loops with two or more products of matrices in them."""
        owners = {id(child): node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        for node in (each for each in ast.walk(self.tree) if isinstance(each, Loop)):
            owner = owners.get(id(node))
            while owner is not None and not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef):
                owner = owners.get(id(owner))
            stops = any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Await) for each in ast.walk(node))
            if product_count(node) >= 2 and not stops:
                yield self.loop_block(node, getattr(owner, "name", ""))

    def loop_block(self, loop: Loop, inside: str) -> Block:
        """The body of a loop as a function of what it reads before it writes it."""
        flow = Flow()
        if isinstance(loop, ast.For):
            flow.reads |= set(targets_of(loop))
        flow.follow(loop.body)
        local = {each for node in ast.walk(loop) for each in targets_of(node)}
        fixed = {*self.definitions, *self.imports, *self.star_names, *BUILTINS} - local
        inputs = tuple(sorted(flow.reads - fixed))
        node = loop_function(f"loop_{loop.lineno}", loop, inputs)
        free = tuple(name for name in inputs if inside or name not in self.known)
        uses = tuple(sorted(flow.reads & fixed - BUILTINS))
        first, last = self.place(loop.lineno), self.place(loop.end_lineno or loop.lineno)
        writes = tuple(sorted(flow.writes))
        return Block(node.name, node, first, last, inputs, free, uses, writes, product_count(loop), inside)


def read_program(path: str | Path, *, seen: tuple[Path, ...] = ()) -> Program:
    """Read a program, a notebook or a page, and the programs beside it that it imports."""
    code = read_code(path)
    tree = ast.parse(code.text)
    if code.is_python2:
        Modern().visit(tree)
    program = Program(code.path, code.text, code.places, list(code.notes), tree)
    adopt_methods(tree)
    program.kept = [each for node in tree.body for each in keep(program, node)]
    for name, again in twice(program.kept):
        program.notes.append(Note(program.place(again.lineno), "twice", name))
    for node in (each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)):
        read_siblings(program, node, (*seen, code.path.resolve()))
    for name in ("definitions", "constants", "imports", "known"):
        program.__dict__.pop(name, None)  # which `keep` has asked for on its way
    return program


def read_siblings(program: Program, node: ast.Import | ast.ImportFrom, seen: tuple[Path, ...]) -> None:
    """Read the programs beside this one that a statement imports, and the names that a star brings."""
    origin = getattr(node, "module", None) or ""
    names = [origin] if origin else [alias.name for alias in node.names]
    for name in names:
        file = sibling(program.path.parent, name)
        if file is not None and file.resolve() not in seen and name not in program.modules:
            program.modules[name] = read_program(file, seen=seen)
    if origin and node.names[0].name == "*":
        if origin in program.modules:
            program.star_names |= {*program.modules[origin].known, f"*{origin}"}
        elif is_numeric(origin):
            module = import_module(alias_of(origin))
            program.star_names |= set(getattr(module, "__all__", dir(module)))


class Modern(ast.NodeTransformer):
    """What reads otherwise in Python 3: the methods of dictionaries, and `print (text) % values`."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.left, ast.Call) and getattr(node.left.func, "id", "") == "print":
            call, node.left = node.left, node.left.args[0] if node.left.args else node.left
            return ast.copy_location(ast.Call(call.func, [node], []), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys"}.get(node.attr, node.attr)
        return node


def adopt_methods(tree: ast.Module) -> None:
    """Move functions that take `self` first into the class before them: pages show methods one by one."""
    owner: ast.ClassDef | None = None
    for node in list(tree.body):
        if isinstance(node, ast.ClassDef):
            owner = node
        elif isinstance(node, ast.FunctionDef) and owner and node.args.args and node.args.args[0].arg == "self":
            owner.body.append(node)
            tree.body.remove(node)


def keep(program: Program, node: ast.stmt) -> list[ast.stmt]:
    """What of a statement is carried out; the rest goes to `left_out`."""
    if isinstance(node, Definition | ast.Import | ast.ImportFrom):
        return [node]
    if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return []
    if isinstance(node, ast.If | ast.Try) and not is_main_guard(node):
        parts = {part: getattr(node, part) for part in ("body", "orelse", "finalbody") if getattr(node, part, None)}
        choice = copy.copy(node)
        inner = {part: [each for one in body for each in keep(program, one)] for part, body in parts.items()}
        if not is_plain(program, getattr(node, "test", ast.Constant(True))):
            return [*inner["body"], *inner.get("orelse", [])] if any(map(definitions_in, inner.values())) else []
        for part, body in inner.items():
            setattr(choice, part, body or ([ast.copy_location(ast.Pass(), node)] if part == "body" else []))
        return [choice] if any(inner.values()) else []
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and targets_of(node):
        if node.value is None or is_plain(program, node.value):
            program.__dict__.setdefault("plain", set()).update(targets_of(node))
            return [] if node.value is None else [node]
        program.__dict__.setdefault("plain", set()).difference_update(targets_of(node))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and is_calm(program, node.value):
        return [node]
    what = program.line(node.lineno).strip()
    program.left_out.append(LeftOut(program.place(node.lineno), what, reason(program, node)))
    return []


def is_calm(program: Program, call: ast.Call) -> bool:
    """Whether a call only sets a seed, or how NumPy warns and prints."""
    return getattr(call.func, "attr", "") in CALM and all(is_plain(program, each) for each in call.args)


def is_main_guard(node: ast.AST) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and any(
        isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test)
    )


def is_plain(program: Program, node: ast.AST) -> bool:
    """Whether an expression is made of constants, of names of such, and of NumPy's functions of such alone."""
    if isinstance(node, ast.Constant | ast.Lambda):
        return True
    if isinstance(node, ast.Name):
        local = program.__dict__.get("plain", set())
        return node.id in local or node.id in CHEAP or isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.Attribute):
        return is_numeric_name(node) or is_plain(program, node.value)
    if isinstance(node, ast.Call):
        function = node.func
        if getattr(function, "attr", getattr(function, "id", "")) in READS or not is_plain(program, function):
            return False
        return all(is_plain(program, each) for each in [*node.args, *(word.value for word in node.keywords)])
    allowed = ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp | ast.Tuple | ast.List | ast.Dict | ast.Set
    allowed |= ast.Subscript | ast.Slice | ast.Starred | ast.JoinedStr | ast.FormattedValue
    if not isinstance(node, allowed):
        return False
    return all(is_plain(program, each) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))


def is_numeric_name(node: ast.AST) -> bool:
    """Whether an attribute is one of a module of numbers: np.pi, np.random.randn, math.sqrt."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math", "random", "num", "cp")


def reason(program: Program, node: ast.stmt) -> str:
    """Why a statement is left out."""
    names = [getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node)]
    called = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    calls = [getattr(each, "attr", getattr(each, "id", "")) for each in called]
    if is_main_guard(node):
        return "runs only as a script"
    if any(name in READS or name.startswith("read_") for name in calls):
        return "reads a file"
    if isinstance(node, Loop):
        return "loops"
    if any(is_drawing(name) for name in names):
        return "draws"
    if calls and isinstance(node, ast.Expr) and calls[0] == "print":
        return "prints"
    own = {each.name for each in program.tree.body if isinstance(each, Definition)}
    if own & set(calls):
        return "calls the program's own functions"
    return "needs what is left out" if isinstance(node, ast.Assign | ast.AugAssign) else "is not a constant"


def definitions_in(body: Iterable[ast.stmt]) -> list[Definition]:
    """The definitions among statements, and in their branches."""
    found: list[Definition] = []
    for node in body:
        if isinstance(node, Definition):
            found.append(node)
        else:
            found += definitions_in([each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)])
    return found


def imports_in(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names that statements import, with what they stand for."""
    for statement in body:
        for node in [] if isinstance(statement, Definition) else ast.walk(statement):
            if isinstance(node, ast.Import):
                yield from ((alias.asname or alias.name.partition(".")[0], alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((alias.asname or alias.name, f"{node.module}:{alias.name}") for alias in node.names)


def targets_of(node: ast.AST) -> list[str]:
    """The names that a statement itself gives a value: none of attributes or elements."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    if isinstance(node, ast.Delete):
        return []
    stored = (each for target in targets if target is not None for each in ast.walk(target))
    found = [each.id for each in stored if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    if isinstance(node, ast.If | ast.Try):
        found += [name for each in ast.iter_child_nodes(node) for name in targets_of(each)]
    return found


def twice(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """Definitions of a name that had another one before, unless the two are the same."""
    first: dict[str, Definition] = {}
    for node in definitions_in(body):
        if node.name in first and ast.dump(first[node.name]) != ast.dump(node):
            yield node.name, node
        first[node.name] = node


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """The parameters of a function that have names of their own."""
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def product_count(node: ast.AST) -> int:
    """How many products of matrices are written in some code."""
    operators = sum(isinstance(each, ast.MatMult) for each in ast.walk(node))
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return operators + sum(getattr(each, "attr", getattr(each, "id", "")) in PRODUCTS for each in calls)


def global_names(node: Any) -> tuple[set[str], set[str]]:
    """The names of the module that a definition reads, and those that it sets."""
    module = ast.Module([node if isinstance(node, ast.stmt) else ast.Expr(node)], [])
    reads, writes = set[str](), set[str]()
    tables = [symtable.symtable(ast.unparse(ast.fix_missing_locations(module)), "program", "exec")]
    own = getattr(node, "name", "")
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            outer = symbol.is_global() or table.get_type() == "module"
            reads |= {symbol.get_name()} if outer and symbol.is_referenced() else set()
            writes |= {symbol.get_name()} if symbol.is_declared_global() and symbol.is_assigned() else set()
    return reads - {own}, writes


@dataclass
class Flow:
    """The names that statements read before they have a value of theirs, and those that they give one."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)

    def follow(self, nodes: Iterable[ast.AST]) -> None:
        """Go through code in the order in which it runs."""
        for node in nodes:
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    self.reads |= {node.id} - self.writes
                else:
                    self.writes.add(node.id)
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
                again = [ast.Name(name, ast.Load()) for name in targets_of(node)]
                targets = getattr(node, "targets", None) or [node.target]  # type: ignore[union-attr]
                value = [node.value] if node.value is not None else []
                self.follow([*value, *(again if isinstance(node, ast.AugAssign) else []), *targets])
            elif isinstance(node, ast.For | ast.comprehension):
                self.follow([node.iter, node.target, *getattr(node, "body", []), *getattr(node, "ifs", [])])
            elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                inner = Flow(set(), set(self.writes))
                results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                inner.follow([*node.generators, *results])
                self.reads |= inner.reads
            elif isinstance(node, Definition | ast.Lambda):
                self.reads |= global_names(node)[0] - self.writes
                self.writes |= {node.name} if isinstance(node, Definition) else set()
            else:
                self.follow(ast.iter_child_nodes(node))


class Ending(ast.NodeTransformer):
    """Turns what a loop's body returns into all its variables."""

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return ast.copy_location(ast.parse("return locals()").body[0], node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # whose own returns stay


def loop_function(name: str, loop: Loop, inputs: tuple[str, ...]) -> Any:
    """A function that does what one pass through a loop does: `break` and `continue` end it."""
    body = [Ending().visit(copy.deepcopy(node)) for node in loop.body]
    once = ast.For(ast.Name("_", ast.Store()), ast.Tuple([ast.Constant(0)], ast.Load()), body, [])
    template: Any = ast.parse(f"def {name}({', '.join(inputs)}):\n    return locals()").body[0]
    template.body.insert(0, once)
    for node in (template, once, once.target, once.iter, *template.args.args, template.body[-1]):
        ast.copy_location(node, loop)
    return ast.fix_missing_locations(template)
