"""CSV files of pixels and of numbers, and where exactly they are wrong."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deltarule.data.catalog import load
from deltarule.data.dataset import Dataset
from deltarule.data.readers.csv import MISSING, Cells
from deltarule.data.readers.kinds import read
from deltarule.data.readers.pixel_rows import read_pixel_rows
from deltarule.data.readers.tables import Table, read_columns, read_table
from deltarule.data.reading import How
from deltarule.errors import DataError, SettingError

HEADER = "label,pixel0,pixel1,pixel2,pixel3"


@pytest.fixture
def stored(tmp_path: Path):
    def store(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return store


def read_pixels(path: Path) -> Dataset:
    return load(path).train


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n7,0,1,2,255\n1,9,8,7,6\n",
        f"{HEADER}\r\n7,0,1,2,255\r\n1,9,8,7,6\r\n",
        f"\ufeff{HEADER}\n7,0,1,2,255\n1,9,8,7,6",
        "\ufeff7,0,1,2,255\n1,9,8,7,6\n\n",
        "7,0,1,2,255\n\n1,9,8,7,6\n",
        "7, 0,1,2,+255\n01,9,8,7,6\n",
        '"pixel0","label","pixel1","pixel2","pixel3"\n0,7,1,2,255\n9,1,8,7,6\n',
        "pixel0,pixel1,pixel2,pixel3,label\n0,1,2,255,7\n9,8,7,6,1\n",
        "digit,1x1,1x2,2x1,2x2\n7,0,1,2,255\n1,9,8,7,6\n",
        "p1,p2,p3,p4,class\n0,1,2,255,7\n9,8,7,6,1\n",
        "p1,p2,p3,p4,what\n0,1,2,255,7\n9,8,7,6,1\n",
        ",p1,p2,p3,p4,Target,\n0,0,1,2,255,7,\n1,9,8,7,6,1,\n",
        '"id";"p1";"p2";"p3";"p4";"y"\n1;0;1;2;255;7\n2;9;8;7;6;1\n',
        "7,0.0,1.0,2.,2.55e+02\n1.0,9.0,8.0,7.0,6.0\n",
        "7,0,0.0039216,.00784314,1\n1,0.035294,0.031373,0.027451,0.023529\n",
        f"{HEADER},\n7,0,1,2,255,\n1,9,8,7,6,\n",
        f"{HEADER}\n7|0|1|2|255\n1|9|8|7|6\n".replace(",", "|"),
        f"{HEADER}\n7,0,1,2,255\n1,9,8,7,6\n".replace(",", " "),
        f"{HEADER}\n1,7,0,1,2,255\n2,1,9,8,7,6\n",  # as R's write.table names its rows
        '"7" "0" "0,0039216" "0,00784314" "1"\n"1" "0,035294" "0,031373" "0,027451" "0,023529"\n',
        "0,0.0039216,0.00784314,1,7\n0.035294,0.031373,0.027451,0.023529,1\n",
    ],
)
def test_reads_labeled_pixels(stored, content: str) -> None:
    data = read_pixels(stored(content))
    assert data.inputs.tolist() == [[0, 1, 2, 255], [9, 8, 7, 6]]
    assert data.inputs.dtype == np.uint8
    assert data.targets.tolist() == [7, 1]
    assert data.image_shape == (2, 2)
    assert data.n_outputs == 8


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_reads_labels_of_text_in_every_encoding(stored, encoding: str) -> None:
    data = read_pixels(stored("\r\n".join(["Öl,0,1,2,255", "Käse,9,8,7,6", ""]).encode(encoding)))
    assert (data.inputs.tolist(), data.targets.tolist()) == ([[0, 1, 2, 255], [9, 8, 7, 6]], [1, 0])
    assert data.class_names == ("Käse", "Öl")


def test_doubt_about_the_label_is_refused_with_both_readings(stored) -> None:
    path = stored("0,9,9,9,1\n7,0,0,0,0\n0,8,9,9,1\n7,0,1,0,0\n")
    with pytest.raises(SettingError, match="could be in column 1 or in column 5: say which:  --label 1  or  --label 5"):
        read(path)
    for label, first in (("1", [9, 9, 9, 1]), ("5", [0, 9, 9, 9])):
        assert read(path, label=label).rows[0].tolist() == first
    with pytest.raises(SettingError, match="no column is called 'z'"):
        read(path, label="z")


@pytest.mark.parametrize("content", ["pixel0,pixel1,pixel2,pixel3\n0,1,2,255\n", "0,1,2,255\n"])
def test_reads_pixels_without_labels(stored, content: str) -> None:
    reading = read(stored(content), rows_only=True)
    assert (reading.rows.tolist(), reading.examples) == ([[0, 1, 2, 255]], None)
    with pytest.raises(DataError, match="add a column 'label'"):
        read_pixels(stored(content))


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.just(10))), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, table: np.ndarray, header: bool, newline: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    table[:, -1] = 255  # a last column of classes would be another reading
    lines = ["label," + ",".join("abcdefghi")] * header + [",".join(map(str, row)) for row in table.tolist()]
    path.write_bytes(newline.join([*lines, ""]).encode())
    data = read_pixels(path)
    assert np.array_equal(data.inputs, table[:, 1:])
    assert np.array_equal(data.targets, table[:, 0])


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("x", "'x'"), ("nan", "'nan'"), ("256", "'256'"), ("-1", "'-1'"), ("3.5", "'3.5'"),
        ("", "''"), ("1_0", "'1_0'"), ("\0", r"'\\x00'"), ("٣", "'٣'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("column", [1, 4])
def test_names_the_line_and_column_of_a_wrong_cell(stored, cell: str, shown: str, column: int) -> None:
    cells = ["7", "0", "1", "2", "255"]
    cells[column - 1] = cell
    path = stored(f"{HEADER}\r\n7,0,1,2,255\r\n\r\n{','.join(cells)}\r\n")
    with pytest.raises(DataError, match=f"integers from 0 to 255.*got\n  line 4, column {column}: {shown}$") as caught:
        read_pixels(path)
    assert str(path) in str(caught.value)


def test_names_lines_of_a_wrong_width(stored) -> None:
    with pytest.raises(DataError, match=r"got\n  line 2: 4 cells instead of 5\n  line 4: 6 cells instead of 5$"):
        read_pixels(stored("7,0,1,2,255\n7,0,1,2\n7,0,1,2,3\n7,0,1,2,3,4\n"))
    with pytest.raises(DataError, match="line 2: 5 cells instead of 6"):
        read_pixels(stored(f"{HEADER},more\n7,0,1,2,255\n7,0,1,2,x,4\n"))
    with pytest.raises(DataError, match="every line needs as many cells as the header: got 5 for 6"):
        read_pixels(stored(f"{HEADER},more\n7,0,1,2,255\n"))


def test_a_table_of_something_else_is_told_how_to_be_read(stored) -> None:
    with pytest.raises(
        DataError, match=r"integers .* line 2, column 1: '7.5'; .* --target price .* dr.read_table"
    ) as caught:
        read_pixels(stored("size,town,price\n7.5,Ulm,3\n"))
    assert "\n" not in str(caught.value)


def test_shows_twenty_problems_and_counts_the_rest(stored) -> None:
    with pytest.raises(DataError) as caught:
        read_pixels(stored("7,0,1,2,999\n" * 1234))
    lines = str(caught.value).splitlines()
    assert lines[1] == "  line 1, column 5: '999'"
    assert lines[20:] == ["  line 20, column 5: '999'", "  and 1,214 more"]


@pytest.mark.parametrize("content", ["", "\n\n", f"{HEADER}\n", "\ufeff"])
def test_a_file_without_rows_is_refused(stored, content: str) -> None:
    with pytest.raises(DataError, match="rows of integers from 0 to 255 were expected: got none"):
        read_pixels(stored(content))


@pytest.mark.parametrize("content", ["1,2,3\n", "label,a,b,c\n1,2,3,4\n", "label,a,b,c,d,e\n1,2,3,4,5,6\n"])
def test_pixels_must_make_a_square(stored, content: str) -> None:
    with pytest.raises(DataError, match=r"785 cells a line: got \d; for a table .* \(--target\)"):
        read_pixels(stored(content))


def test_bytes_that_are_no_text_are_located(stored) -> None:
    with pytest.raises(DataError, match="line 2, column 2: 'ÿ'"):
        read_pixels(stored(b"7,0,1,2,255\n7,\xff,1,2,255\n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: expected a CSV file, but it cannot be read"):
        read_pixel_rows(tmp_path / "nowhere.csv", How())


def test_reads_numbers_whatever_their_names(stored) -> None:
    path = stored('\ufeffa,"b",kind\r\n1,2.5,x\r\n\r\n-3e1,"4",y\r\n')
    assert read(path, rows_only=True, columns=(), target="kind").rows.tolist() == [[1.0, 2.5], [-30.0, 4.0]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "got no rows"),
        ("a,b\n", "got no rows"),
        ("a,b\n1,x\n", "line 2, column 'b': 'x' is not a number"),
        ("a,b\n1,inf\n", "line 2, column 'b': inf is not a number"),
        ("a,b\n1,nan\n", "1 in 'b', 'b' first in line 2"),
    ],
)
def test_refuses_what_are_no_numbers(stored, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(stored(content), rows_only=True, columns=())


@pytest.mark.parametrize("separator", [";", "\t"])
def test_reads_pixels_between_other_separators(stored, separator: str) -> None:
    content = f"{HEADER}\n7,0,1,2,255\n".replace(",", separator)
    assert read_pixels(stored(content)).inputs.tolist() == [[0, 1, 2, 255]]
    with pytest.raises(DataError, match="line 2, column 2: '300'"):
        read_pixels(stored(content.replace("7" + separator + "0", "7" + separator + "300")))


def written(cells: Cells) -> list[str]:
    codes, texts, _ = cells.as_texts
    return [[*texts, "nan"][code] for code in codes]


def values_in(table: Table, name: str) -> np.ndarray:
    return np.array(table.columns[name].numbers.values)


def test_numbers_that_turn_into_texts_late_stay_as_written(stored) -> None:
    table = read_columns(stored("a,b,c\n007,1,x\n1.50,2,y\n\n3,,x\nred,NA,\n007,-4e2,y\n"))
    assert written(table.columns["a"]) == ["007", "1.50", "3", "red", "007"]
    assert written(table.columns["c"]) == ["x", "y", "x", "nan", "y"]
    np.testing.assert_array_equal(values_in(table, "b"), [1.0, 2.0, np.nan, np.nan, -400.0])
    assert [*table.rows] == [2, 3, 5, 6, 7]


CELLS = st.sampled_from(
    ["1", "007", "-2.5e3", " 4", "1_0", "red", "green ", "NA", "nan", "", " ", "\u2003", "٣", '"5"', '"a,b"', "inf"]
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_reads_cells_as_the_csv_module_does(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_text("\n".join(["a,b,c,d", "", *(",".join([*row, "x"]) for row in rows)]))
    table = read_columns(path)
    with path.open() as file:
        reader = csv.reader(file, skipinitialspace=True)
        parsed = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells][1:]
    assert [*table.rows] == [line for line, _ in parsed]
    for name, cells in zip("abc", zip(*(row for _, row in parsed), strict=True), strict=False):
        known = ["nan" if cell in MISSING else cell for cell in cells]
        column = table.columns[name]
        if column.numbers.values is None:
            assert written(column) == known
            assert any(cell in ("1_0", "red", "green", "٣", "a,b") for cell in known)
        else:
            np.testing.assert_array_equal(column.numbers.values, [float(cell) for cell in known])


def test_a_cell_of_several_lines_counts_its_last(stored) -> None:
    table = read_columns(stored('a,b\n1,"x\ny"\n\n2,"say ""n"""\n'))
    assert written(table.columns["b"]) == ["x\ny", 'say "n"']
    assert [*table.rows] == [3, 5]


