"""A learner's program: the statements that are kept, those left out and why, and its imports.

The program is read here, not run. Imports, functions, classes and plain constants are kept; statements that read
files, train, draw or print at import are left out. `namespace.carry_out` executes what is kept.
"""

import ast
import builtins
import symtable
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from deltarule.errors import ProgramError, read_tables, sentence
from deltarule.learn.code_files import Code, Note, Place, read_code
from deltarule.learn.roles import role_of

TABLES = read_tables("learn/vocabulary")
CHEAP, CALM, READS, PRODUCTS = (set(TABLES["functions"][each]) for each in ("cheap", "calm", "reads", "products"))
PLAIN = set(TABLES["modules"]["plain"])
DRAWING = set(TABLES["modules"]["drawing"])
PYTHON2_NAMES: dict[str, Any] = {"xrange": range, "raw_input": input, "unicode": str, "long": int, "basestring": str}
BUILTINS = {*dir(builtins), *PYTHON2_NAMES, "__file__"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
Import = ast.Import | ast.ImportFrom
Loop = ast.For | ast.While


class LeftOut(NamedTuple):
    """A statement that is not executed. place, what: its first line.

    why: "reads a file", "draws", "prints", "loops", "runs only as a script", "calls the program's own functions",
    "needs what is left out", or "is not a constant". names: the names that the statement would set.
    """

    place: Place
    what: str
    why: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A function or a class of a program.

    parameters: without `self`; for a class, those of its constructor. reads: names of the module that it uses, but that
    the module does not define. products: how many matrix products are written in it.
    """

    name: str
    node: Any
    place: Place
    parameters: tuple[str, ...]
    reads: tuple[str, ...]
    products: int


@dataclass
class Program:
    """A learner's program: its tree, the kept and left-out parts, and the imported programs in its folder."""

    path: Path
    text: str
    places: list[Place]
    notes: list[Note]
    tree: ast.Module
    modules: dict[str, "Program"]
    values: dict[str, Any] = field(default_factory=dict)  # its variables by name, after all of it has run
    kept: list[ast.stmt] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def place(self, line: int) -> Place:
        """The place in the learner's file that a line of `text` comes from."""
        return self.places[min(max(line, 1), len(self.places)) - 1]

    def line(self, number: int) -> str:
        """The text of a line, by its number from 1; "" if there is no such line."""
        return self.text.split("\n")[number - 1] if 0 < number <= len(self.places) else ""

    def home(self, file: str) -> "Program":
        """The program with this file path, as in a traceback: an imported one in the folder, else this one."""
        beside = [each.home(file) for each in self.modules.values()]
        return next((each for each in beside if str(each.path) == file), self)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the program's syntax tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> dict[str, str]:
        """The origin of each name that the program imports: "module", or "module:name"."""
        found: dict[str, str] = {}
        for node in (each for each in self.nodes if isinstance(each, Import)):
            for alias in node.names:
                origin = f"{node.module or ''}:{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                found[alias.asname or (alias.name if ":" in origin else alias.name.partition(".")[0])] = origin
                if alias.name == "*":
                    found |= {name: f"{origin[:-1]}{name}" for name in self.names_of_star(origin[:-2])}
        return found

    def names_of_star(self, module: str) -> Iterable[str]:
        """The names that `from module import *` defines, for a program in the folder or a plain module; else none."""
        if module in self.modules:
            return self.modules[module].known
        module = TABLES["aliases"].get(module, module)
        with suppress(ImportError):
            loaded = import_module(module) if module.partition(".")[0] in PLAIN else None
            return getattr(loaded, "__all__", dir(loaded)) if loaded else ()
        return ()

    @cached_property
    def own(self) -> dict[str, Definition | ast.Assign]:
        """The syntax trees of the top-level functions, named lambdas and classes by name, the last of each name."""
        return {name: node for node in definitions_in(self.kept) for name in names_of(node)}

    @cached_property
    def constants(self) -> set[str]:
        """The names that kept statements set, other than functions and classes."""
        return {name for node in self.kept for name in names_of(node)} - set(self.own)

    @cached_property
    def known(self) -> set[str]:
        """Every name that the program defines or imports."""
        return {*self.own, *self.constants, *self.imports}

    @cached_property
    def hides(self) -> set[str]:
        """The names of builtins to which the module assigns, outside of functions and classes."""
        outside = [each for each in self.tree.body if not isinstance(each, Definition)]
        names = [each for node in outside for each in ast.walk(node) if isinstance(each, ast.Name)]
        return {each.id for each in names if isinstance(each.ctx, ast.Store)} & BUILTINS

    @cached_property
    def functions(self) -> dict[str, Block]:
        """The program's functions by name, and those that it imports from programs in its folder."""
        return {name: each for name, each in self.blocks.items() if not isinstance(each.node, ast.ClassDef)}

    @cached_property
    def classes(self) -> dict[str, Block]:
        """The program's classes by name, and those that it imports from programs in its folder."""
        return {name: each for name, each in self.blocks.items() if isinstance(each.node, ast.ClassDef)}

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The functions and classes, own and imported, by the name used here."""
        found: dict[str, Block] = {}
        for name, origin in self.imports.items():
            module, _, of_it = origin.partition(":")
            if module in self.modules:
                theirs = self.modules[module].functions | self.modules[module].classes
                inner = {f"{name}.{each}": block for each, block in theirs.items()}
                found |= (
                    theirs if of_it == "*" else {name: theirs[of_it]} if of_it in theirs else {} if of_it else inner
                )
        return found | {name: self.block(name, node) for name, node in self.own.items()}

    def block(self, name: str, node: Any) -> Block:
        """The Block of a definition: its parameters, the undefined names that it reads, its matrix products."""
        body = node.value if isinstance(node, ast.Assign) else node
        makers = [each for each in getattr(node, "body", []) if getattr(each, "name", "") == "__init__"]
        arguments = getattr((makers or [body])[-1], "args", None)
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs] if arguments else []
        names = tuple(each.arg for each in parameters if each.arg != "self")
        reads = global_names(node) - self.known - (BUILTINS - self.hides)
        return Block(name, node, self.place(node.lineno), names, tuple(sorted(reads)), product_count(node))

    @cached_property
    def free(self) -> dict[str, tuple[str, ...]]:
        """The undefined names that functions and classes read, each with the names of those that read it."""
        blocks = {**self.functions, **self.classes}
        names = sorted({name for block in blocks.values() for name in block.reads})
        return {name: tuple(each for each, block in blocks.items() if name in block.reads) for name in names}


def read_program(path: str | Path, *, seen: tuple[Path, ...] = ()) -> Program:
    """Read a program, notebook or page, and the programs in its folder that it imports. ProgramError if impossible."""
    path = Path(path).absolute()
    try:
        return program_of(read_code(path), seen)
    except RecursionError as error:
        raise ProgramError(sentence("program.deep", path=path)) from error


def program_of(code: Code, seen: tuple[Path, ...]) -> Program:
    """The Program made from code. seen: the programs that import it and are still being read, so that a cycle ends."""
    tree, path = ast.parse(code.text), code.path
    if any(note.kind == "python2" for note in code.notes):
        Modern().visit(tree)
    adopt_methods(tree)
    program = Program(path, code.text, code.places, code.notes, tree, {})
    for node in (each for each in ast.walk(tree) if isinstance(each, Import)):
        origin = getattr(node, "module", None)
        names = [alias.name for alias in node.names]
        for name in [origin, *(f"{origin}.{each}" for each in names)] if origin else names:
            file = sibling(path.parent, name)
            if file is not None and file not in (path, *seen) and name not in program.modules:
                program.modules[name] = read_program(file, seen=(*seen, path))
    sorter = Sorter(program)
    program.kept = [each for node in tree.body for each in sorter.statements_to_keep(node)]
    before: dict[str, str] = {}
    for definition in definitions_in(program.kept):
        for name in names_of(definition):
            if before.setdefault(name, ast.dump(definition)) != ast.dump(definition):
                program.notes.append(Note(program.place(definition.lineno), "twice", name))
    for each in ("imports", "own", "constants", "known", "hides"):
        program.__dict__.pop(each, None)  # cached before the program was complete
    return program


def sibling(folder: Path, name: str) -> Path | None:
    """The file in a program's folder that `import name` finds, with or without the name of its package; else None."""
    for place in (folder, folder.parent) if name.startswith(f"{folder.name}.") else (folder,):
        base = place.joinpath(*name.split("."))
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file() and file.stat().st_size:
                return file
    return None


def is_numeric(module: str) -> bool:
    """Whether a module is Python's own or NumPy's, which are imported at once."""
    module = module.partition(":")[0]
    top = TABLES["aliases"].get(module, module).partition(".")[0]
    return top == "numpy" or (top in sys.stdlib_module_names and top not in {*DRAWING, "__main__"})


class Modern(ast.NodeTransformer):
    """Rewrites what Python 3 reads differently from Python 2: the methods of dicts, and `print (text) % values`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys"}.get(node.attr, node.attr)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.left, ast.Call) and name_of(node.left.func) == "print" and node.left.args:
            call, node.left = node.left, node.left.args[0]
            return ast.copy_location(ast.Call(call.func, [node], []), node)
        return node


def adopt_methods(tree: ast.Module) -> None:
    """Move functions whose first argument is `self` into the class before them: pages show methods one by one."""
    owner: ast.ClassDef | None = None
    for node in list(tree.body):
        owner = node if isinstance(node, ast.ClassDef) else owner
        if owner and isinstance(node, ast.FunctionDef) and [each.arg for each in node.args.args[:1]] == ["self"]:
            owner.body.append(node)
            tree.body.remove(node)


@dataclass
class Sorter:
    """Decides which statements of a program to keep, in order. plain: the names that are constants so far."""

    program: Program
    plain: set[str] = field(default_factory=set)

    def statements_to_keep(self, node: ast.stmt) -> list[ast.stmt]:
        """The statements to execute of a statement: itself, parts of it, or none; the rest is added to left_out."""
        program = self.program
        if isinstance(node, Definition | Import):
            return [node]
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return []
        if isinstance(node, ast.If | ast.Try) and not is_main_guard(node):
            n_before = len(program.left_out)
            inner = [each for child in ast.iter_child_nodes(node) for each in self.branches_to_keep(child)]
            is_whole = n_before == len(program.left_out) and self.is_plain(getattr(node, "test", ast.Constant(0)))
            return [node] if is_whole else inner
        value = getattr(node, "value", None)
        names = names_of(node)
        if names and isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and value is not None:
            if self.is_plain(value) and not (isinstance(node, ast.AugAssign) and names[0] not in self.plain):
                self.plain.update(names)
                return [node]
            self.plain.difference_update(names)
        if isinstance(value, ast.Call) and name_of(value.func) in CALM and all(map(self.is_plain, value.args)):
            return [node]
        text = program.line(node.lineno).strip()
        program.left_out.append(LeftOut(program.place(node.lineno), text, reason(program, node), tuple(names)))
        return []

    def branches_to_keep(self, node: ast.AST) -> list[ast.stmt]:
        """The statements to execute in a part of an `if` or `try`: a branch or a handler; none in a condition."""
        if isinstance(node, ast.ExceptHandler):
            return [each for child in node.body for each in self.statements_to_keep(child)]
        return self.statements_to_keep(node) if isinstance(node, ast.stmt) else []

    def is_plain(self, node: ast.AST) -> bool:
        """Whether an expression is made of constants and of functions of Python and NumPy alone."""
        if isinstance(node, ast.Constant | ast.Lambda):
            return True
        if isinstance(node, ast.Name):
            origin = self.program.imports.get(node.id, "?").partition(":")[0].partition(".")[0]
            return node.id in self.plain or node.id in CHEAP or TABLES["aliases"].get(origin, origin) in PLAIN
        if isinstance(node, ast.Call) and name_of(node.func) in READS:
            return False
        if isinstance(node, ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp):
            names = {name for each in node.generators for name in names_of(each)}
            parts = [part for each in node.generators for part in (each.iter, *each.ifs)]
            results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return all(map(Sorter(self.program, self.plain | names).is_plain, [*parts, *results]))
        plain = ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp | ast.Tuple | ast.List | ast.Dict
        plain |= ast.Set | ast.Subscript | ast.Slice | ast.Starred | ast.JoinedStr | ast.FormattedValue
        plain |= ast.Call | ast.Attribute | ast.keyword
        children = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr | ast.keyword)]
        return isinstance(node, plain) and all(map(self.is_plain, children))


def is_main_guard(node: ast.AST) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and "__name__" in map(name_of, ast.walk(node.test))


def reason(program: Program, node: ast.stmt) -> str:
    """Why a statement is left out, in the words that LeftOut.why lists."""
    called = {name_of(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    rows = {
        "runs only as a script": is_main_guard(node),
        "reads a file": bool(called & READS) or any(name.startswith("read_") for name in called),
        "draws": any(name_of(each) in DRAWING for each in ast.walk(node)) and not isinstance(node, Loop),
        "loops": isinstance(node, Loop),
        "prints": isinstance(node, ast.Expr) and "print" in called,
        "calls the program's own functions": bool(called & {getattr(each, "name", "") for each in program.tree.body}),
        "needs what is left out": isinstance(node, ast.Assign | ast.AugAssign),
    }
    return next((why for why, is_so in rows.items() if is_so), "is not a constant")


def name_of(node: ast.AST) -> str:
    """The name of an expression: of a variable, or the last part of `a.b.c`; "" for other expressions."""
    return str(getattr(node, "id", getattr(node, "attr", "")))


def definitions_in(body: Iterable[ast.AST]) -> Iterator[Any]:
    """The definitions among statements and in their branches, lambdas with a name among them."""
    for node in body:
        if isinstance(node, Definition) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler):
            yield from definitions_in(ast.iter_child_nodes(node))


def names_of(node: ast.AST) -> list[str]:
    """The names that a definition, an assignment or a loop sets."""
    if isinstance(node, Definition):
        return [node.name]
    if isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
        return [name for each in ast.iter_child_nodes(node) for name in names_of(each)]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    stored = [each for target in targets if target is not None for each in ast.walk(target)]
    return [each.id for each in stored if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


def product_count(node: ast.AST) -> int:
    """The number of matrix products in some code."""
    calls = sum(name_of(each.func) in PRODUCTS for each in ast.walk(node) if isinstance(each, ast.Call))
    return calls + sum(isinstance(each, ast.MatMult) for each in ast.walk(node))


def is_literal(value: ast.expr | None) -> bool:
    """Whether an expression is a list or a call with no names but NumPy's, such as np.array([[0, 1], [1, 0]])."""
    names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)} if value else {""}
    return isinstance(value, ast.Call | ast.List) and names <= {"np", "numpy"}


