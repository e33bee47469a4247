"""The settings: each is declared once, here or in settings.toml.

The constructors of Network and of its parts, `fit` and Trainer, recipes, the estimators, the page and `--help` take
a setting's type, range, default and description from its declaration. `check` raises the error for an illegal value.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from inspect import signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from deltarule.errors import LOG, SettingError, ShapeError, closest, read_tables, sentence

if TYPE_CHECKING:
    import numpy as np

Task = Literal["classes", "labels", "values"]
TASKS: tuple[Task, ...] = get_args(Task)
TASK_SYNONYMS = {"classification": "classes", "multiclass": "classes", "multilabel": "labels", "multi_label": "labels"}
TASK_SYNONYMS |= {"binary": "labels", "regression": "values"}
DTYPES = ("float32", "float64", "complex128")
ENGINES = ("auto", "numpy", "native")
MODES = ("auto", "min", "max")
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories: control, format, surrogate, line and paragraph separator
BatchSize = int | Literal["full"] | None


class Setting(NamedTuple):
    """The declaration of one setting.

    kind: int or float. within: its range, as in mathematics: "[0, 1)" is at least 0 and less than 1.
    default: its value if none is given; None if it must be given, or if None means off.
    says: what it is, in a sentence. example: a value that works, if the default does not show one.
    unit: the unit of the range. or_else: what else is legal, in words; None is legal if they contain "None".
    up_to: another setting of the same object; if its value is the smaller one, the two were probably swapped.
    """

    kind: type[int] | type[float]
    within: str
    default: float | None = None
    says: str = ""
    example: float | None = None
    unit: str = ""
    or_else: str = ""
    up_to: str = ""

    @property
    def low(self) -> float:
        """The lower end of the range; it is legal itself unless `is_open`."""
        return float(self.within[1:].partition(",")[0])

    @property
    def high(self) -> float:
        """The upper end of the range; it is never legal itself."""
        return float(self.within[:-1].partition(",")[2])

    @property
    def is_open(self) -> bool:
        """Whether the lowest number itself is not legal."""
        return self.within[0] == "("

    def holds(self, value: float) -> bool:
        """Whether a number is in the range."""
        return bool((self.low < value if self.is_open else self.low <= value) and value < self.high)

    def accepts(self, value: Any) -> bool:
        """Whether a value is legal: a number of the right kind in the range, or None if `or_else` allows it."""
        if value is None:
            return "None" in self.or_else
        is_right_kind = isinstance(value, Integral if self.kind is int else Real) and not isinstance(value, bool)
        return is_right_kind and self.holds(value)

    @property
    def range_in_words(self) -> str:
        """The range in words for messages, as in "at least 0 and less than 1"."""
        unit = f" {self.unit}" if self.unit else ""
        if self.high < math.inf and self.kind is int:
            return f"{self.low:g} to {self.high - 1:g}{unit}"
        if self.high < math.inf:
            return f"{'above' if self.is_open else 'at least'} {self.low:g} and less than {self.high:g}{unit}"
        if self.low == -math.inf:
            return "finite"
        low = f"above {self.low:g}{unit}" if self.is_open else f"{self.low:g}{unit} or more"
        return f"{low} and finite" if self.kind is float else low

    def like(self, value: Any) -> Any:
        """The legal value that was probably meant: 0.1 for "0.1", 1000 for "1,000", 0.5 for 50 percent."""
        if str(value) == "-1" and '"full"' in self.or_else:
            return '"full"'
        try:
            text = str(value).replace(",", "") if self.kind is int else value
            number = math.nan if isinstance(value, bool) else float(text)
        except (TypeError, ValueError):
            number = math.nan
        least = 50.0 if (self.default or self.example or 0.0) > 0.5 else 2.0  # for percent: 10 cannot mean 0.999
        for near in (number, number / 100 if number >= least and self.kind is float else -number):
            if math.isfinite(near) and self.holds(near) and (self.kind is float or near == int(near)):
                return self.kind(near)
        return self.default if self.example is None else self.example


def number(*declared: Any, **more: Any) -> Any:
    """A dataclass field with the range, default and description of Setting(*declared, **more)."""
    asked = Setting(*declared, **more)
    return field(default=asked.default, metadata={"setting": asked})


@dataclass(kw_only=True)
class TrainingNumbers:
    """The settings of a run that are numbers, for `fit`, Trainer and a recipe's [training]."""

    epochs: int = number(int, "[0, inf)", 10, "Passes over the training data.")
    batch_size: BatchSize = number(
        int, "[1, inf)", 128, "Samples a step.", or_else='or "full" or None for all samples at once'
    )
    seed: int = number(int, "[0, inf)", 0, "The same seed gives the same network.")


