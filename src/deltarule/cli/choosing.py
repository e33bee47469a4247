"""Which recipe `deltarule train` follows, and on which data: as asked, and as the two fit each other."""

from typing import Any

from deltarule.cli.examples import data_for, load_data, on_own_data
from deltarule.cli.found import found_recipe
from deltarule.cli.printing import entry, note
from deltarule.cli.train import READING, TrainOptions
from deltarule.data.dataset import Dataset, Splits
from deltarule.model import Model
from deltarule.recipes.build import adapt, resize, size_in_words
from deltarule.recipes.schema import Recipe


def recipe_and_data(options: TrainOptions, known: Model | None, resumed: Recipe | None) -> tuple[Recipe, Splits]:
    """The recipe that was asked for, changed as asked and to fit the data; what was chosen, and why, is said.

    known: the model to go on from, if any: a table's columns are counted as it counts them.
    resumed: the recipe of the run that goes on.
    """
    is_default = options.recipe is None and resumed is None
    original = resumed if resumed and options.recipe is None else found_recipe(options.recipe or "default")
    recipe, named = as_asked(original, options), as_asked(original.on(""), options).data.name
    if named or resumed or any(map(options.is_given, READING)):
        splits = asked_data(options, recipe.data.name, known)
    else:
        recipe, splits = on_own_data(recipe, options.offline)
    is_other = recipe.data.name != original.data.name
    note(entry("recipe", f"{recipe.about.name}: {recipe.about.says}"))
    if is_other and (is_default or not named):
        recipe = as_asked(resize(original.on(recipe.data.name), splits), options)
        note(entry("suited", size_in_words(recipe, splits)))
    if is_other and original is not resumed:  # the data of a run that goes on may have moved
        recipe, given_up = adapt(recipe, splits)
        if given_up:
            note(entry("changed", "; ".join(given_up)))
    return recipe, splits


def as_asked(recipe: Recipe, options: TrainOptions) -> Recipe:
    """The recipe with what the options change in it."""
    given = {"training.epochs": options.epochs, "training.schedule.rate": options.learning_rate}
    changes = [f"{path}={value}" for path, value in given.items() if value is not None]
    recipe = recipe.with_changes([*(options.changes or []), *changes])
    return recipe if options.data is None else recipe.on(options.data)


def asked_data(options: TrainOptions, name: str, known: Model | None) -> Splits:
    """The data of that name, read as the options say."""
    if known is not None and known.columns and options.target is not None:
        return data_for(known, name, options.target, options.offline)
    reading: dict[str, Any] = {"missing": options.missing, "without": options.without or (), "size": options.size}
    return load_data(name, options.target, options.target_task, options.offline, **reading)


def as_called(model: Model, train: Dataset) -> Model:
    """A trained model, its outputs called as these data call them."""
    return model.with_meaning(class_names=train.class_names) if len(model.class_names) == train.n_outputs else model
