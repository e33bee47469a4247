"""Options: those that commands share, and those of `train`, which the modules that carry out a run share."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_type_hints

from typer import Argument, BadParameter, Context, Option

from deltarule.settings import SETTINGS

T = TypeVar("T")

ModelName = Annotated[str, Argument(metavar="MODEL", help="A file, the folder of a run, or pretrained.")]
ModelOrRecipe = Annotated[
    str, Argument(metavar="MODEL|RECIPE", help="A file, the folder of a run, pretrained, or a recipe.")
]
DataName = Annotated[
    str | None, Option("--data", metavar="DATA", help="A name that `data list` shows, or a file or folder of your own.")
]
Target = Annotated[str | None, Option(metavar="COLUMN", help="For a CSV that is a table: the column to learn.")]
Changes = Annotated[
    list[str] | None, Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe; may be repeated.")
]
Offline = Annotated[bool, Option("--offline", help="Never download anything.")]
AsJson = Annotated[bool, Option("--json", help="Print one JSON value on stdout and nothing else.")]
Force = Annotated[bool, Option("--force", help="Replace any file but an input of this command.")]


def with_options(record: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Make a function of one dataclass into one of its fields, which Typer turns into arguments and options.

    >>> @dataclass
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> @with_options(Point)
    ... def show(point):
    ...     print(point)
    >>> show(x=1)
    Point(x=1, y=0)
    """

    def decorate(function: Callable[[T], None]) -> Callable[..., None]:
        def command(**fields: object) -> None:
            function(record(**fields))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__annotations__ = get_type_hints(record, include_extras=True)
        command.__signature__ = inspect.signature(record)  # type: ignore[attr-defined]
        return command

    return decorate


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DataOptions:
    """Options for the data that a command works on; they stand behind those of the command."""

    data: DataName = None
    target: Target = None
    offline: Offline = False
    as_json: AsJson = False


@dataclass(frozen=True, eq=False, repr=False)
class SubjectOptions(DataOptions):
    """A model or a recipe to look at, and data."""

    name: ModelOrRecipe
    changes: Changes = None


KEPT = "kept"  # marks the options that a checkpoint keeps, from where `train --resume` takes them


class RecipeKey(str):
    """Marks an option that changes this key of the recipe, with which it is kept."""

    __slots__ = ()


def positive_rate(text: str) -> float:
    """A learning rate from the command line. Raises BadParameter unless it is a number above 0."""
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise BadParameter(f"a learning rate is a number above 0: got {text!r}; use --learning-rate 0.01")
    return rate


@dataclass(frozen=True, eq=False, repr=False)
class TrainOptions:
    """The options of `deltarule train`, each with the mark that says what it changes or that it is kept."""

    context: Context = None  # type: ignore[assignment]  # unless a command line gives it
    recipe: Annotated[
        str | None, Argument(metavar="[RECIPE]", help="A name that `recipes` lists, a TOML file, or a run's folder.")
    ] = None
    data: DataName = None
    target: Annotated[Target, KEPT] = None
    target_task: Annotated[
        Literal["classes", "values"] | None, Option("--task", help="What the target is; else a guess, printed."), KEPT
    ] = None
    missing: Annotated[
        Literal["error", "drop", "mean"], Option(help="Rows that lack a cell: refuse, leave out, or fill in."), KEPT
    ] = "error"
    without: Annotated[
        list[str] | None, Option(metavar="COLUMN", help="Leave a column out; may be repeated."), KEPT
    ] = None
    size: Annotated[
        int | None, Option(min=1, max=1024, metavar="N", help="Bring a folder's images to N x N pixels."), KEPT
    ] = None
    seed: Annotated[int, Option(min=0, metavar="N", help=SETTINGS["seed"].says), KEPT] = 0
    epochs: Annotated[
        int | None,
        Option(min=1, metavar="N", help=f"{SETTINGS['epochs'].says[:-1]}, instead of the recipe's."),
        RecipeKey("training.epochs"),
    ] = None
    learning_rate: Annotated[
        float | None,
        Option(metavar="R", parser=positive_rate, help="The schedule's highest or only rate."),
        RecipeKey("training.schedule.rate"),
    ] = None
    holdout: Annotated[int, Option(min=0, metavar="N", help=SETTINGS["holdout"].says), KEPT] = 0
    engine: Annotated[str, Option(metavar="NAME", help="numpy, numba, or auto: numba if worth it."), KEPT] = "auto"
    start: Annotated[str | None, Option("--from", metavar="MODEL", help="Start from its weights."), KEPT] = None
    changes: Changes = None
    out: Annotated[
        Path | None, Option(metavar="FILE", help="Where to save the model; else model.safetensors, in --run."), KEPT
    ] = None
    run: Annotated[Path | None, Option(metavar="DIR", help="Keep all about the run here, for `plot`."), KEPT] = None
    plot: Annotated[
        Path | None, Option(metavar="FILE", help="Draw loss and accuracy by epoch: .png, .svg or .pdf."), KEPT
    ] = None
    checkpoint: Annotated[Path | None, Option(metavar="DIR", help="Keep where the run stands, once a minute.")] = None
    every_steps: Annotated[int | None, Option(min=1, metavar="N", help="Keep it after every N steps instead.")] = None
    every_seconds: Annotated[float | None, Option(min=0.01, metavar="S", help="Or every S seconds.")] = None
    resume: Annotated[Path | None, Option(metavar="DIR", help="Go on with the run of these checkpoints.")] = None
    resume_anyway: Annotated[bool, Option("--resume-anyway", help="Even if settings or data differ.")] = False
    diagnose: Annotated[bool, Option("--diagnose", help="Look for what keeps it from learning."), KEPT] = False
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False

    def is_given(self, name: str) -> bool:
        """Whether the command line names an option, be it with its default."""
        source = self.context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"


RECIPE_KEYS = {  # of the recipe, by the name of the option that changes them
    each.name: mark
    for each in fields(TrainOptions)
    for mark in getattr(each.type, "__metadata__", ())
    if isinstance(mark, RecipeKey)
}
