"""Runs one after another here, or spread over a Dask cluster: the same loop either way.

A cluster is `dask scheduler` and, on each machine, `dask worker SCHEDULER --nworkers N --nthreads 1`, with deltarule
installed, and MNIST where DELTARULE_DATA says, if the runs are on MNIST. The benchmark's own modules are sent there.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

MODULES = ("measuring.py", "cluster.py", "recipes.py", "ladder.py")  # in the order in which they import each other

Task = tuple[Any, ...]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark take --dask."""
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="spread the runs over a Dask cluster, tcp://HOST:PORT of its scheduler; a run's seconds are its worker's",
    )


def spread(
    function: Callable[..., Any], tasks: Sequence[Task], address: str | None
) -> Iterator[tuple[Task, Callable[[], Any]]]:
    """Each task, and what to call for the result of function(*task), or for what it raised.

    Without an address they come in their order, and the call does the work. Else workers do it, and they come as they
    are done; function and tasks are then of modules that can be imported, and of none called __main__.
    """
    if address is None:
        yield from ((task, partial(function, *task)) for task in tasks)
        return
    from dask.distributed import Client, as_completed

    with Client(address) as client:
        for module in MODULES:
            client.upload_file(str(Path(__file__).with_name(module)))
        futures = {client.submit(function, *task, pure=False): task for task in tasks}
        yield from ((futures[future], future.result) for future in as_completed(futures))
