"""The one door for text: what it shows, what it drops, and that nothing else lets text out of the command line."""

import ast
import io
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import deltarule
from deltarule.cli import printing
from deltarule.cli.printing import doors, in_a_line, note, print_json, print_text, table_text, visible
from deltarule.data.reading import print_to_stderr
from deltarule.files.model_file import load
from deltarule.training.callbacks import Progress

Command = Callable[..., Any]
PROGRAM = [sys.executable, "-m", "deltarule"]
SMALL = ["train", "linear", "--data", "digits", "--epochs", "2"]
COMMANDS = sorted((Path(deltarule.__file__).parent / "cli").glob("*.py"))

posix_only = pytest.mark.skipif(os.name != "posix", reason="pipes and devices as POSIX has them")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü 数字 😀\nand more", "plain äöü 数字 😀\nand more"),
        ("\x1b]52;c;cm0=\x07", "\\x1b]52;c;cm0=\\x07"),
        ("a\rb\tc\x00\x7f", "a\\rb\\tc\\x00\\x7f"),
        ("\x9b2J\x85", "\\u009b2J\\u0085"),
        ("\u202eabc\u2066\u200f\u061c", "\\u202eabc\\u2066\\u200f\\u061c"),
        ("\u2028\u2029\u200b\ufeff", "\\u2028\\u2029\\u200b\\ufeff"),
        ("\U000e0041\ud800", "\\U000e0041\\ud800"),
    ],
)
def test_what_drives_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown
    assert in_a_line(f"{text}\n") == shown.replace("\n", "\\n") + "\\n"


def test_escapes_in_a_recipe_and_in_json_read_back_as_what_they_stand_for() -> None:
    text = "\x9b\x85\u202e\u2028\U000e0041"
    assert tomllib.loads(f'says = "{visible(text)}"') == {"says": text}
    assert json.loads(f'"{visible(text[:-1])}"') == text[:-1]


def test_json_stays_json_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a\x7f\x1b\u202e\ud800\n": ["\x00\x9b\U000e0041", 1.5]}
    with doors():
        print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert out.isascii()
    assert "\x7f" not in out


def test_a_cell_does_not_leave_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    with doors():
        print_text(table_text([{"": "a\nb\x1b[2J", "n": "1"}, {"": "c", "n": "20"}]))
    assert capsys.readouterr().out.splitlines() == ["              n", "a\\nb\\x1b[2J   1", "c            20"]


