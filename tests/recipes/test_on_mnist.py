"""Short runs on the real digits."""

import numpy as np

from deltarule import recipes
from deltarule.data.dataset import Splits
from deltarule.recipes.build import Job, build
from deltarule.training.evaluation import evaluate


def run(name: str, mnist: Splits, *changes: str) -> tuple[Job, float]:
    """A recipe carried out, and its accuracy on the images that its split keeps for the test."""
    job = build(recipes.read(name).with_changes(changes), mnist)
    job.trainer.fit(job.train)
    assert job.test is not None
    return job, evaluate(job.trainer.network, job.model.scaled(job.test))[1]


def test_an_epoch_of_quick_reads_95_percent(mnist: Splits) -> None:
    job, accuracy = run("quick", mnist, "epochs=1")
    assert job.train.n_samples == 60_000
    assert accuracy > 0.95
    assert (job.model.predict(mnist.test.inputs) == mnist.test.targets).mean() == accuracy  # type: ignore[union-attr]


def test_as_written_it_stays_at_chance(mnist: Splits) -> None:
    """Weights from 0 to 1 on pixels from 0 to 255: every hidden neuron says 1, so all images get one answer."""
    job, accuracy = run("sigmoid-16-16-as-written", mnist, "epochs=20", "split.train=2000")
    assert accuracy < 0.13
    assert len(np.unique(job.model.predict(mnist.train.inputs[:2000]))) == 1


def test_mended_it_learns(mnist: Splits) -> None:
    """The same network on the same images with pixels and weights scaled."""
    _, accuracy = run("sigmoid-16-16", mnist, "epochs=100", "split.train=2000")
    assert accuracy > 0.3
