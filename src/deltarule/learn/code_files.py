"""What a file of a program holds: Python from a .py file, the cells of a notebook, or the code of a Markdown page.

All of it becomes one text with a place for every line. What does not parse is repaired where it is an older Python, a
magic of a notebook, or what an editor of text made of quotes; each repair is noted. What still does not parse is left
out of a notebook or a page, and refused in a .py file, as Python would.
"""

import ast
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from deltarule.errors import ProgramError, sentence

MARKDOWN = (".md", ".qmd", ".rmd", ".markdown", ".txt")
SUFFIXES = (".py", ".ipynb", *MARKDOWN)
PYTHON = re.compile(r"^[\s{.]*(python[23]?|py[23]?|ipython[23]?|jupyter)\b", re.IGNORECASE)
OPENING = re.compile(
    r"^(?P<indent>[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?)(?P<mark>`{3,}|~{3,}|\{%-?|\{\{[<%])\s*(?P<info>.*)$"
)
HIGHLIGHT = re.compile(r"^highlight\s+")
CELL_MAGIC = re.compile(r"^%%(\w+)(.*)$")
HARMLESS_MAGICS = {"time", "timeit", "capture", "prun", "python", "python3", "debug"}
TYPED = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "−": "-", "–": "-"})


class Place(NamedTuple):
    """A line of a learner's file: of a cell, counted as the notebook shows the code cells, where it is a notebook."""

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
    """What a reader should know about a place: kind is python2, magic, typed, syntax or twice."""

    place: Place
    kind: str
    says: str


class Chunk(NamedTuple):
    """Lines that belong together: a file, a cell or a block of code; `first` is where they begin in their file."""

    text: str
    first: int
    cell: int | None = None
    is_sure: bool = True  # else it counts only if it parses as more than a word


@dataclass
class Code:
    """The Python of a file as one text that parses, the place of each of its lines, and what was noted."""

    path: Path
    text: str = ""
    places: list[Place] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def is_python2(self) -> bool:
        """Whether something had to be changed that only Python 2 reads."""
        return any(note.kind == "python2" for note in self.notes)


def read_code(path: str | Path) -> Code:
    """The Python in a file. ProgramError where there is none, or where a .py file does not parse."""
    path = Path(path)
    code = Code(path)
    text = read_text(path)
    is_program = path.suffix.lower() == ".py"
    chunks = [Chunk(text, 1)] if is_program else list(FORMATS.get(path.suffix.lower(), markdown_chunks)(path, text))
    for chunk in chunks:
        add_chunk(code, chunk, must_parse=is_program)
    if not code.text.strip():
        raise ProgramError(sentence("program.no_code", path=path, what="code" if is_program else "Python code"))
    return code


def read_text(path: Path) -> str:
    """The text of a file, whatever its encoding and the ends of its lines. ProgramError for a file that is not text."""
    content = path.read_bytes()
    if not content.strip():
        raise ProgramError(sentence("program.empty", path=path))
    if b"\0" in content[:8192] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise ProgramError(sentence("program.binary", path=path))
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with suppress(SyntaxError):
        encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0] if encoding != "utf-16" else encoding
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # which reads every byte: comments in an older encoding harm nothing
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")


def notebook_chunks(path: Path, text: str) -> Iterator[Chunk]:
    """The code cells of a notebook, of format 3 or 4. ProgramError where it is not one, or not of Python."""
    try:
        book = json.loads(text)
        sheets = [book] if "cells" in book else book["worksheets"]
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
        told = book.get("metadata", {})
        language = told.get("language_info", {}).get("name") or told.get("kernelspec", {}).get("language") or "python"
    except json.JSONDecodeError as error:
        raise ProgramError(sentence("program.bad_json", path=path, line=error.lineno, error=error.msg)) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ProgramError(sentence("program.no_notebook", path=path)) from error
    if not str(language).lower().startswith(("python", "ipython")):
        raise ProgramError(sentence("program.language", path=path, language=language))
    for number, cell in enumerate(cells, 1):
        source = cell.get("source", cell.get("input", ""))
        source = source if isinstance(source, str) else "".join(map(str, source))
        magic = CELL_MAGIC.match(source.lstrip())
        if magic is None or magic[1] in HARMLESS_MAGICS or (magic[1] == "writefile" and ".py" in magic[2]):
            yield Chunk(source if magic is None else re.sub(r"(?m)\A\s*%%.*$", "", source), 1, number)


