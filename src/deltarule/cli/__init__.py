"""The command line: one file per command, put together here."""

import errno
import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from deltarule.cli import options
from deltarule.cli.commands import Command, Group, error_message
from deltarule.cli.printing import doors, note, print_text
from deltarule.errors import DISTRIBUTION

# The commands: `train` is the function cli.train.train with options.TrainOptions, and so on; `data` has subcommands.
NAMES = ("train", "evaluate", "predict", "explain", "check", "learn", "plot", "playground", "export", "recipes")
DATA = {"list": "show_all", "fetch": "fetch", "info": "info", "verify": "verify"}  # {subcommand: function}


def show_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """If --version was given, print the version (with --verbose, all that a bug report needs) and exit."""
    if wanted:
        from importlib.metadata import version

        short = f"deltarule {version(DISTRIBUTION)}"
        print_text(import_module("deltarule.cli.version").details() if ctx.params["verbose"] else short)
        ctx.exit()


def command(name: str, function: str) -> Command:
    """The Command called `name`, which runs `function`; its options class in `options` is named after it."""
    return Command(name, getattr(options, f"{name.capitalize()}Options"), function)


aliases = [Command(name, options.CheckOptions, "check.check", hidden=True) for name in ("gradcheck", "diagnose")]
app = Group(
    commands=[*(command(name, f"{name}.{name}") for name in NAMES), *aliases],
    help="A neural network you can see through: train it, ask it, look inside.",
    params=[  # click reads an eager option first, wherever it stands
        click.Option(["--version"], is_flag=True, callback=show_version, help="Show the version and exit."),
        click.Option(["--verbose"], is_flag=True, is_eager=True, help="With --version: all that a bug report needs."),
    ],
)
data = [command(name, f"data.{function}") for name, function in DATA.items()]
app.add_command(Group("data", commands=data, help="List, fetch, describe and verify data."))


def main() -> None:
    """Run the command line, and exit with its code."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:  # a closed stdin, stdout or stderr becomes os.devnull
        pass
    os.close(descriptor)
    if "_DELTARULE_COMPLETE" in os.environ:  # a shell asks for completions, which are bytes
        app(prog_name="deltarule")
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
            if results.error.errno != errno.EPIPE:  # a reader that left, as in `| head`, needs no message
                note(f"Error: the results could not be printed: {error_message(results.error)}")
    sys.exit(code)
