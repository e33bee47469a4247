"""An epoch of 784-256-128-10 (ReLU, Adam, batch 128) with the NumPy engine, beside scikit-learn's MLPClassifier.

Both train in this process, an epoch in turn. Ours reads the images as they are stored, uint8. scikit-learn has them as
float32 from 0 to 1, made before its clock starts; its `partial_fit` keeps Adam's state from epoch to epoch, and is told
not to look for NaN. Without MNIST the pixels are random, and the row says so.

peak_megabytes is the most memory of fresh processes that load the images and train an epoch each. Asked: at most 300,
and a ratio whose interval lies above 1.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from measuring import comparison, interleaved, options, surroundings, write_rows

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
        return Dataset(pixels, classes, class_names=tuple("0123456789"), name="random pixels")


class Ours:
    """A network that a call trains for an epoch."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self.trainer = Trainer(
            network=Network((data.n_features, *HIDDEN, data.n_outputs)),
            optimizer=Adam(),
            schedule=Constant(LEARNING_RATE),
            epochs=1,
            batch_size=BATCH_SIZE,
            engine=engine("numpy"),
        )

    def __call__(self) -> float:
        """The epoch's seconds, without those of the evaluation before it, which scikit-learn does not make."""
        return self.trainer.fit(self.data)["seconds"][-1]


class ScikitLearn:
    """Its network that a call trains for an epoch."""

    def __init__(self, data: Dataset) -> None:
        import sklearn
        from sklearn.neural_network import MLPClassifier

        sklearn.set_config(assume_finite=True)
        self.X, self.y = data.inputs / np.float32(255.0), data.targets
        self.classes = np.arange(data.n_outputs)
        self.network = MLPClassifier(
            HIDDEN,
            alpha=0.0,
            batch_size=BATCH_SIZE,
            learning_rate_init=LEARNING_RATE,
            n_iter_no_change=sys.maxsize,
            random_state=0,
        )

    def __call__(self) -> float:
        """The epoch's seconds."""
        began = time.perf_counter()
        self.network.partial_fit(self.X, self.y, classes=self.classes)
        return time.perf_counter() - began


def peak_megabytes() -> float | None:
    """The most memory that this process has taken so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def fresh_peak_megabytes(n_samples: int) -> float | None:
    """The most memory of a fresh process that loads the images and trains an epoch."""
    command = [sys.executable, __file__, "--only-ours", "--examples", str(n_samples)]
    peak: float | None = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return peak


def main() -> None:
    """Measure, print the row in words, and write it."""
    parser = options(__doc__, "epoch.json", repetitions=9)
    parser.add_argument("--examples", type=int, default=60_000, metavar="N", help="training images (60000)")
    parser.add_argument("--only-ours", action="store_true", help="train ours for an epoch, print the peak memory")
    given = parser.parse_args()
    if given.only_ours:
        Ours(images(given.examples))()
        print(json.dumps(peak_megabytes()))
        return
    # First, because Linux counts the memory of whoever starts a process as that process's own.
    peaks = [fresh_peak_megabytes(given.examples) for _ in range(given.repetitions)]
    data = images(given.examples)
    measures: dict[str, Callable[[], float]] = {"deltarule": Ours(data), "scikit-learn": ScikitLearn(data)}
    interleaved(measures, 1)  # a first epoch of each to warm up
    taken = interleaved(measures, given.repetitions)
    workload = f"784-256-128-10, ReLU, Adam, batch {BATCH_SIZE}, an epoch of {data.n_samples:,} {data.name}"
    row = comparison("epoch", workload, "scikit-learn", taken["deltarule"], taken["scikit-learn"])
    row["peak_megabytes"] = max((peak for peak in peaks if peak is not None), default=None)
    print(workload)
    print("{ours_seconds:.3f} s, scikit-learn {peer_seconds:.3f} s".format(**row))
    print("scikit-learn takes {ratio:.2f} times as long ({ratio_low:.2f} to {ratio_high:.2f})".format(**row))
    print("peak memory {peak_megabytes} MB".format(**row))
    write_rows(given.json, [row | surroundings("scikit-learn")])


if __name__ == "__main__":
    main()
