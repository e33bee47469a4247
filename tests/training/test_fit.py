"""fit: what a user may hand over, and what is refused, before anything is changed."""

from typing import Any

import numpy as np
import pytest

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import DataError, DeltaruleError, SettingError, ShapeError
from deltarule.examples import examples_for
from deltarule.nn.activations import Identity, ReLU, Sigmoid, Softmax
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Adam
from deltarule.nn.penalties import L2
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import ClipNorm, MovingAverage
from deltarule.training.schedules import Constant, Cosine
from deltarule.training.trainer import Trainer, fit

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(256, size=(30, 6), dtype=np.uint8)
CLASSES = RNG.integers(3, size=30)
LABELS = RNG.integers(2, size=(30, 3))
VALUES = RNG.normal(size=(30, 3))


def classifier() -> Network:
    return Network((6, 5, 3), rng=1)


def asked() -> Network:
    return Network((6, 5, 3), output=Sigmoid(), loss=BinaryCrossEntropy(), rng=1)


def valued() -> Network:
    return Network((6, 5, 3), output=Identity(), loss=Quadratic(), rng=1)


def counting() -> Network:
    return Network((6, 5, 3), output="exponential", loss="poisson", rng=1)


def trained(network: Network, X: Any, y: Any, **settings: Any) -> np.ndarray:
    fit(network, X, y, **{"epochs": 2, "batch_size": 7} | settings)
    return network.parameters.vector


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (PIXELS, CLASSES.tolist()),
        (PIXELS.reshape(30, 2, 3), CLASSES.astype(np.uint8)),
        (np.asfortranarray(PIXELS), CLASSES.astype(np.int32)),
        (PIXELS[::-1][::-1], CLASSES),
    ],
    ids=["list of classes", "images", "fortran order", "negative strides"],
)
def test_pixels_in_every_form(X: Any, y: Any) -> None:
    np.testing.assert_array_equal(trained(classifier(), X, y), trained(classifier(), PIXELS, CLASSES))


def test_numbers_in_every_form() -> None:
    """Only uint8 is pixels: whole numbers of other dtypes count as they are."""
    numbers = PIXELS.astype(np.float32)
    expected = trained(classifier(), numbers, CLASSES, learning_rate=1e-4)
    for X in (PIXELS.astype(np.int64), PIXELS.astype(np.float64), PIXELS.tolist(), PIXELS.astype(np.uint16)):
        np.testing.assert_array_equal(trained(classifier(), X, CLASSES, learning_rate=1e-4), expected)
    assert (expected != trained(classifier(), PIXELS, CLASSES, learning_rate=1e-4)).any()


def test_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(VALUES.repeat(2, axis=1), columns=list("abcdef"))
    found = trained(classifier(), frame, pandas.Series(CLASSES))
    np.testing.assert_array_equal(found, trained(classifier(), VALUES.repeat(2, axis=1), CLASSES))
    with pytest.raises(DataError, match=r"X holds strings, such as 'red', in the column 'c', .*read_table\(frame, "):
        trained(classifier(), frame.assign(c="red"), CLASSES)


@pytest.mark.parametrize(
    ("network", "y", "task"),
    [
        (classifier(), CLASSES, "classes"),
        (asked(), CLASSES, "classes"),
        (asked(), LABELS, "labels"),
        (asked(), LABELS.astype(bool), "labels"),
        (asked(), LABELS.astype(float), "labels"),
        (valued(), LABELS, "values"),
        (valued(), VALUES.astype(np.float32), "values"),
        (Network((6, 1), output=Sigmoid(), loss=BinaryCrossEntropy()), LABELS[:, 0], "labels"),
        (Network((6, 1), output=Sigmoid(), loss=Quadratic()), VALUES[:, 0], "values"),
        (Network((6, 3), output=Sigmoid(), loss=Quadratic()), LABELS * 2, "values"),
        (Network((6, 1), output=Identity(), loss=Quadratic()), CLASSES, "values"),
    ],
)
def test_what_targets_are_taken_for(network: Network, y: Any, task: str) -> None:
    data = examples_for(network, PIXELS, y)[1]
    assert data.task == task
    assert data.targets.reshape(30, -1).tolist() == np.asarray(y).reshape(30, -1).tolist()
    assert data.n_outputs == network.layer_sizes[-1]
    assert len(fit(network, PIXELS, y, epochs=1)) == 2


