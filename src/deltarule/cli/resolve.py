"""Finds what a name on the command line means, a model, a run or a recipe, and which examples belong to it."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from deltarule.cli.options import RECIPE_KEYS, DataOptions, PlotOptions, SubjectOptions, TrainOptions
from deltarule.cli.printing import tell
from deltarule.data.catalog import MNIST, can_find, find_default, load
from deltarule.data.dataset import Dataset, Splits, data_hash
from deltarule.data.readers import kinds
from deltarule.data.reading import Missing
from deltarule.data.sources import SOURCES
from deltarule.errors import SettingError, closest, sentence
from deltarule.files.exchange.foreign import load as load_file
from deltarule.files.model_file import PRETRAINED
from deltarule.files.run_folder import MODEL, RECIPE, check_belongs
from deltarule.model import Model
from deltarule.recipes import names, read
from deltarule.recipes.build import Job, adapt, build, choose_decay, resize, size_in_words, split, with_decay
from deltarule.recipes.schema import Recipe, parse


class TrainingRecord(msgspec.Struct):
    """The part of Model.record that other commands read; `deltarule train` writes it, and more that only people read.

    recipe: its name; recipe_toml: the whole recipe as it ran. target to skip_bad: how its data were read.
    training_score, plain_scores: for a table, to compare its test score with.
    """

    recipe: str = ""
    recipe_toml: str = ""
    seed: int = 0
    dataset: str = ""
    target: str | None = None
    missing: Missing = "error"
    label: str | None = None
    size: int | None = None
    skip_bad: bool = False
    environment: dict[str, Any] = {}
    training_score: float | None = None
    plain_scores: dict[str, float] = {}


def training_record(model: Model) -> TrainingRecord:
    """The TrainingRecord in a model's record; an empty one unless `deltarule train` made the model."""
    with suppress(msgspec.ValidationError):
        record = msgspec.convert(model.record, TrainingRecord)
        if record.recipe and record.recipe_toml and record.dataset:
            return record
    return TrainingRecord()


def reads_digits(model: Model) -> bool:
    """Whether pictures for this model are converted to images like MNIST's, because it was trained on such images.

    Older models do not record this; then it is guessed from their image shape and class names.
    """
    guess = "digits" if model.image_shape == (28, 28) and model.class_names == tuple("0123456789") else "images"
    return (model.network.reading or guess) == "digits" and training_record(model).size is None


def model_path(name: str) -> Path:
    """The path that `name` means: of a file, the model in a run's folder, or the pretrained one; it may not exist."""
    path = Path(name, MODEL) if Path(name).is_dir() else Path(name)
    return PRETRAINED if name == PRETRAINED.stem and not path.exists() else path


def is_model(name: str) -> bool:
    """True if `name` means a model, False for a recipe. SettingError, with the closest name, if it is neither."""
    if not Path(name).exists() and name not in (known := [PRETRAINED.stem, *names()]):
        programs = {name.lower(): f"{name}.py"} if Path(f"{name}.py").is_file() else {}
        offer = closest(name, [*known, *programs.values()], programs)
        offer = f"give data as MODEL --data {name}" if can_find(name) else offer
        raise SettingError(sentence("command.no_model", name=name, offer=offer))
    path = model_path(name)
    return path.is_file() and path.suffix != ".toml"


def load_model(name: str, hidden: str | None = None) -> Model:
    """The model in a file or a run's folder, or the pretrained one; stderr says which. hidden: as for `load`."""
    path = model_path(name)
    kind = kinds.kind_of(path) if path.is_file() and path.suffix not in (".pt", ".pth", ".ckpt") else kinds.MODEL
    if kind is not kinds.MODEL and kind.name not in (kinds.UNKNOWN, "npz", "pickle"):
        cure = sentence("command.data_for_model", name=name) if kind.reader else "deltarule train  makes a model"
        cure = kind.advice.format(path=name) if kind.reader and kind.advice else cure
        raise SettingError(f"a model is a .safetensors file, or the folder of a run: got {name} ({kind.name}); {cure}")
    if not path.exists():
        others = "recipe_as_model" if name in names() else "data_as_model" if can_find(name) else "no_model_file"
        key = "no_model_there" if Path(name).is_dir() else others
        kept = [each.name for each in Path(name).parent.glob("*.safetensors")]
        there = closest(f"{Path(name).stem}.safetensors", kept)
        near = f"; {there.partition(' Known')[0]}" if there.startswith("did") else ""
        raise SettingError(sentence(f"command.{key}", name=name, file=MODEL, pretrained=PRETRAINED.stem) + near)
    model = load_file(path, hidden=hidden)
    if Path(name).is_dir():
        check_belongs(path, path.read_bytes())
    record = training_record(model)
    origin = f", trained by the recipe {record.recipe} on {record.dataset}" if record.recipe else ""
    tell("model", f"{path}: {'-'.join(map(str, model.network.layer_sizes))}{origin}")
    return model


