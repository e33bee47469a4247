"""Batches: which samples make up a step, and gathering them."""

import numpy as np

from deltarule.nn.arrays import Array, blocks
from deltarule.nn.workspace import scale_inputs
from deltarule.randomness import generator
from deltarule.settings import BatchSize


def samples_per_step(n_samples: int, batch_size: BatchSize) -> int:
    """How many samples a step sees; with None or "full" it is all of them. The last of an epoch may see fewer."""
    return n_samples if batch_size is None or batch_size == "full" else batch_size


def steps_per_epoch(n_samples: int, batch_size: BatchSize) -> int:
    """How many steps see every sample once."""
    return -(-n_samples // samples_per_step(n_samples, batch_size))


def sample_order(n_samples: int, batch_size: BatchSize, seed: int, epoch: int) -> Array:
    """The order in which an epoch takes the samples: a fresh permutation of their indices, (n_samples,) int64.

    A full batch (None) needs no shuffling: its gradient does not depend on the order.
    """
    return np.arange(n_samples) if batch_size is None else generator(seed, "shuffle", epoch).permutation(n_samples)


def gather(inputs: Array, indices: Array, out: Array) -> Array:
    """`out`, with out[i] = inputs[indices[i]], cast; uint8 are pixels here, and divided by 255.

    inputs: (n_samples, features), as `Network.inputs` returns them; indices: (batch,); out: (batch, features), of the
        network's dtype.
    """
    for rows in blocks(*out.shape):
        scale_inputs(np.take(inputs, indices[rows], axis=0), out[rows])
    return out
