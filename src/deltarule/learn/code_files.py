"""The code of a program: a .py file, the cells of a notebook, or the code of a Markdown page.

The code becomes one text that knows each line's origin. A line that does not parse because it is Python 2, a notebook
command, or has typographic quotes, is read as what was meant, and noted. What still does not parse is left out of a
notebook or a page, and refused in a .py file, as Python would.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from deltarule.errors import ProgramError, SettingError, closest, read_tables, sentence

PAGES = (".md", ".qmd", ".rmd", ".markdown", ".txt")
SUFFIXES = (".py", ".ipynb", *PAGES)
REPAIRS = [(re.compile(row["pattern"]), row) for row in read_tables("learn/vocabulary")["repairs"]]
PRINT = re.compile(r"(?:^|[:;])\s*(print)\b(?!\s*([(=.,;)]|$))")  # as a statement
PYTHON = re.compile(r"[\s{.]*(i?python|py|jupyter)[23]?\b", re.IGNORECASE)
FENCE = re.compile(
    r"[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(?P<mark>`{3,}|~{3,}|\{%-? *highlight|\{\{[<%] *highlight)(?P<info>.*)"
)
MAGIC = re.compile(r"\s*%%(\w+)(.*)")
PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "python", "python3", "debug"}


class Place(NamedTuple):
    """A line of a learner's file; in a notebook, the line of a code cell. Cells count from 1."""

    file: str
    line: int
    cell: int | None = None

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}"
            if self.cell is None
            else f"{self.file}, cell {self.cell}, line {self.line}"
        )


class Note(NamedTuple):
    """A remark on a line. kind: "python2", "magic", "typed", "syntax" (left out) or "twice" (defined again)."""

    place: Place
    kind: str
    says: str


class Chunk(NamedTuple):
    """The text of a file, a cell or a block of code. first: the number of its first line in the file or cell."""

    text: str
    first: int = 1
    cell: int | None = None
    is_sure: bool = True  # else it counts only if it is Python that does something


@dataclass
class Code:
    """The Python of a file as one text that parses, the place of each line, and notes."""

    path: Path
    text: str = ""
    places: list[Place] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def find_program(name: str) -> Path | None:
    """The program, notebook or page of that name, or the only one in a folder; None for a name with another ending.

    Raises SettingError if there is no such file, and for a folder without a program or with several.
    """
    path = Path(name)
    if path.is_dir():
        programs = [each for each in sorted(path.iterdir()) if each.suffix.lower() in (".py", ".ipynb")]
        if len(programs) != 1:
            found = (
                f"name one of {', '.join(map(str, programs[:10]))}" if programs else "use  deltarule check network.py"
            )
            raise SettingError(sentence("program.folder", name=name, got=len(programs) or "none", found=found))
        return programs[0]
    if path.suffix.lower() not in SUFFIXES:
        return None
    if not path.exists():
        beside = [each.name for each in path.parent.glob("*") if each.suffix.lower() in SUFFIXES]
        raise SettingError(f"a program must exist: got {name}" + (f"; {closest(path.name, beside)}" if beside else ""))
    return path


def read_code(path: Path) -> Code:
    """The Python in a file. ProgramError if it has none, or if a .py file does not parse."""
    code, text, suffix = Code(path), read_text(path), path.suffix.lower()
    read_chunks = notebook_chunks if suffix == ".ipynb" else page_chunks
    for chunk in [Chunk(text)] if suffix == ".py" else read_chunks(path, text):
        add_chunk(code, chunk)
    if not code.text.strip():
        raise ProgramError(sentence("program.no_code", path=path))
    return code


def read_text(path: Path) -> str:
    """The text of a file in any encoding, with Unix line endings. ProgramError if it is empty or not text."""
    content = path.read_bytes()
    if not content.strip():
        raise ProgramError(sentence("program.empty", path=path))
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if b"\0" in content[:8192] and encoding != "utf-16":
        raise ProgramError(sentence("program.binary", path=path))
    if encoding != "utf-16":
        with suppress(SyntaxError):
            encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # decodes every byte, so old comments do no harm
    return re.sub(r"\r\n?", "\n", text).replace("\f", "")