def read_recipe(name: str) -> Recipe:
    """The recipe in a TOML file or a run's folder, or the one of that name that comes with deltarule."""
    if (of_run := Path(name, RECIPE)).is_file():
        check_belongs(of_run, of_run.read_bytes())
        return read(str(of_run))
    return read(name)


def refuse_changes(changes: Sequence[str] | None, name: str) -> None:
    """Raise SettingError if --set is given with `name`, a model or a run: it can only change a recipe."""
    if changes:
        raise SettingError(sentence("command.changes", name=name, change=shlex.quote(changes[0])))


def resolve(options: SubjectOptions | PlotOptions) -> Model | Job:
    """What options.name means: a Model, or for a recipe a Job, which is built but has not trained yet."""
    name = str(options.name)
    if is_model(name):
        refuse_changes(options.changes, name)
        return load_model(name)
    given: dict[str, Any] = {"data": options.data, "target": options.target, "offline": options.offline}
    planned = TrainOptions(recipe=name, changes=options.changes, **given)
    return build(*plan_run(planned, read_recipe(name), is_run=False), engine="numpy")


def changes_asked(options: TrainOptions) -> list[str]:
    """The changes that the options make to a recipe, each as "KEY=VALUE", the form that --set takes."""
    given = {key: getattr(options, name) for name, key in RECIPE_KEYS.items()}
    return [*(options.changes or []), *(f"{key}={value}" for key, value in given.items() if value is not None)]


def recipe_as_asked(recipe: Recipe, options: TrainOptions) -> Recipe:
    """The recipe with the changes that the options make, --data included."""
    recipe = recipe.with_changes(changes_asked(options))
    return recipe if options.data is None else recipe.on(options.data)


def plan_run(
    options: TrainOptions, original: Recipe, known: Model | None = None, *, is_run: bool = True
) -> tuple[Recipe, Splits]:
    """(recipe, data): the recipe, changed by the options and to fit the data, and the data; stderr says what changed.

    original: the recipe that the options name, or that of the resumed run. known: the model to start from, which
    determines how a table is encoded. is_run: the recipe will be trained, not only shown.
    """
    recipe, named = recipe_as_asked(original, options), recipe_as_asked(original.on(""), options).data.name
    may_stand_in = not (named or options.resume) and recipe.data.name == MNIST
    splits = load_data(recipe.data.name, options, known=known, may_stand_in=may_stand_in)
    if may_stand_in:
        recipe = recipe.on(splits.train.name)
    if known is not None:
        check_width(known, splits.train.name, splits.train.n_features)
    is_other = recipe.data.name != original.data.name
    says = f": {recipe.about.says}" if is_run else f", untrained, on {recipe.data.name}"
    tell("recipe", recipe.about.name + says)
    is_suited = is_other and not (named and (options.recipe or options.resume))  # `default` suits any data
    if is_suited:
        recipe = recipe_as_asked(resize(original.on(recipe.data.name), splits), options)
        tell("suited", size_in_words(recipe, splits))
    if is_other and (options.recipe or not options.resume):  # the data of a resumed run may have moved
        recipe, given_up = adapt(recipe, splits)
        if given_up:
            tell("changed", "; ".join(given_up))
    is_fresh_table = is_suited and splits.train.image_shape is None and options.start is None and is_run
    if is_fresh_table and recipe.training.optimizer == original.training.optimizer:
        train = split(recipe, splits, options.seed)[0]
        train = train.hold_out(options.holdout).train if options.holdout else train
        decay = choose_decay(recipe, train, options.seed)
        recipe = with_decay(recipe, decay)
        tell("chosen", f"weight decay {decay:g}, by the loss on rows held out of those to learn from")
    return recipe, splits


def load_data(name: str, options: TrainOptions, *, known: Model | None = None, may_stand_in: bool = False) -> Splits:
    """Load data by name or path, read as the options say; with a target, a CSV is read as a table.

    known: a model whose columns and classes are used to encode a table. may_stand_in: the bundled digits may replace a
    missing MNIST; stderr says so.
    """
    if options.target is not None:
        if known is not None and (
            known.image_shape or known.pixels if Path(name).is_file() else known.columns and can_find(name)
        ):
            columns = ", ".join(column.name for column in known.columns)
            reads = "images" if known.image_shape or known.pixels else f"the columns {columns} of a table"
            raise SettingError(sentence("command.other_inputs", reads=reads, name=name))
        if not Path(name).is_file():
            what = f"--target names a column of a CSV file: got {name}" if can_find(name) else f"{name} does not exist"
            raise SettingError(f"{what}; give the CSV file with --data PATH, or leave --target out")
        how: dict[str, Any] = {"task": options.target_task, "without": options.without or ()}
        if known is not None and known.columns and known.task != "labels":
            how = {"task": known.task, "class_names": known.class_names, "columns": known.columns}
        how |= {"target": options.target, "missing": options.missing, "announce": partial(tell, "table")}
        return kinds.read(name, **how).splits
    if options.without or options.missing != "error" or options.target_task is not None:
        raise SettingError("--task, --missing and --without are for tables: name the column to learn with --target")
    for option, value in (("--size", options.size), ("--skip-bad", options.skip_bad or None)):
        if value is not None and not Path(name).is_dir():
            raise SettingError(f"{option} is for a folder with a folder of images for each class: got {name}")
    announce = partial(tell, "read")
    if Path(name).is_dir() and name not in SOURCES:
        is_digit = known is not None and reads_digits(known)
        how = {"size": options.size, "skip_bad": options.skip_bad, "is_digit": is_digit}
        return kinds.read(name, announce=announce, **how).splits
    if not may_stand_in:
        return load(name, offline=options.offline, label=options.label, announce=announce)
    splits, which = find_default(offline=options.offline)
    tell("data", which)
    return splits


