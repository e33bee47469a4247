"""Run folders: files with everything about one training run, never half written, and its environment."""

import ctypes
import errno
import json
import os
import platform
import re
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from deltarule.atomic import AnyPath, warn_once, write_atomically
from deltarule.errors import DISTRIBUTION, DataError, FileError, sentence
from deltarule.files.tensor_file import open_file, read_header, read_tensors, tensor_bytes
from deltarule.native import build
from deltarule.native.loader import instructions
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.training.engine import NATIVE, engine
from deltarule.training.history import finite_row, table_text
from deltarule.training.schedules import Cosine
from deltarule.training.trainer import fit

MODEL = "model.safetensors"  # the network, as `model_file.save` writes it
RUN = "run.json"  # the run's id, and its files with digests
RECIPE = "recipe.toml"  # the recipe, with every default filled in
ENVIRONMENT = "environment.json"  # what it ran on: versions, platform, threads, seed, data hash
HISTORY_TABLE = "history.csv"  # a row per epoch, for a spreadsheet
HISTORY = "history.jsonl"  # the same, one JSON object an epoch, for a program
RECORDING = "recording.safetensors"  # the network's parameters and gradients over time, for pictures
CHECKPOINTS = "checkpoints"  # the folder of `checkpoint.Checkpoints`
LOCK = ".lock"  # in the folder of checkpoints, too
FILES = (MODEL, RUN, RECIPE, ENVIRONMENT, HISTORY_TABLE, HISTORY, RECORDING)
HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # the errors for a lock that another process holds
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DELTARULE_THREADS")
STEPS = "three steps"
KERNEL = "scipy_openblas_get_corename64_"  # the function in NumPy's wheels that names the kernel of its BLAS


def is_run(path: AnyPath) -> bool:
    """Whether a folder is of an earlier run, by its environment.json: another run may then replace its files."""
    place = Path(path, ENVIRONMENT)
    try:
        found = json.loads(place.read_bytes()) if place.is_file() else {}
        return "data_hash" in found and "deltarule" in found["versions"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


class RunRecord(msgspec.Struct):
    """The content of run.json: the id of a run, and the SHA-256 of each of its files. Other files are of other runs."""

    id: str
    files: dict[str, str] = {}


class RunFiles:
    """Writes the files of one run, and run.json, to its existing folder. FileError if that fails.

    recipe: the resolved recipe, as TOML. environment: from `environment`. goes_on: whether to resume the run there.
    """

    def __init__(self, folder: AnyPath, *, recipe: str, environment: Mapping[str, Any], goes_on: bool = False) -> None:
        self.folder, self.record = Path(folder), RunRecord(secrets.token_hex(8))
        if goes_on:
            with suppress(FileError):  # a damaged record is written anew
                self.record = read_record(self.folder) or self.record
        self.write({RECIPE: recipe.encode(), ENVIRONMENT: f"{json.dumps(environment, indent=2)}\n".encode()}, sync=True)

    def write(self, contents: Mapping[str, bytes], *, sync: bool = False) -> None:
        """Write `contents`, bytes by file name, and list the files in run.json; `sync` waits for the disk."""
        for name, content in contents.items():
            write_atomically(self.folder / name, content, sync=False)
        self.note(contents, sync=sync)

    def note(self, contents: Mapping[str, bytes], *, sync: bool = True) -> None:
        """List files that were written, bytes by file name, in run.json, with the SHA-256 of each."""
        self.record.files |= {name: sha256(content).hexdigest() for name, content in contents.items()}
        write_atomically(self.folder / RUN, msgspec.json.format(msgspec.json.encode(self.record)), sync=sync)

    def write_history(self, rows: Sequence[Mapping[str, float | None]]) -> None:
        """Write both history files, a row per epoch. A missing or infinite figure or NaN is null, or an empty cell."""
        finite = [finite_row(row) for row in rows]
        lines = "".join(json.dumps(row) + "\n" for row in finite)
        self.write({HISTORY_TABLE: table_text(finite).encode(), HISTORY: lines.encode()})

    def write_recording(self, arrays: Mapping[str, Array]) -> None:
        """Write the recording of a run: named arrays, float32 or float64."""
        self.write({RECORDING: tensor_bytes("a recording of a run", arrays)})


def read_record(folder: Path) -> RunRecord | None:
    """Read run.json; None if the folder has none, as from an earlier deltarule. FileError if it is damaged."""
    path = folder / RUN
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecord) if path.exists() else None
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(sentence("files.damaged_run", path=path, error=error)) from error


def check_belongs(path: Path, content: bytes) -> None:
    """Raise FileError if `content` has another digest than run.json has for `path`; a history may have grown since."""
    record, digest, digests = read_record(path.parent), sha256(), list[str]()
    for part in content.splitlines(keepends=True) if path.name == HISTORY else [content]:
        digest.update(part)
        digests.append(digest.hexdigest())
    if record is not None and record.files.get(path.name) not in digests:
        raise FileError(sentence("files.other_run", path=path, id=record.id, record=path.with_name(RUN)))


