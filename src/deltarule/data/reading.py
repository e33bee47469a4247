"""What readers of all kinds share: what is asked of them, what they return, say and refuse, and how files are opened.

To open a pipe is to wait for whoever writes to it, and a device has no end. What a file declares is refused before
memory is taken for it: 2 GiB is 45 times MNIST, which deflate shrinks to a fifth. Real data never shrink
two-hundredfold; those made to fill the memory do so a thousandfold.
"""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.columns import Column
from deltarule.data.dataset import Splits
from deltarule.errors import DataError, sentence

Goal = Literal["classes", "values"]
Missing = Literal["error", "drop", "mean", "median", "indicator"]
Announce = Callable[[str], None]

MOST_SHOWN = 20
LARGEST = 2**31  # bytes
MOST_SHRUNK = 200
UNSUSPICIOUS = 2**20  # bytes that a few compressed ones may hold, such as blank images
GZIP_MAGIC = b"\x1f\x8b"


def print_to_stderr(message: str) -> None:
    """Print a sentence where it does not mix with results: what readers do with theirs unless told otherwise."""
    print_if_possible(message, sys.stderr)


def print_if_possible(text: str, stream: TextIO | None) -> None:
    """Print a line, or drop it where the stream is gone, closed or full: the work that it tells of goes on."""
    with suppress(OSError, ValueError):
        if stream is not None:
            print(text, file=stream)


def refuse(path: AnyPath, expected: str, problems: Iterable[str]) -> None:
    """Raise DataError with the first 20 problems and the number of the rest; return where there are none."""
    remaining = iter(problems)
    shown = list(islice(remaining, MOST_SHOWN))
    n_hidden = sum(1 for _ in remaining)
    if shown:
        more = f"\n  and {n_hidden:,} more" if n_hidden else ""
        raise DataError(f"{path}: {expected} were expected: got\n  " + "\n  ".join(shown) + more)


@dataclass(frozen=True, kw_only=True)
class How:
    """How to read a file: what the user says of it, or the model that is to answer it.

    rows_only: only inputs are wanted; targets may be there or not.
    target: the column of a table to learn, or, with `rows_only`, to pass over. A CSV without one holds pixels.
    task, missing, without: as for `read_table`.
    columns, class_names: those of a model, to count a table as it was counted there. () reads any columns of numbers.
    image_shape: the (height, width) that a picture must have; None for any.
    label: the column of a CSV of pixels that holds the classes.
    size: what pictures of any shape are brought to.
    is_digit: whether a picture of any size becomes a digit as MNIST has them; `anyway`: even if it shows several.
    skip_bad: whether pictures that cannot be read are left out.
    is_unit: whether pixels become value / 255.
    unseen: whether a text that a model has not learned is an error, or none of its categories.
    announce: gets a sentence for each guess about a file.
    """

    rows_only: bool = False
    target: str | None = None
    task: Goal | None = None
    missing: Missing = "error"
    without: Sequence[str] = ()
    columns: Sequence[Column] | None = None
    class_names: Sequence[str] = ()
    image_shape: tuple[int, int] | None = None
    label: str | None = None
    size: int | None = None
    is_digit: bool = False
    anyway: bool = False
    skip_bad: bool = False
    unseen: Literal["error", "other"] = "error"
    is_unit: bool = False
    announce: Announce = print_to_stderr

    @property
    def is_table(self) -> bool:
        """Whether a CSV holds columns below a header, and not pixels."""
        return self.target is not None or self.columns is not None


@dataclass(frozen=True, eq=False)
class Reading:
    """What came out of a file.

    rows: what a model is asked about, (n_samples, n_features), as it is stored.
    examples: the same with targets, to learn from; None where the file has no targets, or none were asked for.
    report: what was taken for what, by name, in the order in which to say it; all of it can be JSON.
    """

    rows: NDArray[Any]
    examples: Splits | None = None
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def splits(self) -> Splits:
        """The examples. Raises DataError where there are none."""
        if self.examples is None:
            raise DataError(sentence("readers.no_targets", path=self.report["file"]))
        return self.examples


@contextmanager
def open_file(path: AnyPath, expected: str, mode: str = "rb", **how: Any) -> Iterator[Any]:
    """A file as Path.open has it. `expected`: what messages call it.

    Raises DataError for a pipe, a device or a socket, and where it cannot be read, now or while its content is.
    """
    refuse_special(path)
    try:
        with Path(path).open(mode, **how) as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: expected {expected}, but it cannot be read: {error.strerror}") from error


@contextmanager
def open_stored(path: AnyPath, expected: str) -> Iterator[BinaryIO | gzip.GzipFile]:
    """A file, or a GzipFile, as its content tells and not its name. `expected` and errors: as for `open_file`."""
    with open_file(path, expected) as stored:
        is_compressed = stored.read(2) == GZIP_MAGIC
        stored.seek(0)
        try:
            with gzip.GzipFile(fileobj=stored) if is_compressed else nullcontext(stored) as content:
                yield content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{path}: expected a whole gzip file, but it is damaged or truncated: {error}") from error


def refuse_special(path: AnyPath) -> None:
    """Raise DataError where a path leads to a pipe, a device or a socket; a missing file is for whoever opens it."""
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{path}: a file was expected: got a pipe, a device or a socket; save what it gives to a file")


def most_believed(compressed_bytes: int) -> int:
    """How many bytes so many compressed ones are believed to hold."""
    return MOST_SHRUNK * compressed_bytes + UNSUSPICIOUS