def test_points_part_thousands_where_other_numbers_have_decimal_commas(stored) -> None:
    rows = "\n".join(f"{k},5;{k}.250;{k * 100}" for k in range(1, 5))
    table = read_columns(stored(f"a;b;c\n{rows}\n"))
    assert (values_in(table, "b").tolist(), table.columns["b"].numbers.written) == (
        [1250, 2250, 3250, 4250],
        "with a point at the thousands",
    )
    holes = read_columns(stored(f"a;b;c\n{rows}\n;;\n5,5;6.250;inf\n"))
    assert np.nansum(values_in(holes, "b")) == 1250 + 2250 + 3250 + 4250 + 6250
    whole = "a;b\n1.250;1\n999;2\n"
    with pytest.raises(
        DataError, match=r"'1\.250' in column 'a' has a comma or point that may mark decimals or thousands"
    ):
        read_table(stored(whole), "b", announce=len)
    assert read_table(stored(whole + "0.5;1\n7;2\n"), "b", announce=len).inputs[0] == 1.25
    assert values_in(read_columns(stored("a\tb\n1.250\t1\n999\t2\n")), "a").tolist() == [1.25, 999]
    assert values_in(read_columns(stored("a,b\n1.250.000,1\n999,2\n")), "a").tolist() == [1_250_000, 999]


