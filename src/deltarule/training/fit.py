"""fit: a Trainer with sensible defaults, for arrays."""

from collections.abc import Sequence
from typing import Any

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Adam, Optimizer
from deltarule.nn.penalties import Penalty
from deltarule.training.averaging import Latest, MovingAverage
from deltarule.training.callbacks import Callback, History
from deltarule.training.clipping import ClipNorm, NoClipping
from deltarule.training.engines import engine_for
from deltarule.training.examples import examples_for, held_out_examples, warn_of_pixels
from deltarule.training.schedules import Constant, Schedule
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer


def fit(
    network: Network,
    X: Any,
    y: Any = None,
    *,
    epochs: int = 10,
    batch_size: int | None = 128,
    learning_rate: float | Schedule = 0.001,
    optimizer: Optimizer | None = None,
    penalty: Penalty = Penalty(),
    augment: Deformation | None = None,
    average: float | None = None,
    clip: float | None = None,
    validation: tuple[Any, Any] | Dataset | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    engine: str = "auto",
    seed: int = 0,
    resume: Snapshot | None = None,
) -> History:
    """Train `network` in place on X and y, or on a Dataset, and return the history; its epoch 0 is before any step.

    X: (n_samples, features), or images (n_samples, height, width); uint8 counts as value / 255. Or a Dataset, and no y.
    y: (n_samples,) classes, counted from 0; or (n_samples, outputs) of 0 and 1 for a network that ends in Sigmoid; or
        (n_samples, outputs) values.
    epochs: passes over the samples. batch_size: samples a step, None for all of them.
    learning_rate: a number, or a schedule (step -> number); ReduceOnPlateau(0.001) also hears how the run goes.
    optimizer: Adam() by default. penalty: L2(strength) or L1(strength) on the weights.
    augment: deform every image anew at each step.
    average: decay of a moving average of the parameters, which then is the result. clip: a gradient's largest norm.
    validation: (X, y) or a Dataset to choose the best epoch by; without it the last epoch is kept.
    sample_weight: (n_samples,), how much each sample counts.
    callbacks: who listens; Progress() prints, EarlyStopping() ends a run that gets no better.
    engine: "numpy", "numba", or "auto": Numba where it is installed and the run long enough to be worth compiling.
    seed: of shuffling, dropout and augmentation.
    resume: where an earlier run, of the same call, has come to (see Checkpoints).

    Raises ShapeError, DataError or SettingError for what does not fit, DivergenceError when the loss is lost.

    >>> network = Network((2, 8, 2))
    >>> history = fit(network, np.eye(2), np.array([0, 1]), epochs=3)
    >>> len(history)
    4
    """
    trainer = Trainer(
        network=network,
        optimizer=Adam() if optimizer is None else optimizer,
        schedule=learning_rate if callable(learning_rate) else Constant(learning_rate),
        penalty=penalty,
        epochs=epochs,
        batch_size=batch_size,
        augment=augment,
        average=Latest() if average is None else MovingAverage(average),
        clip=NoClipping() if clip is None else ClipNorm(clip),
        callbacks=callbacks,
        seed=seed,
    )
    held_out = held_out_examples(network, validation, of_arrays=y is not None)
    train = examples_for(network, X, y, "the training data")[1]
    warn_of_pixels(train.inputs)
    trainer.engine = engine_for(trainer, train.n_samples, engine)
    return trainer.fit(train, held_out, sample_weight=sample_weight, resume=resume)
