"""What can be written on the command line: a class for each command, whose fields are the options.

help.toml says what each is. Nothing here carries a command out: the help waits for no more than this module.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from typer import Argument, BadParameter, Context, Option

from deltarule.errors import read_tables
from deltarule.settings import NUMBERS

File = Path | None  # what is None unless the command line gives it
Text = str | None
Number = int | None
Texts = list[str] | None

NAMES = {"as_json": "json", "changes": "set", "start": "from", "target_task": "task"}  # where not the field's


@dataclass(eq=False, repr=False, kw_only=True)
class DataOptions:
    """Options for the data that a command works on; they stand behind those of the command."""

    data: Text = None
    target: Text = None
    offline: bool = False
    as_json: bool = False


@dataclass(eq=False, repr=False)
class SubjectOptions(DataOptions):
    """A model or a recipe to look at, and data."""

    name: str
    changes: Texts = None


@dataclass(eq=False, repr=False)
class TrainOptions:
    """What `deltarule train` takes."""

    context: Context = None  # type: ignore[assignment]  # unless a command line gives it
    recipe: Text = None
    data: Text = None
    target: Text = None
    target_task: Literal["classes", "values"] | None = None
    missing: Literal["error", "drop", "mean"] = "error"
    without: Texts = None
    size: Number = None
    seed: int = 0
    epochs: Number = None
    learning_rate: float | None = None
    holdout: int = 0
    engine: str = "auto"
    start: Text = None
    changes: Texts = None
    out: File = None
    run: File = None
    plot: File = None
    checkpoint: File = None
    every_steps: Number = None
    every_seconds: float | None = None
    resume: File = None
    resume_anyway: bool = False
    diagnose: bool = False
    force: bool = False
    offline: bool = False
    as_json: bool = False

    def is_given(self, name: str) -> bool:
        """Whether the command line names an option, be it with its default."""
        source = self.context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"


RECIPE_KEYS = {"epochs": "training.epochs", "learning_rate": "training.schedule.rate"}  # which an option changes
# Which a checkpoint keeps, from where `train --resume` takes them.
KEPT: tuple[str, ...] = ("target", "target_task", "missing", "without", "size", "seed", "holdout", "engine")
KEPT += ("start", "out", "run", "plot", "diagnose")


@dataclass(eq=False, repr=False)
class EvaluateOptions(DataOptions):
    """What `deltarule evaluate` takes."""

    name: str
    plot: File = None
    force: bool = False


@dataclass(eq=False, repr=False)
class PredictOptions:
    """What `deltarule predict` takes."""

    files: list[Path] | None = None
    model: Text = None
    show: bool = False
    kaggle: File = None
    out: File = None
    force: bool = False
    as_json: bool = False


@dataclass(eq=False, repr=False)
class ExplainOptions(SubjectOptions):
    """What `deltarule explain` takes."""

    example: Number = None
    image: File = None
    label: Text = None
    layer: Number = None
    neuron: Number = None
    equation: Text = None


@dataclass(eq=False, repr=False)
class CheckOptions(SubjectOptions):
    """What `deltarule check` takes."""

    run: bool = False
    no_train: bool = False


class GradcheckOptions(SubjectOptions):
    """What `deltarule gradcheck` takes."""


class DiagnoseOptions(SubjectOptions):
    """What `deltarule diagnose` takes."""


@dataclass(eq=False, repr=False)
class PlotOptions(DataOptions):
    """What `deltarule plot` takes."""

    kind: str
    name: Text = None
    out: File = None
    layer: Number = None
    changes: Texts = None
    force: bool = False


@dataclass(eq=False, repr=False)
class PlaygroundOptions:
    """What `deltarule playground` takes."""

    model: str = "pretrained"
    data: Text = None
    port: int = 8000
    no_browser: bool = False
    host: str = "127.0.0.1"
    offline: bool = False


@dataclass(eq=False, repr=False)
class ExportOptions:
    """What `deltarule export` takes."""

    name: str
    onnx: File = None
    npz: File = None
    floats: bool = False
    html: File = None
    data: Text = None
    force: bool = False
    offline: bool = False
    as_json: bool = False


@dataclass(eq=False, repr=False)
class RecipesOptions:
    """What `deltarule recipes` takes."""

    name: Text = None
    changes: Texts = None
    as_json: bool = False


@dataclass(eq=False, repr=False)
class LearnOptions:
    """What `deltarule learn` takes."""

    words: Texts = None
    hint: bool = False
    solution: bool = False
    step: Text = None
    train: bool = False
    watch: bool = False
    secret: Text = None
    student: Text = None
    tests: File = None
    as_json: bool = False


def positive_rate(text: str) -> float:
    """A learning rate from the command line. Raises BadParameter unless it is a number above 0."""
    with suppress(ValueError):
        if 0.0 < float(text) < math.inf:
            return float(text)
    raise BadParameter(f"a learning rate is a number above 0: got {text!r}; use --learning-rate 0.01")


def option_types(command: str, record: type[Any]) -> Iterator[tuple[str, Any]]:
    """Each option of a command, with its type as Typer wants it: with its name, its help and its limits."""
    tables = read_tables("cli/help")
    options, arguments = tables["every"] | tables[command], tables[command].get("arguments", {})
    parsers = {"learning_rate": {"parser": positive_rate}}
    for name, kind in get_type_hints(record).items():
        if name in arguments:
            metavar, says = arguments[name]
            yield name, Annotated[kind, Argument(metavar=metavar, help=says)]
        elif kind is Context:
            yield name, kind
        else:
            row = options[name]
            metavar, says, limits = ("", row, {}) if isinstance(row, str) else (*row, {})[:3]
            more: dict[str, Any] = limits | parsers.get(name, {})
            called = f"--{NAMES.get(name, name).replace('_', '-')}"
            says = says or NUMBERS[name].says
            yield name, Annotated[kind, Option(called, metavar=metavar or None, help=says, **more)]
