"""Two hundred CSVs, each written another way: read rightly, or refused with the cause; never misread in silence.

The writer knows nothing of the reader: no table of its names, separators or words is imported.
"""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltarule.data.columns import Column
from deltarule.data.readers.kinds import read
from deltarule.data.readers.tables import read_table
from deltarule.errors import DataError, SettingError
from deltarule.files.exchange.onnx import onnx_bytes
from deltarule.files.model_file import load, save
from deltarule.model import Model
from deltarule.nn.network import Network

LABELS = ["label", "Label", "class", "target", "digit", "y", "CLASS", "Target"]
TOWNS = ["Köln", "Århus", "Orléans", "Bonn", "Łódź"]
CAUSES = (
    "say which:  --label",
    "has a comma or point that may mark decimals or thousands",
    "UTF-8, UTF-16 or Windows-1252 was expected",
)
N_ROWS = 60


def written(rows: list[list[str]], rng: np.random.Generator, encodings: list[str]) -> tuple[bytes, str]:
    """The bytes of a CSV of these cells, in some dialect; and its separator."""
    has_commas = any("," in cell for row in rows for cell in row)
    separator = str(rng.choice([";", "\t"] if has_commas and rng.random() < 0.7 else [",", ";", "\t", "|", " "]))
    quoting = int(rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    newline = str(rng.choice(["\n", "\r\n"]))
    table = io.StringIO()
    csv.writer(table, delimiter=separator, quoting=quoting, lineterminator=newline).writerows(rows)
    text = table.getvalue()
    if rng.random() < 0.15:
        text = text.replace(newline, separator + newline)
    if rng.random() < 0.15:
        text = text.replace(newline, newline + newline, 3)
    if rng.random() < 0.15 and quoting == csv.QUOTE_MINIMAL and separator == ",":
        text = text.replace(",", ", ")
    text = text if rng.random() < 0.8 else text.rstrip("\r\n")
    encoding = str(rng.choice(encodings))
    try:
        return text.encode(encoding), separator
    except UnicodeEncodeError:
        return text.encode(), separator


def number(value: float, kind: str) -> str:
    """A number as people write it."""
    text = f"{value:.3f}"
    return {
        "decimal comma": text.replace(".", ","),
        "thousands": f"{value:,.3f}",
        "whole thousands": f"{value:,.0f}",
        "european": f"{value:,.3f}".translate(str.maketrans(",.", ".,")),
        "whole european": f"{value:,.0f}".replace(",", "."),
        "spaced": f"{value:,.3f}".replace(",", " ").replace(".", ","),
        "no-break space": f"{value:,.3f}".replace(",", "\u202f").replace(".", ","),
        "swiss": f"{value:,.3f}".replace(",", "'"),
        "percent": f"{text}%",
        "exponent": f"{value:.6e}",
    }.get(kind, text)


def pixel_file(rng: np.random.Generator) -> tuple[bytes, np.ndarray, list[str]]:
    """A CSV of images with labels; its pixels and labels."""
    side = int(rng.integers(3, 8))
    pixels = rng.integers(256, size=(N_ROWS, side**2))
    pixels[:, rng.integers(side**2)] = 0
    labels = (
        [str(k) for k in rng.integers(4, size=N_ROWS)]
        if rng.random() < 0.8
        else [*map(str, rng.choice(TOWNS[: rng.integers(3, 6)], N_ROWS))]
    )
    how = rng.choice(["int", "int", "float", "exponent", "unit", "short unit"])
    form = {"int": "{:d}", "float": "{:.1f}", "exponent": "{:.2e}", "unit": "{:.7f}", "short unit": "{:.5g}"}[str(how)]
    shown = pixels / 255 if "unit" in how else pixels if how == "int" else pixels.astype(float)
    stem = str(rng.choice(["pixel{k}", "p{k}", "{r}x{c}", "{k}"]))
    names = [stem.format(k=k, r=k // side + 1, c=k % side + 1) for k in range(side**2)]
    at = int(rng.choice([0, 0, side**2, side**2 // 2]))
    has_index, has_header = rng.random() < 0.25, rng.random() < 0.75
    rows = [[*names[:at], str(rng.choice(LABELS)), *names[at:]]] if has_header else []
    for label, row in zip(labels, shown.tolist(), strict=True):
        cells = [form.format(value) for value in row]
        rows.append([*cells[:at], label, *cells[at:]])
    if has_index:
        first = int(rng.integers(2))
        start = [str(rng.choice(["", "id", "index", "Unnamed: 0"]))] if has_header else []
        rows = [[cell, *row] for cell, row in zip([*start, *map(str, range(first, N_ROWS + first))], rows, strict=True)]
    content, _ = written(rows, rng, ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"])
    return content, pixels, labels


def table_file(rng: np.random.Generator) -> tuple[bytes, np.ndarray, list[str]]:
    """A CSV of two columns of numbers, towns and a target; the numbers, and the towns."""
    kinds = ["plain", "decimal comma", "thousands", "whole thousands", "european", "spaced", "percent", "exponent"]
    continental = ["whole european", "european", "decimal comma", "no-break space"]  # no file mixes the two points
    chosen = [str(kind) for kind in rng.choice([*kinds, "swiss"] if rng.random() < 0.75 else continental, 2)]
    values = np.stack([rng.uniform(-5, 5, N_ROWS), rng.uniform(-9e3, 9e3, N_ROWS)], axis=1).round(3)
    values[:, [kind.startswith("whole") for kind in chosen]] *= 1000.0
    towns = [*map(str, rng.choice(TOWNS[: rng.integers(3, 6)], N_ROWS))]
    rows = [[str(rng.choice(["a", "a, in m", "a;b"])), "b", "town", "goal"]]
    goals = ["yes", "no"] * (N_ROWS // 2)
    cells = zip(values.tolist(), towns, goals, strict=True)
    rows += [[*map(number, numbers, chosen), town, goal] for numbers, town, goal in cells]
    if rng.random() < 0.25:
        is_from_r = rng.random() < 0.5  # write.table leaves the first name out
        names = [[] if is_from_r else [""], *([str(k)] for k in range(1, N_ROWS + 1))]
        rows = [name + row for name, row in zip(names, rows, strict=True)]
    content, _ = written(rows, rng, ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "mac-roman", "cp437"])
    return content, values, towns


def test_csvs_are_read_rightly_or_refused(tmp_path: Path) -> None:
    refused: list[tuple[int, str]] = []
    path = tmp_path / "data.csv"
    announce: list[str] = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        content, numbers, texts = (table_file if seed % 2 else pixel_file)(rng)
        path.write_bytes(content)
        try:
            data: Any = (
                read_table(path, "goal", announce=announce.append)
                if seed % 2
                else read(path, announce=announce.append).splits.train
            )
        except (DataError, SettingError) as error:
            refused.append((seed, str(error)))
            continue
        if seed % 2:
            np.testing.assert_allclose(data.inputs[:, :2], numbers, atol=1e-6, err_msg=f"{seed}")
            assert [data.columns[2].categories[int(k)] for k in data.inputs[:, 2]] == texts, seed
        else:
            np.testing.assert_array_equal(data.inputs, numbers, err_msg=f"{seed}")
            assert [data.class_names[k] for k in data.targets] == texts, seed
    assert [(seed, said) for seed, said in refused if not any(cause in said for cause in CAUSES)] == []
    print(f"{200 - len(refused)} of 200 read rightly, {len(refused)} refused with the cause")
    assert 10 < len(refused) <= 45


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2**31),
    st.sampled_from([(",", "."), (";", ","), ("\t", ".")]),
    st.sampled_from(["mean", "median", "indicator"]),
)
def test_a_raw_row_has_one_answer(
    deltarule: Any, tmp_path: Path, seed: int, dialect: tuple[str, str], missing: Any
) -> None:
    """Numbers, texts, missing cells and texts never seen: through the model, its file, ONNX, and the command."""
    pandas, runtime = pytest.importorskip("pandas"), pytest.importorskip("onnxruntime")
    rng, (separator, point) = np.random.default_rng(seed), dialect
    frame = pandas.DataFrame({"size": rng.normal(50, 9, 20).round(2), "town": rng.choice(["Köln", "Ulm"], 20)})
    frame["age"] = rng.integers(20, 90, 20)
    frame["kind"] = ["a", "b"] * 10
    frame.loc[rng.choice(20, 4), "size"] = None
    frame.loc[rng.choice(20, 3), "town"] = None
    table = read_table(frame, "kind", missing=missing, announce=len)
    columns = ("size", *["size is missing"] * (missing == "indicator"), "town=Köln", "town=Ulm")
    columns += (*["town is missing"] * (missing == "indicator"), "age")
    model = Model.suited(Network((len(columns), 3, 2), rng=seed), table)
    assert model.input_names == columns
    size = frame["size"].dropna()
    assert model.columns[0].fill == pytest.approx(size.mean() if missing == "mean" else size.median(), rel=1e-12)
    save(model, tmp_path / "model.safetensors", force=True)
    frame.loc[rng.choice(20, 3), "town"] = "Rome"
    frame.loc[rng.choice(20, 3), "age"] = None
    with pytest.raises(DataError, match=r"'Rome'.* was never seen"):
        model.predict(frame)
    rows = model.rows(frame, unseen="other")
    expected = model.probabilities(rows)
    assert load(tmp_path / "model.safetensors").probabilities(rows).tobytes() == expected.tobytes()
    frame.to_csv(tmp_path / "new.csv", sep=separator, decimal=point, index=False)
    asked = ("predict", tmp_path / "new.csv", "--model", tmp_path / "model.safetensors", "--unseen", "other", "--json")
    answers = deltarule(*asked).json
    found = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert [answer["label"] for answer in answers] == [model.class_names[k] for k in model.predict(rows)]
    town = frame["town"].to_numpy(object)
    is_town = [np.where(frame["town"].isna(), np.nan, (town == each).astype(float)) for each in ("Köln", "Ulm")]
    X = np.stack([frame["size"], *is_town, frame["age"]], axis=1)
    (through_onnx,) = runtime.InferenceSession(onnx_bytes(model)).run(None, {"X": X})
    np.testing.assert_allclose(through_onnx, expected, atol=1e-5)


def test_answers_go_beside_the_given_columns(deltarule: Any, tmp_path: Path) -> None:
    """And a text that was not learned is none of the categories, where --unseen other says so."""
    columns = (Column("size"), Column("town", ("Bonn", "Ulm")))
    model = Model(Network((3, 2), class_names=["a", "b"], rng=0), columns=columns)
    save(model, tmp_path / "model.safetensors")
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    new.write_text("town;note;size\nUlm;x;1,5\nRome;y;2\n", encoding="utf-8")
    asked = ("predict", new, "--model", tmp_path / "model.safetensors", "--out", out)
    assert "'Rome' was never seen" in deltarule(*asked).err
    assert deltarule(*asked, "--unseen", "other").code == 0
    written = list(csv.reader(out.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    assert written[0] == ["town", "note", "size", "prediction", "probability_a", "probability_b"]
    assert [row[:3] for row in written[1:]] == [["Ulm", "x", "1,5"], ["Rome", "y", "2"]]
    expected = model.of_numbers().probabilities(np.array([[1.5, 0.0, 1.0], [2.0, 0.0, 0.0]]))
    np.testing.assert_allclose([[float(cell) for cell in row[4:]] for row in written[1:]], expected, rtol=1e-6)
