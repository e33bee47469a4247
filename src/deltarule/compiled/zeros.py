"""Zeros that are not multiplied: a third of MNIST's pixels, its margins, are 0 in all images of a batch.

The columns that are 0 throughout are left out of the inputs, the rows that would meet them out of the weights, and
what remains lies side by side, as a BLAS wants it.
"""

from typing import Any

import numpy as np

from deltarule.compiled.kernels import kernel, number

WORTHWHILE = 0.9  # of the columns; where more are in use, to copy the rest takes longer than to multiply by zeros


@kernel
def columns_in_use(inputs: Any, rows: Any, columns: Any, places: Any) -> int:
    """List which of the columns from columns[0] up to columns[1] are not 0 in all of these rows; how many they are.

    Where nearly all are in use, all are listed.
    """
    n_columns, n = columns[1] - columns[0], 0
    in_use = np.zeros(n_columns, np.uint8)
    for i in range(len(rows)):
        row = inputs[rows[i], columns[0] : columns[1]]
        for k in range(n_columns):
            in_use[k] |= np.uint8(row[k] != 0)
    for k in range(n_columns):
        places[n] = k  # written in any case, and kept by counting on: no branch that a processor could mispredict
        n += in_use[k]
    if n <= WORTHWHILE * n_columns:
        return n
    for k in range(n_columns):
        places[k] = k
    return n_columns


@kernel
def take_columns(source: Any, unit: float, places: Any, row: Any) -> None:
    """row = unit * the numbers of `source` at these places."""
    factor = number(unit, row)
    if len(row) == len(source):
        for k in range(len(row)):
            row[k] = factor * row.dtype.type(source[k])
    else:
        for q in range(len(row)):
            row[q] = factor * row.dtype.type(source[places[q]])


@kernel
def take_rows(matrix: Any, places: Any, taken: Any) -> None:
    """Copy the rows of `matrix` at these places one under the other."""
    for q in range(len(taken)):
        row, copy = matrix[places[q]], taken[q]
        for j in range(len(copy)):
            copy[j] = row[j]


@kernel
def put_rows(taken: Any, places: Any, matrix: Any) -> None:
    """Put rows back to where they were taken from, and 0 everywhere else."""
    q = 0
    for k in range(len(matrix)):
        row = matrix[k]
        if q < len(taken) and places[q] == k:
            copy = taken[q]
            for j in range(len(row)):
                row[j] = copy[j]
            q += 1
        else:
            row[:] = 0
