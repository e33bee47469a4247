"""An epoch of 784-256-128-10 (ReLU, Adam, batch 128) with the NumPy engine, beside scikit-learn's MLPClassifier.

Both train on in the same process, an epoch in turn. Ours reads the images as they are stored, uint8; scikit-learn gets
them as float32 in [0, 1], converted before the clock starts and not searched for NaN, through `partial_fit`, which
keeps its optimizer from one epoch to the next. Without MNIST the pixels are random, and the row says so.

The memory is the peak of a fresh process that loads the images and trains an epoch.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from measuring import RESULTS, comparison, interleaved, surroundings, write_rows

from deltarule.data.catalog import load
from deltarule.data.dataset import Dataset
from deltarule.errors import DeltaruleError
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Adam
from deltarule.training.engines import engine
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer

HIDDEN, BATCH_SIZE, LEARNING_RATE = (256, 128), 128, 0.001


def images(n_samples: int) -> Dataset:
    """The first `n_samples` training images of MNIST, or as many of random pixels."""
    try:
        return load("mnist", offline=True).train.take(slice(n_samples))
    except DeltaruleError:
        rng = np.random.default_rng(0)
        pixels, classes = rng.integers(256, size=(n_samples, 784), dtype=np.uint8), rng.integers(10, size=n_samples)
        return Dataset(pixels, classes, class_names=tuple("0123456789"), image_shape=(28, 28), name="random pixels")


class Ours:
    def __init__(self, data: Dataset) -> None:
        network = Network((data.n_features, *HIDDEN, data.n_outputs))
        schedule = Constant(LEARNING_RATE)
        self.data = data
        self.trainer = Trainer(
            network=network, optimizer=Adam(), schedule=schedule, epochs=1, batch_size=BATCH_SIZE, engine=engine("numpy")
        )

    def __call__(self) -> float:
        """Seconds of an epoch; the evaluation before it, which scikit-learn does not make, is not counted."""
        return self.trainer.fit(self.data)["seconds"][-1]


class ScikitLearn:
    def __init__(self, data: Dataset) -> None:
        import sklearn
        from sklearn.neural_network import MLPClassifier

        sklearn.set_config(assume_finite=True)
        self.X, self.y = data.inputs.astype(np.float32) / 255.0, data.targets
        self.network = MLPClassifier(
            HIDDEN, batch_size=BATCH_SIZE, learning_rate_init=LEARNING_RATE, alpha=0.0, n_iter_no_change=10**9, random_state=0
        )
        self.network.partial_fit(self.X[:BATCH_SIZE], self.y[:BATCH_SIZE], classes=np.arange(data.n_outputs))

    def __call__(self) -> float:
        began = time.perf_counter()
        self.network.partial_fit(self.X, self.y)
        return time.perf_counter() - began
