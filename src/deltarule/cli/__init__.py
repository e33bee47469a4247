"""The command line: one file a command. Here they are put together, and errors become exit codes."""

import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deltarule.cli.data import app as data
from deltarule.cli.diagnose import diagnose
from deltarule.cli.evaluate import evaluate
from deltarule.cli.explain import explain
from deltarule.cli.export import export
from deltarule.cli.gradcheck import gradcheck
from deltarule.cli.help import Command
from deltarule.cli.playground import playground
from deltarule.cli.plot import plot
from deltarule.cli.predict import predict
from deltarule.cli.recipes import recipes
from deltarule.cli.train import train
from deltarule.errors import DISTRIBUTION, DeltaruleError, SettingError, ShapeError

WRONG_USE = (SettingError, ShapeError)  # exit code 2: ask otherwise. Any other error of ours is 1: the job failed


class Commands(TyperGroup):
    """The commands. What goes wrong in one becomes a paragraph on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that has gone, as in `| head`, shows here, where Typer leaves quietly
        except (DeltaruleError, MemoryError) as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, WRONG_USE) else 1) from error
        return result


def show_version(wanted: bool) -> None:
    """Print the version and leave, where that was asked for."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"deltarule {version(DISTRIBUTION)}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is shorter, and there in half the time
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A neural network you can see through: train it, ask it, look inside."""


for command in (train, evaluate, predict, explain, gradcheck, diagnose, plot, playground, export, recipes):
    app.command(cls=Command)(command)
app.add_typer(data, name="data")


def main() -> None:
    """Carry out what the command line says, and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a class may have a name that the terminal cannot show
    app(prog_name="deltarule")