# The settings for `deltarule --help`, declared here so that it need not read settings.toml.
NUMBERS: dict[str, Setting] = {each.name: each.metadata["setting"] for each in fields(TrainingNumbers)}
HELD_OUT = "Keep the last N training examples aside, to choose the best epoch by."
NUMBERS["holdout"] = Setting(int, "[0, inf)", 0, HELD_OUT, 10_000)


@cache
def all_settings() -> dict[str, Setting]:
    """Every declared setting, by its key: "NAME", or "OWNER.NAME" for a setting of one class or function."""
    rows = read_tables("settings").items()
    return NUMBERS | {name: Setting(**row | {"kind": float if row["kind"] == "float" else int}) for name, row in rows}


def setting(name: str, owner: type[Any] | str = "") -> Setting | None:
    """The Setting of that name; owner: the class, or a name, whose own declaration comes first. None if undeclared."""
    owners = [kind.__name__ for kind in owner.__mro__] if isinstance(owner, type) else [owner]
    known = all_settings()
    return next((known[key] for each in owners if (key := f"{each}.{name}") in known), known.get(name))


def check(name: str, value: Any, owner: type[Any] | str = "", *, note: str = "", thing: Any = None) -> None:
    """Raise SettingError unless `value` is legal for the setting.

    note: text after the value in the message. thing: the object with this setting, to see if two values were swapped.
    """
    asked = setting(name, owner) or Setting(float, "(-inf, inf)", 1.0)
    if asked.accepts(value):
        return
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    noun = "a whole number, " if asked.kind is int else "" if is_number else "a number, "
    owner = owner.__name__ if isinstance(owner, type) else owner
    label = f"{name} of {owner}" if owner else name
    needed = ", ".join(filter(None, [f"{noun}{asked.range_in_words}", asked.or_else]))
    in_order = _call_in_order(thing, name, asked) if asked.kind is int and thing is not None else ""
    raise setting_error(label, needed, value, in_order or f"{name}={asked.like(value)}", note)


def _call_in_order(thing: Any, name: str, asked: Setting) -> str:
    """The call with this argument and another swapped, if both are then legal, as for Cosine(1000, 0.1); else ""."""
    kind, wrong = type(thing), getattr(thing, name)
    for other in (each.name for each in fields(kind) if each.init):
        takes, value = setting(other, kind) if other in setting_names(kind) else None, getattr(thing, other)
        if asked.accepts(value) and (takes.accepts(wrong) if takes else not isinstance(wrong, Real)):
            return source_text(thing, **{name: value, other: wrong})
    return ""


def source_text(thing: Any, **others: Any) -> str:
    """A part as a program writes it: ReLU(), LeakyReLU(slope=0.1), Tanh(initializer=lecun_normal).

    others: {setting: value to write instead of the part's own}.
    """
    shown = [each for each in fields(thing) if each.init and each.repr]
    given = ((each, others.get(each.name, getattr(thing, each.name))) for each in shown)
    changed = ((each.name, getattr(value, "__name__", value)) for each, value in given if value != each.default)
    return f"{type(thing).__name__}({', '.join(f'{name}={value}' for name, value in changed)})"


def setting_error(name: str, needed: str, value: Any, line: str, note: str = "") -> SettingError:
    """The error for an illegal value: what is needed, what was passed, with a note, and a line that works."""
    return SettingError(f"{name} must be {needed}: got {brief(value)}{note}; use {line}")


