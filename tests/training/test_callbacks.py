"""Who is told what, and when; the history; early stopping; progress."""

import io
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, EarlyStopping, Progress, TrainingState
from deltarule.training.history import History, Monitor
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer

Told = Callable[..., Iterator[TrainingState]]


def examples(n_samples: int = 10) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(n_samples, 2)), np.arange(n_samples) % 2)


def run(*callbacks: Callback, validation: Dataset | None = None, epochs: int = 2) -> History:
    return Trainer(network=Network((2, 3, 2)), epochs=epochs, batch_size=4, callbacks=callbacks).fit(
        examples(), validation
    )


class Log(Callback):
    """Every event, with where the run stood and how many rows the history had."""

    def __init__(self, name: str, events: list[tuple[str, str, int, int, int]]) -> None:
        self.name, self.events = name, events

    def _note(self, event: str, state: TrainingState) -> None:
        self.events.append((self.name, event, state.epoch, state.step, len(state.history)))

    def train_begin(self, state: TrainingState) -> None:
        self._note("train_begin", state)

    def step_end(self, state: TrainingState) -> None:
        self._note("step_end", state)

    def epoch_end(self, state: TrainingState) -> None:
        self._note("epoch_end", state)

    def train_end(self, state: TrainingState) -> None:
        self._note("train_end", state)


def test_callbacks_hear_everything_in_order() -> None:
    events: list[tuple[str, str, int, int, int]] = []
    run(Log("a", events), Log("b", events))
    expected = [("train_begin", 0, 0, 0), ("epoch_end", 0, 0, 1)]
    expected += [("step_end", 1, 1, 1), ("step_end", 1, 2, 1), ("step_end", 1, 3, 1), ("epoch_end", 1, 3, 2)]
    expected += [("step_end", 2, 4, 2), ("step_end", 2, 5, 2), ("step_end", 2, 6, 2), ("epoch_end", 2, 6, 3)]
    expected += [("train_end", 2, 6, 3)]
    assert events == [(name, *event) for event in expected for name in "ab"]


def test_what_a_callback_may_look_at() -> None:
    network, data, optimizer, seen = Network((2, 3, 2)), examples(), SGD(), []

    class Look(Callback):
        def train_begin(self, state: TrainingState) -> None:
            assert (state.n_epochs, state.n_steps, state.learning_rate) == (2, 6, 0.25)
            assert math.isnan(state.batch_loss)

        def step_end(self, state: TrainingState) -> None:
            assert state.network is network
            assert state.optimizer is optimizer
            assert state.optimizer.steps == state.step
            assert state.grads.vector.any()
            seen.append((len(state.workspace.a[-1]), state.seconds))

    Trainer(
        network=network, optimizer=optimizer, schedule=Constant(0.25), epochs=2, batch_size=4, callbacks=[Look()]
    ).fit(data)
    assert [rows for rows, _ in seen] == [4, 4, 2, 4, 4, 2]
    seconds = [late for _, late in seen]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0.0


def test_a_callback_stops_the_run_and_says_why() -> None:
    class Impatient(Callback):
        def epoch_end(self, state: TrainingState) -> None:
            if state.epoch == 3:
                state.stop_reason = "the bus leaves"

    history = run(Impatient(), epochs=50)
    assert len(history) == 4
    assert history.stop_reason == "the bus leaves"


def test_a_run_can_be_stopped_before_it_starts() -> None:
    class Never(Callback):
        def train_begin(self, state: TrainingState) -> None:
            state.stop_reason = "no"

    assert len(run(Never(), epochs=50)) == 1


