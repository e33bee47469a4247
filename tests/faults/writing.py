"""Attempts on users' files: commands whose results would replace them. None may be replaced, or even touched."""

import contextlib
import io
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from counting import Count, fresh_folder
from idx_files import write_idx
from safetensors.numpy import save_file

from deltarule.cli import main
from deltarule.data.built_in import load_digits
from deltarule.files.exchange.foreign import save_npz
from deltarule.files.model_file import save
from deltarule.files.run_folder import RunFiles, environment
from deltarule.nn.network import Network
from deltarule.recipes import read

TRAIN = "train linear --data digits --epochs 1"
TABLE = "train --data h.csv --target y --epochs 1"
PICTURES = "train linear --data pics --size 8 --epochs 1"
ATTEMPTS = [
    # what deltarule did not write, under every name
    *(f"{TRAIN} --out {name}" for name in ("notes.txt", "h.csv", "thesis.safetensors", "photo.png", "test.npz")),
    *(f"{TRAIN} --out {name}" for name in ("link", "link-to-link", "hard", "sub/../notes.txt", "{here}/notes.txt")),
    f"{TRAIN} --plot photo.png",
    f"{TRAIN} --plot drawing.svg",
    "export m.safetensors --npz test.npz",
    "export m.safetensors --npz notes.txt",
    "export m.safetensors --onnx their.onnx",
    "export m.safetensors --html page.html",
    "export m.safetensors --html page.htm",
    "evaluate m.safetensors --data digits --plot photo.png",
    "plot weights m.safetensors --out photo.png",
    "plot architecture m.safetensors --out drawing.svg",
    "predict --kaggle pixels.csv --model m.safetensors --out h.csv",
    "predict --kaggle pixels.csv --model m.safetensors --out link",
    # deltarule's own, of another kind
    f"{TRAIN} --out ours.npz",
    f"{TRAIN} --out run/recording.safetensors",
    "export m.safetensors --npz m2.safetensors",
    "predict --kaggle pixels.csv --model m.safetensors --out m2.safetensors",
    # inputs, which not even --force replaces
    f"{TABLE} --out h.csv --force",
    f"{TABLE} --out link-to-h --force",
    f"{TABLE} --out hard-h --force",
    f"{TABLE} --out ./sub/../h.csv --force",
    "train my.toml --data digits --epochs 1 --out my.toml --force",
    f"{TRAIN} --from m.safetensors --out m.safetensors --force",
    f"{TRAIN} --from m.safetensors --out link-to-m",
    f"{TRAIN} --from run --run run",
    f"{TRAIN} --from run --out run/model.safetensors",
    "train run --data digits --epochs 1 --run run",
    "export m.safetensors --npz m.safetensors --force",
    "export run --onnx run/model.safetensors --force",
    "export m.safetensors --html pixels.html --data pixels.html --force",
    "predict --kaggle pixels.csv --model m.safetensors --out pixels.csv --force",
    "predict --kaggle pixels.csv --model m.safetensors --out m.safetensors --force",
    f"{PICTURES} --plot pics/a/0.png --force",
    f"{PICTURES} --out pics/b/1.png --force",
    f"{PICTURES} --out hard-picture --force",
    "evaluate m.safetensors --data pics --plot pics/a/0.png --force",
    "plot mistakes m.safetensors --data pics --out pics/a/0.png --force",
    "plot weights run --out hard-photo.png",
    "train linear --data idx/train --epochs 1 --out idx/train-images-idx3-ubyte --force",
    "train linear --data idx --epochs 1 --out idx/train-labels-idx1-ubyte --force",
    # folders of runs
    f"{TRAIN} --run mine",
    f"{TRAIN} --run linked",
    f"{TRAIN} --run run --out run/history.csv",
    "train sub/recipe.toml --data digits --epochs 1 --run sub --force",
    f"{TRAIN} --run sub",
    f"{TRAIN} --run notes.txt",
    f"{TRAIN} --run pipe",
    f"{TRAIN} --out new --run new",
    f"{TRAIN} --out kept --checkpoint kept",
    # names that begin with a dash, and other ways to an input
    f"{TRAIN} --out=-dash",
    f"{TRAIN} --out -dash",
    f"{TRAIN} --plot=-dash.png",
    "export m.safetensors --npz=-dash",
    "export link-to-m --npz m.safetensors --force",
    "export m.safetensors --onnx link-to-m --force",
    "predict --kaggle link-to-pixels --model m.safetensors --out pixels.csv --force",
    "train linear --data test.npz --epochs 1 --out test.npz --force",
    f"{TRAIN} --from link-to-m --out ./m.safetensors --force",
    "plot weights m.safetensors --out pics/a/0.png",
    # what is not a file, or cannot be one
    *(f"{TRAIN} --out {name}" for name in ("/dev/null", "pipe", "socket", "pics", "loop", "nowhere/m", "notes.txt/m")),
    *(f"{TRAIN} --out {name} --force" for name in ("/dev/null", "pipe", "loop", "to-nowhere", "{long}", "{nul}")),
    *(f"{TRAIN} --out {name} --force" for name in (".", "..", "''", "/")),
    f"{TRAIN} --out same.png --plot same.png",
    "export m.safetensors --npz pipe --force",
    "predict --kaggle pixels.csv --model m.safetensors --out /dev/null",
    "plot weights m.safetensors --out photo.png/a.png",
]


