"""Offers the corpus of hostile files to every reader, and watches what each does.

    python tests/faults/hostile_readers.py hostile|policy

A process of its own, because an audit hook stays. It prints a JSON list: a file's name, and the harm done, if any.

Every reader first reads a sound file and refuses a wrong one, so that what it imports is there. From then on whatever
Python reports to its audit hooks is foreign, but for the file itself being opened, its folder being listed, and NumPy
parsing an array's header (no code is run: that would be another event).
"""

import encodings.utf_16  # noqa: F401  # a codec is loaded when a text first asks for it
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import hostile_files
import numpy as np
import sound_files as sound

from deltarule.data.catalog import load as load_data
from deltarule.data.columns import Column
from deltarule.data.ink.pictures import read_picture
from deltarule.data.readers import kinds
from deltarule.data.readers.idx import read_idx
from deltarule.data.readers.images import read_image, read_image_folder, read_picture_rows
from deltarule.data.readers.npz import read_npz
from deltarule.data.readers.pixel_rows import read_pixel_rows
from deltarule.data.readers.tables import read_table, read_table_rows
from deltarule.data.reading import How
from deltarule.errors import DeltaruleError
from deltarule.files.checkpoint import newest_checkpoint, read_checkpoint
from deltarule.files.exchange.foreign import load as load_of_any_kind
from deltarule.files.model_file import load
from deltarule.recipes import read as read_recipe

MOST_BYTES = 64 * 2**20  # beyond the file's own size
MOST_SECONDS = 1.0  # of processor time
MOST_WAITING = 60.0  # on the clock, which runs on while a busy machine does other work: more is to hang
QUIET = {"os.listdir", "os.scandir", "glob.glob", "glob.glob/2", "pathlib.Path.glob", "resource.setrlimit"}
QUIET |= {"builtins.id", "sys._getframe", "object.__getattr__", "array.__new__"}  # pandas warns, Pillow has tables

Reader = Callable[[Path], Any]

COLUMNS = (Column("size", (), 0.0), Column("color", ("red", "green", "dark, blue"), 0.0))
READERS: dict[str, tuple[Reader, str, Callable[[], bytes]]] = {
    "model": (load, "file", sound.model),
    "model of any kind": (lambda path: load_of_any_kind(path, hidden="relu"), "model.npz", sound.layers),
    "checkpoint": (read_checkpoint, "file", sound.checkpoint),
    "newest": (lambda path: newest_checkpoint(path.parent), "kept/step-000000000005.safetensors", sound.checkpoint),
    "idx": (read_idx, "file", sound.idx),
    "npz": (read_npz, "file", sound.npz),
    "data of npz": (load_data, "data.npz", sound.npz),
    "data of CSV": (load_data, "data.csv", sound.csv),
    "data of IDX": (lambda path: load_data(path.parent), "idx/train-images-idx3-ubyte", sound.idx),
    "data of pictures": (lambda path: load_data(path.parents[1]), "classes/one/one.png", sound.picture),
    "pictures of any size": (
        lambda path: read_image_folder(path.parents[1], size=28), "classes/one/one.png", sound.picture,
    ),
    "pixels": (lambda path: read_pixel_rows(path, How()), "file", sound.csv),
    "numbers": (lambda path: read_table_rows(path, How(columns=(), target="label")), "file", sound.csv),
    "table": (lambda path: read_table(path, "label", missing="mean", announce=len), "data.csv", sound.table),
    "compressed table": (
        lambda path: read_table(path, "label", missing="drop", announce=len),
        "data.csv.gz",
        sound.table,
    ),
    "rows of a table": (lambda path: read_table_rows(path, How(columns=COLUMNS, announce=len)), "file", sound.table),
    "recipe": (lambda path: read_recipe(str(path)), "recipe.toml", sound.recipe),
    "image": (lambda path: read_image(path, (28, 21)), "file", sound.picture),
    "image of any size": (lambda path: read_image(path, size=28), "file", sound.picture),
    "picture": (read_picture, "picture.png", sound.picture),
    "digit": (lambda path: read_picture_rows(path, How(is_digit=True)), "file", sound.picture),
    "any kind": (lambda path: kinds.read(path, is_digit=True), "file", sound.picture),
}  # fmt: skip


class Hung(BaseException):
    """A reader waits, or works, for too long. No reader of ours catches it."""


def _alarm(*_: Any) -> None:
    raise Hung


