"""Checkpoints: what is kept, which is taken, what is refused, and that nothing in a file can do harm."""

import gc
import logging
import weakref
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import deltarule as dr
from deltarule.data.dataset import Dataset
from deltarule.errors import FileError, ModelFileError, SettingError
from deltarule.files import checkpoint
from deltarule.files.checkpoint import Checkpoints, newest_checkpoint, read_checkpoint
from deltarule.native.loader import available, library
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD, Adam, Optimizer
from deltarule.training import engine as engine_module
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.engine import engine as engine_named
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer


def data(n_samples: int = 20) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(n_samples, 4)).astype(np.float32), np.arange(n_samples) % 2)


def trainer(*callbacks: Callback, **settings: Any) -> Trainer:
    network = Network((4, 5, 2), rng=0)
    return Trainer(**{"network": network, "epochs": 3, "batch_size": 5, "callbacks": callbacks} | settings)


class BrokenOffError(Exception):
    """Ends a run from outside."""


class Wait(Callback):
    """Gives the writer time to finish after each step, and breaks the run off after one."""

    every_step = False

    def __init__(self, checkpoints: Checkpoints, breaks_after: int = 0) -> None:
        self.checkpoints, self.breaks_after = checkpoints, breaks_after

    def step_end(self, state: TrainingState) -> None:
        self.checkpoints.wait()
        if state.step == self.breaks_after:
            raise BrokenOffError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("step-*"))


def broken_run(folder: Path, step: int = 7, **settings: Any) -> None:
    checkpoints = Checkpoints(folder, every_steps=1)
    with pytest.raises(BrokenOffError):
        trainer(Wait(checkpoints, step), checkpoints, **settings).fit(data())


def test_the_last_two_are_kept_and_the_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = trainer()
    history = whole.fit(data())
    broken_run(tmp_path)
    assert names(tmp_path) == ["step-000000000006.safetensors", "step-000000000007.safetensors"]
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    again = trainer(Wait(checkpoints), checkpoints)
    resumed = again.fit(data(), resume=checkpoints.newest())
    assert again.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()
    assert resumed["train_loss"] == history["train_loss"]
    assert names(tmp_path) == ["step-000000000011.safetensors", "step-000000000012.safetensors"]


def test_one_program_starts_a_run_and_goes_on_with_it(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "new").newest() is None
    results = []
    for _ in range(2):
        network = Network((4, 5, 2), rng=0)
        checkpoints = Checkpoints(tmp_path / "new", every_steps=2)
        dr.fit(network, data().inputs, data().targets, callbacks=[checkpoints], resume=checkpoints.newest())
        results.append(network.parameters.vector.tobytes())
    assert results[0] == results[1]


def test_one_whose_run_never_began_makes_way(tmp_path: Path) -> None:
    """A notebook keeps what a cell that failed has made until the kernel is restarted."""
    broken_run(tmp_path)
    kept, early = [], Checkpoints(tmp_path, every_steps=1)
    stale = early.newest()
    for epochs in (4, 3, 4, 3):  # with 4, the cell is of another run
        again = Checkpoints(tmp_path, every_steps=1)
        kept += [again, newest := again.newest()]
        if epochs == 3:
            trainer(Wait(again), again).fit(data(), resume=newest)
        else:
            with pytest.raises(SettingError, match="epochs was 3 and is 4"):
                trainer(again, epochs=epochs).fit(data(), resume=newest)
    with pytest.raises(SettingError, match="which holds step-000000000012"):  # the run has gone on since
        trainer(early).fit(data(), resume=stale)
    assert Checkpoints(tmp_path).newest() is not None  # and the lock is free


def test_a_folder_is_held_from_the_first_step_to_the_last(tmp_path: Path) -> None:
    broken_run(tmp_path)
    others = [Checkpoints(tmp_path), Checkpoints(tmp_path)]
    refused = []

    class Look(Callback):
        def step_end(self, state: TrainingState) -> None:
            for other in others:
                with pytest.raises(FileError, match="which another run writes to"):
                    other.newest()
                refused.append(state.step)

    checkpoints = Checkpoints(tmp_path, every_steps=1)
    trainer(Look(), checkpoints).fit(data(), resume=checkpoints.newest())
    assert refused == sorted([*range(8, 13)] * 2)
    assert others[0].newest() is not None


def test_by_time_the_first_comes_at_once_and_the_next_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(clock) * 10.0)
    kept = []

    class Kept(Checkpoints):
        def _put(self, snapshot: Snapshot) -> None:
            kept.append(snapshot.step)
            super()._put(snapshot)

    checkpoints = Kept(tmp_path, every_seconds=25.0)
    trainer(Wait(checkpoints), checkpoints, epochs=1, batch_size=2).fit(data())
    assert kept[:4] == [1, 4, 7, 10]  # a step takes 10 seconds of this clock


