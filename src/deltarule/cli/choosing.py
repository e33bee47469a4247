"""Which recipe `deltarule train` follows, and on which data: as asked, and as the two fit each other."""

from dataclasses import replace
from typing import Any

from deltarule.cli.examples import data_for, load_data
from deltarule.cli.found import found_recipe
from deltarule.cli.printing import entry, note
from deltarule.cli.train import READING, TrainOptions
from deltarule.data.catalog import find_default
from deltarule.data.dataset import Dataset, Splits
from deltarule.model import Model
from deltarule.recipes.fitting import fitted, suited, suited_in_words
from deltarule.recipes.schema import Recipe


def recipe_and_data(options: TrainOptions, known: Model | None, resumed: Recipe | None) -> tuple[Recipe, Splits]:
    """The recipe that was asked for, changed as asked and to fit the data; what was chosen, and why, is said.

    known: the model to go on from, if any: a table's columns are counted as it counts them.
    resumed: the recipe of the run that goes on.
    """
    is_default = options.recipe is None and resumed is None
    original = resumed if resumed and options.recipe is None else found_recipe(options.recipe or "default")
    made_for, splits = original.data.name, None
    is_plain = all(getattr(options, name) == getattr(TrainOptions, name) for name in ("data", *READING))
    if is_default and is_plain:
        original, splits = on_default_data(original, options.offline)
    recipe = as_asked(original, options)
    is_other = recipe.data.name != original.data.name
    if splits is None or is_other:
        splits = asked_data(options, recipe.data.name, known)
    note(entry("recipe", f"{recipe.about.name}: {recipe.about.says}"))
    if is_default and is_other:
        recipe = as_asked(suited(original, splits), options)
    if is_default and recipe.data.name != made_for:
        note(entry("suited", suited_in_words(recipe, splits)))
    if is_other:
        recipe, given_up = fitted(recipe, splits)
        if given_up:
            note(entry("changed", "; ".join(given_up)))
    return recipe, splits


def as_asked(recipe: Recipe, options: TrainOptions) -> Recipe:
    """The recipe with what the options change in it."""
    epochs = [] if options.epochs is None else [f"training.epochs={options.epochs}"]
    recipe = recipe.changed([*(options.changes or []), *epochs])
    return recipe if options.data is None else recipe.on(options.data)


def asked_data(options: TrainOptions, name: str, known: Model | None) -> Splits:
    """The data of that name, read as the options say."""
    if known is not None and known.columns and options.target is not None:
        return data_for(known, name, options.target, options.offline)
    reading: dict[str, Any] = {"missing": options.missing, "without": options.without or (), "size": options.size}
    return load_data(name, options.target, options.target_task, options.offline, **reading)


def on_default_data(recipe: Recipe, offline: bool) -> tuple[Recipe, Splits]:
    """The recipe and MNIST, or the bundled digits where MNIST cannot be had; which, and why, is said."""
    splits, which = find_default(offline=offline)
    note(entry("data", which))
    if splits.train.name != recipe.data.name:
        recipe = suited(recipe.on(splits.train.name), splits)
    return recipe, splits


def as_called(model: Model, train: Dataset) -> Model:
    """A trained model, its outputs called as these data call them."""
    return replace(model, class_names=train.class_names) if len(model.class_names) == train.n_outputs else model