def check_data_exist(name: str, owner: str, cure: str) -> None:
    """Raise SettingError if the data `name` of a run or a model do not exist; cure: what to do, for the message."""
    if not can_find(name):
        path = Path(name).absolute()
        raise SettingError(sentence("command.moved_data", owner=owner, name=name, path=path, cure=cure))


def load_examples(model: Model, options: DataOptions, *, unseen: bool = True) -> Dataset:
    """The examples to score a model on: unseen ones, or if there are none, those it was trained on; stderr says which.

    unseen: if False, those it was trained on, or the training part of other data that the options name.
    """
    train, test, is_own = train_and_test(model, options)
    if not unseen:
        test, which = None, "the ones it was trained on" if is_own else "the training part"
    elif is_own:
        which = "not seen in training" if test else "the ones it was trained on: there are no others"
    else:
        which = "the test part" if test else "all there are"
    dataset = test or train
    tell("data", f"{dataset.name}: {dataset.n_samples:,} examples, {which}")
    return dataset


def train_and_test(model: Model, options: DataOptions) -> tuple[Dataset, Dataset | None, bool]:
    """(train, test or None, is_own): data with the model's split and class numbers; is_own: they are its own."""
    record = training_record(model)
    splits, is_own = splits_for(model, options)
    train, test = splits.train, splits.test
    if is_own:
        train, test = split(parse(record.recipe_toml, record.recipe), splits, record.seed)
    return match_classes(model, train), match_classes(model, test) if test else None, is_own


def splits_for(model: Model, options: DataOptions) -> tuple[Splits, bool]:
    """(splits, is_own): data that the options name, else the model's own, read as those; is_own: they are its own."""
    record = training_record(model)
    name, target = options.data or record.dataset, options.target or record.target
    if not name:
        raise SettingError(sentence("command.no_data"))
    if options.data is None:
        check_data_exist(name, "model", "say where they are:  --data PATH")
    how: dict[str, Any] = {"target": target, "offline": options.offline}
    n_inputs, is_plain = model.network.layer_sizes[0], not (model.columns or model.image_shape or model.pixels)
    is_csv = Path(name).suffix.lower() == ".csv" and Path(name).is_file()
    if is_plain and is_csv and (options.target or n_inputs**0.5 % 1):
        wanted = options.target or "COLUMN"
        raise SettingError(sentence("command.no_columns", n_inputs=n_inputs, name=name, target=wanted))
    if target is not None:
        how |= {"missing": record.missing, "target_task": None if model.task == "labels" else model.task}
    elif Path(name).is_dir():
        how |= {"size": record.size, "skip_bad": getattr(options, "skip_bad", False) or record.skip_bad}
    elif Path(name).is_file():
        how["label"] = getattr(options, "label", None) or (record.label if name == record.dataset else None)
    splits = load_data(name, TrainOptions(**how), known=model)
    parts = [replace(part, name=name) for part in (splits.train, splits.test) if part is not None]
    known = record.environment.get("data_hash") if Path(name).exists() else None
    is_own = name == record.dataset if known is None else data_hash(*parts) == known
    if not is_own and name == record.dataset:
        tell("data", f"{name} holds other examples than this model was trained on")
    return Splits(*parts), is_own


def check_width(model: Model, name: str, n_features: int) -> None:
    """Raise SettingError unless rows of n_features numbers fit a model: its table's columns, or else its inputs."""
    n_inputs = len(model.columns) or model.network.layer_sizes[0]
    if n_features != n_inputs:
        raise SettingError(sentence("command.other_width", n_inputs=n_inputs, n_features=n_features, name=name))


def match_classes(model: Model, dataset: Dataset) -> Dataset:
    """The dataset with its classes numbered as the model numbers the classes of the same names.

    Raises SettingError if the model does not know a class, or reads rows of another width.
    """
    check_width(model, dataset.name, dataset.n_features)
    ours, theirs = model.class_names, dataset.class_names
    if dataset.task != "classes" or ours == theirs or ours == tuple(map(str, range(len(theirs)))):
        return dataset
    if unknown := sorted(set(theirs) - set(ours)):
        known, got = ", ".join(ours), ", ".join(unknown)
        raise SettingError(f"this model knows the classes {known}: got {got} in {dataset.name}")
    targets = np.array([ours.index(name) for name in theirs])[dataset.targets]
    return replace(dataset, targets=targets, class_names=ours)
