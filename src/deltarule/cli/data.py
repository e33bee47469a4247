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
    """Say what a data set holds and whose it is. Downloads nothing."""
    from deltarule.data.catalog import describe, load, names

    content: dict[str, Any] = {"name": data}
    if data in names():
        known = describe(data)
        content |= {"says": known.says, "license": known.license, "source": known.citation, "where": where(data)}
    if content.get("where") != NOT_HERE:
        splits = load(data, offline=True)
        content |= described(splits.train) | {"train": counts(splits.train)}
        content |= {"test": counts(splits.test)} if splits.test else {}
    if as_json:
        print_json(content)
    else:
        print_table([{"": key, " ": in_words(value)} for key, value in content.items()])


@app.command()
def verify(name: Name, as_json: AsJson = False) -> None:
    """Compare the files of a data set with their published SHA-256; exit code 1 unless all are here and genuine."""
    from deltarule.data import catalog

    states = catalog.verify(name)
    rows = [
        {"file": each.name, "genuine": str(each.path) if each.path else None, "wrong": list(each.passed_over)}
        for each in states
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table([{key: in_words(value) for key, value in row.items()} for row in rows])
    else:
        typer.echo(f"{name} comes with deltarule: there is nothing to verify")
    missing = [each.name for each in states if each.path is None]
    if missing:
        raise DataError(
            f"{name}: genuine files were expected: got none for {', '.join(missing)}; run  deltarule data fetch {name}"
        )


NOT_HERE = "not here"


def where(name: str) -> str:
    """Where a data set lies, as far as the names of files tell."""
    from deltarule.data.catalog import BUILT_IN, located

    if name in BUILT_IN:
        return "comes with deltarule"
    files = located(name)
    return str(files[0].parent) if files else NOT_HERE


def described(dataset: "Dataset") -> dict[str, Any]:
    """What its examples are made of."""
    return {
        "task": dataset.task,
        "features": dataset.n_features,
        "image_shape": dataset.image_shape,
        "outputs": dataset.class_names,
    }


def counts(dataset: "Dataset") -> dict[str, Any]:
    """How many examples there are, and of which class."""
    import numpy as np

    total: dict[str, Any] = {"examples": dataset.n_samples}
    if dataset.task == "classes":
        total["per_class"] = np.bincount(dataset.targets, minlength=dataset.n_outputs).tolist()
    return total


def in_words(value: Any) -> str:
    """A cell of a table."""
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {in_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "-"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None else str(value)
