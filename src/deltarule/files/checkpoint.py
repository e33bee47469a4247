"""Checkpoints: files with the state of a training run, from which it resumes bit for bit, whatever ended it.

A checkpoint is checked as strictly as a model file. It contains a Snapshot's arrays and, under the metadata key
"deltarule", canonical JSON with a digest over all of it, including the arrays' names and shapes. Nothing is executed.
"""

import io
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from deltarule.atomic import TEMPORARIES, AnyPath, write_atomically
from deltarule.elsewhere import words
from deltarule.errors import LOG, DivergenceError, FileError, ModelFileError, SettingError, closest, sentence
from deltarule.files.model_file import model_bytes
from deltarule.files.run_folder import STEPS, FolderLock, here
from deltarule.files.tensor_file import METADATA_KEY, SignedFile, Slot, open_file, read_header, signed_file_bytes
from deltarule.model import Model
from deltarule.nn.network import with_meaning
from deltarule.public import public
from deltarule.settings import check, check_path
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.history import Monitor
from deltarule.training.snapshot import Snapshot, differences

FORMAT = 2
READABLE = (1, FORMAT)  # of format 1 only the weights are used: since format 2 a seed gives other steps
COPY_APART = 200  # copies in memory are this many times as far apart as one takes: half a percent of the time
MOST_HEADER = 2**24  # bytes of a tensor file's header to check
MODEL_FILES = (".safetensors", ".pt", ".pth", ".ckpt", ".h5", ".keras", ".npz", ".pkl")
KEPT = 2  # checkpoints: if the newest turns out to be damaged, there is another
STEP_FILES = f"step-{'[0-9]' * 12}.safetensors"  # a user's copy has another name, and is left alone


