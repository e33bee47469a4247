"""Tables and folders of images of one's own, from training to the answers."""

import csv
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.data.columns import Column
from deltarule.data.readers.kinds import read
from deltarule.data.readers.tables import read_table
from deltarule.files.model_file import load

pandas = pytest.importorskip("pandas")

Command = Callable[..., Any]
TOWNS = {"Bonn": 40.0, "Kiel": -60.0, "Ulm": 0.0}
FAST = ("--epochs", "30")


def houses(n_rows: int = 200) -> Any:
    """A DataFrame: a running number, the size and the town of houses, and their price, which follows from the two."""
    rng = np.random.default_rng(0)
    size, town = rng.uniform(20.0, 200.0, n_rows).round(1), rng.choice(list(TOWNS), n_rows)
    price = 2.5 * size + np.array([TOWNS[name] for name in town])
    return pandas.DataFrame({"id": range(n_rows), "size": size, "town": town, "price": price.round(2)})


@pytest.fixture
def with_holes() -> Any:
    """The houses in a file, a few towns, sizes and prices missing."""
    frame = houses()
    frame.loc[[3, 50], "town"], frame.loc[7, "size"], frame.loc[9, "price"] = None, None, None
    frame.to_csv("houses.csv", index=False)
    return frame


def test_values_from_a_table_end_to_end(deltarule: Command, with_holes: Any) -> None:
    trained = deltarule(
        "train", "--data", "houses.csv", "--target", "price", "--without", "id", "--missing", "mean", *FAST, "--json"
    )
    report = trained.json
    assert (report["task"], report["train_examples"], report["test_examples"]) == ("values", 160, 39)
    assert report["test_r2"] > 0.95
    for words in (
        "'price' holds 185 different numbers: values to predict",
        "1 of 200 rows are left out, because cells are missing: 1 in 'price'",
        "the mean of their column: 1 in 'size'",
        "none of the categories: 2 in 'town'",
        "2, which are 4 inputs: size as numbers; town (3 categories) as text",
    ):
        assert words in trained.err
    judged = deltarule("evaluate", "model.safetensors", "--json").json
    assert (judged["examples"], judged["r2"], judged["loss"]) == (39, report["test_r2"], report["test_loss"])
    frame = with_holes.drop(columns=["price", "id"])[["town", "size"]]
    frame.to_csv("new.csv", index=False)
    answers = deltarule("predict", "new.csv", "--json").json
    values = load("model.safetensors").predict(frame)
    assert [answer["values"]["price"] for answer in answers] == pytest.approx(values[:, 0].tolist(), rel=1e-6)
    known = with_holes["price"].notna().to_numpy()
    assert np.corrcoef(values[known, 0], with_holes["price"][known])[0, 1] ** 2 > 0.95


def test_classes_from_a_table_end_to_end(deltarule: Command) -> None:
    frame = houses()
    frame["is_dear"] = np.where(frame["price"] > 300.0, "dear", "cheap")
    frame.drop(columns="price").to_csv("houses.csv", index=False)
    trained = deltarule("train", "--data", "houses.csv", "--target", "is_dear", "--without", "id", *FAST, "--json")
    assert trained.json["test_accuracy"] > 0.85
    assert "'is_dear' holds 2 different strings: classes to tell apart" in trained.err
    frame[["size", "town"]].head(3).to_csv("new.csv", index=False)
    frame.head(3).to_csv("more.csv", index=False)
    answers = deltarule("predict", "new.csv", "more.csv", "--json")
    names = {answer["label"] for answer in answers.json}
    assert names <= {"dear", "cheap"}
    for new, more in zip(answers.json[:3], answers.json[3:], strict=True):
        assert new["probabilities"] == more["probabilities"]
    assert "more.csv: columns not used in training, skipped: 'id', 'price'" in answers.err
    assert "is_dear" not in answers.err
    report = deltarule("evaluate", "model.safetensors", "--data", "houses.csv", "--json").json
    assert [score["name"] for score in report["per_class"]] == ["cheap", "dear"]