def test_the_older_one_is_used_where_the_newest_is_damaged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken_run(tmp_path)
    older, newest = sorted(tmp_path.glob("step-*"))
    newest.write_bytes(newest.read_bytes()[:-1])
    path, snapshot = newest_checkpoint(tmp_path)
    assert (path, snapshot.step) == (older, 6)
    assert f"skipped: {newest} is not an intact checkpoint" in caplog.text
    assert "bytes of arrays" in caplog.text
    older.write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"none of 2 checkpoints in .* is intact: .*an empty file"):
        newest_checkpoint(tmp_path)


def test_a_damaged_one_is_gone_when_two_sound_ones_are_there(tmp_path: Path) -> None:
    broken_run(tmp_path)
    (tmp_path / "step-000000000999.safetensors").write_bytes(b"damaged")
    (tmp_path / ".deltarule-0123456789abcdef.tmp").write_bytes(b"half")
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    trainer(Wait(checkpoints), checkpoints).fit(data(), resume=checkpoints.newest())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".lock",
        "step-000000000008.safetensors",
        "step-000000000012.safetensors",
    ]


def test_tensors_of_another_program_stay_whatever_they_are_called(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken_run(tmp_path)
    theirs = [tmp_path / f"step-{step:012d}.safetensors" for step in (9, 999)]
    for path in theirs:
        save_file({"weight": np.eye(2)}, path)
    before = [path.read_bytes() for path in theirs]
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    trainer(Wait(checkpoints), checkpoints).fit(data(), resume=checkpoints.newest())
    assert [path.read_bytes() for path in theirs] == before
    assert "step-000000000009.safetensors belongs to another program, and stays" in caplog.text
    assert {path.name for path in tmp_path.glob("step-*")} > {path.name for path in theirs}


def test_another_run_is_refused_and_each_difference_named(tmp_path: Path) -> None:
    broken_run(tmp_path, optimizer=Adam())
    snapshot = newest_checkpoint(tmp_path)[1]
    other = trainer(optimizer=SGD(), epochs=4, seed=1)
    with pytest.raises(SettingError) as caught:
        other.fit(data(25), resume=snapshot)
    for difference in (
        "optimizer was Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-08) and is SGD()",
        "epochs was 3 and is 4",
        "seed was 0 and is 1",
        "training data was 20 examples, SHA-256 ",
    ):
        assert difference in str(caught.value)
    with pytest.raises(SettingError, match="network was 4-5-2 and is 4-6-2"):
        trainer(network=Network((4, 6, 2))).fit(data(), resume=snapshot)


def test_what_cannot_go_on_is_refused_even_without_identity(tmp_path: Path) -> None:
    broken_run(tmp_path)
    snapshot = newest_checkpoint(tmp_path)[1]
    anyhow = Snapshot(snapshot.arrays, snapshot.columns, {})
    with pytest.raises(SettingError, match=r"a network of 44 parameters, float32, cannot take 'parameters'"):
        trainer(network=Network((4, 6, 2))).fit(data(), resume=anyhow)
    with pytest.raises(SettingError, match="differs in validation_accuracy, validation_loss; use"):
        trainer().fit(data(), data(), resume=anyhow)
    with pytest.raises(SettingError, match="the state of SGD holds steps and no moments"):
        trainer(optimizer=SGD()).fit(data(), resume=anyhow)
    with pytest.raises(SettingError, match="the state of MovingAverage holds steps, parameters: got nothing"):
        trainer(average=MovingAverage()).fit(data(), resume=anyhow)
    longer = trainer(epochs=4)
    assert len(longer.fit(data(), resume=anyhow)) == 5


def test_a_new_run_does_not_touch_the_checkpoints_of_another(tmp_path: Path) -> None:
    broken_run(tmp_path)
    before = names(tmp_path)
    with pytest.raises(
        SettingError, match=r"needs a folder without checkpoints: got .*, which holds step-000000000007"
    ):
        trainer(Checkpoints(tmp_path)).fit(data())
    assert names(tmp_path) == before
    Checkpoints(tmp_path).newest()  # the lock is free


def test_what_comes_after_checkpoints_would_be_missed(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="must be the last of the callbacks"):
        trainer(Checkpoints(tmp_path), Callback()).fit(data())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every_steps": 0}, "every_steps of Checkpoints must be a whole number, 1 or more, or None: got 0"),
        ({"every_seconds": 0.0}, "every_seconds of Checkpoints must be above 0 and finite: got 0.0"),
    ],
)
def test_settings(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Checkpoints(tmp_path, **settings)


def test_a_record_that_is_no_json_or_too_long(tmp_path: Path) -> None:
    for record in ({"a": float("nan")}, {"a": object()}, {"a": "b" * 2**21}):
        with pytest.raises(SettingError, match="the record of a checkpoint must be JSON, and short"):
            trainer(Checkpoints(tmp_path, every_steps=1, record=record)).fit(data())
        assert names(tmp_path) == []


def change(here: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """As if the process were elsewhere now."""
    changes = {name: here[name] | new if isinstance(new, dict) else new for name, new in changes.items()}
    monkeypatch.setattr(checkpoint, "here", lambda *_: here | changes)


def test_other_versions_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    broken_run(tmp_path)
    newest_checkpoint(tmp_path)
    assert caplog.text == ""
    here = checkpoint.here("numpy", "float32")
    changes = {"versions": {"numpy": "3.0"}, "threads": {"cpus": 0}, "engine": {"kernel": "Z80"}}
    change(here, monkeypatch, machine="abacus", **changes)
    newest_checkpoint(tmp_path)
    assert f"other machine, so the bits may differ: {here['machine']}, now abacus" in caplog.text
    assert f"other versions, so the bits may differ: numpy was {here['versions']['numpy']} and is 3.0\n" in caplog.text
    assert f"other threads, so the bits may differ: cpus was {here['threads']['cpus']} and is 0" in caplog.text
    assert f"other engine, so the bits may differ: kernel was {here['engine']['kernel']} and is Z80" in caplog.text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_three_steps_of_the_library_are_the_same_nothing_else_counts(
    dtype: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_run(tmp_path, engine="native", network=Network((4, 5, 2), dtype=dtype))
    checkpoint.here.cache_clear()
    monkeypatch.setenv("DELTARULE_INSTRUCTIONS", available(library())[-1])
    monkeypatch.setenv("DELTARULE_THREADS", "3")
    newest_checkpoint(tmp_path)
    here = checkpoint.here("native", dtype)
    change(here, monkeypatch, machine="abacus", threads={"cpus": 0})
    newest_checkpoint(tmp_path)
    assert caplog.text == ""
    change(here, monkeypatch, machine="abacus", engine={"three steps": "0", "library": "1"})
    newest_checkpoint(tmp_path)
    assert "other engine, so the bits may differ: three steps was " in caplog.text
    assert f"library was {here['engine']['library']} and is 1" in caplog.text
    assert f"other machine, so the bits may differ: {here['machine']}, now abacus" in caplog.text


def test_a_stop_keeps_the_step_and_then_ends_the_run(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)

    class Ask(Callback):
        def step_end(self, state: TrainingState) -> None:
            if state.step == 7:
                checkpoints.stop(BrokenOffError())

    with pytest.raises(BrokenOffError):
        trainer(Ask(), checkpoints).fit(data())
    assert checkpoints.stopped
    assert checkpoints.last == tmp_path / "step-000000000007.safetensors"
    assert read_checkpoint(checkpoints.last).step == 7


class Breaks(Callback):
    """Raises in one of its hooks, the first time that it has the chance."""

    every_step = False

    def __init__(self, hook: str, step: int, error: BaseException) -> None:
        def raises(state: TrainingState) -> None:
            if state.step >= step and not self.has_raised:
                self.has_raised = True
                raise error

        self.has_raised = False
        setattr(self, hook, raises)

    def step_end(self, state: TrainingState) -> None:
        """Which makes it one that is told of steps."""


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize("error", [BrokenOffError(), MemoryError(), OSError(5, "gone"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize(("hook", "at", "kept"), [("step_end", 6, 6), ("epoch_end", 6, 8), ("epoch_end", 4, 4)])
def test_an_exception_in_a_callback_keeps_the_last_step(
    tmp_path: Path, engine: str, error: BaseException, hook: str, at: int, kept: int
) -> None:
    settings: dict[str, Any] = {"engine": engine_named(engine), "epochs": 3}
    whole = trainer(Breaks(hook, 10**9, error), Checkpoints(tmp_path / "whole"), **settings)
    whole.fit(data())
    broken = trainer(Breaks(hook, at, error), Checkpoints(tmp_path / "kept", every_seconds=3600.0), **settings)
    with pytest.raises(type(error)):
        broken.fit(data())
    checkpoints = Checkpoints(tmp_path / "kept")
    snapshot = checkpoints.newest()
    assert snapshot is not None
    assert snapshot.step == (kept if engine == "numpy" or hook == "epoch_end" else 8)  # many steps in one call
    again = trainer(Breaks(hook, 10**9, error), checkpoints, **settings)
    again.fit(data(), resume=snapshot)
    assert again.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()


@pytest.mark.parametrize(("method", "kept"), [("forward", 9), ("backward", 9), ("gather", 9), ("step", 8)])
def test_an_exception_within_a_step_keeps_a_whole_one(
    tmp_path: Path, method: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step before; or the one before that, where the parameters were being changed."""
    monkeypatch.setattr(checkpoint, "COPY_APART", 0)  # else it depends on the machine's speed

    home: Any = Optimizer if method == "step" else engine_module
    of_numpy = getattr(home, method)

    def fails(*arguments: Any, **options: Any) -> Any:
        outcome = of_numpy(*arguments, **options)
        if broken.optimizer.steps >= 9:
            raise MemoryError
        return outcome

    whole = trainer(seen := Breaks("step_end", 10**9, BrokenOffError()))
    expected = whole.fit(data(), data(8))
    broken = trainer(seen, Checkpoints(tmp_path, every_seconds=3600.0))
    monkeypatch.setattr(home, method, fails)
    with pytest.raises(MemoryError):
        broken.fit(data(), data(8))
    monkeypatch.setattr(home, method, of_numpy)
    checkpoints = Checkpoints(tmp_path)
    snapshot = checkpoints.newest()
    assert snapshot is not None
    assert snapshot.step == kept
    again = trainer(seen, checkpoints)
    history = again.fit(data(), data(8), resume=snapshot)
    assert again.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()
    assert history["train_accuracy"] == expected["train_accuracy"]


def test_a_callback_that_fails_at_the_end_hides_nothing_and_loses_nothing(tmp_path: Path) -> None:
    failing = Breaks("train_end", 0, OSError("the end"))
    with pytest.raises(BrokenOffError) as caught:
        trainer(failing, Breaks("step_end", 6, BrokenOffError()), Checkpoints(tmp_path)).fit(data())
    assert caught.value.__notes__ == ["Breaks.train_end failed as well: OSError('the end')"]
    assert newest_checkpoint(tmp_path)[1].step == 6
    failing.has_raised = False
    with pytest.raises(OSError, match="the end"):
        trainer(failing, Checkpoints(tmp_path / "other")).fit(data())
    Checkpoints(tmp_path / "other").newest()  # the lock is free


def test_a_checkpoint_that_cannot_be_written_hides_no_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*arguments: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(checkpoint, "checkpoint_bytes", fails)
    with pytest.raises(BrokenOffError):
        trainer(Breaks("step_end", 6, BrokenOffError()), Checkpoints(tmp_path)).fit(data())
    assert "checkpoint not saved: there is not enough memory" in caplog.text


def test_a_checkpoint_is_no_model_and_a_model_no_checkpoint(tmp_path: Path) -> None:
    broken_run(tmp_path)
    with pytest.raises(ModelFileError, match="expected a model: got a checkpoint"):
        dr.load(sorted(tmp_path.glob("step-*"))[0])
    dr.save(Network((2, 3)), tmp_path / "model")
    with pytest.raises(ModelFileError, match="is not an intact checkpoint: expected a checkpoint: got a model"):
        read_checkpoint(tmp_path / "model")
    with pytest.raises(FileError, match="does not exist"):
        read_checkpoint(tmp_path / "none")


def test_what_could_not_be_written_is_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was, until the next full garbage collection, which a run on a full disk could wait for a long time."""
    seen: list[weakref.ref[Any]] = []

    def full(path: Path, data: bytes) -> None:
        raise FileError("the disk is full")

    def remembered(snapshot: Snapshot) -> bytes:
        seen.append(weakref.ref(snapshot))
        return b""

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    monkeypatch.setattr(checkpoint, "checkpoint_bytes", remembered)
    checkpoints = Checkpoints(tmp_path, every_steps=1)
    gc.disable()
    try:
        trainer(Wait(checkpoints), checkpoints).fit(data())
        assert len(seen) == 13  # one for each step, and the last state
        assert [each() for each in seen[:-1]] == 12 * [None]
    finally:
        gc.enable()


def test_what_cannot_be_written_is_told_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, calls = checkpoint.write_atomically, []

    def fails_at_first(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) < 3:
            raise FileError("the disk is full")
        real(path, content)

    class Hear(Callback):
        def step_end(self, state: TrainingState) -> None:
            heard.append(caplog.text.count("not saved"))
            if checkpoints._writing is not None:
                futures.wait([checkpoints._writing])

    monkeypatch.setattr(checkpoint, "write_atomically", fails_at_first)
    checkpoints, heard = Checkpoints(tmp_path, every_seconds=3600.0), list[int]()
    with caplog.at_level(logging.WARNING, "deltarule"):
        trainer(Hear(), checkpoints).fit(data())
    assert heard[:3] == [0, 0, 1]  # at the next step, and not when the next one is due or the run ends
    calls.clear()
    caplog.clear()
    for path in tmp_path.glob("step-*"):
        path.unlink()
    checkpoints = Checkpoints(tmp_path, every_steps=4)
    with caplog.at_level(logging.WARNING, "deltarule"):
        trainer(Wait(checkpoints), checkpoints).fit(data())
    assert caplog.text.count("checkpoint not saved: the disk is full") == 2
    assert names(tmp_path) == ["step-000000000012.safetensors"]
