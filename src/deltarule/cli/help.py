"""What `--help` says of a command: its arguments are called what they are called here, and no more.

Newer versions of Typer put braces around them, and the names of Python's types behind them.
"""

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose help is for people who do not know Python. An argument's metavar is the whole of its name."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(each.metavar or "" for each in self.arguments())]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        options = [each.get_help_record(ctx) for each in self.get_params(ctx) if each not in self.arguments()]
        for title, rows in (
            ("Arguments", [(each.metavar, each.help) for each in self.arguments()]),
            ("Options", [row for row in options if row is not None]),
        ):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def arguments(self) -> list[Any]:
        """Its parameters that are no options."""
        return [each for each in self.params if each.param_type_name == "argument"]
