"""deltarule predict: the same answers from every kind of file, and Kaggle's form."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idx_files import write_idx

from deltarule.data.catalog import load as load_data
from deltarule.data.columns import Column
from deltarule.files.model_file import load, save
from deltarule.inspection.presentation import text_image
from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network

Command = Callable[..., Any]


@pytest.fixture
def images() -> Array:
    """Five digits, (5, 28, 28)."""
    test = load_data("digits").test
    assert test is not None
    return test.inputs[:5].reshape(-1, 28, 28)


def write_pixels(path: str, images: Array) -> None:
    header = ",".join(f"pixel{k}" for k in range(784))
    Path(path).write_text("\n".join([header, *(",".join(map(str, image.ravel())) for image in images)]))


def test_every_kind_of_file_gives_the_answers_of_the_model(
    deltarule: Command, digits_model: Path, images: Array
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    names = [f"{k}.png" for k in range(5)]
    for name, image in zip(names, images, strict=True):
        pillow.fromarray(image).save(name)
    write_pixels("five.csv", images)
    np.savez("five.npz", X=images, y=np.zeros(5, np.int64))
    write_idx("five-idx3-ubyte.gz", images)
    files = [*names, "five.csv", "five.npz", "five-idx3-ubyte.gz"]
    answers = deltarule("predict", *files, "--model", digits_model, "--json").json
    assert [(answer["input"], answer["row"]) for answer in answers] == [
        *((name, 0) for name in names),
        *((name, row) for name in files[5:] for row in range(5)),
    ]
    probabilities = load(digits_model).probabilities(images)
    for k, answer in enumerate(answers):
        p = dict(zip("0123456789", probabilities[k % 5], strict=True))
        assert answer["probabilities"] == pytest.approx(p, rel=1e-5)
        assert answer["label"] == max(p, key=p.__getitem__)
        assert answer["probability"] == answer["probabilities"][answer["label"]]


def test_a_line_for_each_row(deltarule: Command, digits_model: Path, images: Array) -> None:
    write_pixels("five.csv", images)
    write_pixels("one.csv", images[:1])
    answers = deltarule("predict", "five.csv", "one.csv", "--model", digits_model, "--json").json
    assert deltarule("predict", "five.csv", "one.csv", "--model", digits_model).out.splitlines() == [
        f"{answer['input']}{place}  {answer['label']}  {100 * answer['probability']:.2f} %"
        for answer, place in zip(answers, ["[0]", "[1]", "[2]", "[3]", "[4]", ""], strict=True)
    ]


def test_show_draws_the_image(deltarule: Command, digits_model: Path, images: Array) -> None:
    write_pixels("one.csv", images[:1])
    drawn = deltarule("predict", "one.csv", "--show", "--model", digits_model).out
    assert drawn.startswith(text_image(images[0]).strip("\n"))


def test_ten_sigmoids_are_no_probabilities(deltarule: Command, images: Array) -> None:
    assert deltarule("train", "nielsen-30", "--data", "digits", "--epochs", "1").code == 0
    write_pixels("one.csv", images[:1])
    (answer,) = deltarule("predict", "one.csv", "--json").json
    assert answer["activation"] == max(answer["activations"].values())
    assert "probability" not in answer
    assert f"activation {answer['activation']:.4f}" in deltarule("predict", "one.csv").out


def test_one_sigmoid_is_a_probability_of_yes(deltarule: Command) -> None:
    assert deltarule("train", "cute-dog", "--epochs", "100").code == 0
    Path("dogs.csv").write_text("size\n1.0\n4.0\n")
    small, large = deltarule("predict", "dogs.csv", "--json").json
    assert (small["label"], large["label"]) == ([], ["cute"])
    assert small["probabilities"]["cute"] < 0.1 < 0.9 < large["probabilities"]["cute"]
    lines = deltarule("predict", "dogs.csv").out.splitlines()
    assert lines[0].startswith("dogs.csv[0]  not cute (0.0")
    assert lines[1].startswith("dogs.csv[1]  cute (0.9")


def test_values_come_in_their_units(deltarule: Command, arithmetic_model: Path) -> None:
    Path("numbers.csv").write_text("\ufeffa,b\r\n3,4\r\n-5,2.5\r\n\r\n")
    values = load(arithmetic_model).predict(np.array([[3.0, 4.0], [-5.0, 2.5]]))
    answers = deltarule("predict", "numbers.csv", "--model", arithmetic_model, "--json").json
    assert [list(answer["values"].values()) for answer in answers] == values.tolist()
    first = deltarule("predict", "numbers.csv", "--model", arithmetic_model).out.splitlines()[0]
    assert first.startswith(f"numbers.csv[0]  a + b = {values[0, 0]:.6g}")


def test_a_tables_target_may_stay_in_the_file(deltarule: Command) -> None:
    Path("sizes.csv").write_text("x,kind,z\n" + "\n".join(f"{x},{'ab'[x > 20]},{-x}" for x in range(40)))
    assert deltarule("train", "--data", "sizes.csv", "--target", "kind", "--epochs", "1").code == 0
    Path("new.csv").write_text("x,z\n0,0\n39,-39\n")
    old, new = (deltarule("predict", name, "--json").json for name in ("sizes.csv", "new.csv"))
    for known, asked in zip((old[0], old[-1]), new, strict=True):
        assert known["probabilities"] == pytest.approx(asked["probabilities"], abs=1e-6)


def test_kaggles_form(deltarule: Command, digits_model: Path, images: Array) -> None:
    write_pixels("test.csv", images)
    labels = [answer["label"] for answer in deltarule("predict", "test.csv", "--model", digits_model, "--json").json]
    options = ("--kaggle", "test.csv", "--model", digits_model, "--out", "submission.csv")
    assert deltarule("predict", *options, "--json").json == {"rows": 5, "out": "submission.csv"}
    expected = "ImageId,Label\n" + "".join(f"{k},{label}\n" for k, label in enumerate(labels, start=1))
    assert Path("submission.csv").read_bytes() == expected.encode()
    assert deltarule("predict", *options).code == 2  # a CSV does not say who wrote it
    assert "5 answers are in submission.csv" in deltarule("predict", *options, "--force").out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give either FILE"),
        (["--kaggle", "small.csv"], 2, "give either FILE"),
        (["nothing.png"], 2, "must exist: got nothing.png"),
        (["small.csv", "--model", "nothing"], 2, "deltarule train  makes one"),
        (["--kaggle", "small.csv", "--out", "missing/s.csv"], 2, "its folder does not exist"),
        (["small.csv"], 2, "this model reads 784 numbers per row: got 4 in small.csv; give data of"),
        (["table.csv"], 1, "table.csv"),
        (["."], 2, "must exist: got ."),
        (["noise"], 2, "starts with 00 00 08"),
    ],
)
def test_what_cannot_be_predicted(
    deltarule: Command, digits_model: Path, arguments: list[str], code: int, message: str
) -> None:
    Path("small.csv").write_text("1,2,3,4\n")
    Path("table.csv").write_text("a,b\n0.5,x\n")
    Path("noise").write_bytes(b"no IDX")
    Path("model.safetensors").write_bytes(digits_model.read_bytes())
    got = deltarule("predict", *arguments)
    assert (got.code, got.out) == (code, "")
    assert message in got.err


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b\n1,x\n", "a,b\n1,nan\n", "a,b\n1\n"])
def test_rows_that_are_no_numbers(deltarule: Command, arithmetic_model: Path, content: str) -> None:
    Path("rows.csv").write_text(content)
    code, out, err = deltarule("predict", "rows.csv", "--model", arithmetic_model)
    assert (code, out) == (1, "")
    assert "rows.csv" in err


def test_a_regression_draws_nothing_and_submits_nothing(deltarule: Command, arithmetic_model: Path) -> None:
    Path("rows.csv").write_text("a,b\n1,2\n")
    assert deltarule("predict", "rows.csv", "--show", "--model", arithmetic_model).code == 2
    assert deltarule("predict", "--kaggle", "rows.csv", "--out", "s.csv", "--model", arithmetic_model).code == 2
    assert not Path("s.csv").exists()


def picture(name: str, *ink: tuple[slice, slice], paper: int = 255) -> str:
    """A file of 300 x 200 pixels with strokes, each some rows and columns."""
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.full((200, 300), paper, np.uint8)
    for rows, columns in ink:
        pixels[rows, columns] = 255 - paper
    pillow.fromarray(pixels).save(name)
    return name


HUGE_BMP = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 5000, 5000, 1, 24, 0, 0, 0, 0, 0, 0)
ONE = (slice(40, 160), slice(150, 162))
SEVEN = (slice(40, 52), slice(100, 162)), ONE


def test_pictures_of_any_size_are_read_by_the_network_in_the_box(deltarule: Command) -> None:
    files = [picture("one.bmp", ONE), picture("seven.webp", *SEVEN), picture("7.png", *SEVEN, paper=0)]
    files.append(picture("dark.png", *SEVEN))
    result = deltarule("predict", *files, "--json")
    assert (result.code, [answer["label"] for answer in result.json]) == (0, ["1", "7", "7", "7"])
    assert "pretrained.safetensors" in result.err
    assert deltarule("predict", *files, "--model", "pretrained", "--json").json == result.json
    assert result.json[2]["probabilities"] == result.json[3]["probabilities"]
    assert result.json[1]["probabilities"] == pytest.approx(result.json[2]["probabilities"], abs=1e-4)  # a lossy file


def test_pictures_are_for_the_network_in_the_box_though_another_lies_here(
    deltarule: Command, digits_model: Path, images: Array
) -> None:
    file = picture("seven.png", *SEVEN)
    in_the_box = deltarule("predict", file, "--json")
    Path("model.safetensors").write_bytes(digits_model.read_bytes())
    here = deltarule("predict", file, "--json")
    assert here.json == in_the_box.json
    assert "pretrained.safetensors: 784-128-128-10" in here.err
    assert "only if you pass  --model model.safetensors" in here.err
    assert "unless" not in in_the_box.err
    mine = deltarule("predict", file, "--model", "model.safetensors", "--json")
    assert mine.json != here.json
    assert "unless" not in mine.err
    Path("many").mkdir()
    Path(file).rename("many/7.PNG")
    assert deltarule("predict", "many", "--json").json[0]["probabilities"] == here.json[0]["probabilities"]
    write_pixels("one.csv", images[:1])
    both = deltarule("predict", "many", "one.csv", "--json").json
    assert both[0]["probabilities"] == mine.json[0]["probabilities"]


def test_a_model_trained_here_comes_before_the_bundled_one(
    deltarule: Command, digits_model: Path, images: Array
) -> None:
    write_pixels("one.csv", images[:1])
    in_the_box = deltarule("predict", "one.csv", "--json").json
    Path("model.safetensors").write_bytes(digits_model.read_bytes())
    here = deltarule("predict", "one.csv", "--json").json
    assert here == deltarule("predict", "one.csv", "--model", digits_model, "--json").json != in_the_box


def test_show_draws_what_the_network_was_given(deltarule: Command) -> None:
    lines = deltarule("predict", picture("one.png", ONE), "--show").out.splitlines()
    assert [line.strip() for line in lines[:-1] if line.strip()] == ["██"] * 10
    assert lines[-1].startswith("one.png  1  ")


def test_a_blank_picture_is_said_and_the_others_are_answered(deltarule: Command) -> None:
    files = [picture("blank.png"), picture("one.png", ONE)]
    code, out, err = deltarule("predict", *files, "--show")
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == "blank.png  no digit"
    assert lines[-1].startswith("one.png  1  ")
    assert "blank.png: a picture of a digit was expected: got no ink on the paper" in err
    blank, one = deltarule("predict", *files, "--json").json
    assert blank == {"input": "blank.png", "row": 0, "label": None, "probability": None, "probabilities": None}
    assert one["label"] == "1"


def test_a_model_of_other_images_takes_them_as_they_are(deltarule: Command, digits_model: Path) -> None:
    letters = load(digits_model).with_meaning(class_names=tuple("abcdefghij"), reading="images")
    save(letters, "letters.safetensors")
    code, _, err = deltarule("predict", picture("wide.png", ONE), "--model", "letters.safetensors")
    assert code == 1
    assert "28x28 pixels was expected: got 200x300" in err


def test_a_picture_can_be_explained(deltarule: Command) -> None:
    walk = deltarule("explain", "pretrained", "--image", picture("one.png", ONE), "--json")
    assert walk.code == 0
    blank = deltarule("explain", "pretrained", "--image", picture("blank.png"))
    assert (blank.code, blank.out) == (1, "")
    assert "got no ink on the paper" in blank.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n", "cannot be read"),
        (b"BM" + b"\xff" * 60, "picture.png: a"),
        (HUGE_BMP, "16 megapixels was expected: got 5000 x 5000"),
    ],
)
def test_files_that_are_no_pictures(deltarule: Command, content: bytes, message: str) -> None:
    Path("picture.png").write_bytes(content)
    code, out, err = deltarule("predict", "picture.png")
    assert (code, out) == (1, "")
    assert message in err


def test_json_is_json(deltarule: Command, digits_model: Path, images: Array) -> None:
    write_pixels("one.csv", images[:1])
    out = deltarule("predict", "one.csv", "--model", digits_model, "--json").out
    assert isinstance(json.loads(out), list)


def test_a_first_line_of_numbers_is_a_row(deltarule: Command) -> None:
    """A plain model knows no names of columns; a table's model needs them."""
    Path("rows.csv").write_text("1,0\n0,1\n")
    Path("one.csv").write_text("1,0\n")
    save(Network((2, 3), rng=1), "plain.safetensors")
    answers = deltarule("predict", "rows.csv", "--model", "plain.safetensors", "--json")
    assert [each["row"] for each in answers.json] == [0, 1]
    assert "line 1 holds numbers, and is read as a row" in answers.err
    assert len(deltarule("predict", "one.csv", "--model", "plain.safetensors", "--json").json) == 1
    save(Model(Network((2, 3), rng=1), columns=(Column("size"), Column("rooms"))), "table.safetensors")
    code, out, err = deltarule("predict", "one.csv", "--model", "table.safetensors")
    assert (code, out) == (1, "")
    assert "one.csv: line 1 must name the columns: size,rooms; got 1,0" in " ".join(err.split())


def test_a_picture_of_a_house_is_unusual_and_a_digit_is_not(deltarule: Command) -> None:
    from PIL import Image, ImageDraw

    house = Image.new("L", (200, 200), 255)
    for line in [(50, 100, 50, 180, 150, 180, 150, 100), (35, 105, 100, 30, 165, 105, 35, 105)]:
        ImageDraw.Draw(house).line(line, fill=0, width=12)
    house.save("house.png")
    files = ["house.png", picture("one.png", ONE)]
    strange, usual = deltarule("predict", *files, "--json").json
    assert strange["unusual"] >= 0.5 > 0.05 > usual["unusual"] >= 0.0
    lines = deltarule("predict", *files).out.splitlines()
    assert lines[0].endswith(f"  unusual ({100 * strange['unusual']:.2f} %): unlike what it learned")
    assert lines[1].startswith("one.png  1  ")
    assert "unusual" not in lines[1]


def test_only_a_model_that_has_learned_it_says_what_is_unusual(deltarule: Command, digits_model: Path) -> None:
    (answer,) = deltarule("predict", picture("one.png", ONE), "--model", digits_model, "--json").json
    assert "unusual" not in answer
