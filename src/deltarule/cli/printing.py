"""Prints for every command: results to stdout, the rest to stderr. A failed or slow write does not stop a run.

While a command runs, `doors` replaces sys.stdout and sys.stderr with Door streams, so that messages of click, warnings
and the log pass through them too. A Door shows control characters as escapes, and drops text that it cannot write
because a terminal was closed, the disk is full, or the reader is gone.
"""

import errno
import io
import logging
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from deltarule.settings import in_a_line as in_a_line
from deltarule.settings import visible

if TYPE_CHECKING:
    from deltarule.nn.arrays import Array

CLEAR = "\r\x1b[K"  # clears the line of a terminal
MOST_WAITING = 1000  # lines that may wait for a slow reader of stderr; later ones are dropped
PATIENCE_SECONDS = 1.0  # to wait, once the work is done, for a reader of stderr that does not read


def paragraph(text: str) -> str:
    """The text with all lines but the first indented, so that a name with a newline cannot fake a line of output."""
    return re.sub(r"\n(?!  )", "\n  ", text)


class Door(io.TextIOBase):
    """A text stream that replaces stdout or stderr: it writes whole lines, with control characters as escapes.

    Text that cannot be written is dropped; error: the reason. first: another Door, which must finish writing before
    this one begins. status: a line, perhaps colored, that stays below all others on a terminal.

    Python's own buffers are bypassed: at exit Python would try again to write what is left in them, and fail.
    """

    encoding: str = "utf-8"

    def __init__(self, stream: TextIO | None, first: "PatientDoor | None" = None) -> None:
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)
        self.raw = raw if isinstance(raw, io.RawIOBase) else None
        self.stream, self.first = stream, first
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.error: OSError | None = None
        self.status = ""
        self._part = ""

    def write(self, text: str) -> int:
        lines, end, self._part = (self._part + text).rpartition("\n")
        if end:
            self._show(lines + end)
        return len(text)

    def flush(self) -> None:
        part, self._part = self._part, ""
        if part:
            self._show(part)

    def _show(self, text: str) -> None:
        if self.first is not None:
            self.first.wait()
        self.put(f"{CLEAR}{visible(text)}{self.status}" if self.status else visible(text))

    def put(self, text: str) -> None:
        """Write a text unchanged. After a failed write do nothing: a result with a gap is useless."""
        if self.error is None:
            self._deliver(text)

    def _deliver(self, text: str) -> None:
        try:
            if self.raw is not None:
                data = text.replace("\n", os.linesep).encode(self.encoding, "backslashreplace")
                while data:
                    n_written = self.raw.write(data)
                    if n_written is None:  # a pipe that is full and does not block
                        time.sleep(0.01)
                    data = data[n_written or 0 :]
            elif self.stream is not None:
                self.stream.write(text)
                self.stream.flush()
        except (OSError, ValueError) as error:
            self.error = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))

    def isatty(self) -> bool:
        return self.stream is not None and not self.stream.closed and self.stream.isatty()


class PatientDoor(Door):
    """A Door that never makes a run wait: a thread writes, and text is dropped while too much is waiting."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._waiting: Queue[str] = Queue(MOST_WAITING)
        self._is_stuck = False
        if self.raw is not None:
            Thread(target=self._deliver_all, name="stderr", daemon=True).start()

    def put(self, text: str) -> None:
        """Queue a text for the thread. After a failed write the next one is tried: the disk may have room again."""
        if self.raw is None:
            self._deliver(text)
            return
        with suppress(Full):
            self._waiting.put_nowait(text)

    def _deliver_all(self) -> None:
        while True:
            self._deliver(self._waiting.get())
            self._is_stuck = False
            self._waiting.task_done()

    def wait(self) -> None:
        """Wait until the thread has written everything; give up if the reader has stopped reading."""
        with self._waiting.all_tasks_done:
            while (n_left := self._waiting.unfinished_tasks) and not self._is_stuck:
                is_done = self._waiting.all_tasks_done.wait(PATIENCE_SECONDS)
                self._is_stuck = not is_done and self._waiting.unfinished_tasks == n_left


class Warnings(logging.Formatter):
    """Formats log records for stderr: all lines but the first are indented."""

    def format(self, record: logging.LogRecord) -> str:
        return paragraph(super().format(record))


@contextmanager
def doors() -> Iterator[Door]:
    """Run a block with a Door in place of sys.stdout and of sys.stderr; yields the Door for results, on stdout."""
    before = sys.stdout, sys.stderr
    notes = PatientDoor(sys.stderr)
    results = Door(sys.stdout, first=notes)
    sys.stdout, sys.stderr = results, notes
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Warnings())
    try:
        yield results
    finally:
        results.flush()
        notes.flush()
        notes.wait()
        sys.stdout, sys.stderr = before


def show_status(line: str) -> None:
    """Show `line` below all other lines of a terminal that understands escape codes; "" removes it."""
    knows_escapes = "WT_SESSION" in os.environ if sys.platform == "win32" else os.environ.get("TERM") != "dumb"
    if isinstance(sys.stderr, Door) and sys.stderr.isatty() and knows_escapes:
        sys.stderr.status = line
        sys.stderr.put(f"{CLEAR}{line}")


def print_text(text: str) -> None:
    """Print a result, to stdout."""
    print(text)


def note(text: str) -> None:
    """Print a message that is not the result, to stderr."""
    print(text, file=sys.stderr)


def print_result(value: Any, text: str, *, as_json: bool) -> None:
    """Print a result: `value` as JSON if as_json is True, else `text`."""
    print_json(value) if as_json else print_text(text)


def terminal_width() -> int:
    """How many characters fit in a line of the terminal."""
    return shutil.get_terminal_size().columns


def entry(title: str, text: str, indent: int = 9) -> str:
    """`title`, and `text` beside it from column `indent` on, in lines that fit the terminal and break between words."""
    from deltarule.inspection import presentation

    return presentation.entry(title, text, terminal_width(), indent, break_long_words=False)


def tell(title: str, text: str) -> None:
    """Print a message that is not the result to stderr, beside its title."""
    note(entry(title, text))


def print_json(value: Any) -> None:
    """Print one JSON value; a path becomes a string, and a number that is not finite null."""
    import json  # here, since `deltarule --help` prints none

    finite = json.loads(json.dumps(value, default=os.fspath), parse_constant=lambda name: None)
    print_text(json.dumps(finite, indent=2).replace("\x7f", "\\u007f"))  # the one control character that JSON allows


def table_text(rows: Sequence[Mapping[str, str]]) -> str:
    """A text table of rows {column: cell}: column names, then the rows; all columns but the first are right-aligned."""
    from deltarule.inspection.presentation import table

    head, *cells = ([in_a_line(cell) for cell in cells] for cells in (rows[0], *(row.values() for row in rows)))
    return "\n".join(table(head, cells, indent=0))


def encoding() -> str:
    """The name of stdout's encoding, which determines the characters that can be printed."""
    return sys.stdout.encoding


def image_text(pixels: "Array", image_shape: tuple[int, int]) -> str:
    """An image as text, from its pixels (height * width,)."""
    from deltarule.inspection.presentation import encodable, text_image

    return encodable(text_image(pixels.reshape(image_shape)), encoding()).strip("\n")


def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage, as in "98.85 %" for 0.9885."""
    return f"{100 * share:.2f} %"


def score_words(name: str, value: float) -> str:
    """A score as text, "accuracy 98.85 %" or "R2 0.9987"; any other `name` than "accuracy" gives R2."""
    return f"accuracy {percent(value):>8}" if name == "accuracy" else f"R2 {value:.4f}"
