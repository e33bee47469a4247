"""`deltarule playground`: a page to draw on, look inside a network, and watch one learn."""

import ctypes
import sys
import threading
import webbrowser
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from deltarule.cli.export import export
from deltarule.cli.interrupts import handle_interrupts
from deltarule.cli.learn import show_epoch
from deltarule.cli.options import DataOptions, ExportOptions, PlaygroundOptions
from deltarule.cli.printing import print_text, tell
from deltarule.cli.resolve import load_model, train_and_test
from deltarule.data.built_in import BUILT_IN
from deltarule.data.catalog import load, locate
from deltarule.data.dataset import Dataset
from deltarule.data.sources import SOURCES
from deltarule.errors import DataError, SettingError, ShapeError, require
from deltarule.learn.lessons.milestones import attain_again
from deltarule.learn.lessons.worker import Worker
from deltarule.model import Model
from deltarule.playground.playground import NetworkView, Playground

ONE_ARENA = -8  # M_ARENA_MAX of malloc.h


def playground(options: PlaygroundOptions) -> None:
    """Serve the page until Ctrl-C, and open it in a browser; or write it as one file, as `deltarule export` does."""
    if options.learn is not None and (options.html is not None or options.model != PlaygroundOptions.model):
        raise SettingError("--learn serves your own network: leave out MODEL and --html")
    if options.html is not None:
        export(ExportOptions(name=options.model, html=options.html, data=options.data, offline=options.offline))
        return
    for module in ("starlette", "uvicorn", "websockets"):
        require(module, "page")
    from deltarule.playground.server import Service

    if options.learn is None:
        model, data = load_model(options.model), None
    else:
        with Worker() as worker:  # which runs the learner's functions
            model, data = attain_again(options.learn, worker, show_epoch)
    given = NetworkView(model, examples_for(model, options.data or data, options.offline))
    says = {name: source.says for name, source in SOURCES.items() if name in BUILT_IN or locate(name)}  # local
    loaders = {name: cache(partial(load, name, offline=True)) for name in [*says, options.data or data] if name}
    share_memory()
    service = Service(Playground(given, loaders, says), options.port)
    print_text(f"The page is at {service.url}  (Ctrl-C ends it)")
    with handle_interrupts(None), TemporaryDirectory(prefix="deltarule-", ignore_cleanup_errors=True) as private:
        if not options.no_browser:  # other users can read a browser's arguments, but not that folder
            page = Path(private, "page.html")
            page.write_text(f'<meta http-equiv="refresh" content="0; url={service.url}">', encoding="utf-8")
            threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
        service.run()


def share_memory() -> None:
    """Let all threads of this process take memory from one pool, if the C library is glibc.

    By default glibc keeps freed memory for each thread, and a server whose threads come and go keeps growing.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(ONE_ARENA, 1)


def examples_for(model: Model, data: str | None, offline: bool) -> dict[str, Dataset]:
    """The examples that the page can show, {"train": ..., perhaps "test": ...}; {} if none fit the model.

    data: the user's own. If None, the first of these that fit: the model's training data, MNIST, the bundled digits.
    """
    for name in [data] if data is not None else [None, "mnist", "digits"]:
        try:
            train, test, _ = train_and_test(model, DataOptions(data=name, offline=offline or data is None))
            model.scaled(train.take(slice(1)))  # raises where they do not fit
        except (DataError, SettingError, ShapeError):
            if data is not None:
                raise
            continue
        if data is None:
            tell("data", f"{train.name}, to draw examples from and to find mistakes in")
        return {"train": train} | ({"test": test} if test is not None else {})
    tell("data", "none fit this network: name some with --data")
    return {}
