"""Writes every file of deltarule: whole or not at all, and never over a user's own files.

A program that opens a file while it is being replaced reads the old content or the new, never a mix. A writer that
passes a `kind`, such as "model", replaces only an empty file, or a file of that kind that deltarule wrote; any other
file needs `force`. A file that the same command reads is never replaced.
"""

import errno
import json
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from deltarule.errors import LOG, FileError, SettingError, read_tables, sentence

AnyPath = str | os.PathLike[str]
ANOTHER = "give another name"  # the advice if a file may not be replaced
UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # errors of drives that cannot sync
WARNED = set[tuple[str, int]]()  # (key, drive) of each warning that was logged
TEMPORARIES = ".deltarule-*.tmp"  # temporary files; a killed process leaves one
HEAD, TAIL = 2**20 + 8, 2**16  # bytes at both ends of a file in which to look for its mark
HISTORY = {b"epoch", b"step", b"learning_rate", b"seconds", b"train_loss"}  # columns of every History
CREATOR = re.compile(rb"<dc:creator>\s*<cc:Agent>\s*<dc:title>deltarule</dc:title>")


def _description(head: bytes) -> Any:
    """The value of "deltarule" in the metadata of a safetensors file that begins with `head`: JSON, parsed, or text."""
    text = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])["__metadata__"]["deltarule"]
    return json.loads(text) if text.startswith("{") else text


def _is_picture(head: bytes, tail: bytes) -> bool:
    if head.startswith(b"\x89PNG"):
        return b"\x00\x00\x00\x12tEXtSoftware\x00deltarule" in head.partition(b"IDAT")[0]
    return b"/Creator (deltarule)" in tail if head.startswith(b"%PDF-") else bool(CREATOR.search(head))


SUFFIXES = {"model": ".safetensors", "npz file": ".npz", "ONNX file": ".onnx", "page": ".html", "history": ".csv"}
SUFFIXES |= {"table": ".csv"}
# For each kind, whether a file's first and last bytes carry deltarule's mark. A table has none, and needs `force`.
MARKS: dict[str, Callable[[bytes, bytes], bool]] = {
    "model": lambda head, _: "format" in _description(head),
    "checkpoint": lambda head, _: "checkpoint" in _description(head),
    "recording": lambda head, _: isinstance(_description(head), str),
    "npz file": lambda head, _: head[30:41] == b"meaning.npy" and '{"task":'.encode("utf-32-le") in head[:4096],
    "ONNX file": lambda head, _: b"\x12\x09deltarule" in head[:32],
    "page": lambda head, _: b'<meta name="generator" content="deltarule">' in head[:1024],
    "picture": _is_picture,
    "history": lambda head, _: set(re.findall(rb"\w+", head[:4096].partition(b"\n")[0])) >= HISTORY,
    "table": lambda *_: False,
}


def check_target(
    path: AnyPath, kind: str, *, force: bool = False, inputs: Iterable[Path] = (), another: str = ANOTHER
) -> None:
    """Raise FileError if a file of this kind cannot or must not be written at `path`, SettingError for a wrong suffix.

    Called before the work. force: replace any file except an input. inputs: files that the command reads, or folders of
    them, which are never replaced. another: advice that ends the message if the file must not be replaced.
    """
    target = _target(path)
    _refuse_to_lose(path, target, kind, force, inputs, another)
    try:
        if not stat.S_ISDIR(target.parent.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "")
        if not os.access(target.parent, os.W_OK):
            raise PermissionError(errno.EACCES, "")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {_advice(error)}") from error


@contextmanager
def atomic_stream(
    path: AnyPath, kind: str | None = None, *, force: bool = False, sync: bool = True
) -> Iterator[BinaryIO]:
    """Yield a binary stream. When the block ends, what was written becomes the file `path`; an error changes nothing.

    The stream is a temporary file in the same folder. A link's target is replaced; the old file's permissions are kept.

    kind, force: as for `check_target`. Without a kind any file is replaced, as is right in deltarule's own folders.
    sync: wait until the file is on the disk. With False, a power cut may destroy it; the end of the program does not.

    Raises FileError if the file cannot be written or may not be replaced; the old file is then intact.

    >>> with atomic_stream("numbers.txt") as stream:
    ...     stream.write(b"1 2 3")
    5
    """
    target = _target(path)
    # Its name does not contain the target's, which may already have the maximal length.
    temporary = target.with_name(TEMPORARIES.replace("*", secrets.token_hex(8)))
    try:
        _refuse_to_lose(path, target, kind, force)
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            if sync:
                try:
                    os.fsync(stream.fileno())
                except OSError as error:
                    if error.errno not in UNSUPPORTED:
                        raise
                    warn_once("files.no_sync", target.parent, error)
        _refuse_to_lose(path, target, kind, force)  # something may have been written there meanwhile
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} could not be written, and nothing was changed: {_advice(error)}") from error
    finally:
        with suppress(OSError):  # the first failure is the one to report
            temporary.unlink(missing_ok=True)
    if sync:
        _sync_folder(target)


