"""`deltarule train`: what it can be asked. `training.py` carries it out."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deltarule.cli.options import (
    AsJson,
    Changes,
    DataName,
    Force,
    MissingCells,
    Offline,
    Size,
    Target,
    TargetTask,
    Without,
    taken_apart,
)
from deltarule.settings import SETTINGS

READING = ("target", "target_task", "missing", "without", "size")  # the options that say how a file or folder is read


def a_rate(text: str) -> float:
    """A learning rate from the command line; refused, with one that is right, where it is not a number above 0."""
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise typer.BadParameter(f"a learning rate is a number above 0: got {text!r}; use --learning-rate 0.01")
    return rate


@dataclass(frozen=True, eq=False, repr=False)
class TrainOptions:
    """What `deltarule train` was asked for."""

    context: typer.Context
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="[RECIPE]", help="A name that `recipes` lists, a TOML file, or a run's folder."),
    ] = None
    data: DataName = None
    target: Target = None
    target_task: TargetTask = None
    missing: MissingCells = "error"
    without: Without = None
    size: Size = None
    seed: Annotated[int, typer.Option(min=0, metavar="N", help=SETTINGS["seed"].says)] = 0
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help=f"{SETTINGS['epochs'].says[:-1]}, instead of the recipe's.")
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            parser=a_rate,
            help="How far a step goes, times the gradient: the schedule's highest or only rate.",
        ),
    ] = None
    holdout: Annotated[
        int,
        typer.Option(min=0, metavar="N", help=SETTINGS["holdout"].says),
    ] = 0
    engine: Annotated[
        str,
        typer.Option(metavar="NAME", help="What computes: numpy, numba, or auto: numba if worth it."),
    ] = "auto"
    start: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="Go on from this model, not from random weights.")
    ] = None
    changes: Changes = None
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to save the model; else model.safetensors, in DIR of --run."),
    ] = None
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep everything about the run here: `plot` draws it.")
    ] = None
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw loss and accuracy by epoch: .png, .svg or .pdf.")
    ] = None
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep where the run stands here, once a minute.")
    ] = None
    every_steps: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Keep it after every N steps instead.")
    ] = None
    every_seconds: Annotated[
        float | None, typer.Option(min=0.01, metavar="S", help="Keep it every S seconds instead.")
    ] = None
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run that keeps its checkpoints there.")
    ] = None
    resume_anyway: Annotated[
        bool, typer.Option("--resume-anyway", help="With --resume: even if settings or data differ.")
    ] = False
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Look for what keeps it from learning, and say what is found.")
    ] = False
    force: Force = False
    offline: Offline = False
    as_json: AsJson = False

    def is_given(self, name: str) -> bool:
        """Whether the command line names an option, be it with its default."""
        source = self.context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"


@taken_apart(TrainOptions)
def train(options: TrainOptions) -> None:
    """Train a network, save it, and test it on new examples.

    With nothing else: the recipe `default` on MNIST's 60,000 handwritten digits, in a minute or less.

    \b
    Examples:
      deltarule train quick --epochs 2 --out quick.safetensors
      deltarule train --learning-rate 0.003 --set network.hidden=100,50
      deltarule train --data houses.csv --target price --missing mean
      deltarule train --data pictures --size 28 --run kept
    """  # noqa: D301 - a backspace is what keeps the lines below it apart
    from deltarule.cli.training import carry_out

    carry_out(options)
