"""`--set KEY=VALUE`: any value of a recipe replaced."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule import recipes
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DeltaruleError, RecipeError
from deltarule.recipes.build import build
from deltarule.recipes.schema import Data, Initial, NetworkSpec, Split, Training


def images(n_samples: int = 30) -> Splits:
    rng = np.random.default_rng(0)
    parts = [
        Dataset(rng.integers(256, size=(n, 16), dtype=np.uint8), np.arange(n) % 3, image_shape=(4, 4))
        for n in (n_samples, 9)
    ]
    return Splits(*parts)


@pytest.mark.parametrize(
    ("changes", "where", "expected"),
    [
        (["epochs=5"], "training.epochs", 5),
        (["training.epochs=5"], "training.epochs", 5),
        ([" epochs = 5 "], "training.epochs", 5),
        (["epochs=5", "epochs=6"], "training.epochs", 6),
        (["batch_size=full"], "training.batch_size", "full"),
        (['batch_size="full"'], "training.batch_size", "full"),
        (["name=digits"], "data.name", "digits"),
        (["about.name=mine"], "about.name", "mine"),
        (["split.kind=head", "split.train=20"], "data.split", Split("head", 20)),
        (["split={kind='shuffled', test=5}"], "data.split", Split("shuffled", None, 5)),
        (["hidden=[30, 20]"], "network.hidden", [30, 20]),
        (["activation=tanh"], "network.activation", "tanh"),
        (["activation=['tanh', 'relu']"], "network.activation", ["tanh", "relu"]),
        (["activation.slope=0.2"], "network.activation", {"name": "relu", "slope": 0.2}),
        (["optimizer=adam", "optimizer.beta_1=0.8"], "training.optimizer", {"name": "adam", "beta_1": 0.8}),
        (["training.optimizer.beta_2=0.9"], "training.optimizer.beta_2", 0.9),
        (["optimizer=sgd"], "training.optimizer", "sgd"),
        (["penalty={name='l2', strength=1e-4}"], "training.penalty", {"name": "l2", "strength": 1e-4}),
        (["penalty.name=l1"], "training.penalty", {"name": "l1"}),
        (["augment.rotation=5"], "training.augment", {"rotation": 5.0}),
        (["schedule.rate=0.5"], "training.schedule.rate", 0.5),
        (["initializer=uniform"], "network.initializer", "uniform"),
        (
            ["initializer=uniform", "initializer.weights_factor=0.5"],
            "network.initializer",
            Initial("uniform", "zeros", 0.5),
        ),
        (["about.says=a = b"], "about.says", "a = b"),
        (["about.says="], "about.says", ""),
    ],
)
def test_a_value_is_replaced(changes: list[str], where: str, expected: Any) -> None:
    found: Any = recipes.read("quick").changed(changes)
    for key in where.split("."):
        found = found[key] if isinstance(found, dict) else getattr(found, key)
    assert found == expected


def test_nothing_else_is_replaced() -> None:
    recipe = recipes.read("quick")
    changed = recipe.changed(["epochs=5"])
    assert changed.to_toml() == recipe.to_toml().replace(f"epochs = {recipe.training.epochs}", "epochs = 5")
    assert recipe.changed([]) == recipe


def test_only_the_recipes_name_is_ambiguous() -> None:
    """A bare key is the one of [data], [network] or [training]: these three share none, so what is bare is clear."""
    keys = [key for section in (Data, NetworkSpec, Training) for key in section.__struct_fields__]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs", "a change must be KEY=VALUE, as in training.epochs=5: got 'epochs'"),
        ("=5", "no setting of a recipe is called '': "),
        ("epoch=5", "no setting of a recipe is called 'epoch': did you mean 'epochs'? Known: about, activation, "),
        ("batchsize=5", "no setting of a recipe is called 'batchsize': did you mean 'batch_size'? "),
        ("trainig.epochs=5", "no setting of a recipe is called 'trainig.epochs': did you mean 'training'? "),
        ("optimiser.beta_1=0.5", "no setting of a recipe is called 'optimiser.beta_1': did you mean 'optimizer'? "),
        ("says=hello", "no setting of a recipe is called 'says': "),
        ("training=5", "no setting of a recipe is called 'training': "),
        ("training.epoch=5", "recipe quick: there is no key 'epoch' in training: did you mean 'epochs'?"),
        ("training.=5", "recipe quick: there is no key '' in training: "),
        ("split.kid=head", "recipe quick: there is no key 'kid' in data.split: did you mean 'kind'?"),
        ("epochs=many", "recipe quick: Expected `int`, got `str` - at `training.epochs`"),
        ("epochs=", "recipe quick: Expected `int`, got `str` - at `training.epochs`"),
        ("epochs=1.5", "recipe quick: Expected `int`, got `float` - at `training.epochs`"),
        ("epochs=" + "9" * 5000, "recipe quick: Expected `int`, got `str` - at `training.epochs`"),
        ("epochs.x=1", "recipe quick: Expected `int`, got `object` - at `training.epochs`"),
        ("hidden.0=5", "recipe quick: Expected `array`, got `object` - at `network.hidden`"),
        ("hidden=" + "[" * 100_000, "recipe quick: Expected `array`, got `str` - at `network.hidden`"),
        ("dropout=[0.1, 'x']", "recipe quick: Expected `float`, got `str` - at `network.dropout["),
        ("augment=5", "recipe quick: Expected `object | null`, got `int` - at `training.augment`"),
    ],
)
def test_changes_that_are_refused(change: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipes.read("quick").changed([change])
    assert str(caught.value).startswith(message)


KEYS = [
    "split", "split.kind", "split.train", "split.test", "scaling", "hidden", "activation", "activation.slope", "output",
    "loss", "loss.label_smoothing", "initializer", "initializer.weights", "initializer.biases_factor", "dropout",
    "optimizer", "optimizer.beta_1", "optimizer.name", "schedule", "schedule.rate", "schedule.name",
    "schedule.warm_up", "schedule.warm_up_epochs", "schedule.every_epochs", "epochs", "batch_size", "penalty",
    "penalty.strength", "average", "clip", "augment", "augment.rotation", "augment.shear", "patience",
]  # fmt: skip
VALUES = [
    "0", "1", "2", "-1", "7", "0.5", "-0.5", "1e300", "nan", "inf", "-inf", "true", "[]", "[3]", "[3, 4]", "['tanh']",
    "[0.1]", "{}", "{name = 'adam'}", "{name = 3}", "{name = 'step_decay', rate = 0.1, every_epochs = 1}", "{x = 1}",
    "{kind = 'shuffled', test = 5}", "{name = 'constant'}", "{rate = 0.1}", "''", "full", "given", "head", "shuffled",
    "stratified", "raw", "standardised", "relu", "tanh", "sigmoid", "softmax", "identity", "leaky_relu", "quadratic",
    "cross_entropy", "binary_cross_entropy", "uniform", "zeros", "sgd", "adam", "momentum", "l1", "l2", "constant",
    "cosine", "one_cycle", "exponential", "step_decay", "1979-05-27", "07:32:00",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), min_size=1, max_size=3))
def test_whatever_is_changed_trains_or_says_why_not(changes: list[tuple[str, str]]) -> None:
    recipe = recipes.read("quick").changed(["epochs=1", "hidden=[3]"])
    with suppress(DeltaruleError):
        job = build(recipe.changed([f"{key}={value}" for key, value in changes]), images())
        assert len(job.trainer.fit(job.train, job.validation)) == 1 + job.trainer.epochs
