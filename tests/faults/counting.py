"""What the campaigns count, and where: folders, warnings, processes."""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jobs

from deltarule.errors import ModelFileError
from deltarule.files.checkpoint import newest_checkpoint

LOG = logging.getLogger("deltarule")


@dataclass
class Count:
    """How many faults were tried, and what harm they did."""

    tried: int = 0
    harm: list[str] = field(default_factory=list)

    def check(self, is_harmless: object, what: str) -> None:
        """Count a fault; `what` describes it."""
        self.tried += 1
        if not is_harmless:
            self.harm.append(what)

    def __str__(self) -> str:
        return f"{self.tried - len(self.harm):,} of {self.tried:,}"


class Warnings(logging.Handler):
    """Collects what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """A block whose warnings go into a list, and nowhere else."""
    handler, propagates = Warnings(), LOG.propagate
    LOG.addHandler(handler)
    LOG.propagate = False
    try:
        yield handler.messages
    finally:
        LOG.removeHandler(handler)
        LOG.propagate = propagates


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder that anybody may read, for the length of a block."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def litter(folder: Path) -> list[str]:
    """Temporary files that were left behind."""
    return [path.name for path in folder.iterdir() if path.suffix == ".tmp"]


def newest_step(folder: Path) -> int:
    """The step of the newest sound checkpoint; -1 where there is none."""
    try:
        with collected_warnings():
            return newest_checkpoint(folder)[1].step
    except (FileNotFoundError, ModelFileError):
        return -1


def goes_on(folder: Path) -> bool:
    """Whether the run ends, from what is in the folder, as if nothing had happened, and leaves no litter."""
    with collected_warnings():
        return jobs.run(folder) == jobs.expected() and not litter(folder)


def forked(work: Callable[[], Any]) -> int:
    """The id of a process that does some work, and ends with code 0 when it is done: far cheaper than a new one."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: no thread of ours runs at this moment
        process = os.fork()
    if process == 0:
        code = 1
        try:
            LOG.addHandler(logging.NullHandler())
            LOG.propagate = False
            work()
            code = 0
        finally:
            os._exit(code)
    return process
