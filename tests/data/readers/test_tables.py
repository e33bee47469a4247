"""Tables with a column to learn: numbers and text, missing cells, and where exactly they are wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data.columns import Column, encode
from deltarule.data.dataset import Dataset
from deltarule.data.readers.kinds import read
from deltarule.data.readers.tables import read_table
from deltarule.errors import DataError, SettingError

pandas = pytest.importorskip("pandas")

Stored = Callable[[str], Path]
FLOWERS = "length,kind,color,width\n1.5,rose,red,2\n-3e1,lily,white, 4\n\n0,rose, red ,5\n2,lily,pink,1\n"
NEW = "color,length,width\nred,1,2\nwhite,3,4\n"


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    def store(content: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode())
        return path

    return store


@pytest.fixture
def flowers(stored: Stored) -> Dataset:
    return read_table(stored(FLOWERS), "kind")


def read_rows(path: Path, columns: Sequence[Column], **how: Any) -> Any:
    return read(path, rows_only=True, columns=columns, **how).rows


def said_of(source: Any, target: str, **settings: Any) -> tuple[Dataset, str]:
    """A table, and what was said while it was read."""
    said: list[str] = []
    return read_table(source, target, announce=said.append, **settings), "\n".join(said)


def test_numbers_stay_and_texts_are_places_among_categories(flowers: Dataset) -> None:
    assert flowers.columns == (Column("length"), Column("color", ("pink", "red", "white")), Column("width"))
    assert flowers.inputs.tolist() == [[1.5, 1, 2], [-30, 2, 4], [0, 1, 5], [2, 0, 1]]
    assert (flowers.task, flowers.class_names) == ("classes", ("lily", "rose"))
    assert flowers.targets.tolist() == [1, 0, 1, 0]
    assert (flowers.n_features, flowers.n_inputs, flowers.image_shape) == (3, 5, None)
    assert encode(flowers.columns, flowers.inputs).tolist()[:2] == [[1.5, 0, 1, 0, 2], [-30, 0, 0, 1, 4]]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(stored: Stored, flowers: Dataset, separator: str) -> None:
    other = read_table(stored(FLOWERS.replace(",", separator)), "kind")
    assert other.columns == flowers.columns
    assert other.inputs.tolist() == flowers.inputs.tolist()


def test_a_data_frame_is_read_like_its_csv(stored: Stored, flowers: Dataset) -> None:
    frame = pandas.read_csv(stored(FLOWERS), skipinitialspace=True)
    for each in (frame, frame.astype({"color": "category"}), frame.astype({"color": object, "width": "Int64"})):
        same = read_table(each, "kind")
        assert same.columns == flowers.columns
        assert same.inputs.tolist() == flowers.inputs.tolist()
        assert (same.class_names, same.targets.tolist()) == (flowers.class_names, flowers.targets.tolist())


cells = st.tuples(st.floats(-1e9, 1e9), st.sampled_from(["ab", "c d", "é", "x,y", 'say "x"', "007"]), st.booleans())


@given(rows=st.lists(cells, min_size=4, max_size=30), data=st.data())
def test_reads_what_pandas_wrote(tmp_path_factory: pytest.TempPathFactory, rows: Any, data: st.DataObject) -> None:
    """By way of a CSV, or as it is; and what a network reads is what is in the cells."""
    frame = pandas.DataFrame(rows, columns=["number", "text", "truth"])
    frame["target"] = [row % 2 for row in range(len(rows))]
    order = data.draw(st.permutations(list(frame.columns)))
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    frame[order].to_csv(path, index=False)
    for source in (path, frame[order]):
        table = read_table(source, "target", task="classes", announce=lambda _: None)
        if set(frame["text"]) == {"007"}:
            continue  # nothing but numbers, which they are then taken for
        assert [column.name for column in table.columns] == [name for name in order if name != "target"]
        for k, column in enumerate(table.columns):
            expected = frame[column.name].tolist()
            assert [
                column.categories[int(cell)] if column.categories else cell for cell in table.inputs[:, k].tolist()
            ] == (expected if column.name == "number" else list(map(str, expected)))


def test_columns_are_left_out_where_asked(stored: Stored) -> None:
    table = read_table(stored(FLOWERS), "kind", without=["color", "width"])
    assert table.columns == (Column("length"),)


@pytest.mark.parametrize(
    ("cells", "task", "class_names"),
    [
        (["no", "yes"], "classes", ("no", "yes")),
        (["10", "9"], "classes", ("9", "10")),
        (["01", "1"], "classes", ("01", "1")),
        (["True", "False"], "classes", ("False", "True")),
        (["1.5", "2"], "values", ("y",)),
        (list(map(str, range(21))), "values", ("y",)),
        (list(map(str, range(20))), "classes", tuple(map(str, range(20)))),
    ],
)
def test_the_task_is_inferred_from_the_target_and_said(
    stored: Stored, cells: list[str], task: str, class_names: tuple[str, ...]
) -> None:
    path = stored("x,y\n" + "".join(f"{k},{cell}\n" for k, cell in enumerate(cells * 5)))
    table, said = said_of(path, "y")
    assert (table.task, table.class_names) == (task, class_names)
    assert "'y' holds" in said
    assert {"classes": "classes to tell apart", "values": "values to predict"}[task] in said


def test_few_examples_of_many_numbers_are_values_unless_asked_otherwise(stored: Stored) -> None:
    path = stored("x,y\n1,10\n2,9\n3,10\n4,9\n")
    values, said = said_of(path, "y")
    assert (values.task, values.targets.tolist()) == ("values", [[10.0], [9.0], [10.0], [9.0]])
    assert "else --task classes" in said
    classes, said = said_of(path, "y", task="classes")
    assert (classes.class_names, classes.targets.tolist(), said) == (("9", "10"), [1, 0, 1, 0], "")


HOLES = "size,color,kind\n1,red,a\n,blue,b\n6,NA,a\n5,red,\n8, ,b\n"


def test_missing_cells_are_refused_and_counted(stored: Stored) -> None:
    with pytest.raises(DataError) as caught:
        read_table(stored(HOLES), "kind")
    for words in ("1 in 'kind'", "1 in 'size'", "2 in 'color'", "'kind' first in line 5", "--missing drop"):
        assert words in str(caught.value)


def test_rows_that_lack_a_cell_are_left_out(stored: Stored) -> None:
    path = stored(HOLES + "3,blue,a\n4,red,b\n2,red,b\n")
    table, said = said_of(path, "kind", missing="drop")
    assert table.inputs.tolist() == [[1, 1], [3, 0], [4, 1], [2, 1]]
    assert table.targets.tolist() == [0, 0, 1, 1]
    assert "4 of 8 rows are left out, because cells are missing: 1 in 'kind', 1 in 'size', 2 in 'color'" in said


def test_missing_cells_count_as_the_mean_or_as_no_category(stored: Stored) -> None:
    """The mean of 1, 6 and 8 is 5; the row without a target is not learned from."""
    table, said = said_of(stored(HOLES), "kind", missing="mean")
    assert table.columns == (Column("size", (), 5.0), Column("color", ("blue", "red"), 0.0))
    assert encode(table.columns, table.inputs).tolist() == [[1, 0, 1], [5, 1, 0], [6, 0, 0], [8, 0, 0]]
    assert "1 of 5 rows are left out" in said
    assert "the mean of their column: 1 in 'size'" in said
    assert "none of the categories: 2 in 'color'" in said


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("x,y\n1,2\n2,2\n", {}, "a target that is not always the same was expected: got '2' in every row of 'y'"),
        ("x,y\n1,2.5\n2,2.5\n", {"task": "values"}, "not always the same"),
        ("x,y\n1,a\n2,b\n3,a\n", {}, "every class in 'y', .*got\n  line 3: 'b' alone$"),
        ("x,y\n1,2\n2,inf\n", {"task": "values"}, "numbers in the target 'y' .*got\n  line 3, column 'y': inf$"),
        ("x,y\n1,2\n2,dear\n3,dear\n", {"task": "values"}, r"line 3, column 'y': 'dear' \(and 1 more of them\)$"),
        ("x,y\n1,2\n3\n4,5\n", {}, "as many cells .*got\n  line 3: 1 cells instead of 2$"),
        ("x,y\n1,2\n\n3,4,5\n", {}, "as many cells .*got\n  line 4: 3 cells instead of 2$"),
        ("x,y\n1,2,3,4\n4,5,6,7\n", {}, "line 1 must name the columns .* it has 2 cells, but they have 4; delete the"),
        ("of a shop\nx,y\n4,5\n4,6\n", {}, "line 1 must name the columns .* it has 1 cells, but they have 2; delete"),
        ("x,y\ninf,2\n2,3\n", {"task": "values"}, "got\n  line 2, column 'x': inf is not a number"),
        ("x,y\n", {}, "got 0 rows of 1 inputs"),
        ("y\n1\n", {}, "got 1 rows of 0 inputs"),
        ("x,z,y\n,1,2\n,2,3\n", {"missing": "mean"}, "a value in every column was expected: got none in 'x'"),
        ("x,z,y\n,1,2\n,2,3\n", {"missing": "drop"}, "a row without missing cells .* 2 in 'x'"),
        ('x,y\n1,"' + "2" * 200_000, {}, "a CSV was expected: line 2 is not such"),
        ("x,y\n" + "".join(f"name {k},{k % 2}\n" for k in range(101)), {}, "at most 100 .*: got 101 in 'x', such as"),
        (
            "x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(50)) + "7a,1\n?,0\n?,0\n",
            {},
            r"numbers in column 'x'.*\n  line 52, column 'x': '7a'\n  line 53, column 'x': '\?' \(and 1 more",
        ),
        ("x,y\n1,7a\n" + "".join(f"{k},{k}\n" for k in range(50)), {}, "numbers in the target 'y'.*\n  line 2, .*'7a'"),
    ],
)
def test_refuses_a_table(stored: Stored, content: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=rf"(?s){words}"):
        read_table(stored(content), "y" if "y" in content[:6] else "z", announce=lambda _: None, **settings)


@pytest.mark.parametrize(
    ("content", "target", "without", "words"),
    [
        (FLOWERS, "knd", [], "column called 'knd' was expected: got none; did you mean 'kind'"),
        (FLOWERS, "kind", ["colour"], "column called 'colour' .* did you mean 'color'"),
        (FLOWERS, "", [], "got none; Known: color"),
        ("", "y", [], "got an empty file"),
        ("a,b,a\n1,2,3\n", "b", [], "different names were expected: got 'a' twice"),
        (
            ",a,y\n0,1,2\n0,2,3\n",
            "y",
            [],
            "name for every column .* none for column 1; .*--without ''",
        ),
    ],
)
def test_columns_must_have_names(stored: Stored, content: str, target: str, without: list[str], words: str) -> None:
    with pytest.raises((SettingError, DataError), match=words):
        read_table(stored(content), target, without=without)


def test_a_frame_is_wrong_in_rows_and_not_in_lines() -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0, np.nan, 4.0], "y": [1.0, 2.0, 3.0, 4.5]})
    with pytest.raises(DataError, match=r"the DataFrame: no missing cells .*first in row 2 \(counted from 0\)"):
        read_table(frame, "y")
    with pytest.raises(SettingError, match="different names"):
        read_table(pandas.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]), "b")
    dates = pandas.DataFrame({"day": pandas.to_datetime(["2026-01-01"] * 4), "y": [1, 2, 1, 2]})
    with pytest.raises(DataError, match=r"numbers and text were expected: got Timestamp in column 'day'"):
        read_table(dates, "y")
    with pytest.raises(
        SettingError, match="can be an error, drop, mean, median or indicator: got 'mode'; use missing='median'"
    ):
        read_table(frame, "y", missing="mode")  # type: ignore[arg-type]


@pytest.mark.parametrize(("missing", "kept"), [("drop", [1.0, 4.0, 5.0, 6.0]), ("mean", [1.0, np.nan, 4.0, 5.0, 6.0])])
def test_rows_of_a_frame_are_left_out_too(missing: Any, kept: list[float]) -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0, np.nan, 4.0, 5.0, 6.0], "y": ["a", None, "b", "b", "a", "b"]})
    np.testing.assert_array_equal(said_of(frame, "y", missing=missing)[0].inputs[:, 0], kept)


def test_rows_are_read_by_name_whatever_their_order(stored: Stored, flowers: Dataset) -> None:
    said: list[str] = []
    path = stored("note,color,width,length,kind\nx,red,2,1,rose\ny,white,4,3,tulip\n")
    rows = read_rows(path, flowers.columns, target="kind", announce=said.append)
    assert rows.tolist() == [[1.0, 1.0, 2.0], [3.0, 2.0, 4.0]]
    assert len(said) == 1
    assert "skipped: 'note'" in said[0]


def test_texts_that_look_like_numbers_stay_text(stored: Stored) -> None:
    codes = read_table(stored("code,y\n007,1\nA1,2\n8,1\n007,2\n"), "y", task="classes").columns
    assert codes == (Column("code", ("007", "8", "A1")),)
    assert read_rows(stored("code\n8\n007\n"), codes).tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("color,length\nred,1\n", "columns that the model learned from are needed: got none called 'width'"),
        ("colour,length,width\nred,1,2\n", "got none called 'color'; did you mean 'colour'"),
        ("1,2,3\n4,5,6\n", "line 1 must name the columns: length,color,width; got 1,2,3"),
        (NEW + "red,old,3\n", "got\n  line 4, column 'length': 'old' is not a number$"),
        (
            NEW + "blue,1,1\nblue,2,2\n",
            r"line 4, column 'color': 'blue' \(and 1 more of them\) was never seen; Known",
        ),
        (NEW + "whit,1,1\n", "line 4, column 'color': 'whit' was never seen; did you mean 'white'"),
        (NEW + "7,1,1\n", "column 'color': '7' was never seen"),
        (
            NEW + "red,,1\n",
            "1 in 'length', 'length' first in line 4; fill them in, or train a model with --missing mean",
        ),
        (NEW + ",1,1\n", "1 in 'color', 'color' first in line 4"),
        (NEW + "red,True,1\n", "column 'length': 'True' is not a number"),
        ("color,length,width\n", "a header and rows were expected: got no rows"),
    ],
)
def test_rows_unlike_those_learned_from(stored: Stored, flowers: Dataset, content: str, words: str) -> None:
    with pytest.raises(DataError, match=rf"(?s){words}"):
        read_rows(stored(content), flowers.columns)


def test_true_and_false_are_texts_as_they_are_written(stored: Stored) -> None:
    """pandas takes them for truth values, in which their spelling is lost."""
    columns = read_table(stored("old,y\ntrue,a\nfalse,b\n,a\ntrue,b\n"), "y", missing="mean").columns
    assert columns == (Column("old", ("false", "true"), 0.0),)
    assert read_rows(stored("old\nfalse\ntrue\n"), columns).tolist() == [[0.0], [1.0]]


def test_both_wrong_columns_are_named(stored: Stored, flowers: Dataset) -> None:
    with pytest.raises(DataError, match="'old' is not a number\n  line 2, column 'color': 'blue' was never seen"):
        read_rows(stored("color,length,width\nblue,old,1\n"), flowers.columns)


def test_a_known_table_counts_as_the_first_one_did(stored: Stored, flowers: Dataset) -> None:
    columns, class_names = flowers.columns, flowers.class_names
    path = stored("width,color,kind,length\n1,white,rose,2\n3,red,rose,4\n")
    known = {"task": "classes", "class_names": class_names, "columns": columns}
    table = read(path, target="kind", **known).splits.train
    assert table.inputs.tolist() == [[2, 2, 1], [4, 1, 3]]
    assert (table.targets.tolist(), table.class_names, table.columns) == ([1, 1], class_names, columns)
    path = stored("width,color,kind,length\n1,white,tulip,2\n")
    with pytest.raises(SettingError, match="in 'kind': got tulip, first in line 2; Known: lily, rose"):
        read(path, target="kind", **known)
    with pytest.raises(SettingError, match="called 'knd' was expected: got none; did you mean 'kind'"):
        read(path, target="knd", **known)


def test_a_text_of_a_frame_is_not_missing_whatever_it_says() -> None:
    frame = pandas.DataFrame({"x": ["NA", "nan", "a", "a"], "y": [1.5, 2.5, 3.5, 4.5]})
    assert read_table(frame, "y").columns[0].categories == ("NA", "a", "nan")
    empty = read_table(frame.replace("nan", "").replace("NA", None), "y", missing="mean")
    np.testing.assert_array_equal(empty.inputs[:, 0], [np.nan, np.nan, 0, 0])
