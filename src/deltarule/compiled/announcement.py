"""A line before the first compilation of a process: it takes a few seconds, and is not needed again on this machine."""

from collections.abc import Callable
from typing import Any

from numba.core import event


class Announcement(event.Listener):
    """Says so once, when Numba begins to compile one of deltarule's kernels and not merely to load it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.is_said = say, False

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if not self.is_said and module.startswith("deltarule."):
            self.is_said = True
            self.say("compiling kernels for this machine: some seconds, once; they are kept for the next time")

    def on_end(self, event: Any) -> None:
        pass


def begin(say: Callable[[str], None]) -> None:
    """Call `say` with the line when there is something to compile."""
    event.register("numba:compile", Announcement(say))  # type: ignore[no-untyped-call]
