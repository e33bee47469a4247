#!/usr/bin/env python3
"""Changes the code in one place at a time, and prints which changes no test notices.

    python tests/faults/mutants.py --minutes 60       # go on with the 400 of seed 0, and keep what is found
    python tests/faults/mutants.py --only nn,native   # say what is known of these

300 changes of nn/, training/ and files/, and 100 of the library in C, are drawn by the seed: another comparison or
operator, another number, a statement left out. Each is made in a copy of the package, which the tests of its room run
on until one fails; those of C are compiled first. Results are kept in benchmarks/results/mutants.json for as long as
the changed file stays as it was.
"""

import argparse
import ast
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "benchmarks" / "results" / "mutants.json"
PACKAGE = ROOT / "src" / "deltarule"
N_PYTHON, N_C = 300, 100
MOST_SECONDS, MOST_WAITING = (
    400,
    3600.0,
)  # of a processor, and of the clock, for the tests of one change; more is noticed
SWAPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"),
}  # fmt: skip
C_SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
C_SWAPS |= {"+": "-", "-": "+", "*": "/", "/": "*", "+=": "-=", "-=": "+=", "*=": "/="}
C_CODE = re.compile(r"(?<=[\w)\]] )(<=|>=|==|!=|&&|\|\||[-+*]=|[-+*/<>])(?= [\w(-])|(?<![\w.\[x])\d+(?![\w.\]])")
# Room: where its files are, and the tests that run, in this order.
ALIKE = "tests/native/test_engines_alike.py tests/native/test_runs.py tests/native/test_same_bits.py"
PARTS = "tests/test_parts.py tests/test_parts_table.py tests/test_model.py tests/test_elsewhere.py tests/mistakes"
FILES = "tests/test_atomic.py " + " ".join(
    f"tests/cli/test_{name}.py" for name in ("resume", "export", "predict", "train")
)
ROOMS = {
    "nn": f"tests/nn tests/training {PARTS} {ALIKE} tests/inspection/explain tests/estimators tests/docs",
    "training": f"tests/training {PARTS} {ALIKE} tests/recipes tests/files {FILES} tests/estimators tests/docs",
    "files": f"tests/files {FILES} tests/test_same_answer.py {PARTS} tests/faults/test_hostility.py",
    "native": f"{ALIKE} tests/native/test_deform.py tests/training tests/nn tests/data tests/test_same_answer.py",
}


@dataclass(frozen=True)
class Mutant:
    """A change of a file: `was`, from the character number `start` on in a line (from 1), becomes `now`."""

    room: str
    file: str
    line: int
    start: int
    was: str
    now: str

    def text(self) -> str:
        """The changed file."""
        lines = (PACKAGE / self.file).read_text(encoding="utf-8").splitlines(keepends=True)
        before, rest = "".join(lines[: self.line - 1]), "".join(lines[self.line - 1 :])
        assert rest[self.start :].startswith(self.was), self
        return before + rest[: self.start] + self.now + rest[self.start + len(self.was) :]

    def __str__(self) -> str:
        """Where it is, and the line as it was."""
        lines = (PACKAGE / self.file).read_text(encoding="utf-8").splitlines()
        change = f"{self.was.splitlines()[0]} -> {self.now}"
        return f"{self.file}:{self.line}: {change:20s} | {lines[self.line - 1].strip()}"


# What may be changed


