"""What a recipe may say: its TOML as typed records, read strictly and written back whole."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import tomli_w
from msgspec.structs import replace

from deltarule.errors import RecipeError, closest
from deltarule.settings import check

Spec = str | dict[str, Any]  # "relu", or {name = "leaky_relu", slope = 0.1}

# tomllib takes memory by the square of how deeply a dotted key goes, and no recipe goes deep.
MOST_CHARACTERS, MOST_DOTS = 2**16, 200  # of a recipe, and in one of its lines

NOT_TOML = (ValueError, RecursionError)  # tomllib's own error is a ValueError, as is that for a number of 5,000 digits


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class About(_Strict, frozen=True):
    """What the recipe is: its name, what it shows, where it comes from, and the result to expect."""

    name: str
    says: str = ""
    source: str = ""
    expected: str = ""


class Split(_Strict, frozen=True):
    """Which examples are for training.

    kind: "given" by the data; "head", the first `train`; "shuffled" or "stratified", all but `test` drawn at random.
    """

    kind: Literal["given", "head", "shuffled", "stratified"] = "given"
    train: int | None = None
    test: int | None = None


class Data(_Strict, frozen=True):
    """Which data, and what is done to them.

    scaling: "unit", pixels / 255 and other numbers as they are; "raw", pixels 0 to 255; "standardized", inputs (and
        regression targets) to mean 0 and standard deviation 1.
    """

    name: str = "mnist"
    split: Split = Split()
    scaling: Literal["unit", "raw", "standardized"] = "unit"


class Initial(_Strict, frozen=True):
    """Where weights and biases start: initializers by name, each times a factor."""

    weights: str
    biases: str = "zeros"
    weights_factor: float = 1.0
    biases_factor: float = 1.0


class NetworkSpec(_Strict, frozen=True):
    """The network between the data's inputs and outputs. `activation` is one for all hidden layers, or a list."""

    hidden: list[int] = []
    activation: Spec | list[Spec] = "relu"
    output: Spec = "softmax"
    loss: Spec = "cross_entropy"
    initializer: str | Initial | None = None
    dropout: float | list[float] = 0.0


class Training(_Strict, frozen=True):
    """How it learns. Schedules say `rate`; their lengths follow from the epochs.

    plateau: settings of ReduceOnPlateau, which then lowers what the schedule says; patience: that of EarlyStopping.
        Both need examples that are held out.
    """

    schedule: Spec
    epochs: int
    optimizer: Spec = "adam"
    batch_size: int | Literal["full"] = 128
    penalty: Spec | None = None
    average: float | None = None
    clip: float | None = None
    augment: dict[str, float] | None = None
    plateau: dict[str, int | float] | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "average", "clip"):
            check(name, getattr(self, name))
        if self.patience is not None:
            check("patience", self.patience)
        if self.batch_size != "full":
            check("batch_size", self.batch_size)


class Recipe(_Strict, frozen=True):
    """A network, its data and its training, as one record."""

    about: About
    network: NetworkSpec
    training: Training
    data: Data = Data()

    def to_toml(self) -> str:
        """The whole recipe, defaults included, as TOML that `parse` reads back."""
        return tomli_w.dumps(_without_none(msgspec.to_builtins(self)))

    def on(self, data: str) -> "Recipe":
        """The same recipe for other data, by name or path; `fitting.fitted` says what it must give up for them."""
        return replace(self, data=replace(self.data, name=data))

    def changed(self, changes: Sequence[str]) -> "Recipe":
        """The recipe with values replaced: each change is "training.epochs=5", or "epochs=5" where that is clear.

        Raises RecipeError for a key that does not exist (with the closest one) or a value that does not fit.
        """
        tree = _without_none(msgspec.to_builtins(self))
        for change in changes:
            path, equals, text = change.partition("=")
            if not equals:
                raise RecipeError(f"a change must be KEY=VALUE, as in training.epochs=5: got {change!r}")
            *sections, key = _full_path(path.strip())
            place = tree
            for section in sections:
                if not isinstance(place.setdefault(section, {}), dict):  # "adam" becomes a table with its first setting
                    place[section] = {"weights" if section == "initializer" else "name": place[section]}
                place = place[section]
            place[key] = _value(text.strip())
        return convert(tree, self.about.name)


SECTIONS: dict[str, type[msgspec.Struct]] = {"about": About, "data": Data, "network": NetworkSpec, "training": Training}
TABLES: dict[str, type[msgspec.Struct]] = {
    "$": Recipe,
    "$.data.split": Split,
    "$.network.initializer": Initial,
    **{f"$.{name}": struct for name, struct in SECTIONS.items()},
}


def parse(text: str, name: str) -> Recipe:
    """A recipe from TOML text; `name` is what messages call it. RecipeError where it is none."""
    dots = max((line.count(".") for line in text.splitlines()), default=0)
    if len(text) > MOST_CHARACTERS or dots > MOST_DOTS:
        wanted = f"at most {MOST_CHARACTERS:,} characters of TOML, and {MOST_DOTS} dots in a line"
        raise RecipeError(f"recipe {name} must be {wanted}: got {len(text):,}, and {dots:,}")
    try:
        tree = tomllib.loads(text)
    except NOT_TOML as error:
        raise RecipeError(f"recipe {name} must be TOML: {error}") from error
    return convert(tree, name)


def convert(tree: dict[str, Any], name: str) -> Recipe:
    """A recipe from nested dicts. RecipeError, naming the key, where one is unknown, missing or of the wrong type."""
    try:
        return msgspec.convert(tree, Recipe)
    except msgspec.ValidationError as error:
        message = str(error)
        unknown = re.search(r"unknown field `(.*?)`(?: - at `(\$[.\w]*)`)?$", message, re.DOTALL)
        if unknown:
            key, place = unknown[1], unknown[2] if unknown[2] in TABLES else "$"
            message = f"there is no key {key!r} in {place}: {closest(key, TABLES[place].__struct_fields__)}"
        raise RecipeError(f"recipe {name}: {message.replace('$.', '').replace('$', 'a recipe')}") from error


def _full_path(path: str) -> list[str]:
    """["training", "epochs"] for "training.epochs" or "epochs"."""
    keys = path.split(".")
    if keys[0] in SECTIONS and len(keys) > 1:
        return keys
    homes = [name for name, struct in SECTIONS.items() if name != "about" and keys[0] in struct.__struct_fields__]
    if len(homes) != 1:
        known = {*SECTIONS, *(key for struct in SECTIONS.values() for key in struct.__struct_fields__)}
        raise RecipeError(f"no setting of a recipe is called {path!r}: {closest(keys[0], known)}")
    return [*homes, *keys]


def _value(text: str) -> Any:
    """A TOML value, or the text itself where it is none: adam stands for "adam"."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except NOT_TOML:
        return text


def _without_none(tree: dict[str, Any]) -> dict[str, Any]:
    """The same nested dicts without the keys whose value is None, for which TOML has no word."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }
