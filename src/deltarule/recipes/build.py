"""Builds the objects that run a recipe, and adapts a recipe to data that it was not written for.

For a table it also chooses the weight decay: a network of 64 and 32 neurons memorizes a few hundred rows, and how much
decay prevents that depends on the rows. Several values are tried on held-out rows.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from msgspec import structs

from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import LOG, DataError, DivergenceError, RecipeError, sentence
from deltarule.model import Model, Standardization
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.initializers import Initializer
from deltarule.nn.network import Network, with_meaning
from deltarule.parts import PARTS, Spec, make, with_settings
from deltarule.randomness import generator
from deltarule.recipes.schema import Initial, Recipe, Split
from deltarule.settings import check, setting_names
from deltarule.training import engine as engines
from deltarule.training.callbacks import EarlyStopping
from deltarule.training.evaluation import loss_and_score
from deltarule.training.plan import Score, steps_per_epoch
from deltarule.training.schedules import ReduceOnPlateau, Schedule, WarmUp
from deltarule.training.trainer import Trainer

NOT_OF_TRAINER = ("schedule", "plateau", "patience")  # Trainer takes the other keys of a recipe's training as they are
HELD_OUT = 5  # of data without a test part, every fifth example is kept for the test
DIGITS, DIGITS_EPOCHS = 1437, 40  # so many images get so many epochs; fewer images, more epochs
TABLE_STEPS, TABLE_BATCH = 6000, 32
MOST_EPOCHS = 200
DECAYS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of AdamW: each step subtracts decay * learning rate of every weight
N_PARTS, MOST_IN_PARTS = 5, 2_000  # up to so many rows, each part is held out in turn; with more, one
LINEAR_RATE = 0.01  # a network without hidden layers needs larger steps
OUTPUTS = {  # by task: an output activation and a loss that fit it
    "values": ("identity", "quadratic", "identity output with quadratic loss, for values"),
    "labels": ("sigmoid", "binary_cross_entropy", "sigmoid outputs with binary cross-entropy, for independent labels"),
}


@dataclass(frozen=True)
class Job:
    """Everything that a recipe needs to run: `trainer.fit(train, validation)` does the work."""

    model: Model  # the untrained network and the meaning of its numbers
    trainer: Trainer
    train: Dataset  # scaled as the network reads it; so is `validation`
    validation: Dataset | None
    test: Dataset | None  # for the final score, not scaled


def build(
    recipe: Recipe, splits: Splits, *, seed: int = 0, holdout: int = 0, engine: str = "auto", start: Model | None = None
) -> Job:
    """Build the model and the trainer of a recipe, and scale its data.

    splits: as loaded; the recipe says how to split them.
    holdout: how many of the last training examples to hold out, to choose the best epoch by.
    start: a trained model to continue from, instead of random weights.

    Raises RecipeError if the recipe is impossible, DeltaruleError if the data do not fit it.
    """
    train, test = split(recipe, splits, seed)
    parts = train.hold_out(holdout) if holdout else Splits(train)
    model = fresh_model(recipe, parts.train, seed) if start is None else start
    if model.doubt is not None:  # it fits only the hidden layers as they are now
        model = replace(model, doubt=None)
    trainer = trainer_for(recipe, model.inner, parts.train.n_samples, seed)
    trainer.engine = engines.engine(engine, trainer.network, trainer.optimizer, trainer.penalty)
    return Job(model, trainer, model.scaled(parts.train), model.scaled(parts.test) if parts.test else None, test)


def split(recipe: Recipe, splits: Splits, seed: int) -> tuple[Dataset, Dataset | None]:
    """(train, test or None) as the recipe splits the data. RecipeError if a size is missing or superfluous."""
    wanted, train, rng = recipe.data.split, splits.train, generator(seed, "split")
    given = {"train": wanted.train, "test": wanted.test}
    needed = {"given": None, "head": "train", "shuffled": "test", "stratified": "test"}[wanted.kind]
    if [name for name, size in given.items() if size is not None] != ([needed] if needed else []):
        takes = f"{needed}, a number of examples, and nothing else" if needed else "no number of examples"
        raise RecipeError(f"recipe {recipe.about.name}: a split of kind {wanted.kind} takes {takes}: got {given}")
    if wanted.kind == "given":
        return train, splits.test
    if wanted.kind == "head":
        parts = train.head(wanted.train or 0)
    else:
        parts = (train.split_shuffled if wanted.kind == "shuffled" else train.split_stratified)(wanted.test or 0, rng)
    return parts.train, parts.test


def fresh_model(recipe: Recipe, train: Dataset, seed: int) -> Model:
    """A Model of the recipe's network for `train`: new random weights, and the names and scaling of these data."""
    spec, start = recipe.network, initializers(recipe.network.initializer)
    if [*spec.hidden[:1], *spec.hidden[-1:]] == [train.n_inputs, train.n_outputs]:
        LOG.warning(sentence("recipes.whole", spec=spec, within=spec.hidden[1:-1]))
    hidden = spec.activation if isinstance(spec.activation, list) else [spec.activation] * len(spec.hidden)
    activations: list[Activation] = [make("activation", each, **start) for each in [*hidden, spec.output]]
    network = Network(
        (train.n_inputs, *spec.hidden, train.n_outputs),
        hidden=activations[:-1],
        output=activations[-1],
        loss=spec.loss,
        dropout=spec.dropout,
        rng=generator(seed, "weights"),
    )
    standardize = recipe.data.scaling == "standardized"
    model = Model.suited(with_meaning(network, task=train.task), train, standardize=standardize)
    if recipe.data.scaling == "raw":
        ones = np.ones(train.n_inputs)
        return replace(model, input_scaling=Standardization(0.0 * ones, ones / 255.0))
    return model