class CheckpointDescription(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of a checkpoint without its digest: a Snapshot without its arrays, and its environment."""

    checkpoint: Literal[1, 2]
    arrays: dict[str, Slot]
    columns: tuple[str, ...]
    identity: dict[str, str]
    record: dict[str, Any]
    surroundings: dict[str, Any]


@public()
class Checkpoints(Callback):
    """Saves the state of a run at intervals in a folder, and keeps the last two, so that a killed run can resume.

    folder: created if missing; one process at a time may use it.
    every_seconds: the time between saves: a killed run loses no more. every_steps: save after so many steps instead.
    record: anything else to save with each checkpoint, as JSON.

    The training thread copies the state, which takes a millisecond; another thread writes, one checkpoint at a time, so
    a slow disk gets fewer of them. Whatever ends the run, the state after its last complete step is saved, unless the
    loss has diverged; if the exception interrupts an update, a copy from a few steps earlier is saved. If a
    checkpoint cannot be written, a warning is logged, the older ones stay, and saving is tried again the next time.

    Checkpoints must be the last of the callbacks, to see what the others have done. The same program starts a run and,
    whatever ended it, resumes it:

    >>> network, data = Network((2, 8, 2)), Dataset(np.eye(2), np.array([0, 1]))
    >>> checkpoints = Checkpoints("checkpoints", every_seconds=30)
    >>> trainer = Trainer(network=network, callbacks=[checkpoints])
    >>> history = trainer.fit(data, resume=checkpoints.newest())
    """

    every_step = False

    def __init__(
        self,
        folder: AnyPath,
        *,
        every_seconds: float = 60.0,
        every_steps: int | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        check_path("folder of Checkpoints", folder)
        if Path(folder).suffix in MODEL_FILES and not (Path(folder).is_dir() or Path(folder).match(STEP_FILES)):
            raise SettingError(sentence("files.file_as_folder", folder=folder, stem=Path(folder).stem))
        check("every_seconds", every_seconds, type(self))
        check("every_steps", every_steps, type(self))
        self.folder, self.every_seconds, self.every_steps = Path(folder), every_seconds, every_steps
        self.record = dict(record or {})
        self.stopped = False
        self._good: list[Path] = []
        self._stop: BaseException | None = None
        self._state: TrainingState | None = None
        self._copy: Snapshot | None = None
        self._writing: Future[None] | None = None

    def newest(self) -> Snapshot | None:
        """The newest intact checkpoint, for `resume` of `fit`; None if the folder has none.

        Skipped checkpoints are logged as warnings, with the reason. Raises ModelFileError if there are checkpoints, but
        none is intact; FileError if another process uses the folder.
        """
        parent = self.folder.parent
        if parent.is_dir() and os.access(parent, os.W_OK) and not os.path.lexists(self.folder):
            return None  # the folder is created when the run begins
        with FolderLock(self.folder), suppress(FileNotFoundError):
            path, snapshot = newest_checkpoint(self.folder)
            self._good = [path]
            return snapshot
        return None

    @property
    def last(self) -> Path | None:
        """The path of the newest checkpoint that is known to be intact; None if there is none."""
        return self._good[-1] if self._good else None

    @property
    def can_break_off(self) -> bool:
        """Whether the state is complete now (no update is in progress), so that the last step could be saved."""
        return self._state is None or not self._state.buffers.is_changing

    def stop(self, error: BaseException) -> None:
        """End the run at its next step with `error`, after saving that step; another thread may call this."""
        self._stop = error

    def train_begin(self, state: TrainingState) -> None:
        if state.listeners[-1] is not self:
            raise SettingError("checkpoints must be the last of the callbacks, to see what the others have done")
        self._lock, last = FolderLock(self.folder), self.last
        found = sorted(self.folder.glob(STEP_FILES))
        if found and not (last in found and step_of(last) == state.step):  # another run may have written meanwhile
            self._lock.close()
            raise SettingError(sentence("files.other_checkpoints", folder=self.folder, newest=found[-1]))
        for litter in self.folder.glob(TEMPORARIES):  # from a process that was killed while writing
            _remove(litter)
        state.identity()  # reads all data once: better now than in the middle of a step
        self._state, self._step, self._copy, self.stopped = state, state.step, None, False
        self._due, self._copy_due = time.monotonic(), time.perf_counter()
        self._writer = ThreadPoolExecutor(1, "checkpoints")

    def step_end(self, state: TrainingState) -> None:
        is_writing = self._writing is not None and not self._writing.done()
        if not is_writing:
            self.wait()  # returns at once, and warns if the last one could not be written
        now = time.monotonic()
        if self._stop is not None:
            error, self._stop, self.stopped = self._stop, None, True
            raise error
        every = self.every_steps
        is_due = now >= self._due if every is None else state.step // every > self._step // every
        if is_due and not is_writing:
            self._due = now + self.every_seconds
            self._write(Snapshot.of(state, self.record))
        elif (began := time.perf_counter()) >= self._copy_due:
            self._copy = Snapshot.of(state, self.record)
            self._copy_due = began + COPY_APART * (time.perf_counter() - began)

    def train_end(self, state: TrainingState) -> None:
        try:
            if state.left_off is not None and (state.step > self._step or state.ending is None):
                self._write(Snapshot.of(state, self.record))
            elif self._copy is not None and not isinstance(state.ending, DivergenceError | None):
                self._write(self._copy)
            self.wait()
        finally:
            self._writer.shutdown()
            self._lock.close()

    def wait(self) -> None:
        """Wait until the last checkpoint is on the disk; warn if it could not be written."""
        writing, self._writing = self._writing, None
        error = None if writing is None else writing.exception()  # raised here, it would keep this frame alive
        if isinstance(error, OSError | MemoryError):
            LOG.warning("checkpoint not saved: %s", str(error) or "there is not enough memory")
        elif error is not None:
            raise error

    def _write(self, snapshot: Snapshot) -> None:
        self.wait()
        self._step, self._copy = snapshot.step, None
        self._writing = self._writer.submit(self._put, snapshot)

    def _put(self, snapshot: Snapshot) -> None:
        path = self.folder / f"step-{snapshot.step:012d}.safetensors"
        if path.is_symlink():  # in a stranger's folder it may be a link to anywhere
            _remove(path)
        if _is_of_another_program(path):
            raise FileError(f"{path} belongs to another program, and stays: give a separate folder")
        write_atomically(path, checkpoint_bytes(snapshot))
        self._good = [*(each for each in self._good if each != path), path][-KEPT:]
        for other in set(self.folder.glob(STEP_FILES)) - set(self._good):
            if not _is_of_another_program(other):
                _remove(other)


@public()
class ModelCheckpoint(Callback):
    """Saves the network after each epoch, including epoch 0, in a file that `load` reads.

    path: the file; it may contain columns of the history: "epoch{epoch:02d}-{validation_loss:.3f}.safetensors". An
        older model of that name is replaced, any other file only with `force`.
    monitor: the column to compare; a loss should fall, an accuracy or r2 rise, unless `mode` is "min" or "max".
    save_best_only: save only if the monitored figure is the best so far. The last file is then the network that `fit`
        keeps, if `fit` chooses by the same column.
    min_delta: by how much a new best must beat the old one.
    model: the meaning of the network's numbers (task, class names, scaling); by default the network's own.

    The saved parameters are those that are validated: with a moving average, the average. Keras saves no epoch 0.

    Raises SettingError, before the first step, if the history lacks the column; FileError if it cannot write a file.

    >>> best = ModelCheckpoint("best.safetensors", save_best_only=True)  # fit(network, X, y, callbacks=[best], ...)
    """

    def __init__(
        self,
        path: AnyPath,
        monitor: str = "validation_loss",
        *,
        mode: str = "auto",
        save_best_only: bool = False,
        min_delta: float = 0.0,
        model: Model | None = None,
        force: bool = False,
    ) -> None:
        check_path("path of ModelCheckpoint", path)
        check("min_delta", min_delta)
        self.pattern, self.save_best_only, self.model, self.force = os.fspath(path), save_best_only, model, force
        self.monitor = Monitor(monitor, mode, min_delta)
        self.latest: Path | None = None

    def train_begin(self, state: TrainingState) -> None:
        self.latest = None

    def epoch_end(self, state: TrainingState) -> None:
        try:
            path = Path(self.pattern.format(**(row := state.history.rows[-1])))
        except KeyError as error:
            (name,) = error.args
            offer = closest(name, row, words()["columns"])
            if name.startswith("val") and "validation_loss" not in row:
                offer = f"give fit a validation set, and use {words()['columns'].get(name, name)}"
            raise SettingError(f"{self.pattern}: the history has no column {name!r}: {offer}") from error
        except (ValueError, IndexError, AttributeError) as error:
            raise SettingError(f"a path may hold columns, as in {{epoch:02d}}: got {self.pattern}: {error}") from error
        is_asked = self.save_best_only or self.monitor.name != "validation_loss"
        if is_asked and not self.monitor.improves(state.history) and self.save_best_only:
            return
        network = with_meaning((self.model or state).network, parameters=state.average.parameters)
        kept = network if self.model is None else replace(self.model, network=network)
        write_atomically(path, model_bytes(kept, f"{path} was not written"), "model", force=self.force)
        self.latest = path


def checkpoint_bytes(snapshot: Snapshot) -> bytes:
    """The content of the checkpoint file for a snapshot. SettingError if its record is not JSON, or too long."""
    arrays = {
        name: array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
        for name, array in sorted(snapshot.arrays.items())
    }
    content = {
        "checkpoint": FORMAT,
        "arrays": {name: ("F32" if each.dtype == np.float32 else "F64", each.shape) for name, each in arrays.items()},
        "columns": snapshot.columns,
        "identity": snapshot.identity,
        "record": snapshot.record,
        "surroundings": here(snapshot.identity.get("engine"), snapshot.identity.get("dtype")),
    }
    try:
        data = signed_file_bytes(content, arrays)
        read_header(io.BytesIO(data))
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(f"the record of a checkpoint must be JSON, and short: {error}") from error
    return data


def read_checkpoint(path: AnyPath, *, weights_only: bool = False) -> Snapshot:
    """Read the snapshot in a checkpoint; log a warning if it was made with other versions, or on another machine.

    weights_only: also accept an earlier format, from which no run can resume.

    Raises FileError if there is no such file, ModelFileError if it is damaged or hostile, SettingError for format 1.
    """
    with open_file(path) as stream:
        try:
            file = SignedFile(stream, "checkpoint", READABLE)
            found = msgspec.convert(file.content, CheckpointDescription)
            snapshot = Snapshot(file.read_arrays(found.arrays), found.columns, found.identity, found.record)
        except (ValueError, RecursionError) as error:  # all errors of ours, of msgspec and of json are ValueErrors
            raise ModelFileError(f"{path} is not an intact checkpoint: {error}") from error
    if weights_only:
        return snapshot
    if found.checkpoint != FORMAT:
        raise SettingError(sentence("files.earlier_checkpoint", path=path))
    before, now = found.surroundings, here(found.identity.get("engine"), found.identity.get("dtype"))
    recorded, fixed = before.get("engine"), now["engine"].get(STEPS)
    if fixed and isinstance(recorded, dict) and recorded.get(STEPS) == fixed:
        return snapshot  # the engine gives the same bits, whatever else has changed
    for what in ("engine", "versions", "machine", *([] if fixed else ["threads"])):
        if (was := before.get(what, {})) != (is_now := now[what]):
            both = isinstance(was, dict) and isinstance(is_now, dict)
            named = differences(was, is_now) if both else [f"{was}, now {is_now}"]
            LOG.warning("the checkpoint was made with other %s, so the bits may differ: %s", what, "; ".join(named))
    return snapshot


def newest_checkpoint(folder: AnyPath, *, weights_only: bool = False) -> tuple[Path, Snapshot]:
    """Find the newest intact checkpoint in a folder; return path and snapshot. Skipped ones are logged as warnings.

    Raises FileNotFoundError if there are no checkpoints, ModelFileError if none is intact.
    """
    paths = sorted(Path(folder).glob(STEP_FILES), reverse=True)
    if not paths:
        raise FileNotFoundError(f"{folder} holds no checkpoint")
    reasons = []
    for path in paths:
        try:
            snapshot = read_checkpoint(path, weights_only=weights_only)
        except (ModelFileError, FileError) as error:
            reasons.append(str(error))
            continue
        if snapshot.step == step_of(path):
            for reason in reasons:
                LOG.warning("checkpoint skipped: %s", reason)
            return path, snapshot
        reasons.append(f"{path} is from step {snapshot.step:,}, so it is not what its name says")
    raise ModelFileError(sentence("files.no_sound", n=len(paths), folder=folder, reasons="; ".join(reasons)))


def step_of(path: Path) -> int:
    """The number of the step in a checkpoint's file name."""
    return int(path.stem.removeprefix("step-"))


def _is_of_another_program(path: Path) -> bool:
    """Whether a file with a checkpoint's name contains another program's tensors, or cannot be read, and so stays."""
    try:
        with path.open("rb") as stream:
            n_bytes = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(n_bytes, MOST_HEADER)))
        return METADATA_KEY not in header.get("__metadata__", {})
    except (FileNotFoundError, ValueError, AttributeError, TypeError, RecursionError):
        return False
    except OSError as error:
        LOG.warning("%s could not be read, and stays: %s", path, error.strerror or error)
        return True


def _remove(path: Path) -> None:
    """Remove a file that is no longer needed; log a warning if that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        LOG.warning("%s is no longer needed, but could not be removed: %s", path, error.strerror or error)