@pytest.mark.parametrize("mark", ["'", "\u2019", "\u00a0", "\u202f", " "])
def test_marks_that_part_thousands(stored, mark: str) -> None:
    table = read_columns(stored(f"a;b\n1{mark}250,5;1\n\u2212{12}{mark}250{mark}000;2\n"))
    assert values_in(table, "a").tolist() == [1250.5, -12_250_000]
    assert read_columns(stored(f"a;b\n1{mark}25;x\n2{mark}25;y\n")).columns["a"].numbers.values is None


def test_words_with_spaces_are_one_cell(stored) -> None:
    assert read_columns(stored("full name\nAda Lovelace\nAlan Turing\n")).names == ["full name"]
    assert read_columns(stored('town,"a b" "c"\nNew York,1\n')).names == ["town", 'a b "c"']


def test_a_label_behind_pixels_without_a_header_is_doubted(stored) -> None:
    rows = "\n".join(f"{k * 25},9,8,7,{k}" for k in range(8))
    with pytest.raises(SettingError, match="labels could be in column 1 or in column 5"):
        read_pixels(stored(rows))


ROWS = "".join(f"{k}.5,{'ab'[k % 2]},{k % 7}\n" for k in range(20))
TABLE = f"size,kind,count\n{ROWS}"


@pytest.mark.parametrize(
    ("above", "between", "n_above"),
    [
        ("sep=;\n", ";", 1),
        ('\ufeff"sep=;"\r\n', ";", 1),
        ("SEP=,\n", ",", 1),
        ("# made by us\n", ",", 1),
        ("#made by us\n# in May, at noon\n", ",", 2),
        ("# a, b, c\n", ",", 1),
        ("sep=\t\n# made by us\n\n", "\t", 2),
    ],
)
def test_lines_above_a_table_are_passed_over(stored, above: str, between: str, n_above: int) -> None:
    path, said = stored(above + TABLE.replace(",", between)), list[str]()
    table = read_table(path, "kind", announce=said.append)
    assert [column.name for column in table.columns] == ["size", "count"]
    assert table.inputs[3].tolist() == [3.5, 3.0]
    assert f"{path}: lines above the header, skipped: {n_above}" in said
    pixels = above.encode() + f"{HEADER}\n7,0,1,2,255\n1,9,8,7,6\n".replace(",", between).encode()
    for content in (pixels, pixels.replace(HEADER.replace(",", between).encode() + b"\n", b"")):
        assert read_pixels(stored(content)).targets.tolist() == [7, 1]
    with pytest.raises(DataError, match=f"line {above.count(chr(10)) + 6}: 2 cells"):
        read_table(stored(above + TABLE.replace("\n4.5,", "\n4.5 ").replace(",", between)), "kind")