def test_another_file_of_the_same_name_is_not_what_was_learned(
    deltarule: Command, with_holes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path in a model is relative; what the file holds decides, wherever one asks from and whatever it is called."""
    command = ("train", "--data", "houses.csv", "--target", "price", "--without", "id", "--missing", "drop", *FAST)
    assert deltarule(*command).code == 0
    Path("there").mkdir()
    shutil.copy("houses.csv", "there/copy.csv")
    houses().drop(columns="id").iloc[:150].to_csv("there/houses.csv", index=False)
    monkeypatch.chdir("there")
    other = deltarule("evaluate", "../model.safetensors").err
    assert "houses.csv holds other examples than this model was trained on" in other
    assert "houses.csv: 150 examples, all there are" in other
    assert (
        "copy.csv: 39 examples, not seen in training"
        in deltarule("evaluate", "../model.safetensors", "--data", "copy.csv").err
    )
    monkeypatch.chdir("..")
    assert "houses.csv: 39 examples, not seen in training" in deltarule("evaluate", "model.safetensors").err


def test_rows_that_were_left_out_are_left_out_again(deltarule: Command, with_holes: Any) -> None:
    """Or else the split would fall otherwise, and a model be judged by what it was trained on."""
    command = ("train", "--data", "houses.csv", "--target", "price", "--without", "id", "--missing", "drop", *FAST)
    report = deltarule(*command, "--json").json
    assert report["train_examples"] + report["test_examples"] == 196
    judged = deltarule("evaluate", "model.safetensors", "--json")
    assert judged.json["r2"] == report["test_r2"]
    assert "4 of 200 rows are left out" in judged.err
    model = load("model.safetensors")
    assert model.columns == (Column("size"), Column("town", tuple(TOWNS)))
    start = ("--from", "model.safetensors", "--out", "on.safetensors")
    went_on = deltarule("train", "--data", "houses.csv", "--target", "price", *start, *FAST)
    assert went_on.code == 0
    assert deltarule("evaluate", "on.safetensors", "--json").json["examples"] == report["test_examples"]
    refused = deltarule("predict", "houses.csv")
    assert (refused.code, refused.out) == (1, "")
    assert (
        "1 in 'size', 2 in 'town', 'size' first in line 9; fill them in, or train a model with --missing mean"
        in refused.err
    )


def test_a_run_on_a_table_goes_on_from_its_checkpoint(deltarule: Command, with_holes: Any) -> None:
    """The table is read again as it was: a column left out, missing cells filled in."""
    command = ("train", "--data", "houses.csv", "--target", "price", "--without", "id", "--missing", "mean", *FAST)
    report = deltarule(*command, "--checkpoint", "kept", "--every-steps", "50", "--json").json
    resumed = deltarule("train", "--resume", "kept", "--json")
    assert (resumed.code, resumed.json["test_r2"]) == (0, report["test_r2"])
    assert "resumed  after step" in resumed.err


def test_one_may_look_into_a_model_of_a_table(deltarule: Command, with_holes: Any) -> None:
    command = ("train", "--data", "houses.csv", "--target", "price", "--without", "id", "--missing", "mean", *FAST)
    assert deltarule(*command).code == 0
    told = deltarule("explain", "model.safetensors", "--example", "0")
    assert told.code == 0
    for name in ("size", "town=Bonn", "town=Kiel", "town=Ulm"):
        assert f"\n    {name} " in told.out
    assert deltarule("check", "model.safetensors", "--json").json["gradient"]["ok"]
    Path("new.csv").write_text("town,size\nUlm,100\n")
    own = deltarule("explain", "model.safetensors", "--image", "new.csv", "--json").json
    assert own["input_names"] == ["size", "town=Bonn", "town=Kiel", "town=Ulm"]
    assert deltarule("plot", "weights", "model.safetensors", "--json").code == 0
    start = ("--from", "model.safetensors", "--out", "on.safetensors")
    went_on = deltarule("train", "--data", "houses.csv", "--target", "price", *start, *FAST)
    assert went_on.code == 0


def test_a_recipe_is_looked_at_on_a_table(deltarule: Command) -> None:
    houses(60).to_csv("houses.csv", index=False)
    for command in ("check", "explain"):
        result = deltarule(command, "xor", "--data", "houses.csv", "--target", "price", "--json")
        assert (command, result.code) == (command, 0)


BAD_TABLES = {
    "constant.csv": "x,y\n1,a\n2,a\n3,a\n",
    "alone.csv": "x,y\n1,a\n2,a\n3,b\n",
    "holes.csv": "x,y\n1,a\n,b\n3,a\n4,b\n",
    "text.csv": "x,y\n1,a\n2,b\n3,a\n4,b\n",
}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--data", "constant.csv", "--target", "y"],
            1,
            "not always the same was expected: got 'a' in every row of 'y'",
        ),
        (["--data", "alone.csv", "--target", "y"], 1, "two examples or more of every class in 'y'"),
        (["--data", "text.csv", "--target", "z"], 2, "column called 'z' was expected: got none; Known: x, y"),
        (["--data", "text.csv", "--target", "y", "--without", "z"], 2, "column called 'z' was expected"),
        (["--data", "text.csv", "--target", "y", "--without", "x"], 1, "got 4 rows of 0 inputs"),
        (["--data", "text.csv", "--target", "y", "--task", "values"], 1, "numbers in the target 'y'"),
        (["--data", "holes.csv", "--target", "y"], 1, "1 in 'x', 'x' first in line 3; choose what becomes of them"),
        (["--data", "text.csv", "--without", "x"], 2, "name the column to learn with --target"),
        (["--data", "text.csv", "--missing", "drop"], 2, "name the column to learn with --target"),
        (["--data", "text.csv", "--task", "values"], 2, "name the column to learn with --target"),
        (["--data", "text.csv", "--size", "8"], 2, "--size is for a folder"),
        (["--size", "8"], 2, "--size is for a folder with a folder of images for each class: got mnist"),
        (["linear", "--missing", "mean"], 2, "name the column to learn with --target"),
        (["--data", ".", "--target", "y"], 2, "--target names a column of a CSV file"),
        (["--data", "moved.csv", "--target", "y"], 2, "moved.csv does not exist; give the CSV file with --data PATH"),
    ],
)
def test_what_is_said_before_training_starts(deltarule: Command, arguments: list[str], code: int, message: str) -> None:
    for name, content in BAD_TABLES.items():
        Path(name).write_text(content)
    got = deltarule("train", *arguments)
    assert (got.code, got.out) == (code, "")
    assert message in got.err
    assert not Path("model.safetensors").exists()


def test_a_table_unlike_the_one_learned_from(deltarule: Command) -> None:
    houses(60).to_csv("houses.csv", index=False)
    assert deltarule("train", "--data", "houses.csv", "--target", "price", "--without", "id", *FAST).code == 0
    for content, code, message in (
        ("size,town\nlarge,Ulm\n", 1, "line 2, column 'size': 'large' is not a number"),
        ("size,town\n100,Rome\n", 1, "line 2, column 'town': 'Rome' was never seen; Known: Bonn, Kiel, Ulm"),
        ("town\nUlm\n", 1, "got none called 'size'; Known: town"),
        ("size,town,size\n1,Ulm,1\n", 2, "columns of different names were expected: got 'size' twice"),
    ):
        Path("new.csv").write_text(content)
        got = deltarule("predict", "new.csv")
        assert (got.code, got.out) == (code, "")
        assert message in got.err
    Path("new.csv").write_text("size,town\n100,Ulm\n")
    assert "rows without it are for deltarule predict new.csv" in " ".join(
        deltarule("evaluate", "model.safetensors", "--data", "new.csv").err.split()
    )
    Path("new.csv").write_text("town,size,price\nRome,100,3\n")
    got = deltarule("evaluate", "model.safetensors", "--data", "new.csv")
    assert (got.code, got.out) == (1, "")
    assert "'Rome' was never seen" in got.err
    Path("new.csv").write_text("town,size\nUlm,100\n")
    got = deltarule("evaluate", "model.safetensors", "--data", "new.csv")
    assert got.code == 2
    assert "one column called 'price' was expected" in got.err


def test_a_category_in_the_test_part_alone_is_said(deltarule: Command) -> None:
    lines = ["x,color,y", *(f"{k},{'red' if k % 2 else 'blue'},{k}.5" for k in range(10)), "11,green,3", "12,red,4"]
    Path("colors.csv").write_text("\n".join(lines))
    split = "data.split={kind = 'head', train = 10}"
    got = deltarule("train", "xor", "--data", "colors.csv", "--target", "y", "--set", split, "--epochs", "1")
    assert got.code == 0
    assert "unseen   color=green: in no example to learn from, so nothing is learned of it" in got.err


@pytest.fixture
def pictures() -> Any:
    """Sixty digits in a folder for each class, every other one of twice the size; the digits."""
    pillow = pytest.importorskip("PIL.Image")
    digits = load_data("digits").train.take(slice(60))
    for k, (pixels, label) in enumerate(zip(digits.inputs, digits.targets, strict=True)):
        folder = Path("pictures", f"class {label}")
        folder.mkdir(parents=True, exist_ok=True)
        image = pillow.fromarray(pixels.reshape(28, 28))
        (image.resize((56, 56), pillow.Resampling.NEAREST) if k % 2 else image).save(folder / f"{k}.png")
    return digits


def test_a_folder_of_images_of_any_size_end_to_end(deltarule: Command, pictures: Any) -> None:
    refused = deltarule("train", "--data", "pictures")
    assert refused.code == 1
    assert "--size resizes them" in refused.err
    trained = deltarule("train", "--data", "pictures", "--size", "14", "--epochs", "40", "--engine", "numpy", "--json")
    assert trained.json["test_accuracy"] > 0.3
    model = load("model.safetensors")
    assert (model.image_shape, model.class_names[:2]) == ((14, 14), ("class 0", "class 1"))
    judged = deltarule("evaluate", "model.safetensors", "--json").json
    assert judged["accuracy"] == trained.json["test_accuracy"]
    everywhere = deltarule("predict", "pictures", "--model", "model.safetensors", "--json").json
    assert len(everywhere) == 60
    right = sum(Path(answer["input"]).parent.name == answer["label"] for answer in everywhere)
    assert right > 40
    assert deltarule("predict", "pictures/class 0", "--model", "model.safetensors").out.count(
        "pictures/class 0/"
    ) == len(list(Path("pictures/class 0").iterdir()))
    Path("empty").mkdir()
    nothing = deltarule("predict", "empty")
    assert (nothing.code, nothing.out) == (2, "")
    assert "must exist: got empty" in nothing.err


def test_kaggles_digits_in_two_commands(deltarule: Command) -> None:
    """In the form of its files; benchmarks/tables.py makes them of MNIST, as many rows as Kaggle's."""
    digits = load_data("digits").train
    header = [f"pixel{k}" for k in range(784)]
    with Path("train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["label", *header], *np.column_stack([digits.targets, digits.inputs]).tolist()])
    test = load_data("digits").test
    assert test is not None
    with Path("test.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *test.inputs.tolist()])
    train = ("train", "linear", "--data", "train.csv", "--epochs", "20", "--engine", "numpy", "--out", "m.safetensors")
    assert deltarule(*train).code == 0
    assert deltarule("predict", "--kaggle", "test.csv", "--model", "m.safetensors", "--out", "submission.csv").code == 0
    with Path("submission.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names == ["ImageId", "Label"]
    numbers, labels = np.array(rows, dtype=np.int64).T
    np.testing.assert_array_equal(numbers, np.arange(1, 361))
    accuracy = (labels == test.targets).mean()
    assert accuracy > 0.8


def test_a_table_in_a_file_needs_no_pandas(deltarule: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("table.csv").write_text("x,color,y\n" + "".join(f"{k},{'red' if k % 3 else 'blue'},{k}.5\n" for k in range(9)))
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert deltarule("train", "--data", "table.csv", "--target", "y", *FAST).code == 0
    assert len(deltarule("predict", "table.csv", "--json").json) == 9


def test_a_frame_and_its_file_are_counted_alike(with_holes: Any) -> None:
    table = read_table(with_holes, "price", without=["id"], missing="mean", announce=lambda _: None)
    how = {"target": "price", "task": "values", "columns": table.columns, "missing": "mean"}
    known = read("houses.csv", announce=lambda _: None, **how).splits.train
    np.testing.assert_array_equal(known.inputs, table.inputs)
    np.testing.assert_array_equal(known.targets, table.targets)


def test_a_table_is_compared_with_what_is_simpler(deltarule: Command) -> None:
    rng = np.random.default_rng(1)
    y = rng.random(300) < 0.15
    frame = pandas.DataFrame({"x": rng.normal(size=300) + y, "ill": np.where(y, "yes", "no")})
    frame.to_csv("ill.csv", index=False)
    out = deltarule("train", "--data", "ill.csv", "--target", "ill", "--epochs", "20")
    assert "chosen   weight decay" in out.err
    assert "compare  on the same test: the commonest class 8" in out.out
    assert "recall   no" in out.out
    said = deltarule("evaluate", "model.safetensors").out
    assert "on the rows learned from" in said
    assert "a linear network" in said
    own = deltarule(
        "train", "--data", "ill.csv", "--target", "ill", "--epochs", "2", "--set", "optimizer=adam", "--force"
    )
    assert "chosen" not in own.err
