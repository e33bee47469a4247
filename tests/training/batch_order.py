"""The batches of an epoch, as index arrays, for tests that take its steps by hand."""

from collections.abc import Iterator

from deltarule.nn.arrays import Array
from deltarule.training.trainer import sample_order


def batches(n_samples: int, batch_size: int | None, seed: int, epoch: int) -> Iterator[Array]:
    order, size = sample_order(n_samples, batch_size, seed, epoch), batch_size or n_samples
    return (order[start : start + size] for start in range(0, n_samples, size))
