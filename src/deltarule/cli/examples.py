"""Which examples a command works on: those of a recipe, of a model, or the user's own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deltarule.cli.found import found_recipe
from deltarule.cli.printing import entry, note
from deltarule.cli.record import TrainingRecord, training_record
from deltarule.data.catalog import MNIST, can_find, find_default, load
from deltarule.data.dataset import Dataset, Splits, data_hash
from deltarule.data.readers.kinds import read
from deltarule.data.reading import Goal, Missing
from deltarule.errors import SettingError
from deltarule.model import Model
from deltarule.recipes.adapt import adapt, resize
from deltarule.recipes.build import Job, build, split
from deltarule.recipes.schema import Recipe, parse


def load_data(
    name: str,
    target: str | None,
    task: Goal | None,
    offline: bool,
    *,
    missing: Missing = "error",
    without: Sequence[str] = (),
    size: int | None = None,
) -> Splits:
    """Data by name or path; with a `target` the table in a CSV, in which a column holds classes or values.

    missing, without: as for `read_table`. size: what the images of a folder are brought to.
    """
    if target is not None:
        check_table(name)
        return read(name, target=target, task=task, missing=missing, without=without, announce=say).splits
    if without or missing != "error" or task is not None:
        raise SettingError("--task, --missing and --without are for tables: name the column to learn with --target")
    if size is not None:
        if not Path(name).is_dir():
            raise SettingError(f"--size is for a folder with a folder of images for each class: got {name}")
        return read(name, size=size).splits
    return load(name, offline=offline)


def check_table(name: str) -> None:
    """Raise SettingError unless a file is called so, in which a column can be the target."""
    if not Path(name).is_file():
        if not can_find(name):
            raise SettingError(f"a table is a CSV file: got {name}, which does not exist; give the file with --data")
        raise SettingError(f"--target names a column of a CSV file: got {name}; give the file with --data")


def say(sentence: str) -> None:
    """Tell the user how a table was understood."""
    note(entry("table", sentence))


def on_own_data(recipe: Recipe, offline: bool) -> tuple[Recipe, Splits]:
    """A recipe on the data that it names itself, or on the bundled digits where MNIST cannot be had, and says which."""
    if recipe.data.name != MNIST:
        return recipe, load_data(recipe.data.name, None, None, offline)
    splits, which = find_default(offline=offline)
    note(entry("data", which))
    return recipe.on(splits.train.name), splits


def recipe_on_data(
    name: str, changes: Sequence[str], data: str | None, target: str | None, offline: bool
) -> tuple[Recipe, Splits]:
    """A recipe, by name, changed as asked, on the user's data or on its own, and fitted to them; stderr says how."""
    original = found_recipe(name)
    recipe, given_up = original.with_changes(changes), list[str]()
    asked = data or original.on("").with_changes(changes).data.name
    if asked or target is not None:
        recipe = recipe.on(asked or recipe.data.name)
        splits = load_data(recipe.data.name, target, None, offline)
    else:
        recipe, splits = on_own_data(recipe, offline)
        if recipe.data.name != original.data.name:
            recipe = resize(original.on(recipe.data.name), splits).with_changes(changes)
    if recipe.data.name != original.data.name:
        recipe, given_up = adapt(recipe, splits)
    if given_up:
        note(entry("changed", "; ".join(given_up)))
    return recipe, splits


def job_of(
    recipe: str, data: str | None, target: str | None, offline: bool, changes: Sequence[str] | None = None
) -> Job:
    """What carries out a recipe, by name, on its own data or on others; nothing has been trained."""
    wanted, splits = recipe_on_data(recipe, changes or (), data, target, offline)
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
        raise SettingError(
            "this model does not say what data it was made for: name some, as in  --data mnist  "
            "(`deltarule data list` shows the names), or give a file of your own"
        )
    name = data or (record.dataset if record else "")
    if data is None:
        check_there(name, "model", "say where they are:  --data PATH")
    splits = data_for(model, name, target or (record.target if record else None), offline)
    is_own = record is not None and is_its_data(record, name, splits)
    if record and not is_own and name == record.dataset:
        note(entry("data", f"{name} holds other examples than this model was trained on"))
    train, test = splits.train, splits.test
    if record and is_own:
        train, test = split(parse(record.recipe_toml, record.recipe), splits, record.seed)
    train = with_classes_of(model, replace(train, name=name))
    return train, with_classes_of(model, replace(test, name=name)) if test else None, is_own


def check_there(name: str, owner: str, cure: str) -> None:
    """Raise SettingError where the data that a run or a model names are not there any more; `cure` says what to do."""
    if not can_find(name):
        raise SettingError(
            f"the data of this {owner} are not where they were: got {name}, and {Path(name).absolute()} does not "
            f"exist; {cure}"
        )


def is_its_data(record: TrainingRecord, name: str, splits: Splits) -> bool:
    """Whether data are what a model was made from: a file or folder by what it holds, else by their name."""
    known = record.environment.get("data_hash")
    if known is None or not Path(name).exists():
        return name == record.dataset
    return data_hash(*(part for part in (splits.train, splits.test) if part is not None)) == known


def data_for(model: Model, name: str, target: str | None, offline: bool) -> Splits:
    """Data by name or path, a table's columns and classes counted as the model counts them."""
    record = training_record(model)
    size = record.size if record and Path(name).is_dir() else None
    if target is None or model.task is None or model.task == "labels" or not model.columns:
        task = None if target is None or model.task == "labels" else model.task
        return load_data(name, target, task, offline, size=size)
    check_table(name)
    missing = record.missing if record else "error"
    class_names, columns = model.class_names, model.columns
    known = {"task": model.task, "class_names": class_names, "columns": columns}
    return read(name, target=target, missing=missing, announce=say, **known).splits


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
