"""Run folders: what is written can be read back, and a run that dies leaves whole files."""

import csv
import errno
import json
import os
import platform
import re
import shutil
import tomllib
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from injection import Operation, watched

from deltarule import atomic
from deltarule.cli.resolve import load_model
from deltarule.data.dataset import Dataset, data_hash
from deltarule.errors import DataError, FileError
from deltarule.files import run_folder
from deltarule.files.model_file import load, model_bytes, save
from deltarule.files.run_folder import (
    FolderLock,
    RunFiles,
    check_belongs,
    environment,
    read_history,
    read_recording,
)
from deltarule.nn.network import Network
from deltarule.training.trainer import fit

ROWS = [
    {"epoch": 0, "step": 0, "learning_rate": 0.1, "train_loss": 2.302585092994046, "validation_accuracy": 0.1},
    {"epoch": 1, "step": 469, "learning_rate": 1e-05, "train_loss": 1 / 3, "validation_accuracy": 0.9876},
]


@pytest.fixture
def run(tmp_path: Path) -> RunFiles:
    return RunFiles(tmp_path, recipe="[about]\nname = 'ä'\n", environment={"seed": 1})


@pytest.fixture
def folder(run: RunFiles) -> Path:
    return run.folder


def test_a_new_run(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"recipe.toml", "environment.json", "run.json"}
    assert tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8")) == {"about": {"name": "ä"}}
    assert json.loads((folder / "environment.json").read_bytes()) == {"seed": 1}


def test_a_run_in_the_folder_of_another_replaces_its_files(folder: Path) -> None:
    RunFiles(folder, recipe="", environment={"seed": 2})
    assert json.loads((folder / "environment.json").read_bytes()) == {"seed": 2}


def test_a_run_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(FileError, match=r"a run needs a folder that can be written to: got .*: (File|Not a dir)"):
            FolderLock(path)
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
        raise PackageNotFoundError(name)

    monkeypatch.setattr("deltarule.files.run_folder.version", missing)
    assert environment(seed=0, data_hash="")["versions"]["numpy"] is None


def test_a_history_comes_back(run: RunFiles, folder: Path) -> None:
    run.write_history(ROWS)
    assert read_history(folder) == ROWS
    assert [type(value) for value in read_history(folder)[1].values()] == [int, int, float, float, float]
    with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0] == list(ROWS[0])
    assert [[float(cell) for cell in line] for line in table[1:]] == [list(row.values()) for row in ROWS]


def test_the_history_of_a_real_run_comes_back(run: RunFiles, folder: Path) -> None:
    network = Network((4, 5, 3))
    X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 2, 0])
    history = fit(network, X, y, epochs=3, validation=(X, y))
    run.write_history(history.rows)
    save(network, folder / run_folder.MODEL)
    assert read_history(folder) == history.rows
    np.testing.assert_array_equal(load(folder / "model.safetensors").predict(X), network.predict(X))


def test_figures_that_are_missing_or_no_numbers(run: RunFiles, folder: Path) -> None:
    """JSON has no NaN; NumPy's scalars are numbers like any other."""
    rows = [
        {"epoch": 0, "train_loss": float("inf"), "train_r2": None},
        {"epoch": 1, "train_loss": float("nan"), "validation_r2": np.float32(0.5), "seconds": np.float64(0.1)},
    ]
    run.write_history(rows)
    assert read_history(folder) == [
        {"epoch": 0, "train_loss": None, "train_r2": None},
        {"epoch": 1, "train_loss": None, "validation_r2": 0.5, "seconds": 0.1},
    ]
    assert (folder / "history.csv").read_text(encoding="utf-8") == (
        "epoch,train_loss,train_r2,validation_r2,seconds\n0,,,,\n1,,,0.5,0.1\n"
    )


