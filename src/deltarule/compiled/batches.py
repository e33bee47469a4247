"""The twin of `gather`: rows picked, cast and scaled in one pass, so that uint8 images are read and nothing else."""

from typing import Any

import numpy as np

from deltarule.compiled.kernels import kernel, number
from deltarule.nn.arrays import Array


def gather(inputs: Array, indices: Array, out: Array) -> None:
    """The twin of `training.batches.gather`: out[i] = inputs[indices[i]], uint8 pixels divided by 255."""
    unit = 1.0 / 255.0 if inputs.dtype == np.uint8 else 1.0
    pick(np.asarray(inputs), indices, unit, out)  # asarray: a memory map is an array like any other


@kernel
def pick(inputs: Any, indices: Any, unit: float, out: Any) -> None:
    """out[i] = unit inputs[indices[i]]. inputs: (n_samples, features); out: (batch, features)."""
    factor = number(unit, out)
    for i in range(out.shape[0]):
        source, row = inputs[indices[i]], out[i]
        for j in range(row.shape[0]):
            row[j] = factor * row.dtype.type(source[j])
