"""Finds or compiles the library in C, loads it, and picks the instruction set for this processor."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.sources import cache_folder
from deltarule.errors import LOG, FileError, SettingError, closest, install_command, sentence
from deltarule.native import build
from deltarule.nn.arrays import Array

MOST_THREADS = 256  # THREADS_MOST of step.c
FLOPS_A_THREAD = 4e6  # operations, about 20 microseconds: with fewer, threads mostly wait for each other

_callers: set[tuple[int, int]] = set()  # process and thread of each running call; a fork copies them


@cache
def library() -> ctypes.CDLL:
    """Load the library for exactly these sources: installed, or compiled now, in the package's folder or a cache.

    Raises FileError, with what to do, if it is not available.
    """
    try:
        path = compiled() or compile_into(build.HERE, cache_folder())
        if not path.stem.endswith(build.content_hash(path)):
            raise OSError(f"{path} is damaged: delete it")
        loaded = ctypes.CDLL(str(path))
        loaded.sources_hash.restype = ctypes.c_char_p
        if loaded.sources_hash() != build.sources_hash().encode():
            raise OSError(f"{path} was made from other sources: delete it")
        if not available(loaded):
            raise OSError('this processor has neither AVX2 nor NEON: use engine="numpy"')
    except (OSError, AttributeError) as error:
        raise FileError(f"the native engine is not available ({error})") from error
    return loaded


@cache
def page_engine() -> bytes:
    """The bytes of the page's engine, a WebAssembly module: installed, or compiled now.

    Raises FileError, with what to do, if it is not available.
    """
    try:
        folders = [build.HERE, cache_folder()]
        kept = [folder for folder in folders if (folder / build.page_engine_name()).exists()]
        writable = [folder for folder in folders if os.access(folder, os.W_OK)]
        return build.build_page_engine([*kept, *writable, folders[-1]][0]).read_bytes()
    except OSError as error:
        raise FileError(sentence("files.page_engine", error=error, line=install_command(package="ziglang"))) from error


def compiled() -> Path | None:
    """The path of the library's file, compiled from exactly these sources; None if there is none."""
    name = f"native-{build.sources_hash()}-*{build.SUFFIX}"
    return next((path for folder in (build.HERE, cache_folder()) for path in folder.glob(name)), None)


@cache
def is_compiled() -> bool:
    """Whether the library exists and loads, without compiling it."""
    with suppress(FileError):
        return compiled() is not None and bool(library())
    return False


def compile_into(*folders: Path) -> Path:
    """Compile the library into the first writable one of these folders; return its path. OSError if that fails."""
    if not (build.HERE / "native.c").exists():
        again = install_command(option="--force-reinstall --no-cache-dir")
        raise OSError(f"DELTARULE_PURE left it out at installation; to get it, run  {again}")
    if os.environ.get("DELTARULE_PURE", "0") not in ("", "0"):
        raise OSError("it is not compiled while DELTARULE_PURE is set; to get it, unset that")
    build.compiler()  # raises if there is no compiler, before any announcement
    LOG.warning("compiling the native engine: some seconds, once")
    return build.build(next((folder for folder in folders if os.access(folder, os.W_OK)), folders[-1]))


@cache
def available(loaded: ctypes.CDLL) -> list[str]:
    """The instruction sets of the library that this processor has, the fastest first."""
    return [name for name in build.instruction_sets() if loaded.has_instructions(name.encode())]


def instructions() -> str:
    """The name of the instruction set in use: $DELTARULE_INSTRUCTIONS, or the fastest of this processor."""
    usable, wanted = available(library()), os.environ.get("DELTARULE_INSTRUCTIONS")
    if wanted and wanted not in usable:
        raise SettingError(f"DELTARULE_INSTRUCTIONS is {wanted!r}: {closest(wanted, usable)}")
    return wanted or usable[0]


def function(name: str, dtype: np.dtype[Any]) -> Any:
    """The library's function of that name for float32 or float64; it returns an int64."""
    found = getattr(library(), f"{name}_{'float' if dtype == np.float32 else 'double'}_{instructions()}")
    found.restype = ctypes.c_int64
    return found


def most_threads() -> int:
    """The most threads to use: $DELTARULE_THREADS; else the cores for this process, at most $OMP_NUM_THREADS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted, limit = os.environ.get("DELTARULE_THREADS"), os.environ.get("OMP_NUM_THREADS", "")
    if wanted is not None and not (wanted.isdecimal() and 1 <= int(wanted) <= MOST_THREADS):
        raise SettingError(f"DELTARULE_THREADS is {wanted!r}: use a number from 1 to {MOST_THREADS}")
    pool = int(limit) if limit.isdecimal() and int(limit) else cores
    return int(wanted) if wanted else min(cores, pool, MOST_THREADS)


@contextmanager
def threads_for(flops: float) -> Iterator[int]:
    """Yield the number of threads for a call with `flops` operations a step; calls at the same time share the cores."""
    me, is_told = (os.getpid(), threading.get_ident()), "DELTARULE_THREADS" in os.environ
    _callers.add(me)
    n_calls = sum(process == me[0] for process, _ in list(_callers))
    try:
        most = most_threads() if is_told or flops >= 2 * FLOPS_A_THREAD else 1
        mine = most if is_told else max(1, most // n_calls)
        yield int(min(mine, max(1.0, flops / FLOPS_A_THREAD)))
    finally:
        _callers.discard(me)


def call_interruptibly(called: Any, argument: Any, stop: Array) -> None:
    """Run called(argument) in a thread, so that Ctrl-C in the main thread can set `stop`; wait for the end either way.

    If this is not the main thread, the call runs in it directly: only the main thread gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        called(argument)
        return
    ended = threading.Event()
    claim = threading.Lock()  # taken once: by the thread that makes the call, or by an exception that prevents it

    def work() -> None:
        if claim.acquire(blocking=False):
            try:
                called(argument)
            finally:
                ended.set()

    worker = threading.Thread(target=work)
    try:
        worker.start()
        wait_for(ended)
        worker.join()
    except BaseException:
        stop[0] = 1
        while not ended.is_set():
            with suppress(BaseException):  # a second one: the first is raised when the call has ended
                if claim.acquire(blocking=False):  # it came before the thread started
                    ended.set()
                wait_for(ended)
        with suppress(RuntimeError):  # the thread was not started
            worker.join()
        raise


def wait_for(ended: threading.Event) -> None:
    """Wait until the event is set; on Windows in short waits, because one without a timeout ignores Ctrl-C."""
    while not ended.wait(0.1 if sys.platform == "win32" else None):
        pass
