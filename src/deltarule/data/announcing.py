"""How the readers of data say what they do beside returning it: to a function, which prints unless told otherwise."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

Announce = Callable[[str], None]


def to_stderr(message: str) -> None:
    """Says it where it does not mix with results."""
    print_if_possible(message, sys.stderr)


def print_if_possible(text: str, stream: TextIO | None) -> None:
    """Print a line, or drop it where the stream is gone, closed or full: the work that it tells of goes on."""
    with suppress(OSError, ValueError):
        if stream is not None:
            print(text, file=stream)
