"""Threads that take a step together: what each does of it, and how they wait for one another.

A step of a network that learns in milliseconds is over before an operating system has woken a thread, so they wait
awake: they count themselves in, and look again until all are there. Who waits long lets others have the core.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
from numba import types

from deltarule.compiled import blas
from deltarule.compiled.kernels import intrinsic, kernel, pointer_to

CAN_YIELD = llvmlite.binding.address_of_symbol("sched_yield") is not None  # POSIX
PATIENCE = 2000  # looks before the core is offered to others
ARRIVED, ROUND, FORSAKEN = range(3)  # the cells of a meeting, an array of int64
CELLS = 3

let_others_run = types.ExternalFunction("sched_yield", types.intc())


def most() -> int:
    """As many threads as a BLAS would take, and the process may use cores.

    One where a waiting thread could not let others have its core.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, blas.libraries()[1]) if CAN_YIELD else 1


def each(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """What a function says of every item, in order, by as many threads as there are cores, each its own BLAS."""
    if not blas.available():
        return list(map(function, items))
    with blas.one_thread(), ThreadPoolExecutor(most()) as pool:
        return list(pool.map(function, items))


@intrinsic
def add_at_once(typing: Any, array: Any, index: Any, amount: Any) -> Any:
    """array[index] += amount, such that no other thread comes in between; what was there before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        cell = pointer_to(context, builder, signature, arguments)
        return builder.atomic_rmw("add", cell, arguments[2], "seq_cst")

    return types.int64(array, types.intp, types.int64), generate


@intrinsic
def look_at(typing: Any, array: Any, index: Any) -> Any:
    """array[index] as it is now. Many may look at once, where each that adds has to have the cell for itself."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(pointer_to(context, builder, signature, arguments), "acquire", align=8)

    return types.int64(array, types.intp), generate


@kernel
def meet(meeting: Any, n_ranks: int) -> bool:
    """Wait until all threads of a team have come here. False where one of them never will."""
    if n_ranks == 1:
        return True
    now: int = look_at(meeting, ROUND)
    looks = 0
    if add_at_once(meeting, ARRIVED, 1) == n_ranks - 1:
        add_at_once(meeting, ARRIVED, -n_ranks)
        add_at_once(meeting, ROUND, 1)
        return True
    while look_at(meeting, ROUND) == now:
        looks += 1
        if looks > PATIENCE:
            if look_at(meeting, FORSAKEN) > 0:
                return False
            let_others_run()
    return True


@kernel
def share(n: int, rank: int, n_ranks: int) -> Any:
    """Which of n things belong to one thread: from, up to."""
    return n * rank // n_ranks, n * (rank + 1) // n_ranks
