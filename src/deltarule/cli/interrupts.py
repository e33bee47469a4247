"""Ctrl-C and SIGTERM while a run keeps checkpoints: one more checkpoint, then the end, within a second."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deltarule.files.checkpoint import Checkpoints

PATIENCE_SECONDS = 0.4  # for a step to end; else the state after an earlier one is kept, of which there is a copy


class Interrupted(KeyboardInterrupt):
    """The signal that has ended a run."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signum)


@contextmanager
def heeded(checkpoints: Checkpoints | None) -> Iterator[None]:
    """A block in which Ctrl-C and SIGTERM let the step end, and its state be kept, before they raise Interrupted.

    A step (or an evaluation) that takes too long is broken off. Without checkpoints all is as it was.
    """
    if checkpoints is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []

    def handle(signum: int, frame: FrameType | None) -> None:
        if checkpoints.stopped:  # its last checkpoint is being written
            return
        if timers:
            raise Interrupted(signum)
        checkpoints.stop(Interrupted(signum))
        timers.append(threading.Timer(PATIENCE_SECONDS, to_main_thread, [signum]))
        timers[0].daemon = True
        timers[0].start()

    before = {signum: signal.signal(signum, handle) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
            timer.join()
        for signum, handler in before.items():
            signal.signal(signum, handler)


def to_main_thread(signum: int) -> None:
    """Send a signal to the main thread, even where it is waiting."""
    if sys.platform == "win32":
        signal.raise_signal(signum)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signum)
