"""What may be opened: to open a pipe is to wait for whoever writes to it, and a device has no end."""

import os
from pathlib import Path

from deltarule.errors import DataError


def refuse_special(path: str | os.PathLike[str]) -> None:
    """Raise DataError where a path leads to a pipe, a device or a socket; a missing file is for whoever opens it."""
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{path}: a file was expected: got a pipe, a device or a socket; save what it gives to a file")
