"""The history as a file: a spreadsheet reads it, and every number comes back."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import FileError
from deltarule.files.run_folder import RunFiles
from deltarule.nn.network import Network
from deltarule.training.callbacks import Callback, CSVLog, TrainingState
from deltarule.training.history import History, table_text
from deltarule.training.trainer import Trainer


def run(*callbacks: Callback, validation: bool = False, epochs: int = 2) -> History:
    data = Dataset(np.random.default_rng(0).normal(size=(10, 2)), np.arange(10) % 2)
    trainer = Trainer(network=Network((2, 3, 2)), epochs=epochs, batch_size=5, callbacks=callbacks)
    return trainer.fit(data, data if validation else None)


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_number_reads_back_exactly(tmp_path: Path) -> None:
    history = run(validation=True)
    history.save(tmp_path / "log.csv")
    rows = rows_in(tmp_path / "log.csv")
    assert [{name: float(cell) for name, cell in row.items()} for row in rows] == history.rows


def test_a_figure_that_is_not_finite_leaves_its_cell_empty(tmp_path: Path) -> None:
    History([{"epoch": 0, "train_loss": np.float32(0.5)}, {"epoch": 1, "train_loss": math.nan}]).save(tmp_path / "h")
    assert (tmp_path / "h").read_text() == "epoch,train_loss\n0,0.5\n1,\n"


def test_a_callback_may_save_it_after_each_epoch(tmp_path: Path) -> None:
    path, seen = tmp_path / "log.csv", []

    class Save(Callback):
        def step_end(self, state: TrainingState) -> None:
            seen.append(len(rows_in(path)))

        def epoch_end(self, state: TrainingState) -> None:
            state.history.save(path, force=True)

    path.write_text("an older file", encoding="utf-8")
    run(Save())
    assert seen == [1, 1, 2, 2]  # two steps an epoch; epoch 0 is there before the first


def test_one_table_for_both(tmp_path: Path) -> None:
    """The folder of a run holds the same bytes."""
    history = run()
    history.save(tmp_path / "log.csv")
    (tmp_path / "run").mkdir()
    RunFiles(tmp_path / "run", recipe="", environment={}).write_history(history.rows)
    assert (tmp_path / "run" / "history.csv").read_bytes() == (tmp_path / "log.csv").read_bytes()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1+cmd", "'-1+cmd"),
        ("+a", "'+a"),
        ("\t=1", "'\t=1"),
        ('=1,"2"', '"\'=1,""2"""'),
        ("-1", "-1"),
        ("+.5e-3", "+.5e-3"),
        ("a=1", "a=1"),
        ("7", "7"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert table_text([{"n": 1, text: text}]) == f"n,{cell}\n1,{cell}\n"


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="its folder does not exist"):
        run().save(tmp_path / "no" / "log.csv")


def test_a_log_saves_it_after_each_epoch(tmp_path: Path) -> None:
    path, seen = tmp_path / "log.csv", []

    class Look(Callback):
        def step_end(self, state: TrainingState) -> None:
            seen.append(len(rows_in(path)))

    path.write_text("an older file", encoding="utf-8")
    with pytest.raises(FileError, match=r"log\.csv"):
        run(CSVLog(path))
    history = run(CSVLog(path, force=True), Look())
    assert seen == [1, 1, 2, 2]  # two steps an epoch; epoch 0 is there before the first
    history.save(tmp_path / "saved.csv")
    assert path.read_bytes() == (tmp_path / "saved.csv").read_bytes()