def make_files() -> None:
    """Fill the current folder with what users have: data, notes, models, folders, links."""
    for name in ("notes.txt", "-dash", "-dash.png"):
        Path(name).write_text("the only copy")
    Path("h.csv").write_text("x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(40)))
    Path("my.toml").write_text(read("linear").to_toml())
    for name, content in (
        ("photo.png", b"\x89PNG"),
        ("drawing.svg", b"<svg/>"),
        ("their.onnx", b"\x08\x08\x12\x07pytorch"),
    ):
        Path(name).write_bytes(content)
    for name in ("page.html", "page.htm", "pixels.html"):
        Path(name).write_text("<!doctype html><p>deltarule")
    digits = load_digits().train
    pixels = ",".join(["label", *(f"pixel{k}" for k in range(784))])
    Path("pixels.csv").write_text(f"{pixels}\n1,{','.join(map(str, digits.inputs[0]))}\n")
    save_file({"layers.0.weight": np.eye(2)}, "thesis.safetensors")
    np.savez("test.npz", X=digits.inputs[:2], y=digits.targets[:2])
    for name in ("m.safetensors", "m2.safetensors"):
        save(Network((784, 10)), name)
    save_npz(Network((784, 10)), "ours.npz")
    make_folders()
    make_links()


def make_folders() -> None:
    """A folder of pictures, one of IDX files, a run of deltarule's, and two that look like one."""
    pillow = __import__("PIL.Image").Image
    for name in ("a", "b"):
        Path("pics", name).mkdir(parents=True)
        for k in range(2):
            pillow.fromarray(np.full((8, 8), 90 * k, np.uint8)).save(Path("pics", name, f"{k}.png"))
    for name in ("sub", "mine", "run", "linked", "idx", "theirs"):
        Path(name).mkdir()
    Path("sub", "recipe.toml").write_text(read("linear").to_toml())
    Path("theirs", "model.safetensors").write_text("theirs")
    write_idx("idx/train-images-idx3-ubyte", np.zeros((4, 28, 28), np.uint8))
    write_idx("idx/train-labels-idx1-ubyte", np.arange(4, dtype=np.uint8))
    for folder in ("linked", "run"):
        run = RunFiles(folder, recipe=read("linear").to_toml(), environment=environment(seed=0, data_hash=""))
    run.write_recording({"epochs": np.zeros(1)})
    save(Network((784, 10)), "run/model.safetensors")
    Path("mine", "history.csv").write_text("year,event\n1962,a thesis\n")
    Path("mine", "environment.json").write_text('{"API_KEY": "x"}')


def make_links() -> None:
    """Other ways to the same files, and to what is not a file."""
    for name, target in (
        ("link", "notes.txt"),
        ("link-to-link", "link"),
        ("link-to-h", "h.csv"),
        ("link-to-m", "m.safetensors"),
        ("link-to-pixels", "pixels.csv"),
        ("loop", "loop"),
        ("to-nowhere", "nowhere/m"),
        ("linked/history.csv", "../h.csv"),
    ):
        Path(name).symlink_to(target)
    for name, target in (
        ("hard", "notes.txt"),
        ("hard-h", "h.csv"),
        ("hard-photo.png", "photo.png"),
        ("hard-picture", "pics/a/1.png"),
    ):
        Path(name).hardlink_to(target)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as unused:
        unused.bind("socket")


def contents() -> dict[str, tuple[object, ...]]:
    """All that is below the current folder: kind, links and bytes."""
    return {str(path): _content(path) for path in sorted(Path().rglob("*"))}


def _content(path: Path) -> tuple[object, ...]:
    about = path.lstat()
    return about.st_mode, about.st_ino, path.read_bytes() if path.is_file() else b""


def ran(arguments: list[str]) -> tuple[int, str]:
    """The exit code of `deltarule ARGUMENTS` and what it said on stderr; an exception that escapes is no exit."""
    said, argv = io.StringIO(), sys.argv
    sys.argv = ["deltarule", *arguments]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            main()
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    except BaseException as error:
        return -1, f"{type(error).__name__}: {error}"
    finally:
        sys.argv = argv
    return 0, said.getvalue()


def arguments_of(attempt: str) -> list[str]:
    """Its words, with the names that cannot be written in the table."""
    names = {"here": str(Path.cwd()), "long": "m" * 300, "nul": "a\0b"}
    return [word.format(**names) for word in shlex.split(attempt)]


@contextlib.contextmanager
def users_folder() -> Iterator[None]:
    """A folder that holds what users have, as the current one."""
    with fresh_folder() as folder, contextlib.chdir(folder):
        make_files()
        yield


def attempts() -> Count:
    """Each attempt is refused with code 2 and a sentence, before any work, and everything stays as it was."""
    count = Count()
    with users_folder():
        before = contents()
        for attempt in ATTEMPTS:
            code, said = ran(arguments_of(attempt))
            after = contents()
            changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            is_refused = code == 2 and "Error: " in said and "epoch" not in said
            count.check(is_refused and not changed, f"{attempt}: {code}, changed {changed}: {said[-300:]}")
            before = after
        with contextlib.chdir("theirs"):
            code, said = ran(shlex.split(TRAIN))
            count.check(code == 2 and Path("model.safetensors").read_text() == "theirs", f"the default: {code}: {said}")
        Path("gone").mkdir()
        with contextlib.chdir("gone"):
            Path.cwd().rmdir()
            code, said = ran(shlex.split(TRAIN))
        count.check(code == 2 and "current folder no longer exists" in said, f"a folder that has gone: {code}: {said}")
    return count