def write_atomically(
    path: AnyPath, data: bytes, kind: str | None = None, *, force: bool = False, sync: bool = True
) -> None:
    """Write `data` to the file `path`; arguments and errors as for `atomic_stream`."""
    with atomic_stream(path, kind, force=force, sync=sync) as stream:
        stream.write(data)


def file_path(path: AnyPath) -> Path:
    """`path` as a Path. FileError if it ends in a slash, and so names a folder."""
    if os.fspath(path).endswith(("/", os.sep)):
        raise FileError(f"an output is a file: got {path}, which is a folder; give a file's name in it")
    return Path(path)


def _advice(error: OSError) -> str:
    """The advice in sentences.toml for an operating system's error; without one, the system's own message."""
    known = read_tables("sentences")["writing"]
    return str(known.get(errno.errorcode.get(error.errno or 0, ""), error.strerror or error))


def _target(path: AnyPath) -> Path:
    """The real path behind `path`, with all links resolved. FileError if no file can have that name."""
    path = file_path(path)
    try:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):  # of a new file or of its folder
            path.stat()
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise FileError(f"{os.fspath(path)!r} is not a name that a file can have ({error}): give another") from error
    except FileNotFoundError as error:
        raise FileError(f"{path} cannot be written: the current folder no longer exists; change to another") from error
    except OSError as error:
        raise FileError(f"{path} cannot be written: {_advice(error)}") from error


def _refuse_to_lose(
    path: AnyPath, target: Path, kind: str | None, force: bool, inputs: Iterable[Path] = (), another: str = ANOTHER
) -> None:
    """Raise FileError if `target` must not be replaced, SettingError if a new file has the suffix of another format."""
    try:
        there = target.stat()
    except OSError:
        own, ending = SUFFIXES.get(kind or "", ""), Path(path).suffix.lower()
        if kind and own not in ("", ending) and (row := read_tables("elsewhere")["endings"].get(ending)):
            values = {"own": Path(path).with_suffix(own), "kind": f"{'an' if kind[:1] in 'nO' else 'a'} {kind}"}
            raise SettingError(sentence("endings.other", path=path, what=row[0], writes=row[1], **values)) from None
        return
    if not stat.S_ISREG(there.st_mode):
        what = "a folder" if target.is_dir() else "a socket" if stat.S_ISSOCK(there.st_mode) else "a device or pipe"
        raise FileError(f"an output is a file: got {path}, which is {what}; give a file's name")
    if kind is None:
        return
    found = kind_of(target)
    if any(_is_part_of(there, each, is_ours=found == kind) for each in inputs):
        raise FileError(f"{path} is an input, and inputs are never replaced: {another}")
    is_other = found not in (kind, "nothing")
    if not force and (is_other or not os.access(target, os.W_OK)):
        what = f"is another kind of file ({found})" if is_other else "is write-protected"
        what = "exists, and deltarule did not write it" if found is None else what
        raise FileError(f"{path} {what}: pass force=True to replace it, or {another}")


def kind_of(path: Path) -> str | None:
    """The kind of the file at `path` if deltarule wrote it, "nothing" if it is empty, None for any other file."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL))
            tail = stream.read(TAIL)
    except OSError:
        return None
    for kind, is_marked in MARKS.items():
        with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):
            if is_marked(head, tail):
                return kind
    return None if (head + tail).strip() else "nothing"


def _is_part_of(there: os.stat_result, source: Path, *, is_ours: bool) -> bool:
    """Whether the file with the status `there` is `source`, or lies in the folder `source` (unless is_ours)."""
    levels = () if is_ours else ("*", "*/*", "*/*/*", "**/*")  # the last pattern does not follow links, the others do
    for each in [source, *(each for level in levels for each in source.glob(level))]:
        with suppress(OSError, ValueError):
            if os.path.samestat(there, each.stat()):
                return True
    return False


def warn_once(key: str, folder: Path, error: OSError) -> None:
    """Log the warning `key` of sentences.toml about the drive of `folder`, once for each drive; error: the cause."""
    if (drive := (key, folder.stat().st_dev)) not in WARNED:
        WARNED.add(drive)
        LOG.warning(sentence(key, folder=folder, why=error.strerror))


def _sync_folder(target: Path) -> None:
    """Sync the folder of `target`, so that the file's name survives a power cut. FileError if the disk fails."""
    if sys.platform == "win32":  # Windows cannot open a folder
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
            raise FileError(f"{says}; check the disk, and write again") from error
