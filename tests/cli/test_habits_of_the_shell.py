"""Habits at the command line: the answer names the line that does what was meant, or the command simply does it."""

import random
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.files.model_file import load

HOUSES = "train --data houses.csv --target price --epochs 1"
ANSWERS = [
    ("train xor —epochs 5", "use deltarule train xor --epochs 5;"),
    ("train xor –epochs=5", "use deltarule train xor --epochs 5;"),
    ("train xor --set epochs=5,hidden=4", "use --set epochs=5 --set hidden=4"),
    (
        "train xor --set 'training.optimizer=AdamW(weight_decay=0.2)'",
        'use --set \'training.optimizer={name = "adamw", ',
    ),
    ("train xor --set 'training.optimizer=Adam(lr=0.01)'", "use --set training.optimizer=adam --learning-rate 0.01"),
    (
        "train xor --set 'network.activation=LeakyReLU(0.2)'",
        "'network.activation={name = \"leaky_relu\", slope = 0.2}'",
    ),
    ("train --data houses.csv --data more.csv --target price", "--data takes one value: got houses.csv and more.csv;"),
    ("train xor --seed=1 --epochs 1 --seed 2", "--seed takes one value: got 1 and 2; give one of them"),
    ("train --data labels.csv --target label", "got names of pictures in column 'file', such as 'cat/0.png'; put"),
    ("train --data pictures", "got no folders; move pictures/test elsewhere to train, and then  deltarule predict"),
    (
        "train --resume run",
        "got run, a run that saved none;  deltarule train run --from run  trains its network further",
    ),
    ("train xor --checkpoint best.pt", "checkpoints go into a folder: got best.pt"),
    ("predict - --model run", "got -, the standard input; save it in a file, and give that"),
    (
        "train --data X.npy --target y.npy",
        "y=numpy.load('y.npy'))  and, without --target,  deltarule train --data data.npz",
    ),
    ("train mine.toml", "there is no key 'target' in data: it is an option of train: --target price, so leave it out"),
    ("train other.toml", "there is no key 'model' in a recipe: did you mean 'network'?"),
    ("train --data houses.csv --target size,price", "a model learns one column: use 'size', or 'price', and leave the"),
    ("predict rows.csv --model houses", "rows.csv: line 1 must name the columns: size,town; got 40.5,Ulm"),
]
DONE = [
    (
        "train xor --epochs 1",
        "xor.toml",
        "the one that comes with deltarule;  deltarule train xor.toml  takes the file here",
    ),
    (
        "train kept --epochs 1",
        "",
        "from the start of kept;  deltarule train --resume kept  goes on from its last checkpoint",
    ),
    ("train --data units.csv --target price --epochs 1", "", "'size' holds numbers in cm"),
    ("train --data=~/houses.csv --target price --epochs 1", "", "houses.csv to learn from"),
    ("plot curves run/history.jsonl --out c.png", "", "c.png: Loss and accuracy against the epoch"),
    (
        "train --resume kept --out k.safetensors",
        "",
        "after step 3, the end of this run; for more epochs,  deltarule train",
    ),
    ("train --resume kept --epochs 6 --resume-anyway --out k.safetensors", "", "after step 3, in epoch 4 of 6"),
]


@pytest.fixture
def folder(deltarule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the lines name."""
    pillow = pytest.importorskip("PIL.Image", reason="the extra page is not installed")
    draw, towns = random.Random(0), ["Bonn", "Kiel", "Ulm"]
    rows = [(draw.randrange(40, 200) + 0.5, draw.choice(towns)) for _ in range(40)]
    files = {
        "houses.csv": ["size,town,price", *(f"{size},{town},{2 * size}" for size, town in rows)],
        "units.csv": ["size,town,price", *(f"{size} cm,{town},{2 * size}" for size, town in rows)],
        "rows.csv": [f"{size},{town}" for size, town in [(40.5, "Ulm"), *rows[:4]]],
        "labels.csv": ["file,label", *(f"{kind}/{k}.png,{kind}" for kind in ("cat", "dog") for k in range(5))],
        "mine.toml": ["[about]", 'name = "mine"', "[data]", 'name = "houses.csv"', 'target = "price"'],
        "other.toml": ["[about]", 'name = "other"', "[model]", "layers = [4]"],
    }
    for name, lines in files.items():
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for place in ("train/cat/0.png", "train/dog/0.png", "test/0.png"):
        path = Path("pictures", place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pillow.new("L", (8, 8), len(place)).save(path)
    np.save("X.npy", np.eye(4))
    np.save("y.npy", np.arange(4) % 2)
    monkeypatch.setenv("HOME", str(tmp_path))
    deltarule(*shlex.split(f"{HOUSES} --run houses"))
    deltarule("train", "xor", "--epochs", "3", "--run", "kept", "--every-steps", "1")
    deltarule("train", "xor", "--epochs", "3", "--run", "run")
    return tmp_path


def test_a_habit_is_answered_with_the_line_that_was_meant(deltarule: Any, folder: Path) -> None:
    for line, answer in ANSWERS:
        result = deltarule(*shlex.split(line))
        assert result.code in (1, 2), line
        assert answer in result.err, line


def test_a_habit_that_is_clear_is_done_and_said(deltarule: Any, folder: Path) -> None:
    for line, file, answer in DONE:
        if file:
            Path(file).write_text(deltarule("recipes", file.removesuffix(".toml")).out, encoding="utf-8")
        result = deltarule(*shlex.split(line))
        assert result.code == 0, result.err
        assert answer in result.err + result.out, line


def test_units_are_read_where_all_cells_have_the_same(deltarule: Any, folder: Path) -> None:
    deltarule(*shlex.split("train --data units.csv --target price --epochs 1 --out units.safetensors"))
    assert [column.categories for column in load("units.safetensors").columns] == [(), ("Bonn", "Kiel", "Ulm")]
    mixed = re.sub(" cm", " m", Path("units.csv").read_text(encoding="utf-8"), count=1)
    Path("units.csv").write_text(mixed, encoding="utf-8")
    assert (
        "write numbers as 1234.5, without units" in deltarule(*shlex.split("train --data units.csv --target price")).err
    )