def check_settings(thing: Any) -> None:
    """Raise SettingError unless all numbers of a dataclass are legal; log a warning for two that look swapped."""
    for name in setting_names(type(thing)):
        check(name, value := getattr(thing, name), type(thing), thing=thing)
        other = getattr(thing, asked.up_to, None) if (asked := setting(name, type(thing))) else None
        if asked and isinstance(other, Real) and value > other:
            line = source_text(thing, **{name: other, asked.up_to: value})
            LOG.warning(sentence("settings.swapped", thing=thing, name=name, other=asked.up_to, line=line))


def setting_names(kind: type[Any]) -> tuple[str, ...]:
    """The settings of a class: the numbers among the fields that its constructor takes."""
    return tuple(each.name for each in fields(kind) if each.init and each.type in (int, float))


def check_choice(what: str, value: Any, choices: tuple[str, ...], synonyms: Mapping[str, str] | None = None) -> None:
    """Raise SettingError, with the closest name, unless `value` is one of `choices`; what: its kind in the message."""
    if not (isinstance(value, str) and value in choices):
        raise SettingError(f"no {what} is called {brief(value)}: {closest(str(value), choices, synonyms or {})}")


def check_flag(name: str, value: Any) -> None:
    """Raise SettingError unless `value` is True, False or None."""
    if value is not None and type(value).__name__ not in ("bool", "bool_"):
        is_off = not value or str(value).casefold() in ("no", "off", "false")
        raise setting_error(name, "True or False", value, f"{name}={not is_off}")


def check_meaning(
    *, task: Any = None, pixels: Any = False, class_names: Any = None, image_shape: Any = None, **others: Any
) -> None:
    """Raise SettingError unless these attributes of a network are of the right type; `others` are not checked."""
    if is_row(task):
        raise setting_error("task", f"one of {', '.join(TASKS)}", task, f"class_names={list(task)}")
    if task is not None:
        check_choice("task", task, TASKS, TASK_SYNONYMS)
    check_flag("pixels", pixels)
    if class_names is not None and not (is_row(class_names) and all(isinstance(each, str) for each in class_names)):
        values = class_names.values() if isinstance(class_names, dict) else class_names
        names = list(map(str, values)) if isinstance(values, Iterable) else ["a", "b"]
        raise setting_error("class_names", "a list of names, one for each output", class_names, f"class_names={names}")
    is_pair = isinstance(image_shape, tuple | list) and len(image_shape) == 2
    if image_shape is not None and not (is_pair and all(isinstance(each, Integral) for each in image_shape)):
        height = image_shape if isinstance(image_shape, int) and image_shape > 0 else 28
        height = root if (root := math.isqrt(height)) ** 2 == height and root > 6 else height  # of pixels in all
        raise setting_error("image_shape", "(height, width)", image_shape, f"image_shape=({height}, {height})")


def sizes_of(layer_sizes: Sequence[int]) -> tuple[int, ...]:
    """Layer sizes as a tuple of ints; ShapeError unless they are two or more whole numbers of at least 1."""
    sizes = tuple(layer_sizes) if is_row(layer_sizes) else ()
    whole = [isinstance(size, Integral) and not isinstance(size, bool) and size >= 1 for size in sizes]
    if len(sizes) < 2 or not all(whole):
        names, numbers = ([each for each in sizes if isinstance(each, kind)] for kind in (str, Integral))
        line = f'({", ".join(map(str, numbers))}), hidden="{names[0]}", output="{names[-1]}"' if names[1:] else ""
        line = f"; use Network({line}), the sizes first" if line and len(numbers) > 1 else ""
        raise ShapeError(sentence("settings.layer_sizes", given=brief(layer_sizes)) + line)
    return tuple(int(size) for size in sizes)


def is_row(given: Any) -> bool:
    """Whether `given` is a sequence or an array of one dimension, but neither a string nor a dict."""
    return getattr(given, "ndim", 0) == 1 or (isinstance(given, Sequence) and not isinstance(given, str | bytes))


def share_of(given: Any, name: str) -> Any:
    """`given` as a float. SettingError unless it is a legal dropout, a share of neurons in [0, 1)."""
    check("dropout", given)
    return float(given)


