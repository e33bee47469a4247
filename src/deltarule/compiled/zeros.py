"""Zeros that are not multiplied: a third of MNIST's pixels, its margins, are 0 in all images of a batch.

The columns that are 0 throughout are left out of the inputs, the rows that would meet them out of the weights, and
what remains lies side by side, as a BLAS wants it. It is listed as runs: from which column on, and up to which.
"""

from typing import Any

import numpy as np

from deltarule.compiled.kernels import kernel, number

WORTHWHILE = 0.8  # of the columns; where more are in use, to copy the rest takes longer than to multiply by zeros


@kernel
def columns_in_use(inputs: Any, rows: Any, columns: Any, runs: Any) -> Any:
    """List the runs of the columns from columns[0] up to columns[1] that are not 0 in all of these rows.

    How many runs that are, and how many columns. Where nearly all are in use, it is one run of all.
    """
    n_columns, n_runs, n = columns[1] - columns[0], 0, 0
    in_use = np.zeros(n_columns, np.uint8)
    for i in range(len(rows)):
        row = inputs[rows[i], columns[0] : columns[1]]
        for k in range(n_columns):
            in_use[k] |= np.uint8(row[k] != 0)
    for k in range(n_columns):
        if in_use[k]:
            if k == 0 or not in_use[k - 1]:
                runs[n_runs, 0] = k
                n_runs += 1
            runs[n_runs - 1, 1] = k + 1
    for r in range(n_runs):
        n += runs[r, 1] - runs[r, 0]
    if n <= WORTHWHILE * n_columns:
        return n_runs, n
    runs[0, 0], runs[0, 1] = 0, n_columns
    return 1, n_columns


@kernel
def take_columns(source: Any, unit: float, runs: Any, row: Any) -> None:
    """row = unit * the numbers of `source` in these runs."""
    factor, q = number(unit, row), 0
    for r in range(len(runs)):
        run = source[runs[r, 0] : runs[r, 1]]
        piece = row[q : q + len(run)]
        for k in range(len(piece)):
            piece[k] = factor * row.dtype.type(run[k])
        q += len(run)


@kernel
def take_rows(whole: Any, width: int, runs: Any, taken: Any) -> None:
    """Copy the rows in these runs one under the other. whole, taken: rows of `width` numbers each, as one vector."""
    q = 0
    for r in range(len(runs)):
        run = whole[width * runs[r, 0] : width * runs[r, 1]]
        copy(run, taken[q : q + len(run)])
        q += len(run)


@kernel
def put_rows(taken: Any, width: int, runs: Any, whole: Any) -> None:
    """Put rows back to where `take_rows` takes them from, and 0 everywhere else."""
    q, end = 0, 0
    for r in range(len(runs)):
        whole[end : width * runs[r, 0]] = 0
        end = width * runs[r, 1]
        run = whole[width * runs[r, 0] : end]
        copy(taken[q : q + len(run)], run)
        q += len(run)
    whole[end:] = 0


@kernel
def copy(source: Any, target: Any) -> None:
    """target = source, two vectors. Numba would first ask whether they lie over one another."""
    for k in range(len(target)):
        target[k] = source[k]
