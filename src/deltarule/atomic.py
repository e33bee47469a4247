"""Files that are written whole or not at all: whoever opens one finds the old content or the new, never a part."""

import errno
import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from deltarule.errors import FileError

ADVICE = {
    errno.ENOSPC: "the disk is full: make room and write again",
    errno.ENOENT: "its folder does not exist: create that first, or write elsewhere",
    errno.EACCES: "writing is not permitted there: choose another folder",
    errno.EPERM: "writing is not permitted there: choose another folder",
    errno.EROFS: "the disk is read-only: choose another folder",
}

UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # what network drives say that cannot do it
LOG = logging.getLogger("deltarule")
TEMPORARIES = ".deltarule-*.tmp"  # what a process leaves that is killed while it writes


@contextmanager
def written_atomically(path: str | os.PathLike[str], *, sync: bool = True) -> Iterator[BinaryIO]:
    """A binary stream whose content becomes the file `path` when the block ends; if the block fails, nothing changes.

    The stream is a temporary file in the same folder. A link is followed; an existing file keeps its permissions.

    sync: wait until the disk has it. False guards against a program that is killed, not against a power cut.

    Raises FileError where the file cannot be written; what was there before is then intact.

    >>> with written_atomically("numbers.txt") as stream:
    ...     stream.write(b"1 2 3")
    5
    """
    target = Path(os.path.realpath(path))
    # Its name does not depend on the target's, which may be as long as a name can be.
    temporary = target.with_name(TEMPORARIES.replace("*", secrets.token_hex(8)))
    try:
        _check_replaceable(target)
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except FileError:
        raise
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, f"{error.strerror or error}")
        raise FileError(f"{path} could not be written, and nothing was changed: {advice}") from error
    finally:
        with suppress(OSError):  # the failure that brought us here is the one to tell
            temporary.unlink(missing_ok=True)
    if sync:
        _sync_folder(target)


def write_atomically(path: str | os.PathLike[str], data: bytes, *, sync: bool = True) -> None:
    """Make `data` the content of the file `path`; arguments and errors as for `written_atomically`."""
    with written_atomically(path, sync=sync) as stream:
        stream.write(data)


def _check_replaceable(target: Path) -> None:
    if target.exists() and not target.is_file():
        what = "a folder" if target.is_dir() else "a device or pipe"
        raise FileError(f"a file can only take the place of a file: got {target}, which is {what}; give a file's name")


def _sync_folder(target: Path) -> None:
    """Make the new name itself survive a power cut, where the system can; the file is whole and in place anyway."""
    if sys.platform == "win32":  # which cannot open a folder
        return
    try:
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        says = f"{target} was written, but the disk has not confirmed its name: {error.strerror or error}"
        if error.errno in (errno.EACCES, errno.EPERM):
            LOG.warning("%s; a power cut could bring the older file back", says)
        elif error.errno not in UNSUPPORTED:
            raise FileError(f"{says}; look after the disk, and write again") from error