class Broken(io.TextIOBase):
    """A stream to which nothing can be written."""

    def __init__(self, error: Exception) -> None:
        self.error, self.n_tried = error, 0

    def write(self, text: str) -> int:
        self.n_tried += 1
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed file")], ids=repr)
def test_what_cannot_be_written_is_dropped(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    out, err = Broken(error), Broken(error)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with doors() as results:
        for _ in range(3):
            note("a line")
            print_text("a result")
    assert isinstance(results.error, OSError)
    assert (out.n_tried, err.n_tried) == (1, 3)  # a result is not continued; a note may find room again


@pytest.mark.parametrize("stream", [None, Broken(OSError(5, "gone")), "closed"])
def test_a_line_of_the_library_ends_nothing_either(monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    print_to_stderr("a line")
    network = deltarule.Network((2, 2), rng=0)
    X, y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    history = deltarule.fit(network, X, y, epochs=2, callbacks=[Progress()])
    assert len(history) == 3


def full_pipe() -> tuple[int, int]:
    """A pipe without room."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(writer, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)
    return reader, writer


@posix_only
def test_a_reader_who_does_not_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = full_pipe()
    with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(sys, "stderr", stream)
        with doors():
            began = time.monotonic()
            for _ in range(20_000):
                note("a line")
            assert time.monotonic() - began < printing.PATIENCE_SECONDS
        assert time.monotonic() - began < 5 * printing.PATIENCE_SECONDS
        os.set_blocking(reader, False)
        content = b""
        while b"a line" not in content:  # what waited is there as soon as somebody reads
            try:
                content += os.read(reader, 2**16)
            except BlockingIOError:
                time.sleep(0.01)
        time.sleep(0.1)
        while True:
            try:
                os.read(reader, 2**16)
            except BlockingIOError:
                break
    os.close(reader)


@posix_only
def test_lines_above_a_status_are_escaped_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing.Door, "isatty", lambda door: True)
    monkeypatch.setenv("TERM", "xterm")
    with doors():
        printing.show_status("\x1b[1mbar")
        note("a\x1b[2J\nb")
        printing.show_status("")
        note("c")
    drawn, *lines = capsys.readouterr().err.split(f"\x1b[1mbar{printing.CLEAR}")
    assert (drawn, lines) == (printing.CLEAR, ["a\\x1b[2J\n", "b\n", "c\n"])


# whole processes: what a shell does to a command


@posix_only
@pytest.mark.parametrize(
    ("redirected", "code"),
    [
        ("2>&1 | head -n 4", 1),
        (">/dev/full", 1),
        (">&- 2>&- <&-", 0),
    ],
)
def test_the_model_is_saved_whatever_becomes_of_the_output(redirected: str, code: int) -> None:
    program = f"{sys.executable} -m deltarule {' '.join(SMALL)} {redirected}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr, "Exception" in done.stderr) == (code, False, False)
    assert load("model.safetensors").record["epochs"] == 2
    assert ("Error: the results could not be printed: No space left" in done.stderr) == (redirected == ">/dev/full")


@posix_only
def test_a_process_whose_notes_nobody_reads_ends(digits_model: Path) -> None:
    reader, writer = full_pipe()
    with subprocess.Popen(
        [*PROGRAM, "evaluate", digits_model], stdout=subprocess.PIPE, stderr=writer, text=True
    ) as process:
        out = process.communicate(timeout=60)[0]
    os.close(reader)
    os.close(writer)
    assert process.returncode == 0
    assert "of 360 images right" in out


@posix_only
def test_a_name_that_no_model_can_keep_is_refused_before_training(deltarule: Command) -> None:
    Path("a\udc9bb.csv").write_text("x,y\n" + "\n".join(f"{k},{'ab'[k % 2]}" for k in range(20)), encoding="utf-8")
    code, out, err = deltarule("train", "--data", "a\udc9bb.csv", "--target", "y", "--epochs", "1", "--run", "kept")
    assert (code, out) == (2, "")
    assert "a\\udc9bb.csv" in err.splitlines()[-1]
    assert err.splitlines()[-1].endswith("which is not; rename the file, the folder or the column")
    assert " 1/1 " not in err
    assert deltarule("train", "linear", "--set", "training.epochs=a\udc9bb").code == 2


@posix_only
def test_notes_come_before_the_results_in_one_stream(digits_model: Path) -> None:
    command = [*PROGRAM, "evaluate", digits_model]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    assert 0 == done.stdout.index("model ") < done.stdout.index("\ndata ") < done.stdout.index("images right")


@posix_only
def test_many_answers_end_where_nobody_reads_them(digits_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [",".join(["0"] * 784)] * 5000  # whose answers no pipe holds
    Path("rows.csv").write_text("\n".join(rows), encoding="utf-8")
    program = (
        f"{sys.executable} -m deltarule predict rows.csv --model {digits_model} | head -n 1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "Error" not in done.stderr


# nothing else lets text out


def ways_out(tree: ast.AST) -> Iterator[str]:
    """What prints past the door."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("print", "input"):
            yield node.id
        if isinstance(node, ast.Attribute) and node.attr in (
            "stdout",
            "stderr",
            "__stdout__",
            "__stderr__",
            "echo",
            "secho",
        ):
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            yield from names & {"echo", "secho", "stdout", "stderr"}
        made = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if made in ("Console", "StreamHandler"):
            yield made


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_text_leaves_the_command_line_by_its_door(path: Path) -> None:
    found = list(ways_out(ast.parse(path.read_text(encoding="utf-8"))))
    assert bool(found) == (path.name == "printing.py"), found


@pytest.mark.parametrize(
    "program",
    [
        "print(1)",
        "import sys; sys.stderr.write('')",
        "import click; click.echo('')",
        "from sys import stdout",
        "Console()",
    ],
)
def test_other_ways_out_are_found(program: str) -> None:
    assert list(ways_out(ast.parse(program)))
