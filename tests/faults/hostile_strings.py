"""Strings that drive a terminal, in every place that a stranger's string comes from: none may come out as it is."""

import csv
import io
import json
import os
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np
from counting import Count, fresh_folder
from PIL import Image

from deltarule.cli import main
from deltarule.files.model_file import save
from deltarule.inspection.diagnosis import causes
from deltarule.model import Model
from deltarule.nn.network import Network

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2064\ufeff\ufff9\U000e0001\U000e0041\U000e007f"
SEQUENCES = {
    "writes the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "the same, ended otherwise": "\x1b]52;c;cm0gLXJmIH4=\x1b\\",
    "sets the title": "\x1b]0;mine\x07",
    "a link": "\x1b]8;;http://example.com\x07here\x1b]8;;\x07",
    "changes colors": "\x1b]4;1;red\x07",
    "asks for the cursor's place": "\x1b[6n",
    "asks what the terminal is": "\x1b[c",
    "clears the screen": "\x1b[2J\x1b[H",
    "clears what has scrolled away": "\x1b[3J",
    "goes up": "\x1b[5Ared",
    "goes back": "\x1b[80Dred",
    "erases the line": "\x1b[2K\rred",
    "another screen": "\x1b[?1049h",
    "hides the cursor": "\x1b[?25l",
    "reports the mouse": "\x1b[?1003h",
    "concealed": "\x1b[8mhidden\x1b[0m",
    "red": "\x1b[31mred",
    "resets": "\x1bc",
    "a drawing font": "\x1b(0",
    "a device string": "\x1bP1$r0m\x1b\\",
    "an application's command": "\x1b_Gf=100;AAAA\x1b\\",
    "8-bit CSI": "\x9b2J",
    "8-bit OSC": "\x9d52;c;cm0=\x9c",
    "8-bit DCS": "\x90q\x9c",
    "a bell": "ding\x07",
    "backspaces": "no\b\byes",
    "a return": "bad\rgood",
    "tabs": "a\tb\vc\fd",
    "shifts": "\x0e\x0f",
    "end of text": "\x04\x1a\x03",
    "delete": "a\x7f\x7fb",
    "a next line": "a\x85b",
    "separators": "a\x1c\x1d\x1e\x1fb",
    "nothing": "a\x00b",
    "a lone surrogate": "a\ud800b",
    "a byte that is not text": "a\udc9bb",
    "markup": "[bold red]a[/] \x1b[1m",
    "a new line that looks like ours": "a\nError: b\x1b[2J",
    "the same, of which a table shows the beginning": "a\nForged line\nForged line",
    "a line of a table": "Forged\r\nForged line\tb",
}
HOSTILE = [*SEQUENCES.values(), *(f"a{each}b" for each in BIDIRECTIONAL + INVISIBLE)]
AT_ONCE = "a\nForged line\x1b[2J\x9b3J\x07\r\x7f\u202e\u2028\u200b\U000e0041b"
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
Place = Callable[[str], Iterator[list[str]]]
RECIPE = """[about]
name = {0}
says = {0}
source = {0}
expected = {0}
[data]
name = "xor"
[network]
hidden = [4]
activation = "relu"
[training]
optimizer = {{name = "adam"}}
schedule = {{name = "constant", rate = 0.01}}
epochs = 1
batch_size = 256
"""


def as_name(text: str) -> str | None:
    """A string as a file may be called, and as it comes from the command line; None where it can be neither."""
    text = text.replace("/", ":").replace("\x00", "")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return None
    return text


def in_unicode(text: str) -> str:
    """The string as a file can hold it."""
    return text.encode("utf-8", "replace").decode()


