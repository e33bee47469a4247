"""Whatever ends a run of `deltarule train`, or its output, at three moments: what was learned is kept.

Each run is a process of its own, forked from one in which all is imported. At its moment it tells this process, which
closes a pipe or a terminal or sends a signal; or it has the fault itself, as its hardware or a callback would.
"""

import errno
import fcntl
import os
import pty
import resource
import signal
import sys
import termios
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from commands import weights
from counting import Count, forked, fresh_folder, newest_step

import deltarule.cli as cli
from deltarule.cli import train
from deltarule.files import checkpoint
from deltarule.native import engine_call
from deltarule.training import engine as engine_module
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.engine import engine

EPOCHS, STEPS_AN_EPOCH = 4, 10
MOMENTS = ("before an epoch was complete", "in the middle", "while the result is reported")
AT_STEP = {MOMENTS[0]: 5, MOMENTS[1]: 25, MOMENTS[2]: EPOCHS * STEPS_AN_EPOCH}
ENGINES = ("numpy", "native")
RECIPE = f"""
[about]
name = "small"
says = "Ten steps an epoch."
[data]
name = "small.npz"
split = {{kind = "head", train = 200}}
[network]
hidden = [8]
activation = "relu"
output = "softmax"
loss = "cross_entropy"
[training]
optimizer = {{name = "adam"}}
schedule = {{name = "constant", rate = 0.01}}
epochs = {EPOCHS}
batch_size = 20
"""
RUN = ["train", "small.toml", "--engine"]


class CallbackError(Exception):
    """What a callback of a user raises."""


@dataclass(frozen=True)
class End:
    """A fault. code: how the process ends, where the run itself goes on to its end or not; breaks: whether it does not.

    out, err: where its streams lead at first. at: what the process does at the moment. outside: what this one does.
    """

    code: int
    breaks: bool = False
    out: str = "file"
    err: str = "file"
    at: Callable[[], None] | None = None
    outside: Callable[["Streams", int], None] | None = None


class Streams:
    """What a process prints to, and the ends of it that this process holds."""

    def __init__(self, folder: Path, end: End) -> None:
        self.descriptors: list[int] = []
        self.held: list[int] = []
        for name, kind in (("out", end.out), ("err", end.err)):
            if kind == "file":
                self.descriptors.append(os.open(folder / f"{name}.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND))
            elif self.held:  # the same as the other
                self.descriptors.append(self.descriptors[0])
            else:
                ours, theirs = os.pipe() if kind == "pipe" else pty.openpty()
                self.held.append(ours)
                self.descriptors.append(theirs)
        self.is_terminal = end.out == "terminal"

    def close_held(self) -> None:
        """As a reader does that has seen enough, or a terminal that is closed."""
        while self.held:
            os.close(self.held.pop())

    def take(self) -> None:
        """Make them those of this process."""
        if self.is_terminal:
            os.setsid()
            fcntl.ioctl(self.descriptors[0], termios.TIOCSCTTY, 0)
        for number, descriptor in enumerate(self.descriptors, start=1):
            os.dup2(descriptor, number)
        self.close_held()
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115


def becomes(number: int, path: str, flags: int = os.O_WRONLY) -> Callable[[], None]:
    """A stream turns into something else: a full disk, or what nobody can write to."""

    def turn() -> None:
        os.dup2(os.open(path, flags), number)

    return turn


def unread() -> None:
    """Stderr becomes a pipe that is full, and nobody reads."""
    _, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):  # to the last byte
        try:
            while True:
                os.write(writer, b"x" * size)
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)
    os.dup2(writer, 2)


def full_log() -> None:
    """Stderr becomes a log at the end of its disk, while the disk of the model has room."""
    room = 2**30
    with Path("log.txt").open("wb") as log:
        log.truncate(room)
    becomes(2, "log.txt", os.O_WRONLY | os.O_APPEND)()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


def raising(error: BaseException) -> Callable[[], None]:
    """A callback of a user fails."""

    def fail() -> None:
        raise error

    return fail