def environment(**more: Any) -> dict[str, Any]:
    """The environment of this process, to save with a run: versions, platform, threads; and `more`, such as a seed."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = {"deltarule": version_of(DISTRIBUTION), "numpy": version_of("numpy"), "scipy": version_of("scipy")}
    return {
        "versions": {"python": platform.python_version(), **packages},
        "platform": platform.platform(),
        "machine": platform.machine(),
        "threads": {"cpus": cpus, **{name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}},
    } | more


def version_of(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    with suppress(PackageNotFoundError):
        return version(package)
    return None


@cache
def here(engine: str | None, dtype: str | None) -> dict[str, Any]:
    """The environment, and everything that the bits of a run with this engine and dtype depend on; computed once."""
    return environment(engine=fingerprint(engine or "", "float64" if dtype == "float64" else "float32"))


def fingerprint(engine_name: str, dtype: str) -> dict[str, str]:
    """What an engine's exact bits depend on, by name: the library and a digest of three steps, or NumPy's BLAS."""
    if engine_name == NATIVE and engine("auto").name == NATIVE:
        return {STEPS: three_steps(dtype), "library": build.sources_hash(), "instructions": instructions()}
    config: Any = np.show_config("dicts")
    blas, loaded = config["Build Dependencies"]["blas"], import_module("numpy._core._multiarray_umath").__file__
    if kernel := getattr(ctypes.CDLL(loaded), KERNEL, None):
        kernel.restype = ctypes.c_char_p
    computes_with = {"BLAS": f"{blas['name']} {blas['version']}", "kernel": kernel().decode() if kernel else "unknown"}
    return computes_with | {"processor": " ".join(config["SIMD Extensions"].get("found", []))}


def three_steps(dtype: str) -> str:
    """The digest of a small network's parameters after three steps, which draw every kind of random number."""
    pixels = (np.arange(39 * 36) * 40503 // 32 % 256).astype(np.uint8).reshape(39, 6, 6)
    network = Network((36, 20, 10), hidden="tanh", dropout=0.2, dtype=dtype, rng=0)
    more: dict[str, Any] = {"augment": {"rotation": 9, "elastic_alpha": 5}, "average": 0.9, "clip": 1.0}
    more["learning_rate"] = Cosine(0.01, 3)
    fit(network, pixels, np.arange(39) % 10, optimizer="adamw", epochs=1, batch_size=13, **more)
    return sha256(network.parameters.vector.tobytes()).hexdigest()[:16]


def read_history(run_folder: AnyPath) -> list[dict[str, float | None]]:
    """The rows that `write_history` wrote, one per epoch.

    Raises FileError if there are none, or they belong to another run, DataError if they are damaged.
    """
    path = Path(run_folder, HISTORY)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(sentence("files.no_history", file=HISTORY, got=run_folder, error=error)) from error
    check_belongs(path, content)
    rows = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            rows.append(msgspec.json.decode(line, type=dict[str, int | float | None]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}, line {number}: expected a JSON object of numbers: {error}") from error
    return rows


def read_recording(run_folder: AnyPath) -> dict[str, Array]:
    """The arrays that `write_recording` wrote. Raises FileError and DataError like `read_history`."""
    path = Path(run_folder, RECORDING)
    if not path.is_file():
        raise FileError(f"a run leaves {RECORDING}: got {run_folder}, where there is none; train with --run FOLDER")
    try:
        with open_file(path) as stream:
            check_belongs(path, stream.read())
            return read_tensors(stream, read_header(stream)[1])
    except ValueError as error:
        raise DataError(f"{path}: a recording of a run was expected: {error}") from error


class FolderLock(FileIO):
    """A lock on a folder, which is created if missing; this process holds it until it closes the lock, or ends.

    Raises FileError if another process holds the lock, or the folder cannot be created or written to.
    """

    def __init__(self, folder: Path) -> None:
        place = folder / LOCK
        if place.is_symlink():  # in a stranger's folder it may be a link to anywhere, and is written to
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

                self.seek(2**30)  # all lock the same byte, outside the text: what is locked, others cannot read
                msvcrt.locking(self.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in HELD:
                holder = self.holder() or "unknown"
                self.close()
                raise FileError(sentence("files.two_runs", folder=folder, holder=holder)) from error
            warn_once("files.no_locks", folder, error)
        if not re.fullmatch(r"(\d+( on \S* since [-\d: ]+)?)?", self.holder()):
            self.close()
            raise FileError(sentence("files.lock", place=place))
        with suppress(OSError):  # it is only for the message above
            self.truncate(0)
            self.write(f"{os.getpid()} on {platform.node()} since {time.strftime('%Y-%m-%d %H:%M')}\n".encode())

    def holder(self) -> str:
        """The text in the lock's file: the number, machine and start of the process that last held the lock."""
        self.seek(0)
        return self.read(512).decode(errors="replace").strip()

    def __del__(self) -> None:
        self.close()
