"""The schema of a recipe: TOML is read strictly into typed records and written back whole; wrong keys get advice."""

import difflib
import json
import math
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
import tomli_w
from msgspec import Meta
from msgspec.structs import replace

from deltarule.data.augment import Deformation
from deltarule.elsewhere import words
from deltarule.errors import RecipeError, closest, sentence
from deltarule.parts import PARTS, Kind, Spec
from deltarule.settings import all_settings, setting, setting_names
from deltarule.training.schedules import ReduceOnPlateau

Size = Annotated[int, Meta(ge=1)]
Tree = Mapping[str, Any]  # a recipe as nested dicts

# tomllib's memory grows with the square of a dotted key's depth, and no recipe is deep.
MOST_CHARACTERS, MOST_DOTS = 2**16, 200  # of a recipe, and in one of its lines
MOST_SHOWN = 60  # characters of a wrong value in a message
NOT_TOML = (ValueError, RecursionError)  # tomllib's error is a ValueError; so is that for a number of 5,000 digits

OF_TRAINING: tuple[Kind, ...] = ("optimizer", "schedule", "penalty")
# Where a recipe names a part, and what kind.
KINDS: dict[str, Kind] = {"network.activation": "activation", "network.output": "activation", "network.loss": "loss"}
KINDS |= {f"training.{kind}": kind for kind in OF_TRAINING}
USUAL = {"training.penalty": "l2", "network.activation": "leaky_relu"}  # the part to suggest for a setting
BY_EPOCHS = {"total_steps": None, "every_steps": "every_epochs"}  # {schedule's setting: recipe's key}
OTHERWISE = {"training.optimizer.weight_decay": "training.penalty.strength"}  # advice if the recipe lacks the former
OPTIONS = {"training.schedule.rate": "--learning-rate", "training.epochs": "--epochs", "data.name": "--data"}
OPTIONS_ONLY = ("seed", "holdout", "engine", "target", "label", "missing", "without", "size")  # of `train`
SECTION_SYNONYMS = {
    "model": "network",
    "net": "network",
    "architecture": "network",
    "dataset": "data",
    "fit": "training",
}


def hint(words: str, example: Any) -> Meta:
    """The annotation of a key: what it must contain, in words for messages, and an example of a legal value."""
    return Meta(description=words, examples=[example])


def range_hint(name: str) -> Meta:
    """The annotation of a number: the range of the setting `name`, for msgspec to check and in words for messages."""
    asked = all_settings()[name]
    lowest: dict[str, Any] = {"gt" if asked.is_open else "ge": asked.kind(asked.low)}
    highest: dict[str, Any] = {"lt": asked.high} if asked.high < math.inf else {}
    noun = "a whole number, " if asked.kind is int else ""
    return Meta(description=noun + asked.range_in_words, examples=[asked.like(None)], **lowest, **highest)


