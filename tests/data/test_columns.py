"""Rows of a table as a network reads them."""

import numpy as np
import pytest

from deltarule.data.columns import Column, columns_in_words, encode, input_names, refill, unseen_categories
from deltarule.data.dataset import Dataset, Splits
from deltarule.errors import DataError, ShapeError

SIZE, COLOR = Column("size", fill=1.5), Column("color", ("blue", "red"))


def test_one_hot_by_hand() -> None:
    columns = (COLOR, SIZE, Column("kind", ("a", "b", "c"), 0.0))
    rows = np.array([[1.0, 7.0, 2.0], [0.0, np.nan, np.nan]])
    assert encode(columns, rows).tolist() == [[0, 1, 7, 0, 0, 1], [1, 0, 1.5, 0, 0, 0]]
    assert input_names(columns) == ("color=blue", "color=red", "size", "kind=a", "kind=b", "kind=c")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([np.nan, 1.0], "in column 'color': got none in row 1"),
        ([2.0, 1.0], "0 to 1, the places of its categories, was expected in column 'color': got 2 in row 1"),
        ([0.5, 1.0], "got 0.5"),
        ([-1.0, 1.0], "got -1"),
    ],
)
def test_cells_that_are_not_such(row: list[float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        encode((COLOR, SIZE), np.array([[0.0, 0.0], row]))
    with pytest.raises(DataError, match="a number was expected in column 'size': got none in row 0"):
        encode((Column("size"),), np.array([[np.nan]]))
    with pytest.raises(ShapeError, match="rows of 2 cells"):
        encode((COLOR, SIZE), np.zeros((3, 3)))


def test_means_are_taken_anew_from_the_rows_to_learn_from() -> None:
    rows = np.array([[0.0, 2.0, np.nan], [np.nan, 4.0, np.nan], [1.0, np.nan, np.nan]])
    columns = (Column("a", ("x", "y"), 0.0), SIZE, Column("empty", fill=7.0))
    assert [column.fill for column in refill(columns, rows)] == [0.0, 3.0, 7.0]
    assert refill((Column("a"),), rows[:, :1])[0].fill is None


def test_a_dataset_knows_its_columns() -> None:
    rows, y = np.array([[0.0, np.nan], [1.0, 2.0]]), np.array([0, 1])
    data = Dataset(rows, y, columns=(COLOR, SIZE))
    assert (data.n_features, data.n_inputs, data.take([1]).columns) == (2, 3, (COLOR, SIZE))
    with pytest.raises(DataError, match="inputs must be finite: got nan for sample 0, column 1"):
        Dataset(rows, y, columns=(COLOR, Column("size")))
    with pytest.raises(DataError, match="must be finite"):
        Dataset(rows, y)
    with pytest.raises(DataError, match="a column for each of 2 features is needed: got 1"):
        Dataset(rows, y, columns=(SIZE,))
    with pytest.raises(DataError, match="every column needs its own name: got size, size"):
        Dataset(rows, y, columns=(SIZE, SIZE))
    with pytest.raises(DataError, match="columns of data and of data must agree"):
        Splits(data, Dataset(rows, y, columns=(SIZE, Column("other", fill=0.0))))


def test_many_columns_are_told_briefly() -> None:
    columns = [Column(f"c{k}") for k in range(784)]
    assert columns_in_words(columns).endswith("c10, c11 and 772 more as numbers")
    assert columns_in_words(columns[:1]) == "1, which is 1 input: c0 as numbers"
    assert unseen_categories([Column("x"), Column("t", ("a", "b"))], np.array([[0.0, 0.0, 1.0]])) == ["t=a"]
