"""`deltarule playground`: a page to draw on, to look inside with, and to watch a network learn."""

import threading
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from deltarule.cli.options import DataName, DataOptions, Offline
from deltarule.cli.printing import entry, note, print_text
from deltarule.errors import DataError, SettingError, ShapeError, require

if TYPE_CHECKING:
    from deltarule.data.dataset import Dataset, Splits
    from deltarule.model import Model

PORT = 8000
LOCAL = ("127.0.0.1", "localhost", "::1")


def playground(
    model: Annotated[
        str, Argument(metavar="[MODEL]", help="A file, or the folder of a run; else the pretrained one.")
    ] = "pretrained",
    data: DataName = None,
    port: Annotated[
        int, Option(min=0, max=65_535, metavar="N", help="Where to serve it; 0 takes any free port.")
    ] = PORT,
    no_browser: Annotated[bool, Option("--no-browser", help="Only print the page's address.")] = False,
    host: Annotated[
        str, Option(metavar="ADDRESS", help="Listen here: others who know the token can then open the page.")
    ] = "127.0.0.1",
    offline: Offline = False,
) -> None:
    """Open a page to draw on, look inside and train.

    Draw a digit and watch every neuron answer; walk the drawing backwards, watch a network learn, see its mistakes.
    Everything stays on this machine: the page is served to it alone.
    """
    for module in ("starlette", "uvicorn", "websockets", "PIL"):
        require(module, "page")
    from deltarule.cli.resolve import load_model
    from deltarule.data.built_in import BUILT_IN
    from deltarule.data.catalog import describe, locate, names
    from deltarule.playground.playground import NetworkView, Playground
    from deltarule.playground.server import Service

    loaded = load_model(model)
    given = NetworkView(loaded, examples_for(loaded, data, offline))
    says = {name: describe(name).says for name in names() if name in BUILT_IN or locate(name)}  # what is here
    datasets = {name: partial(read_once, name) for name in [*says, *([data] if data is not None else [])]}
    service = Service(Playground(given, datasets, says), port, host)
    if host not in LOCAL:
        note(entry("open", "others reach it at this machine's address, and need the token to do anything"))
    print_text(f"The page is at {service.url}  (Ctrl-C ends it)")
    if not no_browser:
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(service.url,), daemon=True).start()
    try:
        service.run()
    except KeyboardInterrupt:
        raise Exit(130) from None


def examples_for(model: "Model", data: str | None, offline: bool) -> dict[str, "Dataset"]:
    """The examples that the page can show, by the name of their part; none where none fit the model.

    data: the user's own. Else they are those that the model was made for, where they are here, or the bundled digits.
    """
    from deltarule.cli.resolve import train_and_test

    for name in [data] if data is not None else [None, "mnist", "digits"]:
        try:
            options = DataOptions(data=name, offline=offline or data is None)
            train, test, _ = train_and_test(model, options)
            model.scaled(train.take(slice(1)))  # raises where they do not fit
        except (DataError, SettingError, ShapeError):
            if data is not None:
                raise
            continue
        if data is None:
            note(entry("data", f"{train.name}, to draw examples from and to find mistakes in"))
        return {"train": train} | ({"test": test} if test is not None else {})
    note(entry("data", "none here fit this network: --data names some"))
    return {}


@cache
def read_once(name: str) -> "Splits":
    """The data of that name, which stay in memory."""
    from deltarule.data.catalog import load

    return load(name, offline=True)
