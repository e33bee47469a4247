"""A table's decay is chosen on held-out rows, and its network is compared with what is simpler."""

from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DataError
from deltarule.recipes import read
from deltarule.recipes.build import (
    DECAYS,
    adapt,
    choose_decay,
    plain_scores,
    resize,
    train_network,
    validation_loss,
    with_decay,
)
from deltarule.training.evaluation import evaluate


def values(n_rows: int, noise: float, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 8))
    y = X @ np.arange(8.0) / 4 + noise * rng.normal(size=n_rows)
    return Dataset(X, y[:, None], "values")


def recipe_for(data: Dataset, epochs: int = 40) -> Any:
    splits = Splits(data)
    recipe = adapt(resize(read("default").on("table"), splits), splits)[0]
    return recipe.with_changes([f"epochs={epochs}"])


def test_noise_asks_for_more_decay_than_a_clear_curve() -> None:
    X = np.random.default_rng(0).normal(size=(240, 2))
    noisy, clear = values(150, 8.0), Dataset(X, np.sin(2 * X[:, :1]) * X[:, 1:], "values")
    chosen = [choose_decay(recipe_for(data), data, seed=0) for data in (noisy, clear)]
    assert chosen[0] > chosen[1]
    assert set(chosen) <= set(DECAYS)


def test_what_is_chosen_has_the_least_loss_on_held_out_rows() -> None:
    data = values(60, 2.0)
    recipe = recipe_for(data, epochs=10)
    losses = {decay: validation_loss(with_decay(recipe, decay), data, 3) for decay in DECAYS}
    assert choose_decay(recipe, data, 3) == min(losses, key=losses.__getitem__)
    assert losses == {decay: validation_loss(with_decay(recipe, decay), data, 3) for decay in DECAYS}


def test_fewer_rows_than_are_held_out_in_turn_are_refused() -> None:
    data = values(4, 1.0)
    with pytest.raises(DataError, match="at least 5 rows to learn from are needed, besides those for the test: got 4"):
        choose_decay(recipe_for(data), data, 0)


def test_a_training_that_diverges_is_not_chosen() -> None:
    data = values(60, 1.0)
    wild = recipe_for(data, epochs=5).with_changes(["training.schedule.rate=1e30"])
    assert validation_loss(with_decay(wild, 1.0), data, 0) == np.inf


def test_noise_is_not_learned_by_heart() -> None:
    """As `train` did before: R2 1 on a few hundred rows, and less than a line on others."""
    data, test = values(160, 4.0), values(500, 4.0, seed=1)
    recipe = recipe_for(data, epochs=100)
    recipe = with_decay(recipe, choose_decay(recipe, data, 0))
    scores = plain_scores(recipe, data, test, 0)
    model = train_network(recipe, data, 0)
    assert evaluate(model, test.inputs, test.targets).score > scores["a linear network"] - 0.05
    assert evaluate(model, data.inputs, data.targets).score < 0.9
    assert scores["the mean"] == pytest.approx(0.0, abs=0.02)


def test_the_commonest_class_gets_its_share() -> None:
    y = np.array([0] * 60 + [1] * 20)
    data = Dataset(np.random.default_rng(0).normal(size=(80, 3)), y)
    scores = plain_scores(recipe_for(data, epochs=5), data, data, 0)
    assert scores["the commonest class"] == 0.75
    assert set(scores) == {"the commonest class", "a linear network"}
