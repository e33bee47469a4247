"""Options that several commands share, and how one record can stand for many of them."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

T = TypeVar("T")

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A file, the folder of a run, or pretrained.")]
ModelOrRecipe = Annotated[
    str, typer.Argument(metavar="MODEL|RECIPE", help="A file, the folder of a run, pretrained, or a recipe.")
]
DataName = Annotated[
    str | None,
    typer.Option("--data", metavar="DATA", help="A name that `data list` shows, or a file or folder of your own."),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="For a CSV that is a table: the column to learn."),
]
TargetTask = Annotated[
    Literal["classes", "values"] | None,
    typer.Option("--task", help="With --target: what its cells are; else a guess, which is printed."),
]
MissingCells = Annotated[
    Literal["error", "drop", "mean"],
    typer.Option("--missing", help="Rows that lack a cell: refuse, leave out, or fill in."),
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="COLUMN", help="Leave a column out; may be given many times."),
]
Size = Annotated[
    int | None,
    typer.Option(min=1, max=1024, metavar="N", help="Bring a folder's images of any size to N x N pixels."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe; may be given many times."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never download anything.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace any file but an input of this command.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to: .png, .svg or .pdf.")]


def taken_apart(record: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Make a function of one dataclass into one of its fields, which Typer turns into arguments and options.

    >>> @dataclass
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> @taken_apart(Point)
    ... def show(point):
    ...     print(point)
    >>> show(x=1)
    Point(x=1, y=0)
    """

    def decorate(function: Callable[[T], None]) -> Callable[..., None]:
        def command(**fields: object) -> None:
            function(record(**fields))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__annotations__ = inspect.get_annotations(record)
        command.__signature__ = inspect.signature(record)  # type: ignore[attr-defined]
        return command

    return decorate