class Watch:
    """What Python says of imports, opened files, processes, sockets and code, apart from the files at `paths`."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.foreign: list[str] = []
        self.is_on = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.is_on or event in QUIET:
            return
        if event == "open" and self._is_reading(*given[:2]):
            return
        if event == "mmap.__new__" and given[2] == 1:  # a BMP, mapped to be read; mmap.ACCESS_READ
            return
        if event == "compile" and given[1] == "<unknown>":  # ast.literal_eval
            return
        self.foreign.append(f"{event} {given!r:.120}")

    def _is_reading(self, path: Any, mode: Any) -> bool:
        own = isinstance(path, int) or os.fsdecode(path) in self.paths
        return own and not set(mode or "r") & set("wax+")


def offered(folder: Path, file: Path) -> dict[str, Path]:
    """What each reader is pointed at: links to a file, under names that make the reader look inside."""
    paths = {}
    for name, (_, place, _) in READERS.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_symlink():
            path.symlink_to(file)
        if name == "data of IDX":
            path.with_name("train-labels-idx1-ubyte").write_bytes(sound.idx((3,)))
        paths[name] = path
    return paths


def limited(size: int) -> None:
    """Let this process take so much more memory, `size` and MOST_BYTES, and no more."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + size + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def outcome(read: Reader, path: Path, watch: Watch) -> str:
    """What came of it, "read" or "refused", or the harm that was done."""
    size = path.stat().st_size if path.is_file() else 0
    watch.foreign.clear()
    real = os.path.realpath(path)  # the name under which older versions of Pillow open it
    watch.paths = {str(path), real, str(path.with_name("train-labels-idx1-ubyte"))}
    began = time.process_time()
    limited(size)
    signal.setitimer(signal.ITIMER_REAL, MOST_WAITING)
    watch.is_on = True
    try:
        read(path)
        answer = "read"
    except DeltaruleError:
        answer = "refused"
    except Hung:
        answer = "hung"
    except BaseException as error:  # anything else is what this program is here to find
        answer = f"{type(error).__name__}: {error!s:.120}"
    finally:
        watch.is_on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    seconds = time.process_time() - began
    if watch.foreign:
        return f"foreign: {watch.foreign[:3]}"
    return answer if seconds < MOST_SECONDS else f"{answer} after {seconds:.1f} s"


def warmed_up(folder: Path) -> None:
    """Every reader reads a sound file and refuses others, so that whatever it imports is there."""
    encoded = ["ä,b\n1,2\n".encode(each) for each in ("utf-16", "utf-16-le", "utf-16-be", "cp1252")]
    wrong = [b"wrong", *encoded, *(content for _, content in hostile_files.warm_ups())]
    for name, (read, _, content) in READERS.items():
        (folder / name).write_bytes(content())
        read(offered(folder / f"{name}-offered", folder / name)[name])
    for k, each in enumerate(wrong):
        (folder / f"wrong-{k}").write_bytes(each)
        for name, path in offered(folder / f"wrong-{k}-offered", folder / f"wrong-{k}").items():
            with suppress(DeltaruleError):
                READERS[name][0](path)


def files(folder: Path, which: str) -> Iterator[tuple[str, Path]]:
    """The corpus, written to a folder."""
    folder.mkdir()
    contents = hostile_files.corpus() if which == "hostile" else hostile_files.with_policy()
    for k, (name, content) in enumerate(contents):
        path = folder / f"{k:03}"
        path.write_bytes(content)
        yield name, path
    if which == "hostile":
        yield from hostile_files.special(folder / "special")


def outcomes(folder: Path, named: Iterable[tuple[str, Path]]) -> dict[str, dict[str, str]]:
    """What each reader made of each file."""
    warmed_up(folder)
    signal.signal(signal.SIGALRM, _alarm)
    watch, found = Watch(), {}
    for k, (name, file) in enumerate(list(named)):
        paths = offered(folder / f"offered-{k}", file)
        found[name] = {reader: outcome(READERS[reader][0], path, watch) for reader, path in paths.items()}
    return found


def main() -> None:
    """Print what became of each file."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("ignore")
        folder = Path(name)
        os.chdir(folder)
        found = outcomes(folder, files(folder / "files", sys.argv[1]))
        exploded = [str(path) for path in folder.rglob("exploded")]
    print(json.dumps({"outcomes": found, "exploded": exploded, "readers": len(READERS)}))


if __name__ == "__main__":
    main()