def test_the_history_by_columns_and_rows() -> None:
    history = run(validation=examples(6))
    assert list(history.rows[0]) == [
        *("epoch", "step", "learning_rate", "seconds"),
        *("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
    ]
    assert (history["epoch"], history["step"]) == ([0, 1, 2], [0, 3, 6])
    assert [row["train_loss"] for row in history] == history["train_loss"]
    with pytest.raises(SettingError, match="no column 'train_los': did you mean 'train_loss'"):
        history["train_los"]
    with pytest.raises(SettingError, match="no column 'train_los': did you mean 'train_loss'"):
        Monitor("train_los").improves(history)
    with pytest.raises(SettingError, match="no column 'train_loss'"):
        History()["train_loss"]


def stops_after(
    told: Told, stopping: EarlyStopping, figures: list[float], column: str = "validation_loss"
) -> int | None:
    """The epoch at which the stopping asks for an end."""
    for state in told(stopping, figures, column):
        if state.stop_reason is not None:
            assert state.stop_reason == f"{column} has not improved for {stopping.patience} epochs"
            return state.epoch
    return None


NAN = math.nan


@pytest.mark.parametrize(
    ("patience", "figures", "expected"),
    [
        (1, [5, 4, 3, 2, 1], None),
        (1, [5, 4, 4, 3], 2),
        (2, [5, 4, 4, 3, 3, 3], 5),
        (2, [5, 6, 7, 4], 2),
        (3, [5, 6, 7, 4, 4, 4], None),
        (2, [5, NAN, NAN, 4], 2),
        (2, [NAN, 5, 6, 4], None),
    ],
)
def test_early_stopping_waits_for_patience(
    told: Told, patience: int, figures: list[float], expected: int | None
) -> None:
    assert stops_after(told, EarlyStopping(patience), figures) == expected


def test_early_stopping_by_a_score_that_is_to_rise(told: Told) -> None:
    column = "validation_accuracy"
    assert stops_after(told, EarlyStopping(2, column), [0.1, 0.5, 0.5, 0.4], column) == 3
    assert stops_after(told, EarlyStopping(2, column), [0.1, 0.2, 0.3, 0.4], column) is None
    assert stops_after(told, EarlyStopping(2, "train_r2"), [-5.0, -1.0, 0.5, 0.4], "train_r2") is None


def test_early_stopping_asks_for_an_improvement_that_counts(told: Told) -> None:
    slowly = [1.0, 0.95, 0.90, 0.85]
    assert stops_after(told, EarlyStopping(2, min_delta=0.12), slowly) == 2
    assert stops_after(told, EarlyStopping(2, min_delta=0.04), slowly) is None


def test_early_stopping_starts_afresh_with_each_run(told: Told) -> None:
    stopping = EarlyStopping(2)
    assert stops_after(told, stopping, [1.0, 2.0, 3.0]) == 2
    assert stops_after(told, stopping, [9.0, 8.0, 7.0]) is None


def test_early_stopping_without_what_it_needs() -> None:
    with pytest.raises(SettingError, match="patience of EarlyStopping must be a whole number, 1 or more: got 0"):
        EarlyStopping(0)
    with pytest.raises(SettingError, match=r"no column 'validation_loss': give a validation set"):
        run(EarlyStopping(3))


def test_progress_is_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    history = run(Progress(stream), Progress(), validation=examples(6))
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 0/2", "epoch 1/2", "epoch 2/2"]
    assert f"train_loss {history['train_loss'][2]:.4f}  train_accuracy {history['train_accuracy'][2]:.4f}" in lines[2]
    assert f"validation_loss {history['validation_loss'][2]:.4f}" in lines[2]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", stream.getvalue())


def long_history(n_epochs: int, best: int, score: str = "accuracy") -> History:
    rows = [
        {
            "epoch": epoch,
            "step": 10 * epoch,
            "learning_rate": 0.001,
            "seconds": 0.5 * epoch,
            "train_loss": 2.3 / (1 + epoch),
            f"train_{score}": 1.0 - 0.9 / (1 + epoch),
            "validation_loss": 2.4 / (1 + epoch),
            f"validation_{score}": 0.875,
        }
        for epoch in range(n_epochs + 1)
    ]
    return History(rows, best, "enough")


@pytest.mark.parametrize(("n_epochs", "best"), [(0, 0), (3, 2), (12, 7), (500, 250), (500, 500), (99_999, 4)])
def test_a_history_prints_as_a_table_of_one_screen(n_epochs: int, best: int) -> None:
    heading, names, *rows = repr(long_history(n_epochs, best)).splitlines()
    assert heading == f"History of {n_epochs} epochs, best: epoch {best}; stopped: enough"
    assert max(map(len, [heading, names, *rows])) <= 110
    assert len(rows) <= 16
    shown = [row.split()[0] for row in rows]
    assert {"0", str(best), str(n_epochs)} <= set(shown)
    assert [row.split()[0] for row in rows if row.endswith("best")] == [str(best)]
    epochs = [int(each) for each in shown if each != "..."]
    assert epochs == sorted(set(epochs))
    gaps = [after - before > 1 for before, after in pairwise(epochs)]
    assert shown.count("...") == sum(gaps)
    assert len({row.index(" %") for row in rows if row.split()[0] != "..."}) == 1  # columns are aligned
    last = rows[-1].split()
    loss, accuracy = 2.3 / (1 + n_epochs), 100.0 * (1.0 - 0.9 / (1 + n_epochs))
    assert last[:4] == [str(n_epochs), f"{loss:.4f}", f"{accuracy:.2f}", "%"]
    assert last[5:7] == ["87.50", "%"]


def test_a_history_of_values_prints_r2_as_a_number() -> None:
    table = repr(long_history(1, 1, "r2"))
    assert table.startswith("History of 1 epoch, best: epoch 1")
    assert "validation r2" in table
    assert "0.8750" in table
    assert "%" not in table
    assert repr(History()) == "History of no epochs"
    assert repr(History([{"epoch": 0, "train_loss": 0.7}])).endswith("0.7000            nan      nan  kept")
