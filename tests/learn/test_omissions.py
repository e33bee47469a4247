"""How a program was read, in words."""

from pathlib import Path

from deltarule.learn.code_files import Place
from deltarule.learn.omissions import notes, omission_behind, omissions, places_in_words, stop_behind
from deltarule.learn.program import read_program
from deltarule.learn.sandbox import Failure

SOURCE = """
x = open("a").read()
y = x + 1
z = y + 1
def f(n): return n
def f(n):
    print n
    raise ValueError, "no"
"""


def test_what_is_left_out_is_said_with_its_lines_and_why(tmp_path: Path) -> None:
    (path := tmp_path / "net.py").write_text(SOURCE, encoding="utf-8")
    program = read_program(path)
    assert omissions(program) == ("line 2 reads a file", "lines 3 and 4 need what is left out")
    python2, twice = notes(program)
    assert python2.startswith(
        "this is Python 2, read as Python 3 (lines 7 and 8): write print(...), raise Error(text);"
    )
    assert twice == "f is defined again, differently, in line 6; the last definition counts"


def test_what_is_not_python_is_said_once_each(tmp_path: Path) -> None:
    (path := tmp_path / "post.md").write_text("```python\nx = 1\n```\n```python\ny = = 2\n```\n", encoding="utf-8")
    assert notes(read_program(path)) == ("line 5 is not Python and is left out: invalid syntax",)


def test_places_are_counted_beyond_the_first_three() -> None:
    lines = [Place("a.py", n) for n in (3, 4, 4, 7, 8, 9)]
    assert places_in_words(lines) == "lines 3, 4, 7 and 2 more"
    assert places_in_words([Place("a.ipynb", 3, 2)]) == "cell 2, line 3"
    assert places_in_words([Place("a.ipynb", 3, 2), Place("a.ipynb", 1, 4)]) == "cell:line 2:3 and 4:1"


def test_a_name_that_is_missing_since_its_line_is_left_out_is_explained(tmp_path: Path) -> None:
    (path := tmp_path / "net.py").write_text("config = open('x').read()", encoding="utf-8")
    program = read_program(path)
    missing = Failure("NameError", "name 'config' is not defined")
    assert (
        omission_behind(program, missing) == "config gets its value in line 1, which is left out; --run runs it first"
    )
    assert omission_behind(program, Failure("NameError", "name 'confi' is not defined")) == ""
    assert omission_behind(program, Failure("ValueError", "'config'")) == ""


def test_a_call_that_does_not_end_by_itself_is_placed(tmp_path: Path) -> None:
    (path := tmp_path / "net.py").write_text("x = 1", encoding="utf-8")
    program = read_program(path)
    says = stop_behind(program, Failure("OutOfTime", "it did not return within 1 s", str(path), 1))
    assert says.startswith("net.py, line 1 was still running when its time was up")
    assert stop_behind(program, Failure("ValueError", "", str(path), 1)) == stop_behind(program, None) == ""
