"""fit: a Trainer with sensible defaults, for arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, ShapeError
from deltarule.nn.activations import Sigmoid
from deltarule.nn.arrays import Array
from deltarule.nn.losses import CrossEntropy
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.penalties import Penalty
from deltarule.parts import Spec
from deltarule.settings import explains_calls
from deltarule.training.averaging import Latest
from deltarule.training.callbacks import Callback, History
from deltarule.training.clipping import NoClipping
from deltarule.training.engines import Engine
from deltarule.training.schedules import Schedule, schedule_of
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer


@explains_calls("fit(network, X, y, epochs=10)")
def fit(
    network: Network,
    X: Any,
    y: Any,
    *,
    epochs: int = 10,
    batch_size: int | Literal["full"] | None = 128,
    learning_rate: float | Schedule = 0.001,
    optimizer: Optimizer | Spec = "adam",
    penalty: Penalty | Spec | None = None,
    augment: Deformation | Mapping[str, float] | None = None,
    average: float | Latest | None = None,
    clip: float | NoClipping | None = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    callbacks: Callback | Sequence[Callback] = (),
    engine: str | Engine = "auto",
    seed: int = 0,
    resume: Snapshot | None = None,
) -> History:
    """Train `network` in place on arrays and return the history, epoch 0 (before any step) included.

    X: (n_samples, features), or images (n_samples, height, width); uint8 counts as value / 255.
    y: (n_samples,) integer classes; or (n_samples, outputs) of 0 and 1 for a network that ends in Sigmoid; or
        (n_samples, outputs) values.
    epochs: passes over the samples. batch_size: samples a step, None or "full" for all of them.
    learning_rate: a number, or a schedule (step -> number); ReduceOnPlateau(0.001) also hears how the run goes.
    optimizer: an object or a name, such as Momentum() or "sgd". penalty: L2(strength) or L1(strength) on the weights.
    augment: deform every image anew at each step: Deformation(rotation=10), or a dict of its amounts.
    average: decay of a moving average of the parameters, which then is the result. clip: a gradient's largest norm.
    validation: (X, y) to choose the best epoch by; without it the last epoch is kept.
    sample_weight: (n_samples,), how much each sample counts.
    callbacks: one, or a list; Progress() prints, EarlyStopping() ends a run that gets no better.
    engine: "numpy", "numba", or "auto": Numba where it is installed and the run long enough to be worth compiling.
    seed: of shuffling, dropout and augmentation.
    resume: where an earlier run, of the same call, has come to (see Checkpoints).

    Raises ShapeError, DataError or SettingError for what does not fit, DivergenceError when the loss is lost.

    >>> network = Network((2, 8, 2))
    >>> history = fit(network, np.eye(2), np.array([0, 1]), epochs=3)
    >>> len(history)
    4
    """
    given: dict[str, Any] = {  # what Trainer, too, takes by name
        "optimizer": optimizer,
        "schedule": schedule_of(learning_rate),
        "penalty": penalty,
        "epochs": epochs,
        "batch_size": batch_size,
        "augment": augment,
        "average": average,
        "clip": clip,
        "engine": engine,
        "callbacks": callbacks,
        "seed": seed,
    }
    trainer = Trainer(network=network, **given)
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    held_out = None if validation is None else as_dataset(network, *validation, "the validation data")
    train = as_dataset(network, X, y, "the training data")
    return trainer.fit(train, held_out, sample_weight=weights, resume=resume)


def as_dataset(network: Network, X: Any, y: Any, name: str = "the data") -> Dataset:
    """Arrays as a Dataset for `network`: integers are classes, columns are labels after Sigmoid and else values.

    X, y: as for `fit`. Raises ShapeError or DataError where they are no such arrays.
    """
    X, y = np.asarray(X), np.asarray(y)
    image_shape = X.shape[1:] if X.ndim == 3 else None
    if image_shape:
        X = X.reshape(len(X), image_shape[0] * image_shape[1])
    if X.dtype != np.uint8:
        X = as_numbers(X, network, name)
    n_outputs = network.layer_sizes[-1]
    if y.ndim == 1 and np.issubdtype(y.dtype, np.integer) and n_outputs > 1:
        names = tuple(map(str, range(n_outputs)))
        return Dataset(X, y.astype(np.int64), "classes", names, image_shape, name)
    y = y.reshape(len(y), 1) if y.ndim == 1 else y
    if y.ndim != 2 or y.shape[1] != n_outputs:
        raise ShapeError(
            f"{name}: targets for {n_outputs} outputs are integer classes (n_samples,) or (n_samples, {n_outputs}): "
            f"got {y.dtype} {y.shape}; np.unique(y, return_inverse=True) numbers the names of classes"
        )
    is_binary = set(np.unique(y)) <= {0, 1}
    if isinstance(network.loss, CrossEntropy) and is_binary:
        raise ShapeError(
            f"{name}: CrossEntropy takes integer classes (n_samples,): got columns of 0 and 1, {y.shape}; "
            "y.argmax(axis=1) turns one-hot rows into classes"
        )
    if isinstance(network.activations[-1], Sigmoid) and is_binary:
        return Dataset(X, y.astype(np.uint8), "labels", (), image_shape, name)
    return Dataset(X, y.astype(np.float64), "values", (), image_shape, name)


def as_numbers(X: Array, network: Network, name: str) -> Array:
    """Inputs in the dtype of the network; DataError where they are no numbers."""
    try:
        return X.astype(network.dtype, copy=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name}: inputs that are numbers were expected: {error}; read_table(frame, target) makes numbers of text"
        ) from error