def notebook_chunks(path: Path, text: str) -> Iterator[Chunk]:
    """The code cells of a notebook, of format 3 or 4. ProgramError if it is not one, or not in Python."""
    try:
        book = json.loads(text)
        sheets = [book] if "cells" in book else book["worksheets"]
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
        facts = book.get("metadata", {})
        language = facts.get("language_info", {}).get("name") or facts.get("kernelspec", {}).get("language") or "python"
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
        sources = [source if isinstance(source, str) else "".join(source) for source in sources]
    except json.JSONDecodeError as error:
        raise ProgramError(sentence("program.bad_json", path=path, line=error.lineno, error=error.msg)) from error
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ProgramError(sentence("program.no_notebook", path=path)) from error
    if not str(language).lower().startswith(("python", "ipython")):
        raise ProgramError(sentence("program.language", path=path, language=language))
    for number, source in enumerate(sources, 1):
        magic = MAGIC.match(source)
        if magic is None or magic[1] in PYTHON_MAGICS or (magic[1] == "writefile" and ".py" in magic[2]):
            yield Chunk(source if magic is None else re.sub(r"%%.*", "", source, count=1), 1, number)


def page_chunks(path: Path, text: str) -> Iterator[Chunk]:
    """The blocks of Python in a page: marked as Python, or fenced or indented and valid Python; or all of a .txt."""
    lines = text.split("\n")
    start = 0
    if lines[0].strip() in ("---", "+++"):
        start = next((n + 1 for n, line in enumerate(lines) if n and line.strip() in ("---", "+++")), 0)
    blocks = [*fence_blocks(lines, start)]
    if not any(block.is_sure for block in blocks):
        blocks += indent_blocks(lines, start)
    found = [block for block in blocks if block.is_sure or does_something(block.text)]
    yield from found if found or path.suffix.lower() != ".txt" or not does_something(text) else [Chunk(text)]


def fence_blocks(lines: list[str], start: int) -> Iterator[Chunk]:
    """Blocks between fences, or between the highlight tags of Jekyll and Hugo. start: the index of the first line."""
    closing, first, info = "", 0, ""
    for number, line in enumerate([*lines, ""][start:], start + 1):
        if not closing:
            found = FENCE.match(line)
            if found and "`" not in found["info"]:
                mark, info, first = found["mark"], found["info"], number
                closing = rf"[\s>]*{re.escape(mark)}" if mark[0] in "`~" else r"\s*\{(%|\{[<%])-? */?(end)?highlight"
        elif re.match(closing, line) or number > len(lines):  # a page may break off
            is_named = bool(PYTHON.match(info))
            if is_named or not info.strip(" {}"):
                yield Chunk(dedent("\n".join(lines[first : number - 1])), first + 1, is_sure=is_named)
            closing = ""


def indent_blocks(lines: list[str], start: int) -> Iterator[Chunk]:
    """Blocks of lines that are indented by four spaces or a tab, after an empty line."""
    first = 0
    for number, line in enumerate([*lines, "end"][start:], start + 1):
        is_code = line.startswith(("    ", "\t"))
        if not first and is_code and not lines[number - 2].strip():
            first = number
        elif first and line.strip() and not is_code:
            yield Chunk(dedent("\n".join(lines[first - 1 : number - 1])), first, is_sure=False)
            first = 0


