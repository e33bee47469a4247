"""Matrix products with what is mostly 0: four of five of MNIST's pixels, half of what a ReLU says.

A row is packed first: the numbers in it that are not 0, and where they stand. The rows of matrices are padded with
zeros to a multiple of PADDING numbers: over an odd rest a processor takes as long as over the whole row.
"""

from typing import Any

from deltarule.compiled.kernels import kernel, number

PADDING = 16


@kernel
def pack(source: Any, unit: float, values: Any, places: Any) -> int:
    """List what is not 0 in unit * source, (n,), and where it stands; how many that is."""
    factor, n = number(unit, values), 0
    for k in range(len(source)):
        places[n] = k  # written in any case, and kept by counting on: no branch that a processor could mispredict
        n += source[k] != 0
    for q in range(n):
        values[q] = factor * values.dtype.type(source[places[q]])
    return n


@kernel
def add_rows(values: Any, places: Any, n: int, matrix: Any, total: Any) -> None:
    """total = sum over the list of a number times a row of `matrix`: a sample's part in z = a W."""
    total[:] = 0
    for q in range(n):
        value, row = values[q], matrix[places[q]]
        for j in range(len(total)):
            total[j] += value * row[j]


@kernel
def spread(values: Any, places: Any, n: int, error: Any, matrix: Any) -> None:
    """Row places[q] of `matrix` += values[q] error: a sample's part in BP4."""
    for q in range(n):
        value, row = values[q], matrix[places[q]]
        for j in range(len(row)):
            row[j] += value * error[j]