def deaf_to_hangups() -> None:
    """As nohup makes a process."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def send(signum: int) -> Callable[[Streams, int], None]:
    """A signal comes from outside."""
    return lambda streams, process: os.kill(process, signum)


def close(streams: Streams, process: int) -> None:
    """The other end of the streams is closed."""
    streams.close_held()


ENDS = {
    "the reader of stdout and stderr leaves, as head does": End(1, out="pipe", err="pipe", outside=close),
    "stderr is /dev/full": End(0, at=becomes(2, "/dev/full")),
    "stdout is /dev/full": End(1, at=becomes(1, "/dev/full")),
    "stderr is closed": End(0, at=becomes(2, os.devnull, os.O_RDONLY)),
    "stdout is closed": End(1, at=becomes(1, os.devnull, os.O_RDONLY)),
    "a log on a full disk": End(0, at=full_log),
    "nobody reads stderr": End(0, at=unread),
    "the terminal is closed": End(129, breaks=True, out="terminal", err="terminal", outside=close),
    "the terminal is gone, after nohup": End(1, out="terminal", err="terminal", at=deaf_to_hangups, outside=close),
    "SIGHUP": End(129, breaks=True, outside=send(signal.SIGHUP)),
    "SIGTERM": End(143, breaks=True, outside=send(signal.SIGTERM)),
    "SIGINT": End(130, breaks=True, outside=send(signal.SIGINT)),
    "no memory in a step": End(1, breaks=True),
    "no memory in an update": End(1, breaks=True),
    "no memory in a callback": End(1, breaks=True, at=raising(MemoryError())),
    "a callback's own exception": End(1, breaks=True, at=raising(CallbackError("mine"))),
    "a callback's OSError": End(1, breaks=True, at=raising(OSError(errno.EIO, "Input/output error"))),
    "divergence": End(1, breaks=True),
}


def step_of_fault(moment: str) -> int:
    """At which step at the latest a fault within the steps comes."""
    return min(AT_STEP[moment], (EPOCHS - 1) * STEPS_AN_EPOCH)


class Moment(Callback):
    """Has the fault at its step, once."""

    every_step = False

    def __init__(self, step: int, act: Callable[[], None]) -> None:
        self.step, self.act, self.armed = step, act, True

    def step_end(self, state: TrainingState) -> None:
        if self.armed and state.step >= self.step:
            self.armed = False
            self.act()


def build_with(callback: Callback, build: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What `build` returns, with one more callback."""
    job = build(*arguments, **options)
    job.trainer.callbacks = [*job.trainer.callbacks, callback]
    return job


def injected(name: str, moment: str, act: Callable[[], None]) -> Iterable[Any]:
    """What brings a fault to its moment in this process, as context managers."""
    build, evaluate = train.build, train.evaluate_model

    def at_the_end(*arguments: Any) -> Any:
        act()
        if name == "no memory in a step":
            raise MemoryError
        return evaluate(*arguments)

    def with_failing_engine(*arguments: Any, **options: Any) -> Any:
        job = build(*arguments, **options)
        kind: Any = type(job.trainer.optimizer)
        real_forward, real_step, real_take_steps = engine_module.forward, kind.step, engine_call.take_steps

        def is_due(steps: int = 0) -> bool:
            return bool(job.trainer.optimizer.steps + steps >= step_of_fault(moment))

        def forward(*given: Any) -> Any:
            if name == "no memory in a step" and is_due() and moment != MOMENTS[2]:
                raise MemoryError
            return real_forward(*given)

        def step(optimizer: Any, params: Any, grads: Any, rate: float) -> None:
            breaks = name == "no memory in an update" and is_due()
            real_step(optimizer, params, grads, rate * (1e30 if name == "divergence" and is_due() else 1.0))
            if breaks:
                raise MemoryError

        def take_steps(network: Any, optimizer: Any, plan: Any, buffers: Any) -> Any:
            due = is_due(len(plan.learning_rates))
            if due and name == "divergence":
                plan = replace(plan, learning_rates=plan.learning_rates * 1e30)
            if due and name == "no memory in a step" and moment != MOMENTS[2]:
                raise MemoryError
            breaks = name == "no memory in an update" and due
            taken = real_take_steps(network, optimizer, plan, buffers)
            if breaks:
                raise MemoryError
            return taken

        for home, changed in ((engine_module, forward), (kind, step), (engine_call, take_steps)):
            setattr(home, changed.__name__, changed)  # in a process of its own, which ends with the run
        return job

    yield patch.object(checkpoint, "COPY_APART", 0)  # else it depends on the machine's speed which step is kept
    if name in ("no memory in a step", "no memory in an update", "divergence"):
        yield patch.object(train, "build", with_failing_engine)
    if moment == MOMENTS[2]:
        yield patch.object(train, "evaluate_model", at_the_end)
    else:
        yield patch.object(train, "build", partial(build_with, Moment(AT_STEP[moment], act), train.build))


