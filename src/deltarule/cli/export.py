"""`deltarule export`: a model in a form that others read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deltarule.cli.options import DataName, ModelName, Offline
from deltarule.cli.output import entry, note
from deltarule.errors import SettingError

PAGE_SUFFIXES = (".html", ".htm")

if TYPE_CHECKING:
    from deltarule.model import Model


def export(
    model: ModelName,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page that opens from disk: draw, look inside.")
    ] = None,
    data: DataName = None,
    offline: Offline = False,
) -> None:
    """Write a model in another form.

    --html is one file with everything in it. With --data it shows mistakes, too, on 200 examples of these.
    """
    from deltarule.cli.found import found_model

    targets = {"html": (html, write_page)}  # what can be written: where to, and by what
    wanted = [(place, write) for place, write in targets.values() if place is not None]
    if not wanted:
        raise SettingError(f"expected what to write: got none of {', '.join(f'--{name} FILE' for name in targets)}")
    if html is not None and html.suffix not in PAGE_SUFFIXES:
        raise SettingError(f"a browser opens a page by its name: got {html}; use {html.with_suffix('.html')}")
    loaded = found_model(model)[1]
    for place, write in wanted:
        existed = place.exists()
        write(loaded, place, data, offline)
        note(entry("wrote", f"{place}, {place.stat().st_size:,} bytes{', in place of the old one' if existed else ''}"))


def write_page(model: "Model", place: Path, data: str | None, offline: bool) -> None:
    """The model as a page, with examples of the data where some are named."""
    from deltarule.cli.examples import unseen
    from deltarule.files.page import show

    show(model, unseen(model, data, None, offline) if data is not None else None).save(place)
