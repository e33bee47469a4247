"""Run folders: everything about one training run, in files that are whole at any moment, even if the run is killed."""

import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec

from deltarule.atomic import write_atomically
from deltarule.errors import DISTRIBUTION, DataError, FileError, sentence
from deltarule.files.tensor_file import open_file, read_header, read_tensors, tensor_bytes
from deltarule.nn.arrays import Array
from deltarule.training.history import finite_row, table_text

MODEL = "model.safetensors"  # the network, as `model_file.save` writes it
RECIPE = "recipe.toml"  # what was asked for, with every default filled in
ENVIRONMENT = "environment.json"  # what it ran on: versions, platform, threads, seed, data hash
HISTORY_TABLE = "history.csv"  # a row an epoch, for a spreadsheet
HISTORY = "history.jsonl"  # the same, one JSON object an epoch, for a program
RECORDING = "recording.safetensors"  # where its parameters went, gradients, histograms: what pictures are drawn from
CHECKPOINTS = "checkpoints"  # the folder of `checkpoint.Checkpoints`
LOCK = ".lock"  # in the folder of checkpoints, too
FILES = (MODEL, RECIPE, ENVIRONMENT, HISTORY_TABLE, HISTORY, RECORDING)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DELTARULE_THREADS")


def is_run(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is that of a run, whose files another run may replace: its environment.json says so."""
    place = Path(path, ENVIRONMENT)
    try:
        found = json.loads(place.read_bytes()) if place.is_file() else {}
        return "data_hash" in found and "deltarule" in found["versions"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def start_run(
    path: str | os.PathLike[str], *, recipe: str, environment: Mapping[str, Any], is_new: bool = True
) -> Path:
    """A run folder with what is known before the first step. FileError where it cannot be made or written to.

    recipe: the resolved recipe, as TOML. environment: what `environment` returns. is_new: forget an older recording.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", error)
        raise FileError(f"a run needs a folder: got {path}, which cannot be made: {why}") from error
    write_atomically(folder / RECIPE, recipe.encode())
    if is_new:
        (folder / RECORDING).unlink(missing_ok=True)
    write_atomically(folder / ENVIRONMENT, (json.dumps(environment, indent=2) + "\n").encode())
    return folder


def environment(**more: Any) -> dict[str, Any]:
    """Where a run takes place: versions, platform, threads; and what more there is to know, as its seed."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = {"deltarule": installed(DISTRIBUTION), "numpy": installed("numpy"), "scipy": installed("scipy")}
    return {
        "versions": {"python": platform.python_version(), **packages},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "threads": {"cpus": cpus, **{name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}},
    } | more


def installed(package: str) -> str | None:
    """The version of an installed package; None for one that is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_history(run_folder: str | os.PathLike[str], rows: Sequence[Mapping[str, float | None]]) -> None:
    """Write both history files, in the place of older ones, after each epoch. FileError where they cannot be written.

    rows: an epoch each. A figure that is missing, or no finite number, becomes null or an empty cell.
    """
    finite = [finite_row(row) for row in rows]
    lines = "".join(json.dumps(row) + "\n" for row in finite)
    # An epoch can be shorter than a disk's answer, so nobody waits for it: a killed run still leaves whole files.
    write_atomically(Path(run_folder, HISTORY_TABLE), table_text(finite).encode(), sync=False)
    write_atomically(Path(run_folder, HISTORY), lines.encode(), sync=False)


def read_history(run_folder: str | os.PathLike[str]) -> list[dict[str, float | None]]:
    """The rows that `write_history` wrote. Raises FileError where there are none, DataError where they are damaged."""
    path = Path(run_folder, HISTORY)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise FileError(sentence("files.no_history", file=HISTORY, got=run_folder, error=error)) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(msgspec.json.decode(line, type=dict[str, int | float | None]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}, line {number}: expected a JSON object of numbers: {error}") from error
    return rows


def write_recording(run_folder: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write named arrays, float32 or float64, that a run has left. Raises FileError where they cannot be written."""
    write_atomically(Path(run_folder, RECORDING), tensor_bytes("a recording of a run", arrays), sync=False)


def read_recording(run_folder: str | os.PathLike[str]) -> dict[str, Array]:
    """What `write_recording` wrote. Raises FileError where there is none, DataError where it is damaged."""
    path = Path(run_folder, RECORDING)
    if not path.is_file():
        raise FileError(f"a run leaves {RECORDING}: got {run_folder}, where there is none; train with --run FOLDER")
    try:
        with open_file(path) as stream:
            return read_tensors(stream, read_header(stream)[1])
    except ValueError as error:
        raise DataError(f"{path}: a recording of a run was expected: {error}") from error


class FolderLock(FileIO):
    """A folder, made where there is none, that this process holds until it closes the lock, or ends.

    FileError where another process holds it, or it cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        place = folder / LOCK
        if place.is_symlink():  # in a folder from a stranger it may lead anywhere, and is written to
            raise FileError(f"the lock of a folder is a file: got {place}, a link; remove it, or give another folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            super().__init__(place, "a+")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", error)
            raise FileError(sentence("files.no_folder", folder=folder, why=why)) from error
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.seek(0)
            holder = self.read(32).decode(errors="replace").strip() or "another"
            self.close()
            raise FileError(sentence("files.two_runs", folder=folder, holder=holder)) from error
        self.seek(0)
        if not re.fullmatch(rb"\d*\n?", self.read(32)):
            self.close()
            raise FileError(sentence("files.lock", place=place))
        with suppress(OSError):  # the number is only for the message above
            self.truncate(0)
            self.write(f"{os.getpid()}\n".encode())

    def __del__(self) -> None:
        self.close()
