"""How many wrong things in one file, or many wrong files, become one error."""

import os
from collections.abc import Iterable
from itertools import islice

from deltarule.errors import DataError

MOST_SHOWN = 20


def refuse(path: str | os.PathLike[str], expected: str, problems: Iterable[str]) -> None:
    """Raise DataError with the first 20 problems and the number of the rest; return where there are none."""
    remaining = iter(problems)
    shown = list(islice(remaining, MOST_SHOWN))
    n_hidden = sum(1 for _ in remaining)
    if shown:
        more = f"\n  and {n_hidden:,} more" if n_hidden else ""
        raise DataError(f"{path}: {expected} were expected: got\n  " + "\n  ".join(shown) + more)