def python_mutants(room: str, path: Path) -> Iterator[Mutant]:
    """Every change of a Python file that is made here; none of docstrings, texts, annotations and decorators."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    encoded = source.encode()

    def at(node: Any, *, end: bool = False) -> int:
        line, column = (node.end_lineno, node.end_col_offset) if end else (node.lineno, node.col_offset)
        return int(starts[line - 1] + column)

    def made(first: int, last: int, now: str) -> Mutant:
        line = sum(each <= first for each in starts)
        start = len(encoded[starts[line - 1] : first].decode())
        return Mutant(room, path.relative_to(PACKAGE).as_posix(), line, start, encoded[first:last].decode(), now)

    def between(left: ast.AST, op: ast.AST, right: ast.AST) -> Iterator[Mutant]:
        was, now = SWAPS.get(type(op), ("", ""))
        first, last = at(left, end=True), at(right)
        found = re.search(rf"(?<![\w*/]){re.escape(was)}(?![\w*/=])", encoded[first:last].decode()) if was else None
        if found:
            yield made(first + found.start(), first + found.end(), now)

    for node in code_of(ast.parse(source)):
        if isinstance(node, ast.BinOp):
            yield from between(node.left, node.op, node.right)
        elif isinstance(node, ast.Compare):
            for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                yield from between(left, op, right)
        elif isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.op, node.values[1])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            yield made(at(node), at(node.operand), "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield made(at(node), at(node, end=True), str(not node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            yield made(at(node), at(node, end=True), repr(node.value * 2 if node.value else 1))
        elif isinstance(node, ast.AugAssign | ast.Raise) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield made(at(node), at(node, end=True), "pass")


def code_of(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, without annotations, decorators, texts, and what only a type checker reads."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    yield from code_of(each)


def c_mutants(path: Path) -> Iterator[Mutant]:
    """Changes of a file in C: operators and numbers, outside comments, declarations and what other processors need."""
    text = path.read_text(encoding="utf-8")
    bare = re.sub(r"/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)
    depth, skipped = 0, 0
    for number, line in enumerate(bare.splitlines(), 1):
        if line.startswith("#"):
            depth += line.startswith("#if") - line.startswith("#endif")
            skipped = depth if re.match(r"#(if|elif|else)", line) and "_H" not in line else min(skipped, depth)
            continue
        if not skipped and not re.match(r"\s*(typedef|enum|struct|for \(int)\b", line):
            for found in C_CODE.finditer(line):
                now = C_SWAPS.get(found[0]) or str(2 * int(found[0]) or 1)
                yield Mutant("native", path.relative_to(PACKAGE).as_posix(), number, found.start(), found[0], now)


def drawn(seed: int) -> list[Mutant]:
    """The changes of a seed, those of Python first; of C there are twice as many, since not all can be compiled."""
    rooms = ("nn", "training", "files")
    every = [
        each for room in rooms for path in sorted((PACKAGE / room).rglob("*.py")) for each in python_mutants(room, path)
    ]
    in_c = [
        each
        for path in sorted((PACKAGE / "native").glob("*.[ch]"))
        if path.name != "page.c"
        for each in c_mutants(path)
    ]
    rng = random.Random(seed)
    return rng.sample(every, N_PYTHON) + rng.sample(in_c, 2 * N_C)


# What notices it


class Copy:
    """A copy of the package in a folder of its own, in which one file at a time is changed."""

    def __init__(self, folder: Path) -> None:
        self.src, self.changes = folder / "src", 0
        shutil.copytree(PACKAGE, self.src / "deltarule", ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = os.environ | {"PYTHONPATH": str(self.src), "OPENBLAS_NUM_THREADS": "1"}
        (self.src / "deltarule" / "native" / "build.py").write_text(  # only for this processor: half the time
            (PACKAGE / "native" / "build.py").read_text(encoding="utf-8").replace('["v4", "v3"]', '["v3"]'),
            encoding="utf-8",
        )
        self.call(["-m", "compileall", "-q", str(self.src)], 600.0)
        self.load()

    def call(self, arguments: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run Python with these arguments; its exit code, -9 where it took too long, and what it printed."""
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, start_new_session=True, **options
        )
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        try:
            text = child.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return -9, child.communicate()[0]
        return child.returncode, text

    def load(self) -> bool:
        """Compile the library in C if its sources were changed; whether it loads."""
        return self.call(["-c", "from deltarule.native.loader import library; library()"], 120.0)[0] == 0

    def write(self, file: str, text: str) -> None:
        """Write a file, with a time of its own: what Python compiled before is not that of a changed file."""
        self.changes += 1
        path = self.src / "deltarule" / file
        path.write_text(text, encoding="utf-8")
        os.utime(path, times=(time.time() + 10 * self.changes,) * 2)

    def judged(self, mutant: Mutant) -> str | None:
        """The test that notices a change, "" if none does; None if the change cannot be compiled."""
        self.write(mutant.file, mutant.text())
        try:
            if mutant.file.endswith((".c", ".h")) and not self.load():
                return None
            return self.failing_test(mutant.room)
        finally:
            self.write(mutant.file, (PACKAGE / mutant.file).read_text(encoding="utf-8"))

    def failing_test(self, room: str) -> str:
        """The first of a room's tests that fails, "" if none does."""
        options = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-rfE"]
        code, text = self.call([*options, *ROOMS[room].split()], MOST_WAITING)
        first = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", text, re.MULTILINE)
        return "" if code == 0 else first[1] if first else f"exit code {code}"


def key_of(mutant: Mutant) -> dict[str, Any]:
    """What a result belongs to: the change, and the file as it was."""
    return asdict(mutant) | {"sha256": hashlib.sha256((PACKAGE / mutant.file).read_bytes()).hexdigest()[:16]}


def results_of(seed: int, only: Sequence[str]) -> Iterator[tuple[Mutant, dict[str, Any] | None]]:
    """The changes of a seed, each with its result, if there is one; of those in C as many as can be compiled."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    known = {json.dumps({name: row[name] for name in row if name != "noticed_by"}, sort_keys=True): row for row in kept}
    n_c = 0
    for mutant in (each for each in drawn(seed) if not only or each.room in only):
        row = known.get(json.dumps(key_of(mutant), sort_keys=True))
        n_c += mutant.room == "native" and (row is None or row["noticed_by"] is not None)
        if n_c <= N_C:
            yield mutant, row


def main() -> None:
    """Judge the changes that have no result yet, for as long as is said; then say which were not noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, metavar="N", help="how long to go on (0)")
    parser.add_argument("--only", default="", metavar="A,B", help=f"{', '.join(ROOMS)} (all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the drawing (0)")
    given = parser.parse_args()
    only = [each for each in given.only.split(",") if each]
    end = time.monotonic() + 60.0 * given.minutes
    for each in (signal.SIGINT, signal.SIGHUP):  # tests hear them, though this may run under nohup
        signal.signal(each, signal.SIG_DFL)
    sound: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        copy: Copy | None = None
        while time.monotonic() < end:
            mutant = next((each for each, row in results_of(given.seed, only) if row is None), None)
            if mutant is None:
                break
            copy = copy or Copy(Path(folder))
            if mutant.room not in sound:
                if failing := copy.failing_test(mutant.room):
                    sys.exit(f"{failing} fails without any change")
                sound.add(mutant.room)
            row = key_of(mutant) | {"noticed_by": copy.judged(mutant)}
            print(f"{mutant}\n    {row['noticed_by'] or '-'}", flush=True)
            rows = [*(json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []), row]
            KEPT.write_text("[\n" + ",\n".join(json.dumps(each) for each in rows) + "\n]\n", encoding="utf-8")
    for room in only or ROOMS:
        pairs = [(each, row) for each, row in results_of(given.seed, [room]) if row and row["noticed_by"] is not None]
        missed = [each for each, row in pairs if not row["noticed_by"]]
        share = 1.0 - len(missed) / max(len(pairs), 1)
        print(f"{room:10s} {len(pairs):4d} changes, {100 * share:.1f} % noticed")
        for each in missed:
            print(f"    {each}")


if __name__ == "__main__":
    main()
