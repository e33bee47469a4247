"""Playground: what the page is about, and the one run that may be under way."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from deltarule.errors import SettingError
from deltarule.playground.lessons import Datasets, Lesson
from deltarule.playground.protocol import Start
from deltarule.playground.subjects import Subject

STOP_SECONDS = 5.0  # that a run may take to its next step


@dataclass
class Playground:
    """What the page is about.

    given: the network that it opens with. trained: that of the last run that ended, None before the first.
    datasets: what loads the data that can be trained on, by name. says: what these are.
    rng: draws the examples that the page asks for. lesson: the run under way, or the last one.
    """

    given: Subject
    datasets: Datasets
    says: Mapping[str, str] = field(default_factory=dict)
    trained: Subject | None = None
    lesson: Lesson | None = None
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def subject(self, which: str) -> Subject:
        """The network that is meant: "given" or "trained". SettingError for another, or where there is none."""
        subject = {"given": self.given, "trained": self.trained}.get(which)
        if subject is None:
            raise SettingError(f"the network of the page is given, or trained here: got {which!r}")
        return subject

    def begin(self, order: Start, say: Callable[[bytes, bool], None]) -> Lesson:
        """Start a run; one that has been told to stop is waited for.

        Raises SettingError while another is under way: two would only slow each other down.
        """

        def keeping(data: bytes, is_frame: bool) -> None:
            self.trained = lesson.subject or self.trained  # before the page hears that it can have it
            say(data, is_frame)

        with self._one:
            if self.lesson is not None and self.lesson.control.stopped:
                self.lesson.join(timeout=STOP_SECONDS)
            if self.lesson is not None and self.lesson.is_alive():
                raise SettingError("one run at a time: another page is training; stop it there first")
            lesson = self.lesson = Lesson(order, self.datasets, keeping)
            lesson.start()
        return lesson

    def close(self) -> None:
        """Stop the run that is under way, and wait for it a little."""
        if self.lesson is not None:
            self.lesson.control.stop()
            self.lesson.join(timeout=STOP_SECONDS)
