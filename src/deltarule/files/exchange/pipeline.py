"""What a Pipeline of scikit-learn does before its network, as the columns and the standardization of a Model."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltarule.data.columns import Column, input_names
from deltarule.errors import SettingError, sentence
from deltarule.model import Standardization
from deltarule.nn.arrays import Array

SCALERS: dict[
    str, Callable[[Any], tuple[Any, Any]]
] = {  # by its name, the center and the spread that a scaler subtracts and divides by
    "StandardScaler": lambda scaler: (scaler.mean_, scaler.scale_),
    "RobustScaler": lambda scaler: (scaler.center_, scaler.scale_),
    "MaxAbsScaler": lambda scaler: (None, scaler.scale_),
    "MinMaxScaler": lambda scaler: (-scaler.min_ / scaler.scale_, 1.0 / scaler.scale_),
}


class Preparation(NamedTuple):
    """Columns, and what is subtracted from and divides each number that a network reads of them."""

    columns: tuple[Column, ...]
    center: Array
    spread: Array

    @classmethod
    def of(cls, columns: Sequence[Column]) -> "Preparation":
        """The one that changes nothing."""
        n_inputs = len(input_names(columns))
        return cls(tuple(columns), np.zeros(n_inputs), np.ones(n_inputs))

    @property
    def scaling(self) -> Standardization | None:
        """The standardization; None where it changes nothing."""
        is_plain = not self.center.any() and (self.spread == 1.0).all()
        return None if is_plain else Standardization(self.center, self.spread)


def prepare(step: Any, before: Preparation) -> Preparation:
    """What a fitted step makes of what the steps before it have made.

    Raises SettingError, naming the step, unless it is an imputer, a scaler or a one-hot encoder of columns, or made of
    such.
    """
    name, columns = type(step).__name__, before.columns
    if (isinstance(step, str) and step == "passthrough") or (name == "FunctionTransformer" and step.func is None):
        return before
    if hasattr(step, "steps"):
        for _, each in step.steps:
            before = prepare(each, before)
        return before
    if name == "ColumnTransformer":
        place = {column.name: at for at, column in enumerate(columns)}
        parts = []
        for _, transformer, chosen in step.transformers_:
            if isinstance(transformer, str) and transformer == "drop":
                continue
            names = [chosen] if isinstance(chosen, str) else columns_at(chosen, columns)
            parts.append(prepare(transformer, Preparation.of([columns[place[each]] for each in names])))
        made = tuple(column for part in parts for column in part.columns)
        center, spread = (np.concatenate([part[side] for part in parts]) for side in (1, 2))
        return Preparation(made, center, spread)
    if name == "SimpleImputer" and not step.add_indicator and not any(column.categories for column in columns):
        kept, fills = np.array([each == each for each in step.statistics_]), step.statistics_  # others hold nothing
        fills = fills * before.spread + before.center if fills.dtype.kind == "f" else fills
        filled = tuple(Column(columns[at].name, (), fills[at]) for at in np.flatnonzero(kept))
        return Preparation(filled, before.center[kept], before.spread[kept])
    is_plain = name == "OneHotEncoder" and step.drop is None and not any(map(has_missing, step.categories_))
    if is_plain and not any(each is not None for each in getattr(step, "infrequent_categories_", ())):
        texts = [tuple(map(str, each)) for each in step.categories_]
        return Preparation.of(list(map(text_column, columns, texts)))
    if name in SCALERS and not getattr(step, "clip", False):
        center, spread = SCALERS[name](step)
        center = np.zeros(len(before.center)) if center is None else center
        spread = np.ones(len(before.spread)) if spread is None else spread
        return before._replace(center=before.center + center * before.spread, spread=before.spread * spread)
    raise SettingError(sentence("exchange.step", name=name))


def text_column(column: Column, categories: tuple[str, ...]) -> Column:
    """A column of text, in which a missing cell counts as the text that an imputer put there."""
    if column.fill is None or str(column.fill) not in categories:
        return Column(column.name, categories)
    return Column(column.name, categories, float(categories.index(str(column.fill))), "most_frequent")


def columns_at(chosen: Any, columns: Sequence[Column]) -> list[str]:
    """The names of chosen columns, which are given by name, by number, by a slice or by a mask."""
    if isinstance(chosen, slice):
        return [column.name for column in columns[chosen]]
    listed = list(chosen)
    if all(isinstance(each, bool | np.bool_) for each in listed):
        return [column.name for column, is_chosen in zip(columns, listed, strict=True) if is_chosen]
    return [columns[int(each)].name if isinstance(each, int | np.integer) else str(each) for each in listed]


def has_missing(categories: Array) -> bool:
    """Whether what is missing is a category of its own."""
    return any(each is None or each != each for each in categories)
