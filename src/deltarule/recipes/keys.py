"""What the settings of a recipe are called: by their full paths, by other names, and which one a wrong name means."""

import difflib
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from deltarule.data.augment import Deformation
from deltarule.parts import PARTS, Kind
from deltarule.public import words
from deltarule.settings import SETTINGS, setting_names
from deltarule.training.schedules import ReduceOnPlateau

Tree = Mapping[str, Any]  # a recipe as nested dicts
Fields = Mapping[str, Iterable[str]]  # the keys of each table of a recipe, by its path: "training", "data.split"

KINDS: dict[str, Kind] = {  # where a recipe names a part, and what it can name there
    "network.activation": "activation",
    "network.output": "activation",
    "network.loss": "loss",
    "training.optimizer": "optimizer",
    "training.schedule": "schedule",
    "training.penalty": "penalty",
}
NUMBERS = {"training.augment": Deformation, "training.plateau": ReduceOnPlateau}  # tables of numbers, without a name
USUAL = {"training.penalty": "l2", "network.activation": "leaky_relu"}  # the part meant by a setting that several have
BY_EPOCHS = {"total_steps": None, "every_steps": "every_epochs"}  # what a recipe has in place of a schedule's steps
OTHER_NAMES = {  # of what is not a number; numbers have theirs in elsewhere.toml
    "training.augment": "augmentation deformation",
    "network.hidden": "layers layer_sizes sizes units neurons hidden_layers hidden_units hidden_layer_sizes",
    "network.initializer": "init",
    "data.name": "dataset",
}
OTHERWISE = {"training.optimizer.weight_decay": "training.penalty.strength"}  # where no part of the recipe has it
OPTIONS = {"training.schedule.rate": "--learning-rate", "training.epochs": "--epochs", "data.name": "--data"}
OPTIONS_ONLY = ("seed", "holdout", "engine")  # of `train`, and in no recipe


def known_paths(tree: Tree, fields: Fields) -> list[str]:
    """The full path of every setting that this recipe has, those of the parts that it names included."""
    sections = [place for place in fields if "." not in place and place != "about"]
    nested = [place for place in (*KINDS, *fields, *NUMBERS) if "." in place]
    return [f"{place}.{key}" for place in (*sections, *nested) for key in settings_in(place, tree, fields) or ()]


def settings_in(place: str, tree: Tree, fields: Fields) -> list[str] | None:
    """The settings of what stands at a place of this recipe; None where nothing that is known stands there."""
    if place in fields:
        return list(fields[place])
    if place in NUMBERS:
        return list(setting_names(NUMBERS[place]))
    section, _, key = place.partition(".")
    spec = tree.get(section, {}).get(key)
    name = spec.get("name") if isinstance(spec, Mapping) else spec
    known = place in KINDS and isinstance(name, str) and name in PARTS[KINDS[place]]
    return settings_of(place, str(name)) if known else None


def settings_of(place: str, part: str) -> list[str]:
    """The settings of a part, in a recipe's words: of "adam" at "training.optimizer" beta_1, beta_2 and epsilon."""
    names = list(setting_names(PARTS[KINDS[place]][part].maker))
    if place != "training.schedule":
        return names
    return [name for each in names if (name := BY_EPOCHS.get(each, each))] + ["warm_up_epochs"]


def advice(word: str, value: str, tree: Tree, fields: Fields) -> str:
    """What to write in the place of a setting that does not exist; or which ones there are, where nothing is near.

    >>> advice("epoch", "5", {"training": {}}, {"training": ["epochs"]})
    'did you mean training.epochs? Use --epochs 5 in train, or --set training.epochs=5'
    """
    if word in OPTIONS_ONLY:
        return f"it is an option of train: --{word} {shlex.quote(value)}"
    known = known_paths(tree, fields)
    path = nearest_path(word, known)
    if path is None:
        return f"Known: {', '.join(known)}"
    return f"did you mean {path}? Use {command_for(path, word, value, known)}"


def nearest_path(word: str, known: list[str]) -> str | None:
    """The full path of the setting that a wrong name is closest to, if any; first among those that are known."""
    if any(path.startswith(f"{word}.") for path in known):
        return None  # the name of a section, not of a setting
    others = [
        f"{place}.{key}" for place, kind in KINDS.items() for part in PARTS[kind] for key in settings_of(place, part)
    ]
    names: dict[str, str] = {}
    for path in (*known, *others):
        for name in (path, path.partition(".")[2], path.rpartition(".")[2]):
            names.setdefault(name, path)
    for path in (*others, *known):
        key = path.rpartition(".")[2]
        asked = words()["synonyms"].get(key, "").split() if key in SETTINGS else []
        for name in (*OTHER_NAMES.get(path, "").split(), *asked):
            names.setdefault(name, path)
    folded = word.casefold().replace("-", "_")
    wanted = [each for each in (folded, folded.rpartition(".")[2]) if each]
    near = [name for each in wanted for name in difflib.get_close_matches(each, names, n=1, cutoff=0.7)]
    nearest = next((names[each] for each in (*wanted, *near) if each in names), None)
    return nearest if nearest is None or nearest in known else OTHERWISE.get(nearest, nearest)


def command_for(path: str, word: str, value: str, known: list[str]) -> str:
    """What to add to a command to set what is at `path`, after the part that has it where the recipe has another."""
    changes, (place, _, key) = [f"{path}={value}"], path.rpartition(".")
    if path not in known and place in KINDS:
        parts = [part for part in PARTS[KINDS[place]] if key in settings_of(place, part)]
        usual = [part for part in (word, USUAL.get(place)) if part in parts]
        changes.insert(0, f"{place}={[*usual, *parts][0]}")
    line = " ".join(f"--set {shlex.quote(change)}" for change in changes)
    return f"{OPTIONS[path]} {shlex.quote(value)} in train, or {line}" if path in OPTIONS else line
