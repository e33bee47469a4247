"""Who knows whom: what each room imports, and what the package shows to the world."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from syntax import ROOT, SOURCE, package

import deltarule

HEAVY = {"matplotlib", "onnx", "pandas", "PIL", "scipy", "sklearn", "starlette", "uvicorn", "websockets"}
ROOMS_OF_ONE_EXTRA = {
    "estimators": {"scipy", "sklearn"},
    "playground": {"starlette", "uvicorn"},
}


@cache
def modules() -> dict[str, ast.Module]:
    """The package's modules by their dotted names."""
    return {".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): tree for path, tree in package().items()}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: everything but the bodies of functions and what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from run_at_import(child)


def modules_imported(tree: ast.AST) -> Iterator[str]:
    """Every module of deltarule that a module knows: for types and inside functions, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else str(node.module)
        elif isinstance(node, ast.Import):
            yield from imported(node)


def test_no_circle_of_imports() -> None:
    """Modules that know none, or that none knows, are taken away until there are no more: circles are what is left."""
    knows = {name: set(modules_imported(tree)) & set(modules()) - {name} for name, tree in modules().items()}
    while ends := {name for name in knows if not knows[name] or not any(name in others for others in knows.values())}:
        knows = {name: others - ends for name, others in knows.items() if name not in ends}
    assert set(knows) == set()


def functions_that_call(room: str, *names: str) -> set[str]:
    """Those of a room that call a function or a method of one of these names."""
    found = set()
    for tree in (tree for name, tree in modules().items() if name.startswith(f"deltarule.{room}.")):
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            called = {getattr(each, "attr", getattr(each, "id", "")) for each in calls}
            found |= {function.name} if called & set(names) else set()
    return found


def test_training_has_one_loop_over_steps_and_one_call_of_many() -> None:
    assert functions_that_call("training", "step") == {"run_steps"}
    assert functions_that_call("training", "take_steps") == {"run_in_one_call"}
    assert functions_that_call("training", "backward") == {"run_steps"}
    assert functions_that_call("training", "run_steps") == {"_train_epoch"}
    assert functions_that_call("estimators", "run_steps") == {"_train_epoch", "_loss_and_gradient"}
    assert functions_that_call("estimators", "backward", "step", "take_steps") == set()
    assert functions_that_call("estimators", "forward") == {"_outputs", "hidden_activations"}  # after training, alone


def test_no_anonymous_tuple_of_more_than_three_crosses_a_border() -> None:
    found = []
    for path, tree in package().items():
        for node in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)):
            for annotation in filter(None, [node.returns, *(arg.annotation for arg in node.args.args)]):
                tuples = [each for each in ast.walk(annotation) if isinstance(each, ast.Subscript)]
                long = [each for each in tuples if isinstance(each.slice, ast.Tuple) and len(each.slice.elts) > 3]
                found += [f"{path.name} {node.name}" for each in long if ast.unparse(each.value) == "tuple"]
    assert found == []


def test_the_tests_mirror_the_rooms() -> None:
    """A folder of tests is called after the room that it tests, or says what it tests across rooms."""
    across = {"benchmarks", "browser", "docs", "examples", "faults", "goldens", "mistakes"}
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")} - {Path()}
    assert [str(folder) for folder in folders if folder.parts[0] not in across and not (SOURCE / folder).is_dir()] == []


def test_no_room_imports_the_house() -> None:
    """`deltarule` itself imports every room: a room that imports it goes up, which import-linter does not see."""
    assert [
        path.name for path, tree in package().items() for node in ast.walk(tree) if "deltarule" in imported(node)
    ] == []


@pytest.mark.parametrize("room", ["nn", "training"])
def test_mathematics_and_training_import_numpy_and_nothing_else(room: str) -> None:
    trees = [tree for path, tree in package().items() if path.is_relative_to(SOURCE / room)]
    names = {name.partition(".")[0] for tree in trees for node in ast.walk(tree) for name in imported(node)}
    assert "numpy" in names
    assert names - sys.stdlib_module_names <= {"numpy", "deltarule"}


def test_optional_dependencies_are_imported_inside_functions() -> None:
    """All but what a whole room stands on, and nobody imports without it, such as what estimators derive from."""
    found = {
        (path.name, name)
        for path, tree in package().items()
        for node in run_at_import(tree)
        for name in imported(node)
        if name.partition(".")[0] in HEAVY - ROOMS_OF_ONE_EXTRA.get(path.parent.name, set())
    }
    assert found == set()


def test_importing_deltarule_imports_little() -> None:
    program = "import sys, deltarule; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "deltarule" in loaded
    assert loaded & (HEAVY | {"click", "urllib.request"}) == set()


def test_the_public_names_are_complete() -> None:
    """Each is imported when it is first asked for, from where the stub that type checkers read imports it."""
    stub = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8"))
    homes = {
        alias.name: str(node.module) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    (listed,) = (ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign))
    assert homes == deltarule._ON_DEMAND
    assert sorted(listed) == deltarule.__all__
    absent = set() if find_spec("sklearn") else {"MLPClassifier", "MLPRegressor"}
    assert all(getattr(deltarule, name) is not None for name in set(deltarule.__all__) - absent)
    assert dir(deltarule) == sorted(deltarule.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Netwrok'"):
        getattr(deltarule, "Netwrok")  # noqa: B009


def test_everything_public_says_what_it_is() -> None:
    silent = [str(path.relative_to(SOURCE)) for path, tree in package().items() if not ast.get_docstring(tree)]
    for path, tree in package().items():
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        # The methods of a class that inherits may leave it to the base's docstring.
        scopes = [tree, *(node for node in classes if not node.name.startswith("_") and not node.bases)]
        for node in (child for scope in scopes for child in scope.body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                silent += [] if ast.get_docstring(node) else [f"{path.name}:{node.lineno} {node.name}"]
    assert silent == []