def draw_times(draw: Initializer, factor: float, rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    """An initializer: the numbers (fan_in, fan_out) of the initializer `draw`, multiplied by `factor`."""
    return factor * draw(rng, fan_in, fan_out)


def initializers(spec: str | Initial | None) -> dict[str, Initializer]:
    """The arguments initializer and bias_initializer for every activation; {} if each keeps its own."""
    if spec is None:
        return {}
    spec = Initial(weights=spec) if isinstance(spec, str) else spec
    pairs = {"initializer": (spec.weights, spec.weights_factor), "bias_initializer": (spec.biases, spec.biases_factor)}
    return {key: partial(draw_times, make("initializer", name), factor) for key, (name, factor) in pairs.items()}


def trainer_for(recipe: Recipe, network: Network, n_samples: int, seed: int) -> Trainer:
    """The recipe's trainer, for a training set of `n_samples`."""
    spec = recipe.training
    steps = steps_per_epoch(n_samples, spec.batch_size)
    patience = [] if spec.patience is None else [EarlyStopping(spec.patience)]
    schedule = schedule_for(spec.schedule, steps, spec.epochs * steps)
    if spec.plateau is not None:
        schedule = with_settings("plateau", ReduceOnPlateau, spec.plateau, rate=schedule)
    given: dict[str, Any] = {name: value for name, value in structs.asdict(spec).items() if name not in NOT_OF_TRAINER}
    return Trainer(network=network, schedule=schedule, callbacks=patience, seed=seed, **given)


def schedule_for(spec: Spec, steps_per_epoch: int, total_steps: int) -> Schedule:
    """A schedule from its spec, with `every_epochs` and `warm_up_epochs` converted to steps."""
    settings: dict[str, Any] = {"name": spec} if isinstance(spec, str) else dict(spec)

    def steps(key: str, default: float) -> int:
        epochs = settings.pop(key, default)
        check(key, epochs, "a schedule")
        return round(epochs * steps_per_epoch)

    warm_up_steps = steps("warm_up_epochs", 0)
    row = PARTS["schedule"].get(str(settings.get("name")))
    lengths, legal = {}, () if row is None else setting_names(row.maker)
    if "total_steps" in legal:
        lengths["total_steps"] = max(total_steps, 1)  # a run of 0 epochs is legal
    if "every_steps" in legal:
        lengths["every_steps"] = steps("every_epochs", 1)
    schedule: Schedule = make("schedule", settings, **lengths)
    return WarmUp(schedule, warm_up_steps) if warm_up_steps else schedule


def resize(recipe: Recipe, splits: Splits) -> Recipe:
    """The recipe with more epochs for few images; for a table, also with other hidden layers, batches and schedule."""
    n_samples, training = splits.train.n_samples, recipe.training
    if splits.train.image_shape is not None:
        epochs = max(training.epochs, min(DIGITS * DIGITS_EPOCHS // n_samples, MOST_EPOCHS))
        return structs.replace(recipe, training=structs.replace(training, epochs=epochs))
    epochs = min(max(training.epochs, TABLE_STEPS * TABLE_BATCH // n_samples), MOST_EPOCHS)
    network = structs.replace(recipe.network, hidden=[64, 32], loss="cross_entropy")
    schedule = {"name": "one_cycle", "rate": 0.003}
    training = structs.replace(training, epochs=epochs, batch_size=TABLE_BATCH, schedule=schedule)
    return structs.replace(recipe, network=network, training=training)


def size_in_words(recipe: Recipe, splits: Splits) -> str:
    """What `resize` chose, in words: hidden layers, epochs and batch size."""
    what = "rows of a table" if splits.train.image_shape is None else "images"
    hidden, training = "-".join(map(str, recipe.network.hidden)), recipe.training
    passes = f"{training.epochs} epoch{'' if training.epochs == 1 else 's'}"
    batches = "the full batch" if training.batch_size == "full" else f"batches of {training.batch_size}"
    return f"to {splits.train.n_samples:,} {what}: hidden layers {hidden}, {passes}, {batches}"


def adapt(recipe: Recipe, splits: Splits) -> tuple[Recipe, list[str]]:
    """(recipe, changes): the recipe as it can run on these data, and in words what had to be changed."""
    data, network, training, changes = recipe.data, recipe.network, recipe.training, list[str]()
    wanted, n_samples, is_classes = data.split, splits.train.n_samples, splits.train.task == "classes"
    size = (wanted.train if wanted.kind == "head" else wanted.test) or 0
    if wanted.kind == "given" or size >= n_samples or (wanted.kind == "stratified" and not is_classes):
        chosen = Split()  # the data's own test, or a fifth of them if they have none
        if splits.test is None and n_samples >= HELD_OUT:
            chosen = Split(kind="stratified" if is_classes else "shuffled", test=n_samples // HELD_OUT)
        if chosen != wanted:
            data = structs.replace(data, split=chosen)
            says = f"{chosen.test} examples drawn at random for the test" if chosen.test else "the data's own test"
            changes.append(says)
    if splits.train.image_shape is None and training.augment is not None:
        training = structs.replace(training, augment=None)
        changes.append("no deformation, which is for images")
    if splits.train.image_shape is None and data.scaling == "unit":
        data = structs.replace(data, scaling="standardized")
        changes.append("standardized inputs")
    output, loss, says = OUTPUTS.get(splits.train.task, (network.output, network.loss, ""))
    if network.output != output and (splits.train.task, network.output) != ("values", "exponential"):
        network = structs.replace(network, output=output, loss=loss)
        changes.append(says)
    return structs.replace(recipe, data=data, network=network, training=training), changes


def with_decay(recipe: Recipe, decay: float) -> Recipe:
    """The recipe with the optimizer AdamW and this weight decay."""
    optimizer = {"name": "adamw", "weight_decay": decay}
    return structs.replace(recipe, training=structs.replace(recipe.training, optimizer=optimizer))


def train_network(recipe: Recipe, data: Dataset, seed: int) -> Model:
    """A Model with the recipe's network, trained on all of `data`. Raises DivergenceError if it diverges."""
    whole = structs.replace(recipe, data=structs.replace(recipe.data, split=Split()))
    job = build(whole, Splits(data), seed=seed)
    job.trainer.fit(job.train)
    return job.model


def validation_loss(recipe: Recipe, data: Dataset, seed: int) -> float:
    """The mean loss on held-out rows of `data` of networks trained on the other rows; infinite if one diverges."""
    parts = np.array_split(generator(seed, "parts").permutation(data.n_samples), N_PARTS)
    losses = []
    for part in parts[: N_PARTS if data.n_samples <= MOST_IN_PARTS else 1]:
        try:
            model = train_network(recipe, data.take(np.setdiff1d(np.arange(data.n_samples), part)), seed)
        except DivergenceError:
            return math.inf
        losses.append(loss_and_score(model.inner, model.scaled(data.take(part)))[0])
    return float(np.mean(losses))


def choose_decay(recipe: Recipe, data: Dataset, seed: int) -> float:
    """The weight decay of AdamW, one of DECAYS, with the lowest loss on held-out rows. DataError for too few rows."""
    if data.n_samples < N_PARTS:
        raise DataError(sentence("recipes.few_rows", name=data.name, least=N_PARTS, n_rows=data.n_samples))
    losses = {decay: validation_loss(with_decay(recipe, decay), data, seed) for decay in DECAYS}
    return min(losses, key=losses.__getitem__)


def plain_scores(recipe: Recipe, train: Dataset, test: Dataset, seed: int) -> dict[str, float]:
    """{name: score on `test`} of two simple models to beat: a constant answer, and a linear network."""
    name, answer = "the mean" if train.task == "values" else "the commonest labels", train.targets.mean(axis=0)
    if train.task == "classes":
        name, answer = "the commonest class", np.bincount(train.targets, minlength=train.n_outputs)
    scores = {name: Score(train.task), "a linear network": Score(train.task)}
    scores[name].add(np.broadcast_to(answer, (test.n_samples, len(answer))), test.targets)
    training = structs.replace(recipe.training, schedule={"name": "one_cycle", "rate": LINEAR_RATE})
    network = structs.replace(recipe.network, hidden=[], dropout=0.0)
    recipe = structs.replace(recipe, network=network, training=training)
    linear = train_network(with_decay(recipe, choose_decay(recipe, train, seed)), train, seed)
    scores["a linear network"].add(linear.inner.outputs(linear.scaled(test).inputs), linear.scaled(test).targets)
    return {name: score.value for name, score in scores.items()}