def is_computed(value: ast.AST | None) -> bool:
    """Whether an expression has a matrix product, calls a function that belongs to a network, or one of our hooks."""
    value = value or ast.Pass()
    names = [name_of(each.func) for each in ast.walk(value) if isinstance(each, ast.Call)]
    is_known = any(role_of(each) in ("activation", "softmax", "derivative", "forward") for each in names)
    return is_known or bool(product_count(value)) or any(each.startswith("_deltarule") for each in names)


def global_names(node: ast.stmt) -> set[str]:
    """The global names, builtins included, that a definition reads."""
    tables, names = [symtable.symtable(ast.unparse(node), "program", "exec")], set[str]()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        is_module = table.get_type() == "module"
        names |= {
            each.get_name() for each in table.get_symbols() if each.is_referenced() and (each.is_global() or is_module)
        }
    return names - set(names_of(node))


def script_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The top-level statements of a module, with those inside `if __name__ == "__main__":`."""
    for node in body:
        if isinstance(node, ast.If) and is_main_guard(node):
            yield from script_statements(node.body)
        else:
            yield node


def leaves(target: ast.expr) -> Iterator[ast.expr]:
    """The single names or items in the target of an assignment: a, b and c in `(a, b), c`."""
    if isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from leaves(each)
    else:
        yield target