def one_per_layer(
    name: str, given: Any, n_hidden: int, check_one: Callable[[Any, str], Any] = share_of
) -> tuple[Any, ...]:
    """A tuple of `n_hidden` checked values, one per layer: `given` repeated, or its elements if it is a sequence."""
    row = given if is_row(given) else [given]
    if name == "hidden" and len(row) and all(isinstance(each, Integral) for each in row):
        line = f"Network((784, {', '.join(map(str, row))}, 10))"
        raise setting_error(name, "an activation or its name", given, line)
    if not is_row(given):
        checked = check_one(given, name)
        if name == "dropout" and checked and not n_hidden:
            LOG.warning(sentence("settings.no_hidden", given=given))
        return (checked,) * n_hidden
    found = tuple(check_one(each, f"{name}[{i}]") for i, each in enumerate(given))
    if len(found) != n_hidden:
        line = f"use one alone, or {n_hidden} of them"
        if len(found) == n_hidden + 1:
            own = 'its own: use output="softmax"' if name == "hidden" else f"no {name}"
            line = f"the last layer has {own}"
        layers = "layers" if name == "activations" else "hidden layers"
        raise SettingError(f"{name} is one for all {layers} or one for each of {n_hidden}: got {len(found)}; {line}")
    return found


def dtype_of(dtype: Any) -> "np.dtype[Any]":
    """`dtype` as a NumPy dtype. SettingError unless it is one of DTYPES."""
    import numpy as np  # here, since `deltarule --help` reads NUMBERS and must not wait for NumPy

    found = None
    with suppress(TypeError):
        found = None if dtype is None else np.dtype(dtype)
    if found is None or found.name not in DTYPES:
        raise SettingError(sentence("settings.dtype", given=brief(dtype) if found is None else found))
    return found


def generator_of(rng: Any) -> "np.random.Generator":
    """A NumPy generator, from a generator or a seed. SettingError for anything else."""
    import numpy as np

    with suppress(TypeError, ValueError):
        if not isinstance(rng, bool):
            return np.random.default_rng(rng)
    raise setting_error("rng", "a generator or a seed, a whole number, 0 or more", rng, "rng=0")


def check_call(name: str, function: Callable[..., Any], takes: Iterable[str], line: str, **by_name: Any) -> None:
    """Raise SettingError unless a user's function accepts `takes` by position and `by_name` by name; name: its name."""
    try:
        signature(function).bind(*takes, **by_name)
    except (TypeError, ValueError) as error:
        given = ", ".join([*takes, *by_name])
        raise SettingError(f"{name} is called with ({given}): {error}; use {line}({given})") from error


def check_path(name: str, value: Any) -> None:
    """Raise SettingError unless `value` is a path."""
    if not isinstance(value, str | os.PathLike):
        raise setting_error(name, "a path", value, f'a text, as in {name.split()[0]}="kept"')


def brief(value: Any) -> str:
    """The text that shows a value in a message: a number or a string as it is, anything large by its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    is_list = isinstance(value, list | tuple | dict)
    if is_list and (any(hasattr(each, "shape") for each in value) or "array(" in repr(value)):
        return f"{with_article(type(value).__name__)} of {len(value)}"
    if isinstance(value, bool | str | list | tuple | dict | bytes) or value is None:
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, Real):
        return f"{value}"
    if hasattr(value, "shape"):
        return f"{'a DataFrame' if hasattr(value, 'columns') else 'an array'} of shape {value.shape}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}"
    return with_article(type(value).__name__)


def visible(text: str) -> str:
    r"""The text with control, format and bidirectional characters written as escapes; newlines stay.

    >>> print(visible("a\x1b[2Jb\u202ec\rd"))
    a\x1b[2Jb\u202ec\rd
    """
    if text.replace("\n", "").isprintable():
        return text
    from unicodedata import category

    return "".join(_escape(each) if each != "\n" and category(each) in HIDDEN else each for each in text)


def _escape(character: str) -> str:
    escape = character.encode("unicode_escape").decode()
    return escape.replace("\\x", "\\u00") if character > "\x7f" else escape  # as TOML and JSON read it


def in_a_line(text: str) -> str:
    """The text in one line: newlines, control and bidirectional characters are written as escapes."""
    return visible(text).replace("\n", "\\n")


def with_article(kind: str) -> str:
    """The name of a kind with its article: a Network, an Adam."""
    return f"an {kind}" if kind[0] in "aeiouAEIO" else f"a {kind}"