@pytest.mark.parametrize("name", ["#", "#id", "# size"])
def test_a_header_may_begin_as_a_comment_does(stored, name: str) -> None:
    """NumPy's savetxt writes every header so."""
    table = read_table(stored(TABLE.replace("size", name)), "kind", announce=lambda _: None)
    assert (table.columns[0].name, table.n_samples) == (name, 20)


@pytest.mark.parametrize("title", ["Sizes of 2024\n", "// ours\n", "Sizes of 2024,,\n", "Sizes\n\nin cm\n"])
def test_other_lines_above_the_names_are_named(stored, title: str) -> None:
    with pytest.raises(DataError, match="line 1 must name the columns of the lines below it: it has 1 cells, but they"):
        read_table(stored(title + TABLE), "kind")
    with pytest.raises(DataError, match="line 1 must name the columns of the lines below it: it has 1 cells, but they"):
        read_pixels(stored(f"{title.split(',')[0].split(chr(10))[0]}\n{HEADER}\n7,0,1,2,255\n1,9,8,7,6\n"))


def test_some_lines_of_another_length_are_not_all_lines(stored) -> None:
    with pytest.raises(DataError, match="got\n  line 6: 2 cells instead of 3\n  line 16: 2 cells instead of 3"):
        read_table(stored(TABLE.replace("4.5,", "4.5 ")), "kind")


@pytest.mark.parametrize("content", ["sep=;", "sep=;\n", "# only this\n", "sep=;\n# this\n", "#\n"])
def test_a_file_of_comments_alone_is_refused(stored, content: str) -> None:
    for read_it in (read_pixels, lambda path: read_table(path, "kind")):
        with pytest.raises((DataError, SettingError)):
            read_it(stored(content))
