"""What a learner's file may contain: checked in its syntax tree, before anything runs.

An exercise needs NumPy, loops and arithmetic. Imports of anything else, names and attributes that give access to files,
frames or the interpreter, and methods with double underscores are refused, with the line. A refusal inside a function
of an exercise concerns that function; one elsewhere concerns the whole file.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any, NamedTuple

from deltarule.learn.lessons.child import MODULES, NAMES
from deltarule.learn.lessons.exercises import says

RULES = tomllib.loads((files(__package__) / "rules.toml").read_text(encoding="utf-8"))
ATTRIBUTES, HARMLESS = set(RULES["attributes"]), set(RULES["harmless"])


class Refusal(NamedTuple):
    """Something that an exercise may not contain. function: the top-level one that contains it, or ""."""

    line: int
    function: str
    says: str


def refusals(tree: ast.Module) -> list[Refusal]:
    """All that is not allowed in a file, sorted by line."""
    modules = dict(modules_by_name(tree))
    found = [
        Refusal(getattr(node, "lineno", 0), getattr(top, "name", ""), says(f"refused.{key}", name=name))
        for top in tree.body
        for node in ast.walk(top)
        for key, name in [*offenses(node, modules), *import_offenses(node)]
    ]
    return sorted(set(found))


def modules_by_name(tree: ast.AST) -> Iterator[tuple[str, ModuleType]]:
    """The modules that a file imports, where they are allowed, by the name that it gives them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in (each for each in node.names if each.name in MODULES):
                path = each.name if each.asname else each.name.partition(".")[0]
                yield each.asname or path, import_module(path)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            values = [
                (each.asname or each.name, getattr(import_module(node.module), each.name, 0)) for each in node.names
            ]
            yield from ((name, value) for name, value in values if isinstance(value, ModuleType))


def offenses(node: ast.AST, modules: dict[str, ModuleType]) -> Iterator[tuple[str, str]]:
    """What is not allowed in a node of the tree, other than imports, as (key of the sentence, name)."""
    if isinstance(node, ast.Attribute):
        if is_hidden(node.attr) or node.attr in ATTRIBUTES or leaves_module(node, modules):
            yield "attribute", node.attr
        if not isinstance(node.ctx, ast.Load) and ast.unparse(node.value) != "self":
            yield "attribute_change", ast.unparse(node)
    elif isinstance(node, ast.Name) and (node.id in NAMES or is_hidden(node.id)):
        yield "name", node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if isinstance(node, ast.ClassDef) and (node.bases or node.keywords):
            yield "base_class", node.name
        if is_hidden(node.name):
            yield "method", node.name
    elif isinstance(node, ast.MatchClass):
        yield "name", "match"
    elif isinstance(node, ast.Constant) and any(map(is_hidden, re.findall(r"__\w+__", str(node.value)))):
        yield "text", str(node.value)[:40]  # a format string could look it up
    for child in ast.iter_child_nodes(node) if not isinstance(node, ast.Attribute) else ():
        if isinstance(child, ast.Name) and child.id in modules:
            yield "bare_module", child.id


def import_offenses(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What is not allowed in an import, as ("import", name): a module not in MODULES, `*`, or a forbidden name."""
    if isinstance(node, ast.Import):
        yield from (("import", each.name) for each in node.names if each.name not in MODULES)
    elif isinstance(node, ast.ImportFrom) and (node.level or node.module not in MODULES):
        yield "import", "." * node.level + (node.module or "")
    elif isinstance(node, ast.ImportFrom):
        for each in node.names:
            value = getattr(import_module(str(node.module)), each.name, None)
            is_module = isinstance(value, ModuleType) and value.__name__ not in MODULES
            if each.name == "*" or each.name in ATTRIBUTES or each.name.startswith("_") or is_module:
                yield "import", f"{node.module}.{each.name}"


def is_hidden(name: str) -> bool:
    """Whether a name begins and ends with two underscores and is not listed as harmless."""
    return name.startswith("__") and name.endswith("__") and name not in HARMLESS


def leaves_module(node: ast.Attribute, modules: dict[str, ModuleType]) -> bool:
    """Whether an expression such as np.a.b leads to a forbidden module, or to an internal name of a module."""
    first, *names = ast.unparse(node).split(".")
    value: Any = modules.get(first)
    for name in names if value is not None else ():
        if name.startswith("_"):
            return True
        value = getattr(value, name, None)
    return isinstance(value, ModuleType) and value.__name__ not in MODULES
