"""`deltarule data`: what data there are, where they lie, and whether they are what they should be."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deltarule.cli.help import Command, Group
from deltarule.cli.options import AsJson
from deltarule.cli.printing import entry, in_a_line, print_json, print_text
from deltarule.errors import DataError

if TYPE_CHECKING:
    from deltarule.data.catalog import FileState
    from deltarule.data.dataset import Splits

Name = Annotated[str, typer.Argument(metavar="NAME", help="One that `data list` shows.")]
NameOrPath = Annotated[str, typer.Argument(metavar="DATA", help="A name that `data list` shows, or a path.")]

NOT_HERE = "not here"

app = typer.Typer(cls=Group, no_args_is_help=True, help="List, fetch, describe and verify data.")


@app.command("list", cls=Command)
def show_all(as_json: AsJson = False) -> None:
    """List the data sets that go by a name, and where they are."""
    from deltarule.data.catalog import describe, names

    rows = [{"name": name, "where": where(name), "says": describe(name).says} for name in names()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        print_text(f"{row['name']:<15}{row['where']}")
        print_text(entry("", row["says"], indent=2))


@app.command(cls=Command)
def fetch(name: Name) -> None:
    """Download a data set, unless it is here already."""
    from deltarule.data import catalog

    folder = catalog.fetch(name)
    print_text(f"{name} {'comes with deltarule' if folder is None else f'is in {folder}'}")


@app.command(cls=Command)
def info(data: NameOrPath, as_json: AsJson = False) -> None:
    """Say what data hold, and whose they are; download nothing."""
    from deltarule.data.catalog import describe, load, names

    content: dict[str, Any] = {"name": data}
    if data in names():
        known = describe(data)
        content |= {"says": known.says, "license": known.license, "source": known.citation, "where": where(data)}
    splits = None if content.get("where") == NOT_HERE else load(data, offline=True)
    if splits is not None:
        content |= meaning(splits)
    if as_json:
        print_json(content)
        return
    for key, value in content.items():
        print_text(entry(key.replace("_", " "), in_words(value), indent=17))
    if splits is None:
        print_text(entry("next", f"deltarule data fetch {data}", indent=17))


@app.command(cls=Command)
def verify(name: Name, as_json: AsJson = False) -> None:
    """Compare the files of a data set with their published SHA-256.

    The exit code is 1 unless all of them are here and genuine.
    """
    from deltarule.data import catalog

    states = catalog.verify(name)
    if as_json:
        print_json([{"file": each.name, "genuine": each.path, "wrong": each.passed_over} for each in states])
    elif not states:
        print_text(f"{name} comes with deltarule: there is nothing to verify")
    else:
        print_text("\n".join(in_a_line(line) for state in states for line in state_lines(state)))
    n_genuine = sum(state.path is not None for state in states)
    if n_genuine < len(states):
        raise DataError(
            f"{name}: {len(states)} genuine files were expected: got {n_genuine}; run  deltarule data fetch {name}"
        )


def state_lines(state: "FileState") -> list[str]:
    """Whether a file is here, and what is wrong with others of its name."""
    found = f"missing  {state.name}" if state.path is None else f"genuine  {state.path}"
    return [found, *(f"wrong    {problem}" for problem in state.passed_over)]


def where(name: str) -> str:
    """Where a data set lies, as far as the names of files tell."""
    from deltarule.data.catalog import describe, locate

    if not describe(name).files:
        return "comes with deltarule"
    files = locate(name)
    return str(files[0].parent) if files else NOT_HERE


def meaning(splits: "Splits") -> dict[str, Any]:
    """What examples are made of, and how many there are."""
    import numpy as np

    content: dict[str, Any] = {
        "task": splits.train.task,
        "features": splits.train.n_features,
        "image_shape": splits.train.image_shape,
        "class_names": splits.train.class_names,
    }
    for part, dataset in (("train", splits.train), ("test", splits.test)):
        content[f"{part}_examples"] = 0 if dataset is None else dataset.n_samples
        if dataset is not None and dataset.task == "classes":
            content[f"{part}_per_class"] = np.bincount(dataset.targets, minlength=dataset.n_outputs).tolist()
    return content


def in_words(value: Any) -> str:
    """A value of `data info` for people."""
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else value
