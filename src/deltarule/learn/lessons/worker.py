"""The parent's side of `child.py`: a process that is kept warm, used repeatedly, and ended if it hangs."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple, Self

from deltarule.learn.lessons.child import frame, read_frame
from deltarule.learn.sandbox import SMALL, end_session

CHILD = Path(__file__).with_name("child.py")
MEGABYTES = 4096  # of address space; NumPy alone takes a few hundred
START_SECONDS = 60.0
PATIENCE = 20.0 if hasattr(signal, "setitimer") else 1.0  # wall-clock seconds per second of processor time
TIMER = getattr(signal, "SIGPROF", 0)  # the signal that ends a process after its time
NEEDED = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # the only environment variables of a child


class Request(NamedTuple):
    """A file to load and calls to make.

    source, file: its text, and its name in tracebacks. supplied: code whose functions replace the file's.
    calls: (function, arguments). watched: whether to report calls that change their arguments.
    """

    source: str
    supplied: str
    calls: list[tuple[str, list[Any]]]
    file: str = "network.py"
    watched: bool = True


class Replies(NamedTuple):
    """messages: one by ended call. missing: why others have none, "time" or "died". is_loaded: whether the file was."""

    messages: list[dict[str, Any]]
    missing: str
    is_loaded: bool


class Worker:
    """A process that runs learners' files and stays warm between requests; to be used in a `with` block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self._is_ready = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process, unless it is running; it imports NumPy while this process goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        environment = {name: os.environ[name] for name in NEEDED if name in os.environ} | SMALL
        process = subprocess.Popen(  # noqa: S603 - our own file, by the Python that runs us
            [sys.executable, "-I", "-X", "utf8", os.fspath(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        self._process, self._messages, self._is_ready = process, Queue(), False
        Thread(target=_read_all, args=(process.stdout, self._messages), daemon=True).start()

    def stop(self) -> None:
        """Kill the process and all processes that it started."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError), process:  # the `with` waits for it, and closes the pipes
                end_session(process)

    def ask(self, request: Request, seconds: float) -> Replies:
        """Have the process load a file and make calls; return its replies. seconds: processor time for all calls."""
        self.start()
        process = self._process
        assert process is not None and process.stdin is not None  # noqa: S101, PT018 - as `start` leaves it
        head = {**request._asdict(), "megabytes": MEGABYTES, "seconds": seconds}
        messages, is_loaded = list[dict[str, Any]](), False
        deadline = monotonic() + (PATIENCE * seconds if self._is_ready else START_SECONDS)
        with suppress(OSError):  # a process that died is noticed below
            process.stdin.write(frame(head, head.pop("calls")))
            process.stdin.flush()
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                self.stop()
                return Replies(messages, "time", is_loaded)
            if message is None or "end" in message:
                if message is None:  # the process has ended, as it does after each request without forks
                    self.stop()
                    self.start()
                status = message["end"] if message else process.returncode
                return Replies(messages, "time" if status == -TIMER else "died", is_loaded)
            if "ready" in message:  # the start is not counted as the learner's time
                self._is_ready, deadline = True, monotonic() + PATIENCE * seconds
            elif "loaded" in message:
                is_loaded = True
            else:
                messages.append(message)


def _read_all(stream: Any, messages: "Queue[dict[str, Any] | None]") -> None:
    """Put every message that arrives in a stream into a queue, and None after the last or an incomplete one."""
    try:
        while True:
            messages.put(read_frame(stream))
    except (EOFError, OSError, ValueError, KeyError, TypeError):
        messages.put(None)
