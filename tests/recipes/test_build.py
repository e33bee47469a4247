"""From a recipe to what carries it out: splits, scaling, the network, the way to train."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deltarule import recipes
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DeltaruleError, SettingError, ShapeError
from deltarule.model import Doubt, Model
from deltarule.nn.activations import Identity, LeakyReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.losses import BinaryCrossEntropy
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Adam, Nesterov
from deltarule.nn.penalties import L1, Penalty
from deltarule.recipes.build import Job, adapt, build, schedule_for
from deltarule.training.callbacks import EarlyStopping
from deltarule.training.clip_and_average import ClipNorm, Latest, MovingAverage, NoClipping
from deltarule.training.evaluation import evaluate
from deltarule.training.schedules import Constant, Cosine, Exponential, OneCycle, Schedule, StepDecay, WarmUp

N_TRAIN, N_TEST = 60, 15


def numbered(n_samples: int, first: int) -> Dataset:
    """Images whose first pixel is their number, so that a split shows where each one went."""
    pixels = np.random.default_rng(first).integers(256, size=(n_samples, 16), dtype=np.uint8)
    pixels[:, 0] = np.arange(first, first + n_samples)
    return Dataset(pixels, np.arange(n_samples) % 3, class_names=("a", "b", "c"), image_shape=(4, 4))


def images() -> Splits:
    return Splits(numbered(N_TRAIN, 0), numbered(N_TEST, 100))


def table(n_samples: int = 60) -> Splits:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_samples, 3)) * [1.0, 100.0, 1e-3] + 5.0
    return Splits(Dataset(X, X[:, :2] * 7.0 - 3.0, "values", ("up", "down"), name="table"))


def job(*changes: str, splits: Splits | None = None, **settings: Any) -> Job:
    recipe = recipes.read("quick").with_changes(["hidden=[5]", "epochs=2", "batch_size=8", *changes])
    return build(recipe, images() if splits is None else splits, **settings)


def numbers(data: Dataset | None) -> list[int]:
    assert data is not None
    return data.inputs[:, 0].astype(int).tolist()


def test_the_split_that_the_data_bring() -> None:
    given = job()
    assert (numbers(given.train), numbers(given.test)) == (list(range(60)), list(range(100, 115)))
    assert given.validation is None
    assert job(splits=Splits(numbered(9, 0))).test is None


def test_the_head() -> None:
    head = job("split={kind='head', train=40}")
    assert (numbers(head.train), numbers(head.test)) == (list(range(40)), list(range(40, 60)))


@pytest.mark.parametrize("kind", ["shuffled", "stratified"])
def test_a_random_part(kind: str) -> None:
    parts = [job(f"split={{kind='{kind}', test=21}}", seed=seed) for seed in (0, 0, 1)]
    for part in parts:
        assert len(numbers(part.test)) == 21
        assert sorted(numbers(part.train) + numbers(part.test)) == list(range(60))
    assert numbers(parts[0].test) == numbers(parts[1].test) != numbers(parts[2].test)
    counts = np.bincount(parts[0].test.targets).tolist() if parts[0].test else []
    assert counts == [7, 7, 7] or kind == "shuffled"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("split={kind='head', test=5}", "recipe quick: a split of kind head takes train, a number of examples"),
        ("split={kind='shuffled', train=5}", "recipe quick: a split of kind shuffled takes test, a number of"),
        ("split.kind=stratified", "recipe quick: a split of kind stratified takes test, a number of examples"),
        ("split={kind='head', train=60}", "a part of data must be 1 to 59 of its 60 samples: got 60"),
        ("split={kind='shuffled', test=0}", "a part of data must be 1 to 59 of its 60 samples: got 0"),
    ],
)
def test_splits_that_cannot_be(change: str, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        job(change)
    assert str(caught.value).startswith(message)


def test_the_last_training_examples_are_held_out() -> None:
    """After the split, so never a test example; and scaled by what the others are."""
    held = job("split={kind='head', train=40}", "scaling=standardized", holdout=10)
    assert (held.train.n_samples, held.test.n_samples if held.test else 0) == (30, 20)
    assert held.validation is not None
    raw = images().train.inputs[:40] / 255.0
    mean, deviation = raw[:30].mean(axis=0), raw[:30].std(axis=0)
    np.testing.assert_allclose(held.train.inputs, (raw[:30] - mean) / deviation, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(held.validation.inputs, (raw[30:] - mean) / deviation, rtol=1e-4, atol=1e-5)
    with pytest.raises(SettingError, match="must be 1 to 59 of its 60 samples: got 60"):
        job(holdout=60)


def test_pixels_stay_as_they_are() -> None:
    unit = job(holdout=10)
    assert unit.train.inputs.dtype == np.uint8
    assert unit.model.input_scaling is None
    assert (unit.model.image_shape, unit.model.class_names) == ((4, 4), ("a", "b", "c"))


def test_raw_pixels_count_as_0_to_255() -> None:
    """In training and, because the model keeps it, in every later prediction."""
    raw = job("scaling=raw")
    np.testing.assert_allclose(raw.train.inputs, images().train.inputs, rtol=1e-6)
    pixels = images().train.inputs
    np.testing.assert_array_equal(raw.model.outputs(pixels), raw.trainer.network.outputs(raw.train.inputs))
    expected = raw.trainer.network.outputs(pixels.astype(np.float32))
    np.testing.assert_allclose(raw.model.outputs(pixels), expected, rtol=1e-4)


def test_standardized_values_come_back_in_their_units() -> None:
    regression = ["output=identity", "loss=quadratic", "scaling=standardized", "schedule.rate=0.05", "epochs=100"]
    made = job(*regression, splits=table())
    assert made.train.inputs.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert made.train.targets.std(axis=0) == pytest.approx(np.ones(2), rel=1e-9)
    made.trainer.fit(made.train)
    raw = table().train
    predicted = made.model.predict(raw.inputs)
    unexplained = ((predicted - raw.targets) ** 2).sum(axis=0) / ((raw.targets - raw.targets.mean(axis=0)) ** 2).sum(
        axis=0
    )
    assert unexplained.max() < 0.05
    assert evaluate(made.model.network, made.model.scaled(raw))[1] == pytest.approx(1 - unexplained.mean(), abs=1e-5)


def test_counts_stay_counts() -> None:
    """Standardized, half of them would be below 0."""
    splits = table()
    splits = Splits(replace(splits.train, targets=np.abs(splits.train.targets)))
    recipe = recipes.read("quick").with_changes(["output=exponential", "loss=poisson"])
    adapted, _ = adapt(recipe, splits)
    assert (adapted.network.output, adapted.network.loss) == ("exponential", "poisson")
    made = build(adapted, splits)
    assert made.model.input_scaling is not None
    assert made.model.target_scaling is None
    assert made.train.targets.min() >= 0.0


def test_the_network_is_as_written() -> None:
    changes = ["hidden=[5, 4]", "activation=['tanh', {name='leaky_relu', slope=0.2}]", "output=sigmoid"]
    changes += ["loss={name='binary_cross_entropy', label_smoothing=0.1}", "dropout=[0.1, 0.2]"]
    network = job(*changes).model.network
    assert network.layer_sizes == (16, 5, 4, 3)
    assert network.activations == (Tanh(), LeakyReLU(slope=0.2), Sigmoid())
    assert (network.loss, network.dropout) == (BinaryCrossEntropy(0.1), (0.1, 0.2))


def test_weights_are_drawn_by_the_seed() -> None:
    vectors = [job(seed=seed).model.network.parameters.vector for seed in (0, 0, 1)]
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert (vectors[0] != vectors[2]).any()


def test_initializers_and_their_factors() -> None:
    start = "initializer={weights='uniform', weights_factor=0.5, biases='uniform', biases_factor=-2}"
    network = job(start, "hidden=[400]").model.network
    for W, b in zip(network.weights, network.biases, strict=True):
        assert 0.0 <= W.min() < 0.05 < 0.45 < W.max() < 0.5
        assert -2.0 < b.min() <= b.max() <= 0.0
    assert -2.0 < network.biases[0].min() < -1.9
    short = job("initializer=standard_normal", "hidden=[400]").model.network
    assert short.weights[0].std() == pytest.approx(1.0, rel=0.05)
    assert not short.biases[0].any()
    with pytest.raises(SettingError, match="no initializer is called 'he_norml': did you mean 'he_normal'"):
        job("initializer=he_norml")


def test_the_trainer_is_as_written() -> None:
    plain = job().trainer
    assert (type(plain.penalty), type(plain.average), type(plain.clip)) == (Penalty, Latest, NoClipping)
    assert (plain.augment, list(plain.callbacks)) == (None, [])
    assert plain.engine.name in ("native", "numpy")
    changes = ["optimizer={name='nesterov', momentum=0.5}", "penalty={name='l1', strength=0.1}", "average=0.9"]
    changes += ["clip=2", "augment={rotation=5, shear=1}", "patience=3", "epochs=7", "batch_size=full"]
    trainer = job(*changes, seed=11).trainer
    assert (trainer.optimizer, trainer.penalty) == (Nesterov(momentum=0.5), L1(0.1))
    assert isinstance(trainer.average, MovingAverage)
    assert trainer.average.decay == 0.9
    assert isinstance(trainer.clip, ClipNorm)
    assert trainer.clip.limit == 2.0
    assert trainer.augment is not None
    assert (trainer.augment.rotation, trainer.augment.shear) == (5.0, 1.0)
    assert (trainer.epochs, trainer.batch_size, trainer.seed) == (7, None, 11)
    (stopping,) = trainer.callbacks
    assert isinstance(stopping, EarlyStopping)
    assert stopping.patience == 3


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"name": "constant", "rate": 0.1}, Constant(0.1)),
        ({"name": "cosine", "rate": 0.1}, Cosine(0.1, 50)),
        ({"name": "cosine", "rate": 0.1, "final": 0.01}, Cosine(0.1, 50, 0.01)),
        ({"name": "exponential", "rate": 0.1, "factor": 0.5}, Exponential(0.1, 50, 0.5)),
        ({"name": "one_cycle", "rate": 0.1, "warm_up": 0.2}, OneCycle(0.1, 50, 0.2)),
        ({"name": "step_decay", "rate": 0.1}, StepDecay(0.1, 10)),
        ({"name": "step_decay", "rate": 0.1, "every_epochs": 1.5, "factor": 0.5}, StepDecay(0.1, 15, 0.5)),
        ({"name": "cosine", "rate": 0.1, "warm_up_epochs": 2}, WarmUp(Cosine(0.1, 50), 20)),
        ({"name": "constant", "rate": 0.1, "warm_up_epochs": 0}, Constant(0.1)),
    ],
)
def test_schedules_measure_in_epochs(spec: dict[str, Any], expected: Schedule) -> None:
    """Five epochs of ten steps."""
    assert schedule_for(spec, 10, 50) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("constant", "schedule constant needs rate, a number: got no settings"),
        ("cosin", "no schedule is called 'cosin': did you mean 'cosine'?"),
        ({"rate": 0.1}, "no schedule is called None: "),
        (
            {"name": "cosine", "rate": 0.1, "total_steps": 5},
            "schedule cosine has no setting 'total_steps': Known: final",
        ),
        (
            {"name": "cosine", "rate": 0.1, "every_epochs": 5},
            "schedule cosine has no setting 'every_epochs': Known: final",
        ),
        (
            {"name": "step_decay", "rate": 0.1, "every_epochs": 0},
            "every_steps of StepDecay must be a whole number, 1 or more: got 0",
        ),
        (
            {"name": "step_decay", "rate": 0.1, "every_epochs": "2"},
            "every_epochs of a schedule must be a number, 0 or more",
        ),
        (
            {"name": "cosine", "rate": 0.1, "warm_up_epochs": float("inf")},
            "warm_up_epochs of a schedule must be 0 or more and finite: got inf",
        ),
        ({"name": "cosine", "rate": 0.1, "warm_up_epochs": True}, "warm_up_epochs of a schedule must be a number"),
    ],
)
def test_schedules_that_cannot_be(spec: Any, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        schedule_for(spec, 10, 50)
    assert str(caught.value).startswith(message)


def test_no_epochs_is_a_look_at_guessing() -> None:
    untrained = job("epochs=0")
    assert len(untrained.trainer.fit(untrained.train)) == 1


def test_a_model_to_go_on_from() -> None:
    first = job("scaling=standardized")
    first.trainer.fit(first.train)
    trained = first.model.network.parameters.vector.copy()
    second = job(start=first.model)
    assert second.model is first.model
    np.testing.assert_array_equal(second.train.inputs, first.train.inputs)
    np.testing.assert_array_equal(second.model.network.parameters.vector, trained)
    second.trainer.fit(second.train)
    assert (first.model.network.parameters.vector != trained).any()


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        (
            Model(Network((16, 4)), "classes"),
            SettingError,
            "this model answers 4 classes: got data, which holds 3 classes",
        ),
        (
            Model(Network((16, 3), output=Sigmoid(), loss=BinaryCrossEntropy()), "labels"),
            SettingError,
            "answers 3 labels",
        ),
        (Model(Network((9, 3)), "classes"), ShapeError, "this network takes (n_samples, 9)"),
    ],
)
def test_a_model_that_does_not_fit(start: Model, error: type[DeltaruleError], message: str) -> None:
    with pytest.raises(error) as caught:
        job(start=start)
    assert message in str(caught.value)


def test_an_engine_that_does_not_exist() -> None:
    with pytest.raises(SettingError, match="no engine is called 'cuda'"):
        job(engine="cuda")


def test_a_recipe_for_other_data_says_so_before_it_trains() -> None:
    asked = job(splits=table())
    assert isinstance(asked.model.network.activations[-1], Softmax)
    with pytest.raises(SettingError, match="table holds values, which CrossEntropy cannot judge: use Quadratic"):
        asked.trainer.fit(asked.train)
    answered = job("output=identity", "loss=quadratic", splits=table(), engine="numpy")
    assert isinstance(answered.model.network.activations[-1], Identity)
    assert isinstance(answered.trainer.optimizer, Adam)


def test_what_trains_on_loses_its_doubt() -> None:
    """It knows the hidden layers as they were."""
    first = job()
    doubt = Doubt(np.zeros(first.model.network.layer_sizes[-2]), 0.0)
    assert job(start=replace(first.model, doubt=doubt)).model.doubt is None
