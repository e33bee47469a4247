"""Campaigns in which files are damaged, or the system sets limits."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jobs
from campaigns import Child
from counting import Count, collected_warnings, forked, fresh_folder, goes_on, litter, newest_step

from deltarule.errors import DeltaruleError, ModelFileError
from deltarule.files.checkpoint import checkpoint_bytes, newest_checkpoint, step_of
from deltarule.files.model_file import save
from deltarule.files.run_folder import FolderLock
from deltarule.nn.network import Network

NOBODY = 65534


def small_checkpoint() -> bytes:
    """A checkpoint of the job after its fifth step."""
    photographer = jobs.Photographer()
    jobs.trainer(photographer).fit(*jobs.images())
    return checkpoint_bytes(photographer.snapshots[4])


def small_model() -> bytes:
    """A model file."""
    with fresh_folder() as folder:
        save(Network((2, 3, 2), rng=0), folder / "model")
        return (folder / "model").read_bytes()


def truncations(content: bytes, read: Callable[[Path], Any], every: int = 1) -> Count:
    """A file is cut off at each length, or at every so many."""
    return damaged((f"cut at {length}", content[:length]) for length in range(0, len(content), every))(read)


def flips(content: bytes, read: Callable[[Path], Any], every: int = 1) -> Count:
    """Each bit of a file is turned over, or every so many."""

    def flipped() -> Iterator[tuple[str, bytes]]:
        for position in range(0, 8 * len(content), every):
            place = position // 8
            byte = bytes([content[place] ^ 1 << position % 8])
            yield f"bit {position}", content[:place] + byte + content[place + 1 :]

    return damaged(flipped())(read)


def damaged(files: Iterator[tuple[str, bytes]]) -> Callable[[Callable[[Path], Any]], Count]:
    """Count the damaged files that a reader refuses."""

    def counted(read: Callable[[Path], Any]) -> Count:
        count = Count()
        with fresh_folder() as folder:
            path = folder / "damaged"
            for what, content in files:
                path.write_bytes(content)
                try:
                    read(path)
                    count.check(False, what)
                except ModelFileError:
                    count.check(True, what)
        return count

    return counted


def fallbacks(every: int) -> Count:
    """The newest of two checkpoints is damaged in every so many ways: the older one is used, and that is said."""
    count = Count()
    with fresh_folder() as folder:
        jobs.run(folder)
        older, newest = sorted(folder.glob("step-*"))
        content = newest.read_bytes()
        for place in range(0, len(content), every):
            for data in (content[:place], content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]):
                newest.write_bytes(data)
                with collected_warnings() as said:
                    path, snapshot = newest_checkpoint(folder)
                used = (path, snapshot.step) == (older, step_of(older))
                count.check(used and len(said) == 1 and newest.name in said[0], f"damaged at byte {place}")
        newest.write_bytes(content[:-1])
        count.check(goes_on(folder), "the run from the older one")
    return count


# the system sets limits


def size_limits() -> Count:
    """Files may not grow beyond a limit, for limits up to a checkpoint's size: a warning, and the older one stays."""
    count = Count()
    size = len(small_checkpoint())
    for limit in range(0, size, size // 12):
        with fresh_folder() as folder:
            jobs.run(folder, every_steps=jobs.STEPS // 2)
            before = newest_step(folder)

            def limited(job: Callable[[], Any], limit: int = limit) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                job()

            _, outcome = Child(folder, limited, every_steps=1).wait()
            fine = outcome == jobs.expected() and newest_step(folder) >= before and not litter(folder)
            count.check(fine, f"a limit of {limit} bytes")
    return count


def read_only_folders() -> Count:
    """A folder that may not be written to, a file instead of a folder: an error at once, and nothing changed."""
    count = Count()
    with fresh_folder() as top:
        locked, file = top / "locked", top / "file"
        locked.mkdir(mode=0o555)
        file.write_bytes(b"")
        for place, user in ((locked, NOBODY), (locked / "new", NOBODY), (file, 0), (file / "new", 0)):

            def attempt(place: Path = place, user: int = user) -> None:
                if user and os.geteuid() == 0:  # root may write anywhere
                    os.setgid(user)
                    os.setuid(user)
                try:
                    jobs.run(place)
                except DeltaruleError as error:
                    os._exit(0 if str(place) in str(error) else 2)
                os._exit(3)

            _, status = os.waitpid(forked(attempt), 0)
            count.check(status == 0 and not list(locked.iterdir()), f"{place.name}: status {status}")
    return count


def two_processes() -> Count:
    """A second run in a folder is refused while the first is there, and let in as soon as that is killed."""
    count = Count()
    with fresh_folder() as folder:
        jobs.run(folder)
        reader, writer = os.pipe()

        def hold() -> None:
            holding = FolderLock(folder)  # as a run does from its first step to its last
            os.write(writer, b"!")
            signal.pause()
            holding.close()

        holder = forked(hold)
        os.read(reader, 1)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        try:
            jobs.run(folder)
            count.check(False, "both were let in")
        except DeltaruleError as error:
            count.check(f"which another run writes to, process {holder} on " in str(error), str(error))
        count.check(before == {path.name: path.read_bytes() for path in folder.iterdir()}, "the files have changed")
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        os.close(reader)
        os.close(writer)
        count.check(goes_on(folder), "the folder stayed locked")
    return count
