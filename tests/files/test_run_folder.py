"""Run folders: what is written can be read back, and a run that dies leaves whole files."""

import csv
import json
import os
import platform
import tomllib
from pathlib import Path

import numpy as np
import pytest

from deltarule.data.dataset import Dataset, data_hash
from deltarule.errors import DataError, FileError
from deltarule.files import run_folder
from deltarule.files.model_file import load, save
from deltarule.files.run_folder import (
    environment,
    read_history,
    read_recording,
    start_run,
    write_history,
    write_recording,
)
from deltarule.nn.network import Network
from deltarule.training.fit import fit

ROWS = [
    {"epoch": 0, "step": 0, "learning_rate": 0.1, "train_loss": 2.302585092994046, "validation_accuracy": 0.1},
    {"epoch": 1, "step": 469, "learning_rate": 1e-05, "train_loss": 1 / 3, "validation_accuracy": 0.9876},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return start_run(tmp_path / "runs" / "first", recipe="[about]\nname = 'ä'\n", environment={"seed": 1})


def test_a_new_run(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"recipe.toml", "environment.json"}
    assert tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8")) == {"about": {"name": "ä"}}
    assert json.loads((folder / "environment.json").read_bytes()) == {"seed": 1}


def test_a_run_in_the_folder_of_another_replaces_its_files(folder: Path) -> None:
    assert start_run(folder, recipe="", environment={"seed": 2}) == folder
    assert json.loads((folder / "environment.json").read_bytes()) == {"seed": 2}


def test_a_run_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FileError, match=r"a run needs a folder: got .*, which cannot be made"):
            start_run(path, recipe="", environment={})
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    found = environment(seed=7, data_hash="abc")
    assert json.loads(json.dumps(found)) == found
    assert (found["seed"], found["data_hash"]) == (7, "abc")
    assert found["versions"]["python"] == platform.python_version()
    assert found["versions"]["numpy"] == np.__version__
    assert found["threads"]["OPENBLAS_NUM_THREADS"] == "3"
    assert 1 <= found["threads"]["cpus"] <= (os.cpu_count() or 1)


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise run_folder.PackageNotFoundError(name)

    monkeypatch.setattr(run_folder, "version", missing)
    assert environment(seed=0, data_hash="")["versions"]["numpy"] is None


def test_a_history_comes_back(folder: Path) -> None:
    write_history(folder, ROWS)
    assert read_history(folder) == ROWS
    assert [type(value) for value in read_history(folder)[1].values()] == [int, int, float, float, float]
    with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0] == list(ROWS[0])
    assert [[float(cell) for cell in line] for line in table[1:]] == [list(row.values()) for row in ROWS]


def test_the_history_of_a_real_run_comes_back(folder: Path) -> None:
    network = Network((4, 5, 3))
    X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0])
    history = fit(network, X, y, epochs=3, validation=(X, y))
    write_history(folder, history.rows)
    save(network, folder / run_folder.MODEL)
    assert read_history(folder) == history.rows
    np.testing.assert_array_equal(load(folder / "model.safetensors").predict(X), network.predict(X))


def test_figures_that_are_missing_or_no_numbers(folder: Path) -> None:
    """JSON has no NaN; NumPy's scalars are numbers like any other."""
    rows = [
        {"epoch": 0, "train_loss": float("inf"), "train_r2": None},
        {"epoch": 1, "train_loss": float("nan"), "validation_r2": np.float32(0.5), "seconds": np.float64(0.1)},
    ]
    write_history(folder, rows)
    assert read_history(folder) == [
        {"epoch": 0, "train_loss": None, "train_r2": None},
        {"epoch": 1, "train_loss": None, "validation_r2": 0.5, "seconds": 0.1},
    ]
    assert (folder / "history.csv").read_text(encoding="utf-8") == (
        "epoch,train_loss,train_r2,validation_r2,seconds\n0,,,,\n1,,,0.5,0.1\n"
    )


def test_an_interrupted_write_leaves_the_older_history(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(folder, ROWS[:1])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_history(folder, ROWS)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_history_that_cannot_be_read(folder: Path) -> None:
    with pytest.raises(FileError, match=r"holds history\.jsonl: got .*No such file.*deltarule train --run FOLDER"):
        read_history(folder)
    for line in (b"{", b"[]", b"", b'{"epoch": "1"}', b'{"epoch": NaN}', b'{"epoch": "\xff"}'):
        (folder / "history.jsonl").write_bytes(b'{"epoch": 0}\n' + line + b"\n")
        with pytest.raises(DataError, match=r"history\.jsonl, line 2: expected a JSON object of numbers"):
            read_history(folder)


def test_the_hash_of_data_knows_what_they_are() -> None:
    inputs, targets = np.arange(8, dtype=np.uint8).reshape(4, 2), np.array([0, 1, 0, 1])
    data = Dataset(inputs, targets)
    others = [
        Dataset(inputs.reshape(2, 4), targets[:2]),
        Dataset(inputs.astype(np.float32), targets),
        Dataset(inputs, targets[::-1].copy()),
        Dataset(inputs[::-1], targets),
        data.take([1, 0, 2, 3]),
    ]
    assert data_hash(data) == data_hash(Dataset(inputs.copy(), targets, name="other name"))
    assert data_hash(data) == data_hash(data.take(slice(None)))
    assert len({data_hash(data), *(data_hash(other) for other in others), data_hash(data, data)}) == 7


def test_a_recording_and_back(folder: Path) -> None:
    arrays = {"epochs": np.arange(3.0), "counts.weights": np.random.default_rng(0).random((3, 2, 4), dtype=np.float32)}
    write_recording(folder, arrays)
    again = read_recording(folder)
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype
    start_run(folder, recipe="", environment={})
    with pytest.raises(FileError, match=r"a run leaves recording\.safetensors: got .*, where there is none"):
        read_recording(folder)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_recording(folder: Path, content: bytes) -> None:
    (folder / "recording.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"recording\.safetensors: a recording of a run was expected"):
        read_recording(folder)
