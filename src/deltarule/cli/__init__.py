"""The command line: one file a command. Here they are put together, and errors become exit codes."""

import errno
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any, get_type_hints

import typer

from deltarule.cli import options
from deltarule.cli.data import app as data_commands
from deltarule.cli.help import Command, Group
from deltarule.cli.printing import doors, note, paragraph, print_text
from deltarule.errors import DISTRIBUTION, DeltaruleError, SettingError, ShapeError

# Each is a function in the module of its name and a class in `options`; `data` has commands of its own.
COMMANDS = (
    *("train", "evaluate", "predict", "explain", "gradcheck", "diagnose"),
    *("plot", "playground", "export", "recipes"),
)
# Exit code 2: ask otherwise, as after an option, a name or a file of a kind that is not read. Any other error of ours
# is 1: the job failed, as after a damaged file.
WRONG_USE = (SettingError, ShapeError)


class Commands(Group):
    """The commands. What goes wrong in one becomes a paragraph on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (DeltaruleError, OSError, MemoryError) as error:
            note(paragraph(f"Error: {error_message(error)}"))
            raise typer.Exit(2 if isinstance(error, WRONG_USE) else 1) from error


def error_message(error: BaseException) -> str:
    """What went wrong, for people; an error of the system says which file it is about."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DeltaruleError):
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    words = str(error).replace("force=True", "--force")  # what a program passes is an option here
    return words or ("there is not enough memory" if isinstance(error, MemoryError) else type(error).__name__)


def show_version(wanted: bool) -> None:
    """Print the version and leave, where that was asked for."""
    if wanted:
        from importlib.metadata import version

        print_text(f"deltarule {version(DISTRIBUTION)}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is shorter, and there in half the time
)


@app.callback()
def describe(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A neural network you can see through: train it, ask it, look inside."""


def command(name: str) -> Callable[..., None]:
    """The function for Typer: its parameters are the fields of its options, its module loads when it is called."""
    record = getattr(options, f"{name.capitalize()}Options")

    def carry_out(**given: Any) -> None:
        getattr(import_module(f"deltarule.cli.{name}"), name)(record(**given))

    carry_out.__doc__ = record.__doc__
    carry_out.__annotations__ = get_type_hints(record, include_extras=True)
    carry_out.__signature__ = inspect.signature(record)  # type: ignore[attr-defined]
    return carry_out


for name in COMMANDS:
    app.command(name, cls=Command)(command(name))
app.add_typer(data_commands, name="data")


def main() -> None:
    """Carry out what the command line says, and leave with its exit code."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:  # else the next file would be taken for a closed stream
        pass
    os.close(descriptor)
    code: Any = 1
    with doors() as results:
        try:
            app(prog_name="deltarule")
        except SystemExit as stop:
            code = stop.code
        except Exception:
            traceback.print_exc()
        if results.error is not None:
            code = code or 1
            if results.error.errno != errno.EPIPE:  # a reader that has left, as in `| head`, knows
                note(f"Error: the results could not be printed: {error_message(results.error)}")
    sys.exit(code)
