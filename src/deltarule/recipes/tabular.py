"""What a table asks for: how much the weights decay, chosen on rows that are held out; and what to compare with.

Any network of 64 and 32 neurons memorizes a few hundred rows. How much decay prevents that depends on the rows, so
several are tried.
"""

import math

import numpy as np
from msgspec import structs

from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DataError, DivergenceError, sentence
from deltarule.model import Model
from deltarule.randomness import generator
from deltarule.recipes.build import build
from deltarule.recipes.schema import Recipe, Split
from deltarule.training.evaluation import loss_and_score
from deltarule.training.plan import Score

DECAYS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of AdamW, each step takes decay * learning rate of every weight
PARTS, MOST_IN_PARTS = 5, 2_000  # rows: of fewer, each part is held out in turn; of more, one is enough
LINEAR_RATE = 0.01  # a network without hidden layers needs larger steps


def with_decay(recipe: Recipe, decay: float) -> Recipe:
    """The recipe with AdamW of that decay."""
    optimizer = {"name": "adamw", "weight_decay": decay}
    return structs.replace(recipe, training=structs.replace(recipe.training, optimizer=optimizer))


def decay_of(recipe: Recipe) -> float:
    """The decay that `choose_decay` has chosen."""
    optimizer = recipe.training.optimizer
    return float(optimizer["weight_decay"]) if isinstance(optimizer, dict) else 0.0


def linear_recipe(recipe: Recipe) -> Recipe:
    """The recipe for a linear network: what a line can do."""
    training = structs.replace(recipe.training, schedule={"name": "one_cycle", "rate": LINEAR_RATE})
    return structs.replace(recipe, network=structs.replace(recipe.network, hidden=[], dropout=0.0), training=training)


def train_network(recipe: Recipe, data: Dataset, seed: int) -> Model:
    """The recipe's network, trained on all of the data. Raises DivergenceError."""
    whole = structs.replace(recipe, data=structs.replace(recipe.data, split=Split()))
    job = build(whole, Splits(data), seed=seed)
    job.trainer.fit(job.train)
    return job.model


def validation_loss(recipe: Recipe, data: Dataset, seed: int) -> float:
    """The mean loss on rows that the network has not learned from; infinite where a training diverges."""
    parts = np.array_split(generator(seed, "parts").permutation(data.n_samples), PARTS)
    losses = []
    for part in parts[: PARTS if data.n_samples <= MOST_IN_PARTS else 1]:
        try:
            model = train_network(recipe, data.take(np.setdiff1d(np.arange(data.n_samples), part)), seed)
        except DivergenceError:
            return math.inf
        losses.append(loss_and_score(model.inner, model.scaled(data.take(part)))[0])
    return float(np.mean(losses))


def choose_decay(recipe: Recipe, data: Dataset, seed: int) -> Recipe:
    """The recipe with the decay of AdamW, one of DECAYS, that leaves the least loss on held-out rows of the data."""
    if data.n_samples < PARTS:
        raise DataError(sentence("recipes.few_rows", name=data.name, least=PARTS, n_rows=data.n_samples))
    losses = {decay: validation_loss(with_decay(recipe, decay), data, seed) for decay in DECAYS}
    return with_decay(recipe, min(losses, key=losses.__getitem__))


def plain_scores(recipe: Recipe, train: Dataset, test: Dataset, seed: int) -> dict[str, float]:
    """What has to be surpassed: scores on `test` of an answer that is always the same, and of a linear network."""
    if train.task == "values":
        name, answer = "the mean", train.targets.mean(axis=0)
    elif train.task == "classes":
        name, answer = "the commonest class", np.bincount(train.targets, minlength=train.n_outputs)
    else:
        name, answer = "the commonest labels", train.targets.mean(axis=0)
    scores = {name: Score(train.task), "a linear network": Score(train.task)}
    scores[name].add(np.broadcast_to(answer, (test.n_samples, len(answer))), test.targets)
    linear = train_network(choose_decay(linear_recipe(recipe), train, seed), train, seed)
    scores["a linear network"].add(linear.inner.outputs(linear.scaled(test).inputs), linear.scaled(test).targets)
    return {name: score.value for name, score in scores.items()}
