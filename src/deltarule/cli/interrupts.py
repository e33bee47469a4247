"""Ctrl-C and SIGTERM during a run: one more checkpoint, where it keeps them, then the end, within a second."""

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
    """A block in which Ctrl-C and SIGTERM raise Interrupted, once: what comes then is not disturbed by a second one.

    With checkpoints the step ends first, and its state is kept; a step (or an evaluation) that takes too long is
    broken off. A signal that this process was started to ignore, as nohup and scripts have it, is ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []
    raised: list[int] = []

    def handle(signum: int, frame: FrameType | None) -> None:
        if raised or (checkpoints is not None and checkpoints.stopped):  # what there is, is being written
            return
        if checkpoints is None or timers:
            raised.append(signum)
            raise Interrupted(signum)
        checkpoints.stop(Interrupted(signum))
        timers.append(threading.Timer(PATIENCE_SECONDS, to_main_thread, [signum]))
        timers[0].daemon = True
        timers[0].start()

    heard = [signum for signum in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(signum) != signal.SIG_IGN]
    before = {signum: signal.signal(signum, handle) for signum in heard}
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
