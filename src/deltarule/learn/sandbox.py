"""A process of its own for code that a learner wrote: with limits of time and memory, in an empty folder.

`run_apart` calls a function of ours there, which calls the learner's by `attempt`; results come back as JSON. It keeps
mistakes from doing harm, and is no wall against malice: a program may still read and write the user's files.
"""

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
from typing import Any, NamedTuple

MOST_PRINTED = 4_000  # characters of what a program prints that are kept
ROOT = Path(__file__).parents[2]  # where the child finds this package
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Failure(NamedTuple):
    """What a call raised: the error's type and message, and the innermost line of the file that was called."""

    kind: str
    message: str
    file: str = ""
    line: int = 0

    @property
    def says(self) -> str:
        """The error in words."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass
class Attempt:
    """What came of a call: its value or its failure, its warnings, and what it printed."""

    value: Any = None
    error: Failure | None = None
    warned: list[Failure] = field(default_factory=list)
    printed: str = ""


@dataclass
class Apart:
    """What came of a process: its result, and how it ended.

    ended: "returned", "time" (it took too long), "exit", "crash", "memory" or "error" (ours). doing: what it announced
    last. parts: what it handed back on the way, which stays where it ends early.
    """

    ended: str
    value: Any = None
    doing: str = ""
    parts: list[Any] = field(default_factory=list)
    detail: str = ""

    @property
    def says(self) -> str:
        """How it ended, in words, with what it was doing."""
        what = self.doing or "the program"
        return f"{what} {ENDINGS[self.ended].format(detail=self.detail)}"


ENDINGS = {
    "returned": "returned",
    "time": "did not return within {detail}",
    "exit": "ended the process ({detail})",
    "crash": "crashed the interpreter ({detail})",
    "memory": "took more than {detail} of memory",
    "error": "could not be checked: {detail}",
}


class OutOfTime(BaseException):
    """Raised inside a call that takes too long: a BaseException, so that `except Exception` does not catch it."""


class Bounded(io.StringIO):
    """A text that keeps its beginning and forgets the rest."""

    def write(self, text: str) -> int:
        super().write(str(text)[: max(0, MOST_PRINTED - self.tell())])
        return len(text)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block after some seconds, where the system can: POSIX, and the main thread."""

    def stop(*_: Any) -> None:
        raise OutOfTime

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)  # again and again, for who catches it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def attempt(what: str, function: Callable[..., Any], *arguments: Any, seconds: float = 1.0, **words: Any) -> Attempt:
    """Call a learner's function, and catch what it raises, prints and warns of.

    what: what is announced to the parent, which says it if the call never returns. seconds: for this call.
    """
    announce(what)
    done, output = Attempt(), Bounded()
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(output), redirect_stderr(output):
        warnings.simplefilter("always")
        try:
            with limit(seconds):
                done.value = function(*arguments, **words)
        except KeyboardInterrupt:
            raise
        except OutOfTime as error:
            done.error = failure_of(error, f"did not return within {seconds:g} s")
        except (
            BaseException
        ) as error:  # whatever a stranger's code raises, SystemExit too, is a finding about that code
            done.error = failure_of(error, str(error)[:500])
    done.warned = [Failure(each.category.__name__, str(each.message), each.filename, each.lineno) for each in caught]
    done.printed = output.getvalue()
    return done


def failure_of(error: BaseException, message: str) -> Failure:
    """An error with the innermost line outside of Python's and NumPy's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        each
        for each in frames
        if "site-packages" not in each.filename and not each.filename.startswith(("<", sys.base_prefix))
    ]
    own = [each for each in own if Path(each.filename).parent != Path(__file__).parent]
    line = getattr(error, "lineno", 0) or 0 if isinstance(error, SyntaxError) else 0
    return Failure(type(error).__name__, message, own[-1].filename if own else "", own[-1].lineno or 0 if own else line)


_DOOR: list[Any] = []  # the pipe to the parent, in the child


def tell(kind: str, content: Any) -> None:
    """Send the parent a line of JSON; nothing outside of a child."""
    if _DOOR:
        _DOOR[0].write(json.dumps([kind, content], default=str).encode() + b"\n")
        _DOOR[0].flush()


def announce(what: str) -> None:
    """Tell the parent what is called next."""
    tell("doing", what)


def hand_back(part: Any) -> None:
    """Tell the parent a part of the result, which it has even if what comes next never returns."""
    tell("part", part)


def run_apart(function: str, arguments: dict[str, Any], *, seconds: float = 10.0, megabytes: int = 2_048) -> Apart:
    """Call "module:name" with keyword arguments in a process of its own, and return what came of it.

    The arguments and the result are JSON. The process and its children end with this call.
    """
    task = json.dumps({"function": function, "arguments": arguments, "seconds": seconds, "megabytes": megabytes})
    environment = os.environ | dict.fromkeys(ONE_THREAD, "1")
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "from deltarule.learn.sandbox import serve; serve()"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with tempfile.TemporaryDirectory(prefix="deltarule-", ignore_cleanup_errors=True) as folder:
        child = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes)  # type: ignore[call-overload]  # noqa: S603
        late = False
        try:
            lines, errors = child.communicate(task.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
        finally:
            end_session(child)
        if late:
            lines, errors = child.communicate()
    return outcome(
        child.returncode, lines, errors, Apart("time" if late else "crash", detail=f"{seconds:g} s"), megabytes
    )


def end_session(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()


def outcome(code: int, lines: bytes, errors: bytes, apart: Apart, megabytes: int) -> Apart:
    """What a process has said, and how it ended if it did not say so."""
    for line in lines.splitlines():
        with suppress(ValueError):  # a line that was cut off
            kind, content = json.loads(line)
            if kind == "part":
                apart.parts.append(content)
            elif kind == "doing":
                apart.doing = content
            else:
                apart.ended, apart.value = kind, content
                apart.detail = f"{megabytes:,} MB" if kind == "memory" else str(content)[:2000]
                return apart
    if apart.ended != "time":
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        names = {-number.value: number.name for number in signal.Signals}
        apart.ended = "exit" if code >= 0 else "memory" if code == -getattr(signal, "SIGKILL", 9) else "crash"
        apart.detail = f"exit code {code}" if code >= 0 else " ".join([names.get(code, str(code)), *last])
        apart.detail = f"{megabytes:,} MB" if apart.ended == "memory" else apart.detail
    return apart


def serve() -> None:
    """What the child does: read a task, carry it out, and write what came of it to where stdout was."""
    task = json.loads(sys.stdin.buffer.read())
    _DOOR.append(os.fdopen(os.dup(1), "wb"))
    empty = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(empty, descriptor)
    sys.stdout, sys.stderr = Bounded(), Bounded()
    set_limits(task["seconds"], task["megabytes"])
    module, _, name = task["function"].partition(":")
    try:
        tell("returned", getattr(import_module(module), name)(**task["arguments"]))
    except MemoryError:
        tell("memory", "")
    except BaseException:  # ours, and the parent has to know: nobody else sees this process
        tell("error", traceback.format_exc(limit=-3))
    os._exit(0)  # threads of the program, or what it registered for the end, are not waited for


def set_limits(seconds: float, megabytes: int) -> None:
    """Limit the memory and the time of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
