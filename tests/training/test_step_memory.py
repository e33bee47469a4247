"""A step of a whole run, everything around the mathematics included, works in the arrays that there are."""

import tracemalloc

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.nn.network import Network
from deltarule.nn.penalties import L2
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import ClipNorm, MovingAverage
from deltarule.training.trainer import Trainer

KIB = 1024
WARM_UP = 3  # steps


class PeakOfAStep(Callback):
    """The most bytes that a step after warm-up held beyond what there was before it."""

    peak = 0

    def step_end(self, state: TrainingState) -> None:
        if state.step == WARM_UP:
            tracemalloc.start()
        if state.step > WARM_UP:
            self.peak = max(self.peak, tracemalloc.get_traced_memory()[1] - self.before)
        if state.step >= WARM_UP:
            self.before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()

    def train_end(self, state: TrainingState) -> None:
        tracemalloc.stop()


def peak_of_a_step(batch_size: int, *, everything: bool) -> int:
    """Of 784-128-10 with Adam on pixels; with `everything`, also what a run may add around the gradient."""
    rng = np.random.default_rng(0)
    n_samples = 8 * batch_size
    pixels = rng.integers(256, size=(n_samples, 784), dtype=np.uint8)
    data = Dataset(pixels, rng.integers(10, size=n_samples), class_names=tuple("0123456789"))
    watch = PeakOfAStep()
    trainer = Trainer(
        network=Network((784, 128, 10), dropout=0.5 if everything else 0.0),
        epochs=1,
        batch_size=batch_size,
        callbacks=[watch],
    )
    if everything:
        trainer.penalty, trainer.clip, trainer.average = L2(1e-4), ClipNorm(1.0), MovingAverage(0.99)
    trainer.fit(data, sample_weight=rng.random(n_samples) if everything else None)
    return watch.peak


@pytest.mark.parametrize("everything", [False, True])
def test_a_step_allocates_no_batch_and_no_network(everything: bool) -> None:
    """A float32 batch of 1,024 images takes 3,136 KiB, the network's parameters 398 KiB."""
    small = peak_of_a_step(128, everything=everything)
    large = peak_of_a_step(1024, everything=everything)
    assert 0 < small <= 128 * KIB
    assert large <= 128 * KIB
    assert large - small <= 3 * 8 * (1024 - 128)  # a sample's share, its loss, its target: 8 bytes each