def test_an_interrupted_write_leaves_the_older_history(
    run: RunFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write_history(ROWS[:1])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run.write_history(ROWS)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_history_that_cannot_be_read(folder: Path) -> None:
    with pytest.raises(FileError, match=r"holds history\.jsonl: got .*No such file.*deltarule train --run FOLDER"):
        read_history(folder)
    (folder / "run.json").unlink()  # as in a folder of an earlier version, which has none
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


def put_a_run(folder: Path, seed: int) -> None:
    """All that a run writes, to a folder in which there may be another."""
    run = RunFiles(folder, recipe=f"[about]\nname = '{seed}'\n", environment={"seed": seed})
    for n_rows in (1, 2):
        run.write_history([{"epoch": k, "train_loss": float(seed)} for k in range(n_rows)])
    run.write_recording({"epochs": np.full(2, float(seed))})
    save(network := Network((2, 2), rng=seed), folder / "model.safetensors")
    run.note({"model.safetensors": model_bytes(network)})


def readings(folder: Path) -> list[int | str]:
    """The run, by its seed, that each file is of; or that a reader is told that it is of none."""
    models = {Network((2, 2), rng=seed).parameters.vector.tobytes(): seed for seed in (1, 2)}
    readers: list[Callable[[], Any]] = [
        lambda: int(read_recipe_text(folder)["about"]["name"]),
        lambda: int(read_history(folder)[-1]["train_loss"] or 0),
        lambda: int(read_recording(folder)["epochs"][0]),
        lambda: models[load_model(str(folder)).network.parameters.vector.tobytes()],
    ]
    found: list[int | str] = []
    for read in readers:
        try:
            found.append(read())
        except FileError as error:
            found.append("told" if re.search(r"not the file of run [0-9a-f]{16}, which", str(error)) else str(error))
    return found


def read_recipe_text(folder: Path) -> Any:
    path = folder / "recipe.toml"
    check_belongs(path, path.read_bytes())
    return tomllib.loads(path.read_text())


def test_a_second_run_that_breaks_off_leaves_one_run_or_is_named(tmp_path: Path) -> None:
    """Before each rename: nothing else changes what a reader finds."""
    seen, before = list[list[int | str]](), tmp_path / "before"
    before.mkdir()
    put_a_run(before, 1)
    assert readings(before) == [1, 1, 1, 1]
    for n in count():
        folder = Path(shutil.copytree(before, tmp_path / f"{n}"))
        left = [n]

        def act(operation: Operation, left: list[int] = left) -> None:
            left[0] -= operation.kind == "rename"
            if left[0] < 0 and operation.kind == "rename":
                raise KeyboardInterrupt

        with watched(folder, act), suppress(KeyboardInterrupt):
            put_a_run(folder, 2)
        seen.append(readings(folder))
        assert len({each for each in seen[-1] if each != "told"}) == 1, f"rename {n}: {seen[-1]}"
        if left[0] >= 0:
            break
    assert seen[0] == [1, 1, 1, 1]
    assert seen[-1] == [2, 2, 2, 2]
    assert [2, 2, "told", "told"] in seen  # as a run is that was killed


def test_a_folder_without_a_record_is_read_and_a_damaged_one_named(tmp_path: Path) -> None:
    put_a_run(tmp_path, 1)
    (tmp_path / "run.json").unlink()  # as earlier versions left it
    assert readings(tmp_path) == [1, 1, 1, 1]
    for content in (b"", b"{", b"[]", b'{"id": 3}'):
        (tmp_path / "run.json").write_bytes(content)
        with pytest.raises(FileError, match=r"run\.json cannot be read .*: train again, or give the file of the model"):
            read_history(tmp_path)
    RunFiles(tmp_path, recipe="", environment={}, goes_on=True).write_history(ROWS)  # which needs no record
    assert read_history(tmp_path) == ROWS


def test_a_run_that_goes_on_is_the_same_run(tmp_path: Path) -> None:
    put_a_run(tmp_path, 1)
    before = json.loads((tmp_path / "run.json").read_bytes())
    RunFiles(tmp_path, recipe="[about]\nname = '1'\n", environment={"seed": 1}, goes_on=True)
    assert json.loads((tmp_path / "run.json").read_bytes()) == before
    assert readings(tmp_path) == [1, 1, 1, 1]


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_drive_without_locks_or_sync_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="flock is POSIX's")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic, "WARNED", set())
    monkeypatch.setattr(fcntl, "flock", refuse)
    if code != errno.ENOLCK:  # which fsync does not say
        monkeypatch.setattr(os, "fsync", refuse)
    for name in ("a", "b"):
        with FolderLock(tmp_path / name):
            put_a_run(tmp_path / name, 1)
    assert readings(tmp_path / "b") == [1, 1, 1, 1]
    assert caplog.text.count("is on a drive without locks") == 1
    assert caplog.text.count("a drive that does not confirm what it has written") == (code != errno.ENOLCK)


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="tried with POSIX locks only")
    with FolderLock(tmp_path):
        for text, says in (
            (
                None,
                rf"writes to, process {os.getpid()} on {re.escape(platform.node())} since [-\d]{{10}} \d\d:\d\d; wait",
            ),
            ("12\n", "writes to, process 12; wait"),  # as earlier versions wrote it
            ("", "writes to, process unknown; wait"),
        ):
            if text is not None:
                (tmp_path / ".lock").write_text(text)
            with pytest.raises(FileError, match=says):
                FolderLock(tmp_path)


def test_a_recording_and_back(run: RunFiles, folder: Path) -> None:
    arrays = {"epochs": np.arange(3.0), "counts.weights": np.random.default_rng(0).random((3, 2, 4), dtype=np.float32)}
    run.write_recording(arrays)
    again = read_recording(folder)
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype
    RunFiles(folder, recipe="", environment={})
    with pytest.raises(FileError, match=r"recording\.safetensors is not the file of run [0-9a-f]{16}, which"):
        read_recording(folder)
    (folder / "recording.safetensors").unlink()
    with pytest.raises(FileError, match=r"a run leaves recording\.safetensors: got .*, where there is none"):
        read_recording(folder)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_recording(folder: Path, content: bytes) -> None:
    (folder / "run.json").unlink()
    (folder / "recording.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"recording\.safetensors: a recording of a run was expected"):
        read_recording(folder)