Share = Annotated[float, range_hint("dropout")]
SHARES, BATCH_SIZES = (all_settings()[name].range_in_words for name in ("dropout", "batch_size"))
BatchSize = Annotated[int, range_hint("batch_size")] | Literal["full"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class About(_Strict, frozen=True):
    """The recipe's name, purpose, source, and the result to expect."""

    name: str
    says: str = ""
    source: str = ""
    expected: str = ""


class Split(_Strict, frozen=True):
    """How examples are split. kind "given": as the data come; "head": the first `train` examples are for training.

    kind "shuffled" or "stratified": `test` examples are drawn at random for the test, all others are for training.
    """

    kind: Annotated[
        Literal["given", "head", "shuffled", "stratified"], hint("given, head, shuffled or stratified", "stratified")
    ] = "given"
    train: Annotated[int | None, hint("a number of examples", 1000)] = None
    test: Annotated[int | None, hint("a number of examples", 1000)] = None


class Data(_Strict, frozen=True):
    """The data, and their preparation.

    scaling: "unit", pixels / 255 and other numbers as they are; "raw", pixels 0 to 255; "standardized", inputs (and
        regression targets) to mean 0 and standard deviation 1.
    """

    name: Annotated[str, hint("the name of a data set, or a path", "digits")] = "mnist"
    split: Annotated[Split, hint("a table", {"kind": "shuffled", "test": 1000})] = Split()
    scaling: Annotated[Literal["unit", "raw", "standardized"], hint("unit, raw or standardized", "standardized")] = (
        "unit"
    )


class Initial(_Strict, frozen=True):
    """The initial weights and biases: initializers by name, each times a factor."""

    weights: str
    biases: str = "zeros"
    weights_factor: float = 1.0
    biases_factor: float = 1.0


class NetworkSpec(_Strict, frozen=True):
    """The network between the data's inputs and outputs. `activation` is one for all hidden layers, or a list."""

    hidden: Annotated[list[Size], hint("whole numbers of at least 1, one for each hidden layer", [30, 20])] = []
    activation: Annotated[Spec | list[Spec], hint("a name, or a list of names", "tanh")] = "relu"
    output: Annotated[Spec, hint("a name", "sigmoid")] = "softmax"
    loss: Annotated[Spec, hint("a name", "quadratic")] = "cross_entropy"
    initializer: Annotated[str | Initial | None, hint("a name", "he_normal")] = None
    dropout: Annotated[Share | list[Share], hint(f"{SHARES}, for all hidden layers or one for each", 0.2)] = 0.0


class Training(_Strict, frozen=True, kw_only=True):
    """How to train. Schedules have a `rate`; their lengths in steps follow from the epochs.

    plateau: settings of ReduceOnPlateau, which then lowers the schedule's rate; patience: that of EarlyStopping. Both
        need held-out examples.
    """

    epochs: Annotated[int, range_hint("epochs")]
    batch_size: Annotated[BatchSize, hint(f"a whole number, {BATCH_SIZES}, or full", 128)] = 128
    schedule: Annotated[Spec, hint("a name with its rate, or a constant rate", {"name": "cosine", "rate": 0.01})]
    optimizer: Annotated[Spec, hint("a name", "adam")] = "adam"
    penalty: Annotated[Spec | None, hint("a name with its strength", {"name": "l2", "strength": 1e-4})] = None
    average: Annotated[float, range_hint("average")] | None = None
    clip: Annotated[float, range_hint("clip")] | None = None
    augment: Annotated[dict[str, float] | None, hint("numbers by name", {"rotation": 10.0})] = None
    plateau: Annotated[dict[str, int | float] | None, hint("numbers by name", {"factor": 0.5, "patience": 3})] = None
    patience: Annotated[int, range_hint("patience")] | None = None


class Recipe(_Strict, frozen=True):
    """A network, its data and its training, as one record."""

    about: About
    network: NetworkSpec
    training: Training
    data: Data = Data()

    def to_toml(self) -> str:
        """The whole recipe, defaults included, as TOML that `parse` reads back."""
        return tomli_w.dumps(tree_of(self))

    def on(self, data: str) -> "Recipe":
        """The same recipe for other data, by name or path; `adapt` then changes what does not fit."""
        return replace(self, data=replace(self.data, name=data))

    def with_changes(self, changes: Sequence[str]) -> "Recipe":
        """The recipe with values replaced: each change is "training.epochs=5", or "epochs=5" if that is unambiguous.

        Raises RecipeError for an unknown key (with the one that was meant) or a value that does not fit.
        """
        tree, nested = tree_of(self), []
        for change in changes:
            word, equals, text = (part.strip() for part in change.partition("="))
            if not equals:
                raise RecipeError(f"a change must be KEY=VALUE, as in training.epochs=5: got {change!r}")
            if len(parts := re.split(r",\s*(?=[a-zA-Z_.]+\s*=)", change)) > 1 and not re.search(r"^[\[{\"']|\(", text):
                line = " ".join(f"--set {shlex.quote(part)}" for part in parts)
                raise RecipeError(f"a change is one KEY=VALUE: got {change!r}; use {line}")
            *sections, key = full_path(word, text, tree)
            nested.append((".".join(sections), key, word, text))
            place = tree
            for section in sections:
                if not isinstance(place.setdefault(section, {}), dict):  # "adam" becomes a table with its first setting
                    place[section] = {"weights" if section == "initializer" else "name": place[section]}
                place = place[section]
            place[key] = expand(key, toml_value(text))
        for where, key, word, text in nested:  # now, because an earlier change may have replaced the part
            legal = settings_in(where, tree)
            if legal is not None and key not in legal and not (key == "name" and where in KINDS):
                raise RecipeError(f"no setting is called {word!r}: {advice(word, text, tree)}")
        return convert(tree, self.about.name, "use --set {path}={argument}")


SECTIONS: dict[str, type[msgspec.Struct]] = {"about": About, "data": Data, "network": NetworkSpec, "training": Training}
TABLES = SECTIONS | {"data.split": Split, "network.initializer": Initial}
FIELDS = {place: struct.__struct_fields__ for place, struct in TABLES.items()} | {
    "training.augment": setting_names(Deformation),
    "training.plateau": setting_names(ReduceOnPlateau),
}
WITHIN_SECTIONS = [place for place in (*KINDS, *FIELDS) if "." in place]
ONE_PER_LAYER = ("hidden", "activation", "dropout")


def parse(text: str, name: str) -> Recipe:
    """A recipe from TOML text; `name` is for messages. RecipeError if it is not one."""
    dots = max((line.count(".") for line in text.splitlines()), default=0)
    if len(text) > MOST_CHARACTERS or dots > MOST_DOTS:
        raise RecipeError(
            sentence("recipes.large", name=name, most=(MOST_CHARACTERS, MOST_DOTS), got=(len(text), dots))
        )
    try:
        tree = tomllib.loads(text)
    except NOT_TOML as error:
        raise RecipeError(f"recipe {name} must be TOML: {error}; {toml_cure(text, str(error))}") from error
    for section in (each for each in map(tree.get, SECTIONS) if isinstance(each, dict)):
        section |= {key: expand(key, value) for key, value in section.items()}
    return convert(tree, name, "write {key} = {value}")


def toml_cure(text: str, message: str) -> str:
    """The advice for a recipe `text` that is not TOML: what to write in the line that `message` names."""
    number = re.search(r"line (\d+)", message)
    line = text.split("\n")[int(number[1]) - 1] if number else ""
    is_open = [each.strip() for each in text.split("\n") if each.count("[") > each.count("]")]
    if is_open or "Illegal character" in message:
        return f"write {is_open[0]}]" if is_open else f'write {line.strip()}"'
    if line.startswith("["):
        return f"put all of its settings under one {line.strip()}"
    found = re.fullmatch(r"\s*([\w.]+)\s*([=:])\s*(.*?)\s*(#.*)?", line)
    if found is None:
        return "deltarule recipes quick  prints a recipe that is"
    key, sign, value, _ = found.groups()
    if "overwrite" in message:
        return f"give {key} once"
    if value in ("None", "null", "nil", ""):
        return f"leave {key} out" if value else f"write [{key}] above its settings, each as KEY = VALUE"
    if value in ("True", "False"):
        asked = setting(key)
        right = inline(asked.default if asked else value == "True")
    else:
        right = re.sub(r"^(\d+),(\d+)$", r"\1.\2", re.sub(r"^\((.*?),?\)$", r"[\1]", value))
        right = re.sub(r'"?(\w+)"?\s*:', r"\1 =", right) if value.startswith("{") else right
        right = f'"{value}"' if re.fullmatch(r"[a-zA-Z]\w*", value) and value not in ("true", "false") else right
    is_new = right != value or sign == ":"
    return f"write {key} = {right}" if is_new else "deltarule recipes quick  prints a recipe that is"


def expand(key: str, value: Any) -> Any:
    """The full form of a recipe's value that is written in short.

    >>> expand("hidden", 30), expand("hidden", "30-20"), expand("activation", "tanh, relu")
    ([30], [30, 20], ['tanh', 'relu'])
    >>> expand("schedule", 0.1)
    {'name': 'constant', 'rate': 0.1}
    """
    if key == "schedule" and type(value) in (int, float):
        return {"name": "constant", "rate": value}
    if key == "hidden" and isinstance(value, str) and re.fullmatch(r"\d+(-\d+)+", value):
        value = value.replace("-", ",")
    if key in ONE_PER_LAYER and isinstance(value, str) and "," in value:
        return [toml_value(part.strip()) for part in value.split(",")]
    return [value] if key == "hidden" and type(value) is int and value > 0 else value


def convert(tree: dict[str, Any], name: str, cure: str) -> Recipe:
    """A recipe from nested dicts. RecipeError, naming the key, if one is unknown, missing or of the wrong type.

    cure: what to do about a wrong value, with fields for its path, its key, and a legal value.
    """
    try:
        return msgspec.convert(tree, Recipe)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise RecipeError(f"recipe {name}: {explanation(str(error), tree, cure)}") from error


def explanation(message: str, tree: dict[str, Any], cure: str) -> str:
    """Our text for msgspec's error `message`, with the key, the value, and what to do; `cure` as for `convert`."""
    if unknown := re.search(r"unknown field `(.*?)`(?: - at `\$\.([.\w]*)`)?$", message, re.DOTALL):
        key, place = unknown[1], unknown[2] if unknown[2] in TABLES else ""
        offer = closest(key, FIELDS[place] if place else Recipe.__struct_fields__, SECTION_SYNONYMS)
        if not offer.startswith("did") and (path := nearest_path(key, setting_paths({}))):
            section, *part = path.split(".")[:-1]
            asked = get_type_hints(TABLES[section], include_extras=True)[part[0]] if part else None
            how = f", as in {part[0]} = {inline(asked.__metadata__[-1].examples[0])}" if asked else ""
            how = ", without inputs and outputs" if path == "network.hidden" else how
            offer = f"did you mean {path}{how}? {offer if place else f'Write it under [{section}]'}"
        if key in OPTIONS_ONLY:
            given: Any = tree
            for each in filter(None, [*place.split("."), key]):
                given = given[each]
            offer = f"{advice(key, str(given), tree)}, so leave it out here"
        return f"there is no key {key!r} in {place or 'a recipe'}: {offer}"
    what, _, place = message.rstrip("`").partition(" - at `$.")
    missing = re.match(r"Object missing required field `(\w+)`", what)
    path = ".".join(filter(None, [place.partition("[")[0], missing[1] if missing else ""]))
    section, _, key = path.rpartition(".")
    declared = get_type_hints(TABLES.get(section, Recipe), include_extras=True).get(key)
    metas = [each.__metadata__[-1] for each in (declared, *get_args(declared)) if hasattr(each, "__metadata__")]
    if not metas:
        return f"{path}: {what}"
    value: Any = tree
    for each in path.split(".") if not missing else ():
        value = value[each]
    right = metas[0].examples[0]
    as_argument = shlex.quote(right if isinstance(right, str) else inline(right))
    how = cure.format(path=path, key=key, argument=as_argument, value=inline(right))
    got = "none" if missing else repr(value) if len(repr(value)) <= MOST_SHOWN else f"{repr(value)[:MOST_SHOWN]}..."
    return f"{path} must be {metas[0].description}: got {got}; {how}"


def inline(value: Any) -> str:
    """A value as TOML in one line.

    >>> inline({"name": "l2", "strength": 0.1})
    '{name = "l2", strength = 0.1}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def full_path(word: str, value: str, tree: dict[str, Any]) -> list[str]:
    """["training", "epochs"] for "training.epochs" or "epochs". RecipeError, with what was meant, for another word."""
    keys = word.split(".")
    if keys[0] not in SECTIONS or len(keys) == 1:
        keys = [*(name for name in SECTIONS if name != "about" and keys[0] in FIELDS[name]), *keys]
    place = ".".join(keys[:-1])
    if keys[-1] in FIELDS.get(place, ()) or place in WITHIN_SECTIONS:
        return keys
    raise RecipeError(f"no setting is called {word!r}: {advice(word, value, tree)}")


def setting_paths(tree: Tree) -> list[str]:
    """The full path of every setting of this recipe, including those of its parts."""
    places = ("data", "network", "training", *WITHIN_SECTIONS)
    return [f"{place}.{key}" for place in places for key in settings_in(place, tree) or ()]


def settings_in(place: str, tree: Tree) -> Sequence[str] | None:
    """The names of the settings at a path such as "training.optimizer" in this recipe; None if its part is unknown."""
    section, _, key = place.partition(".")
    spec = tree.get(section, {}).get(key)
    name = spec.get("name") if isinstance(spec, Mapping) else spec
    known = place in KINDS and isinstance(name, str) and name in PARTS[KINDS[place]]
    return settings_of(place, str(name)) if known else FIELDS.get(place, () if place in KINDS and not name else None)


def settings_of(place: str, part: str) -> list[str]:
    """The settings of a part, in a recipe's words: for "adam" at "training.optimizer" beta_1, beta_2 and epsilon."""
    names = list(setting_names(PARTS[KINDS[place]][part].maker))
    if place != "training.schedule":
        return names
    return [name for each in names if (name := BY_EPOCHS.get(each, each))] + ["warm_up_epochs"]


def advice(word: str, value: str, tree: Tree) -> str:
    """The advice for an unknown setting `word`: what to write instead, or the known settings if none is close.

    If the setting belongs to a part that the recipe does not use, the line to write also selects that part.

    >>> advice("epoch", "5", {})
    'did you mean training.epochs? Use --epochs 5 in train, or --set training.epochs=5'
    """
    if word in OPTIONS_ONLY:
        return f"it is an option of train: --{word} {shlex.quote(value)}"
    known = setting_paths(tree)
    path = nearest_path(word, known)
    if path is None:
        own = [path for path in known if path.rpartition(".")[0] == word]  # of a section
        return f"Known: {', '.join(own or known)}"
    if path == "network.hidden" and word.endswith("layers") and value.isdigit() and 0 < int(value) < 10:
        value = str([100] * int(value))  # of so many layers
    changes, (place, _, key) = [f"{path}={value}"], path.rpartition(".")
    if path not in known and place in KINDS:
        parts = [part for part in PARTS[KINDS[place]] if key in settings_of(place, part)]
        usual = [part for part in (word, USUAL.get(place)) if part in parts]
        changes.insert(0, f"{place}={[*usual, *parts][0]}")
    line = " ".join(f"--set {shlex.quote(change)}" for change in changes)
    if path in OPTIONS:
        line = f"{OPTIONS[path]} {shlex.quote(value)} in train, or {line}"
    return f"did you mean {path}? Use {line}"


def nearest_path(word: str, known: list[str]) -> str | None:
    """The full path of the setting closest to a wrong name, paths in `known` first; None if no setting is close."""
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
        asked = words()["synonyms"].get(key, "").split() if key in all_settings() else []
        for name in (*words()["recipe_keys"].get(path, "").split(), *asked):
            names.setdefault(name, path)
    folded = word.casefold().replace("-", "_")
    wanted = [each for each in (folded, folded.rpartition(".")[2]) if each]
    near = [name for each in wanted for name in difflib.get_close_matches(each, names, n=1, cutoff=0.8)]
    nearest = next((names[each] for each in (*wanted, *near) if each in names), None)
    return nearest if nearest is None or nearest in known else OTHERWISE.get(nearest, nearest)


def toml_value(text: str) -> Any:
    """A TOML value, or a number as Python writes it (.1), or the string itself: adam stands for "adam"."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except NOT_TOML:
        number = float(text) if re.fullmatch(r"[+-]?(\d+\.?|\d*\.\d+)(e[+-]?\d+)?", text, re.IGNORECASE) else math.inf
        return number if math.isfinite(number) else text


def tree_of(record: Any) -> Any:
    """A record as nested dicts, without None, which TOML cannot express."""
    if isinstance(record, msgspec.Struct):
        record = msgspec.to_builtins(record)
    if not isinstance(record, dict):
        return record
    return {key: tree_of(value) for key, value in record.items() if value is not None}
