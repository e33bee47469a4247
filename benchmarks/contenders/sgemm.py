"""The matrix products of an epoch and nothing else, through NumPy into arrays that are there: how fast it could be."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contenders import Contender


class Sgemm(Contender):
    """Random numbers of the network's own shapes."""

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> None:
        work = self.workload
        self.a, self.z = (
            [self.rng.standard_normal((work.batch_size, size), np.float32) for size in work.layer_sizes]
            for _ in range(2)
        )
        self.weights, self.gradients = (
            [self.rng.standard_normal(shape, np.float32) for shape in pairwise(work.layer_sizes)] for _ in range(2)
        )

    def train(self) -> None:
        for batch in self.workload.batches(np.arange(self.workload.n_samples)):
            a, z = [array[: len(batch)] for array in self.a], [array[: len(batch)] for array in self.z]
            for l, W in enumerate(self.weights):
                np.matmul(a[l], W, out=z[l + 1])
            for l in range(len(self.weights) - 1, -1, -1):
                np.matmul(a[l].T, z[l + 1], out=self.gradients[l])
                if l > 0:
                    np.matmul(a[l + 1], self.weights[l].T, out=z[l])
