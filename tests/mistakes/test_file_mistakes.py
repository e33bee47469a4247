"""What beginners do with files and on the command line: what is said to them, which holds the way out."""

import sys
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.cli import main
from deltarule.errors import DeltaruleError
from deltarule.recipes.schema import parse

RECIPE = '[about]\nname = "mine"\n[data]\nname = "digits"\n[network]\nhidden = [16]\n'
RECIPE += "[training]\nschedule = 0.1\nepochs = 1\n"
ROWS = "".join(f"{k},{'xy'[k % 2]},{k}.5\n" for k in range(30))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1.5,2.5\n2.5,3.5\n4.5,5.5\n", "line 1 must name the columns, 'price' among them: got 1.5,2.5; add a line"),
        (
            '{"size":{"0":1.0},"price":{"0":2.0}}',
            "a CSV was expected: got something else; write one:  pandas.read_excel(",
        ),
        ("PK\3\4\0\0", "pandas.read_excel('PLACE').to_csv('data.csv', index=False)"),
    ],
    ids=["no-header", "json", "excel"],
)
def test_a_table_of_another_kind_is_answered(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DeltaruleError) as caught:
        dr.read_table(path, "price", announce=lambda text: None)
    assert message in str(caught.value).replace(str(path), "PLACE")


def test_a_table_that_excel_wrote_as_unicode_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "h.txt"
    path.write_text("size,kind,price\n" + ROWS, encoding="utf-16")
    table = dr.read_table(path, "price", announce=lambda text: None)
    np.testing.assert_array_equal(table.targets[:, 0], np.arange(30) + 0.5)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["$1,200", "$900", "$1,000"], "in $ and with a comma at the thousands"),
        (["\N{EURO SIGN} 12.5", "\N{EURO SIGN} 9", "\N{EURO SIGN} 10"], "in \N{EURO SIGN}"),
        (["12.5 %", "9 %", "10 %"], "in percent, 6.45% as 6.45"),
    ],
)
def test_numbers_with_a_sign_are_read_as_numbers(cells: list[str], said: str, tmp_path: Path) -> None:
    path, lines = tmp_path / "h.csv", list[str]()
    path.write_text("size,price\n" + "".join(f'{k},"{cells[k % 3]}"\n' for k in range(30)), encoding="utf-8")
    table = dr.read_table(path, "size", announce=lines.append)
    assert not table.columns[0].categories
    assert set(table.inputs[:, 0]) in ({1200.0, 900.0, 1000.0}, {12.5, 9.0, 10.0})
    assert f"'price' holds numbers {said}" in lines[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a line of names and rows were expected: got an empty file"),
        ('a,b,c\n1,2,3\n1,"2,4\n', "in which a quote is not closed"),
    ],
)
def test_a_broken_table_is_answered(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text(content)
    with pytest.raises(DeltaruleError, match=message):
        dr.read_table(path, "b", announce=lambda text: None)


def test_a_text_in_the_place_of_a_model_is_answered(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("some notes")
    with pytest.raises(DeltaruleError, match=r"got something else; give a file that dr.save or deltarule train wrote$"):
        dr.load(tmp_path / "notes.txt")


def test_a_question_mark_is_a_missing_cell(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("size,kind,price\n" + ROWS + "?,?,5.5\n,y,1.5\n")
    with pytest.raises(DeltaruleError, match="got 2 in 'size', 'size' first in line 32; choose"):
        dr.read_table(path, "price", announce=lambda text: None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"target": "price", "without": "size,kind"},
            "name each by itself, --without size --without kind, or without=['si",
        ),
        ({"target": "price", "task": "classes"}, "or --task values for numbers to predict, were expected"),
    ],
    ids=["names-in-one", "values-as-classes"],
)
def test_a_table_read_in_another_way_is_answered(words: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("size,kind,price\n" + ROWS)
    with pytest.raises(DeltaruleError) as caught:
        dr.read_table(path, **words)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("hidden = [16]", "hidden = [16]\nactivation = relu", 'write activation = "relu"'),
        ("schedule = 0.1", "schedule: 0.1", "write schedule = 0.1"),
        ("schedule = 0.1", "lr = 0.1", 'training.schedule.rate, as in schedule = {name = "cosine", rate = 0.01}?'),
        ("hidden", "layers", "did you mean network.hidden, without inputs and outputs?"),
        ("hidden = [16]", "hidden = [16]\ndropout = False", "write dropout = 0.0"),
        ("hidden = [16]", "hidden = [16]\noutput = None", "leave output out"),
        ("hidden = [16]", "hidden = [16", "write hidden = [16]"),
        ("hidden = [16]", "hidden = (16,)", "write hidden = [16]"),
        ("epochs = 1", "epochs = 1\nepochs = 2", "give epochs once"),
        ("schedule = 0.1", "schedule = 0,1", "write schedule = 0.1"),
        (
            "schedule = 0.1",
            'schedule = {"name": "cosine", "rate": 0.1}',
            'write schedule = {name = "cosine", rate = 0.1}',
        ),
        ("[training]", "[network]\n[training]", "put all of its settings under one [network]"),
        ("[training]", "[training", "write [training]"),
        ("[network]", "network:", "write [network] above its settings, each as KEY = VALUE"),
        ('"digits"', '"digits', 'write name = "digits"'),
        ("[about]", "epochs = 3\n[about]", "did you mean training.epochs? Write it under [training]"),
    ],
)
def test_a_recipe_that_is_not_one_is_answered(right: str, wrong: str, message: str) -> None:
    parse(RECIPE, "mine")
    with pytest.raises(DeltaruleError) as caught:
        parse(RECIPE.replace(right, wrong), "mine")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--data digits train", "deltarule has no option '--data': use deltarule train --data digits"),
        ("--verison", "deltarule has no option '--verison': use deltarule --help"),
        ("-v", "deltarule has no option '-v': use deltarule --version"),
        ("evaluate m", "is there; did you mean 'm.safetensors'?"),
        ("train xor epochs 5", "train does not take epochs: use deltarule train xor --epochs 5;"),
        ("version", "deltarule has no command 'version': use deltarule --version"),
        ("help train", "deltarule has no command 'help': use deltarule train --help"),
        ("evaluate m.safetensors --data h.csv --target price", "this model reads images: got h.csv; give data of that"),
        ("predict 7.png --model t.safetensors", "this model reads the columns size, kind of a table: got 7.png; give"),
        ("train --data h.csv --target price --missing mode", "--missing must be one of 'error', 'drop', 'mean', 'med"),
        ("train --data h.csv --target price --task classification", "got 'classification'; use --task classes"),
        ("train xor --set training.schedule=cosine", "use --set 'training.schedule={name = \"cosine\", rate = 0.001}'"),
        (
            "train quick --set training.optimizer.name=sgd",
            "use --set training.optimizer=sgd alone, or --set 'training.",
        ),
        ("learn check", "and checks what is in it: got check; use  deltarule learn my-network"),
        ("playground --browser", "playground has no option --browser: leave it out;"),
        ("predict 7.png --probabilities", "did you mean --json?"),
        ("train mine.toml", "deltarule recipes quick > mine.toml  writes one"),
        (
            "train xor --set training.optimizer={name='sgd',lr=1}",
            "the learning rate is  --learning-rate 0.01  on the comm",
        ),
        ("check h", "got h, which is none of these; did you mean 'h.py'?"),
        ("train --data h.csv --exclude size", "did you mean --without?"),
        ("train --data h.csv --target kind --task values", "(else --task classes) were expected"),
        ("recipes --name quick", "leave it out, as in deltarule recipes quick"),
        ("evaluate m.safetensors 7.png", "use deltarule evaluate m.safetensors; "),
        ("explain 7.png", "deltarule explain pretrained --image 7.png  shows how"),
        ("train digits --log-dir out", "did you mean --run?"),
        ("export m.safetensors --output m.onnx", "did you mean --onnx?"),
        ("learn grade", "use  deltarule learn grade my-network"),
        (
            "plot loss m.safetensors --out l.png",
            "did you mean 'curves'? curves is drawn by dr.plot(\"curves\", history); from",
        ),
        ("playground 8080", "playground does not take 8080: use deltarule playground --port 8080;"),
        ("train 20", "train does not take 20: use deltarule train --epochs 20;"),
        (
            "predict w.csv --model m.safetensors",
            "this model reads 16 numbers per row: got 9 in w.csv; give data of that",
        ),
        (
            "explain m.safetensors --image w.csv",
            "this model reads 16 numbers per row: got 9 in w.csv; give data of that",
        ),
        ("explain m.safetensors --data digits", "this model reads 16 numbers per row: got 784 in digits; give data of"),
        (
            "evaluate m.safetensors --data digits",
            "this model reads 16 numbers per row: got 784 in digits; give data of",
        ),
        (
            "plot confusion m.safetensors --data digits --json",
            "this model reads 16 numbers per row: got 784 in digits;",
        ),
        ("train digits --from m.safetensors --epochs 1", "this model reads 16 numbers per row: got 784 in digits;"),
        ("predict w.npy --model t.safetensors", "this model reads 2 numbers per row: got 9 in w.npy; give data of"),
        ("data info m.safetensors", "deltarule evaluate m.safetensors  scores it,"),
        ("learn softmax", "for step softmax use  deltarule learn --step softmax"),
        ("data fetch h.csv", "use  deltarule data info h.csv"),
        (
            "predict 7.png --model h.csv",
            "give data as  deltarule evaluate MODEL --data h.csv  or  deltarule predict h.csv",
        ),
        ("predict h.csv", "a model of that table reads it with  deltarule predict h.csv --model MODEL"),
        ("evaluate m.pt", "use dr.from_torch(torch.load('m.pt'), hidden=\"relu\")"),
    ],
)
def test_a_line_is_answered(
    line: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("h.py").touch()
    Path("h.csv").write_text("size,kind,price\n" + ROWS)
    Path("w.csv").write_text("0,1,2,3,4,5,6,7,255\n" * 3)
    np.save("w.npy", np.ones((2, 9)))
    Path("7.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("m.pt").write_bytes(b"PK\3\4 and more")
    dr.save(dr.Network((16, 3), pixels=True), "m.safetensors")
    table = dr.read_table("h.csv", "price", announce=lambda text: None)
    values = dr.Network((table.n_inputs, 1), output="identity", loss="quadratic")
    dr.save(dr.Model.suited(values, table), "t.safetensors")
    monkeypatch.setattr(sys, "argv", ["deltarule", *line.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in (1, 2)
    assert message in " ".join(capsys.readouterr().err.split("\n")).replace("         ", " ")