def markdown_chunks(path: Path, text: str) -> Iterator[Chunk]:
    """The blocks of code of a Markdown page; the whole of a text without any that parses as Python."""
    lines = text.split("\n")
    start = front_matter_end(lines)
    blocks = [*fenced_blocks(lines, start)]
    if not any(block.is_sure for block in blocks):
        blocks += indented_blocks(lines, start)
    if not blocks and path.suffix.lower() == ".txt" and parses(text):
        blocks = [Chunk(text, 1)]
    yield from (block for block in blocks if block.is_sure or is_program_text(block.text))


FORMATS: dict[str, Callable[[Path, str], Iterator[Chunk]]] = {".ipynb": notebook_chunks}


def front_matter_end(lines: list[str]) -> int:
    """The line after a page's front matter."""
    if lines[0].strip() in ("---", "+++"):
        return next((n + 1 for n, line in enumerate(lines) if n and line.strip() in ("---", "+++")), 0)
    return 0


def fenced_blocks(lines: list[str], start: int) -> Iterator[Chunk]:
    """Blocks between fences, or between the tags with which Jekyll and Hugo highlight code."""
    closing, first, info, content = "", 0, "", list[str]()
    for number, line in enumerate(lines[start:], start + 1):
        stripped = line.strip().lstrip("> ")
        if closing:
            if re.match(closing, stripped):
                text = textwrap.dedent("\n".join(content))
                named = info.strip().strip("{}").strip()
                if PYTHON.match(info) or not named:
                    yield Chunk(text, first, is_sure=bool(PYTHON.match(info)))
                closing = ""
            else:
                content.append(line)
        elif found := OPENING.match(line):
            mark, info, first, content = found["mark"], found["info"], number + 1, []
            if mark[0] in "`~":
                closing = re.escape(mark) + rf"{mark[0]}*\s*$" if "`" not in info else ""
            elif HIGHLIGHT.match(info):
                info, closing = HIGHLIGHT.sub("", info), r"\{(%-?|\{[<%])\s*/?(end)?highlight"
    if closing and PYTHON.match(info):  # a page that breaks off in the middle
        yield Chunk(textwrap.dedent("\n".join(content)), first)


def indented_blocks(lines: list[str], start: int) -> Iterator[Chunk]:
    """Blocks of lines that are indented by four spaces or a tab, after an empty line."""
    first, content, before = 0, list[str](), ""
    for number, line in enumerate([*lines[start:], "end"], start + 1):
        is_code = line.startswith(("    ", "\t"))
        if is_code and (content or not before.strip()):
            first, content = first if content else number, [*content, line]
        elif content and not line.strip():
            content.append(line)
        elif content:
            yield Chunk(textwrap.dedent("\n".join(content)), first, is_sure=False)
            content = []
        before = line


