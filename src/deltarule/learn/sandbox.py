"""A separate process for a learner's code: with limits of time and memory, in an empty folder.

`run_apart` calls one of our functions in that process, which calls the learner's with `attempt`; results come back as
JSON. This protects from mistakes, not from malice: the code can still read and write the user's files.
"""

import gc
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from site import getsitepackages
from typing import Any, NamedTuple

MOST_PRINTED = 4_000  # characters of what a call prints
MOST_WARNINGS = 20
ROOT = Path(__file__).parents[2]  # where the child finds this package
NOT_THEIRS = (str(ROOT / "deltarule"), str(Path(os.__file__).parent), "<", *getsitepackages())
SMALL = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
ENDINGS = {
    "returned": "returned",
    "time": "did not return within {}",
    "exit": "ended the process with {}",
    "crash": "crashed Python ({})",
    "memory": "needed more than {} of memory",
    "error": "could not be checked: {}",
}


class Failure(NamedTuple):
    """An error or a warning: its type, its message, and the innermost line of the learner's code that it came from."""

    kind: str
    message: str
    file: str = ""
    line: int = 0

    @property
    def says(self) -> str:
        """The error as text, "ValueError: message"."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass
class Attempt:
    """The outcome of a call: its value or its error, its warnings, and the beginning of its output."""

    value: Any = None
    error: Failure | None = None
    warned: list[Failure] = field(default_factory=list)
    printed: str = ""


@dataclass
class Apart:
    """The outcome of a process: the value that it returned, or how it ended instead.

    ended: a key of ENDINGS; "error" is an error in our own code. doing: the name of the last call. parts: the results
    that were sent before the end.
    """

    ended: str
    value: Any = None
    doing: str = "the program"
    parts: list[Any] = field(default_factory=list)
    detail: str = ""

    @property
    def says(self) -> str:
        """How the process ended, in words, after the name of the last call."""
        return f"{self.doing} {ENDINGS[self.ended].format(self.detail)}"


class OutOfTime(BaseException):
    """Raised in a call that takes too long; `except Exception` does not catch it."""


class Bounded(io.StringIO):
    """A text stream that keeps the first MOST_PRINTED characters and drops the rest."""

    def write(self, text: str) -> int:
        super().write(str(text)[: max(0, MOST_PRINTED - self.tell())])
        return len(text)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block after some seconds of processor time, on POSIX and in the main thread.

    Processor time does not depend on how busy the machine is. The parent ends code that only waits.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    is_running = True

    def stop(*_: Any) -> None:
        if is_running:
            raise OutOfTime(f"it did not return within {seconds:g} s")

    collects = gc.isenabled()
    gc.disable()  # a run records many numbers, and a collection would use up its time
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.05)  # repeatedly, for a program that catches it
    try:
        yield
    finally:
        is_running = False
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
        if collects:
            gc.enable()


def attempt(what: str, function: Callable[..., Any], *given: Any, seconds: float = 1.0, **words: Any) -> Attempt:
    """Call a learner's function, and catch whatever it raises, prints and warns of.

    what: the name of the call, which the parent shows if it never returns. seconds: the processor time that the call
    may take. A call that once took too long gets a tenth of it from then on, since it is tried in several ways.
    """
    tell("doing", what)
    done, output = Attempt(), Bounded()
    seconds = seconds / 10.0 if what in _SLOW else seconds
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(output), redirect_stderr(output):
        warnings.simplefilter("always")
        try:
            with limit(seconds):
                done.value = function(*given, **words)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # anything that a learner's code raises is a finding, even SystemExit
            done.error = failure_of(error)
            _SLOW.update([what] if isinstance(error, OutOfTime) else [])
    done.warned = [
        Failure(each.category.__name__, str(each.message), each.filename, each.lineno)
        for each in caught[:MOST_WARNINGS]
    ]
    done.printed = output.getvalue()
    return done


def failure_of(error: BaseException) -> Failure:
    """An error as a Failure, with the innermost line of the learner's own code."""
    own = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(NOT_THEIRS)]
    place = (own[-1].filename, own[-1].lineno or 0) if own else ("", getattr(error, "lineno", 0) or 0)
    return Failure(type(error).__name__, str(error)[:500], *place)


