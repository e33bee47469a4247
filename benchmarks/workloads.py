"""What the benchmarks train: networks with their training, and the images that they learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Layers = Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]

N_FEATURES, N_CLASSES, MOMENTUM = 784, 10, 0.9
BLOCK_ROWS = 1000


@dataclass(frozen=True)
class Workload:
    """An epoch of training. The last layer is a softmax under cross-entropy, because scikit-learn knows no other.

    layer_sizes: (784, hidden ..., 10). activation: of the hidden layers, "relu" or "sigmoid".
    optimizer: "sgd", "momentum" (0.9) or "adam", with the defaults that all agree on.
    """

    layer_sizes: tuple[int, ...]
    activation: str
    batch_size: int
    optimizer: str
    learning_rate: float
    n_samples: int = 60_000

    def __str__(self) -> str:
        sizes = "-".join(map(str, self.layer_sizes))
        activation = {"relu": "ReLU", "sigmoid": "sigmoid"}[self.activation]
        optimizer = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam"}[self.optimizer]
        return f"{sizes} {activation}, batch {self.batch_size}, {optimizer}, {self.n_samples:,} images"

    @property
    def flops(self) -> int:
        """Floating-point operations of an epoch's matrix products: 6 W - 2 W_1 a sample, for W weights, W_1 in layer 1.

        2 W each for the way forward, the weights' gradient and the way back, which ends before the first layer.
        """
        weights = [fan_in * fan_out for fan_in, fan_out in pairwise(self.layer_sizes)]
        return (6 * sum(weights) - 2 * weights[0]) * self.n_samples

    def batches(self, order: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """The epoch's batches out of a permutation; the last may be shorter."""
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def start(self) -> Layers:
        """Where everybody's training starts: (W, b) of each layer, the same numbers at every call (He et al. 2015)."""
        rng = np.random.default_rng(0)
        gain = {"relu": 2.0, "sigmoid": 1.0}[self.activation]
        return [
            (
                rng.standard_normal((fan_in, fan_out), np.float32) * np.float32((gain / fan_in) ** 0.5),
                np.zeros(fan_out, np.float32),
            )
            for fan_in, fan_out in pairwise(self.layer_sizes)
        ]

    def loss(self, layers: Layers, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> float:
        """The mean cross-entropy of a network on images: the yardstick for everybody, in plain NumPy."""
        losses = []
        for start in range(0, len(images), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            z = images[rows] / np.float32(255.0)
            for l, (W, b) in enumerate(layers):
                if l > 0:
                    z = np.maximum(z, 0.0) if self.activation == "relu" else 0.5 * (1.0 + np.tanh(0.5 * z))
                z = z @ W + b
            z -= z.max(axis=1, keepdims=True)
            losses.append(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), classes[rows]])
        return float(np.concatenate(losses).mean())


HEADLINE = Workload((N_FEATURES, 256, 128, N_CLASSES), "relu", 128, "adam", 0.001)
WORKLOADS = {
    "headline": HEADLINE,
    "nielsen": Workload((N_FEATURES, 30, N_CLASSES), "sigmoid", 10, "sgd", 0.5),
    "sixteen": Workload((N_FEATURES, 16, 16, N_CLASSES), "sigmoid", 32, "sgd", 0.5),
    "deep": Workload((N_FEATURES, 2500, 2000, 1500, 1000, 500, N_CLASSES), "relu", 256, "momentum", 0.01, 10_240),
}


def synthetic(n_samples: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (n_samples, 784) and their classes: as sparse as MNIST's (81 % zeros), and not too easy to learn.

    Each class has its own chance of ink for every pixel.
    """
    rng = np.random.default_rng(0)
    chances = rng.uniform(0.14, 0.24, (N_CLASSES, N_FEATURES)).astype(np.float32)
    classes = rng.integers(N_CLASSES, size=n_samples)
    images = np.empty((n_samples, N_FEATURES), np.uint8)
    for start in range(0, n_samples, BLOCK_ROWS):
        block = images[start : start + BLOCK_ROWS]
        block[:] = rng.integers(1, 256, block.shape, np.uint8)
        block *= rng.random(block.shape, np.float32) < chances[classes[start : start + BLOCK_ROWS]]
    return images, classes


def prepare(folder: Path, n_samples: int) -> str:
    """Write images.npy and classes.npy into `folder`, from MNIST where it is at hand; says which images they are.

    Files that NumPy alone reads, so that loading costs everybody the same.
    """
    from deltarule.data.catalog import load
    from deltarule.errors import DeltaruleError

    try:
        train = load("mnist", offline=True).train.take(slice(n_samples))
        name, images, classes = "MNIST", train.inputs, train.targets
    except DeltaruleError:
        name, (images, classes) = "synthetic", synthetic(n_samples)
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", images)
    np.save(folder / "classes.npy", classes)
    return name
