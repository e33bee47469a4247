"""The command line: one file a command. Here they are put together."""

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
from deltarule.cli.commands import Command, Group, error_message
from deltarule.cli.data import app as data_commands
from deltarule.cli.printing import doors, note, print_text
from deltarule.errors import DISTRIBUTION

# Each is a function in the module of its name and a class in `options`; `data` has commands of its own.
NAMES = ("train", "evaluate", "predict", "explain", "check", "learn", "plot", "playground", "export", "recipes")
ALIASES = ("gradcheck", "diagnose")  # for parts of `check`, in whose module they are; the help does not list them


def show_version(ctx: typer.Context, wanted: bool) -> None:
    """Print the version, or all that a report of a bug needs, and leave, where that was asked for."""
    if wanted:
        from importlib.metadata import version

        say_all = ctx.params["verbose"]
        print_text(
            import_module("deltarule.cli.version").details() if say_all else f"deltarule {version(DISTRIBUTION)}"
        )
        raise typer.Exit


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True},  # which Group answers
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is shorter, and there in half the time
)


@app.callback()
def describe(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, help="Show the version and exit.")
    ] = False,
    verbose: Annotated[  # read before --version, wherever it stands
        bool, typer.Option("--verbose", is_eager=True, help="With --version: all that a report of a bug needs.")
    ] = False,
) -> None:
    """A neural network you can see through: train it, ask it, look inside."""


def command(name: str) -> Callable[..., None]:
    """The function for Typer: its parameters are the fields of its options, its module loads when it is called."""
    record = getattr(options, f"{name.capitalize()}Options")

    def carry_out(**given: Any) -> None:
        home = "check" if name in ALIASES else name
        getattr(import_module(f"deltarule.cli.{home}"), name)(record(**given))

    carry_out.__doc__ = record.__doc__
    carry_out.__annotations__ = get_type_hints(record, include_extras=True)
    carry_out.__signature__ = inspect.signature(record)  # type: ignore[attr-defined]
    return carry_out


for name in NAMES + ALIASES:
    app.command(name, cls=Command, hidden=name in ALIASES)(command(name))
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
