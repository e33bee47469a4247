"""`deltarule data`: what data there are, where they lie, and whether they are what they should be."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.options import AsJson
from deltarule.cli.output import print_json, print_table
from deltarule.errors import DataError

if TYPE_CHECKING:
    from deltarule.data.dataset import Dataset

Name = Annotated[str, typer.Argument(metavar="NAME", help="One that `data list` shows.")]
NameOrPath = Annotated[str, typer.Argument(metavar="DATA", help="A name that `data list` shows, or a path.")]

app = typer.Typer(no_args_is_help=True, help="List, fetch, describe and verify data.")


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the data sets that go by a name, and where they are."""
    from deltarule.data.catalog import describe, names

    rows = [{"name": name, "where": where(name), "what": describe(name).says} for name in names()]
    print_json(rows) if as_json else print_table(rows)


@app.command()
def fetch(name: Name) -> None:
    """Download a data set, unless it is here already."""
    from deltarule.data import catalog

    folder = catalog.fetch(name)
    typer.echo(f"{name} {'comes with deltarule' if folder is None else f'is in {folder}'}")


@app.command()
def info(data: NameOrPath, as_json: AsJson = False) -> None:
    """Say what a data set holds, whose it is, and under which license. Downloads nothing."""
    from deltarule.data.catalog import describe, load, names

    known = describe(data) if data in names() else None
    origin = {key: getattr(known, key) for key in ("says", "license", "citation")} if known else {}
    splits = load(data, offline=True)
    parts = {"train": splits.train} | ({"test": splits.test} if splits.test else {})
    content = {"name": data} | origin | meaning(splits.train) | {part: counts(each) for part, each in parts.items()}
    if as_json:
        print_json(content)
        return
    ...


@app.command()
def verify(name: Name, as_json: AsJson = False) -> None:
    """Compare the files of a data set with their published SHA-256."""
    from deltarule.data import catalog

    states = catalog.verify(name)
    rows = [{"file": each.name, "path": each.path and str(each.path), "wrong": list(each.passed_over)} for each in states]
    ...