def in_a_table(text: str) -> Iterator[list[str]]:
    """The cells and names of a CSV, its file's name, and that of the model that learns from it."""
    text, name = in_unicode(text).replace("\x00", ""), as_name(text) or "table"
    table = Path(f"{name}.csv")
    with table.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow([text, f"kind {text}", "class"])
        rows.writerows([k, f"{text} {k % 3}", f"{text} {'ab'[k % 2]}"] for k in range(20))
    model = f"{name}.safetensors"
    known = ["--data", str(table)]
    yield ["train", *known, "--target", "class", "--epochs", "1", "--out", model, "--run", f"{name}-run"]
    yield ["train", *known, "--target", text, "--epochs", "1", "--seed", "1", "--checkpoint", f"{name}-kept"]
    yield ["train", "--resume", f"{name}-kept"]
    yield ["train", *known, "--target", "no such"]
    yield ["train", *known]
    yield ["evaluate", model]
    yield ["evaluate", f"{name}-run", "--json"]
    yield ["predict", str(table), "--model", model]
    yield ["predict", str(table), "--model", model, "--json"]
    yield ["explain", model, "--example", "0"]
    yield ["explain", model, "--example", "0", "--json"]
    yield ["check", model]
    yield ["check", f"{name}-run"]
    yield ["plot", "confusion", model, "--json"]
    yield ["plot", "scores", model, "--out", f"{name}.png"]
    yield ["export", model, "--npz", f"{name}.npz"]
    Path(f"{name}-kept").mkdir(exist_ok=True)  # a run that was refused has made none
    (Path(f"{name}-kept") / "step-000000000099.safetensors").write_bytes(b"damaged")
    yield ["train", "--resume", f"{name}-kept"]
    table.write_text(f"{text},class\n{text},a\n,b\n", encoding="utf-8")
    yield ["train", *known, "--target", "class"]
    yield ["predict", str(table), "--model", model]
    yield ["data", "info", str(table)]


def in_a_model(text: str) -> Iterator[list[str]]:
    """The class names and the record of a model file."""
    text, network = in_unicode(text), Network((64, 3), rng=0)
    record = {"recipe": text, "dataset": text, "recipe_toml": text, "seed": 0, "target": None}
    model = Model(network, "classes", class_names=(text, f"{text}2", "c"), image_shape=(8, 8), record=record)
    save(model, "strange.safetensors")
    np.savez("images.npz", X=np.zeros((4, 8, 8), np.uint8), y=np.arange(4) % 3)
    for command in (
        ["predict", "images.npz", "--show", "--model"],
        ["predict", "images.npz", "--json", "--model"],
        ["evaluate", "--data", "images.npz"],
        ["explain", "--image", "images.npz", "--example", "0"],
        ["explain", "--image", "images.npz", "--example", "0", "--label", text],
        ["plot", "weights", "--json"],
        ["check", "--data", "images.npz"],
        ["evaluate"],
        ["train", "--data", "images.npz", "--epochs", "1", "--from"],
    ):
        yield [*command, "strange.safetensors"]
    content = Path("strange.safetensors").read_bytes()
    Path("strange.safetensors").write_bytes(content.replace(b"task", b"t\x1b[k"))
    yield ["evaluate", "strange.safetensors"]


def in_a_recipe(text: str) -> Iterator[list[str]]:
    """What a recipe says, its keys, and the name of its file."""
    name = f"{as_name(text) or 'recipe'}.toml"
    text = in_unicode(text)
    quoted = json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f") if text.isascii() else None
    quoted = quoted or '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'
    recipe = RECIPE.format(quoted)
    Path(name).write_text(recipe, encoding="utf-8")
    yield ["train", name, "--out", "of-recipe.safetensors"]
    yield ["recipes", name]
    yield ["recipes", name, "--json"]
    yield ["check", name]
    yield ["evaluate", "of-recipe.safetensors"]
    for wrong in (f"{recipe}{quoted} = 1\n", recipe.replace('"relu"', quoted), recipe.replace('"xor"', quoted)):
        Path(name).write_text(wrong, encoding="utf-8")
        yield ["train", name]
    Path(name).write_bytes(text.encode() + b"\xff")
    yield ["train", name]


def in_folders(text: str) -> Iterator[list[str]]:
    """The names of folders that hold the images of a class each, of pictures, and of an archive's arrays."""
    name = as_name(text) or "folder"
    for number, each in enumerate((name, f"{name}2")):
        folder = Path("pictures") / each
        folder.mkdir(parents=True)
        for k in range(4):
            pixels = np.full((8, 8), 60 * k + number, np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}{k}.png")
    yield ["train", "--data", "pictures", "--epochs", "1", "--out", "of-folder.safetensors"]
    yield ["data", "info", "pictures"]
    yield ["evaluate", "of-folder.safetensors"]
    yield ["predict", "pictures", "--model", "of-folder.safetensors"]
    yield ["predict", "pictures"]
    (Path("pictures") / name / f"{name}9.png").write_bytes(b"damaged")
    yield ["train", "--data", "pictures", "--epochs", "1"]
    np.savez("arrays.npz", **{in_unicode(as_name(text) or "array"): np.zeros(3)})
    yield ["train", "--data", "arrays.npz"]


