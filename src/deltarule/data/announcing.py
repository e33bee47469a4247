"""How the readers of data say what they do beside returning it: to a function, which prints unless told otherwise."""

import sys
from collections.abc import Callable

Announce = Callable[[str], None]


def to_stderr(message: str) -> None:
    """Says it where it does not mix with results."""
    print(message, file=sys.stderr)
