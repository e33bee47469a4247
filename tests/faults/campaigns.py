"""Campaigns in which operations fail, processes are killed, the power is cut, and runs go on from every step."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import jobs
from counting import Count, collected_warnings, forked, fresh_folder, goes_on, litter, newest_step
from crash_states import crash_states
from injection import ERRORS, Failing, Killing, Operation, watched

from deltarule.errors import DeltaruleError
from deltarule.files.checkpoint import checkpoint_bytes, read_checkpoint
from deltarule.files.model_file import save
from deltarule.nn.network import Network
from deltarule.training.trainer import Trainer


def recorded(folder: Path, work: Callable[[], Any]) -> list[Operation]:
    """What some work does in a folder."""
    operations: list[Operation] = []
    with watched(folder, operations.append):
        work()
    return operations


def calls(operations: list[Operation]) -> int:
    """How many of the operations can be made to fail: all but those that make room."""
    return sum(each.kind != "unlink" for each in operations)


# every operation fails once


def failing_calls(*, stays_full: bool = False, every: int = 1) -> Count:
    """Every operation of a run that keeps checkpoints fails once, with each error: an error or a warning, no harm.

    every: only every so many of these failures.
    """
    count = Count()
    for resumed in (False, True):
        with fresh_folder() as before:
            if resumed:  # in the middle of the run
                jobs.run(before)
                max(before.glob("step-*")).unlink()
            for n, code in list(product(range(n_calls(before)), ERRORS[: 1 if stays_full else None]))[::every]:
                failing_call(count, before, Failing(n, code, stays_full=stays_full))
    return count


def told(work: Callable[[], Any], folder: Path, failing: Failing) -> bool:
    """Whether work whose disk fails says so: by an error of ours (any other would be a traceback) or a warning."""
    with collected_warnings() as said:
        try:
            with watched(folder, failing):
                work()
        except DeltaruleError:
            return True
        except OSError:
            return False
    return bool(said)


def n_calls(before: Path) -> int:
    """How many operations a run takes that goes on from there."""
    with fresh_folder() as folder:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        return calls(recorded(folder, lambda: jobs.run(folder)))


def failing_call(count: Count, before: Path, failing: Failing) -> None:
    """Let one operation of a run fail, then let the run go on without failures."""
    with fresh_folder() as folder:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        kept = [newest_step(folder)]
        is_loud = told(lambda: jobs.run(folder, kept.append), folder, failing)
        whole = newest_step(folder) >= kept[-1] and not litter(folder)
        where = f"operation {failing.n}, {os.strerror(failing.code)}"
        count.check(is_loud and whole and goes_on(folder), f"{where}: loud {is_loud}, whole {whole}")


def failing_saves() -> Count:
    """The same for a model that is saved instead of an older one: the old file is there, or the whole new one."""
    count = Count()
    with fresh_folder() as folder:
        old, new, path = Network((2, 3, 2), rng=0), Network((2, 3, 2), rng=1), folder / "model.safetensors"
        save(old, path)
        older = path.read_bytes()
        save(new, path)
        newer = path.read_bytes()
        for n in range(calls(recorded(folder, lambda: save(new, path)))):
            for code in ERRORS:
                path.write_bytes(older)
                is_loud = told(lambda: save(new, path), folder, Failing(n, code))
                is_whole = path.read_bytes() in (older, newer) and [each.name for each in folder.iterdir()] == [
                    path.name
                ]
                count.check(is_loud and is_whole, f"save, operation {n}, {os.strerror(code)}: loud {is_loud}")
    return count


# the process is killed


class Child:
    """A process that runs the job in a folder, and reports each checkpoint that is safe."""

    def __init__(self, folder: Path, around: Callable[[Callable[[], Any]], Any] | None = None, **settings: Any) -> None:
        self.reader, writer = os.pipe()

        def work() -> None:
            def report(step: int) -> None:
                os.write(writer, step.to_bytes(4, "little"))

            def job() -> None:
                outcome = jobs.run(folder, report, **settings)
                os.write(writer, b"done" + bytes.fromhex(outcome))

            around(job) if around else job()

        self.process = forked(work)
        os.close(writer)

    def wait(self) -> tuple[int, str | None]:
        """The last step that was reported, and what the run came to, None where it was killed."""
        said = b""
        while part := os.read(self.reader, 65536):
            said += part
        os.close(self.reader)
        os.waitpid(self.process, 0)
        steps, _, outcome = said.partition(b"done")
        last = steps[len(steps) - len(steps) % 4 - 4 : len(steps) - len(steps) % 4]
        return (int.from_bytes(last, "little") if last else -1), outcome.hex() or None


def kills_between_operations(every: int = 1) -> Count:
    """A run is killed before each of its operations, or every so many, then goes on."""
    count = Count()
    with fresh_folder() as folder:
        n_operations = len(recorded(folder, lambda: jobs.run(folder)))
    for n in range(0, n_operations, every):
        with fresh_folder() as folder:

            def killed(job: Callable[[], Any], folder: Path = folder, n: int = n) -> None:
                with watched(folder, Killing(n)):
                    job()

            kept, _ = Child(folder, killed).wait()
            count.check(newest_step(folder) >= kept and goes_on(folder), f"killed before operation {n}")
    return count


def kills_at_random(n_kills: int, engine_name: str = "numpy", seed: int = 0) -> Count:
    """Runs are killed at random moments, again and again, and go on each time, until they are done."""
    count, rng = Count(), random.Random(seed)
    outcome, seconds = jobs.expected(engine_name), list[float]()
    with fresh_folder() as folder:  # what this process has imported and compiled, its children need not
        jobs.run(folder, every_steps=1, engine_name=engine_name)
    for _ in range(3):
        with fresh_folder() as folder:
            began = time.perf_counter()
            Child(folder, every_steps=1, engine_name=engine_name).wait()
            seconds.append(time.perf_counter() - began)
    longest = sorted(seconds)[1]
    while count.tried < n_kills:
        with fresh_folder() as folder:
            found = None
            while found is None and count.tried < n_kills:
                child = Child(folder, every_steps=1, engine_name=engine_name)
                time.sleep(rng.uniform(0.0, longest))
                os.kill(child.process, signal.SIGKILL)
                kept, found = child.wait()
                if found is None:
                    count.check(newest_step(folder) >= kept, f"kill {count.tried}: step {kept} was lost")
            if found not in (None, outcome):
                count.harm.append(f"a run that was killed came to something else after {count.tried} kills")
    return count


# the power is cut


def power_cuts(drop: Callable[[Operation], bool] = lambda operation: False, first: int | None = None) -> Count:
    """Everything that a power cut may leave of a run's operations: what was reported as kept is there.

    drop: which operations are left out, to see that their absence is found. first: how many are looked at.
    """
    count, operations, kept = Count(), list[Operation](), dict[int, int]()
    with fresh_folder() as folder, watched(folder, operations.append):
        jobs.run(folder, lambda step: kept.update({len(operations): step}))
        parts = [each for each in operations if not each.path.endswith(".lock")]
    reported = {len([each for each in operations[:at] if each in parts]): step for at, step in kept.items()}
    done = [each for each in parts if not drop(each)][:first]
    with fresh_folder() as found:
        for n_done, files in crash_states(done, str(folder), {}):
            at = len(parts[: parts.index(done[n_done - 1]) + 1]) if n_done else 0
            least = max((step for place, step in reported.items() if place <= at), default=-1)
            for path in found.iterdir():
                path.unlink()
            for name, data in files.items():
                (found / Path(name).name).write_bytes(data)
            count.check(newest_step(found) >= least, f"a power cut after operation {at} lost step {least}")
    return count


def power_cuts_of_saves(drop: Callable[[Operation], bool] = lambda operation: False) -> Count:
    """The same for a model that is saved instead of an older one: the old file is found, or the whole new one."""
    count = Count()
    with fresh_folder() as folder:
        path = str(folder / "model.safetensors")
        save(Network((2, 3, 2), rng=0), path)
        older = Path(path).read_bytes()
        operations = [
            each for each in recorded(folder, lambda: save(Network((2, 3, 2), rng=1), path)) if not drop(each)
        ]
        newer = Path(path).read_bytes()
        for n_done, files in crash_states(operations, str(folder), {path: older}):
            count.check(files.get(path) in (older, newer), f"save: a power cut after operation {n_done}")
    return count


# a run that is stopped goes on


def exact_resumes(make: Callable[..., Trainer], steps: int = 300, every: int = 1) -> Count:
    """A run of so many steps is stopped at each of them, and goes on from a checkpoint to the same bits.

    every: only at every so many steps.
    """
    count, epochs = Count(), steps // jobs.STEPS_AN_EPOCH
    photographer = jobs.Photographer()
    whole = make(epochs=epochs)
    outcome = jobs.result(whole, whole.fit(*jobs.images()))
    seen = make(photographer, epochs=epochs)
    count.harm += [] if jobs.result(seen, seen.fit(*jobs.images())) == outcome else ["being watched made a difference"]
    with fresh_folder() as folder:
        for snapshot in photographer.snapshots[::every]:
            (folder / "checkpoint").write_bytes(checkpoint_bytes(snapshot))
            resumed = make(epochs=epochs)
            resumed.network.parameters.vector[:] = 0.0
            history = resumed.fit(*jobs.images(), resume=read_checkpoint(folder / "checkpoint"))
            count.check(jobs.result(resumed, history) == outcome, f"step {snapshot.step}")
    return count