def does_something(text: str) -> bool:
    """Whether a text is valid Python with more than bare expressions, since words and numbers are valid, too."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return any(not isinstance(node, ast.Expr) for node in ast.parse(text).body)
    return False


def add_chunk(code: Code, chunk: Chunk) -> None:
    """Append a chunk to the code as Python 3, with notes; invalid code becomes empty lines, or in a .py an error."""
    lines = chunk.text.split("\n")
    places = [Place(code.path.name, chunk.first + n, chunk.cell) for n in range(len(lines))]
    error, n_before = None, len(code.notes)
    for _ in range(2 * len(lines) + 2):  # one repair at a time
        error, fix = syntax_error(lines), None
        if error is None or (fix := repair(lines, error)) is None:
            break
        code.notes.append(Note(places[fix[0] - 1], *fix[1:]))
    if error is not None:
        place = places[min(max(error.lineno or 1, 1), len(lines)) - 1]
        shown = f"{error.msg}\n    {(error.text or '').rstrip()}\n    {' ' * ((error.offset or 1) - 1)}^"
        if code.path.suffix.lower() == ".py":
            raise ProgramError(sentence("program.syntax", place=place, shown=shown))
        parts = parts_of(chunk)
        if len(parts) > 1:  # an error in one part leaves the others
            del code.notes[n_before:]
            for part in parts:
                add_chunk(code, part)
            return
        code.notes.append(Note(place, "syntax", shown))
        lines = [""] * len(lines)
    code.places += places
    code.text += "\n".join(lines) + "\n"


def parts_of(chunk: Chunk) -> list[Chunk]:
    """Split a chunk where definitions and imports with at most one space of indentation begin."""
    lines = chunk.text.split("\n")
    starts = [n for n, line in enumerate(lines) if re.match(r" ?(@|(def|class|import|from)\b)", line)]
    ends = [*(n for n in starts if n), len(lines)]
    return [
        Chunk(dedent("\n".join(lines[start:end])), chunk.first + start, chunk.cell)
        for start, end in zip([0, *ends], ends, strict=False)
    ]


def syntax_error(lines: list[str]) -> SyntaxError | None:
    """The syntax error in some lines, or None."""
    try:
        ast.parse("\n".join(lines) + "\n")
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:  # as for a million brackets
        return SyntaxError(str(error) or type(error).__name__, ("", 1, 1, lines[0][:80]))
    return None


def repair(lines: list[str], error: SyntaxError) -> tuple[int, str, str] | None:
    """Replace a line that has an error by what was meant; return (line, kind, what to write), None if unknown."""
    number = min(max(error.lineno or 1, 1), len(lines))
    if isinstance(error, TabError) and "\t" in "".join(lines):
        lines[:] = [line.expandtabs(8) for line in lines]  # as in Python 2
        return number, "python2", "spaces for tabs"
    for at in range(number, max(number - 30, 0), -1):  # the error may be reported after the statement that causes it
        if found := PRINT.search(lines[at - 1]):
            rewrite_print(lines, at, found.start(1))
            return at, "python2", "print(...)"
    for pattern, row in REPAIRS:
        changed = pattern.sub(row["instead"], lines[number - 1])
        if changed != lines[number - 1]:
            lines[number - 1] = changed
            return number, row["kind"], row["says"]
    return None


def rewrite_print(lines: list[str], number: int, start: int) -> None:
    """Put parentheses around the arguments of a Python 2 print statement, over several lines if necessary."""
    head = lines[number - 1][:start]
    rest = [lines[number - 1][start + 5 :], *lines[number : number + 50]]
    row, column, depth, end = 0, len(rest[0].rstrip()), 0, (1, 0)
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter([f"{line}\n" for line in rest]).__next__):
            depth += (token.string in tuple("([{")) - (token.string in tuple(")]}"))
            if token.type in (tokenize.NEWLINE, tokenize.COMMENT) or (depth == 0 and token.string == ";"):
                row, column = end[0] - 1, end[1]
                break
            end = token.end
    rest[0] = re.sub(r"^\s*(>>\s*[\w.]+\s*,?)?\s*", "", rest[0][: column if row == 0 else None])  # `>>file` of Python 2
    tail = lines[number - 1 + row][len(head) + 5 + column if row == 0 else column :]
    rest[row] = (rest[row][:column] if row else rest[0]).rstrip().rstrip(",")
    lines[number - 1 : number + row] = [f"{head}print({rest[0]}", *rest[1 : row + 1]]
    lines[number - 1 + row] += f"){tail}"
