"""Handles Ctrl-C, SIGTERM and SIGHUP in a run: it saves a last checkpoint, if it keeps any, and ends in a second."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deltarule.files.checkpoint import Checkpoints

PATIENCE_SECONDS = 0.4  # a step that takes longer is aborted, and the state before it is kept
MOMENT_SECONDS = 0.01  # an update of the parameters takes less
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """Raised in a run when a signal ends it; signum: the number of the signal."""

    def __init__(self, signum: int) -> None:
        self.signum = signum
        super().__init__(signum)


@contextmanager
def handle_interrupts(checkpoints: Checkpoints | None) -> Iterator[None]:
    """Run a block in which the first Ctrl-C, SIGTERM or SIGHUP raises Interrupted; later ones are ignored.

    With checkpoints, the current step ends first, and its state is saved; a step (or an evaluation) that takes too long
    is aborted. A signal that this process was started to ignore, as with nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []
    raised: list[int] = []

    def handle(signum: int, frame: FrameType | None) -> None:
        if raised or (checkpoints is not None and checkpoints.stopped):  # the state is being saved
            return
        if checkpoints is None or (timers and checkpoints.can_break_off):
            raised.append(signum)
            raise Interrupted(signum)
        timers.append(threading.Timer(MOMENT_SECONDS if timers else PATIENCE_SECONDS, to_main_thread, [signum]))
        timers[-1].daemon = True
        timers[-1].start()
        checkpoints.stop(Interrupted(signum))

    heard = [signum for signum in SIGNALS if signal.getsignal(signum) != signal.SIG_IGN]
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
    """Send a signal to the main thread, even while it is waiting."""
    if sys.platform == "win32":
        signal.raise_signal(signum)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signum)
