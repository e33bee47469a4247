"""Batches: which samples make up a step, and gathering them."""

from collections.abc import Iterator

import numpy as np

from deltarule.nn.arrays import Array, blocks
from deltarule.nn.workspace import scale_inputs
from deltarule.randomness import generator


def steps_per_epoch(n_samples: int, batch_size: int | None) -> int:
    """How many steps see every sample once; None is one step on all of them. The last batch may be shorter."""
    return 1 if batch_size is None else -(-n_samples // batch_size)


def batches(n_samples: int, batch_size: int | None, seed: int, epoch: int, first: int = 0) -> Iterator[Array]:
    """The epoch's batches, as index arrays: a fresh permutation of the samples, cut into pieces of `batch_size`.

    Samples are shuffled, not batches. A full batch (None) needs no shuffling: its gradient does not depend on order.

    first: how many samples the epoch has already taken; the batches after them come.
    """
    order = np.arange(n_samples) if batch_size is None else sample_order(n_samples, seed, epoch)
    for start in range(first, n_samples, batch_size or n_samples):
        yield order[start : start + (batch_size or n_samples)]


def sample_order(n_samples: int, seed: int, epoch: int) -> Array:
    """The order in which an epoch takes the samples: a permutation of their indices, (n_samples,) int64."""
    return generator(seed, "shuffle", epoch).permutation(n_samples)


def gather(inputs: Array, indices: Array, out: Array) -> None:
    """out[i] = inputs[indices[i]], cast; uint8 are pixels here, and divided by 255.

    inputs: (n_samples, features), as `Network.inputs` returns them; indices: (batch,); out: (batch, features), of the
        network's dtype.
    """
    for rows in blocks(*out.shape):
        scale_inputs(np.take(inputs, indices[rows], axis=0), out[rows])
