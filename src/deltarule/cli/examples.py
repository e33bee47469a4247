"""Which examples a command works on: those of a recipe, of a model, or the user's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec.structs import replace as with_fields

from deltarule.cli.found import found_recipe
from deltarule.cli.output import entry, note
from deltarule.cli.record import training_record
from deltarule.data.catalog import load
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.tables import read_table
from deltarule.errors import SettingError
from deltarule.model import Model
from deltarule.recipes.build import Job, build, split
from deltarule.recipes.fitting import fitted
from deltarule.recipes.schema import parse


def load_data(name: str, target: str | None, task: str, offline: bool) -> Splits:
    """Data by name or path; with a `target` the table in a CSV, whose target column holds classes or values."""
    if target is None:
        return load(name, offline=offline)
    if not Path(name).is_file():
        raise SettingError(f"--target names a column of a CSV file: got {name}; give the file with --data")
    return Splits(read_table(name, target, task="values" if task == "values" else "classes"))


def job_of(recipe: str, data: str | None, target: str | None, offline: bool) -> Job:
    """What carries out a recipe, by name, on its own data or on others; nothing has been trained."""
    wanted = found_recipe(recipe)
    splits = load_data(data or wanted.data.name, target, "classes", offline)
    if data is not None:
        wanted, changes = fitted(with_fields(wanted, data=with_fields(wanted.data, name=data)), splits)
        if changes:
            note(entry("changed", "; ".join(changes)))
    note(entry("recipe", f"{wanted.about.name}, untrained, on {wanted.data.name}"))
    return build(wanted, splits, engine="numpy")


def unseen(model: Model, data: str | None, target: str | None, offline: bool) -> Dataset:
    """The examples to judge a model by, which is said: none that it was trained on, wherever there are others.

    data, target: the user's own, or None for those that the model was made for.
    """
    train, test, is_own = parts(model, data, target, offline)
    if is_own:
        which = "not seen in training" if test else "the ones it was trained on: there are no others"
    else:
        which = "the test part" if test else "all there are"
    return told(test or train, which)


def trained_on(model: Model, data: str | None, target: str | None, offline: bool) -> Dataset:
    """The examples that a model was trained on, or the training part of the user's own, which is said."""
    train, _, is_own = parts(model, data, target, offline)
    return told(train, "the ones it was trained on" if is_own else "the training part")


def parts(model: Model, data: str | None, target: str | None, offline: bool) -> tuple[Dataset, Dataset | None, bool]:
    """(train, test) of some data as the model counts their classes, and whether they are what it was made from."""
    record = training_record(model)
    if record is None and data is None:
        raise SettingError("this model does not say what data it was made for: name some with --data")
    name = data or (record.dataset if record else "")
    splits = load_data(name, target or (record.target if record else None), model.task, offline)
    is_own = record is not None and name == record.dataset
    train, test = splits.train, splits.test
    if record and is_own:
        train, test = split(parse(record.recipe_toml, record.recipe), splits, record.seed)
    train = with_classes_of(model, replace(train, name=name))
    return train, with_classes_of(model, replace(test, name=name)) if test else None, is_own


def told(dataset: Dataset, which: str) -> Dataset:
    """The same dataset, after it was said which examples it holds."""
    note(entry("data", f"{dataset.name}: {dataset.n_samples:,} examples, {which}"))
    return dataset


def with_classes_of(model: Model, dataset: Dataset) -> Dataset:
    """The dataset with its classes counted as the model counts them, where it knows them by these names.

    Raises SettingError where it does not know one.
    """
    ours, theirs = model.class_names, dataset.class_names
    if dataset.task != "classes" or ours == theirs or ours == tuple(map(str, range(len(theirs)))):
        return dataset
    unknown = sorted(set(theirs) - set(ours))
    if unknown:
        got = f"{', '.join(unknown)} in {dataset.name}"
        raise SettingError(f"this model knows the classes {', '.join(ours)}: got {got}")
    targets = np.array([ours.index(name) for name in theirs])[dataset.targets]
    return replace(dataset, targets=targets, class_names=ours)