def test_every_setting_reaches_the_trainer() -> None:
    """The same run by hand, with nothing at its default."""
    weights = np.arange(1.0, 31.0)
    bend = Deformation(rotation=20.0)
    by_fit, by_hand = Network((6, 5, 3), dropout=0.2), Network((6, 5, 3), dropout=0.2)
    told = fit(
        by_fit,
        PIXELS.reshape(30, 2, 3),
        CLASSES,
        epochs=3,
        batch_size=7,
        learning_rate=Cosine(0.01, 15),
        optimizer=Adam(beta_1=0.8),
        penalty=L2(0.01),
        augment=bend,
        average=0.5,
        clip=0.5,
        validation=(PIXELS, CLASSES.tolist()),
        sample_weight=weights.tolist(),
        engine="numpy",
        seed=4,
    )
    data = Dataset(PIXELS, CLASSES, image_shape=(2, 3))
    trainer = Trainer(network=by_hand, epochs=3, batch_size=7, schedule=Cosine(0.01, 15), seed=4)
    trainer.optimizer, trainer.penalty, trainer.augment = Adam(beta_1=0.8), L2(0.01), bend
    trainer.average, trainer.clip = MovingAverage(0.5), ClipNorm(0.5)
    expected = trainer.fit(data, data, sample_weight=weights)
    np.testing.assert_array_equal(by_fit.parameters.vector, by_hand.parameters.vector)
    for column in ("train_loss", "validation_loss", "learning_rate"):
        assert told[column] == expected[column]


def test_defaults_are_adam_at_a_thousandth() -> None:
    by_hand = classifier()
    Trainer(network=by_hand, optimizer=Adam(), schedule=Constant(0.001), epochs=10, batch_size=128).fit(
        Dataset(PIXELS, CLASSES)
    )
    network = classifier()
    assert len(fit(network, PIXELS, CLASSES, engine="numpy")) == 11
    np.testing.assert_array_equal(network.parameters.vector, by_hand.parameters.vector)


def test_callbacks_hear_of_it() -> None:
    class Count(Callback):
        steps = 0

        def step_end(self, state: TrainingState) -> None:
            self.steps = state.step

    count = Count()
    fit(classifier(), PIXELS, CLASSES, epochs=2, batch_size=7, callbacks=[count])
    assert count.steps == 10


def with_nan() -> np.ndarray:
    X = PIXELS.astype(np.float32)
    X[3, 2] = np.nan
    return X


@pytest.mark.parametrize(
    ("network", "X", "y", "error", "message"),
    [
        (classifier(), PIXELS[:, :4], CLASSES, ShapeError, "use layer sizes (4, 5, 3)"),
        (classifier(), PIXELS.reshape(30, 3, 2)[:, :2], CLASSES, ShapeError, "has 4 features and 3 outputs (classes)"),
        (classifier(), PIXELS[0], CLASSES, ShapeError, "X has shape (6,), a single example"),
        (classifier(), PIXELS[:0], CLASSES[:0], DataError, "X has shape (0, 6): at least one example"),
        (classifier(), PIXELS[:0].reshape(0, 2, 3), CLASSES[:0], DataError, "X has shape (0, 2, 3): at least one"),
        (classifier(), PIXELS[:29], CLASSES, DataError, "got 29 inputs and 30 targets"),
        (classifier(), with_nan(), CLASSES, DataError, "X must be finite: got nan for sample 3, column 2"),
        (classifier(), PIXELS, CLASSES + 1, DataError, "classes must be 0 to 2: got 1 to 3 in y; use y - 1"),
        (classifier(), PIXELS, CLASSES - 1, DataError, "classes must be 0 to 2: got -1"),
        (classifier(), PIXELS, CLASSES + 0.5, DataError, "y holds values such as "),
        (classifier(), PIXELS, (CLASSES + 7).astype(str), DataError, "np.unique(y, return_inverse=True)"),
        (classifier(), PIXELS, VALUES, DataError, "layer sizes (6, 5, 3), output=dr.Identity(), loss=dr.Quadratic()"),
        (classifier(), PIXELS, np.eye(3)[CLASSES], ShapeError, "classes need shape (30,): use y.argmax(axis=1)"),
        (asked(), PIXELS, VALUES, SettingError, "values, which BinaryCrossEntropy cannot judge: use Quadratic"),
        (valued(), PIXELS, VALUES[:, :2], ShapeError, "values for 3 outputs need shape (30, 3)"),
        (counting(), PIXELS, VALUES - 5.0, DataError, "the training data holds "),
        (valued(), PIXELS, VALUES * np.inf, DataError, "y must be finite: got "),
    ],
)
def test_arrays_that_do_not_fit(network: Network, X: Any, y: Any, error: type[DeltaruleError], message: str) -> None:
    before = network.parameters.vector.copy()
    with pytest.raises(error) as caught:
        fit(network, X, y)
    assert message in str(caught.value)
    np.testing.assert_array_equal(network.parameters.vector, before)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": -1}, SettingError, "epochs must be a whole number, 0 or more: got -1"),
        ({"epochs": 1.5}, SettingError, "epochs must be a whole number, 0 or more: got 1.5"),
        ({"batch_size": 0}, SettingError, 'batch_size must be a whole number, 1 or more, or "full" or None'),
        ({"batch_size": -5}, SettingError, "or None for all samples at once: got -5"),
        ({"batch_size": 2.5}, SettingError, "or None for all samples at once: got 2.5"),
        ({"learning_rate": -1.0}, SettingError, "learning_rate must be 0 or more and finite, or a schedule"),
        ({"augment": Deformation(rotation=1.0)}, SettingError, "only images can be deformed: got the training data"),
        ({"engine": "nunpy"}, SettingError, "no engine is called 'nunpy': did you mean 'numpy'?"),
        ({"average": 1.0}, SettingError, "average must be at least 0 and less than 1, or None"),
        ({"clip": 0.0}, SettingError, "clip must be above 0 and finite, or None for no clipping: got 0.0"),
        ({"sample_weight": np.ones(29)}, ShapeError, "one number per training sample, (30,): got (29,)"),
        ({"sample_weight": np.ones((30, 1))}, ShapeError, "(30,): got (30, 1)"),
        ({"sample_weight": -np.ones(30)}, SettingError, "0 or more, and not all 0: got -1.0 to -1.0"),
        ({"sample_weight": np.zeros(30)}, SettingError, "not all 0: got 0.0 to 0.0"),
        ({"sample_weight": [np.nan] * 30}, SettingError, "sample weights must be finite"),
        ({"validation": (PIXELS[:, :5], CLASSES)}, ShapeError, "the validation data has 5 features"),
        ({"validation": (PIXELS, CLASSES + 1)}, DataError, "classes must be 0 to 2: got 1 to 3 in y_val"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], error: type[DeltaruleError], message: str) -> None:
    network = classifier()
    with pytest.raises(error) as caught:
        fit(network, PIXELS, CLASSES, **settings)
    assert message in str(caught.value)
    np.testing.assert_array_equal(network.parameters.vector, classifier().parameters.vector)


