"""DataFrames of polars and pandas: what their columns are taken for."""

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
from deltarule.data.readers.tables import read_table
from deltarule.errors import DataError, SettingError
from deltarule.model import Model
from deltarule.nn.network import Network

GOALS = ["a", "b"] * 10


@pytest.fixture(params=["pandas", "polars"])
def library(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param, reason=f"needs {request.param}: pip install {request.param}")


def column_of(library: Any, values: Any, **how: Any) -> Column:
    frame = library.DataFrame({"v": values, "g": GOALS})
    return read_table(frame, "g", announce=lambda _: None, **how).columns[0]


def test_columns_of_every_kind(library: Any) -> None:
    assert column_of(library, list(range(20))) == Column("v")
    assert column_of(library, [1.5, None] * 10, missing="median") == Column("v", (), 1.5, "median")
    assert column_of(library, ["Köln", None] * 10, missing="indicator").input_names == ("v=Köln", "v is missing")
    assert column_of(library, [True, False] * 10) == Column("v", ("False", "True"))
    assert column_of(library, ["1,5", "2,5"] * 10) == Column("v")
    assert column_of(library, [Decimal("1.5")] * 20) == Column("v")
    assert column_of(library, ["Köln".encode(), b"Ulm"] * 10) == Column("v", ("Köln", "Ulm"))
    assert column_of(library, [b"1.5", b"2"] * 10) == Column("v")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[1, 2]] * 20, r"got lists or dicts in column 'v'; leave it out, without=\['v'\]"),
        ([{"a": 1}] * 20, "got lists or dicts in column 'v'"),
        ([b"K\xf6ln"] * 20, "got bytes that are not UTF-8 in column 'v'"),
        ([dt.datetime(2026, 1, 1)] * 20, "numbers and text were expected: got (Timestamp|datetime) in column"),
        ([1e300] + [1.0] * 19, r"row 0 \(counted from 0\), column 'v': 1e\+300, beyond 1e\+30, is not a number"),
        ([float("inf")] + [1.0] * 19, "column 'v': inf is not a number"),
        ([None, 1.0] * 10, "no missing cells were expected: got 10 in 'v'"),
    ],
)
def test_columns_of_no_use_are_refused_by_name(library: Any, values: list[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        column_of(library, values)


def test_a_model_answers_frames_of_either_library_alike(library: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"size": rng.normal(size=20).tolist(), "town": ["Köln", "Ulm"] * 10, "kind": GOALS}
    columns["size"][3] = None
    frame = library.DataFrame(columns)
    data: Dataset = read_table(frame, "kind", missing="indicator", announce=lambda _: None)
    model = Model.suited(Network((data.n_inputs, 4, 2), rng=0), data)
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False) if library.__name__ == "pandas" else frame.write_csv(path)
    stored = read_table(path, "kind", missing="indicator", announce=lambda _: None)
    np.testing.assert_array_equal(stored.inputs, data.inputs)
    np.testing.assert_array_equal(model.predict(frame), model.predict(data.inputs))
    frame = library.DataFrame(columns | {"town": ["Rome", "Ulm"] * 10})
    with pytest.raises(DataError, match=r"'Rome'.*was never seen"):
        model.predict(frame)
    assert model.rows(frame, unseen="other")[0, 1] == np.inf


def test_a_lazy_frame_says_how_it_is_collected() -> None:
    polars = pytest.importorskip("polars", reason="needs polars: pip install polars")
    assert "polars" in sys.modules
    with pytest.raises(SettingError, match=r"got a LazyFrame; use .*frame\.collect\(\)"):
        read_table(polars.LazyFrame({"v": [1, 2], "g": ["a", "b"]}), "g")
