"""What the readers say beside what they return: sentences for the user, and errors that list all that is wrong."""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import TextIO

from deltarule.errors import DataError

MOST_SHOWN = 20

Announce = Callable[[str], None]


def print_to_stderr(message: str) -> None:
    """Print a sentence where it does not mix with results: what readers do with theirs unless told otherwise."""
    print_if_possible(message, sys.stderr)


def print_if_possible(text: str, stream: TextIO | None) -> None:
    """Print a line, or drop it where the stream is gone, closed or full: the work that it tells of goes on."""
    with suppress(OSError, ValueError):
        if stream is not None:
            print(text, file=stream)


def refuse(path: str | os.PathLike[str], expected: str, problems: Iterable[str]) -> None:
    """Raise DataError with the first 20 problems and the number of the rest; return where there are none."""
    remaining = iter(problems)
    shown = list(islice(remaining, MOST_SHOWN))
    n_hidden = sum(1 for _ in remaining)
    if shown:
        more = f"\n  and {n_hidden:,} more" if n_hidden else ""
        raise DataError(f"{path}: {expected} were expected: got\n  " + "\n  ".join(shown) + more)