_SLOW: set[str] = set()  # the names of calls that took too long
_DOOR: list[Any] = []  # the pipe to the parent, in a child


def tell(kind: str, content: Any) -> None:
    """Send the parent process the JSON line [kind, content], such as ["doing", the next call]; nothing elsewhere."""
    if _DOOR:
        text = json.dumps(
            [kind, content], default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value)
        )
        _DOOR[0].write(text.encode() + b"\n")
        _DOOR[0].flush()


def run_apart(
    function: str,
    arguments: dict[str, Any],
    *,
    seconds: float = 10.0,
    megabytes: int = 1_024,
    folder: str | None = None,
) -> Apart:
    """Call "module:name" with keyword arguments in a process of its own, and return the outcome.

    Arguments and result are JSON. When this call returns, the process and those that it started have ended. folder:
    where it runs; by default in an empty folder, which is removed.
    """
    task = json.dumps({"function": function, "arguments": arguments, "seconds": seconds, "megabytes": megabytes})
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | SMALL | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"}
    command = [sys.executable, "-c", "from deltarule.learn.sandbox import serve; serve()"]
    how: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    how |= {"env": environment, "start_new_session": True}
    apart = Apart("", detail=f"{seconds:g} s")
    with (
        tempfile.TemporaryDirectory(prefix="deltarule-", ignore_cleanup_errors=True) as empty,
        subprocess.Popen(command, cwd=folder or empty, **how) as child,  # noqa: S603 - ours, and no shell
    ):
        try:
            lines, errors = child.communicate(task.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            apart.ended = "time"
        finally:
            end_session(child)
        if apart.ended:
            lines, errors = child.communicate()
    read_lines(apart, lines, f"{megabytes:,} MB")
    if not apart.ended:
        end, detail = ending_of(child.returncode, errors.decode(errors="replace"))
        apart.ended, apart.detail = end, f"{megabytes:,} MB" if end == "memory" else detail
    return apart


def end_session(child: subprocess.Popen[bytes]) -> None:
    """Kill a process and all processes that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()


def read_lines(apart: Apart, lines: bytes, limit_of_memory: str) -> None:
    """Enter the messages of a child, lines of JSON, into `apart`. limit_of_memory: the limit in words."""
    for line in lines.splitlines():
        with suppress(ValueError):  # for a line that was cut off
            kind, content = json.loads(line)
            if kind == "part":
                apart.parts.append(content)
            elif kind == "doing":
                apart.doing = content
            else:
                apart.ended, apart.value = kind, content
                apart.detail = limit_of_memory if kind == "memory" else str(content)


def ending_of(code: int, errors: str) -> tuple[str, str]:
    """How a process ended that sent no result, as (key of ENDINGS, detail), from its exit code and stderr."""
    if code >= 0:
        return "exit", f"exit code {code}"
    name = next((each.name for each in signal.Signals if each == -code), str(code))
    last = errors.strip().splitlines()[-1:]
    return "memory" if name == "SIGKILL" or "MemoryError" in errors else "crash", ", ".join([name, *last])


def serve() -> None:
    """The child's work: read a task, run it, and write the outcome to the original stdout."""
    task = json.loads(sys.stdin.buffer.read())
    _DOOR.append(os.fdopen(os.dup(1), "wb"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    sys.stdout = sys.stderr = Bounded()
    set_limits(task["seconds"], task["megabytes"])
    module, _, name = task["function"].partition(":")
    try:
        tell("returned", getattr(import_module(module), name)(**task["arguments"]))
    except MemoryError:
        tell("memory", None)
    except BaseException:  # an error of ours: only the parent can show it
        tell("error", traceback.format_exc(limit=-3))
    os._exit(0)  # without waiting for the program's threads and atexit functions


def set_limits(seconds: float, megabytes: int) -> None:
    """Limit the memory and the time of this process, if the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