def parses(text: str) -> bool:
    """Whether a text is Python."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        ast.parse(text)
        return True
    return False


def is_program_text(text: str) -> bool:
    """Whether a text parses as Python that does something: a word or a number does, too, and is none."""
    return parses(text) and any(not isinstance(each, ast.Expr) for each in ast.parse(text).body)


def add_chunk(code: Code, chunk: Chunk, *, must_parse: bool) -> None:
    """Append a chunk to the code, repaired; or note, or refuse, what is wrong with it."""
    places = [Place(code.path.name, chunk.first + n, chunk.cell) for n in range(chunk.text.count("\n") + 1)]
    lines, repairs, error = repair(chunk.text)
    notes = [Note(places[min(line, len(places)) - 1], kind, says) for line, kind, says in repairs]
    if error is not None:
        place = places[min(max(error.lineno or 1, 1), len(places)) - 1]
        shown = f"{error.msg}\n    {(error.text or '').rstrip()}\n    {' ' * ((error.offset or 1) - 1)}^"
        if must_parse:
            raise ProgramError(sentence("program.syntax", place=place, shown=shown))
        notes.append(Note(place, "syntax", shown))
        lines = [""] * len(places)
    code.notes += notes
    code.places += places
    code.text += "\n".join(lines) + "\n"


class Repair(NamedTuple):
    """A line, counted from 1, what kind of repair it needed, and what to write instead."""

    line: int
    kind: str
    says: str


def repair(text: str) -> tuple[list[str], list[Repair], SyntaxError | None]:
    """The lines of a text as Python 3 reads them, how each was repaired, and what could not be."""
    lines, repairs = text.split("\n"), list[Repair]()
    for _ in range(2 * len(lines) + 2):
        try:
            ast.parse("\n".join(lines) + "\n")
        except TabError as error:
            expanded = [line.expandtabs(8) for line in lines]  # as Python 2 counted them
            if expanded == lines:
                return lines, repairs, error
            lines = expanded
            repairs.append(Repair(error.lineno or 1, "python2", "indent with spaces alone"))
        except SyntaxError as error:
            number = error.lineno or 1
            if not (fixed := repair_line(lines, number)):
                return lines, repairs, error
            repairs.append(fixed)
        except (ValueError, RecursionError, MemoryError) as error:  # as for a text with a million brackets
            return lines, repairs, SyntaxError(str(error) or type(error).__name__, ("", 1, 1, lines[0][:80]))
        else:
            return lines, repairs, None
    return lines, repairs, SyntaxError("invalid syntax", ("", 1, 1, lines[0][:80]))


PRINT = re.compile(r"(?:^|[:;])\s*(print)\b(?!\s*([(=.,;)]|$))")  # as a statement
PYTHON2 = (
    (re.compile(r"^(\s*except\s+[\w.]+|\s*except\s*\([^)]*\))\s*,\s*(\w+)\s*:"), r"\1 as \2:", "except Error as name:"),
    (re.compile(r"^(\s*raise\s+[\w.]+)\s*,\s*([^,]+)$"), r"\1(\2)", "raise Error(text)"),
    (re.compile(r"`([^`]+)`"), r"repr(\1)", "repr(x)"),
    (re.compile(r"<>"), "!=", "!="),
    (re.compile(r"\b(\d+)[lL]\b"), r"\1", "a whole number without L"),
    (re.compile(r"^(\s*)exec\s+(.+)$"), r"\1exec(\2)", "exec(text)"),
)


def repair_line(lines: list[str], number: int) -> Repair | None:
    """Change the line with a syntax error in place, if it can be read as what it was meant to be."""
    if not 1 <= number <= len(lines):
        return None
    line = lines[number - 1]
    indent = line[: len(line) - len(line.lstrip())]
    for at in range(number, max(number - 30, 0), -1):  # the error may stand behind the statement that begins it
        if found := PRINT.search(lines[at - 1]):
            rewrite_print(lines, at, found.start(1))
            return Repair(at, "python2", "print(...)")
    if re.match(r"\s*([%!?]|\w+\s*=\s*[%!])|.*\w\?\s*$", line):
        lines[number - 1] = f"{indent}pass"
        return Repair(number, "magic", line.strip())
    for pattern, instead, says in PYTHON2:
        if (changed := pattern.sub(instead, line)) != line:
            lines[number - 1] = changed
            return Repair(number, "python2", says)
    if (changed := re.sub(r"&(lt|gt|amp|quot);", _entity, line).translate(TYPED)) != line:
        lines[number - 1] = changed
        return Repair(number, "typed", changed.strip())
    return None


def _entity(found: re.Match[str]) -> str:
    return {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[found[1]]


def rewrite_print(lines: list[str], number: int, start: int) -> None:
    """Put brackets around what a print statement of Python 2 prints, on as many lines as it takes."""
    head = lines[number - 1][:start]
    rest = [lines[number - 1][start + 5 :], *lines[number : number + 50]]
    row, column, depth = 0, len(rest[0].rstrip()), 0
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter([f"{line}\n" for line in rest]).__next__):
            depth += (token.string in tuple("([{")) - (token.string in tuple(")]}"))
            if token.type in (tokenize.NEWLINE, tokenize.COMMENT) or (depth == 0 and token.string == ";"):
                row, column = token.start[0] - 1, token.start[1]
                break
    printed, tail = rest[row][:column].rstrip().rstrip(","), rest[row][column:]
    if row == 0:
        printed = re.sub(r"^\s*>>\s*[\w.]+\s*,?", "", printed).strip()  # where to does not matter here
        lines[number - 1] = f"{head}print({printed}){tail}"
    else:
        lines[number - 1] = f"{head}print({rest[0].strip()}"
        lines[number - 1 + row] = f"{printed}){tail}"