def in_a_program(text: str) -> Iterator[list[str]]:
    """The name, a line with a syntax error and the magics of a program and a notebook of one's own."""
    name, text = as_name(text) or "net", in_unicode(text)
    Path(f"{name}.py").write_text(f"x = 1\nreturn x x # {text}\n", encoding="utf-8")
    yield ["check", f"{name}.py"]
    cell = {"cell_type": "code", "source": f"!{text}"}
    book = {"cells": [cell], "metadata": {"language_info": {"name": f"R {text}"}}}
    Path(f"{name}.ipynb").write_text(json.dumps(book), encoding="utf-8")
    yield ["check", f"{name}.ipynb", "--json"]


def on_the_command_line(text: str) -> Iterator[list[str]]:
    """Commands, options and names that do not exist."""
    text = as_name(text) or "word"
    yield [text]
    yield ["train", f"--{text}"]
    yield ["data", text]
    for command in ("train", "evaluate", "explain", "check", "recipes", "playground"):
        yield [command, text]
    for option in ("--data", "--from", "--set", "--engine", "--resume", "--out", "--plot", "--run", "--epochs"):
        yield ["train", "no-recipe" if option == "--run" else "linear", "--offline", option, f"{text}/x/y"]
    yield ["train", "linear", "--offline", "--set", f"{text}=1"]
    yield ["train", "linear", "--offline", "--set", f"training.epochs={text}"]
    yield ["train", "linear", "--offline", "--set", f"network.activation={text}"]
    yield ["predict", text]
    yield ["predict", "--model", text, text]
    yield ["plot", text, text, "--json"]
    yield ["plot", "weights", "pretrained", "--out", text]
    yield ["plot", "weights", "pretrained", "--out", f"{text}/x.png"]
    yield ["export", "pretrained", "--html", text]
    yield ["export", "pretrained", "--npz", f"{text}.npz", "--json"]
    yield ["explain", "pretrained", "--image", text]
    yield ["explain", "pretrained", "--data", "digits", "--equation", text]
    for command in ("fetch", "info", "verify"):
        yield ["data", command, text]


PLACES: dict[str, Place] = {
    "a table": in_a_table,
    "a model": in_a_model,
    "a recipe": in_a_recipe,
    "folders": in_folders,
    "a program": in_a_program,
    "the command line": on_the_command_line,
}


def printed(arguments: list[str]) -> str:
    """All that a command prints."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogatepass", newline="") for _ in range(2)]
    with (
        patch.dict(os.environ, {"DELTARULE_DATA": str(Path.cwd())}),  # without MNIST, which would be trained on
        patch.object(causes, "WATCHED", 4),  # what a diagnosis finds is not looked at
        warnings.catch_warnings(action="ignore"),  # Matplotlib's, of characters that it cannot draw
        patch.object(sys, "argv", ["deltarule", *arguments]),
        patch.object(sys, "stdout", streams[0]),
        patch.object(sys, "stderr", streams[1]),
        suppress(SystemExit),
    ):
        main()
    return "".join(stream.buffer.getvalue().decode("utf-8", "surrogatepass") for stream in streams)  # type: ignore[attr-defined]


def harm_of(said: str, arguments: list[str]) -> str:
    """What is wrong with what a command has printed."""
    raw = sorted({each for each in said if each != "\n" and unicodedata.category(each) in HIDDEN})
    forged = [line for line in said.splitlines() if line.startswith(("Error: b\\", "Forged line"))]
    wrong = [f"{each!r} as it is" for each in raw] + ["nothing was printed"] * (not said)
    wrong += [f"the line {line!r}" for line in forged[:1]]
    if "Traceback" in said:
        wrong.append(said.strip().splitlines()[-1])
    if "--json" in arguments and "{" in said and "Error" not in said:
        try:
            json.JSONDecoder().raw_decode(said[min(k for k in (said.find("{"), said.find("[")) if k >= 0) :])
        except ValueError as error:
            wrong.append(f"not JSON: {error}")
    return ", ".join(wrong)


def strings(hostile: list[str], places: dict[str, Place] = PLACES) -> Count:
    """Every string in every place."""
    count = Count()
    for text in hostile:
        for where, place in places.items():
            with fresh_folder() as folder, chdir(folder):
                for arguments in place(text):
                    said = printed(arguments)
                    harm = harm_of(said, arguments)
                    count.check(not harm, f"{text!r} in {where}, {arguments!r}: {harm}")
    return count