def command(arguments: list[str]) -> None:
    """Carry out a command, and end this process as Python would: what is left in a buffer is written, or fails."""
    sys.argv = ["deltarule", *arguments]
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = 120
    os._exit(code)


def ended(folder: Path, name: str, moment: str, arguments: list[str]) -> int:
    """The exit code of a run that meets its fault."""
    end = ENDS[name]
    streams = Streams(folder, end)
    told, tell = os.pipe()
    answered, answer = os.pipe()

    def act() -> None:
        if end.at is not None:
            end.at()
        if end.outside is not None:
            os.write(tell, b"!")
            os.read(answered, 1)

    def work() -> None:
        os.close(told)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        streams.take()
        for each in injected(name, moment, act):
            each.start()
        command(arguments)

    process = forked(work)
    os.close(tell)
    for descriptor in set(streams.descriptors):
        os.close(descriptor)
    if os.read(told, 1) and end.outside is not None:
        end.outside(streams, process)
        os.write(answer, b"!")
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    streams.close_held()
    for descriptor in (told, answered, answer):
        os.close(descriptor)
    return code


def written(folder: Path) -> None:
    """The recipe and its data."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(240, 6))
    np.savez(folder / "small.npz", X=inputs, y=inputs[:, :3].argmax(axis=1))
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")


def quietly(folder: Path, arguments: list[str]) -> int:
    """The exit code of a command to which nothing happens."""

    def work() -> None:
        os.chdir(folder)
        Streams(folder, End(0)).take()
        command(arguments)

    return os.waitstatus_to_exitcode(os.waitpid(forked(work), 0)[1])


@cache
def expected(engine_name: str) -> bytes | None:
    """The weights that the run ends with when nothing happens to it."""
    engine(engine_name)
    with fresh_folder() as folder:
        written(folder)
        quietly(folder, [*RUN, engine_name])
        return weights(folder / "model.safetensors")


def harm_of(name: str, engine_name: str, moment: str, *, keeps: bool) -> str:
    """What is lost or wrong after a run met its fault; "" where nothing is."""
    end, outcome = ENDS[name], expected(engine_name)
    checkpoint = ["--checkpoint", "kept"] if keeps else []  # after the first step, and a minute later
    with fresh_folder() as folder:
        written(folder)
        code = ended(folder, name, moment, [*RUN, engine_name, *checkpoint])
        said = "".join(
            path.read_text(errors="replace") for path in folder.glob("???.txt") if path.stat().st_size < 2**20
        )
        model = weights(folder / "model.safetensors")
        step = newest_step(folder / "kept") if keeps else -1
        went_on = quietly(folder, ["train", "--resume", "kept"]) if keeps and step >= 0 else 0
        again = weights(folder / "model.safetensors")
    is_own = name == "a callback's own exception"  # a mistake in somebody's program, who needs the traceback
    is_early, is_late = moment == MOMENTS[0], moment == MOMENTS[2]
    is_inside = name in ("divergence", "no memory in an update") or (name == "no memory in a step" and not is_late)
    is_done = not end.breaks or (is_late and not is_inside)
    needed = AT_STEP[moment]
    if is_inside:  # many steps in one call are lost together
        needed = (
            step_of_fault(moment)
            if engine_name == "numpy"
            else (step_of_fault(moment) - 1) // STEPS_AN_EPOCH * 10 or -1
        )
    needs_step = keeps and end.breaks and (is_inside or not is_late) and name != "divergence"
    codes = [end.code, *([0, 1] if keeps and is_late and end.code > 128 else [])]  # or it is done before it is stopped
    wrong = {
        f"code {code}": code not in codes,
        "a traceback": ("Traceback" in said) != is_own,
        "no model": model is None and not (is_early and end.breaks),
        "another model": is_done and model != outcome,
        f"step {step} is kept": needs_step and step < needed,
        "the run does not go on": keeps and end.breaks and step >= 0 and (went_on != 0 or again != outcome),
    }
    return ", ".join(what for what, is_so in wrong.items() if is_so)


def ends(engine_name: str, keeps: bool, some: slice = slice(None)) -> Count:
    """Every fault at every moment."""
    count = Count()
    for name, moment in list(product(ENDS, MOMENTS))[some]:
        harm = harm_of(name, engine_name, moment, keeps=keeps)
        count.check(not harm, f"{name}, {moment}: {harm}")
    return count
