"""CSVLog: the history as a spreadsheet reads it, whole at any moment."""

import csv
from pathlib import Path

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import FileError, SettingError
from deltarule.files.run_folder import start_run, write_history
from deltarule.nn.network import Network
from deltarule.training.callbacks import Callback, History, TrainingState
from deltarule.training.csv_log import CSVLog
from deltarule.training.trainer import Trainer


def run(*callbacks: Callback, validation: bool = False, epochs: int = 2) -> History:
    data = Dataset(np.random.default_rng(0).normal(size=(10, 2)), np.arange(10) % 2)
    trainer = Trainer(network=Network((2, 3, 2)), epochs=epochs, batch_size=5, callbacks=callbacks)
    return trainer.fit(data, data if validation else None)


def rows_in(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_number_reads_back_exactly(tmp_path: Path, separator: str) -> None:
    history = run(CSVLog(tmp_path / "log.csv", separator=separator), validation=True)
    rows = rows_in(tmp_path / "log.csv", separator)
    assert [{name: float(cell) for name, cell in row.items()} for row in rows] == history.rows


def test_after_each_epoch_the_file_has_its_row(tmp_path: Path) -> None:
    path, seen = tmp_path / "log.csv", []

    class Look(Callback):
        def step_end(self, state: TrainingState) -> None:
            seen.append(len(rows_in(path)))

    path.write_text("epoch,step,learning_rate,seconds,train_loss\n9,9,9,9,9\n", encoding="utf-8")  # an older history
    run(CSVLog(path), Look())
    assert seen == [1, 1, 2, 2]  # two steps an epoch; epoch 0 is there before the first


def test_one_table_for_both(tmp_path: Path) -> None:
    """The folder of a run holds the same bytes."""
    history = run(CSVLog(tmp_path / "log.csv"))
    folder = start_run(tmp_path / "run", recipe="", environment={})
    write_history(folder, history.rows)
    assert (folder / "history.csv").read_bytes() == (tmp_path / "log.csv").read_bytes()


def test_it_goes_on_below_older_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    first = run(CSVLog(path))
    second = run(CSVLog(path, append=True), validation=True, epochs=1)
    rows = rows_in(path)
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "0", "1"]
    assert [float(row["train_loss"]) for row in rows] == first["train_loss"] + second["train_loss"]
    assert [row["validation_loss"] for row in rows[:3]] == [""] * 3
    assert [float(row["validation_loss"]) for row in rows[3:]] == second["validation_loss"]


def test_appending_to_nothing_begins(tmp_path: Path) -> None:
    run(CSVLog(tmp_path / "log.csv", append=True))
    assert len(rows_in(tmp_path / "log.csv")) == 3


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"a separator is one character, as .*: got ', '"):
        CSVLog("log.csv", separator=", ")
    started = []

    class Started(Callback):
        def epoch_end(self, state: TrainingState) -> None:
            started.append(state.epoch)

    with pytest.raises(FileError, match="its folder does not exist"):
        run(CSVLog(tmp_path / "no" / "log.csv"), Started())
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="was to be appended to, but cannot be read as a table"):
        run(CSVLog(tmp_path / "bad.csv", append=True), Started())
    assert started == []