def test_validation_that_would_be_scored_otherwise() -> None:
    network = Network((6, 3), output=Sigmoid(), loss=Quadratic())
    with pytest.raises(SettingError, match="must be of one task: got labels and values"):
        fit(network, PIXELS, LABELS, validation=(PIXELS, VALUES))


def test_labels_after_a_softmax() -> None:
    labels = Dataset(PIXELS, LABELS.astype(np.uint8), "labels")
    network = Network((6, 3), output=Softmax(), loss=CrossEntropy())
    with pytest.raises(SettingError, match="labels, which CrossEntropy cannot judge: use BinaryCrossEntropy after"):
        Trainer(network=network).fit(labels)


@pytest.mark.parametrize("settings", [{"epoch": 5}, {"lr": 0.1}, {"patience": 5}])
def test_settings_that_do_not_exist(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"fit has no argument '{next(iter(settings))}': "):
        fit(classifier(), PIXELS, CLASSES, **settings)


def test_settings_have_names() -> None:
    with pytest.raises(SettingError, match="fit takes network, X, y alone by position: got 4; use fit"):
        fit(classifier(), PIXELS, CLASSES, 5)  # type: ignore[misc]


def test_regression_end_to_end() -> None:
    """A curve that no straight line fits, in float32, from lists."""
    x = np.linspace(-2.0, 2.0, 64)
    network = Network((1, 16, 1), hidden=ReLU(), output=Identity(), loss=Quadratic(), rng=0)
    settings: dict[str, Any] = {"epochs": 300, "batch_size": 16, "learning_rate": 0.02}
    history = fit(network, x.reshape(-1, 1).tolist(), (x * x).tolist(), validation=(x[:, None], x * x), **settings)
    assert history["validation_r2"][history.best_epoch] > 0.99
    assert abs(network.predict(np.array([[1.5]])).item() - 2.25) < 0.2


def test_independent_outputs_end_to_end() -> None:
    """Two questions about one point, the second of which needs the hidden layer."""
    X = np.random.default_rng(1).uniform(-1.0, 1.0, (200, 2))
    y = np.stack([X[:, 0] > 0.0, np.abs(X[:, 1]) > 0.5], axis=1)
    network = Network((2, 16, 2), output=Sigmoid(), loss=BinaryCrossEntropy(), rng=0)
    history = fit(network, X, y, epochs=200, batch_size=20, learning_rate=0.01)
    assert history["train_accuracy"][-1] > 0.98
    assert ((network.outputs(X) >= 0.5) == y).mean() > 0.98
