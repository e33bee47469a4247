"""fit: a Trainer with sensible defaults, for arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import LOG, sentence
from deltarule.examples import examples_for, validation_examples, warn_of_reach, warn_of_sameness, warn_of_scale
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.penalties import Penalty
from deltarule.parts import Spec
from deltarule.public import check_network, public
from deltarule.settings import BatchSize, setting_error
from deltarule.training.callbacks import Callback
from deltarule.training.clip_and_average import Latest, NoClipping
from deltarule.training.engine import Engine
from deltarule.training.history import History
from deltarule.training.schedules import Schedule, schedule_of
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer


@public("fit(network, X, y, epochs=10)")
def fit(
    network: Network,
    X: Any,
    y: Any = None,
    *,
    epochs: int = 10,
    batch_size: BatchSize = 128,
    learning_rate: float | Schedule = 0.001,
    optimizer: Optimizer | Spec = "adam",
    penalty: Penalty | Spec | None = None,
    augment: Deformation | Mapping[str, float] | None = None,
    average: float | Latest | None = None,
    clip: float | NoClipping | None = None,
    validation: tuple[Any, Any] | Dataset | None = None,
    sample_weight: Any = None,
    callbacks: Callback | Sequence[Callback] = (),
    engine: str | Engine = "auto",
    seed: int = 0,
    resume: Snapshot | None = None,
) -> History:
    """Train `network` in place on X and y, or on a Dataset, and return the history; its epoch 0 is before any step.

    X: (n_samples, features), or images (n_samples, height, width); uint8 counts as value / 255. Or a Dataset, and no y.
    y: (n_samples,) classes, counted from 0; or (n_samples, outputs) of 0 and 1 for a network that ends in Sigmoid; or
        (n_samples, outputs) values; or, for classes, probabilities: rows that sum to 1.
    epochs: passes over the samples. batch_size: samples a step, None or "full" for all of them.
    learning_rate: a number, or a schedule (step -> number); ReduceOnPlateau(0.001) also hears how the run goes.
    optimizer: an object or a name, such as Momentum() or "sgd". penalty: L2(strength) or L1(strength) on the weights.
    augment: deform every image anew at each step: Deformation(rotation=10), or a dict of its amounts.
    average: decay of a moving average of the parameters, which then is the result. clip: a gradient's largest norm.
    validation: (X, y) or a Dataset to choose the best epoch by; without it the last epoch is kept.
    sample_weight: (n_samples,), how much each sample counts.
    callbacks: one, or a list; Progress() prints, EarlyStopping() ends a run that gets no better.
    engine: "numpy", "native", or "auto": the library in C, where it is there and has all that the run is made of.
    seed: of shuffling, dropout and augmentation.
    resume: where an earlier run, of the same call, has come to (see Checkpoints).

    Raises ShapeError, DataError or SettingError for what does not fit, DivergenceError when the loss is lost.

    >>> network = Network((2, 8, 2))
    >>> history = fit(network, np.eye(2), np.array([0, 1]), epochs=3)
    >>> len(history)
    4
    """
    check_network(network, "dr.fit(network, X, y)", "Network")
    update: dict[str, Any] = {"optimizer": optimizer, "penalty": penalty, "average": average, "clip": clip}
    others: dict[str, Any] = {"augment": augment, "callbacks": callbacks, "engine": engine, "seed": seed}
    if isinstance(epochs, float) and 0 < epochs < 1 and type(learning_rate) is int and learning_rate > 0:
        raise setting_error("epochs", "a whole number", epochs, f"epochs={learning_rate}, learning_rate={epochs}")
    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "schedule": schedule_of(learning_rate)}
    trainer = Trainer(network=network, **given, **update, **others)
    held_out = validation_examples(network, validation, of_arrays=y is not None)
    train = examples_for(network, X, y, "the training data")[1]
    warn_of_scale(train.inputs)
    warn_of_reach(network, train)
    warn_of_sameness(network, train)
    history = trainer.fit(train, held_out, sample_weight=sample_weight, resume=resume)
    losses, rates = history["train_loss"], history["learning_rate"]
    if losses[-1] > 2 * losses[0]:
        LOG.warning(sentence("examples.rise", first=losses[0], last=losses[-1], rate=max(rates) / 10))
    return history
