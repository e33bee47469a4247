"""What all readers share: their options, their results, their messages and errors, and how files are opened.

Pipes and devices are refused: opening a pipe waits for its writer, and a device has no end. A file that declares more
than 2 GiB, or 200 times its compressed size, is refused before any memory is allocated. 2 GiB is 45 times MNIST,
which compresses fivefold. Real data never compress 200-fold; files made to fill the memory compress a thousandfold.
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
UNSUSPICIOUS = 2**20  # bytes that a compressed file of any size may contain: blank images compress well
GZIP_MAGIC = b"\x1f\x8b"


def print_to_stderr(message: str) -> None:
    """Print a sentence to stderr: the default `announce` of readers."""
    print_if_possible(message, sys.stderr)


def print_if_possible(text: str, stream: TextIO | None) -> None:
    """Print a line to `stream`; drop it silently if the stream is missing, closed or full, so that work goes on."""
    with suppress(OSError, ValueError):
        if stream is not None:
            print(text, file=stream)


def refuse(path: AnyPath, expected: str, problems: Iterable[str]) -> None:
    """Raise DataError if there are any `problems`; its message lists the first 20 and the number of the rest."""
    remaining = iter(problems)
    shown = list(islice(remaining, MOST_SHOWN))
    n_hidden = sum(1 for _ in remaining)
    if shown:
        more = f"\n  and {n_hidden:,} more" if n_hidden else ""
        raise DataError(f"{path}: {expected} were expected: got\n  " + "\n  ".join(shown) + more)


@dataclass(frozen=True, kw_only=True)
class How:
    """How to read a file: what the user's options say, and what a model needs.

    rows_only: only inputs are needed; the file may contain targets or not.
    target: the column of a table to learn, or, with `rows_only`, to skip. Without target and columns, a CSV is pixels.
    task, missing, without: as for `read_table`.
    columns, class_names: those of a model, to encode a table as in training. columns=() reads any columns of numbers.
    image_shape: the (height, width) that a picture must have; None for any.
    label: the column of classes in a CSV of pixels.
    size: the height and width in pixels to resize pictures to; None keeps their size.
    is_digit: whether a picture of any size becomes a digit in MNIST's format; `anyway`: even if it shows several.
    skip_bad: whether pictures that cannot be read are left out.
    is_unit: whether pixels become value / 255.
    unseen: for a string that is not among a column's categories, "error" raises, "other" reads it as none of them.
    announce: called with a sentence for each guess about a file.
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
        """Whether a CSV contains columns below a header, not pixels."""
        return self.target is not None or self.columns is not None


@dataclass(frozen=True, eq=False)
class Reading:
    """The content of a file.

    rows: the inputs for a model, (n_samples, n_features), as stored.
    examples: inputs with targets, to learn from; None if the file has no targets, or none were asked for.
    report: how each part of the file was read, in the order for printing; values that JSON can express.
    """

    rows: NDArray[Any]
    examples: Splits | None = None
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def splits(self) -> Splits:
        """The examples of the file. Raises DataError if it has no targets."""
        if self.examples is None:
            raise DataError(sentence("readers.no_targets", path=self.report["file"]))
        return self.examples


@contextmanager
def open_file(path: AnyPath, expected: str) -> Iterator[BinaryIO]:
    """Open a file of bytes. `expected`: what it should be, for messages, such as "a CSV file".

    Raises DataError for a pipe, a device or a socket, and if the file cannot be opened or, later, read.
    """
    refuse_special(path)
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: expected {expected}, but it cannot be read: {error.strerror}") from error


@contextmanager
def open_stored(path: AnyPath, expected: str) -> Iterator[BinaryIO | gzip.GzipFile]:
    """Open a file of bytes, as a GzipFile if its content is gzip. `expected` and errors are as for `open_file`."""
    with open_file(path, expected) as stored:
        is_compressed = stored.read(2) == GZIP_MAGIC
        stored.seek(0)
        try:
            with gzip.GzipFile(fileobj=stored) if is_compressed else nullcontext(stored) as content:
                yield content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{path}: expected a whole gzip file, but it is damaged or truncated: {error}") from error


def refuse_special(path: AnyPath) -> None:
    """Raise DataError for a pipe, a device or a socket; a missing file is reported when it is opened."""
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{path}: a file was expected: got a pipe, a device or a socket; save what it gives to a file")


def most_believed(compressed_bytes: int) -> int:
    """The most bytes to which a file of `compressed_bytes` may decompress; one that declares more is refused."""
    return MOST_SHRUNK * compressed_bytes + UNSUSPICIOUS
