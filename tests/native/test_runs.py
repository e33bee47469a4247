"""Whole runs: both engines take the same steps, whatever is asked of them, and whoever listens."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.native import loader
from deltarule.nn import activations, losses, optimizers
from deltarule.nn.network import Network
from deltarule.nn.penalties import L1, L2
from deltarule.training import trainer as trainer_module
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import ClipNorm, MovingAverage
from deltarule.training.engine import REFERENCE, Engine, engine
from deltarule.training.history import History
from deltarule.training.schedules import Constant, Cosine
from deltarule.training.trainer import Trainer, fit

NATIVE = engine("native")
STRETCH = 5 * 10 * 500  # of five steps in a call


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on two cores, whatever the tests' process is allowed, and however small a step is."""
    monkeypatch.setenv("DELTARULE_THREADS", "2")
    monkeypatch.setattr(loader, "FLOPS_A_THREAD", 1.0)


def pictures(n_samples: int = 203, dtype: Any = np.uint8) -> Dataset:
    """Images of 6 x 6, most pixels 0, in three classes that can be told apart."""
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=n_samples)
    pixels = rng.integers(256, size=(n_samples, 36)) * (rng.random((n_samples, 36)) < 0.2)
    pixels[np.arange(n_samples), classes * 5] = 255
    inputs = pixels.astype(dtype) if dtype == np.uint8 else (pixels / 255.0).astype(dtype)
    return Dataset(inputs, classes, "classes", ("a", "b", "c"), (6, 6))


def trained(
    with_engine: Engine, data: Dataset, weights: Any = None, **settings: Any
) -> tuple[Network, History, Trainer]:
    network = Network(
        settings.pop("sizes", (36, 9, 7, 3)),
        hidden=settings.pop("hidden", activations.ReLU()),
        output=settings.pop("output", activations.Softmax()),
        loss=settings.pop("loss", losses.CrossEntropy()),
        task=settings.pop("task", None),
        dropout=settings.pop("dropout", 0.0),
        dtype=settings.pop("dtype", np.float64),
    )
    settings = {"epochs": 3, "batch_size": 10, "schedule": Cosine(0.05, 60), "optimizer": optimizers.SGD()} | settings
    trainer = Trainer(network=network, engine=with_engine, **settings)
    validation = replace(data, inputs=data.inputs[:50], targets=data.targets[:50])
    return network, trainer.fit(data, validation, sample_weight=weights), trainer


def same_run(theirs: tuple[Network, History, Trainer], ours: tuple[Network, History, Trainer], atol: float) -> None:
    (network1, history1, trainer1), (network2, history2, trainer2) = theirs, ours
    np.testing.assert_allclose(network2.parameters.vector, network1.parameters.vector, rtol=0.0, atol=atol)
    for row1, row2 in zip(history1, history2, strict=True):
        assert row2.keys() == row1.keys()
        assert {name: row2[name] for name in ("epoch", "step", "learning_rate")} == {
            name: row1[name] for name in ("epoch", "step", "learning_rate")
        }
        for name in row1.keys() - {"seconds"}:
            np.testing.assert_allclose(row2[name], row1[name], rtol=0.0, atol=max(atol, 1e-12))
    for name, value in trainer1.optimizer.state().items():
        np.testing.assert_allclose(trainer2.optimizer.state()[name], value, rtol=0.0, atol=atol)


def fresh(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings whose optimizer and average remember nothing."""
    return {name: value() if isinstance(value, type | Fresh) else value for name, value in settings.items()}


class Fresh:
    """Makes an object anew each time."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __call__(self) -> Any:
        return self.make()


RUNS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "adamw, smoothing": {"optimizer": optimizers.AdamW, "loss": losses.CrossEntropy(label_smoothing=0.1)},
    "nesterov, tanh": {"optimizer": optimizers.Nesterov, "hidden": activations.Tanh()},
    "rmsprop, quadratic on sigmoids": {
        "optimizer": optimizers.RMSProp,
        "output": activations.Sigmoid(),
        "loss": losses.Quadratic(),
        "schedule": Constant(0.003),
    },
    "adagrad, two kinds of layer": {
        "optimizer": optimizers.AdaGrad,
        "hidden": [activations.SiLU(), activations.ELU()],
    },
    "L2": {"penalty": L2(0.01)},
    "L1, Adam": {"penalty": L1(0.001), "optimizer": optimizers.Adam},
    "one batch": {"batch_size": 203},
    "batches of one": {"batch_size": 1, "epochs": 1},
    "a wide first layer": {"sizes": (36, 70, 20, 3), "optimizer": optimizers.Adam, "batch_size": 32},
    "one layer": {"sizes": (36, 3)},
    "a softmax inside": {"sizes": (36, 9, 3), "hidden": activations.Softmax()},
    "augmented": {"augment": Deformation(rotation=10.0, shift=1.0, elastic_alpha=5.0, elastic_sigma=2.0, fade=0.8)},
    "averaged": {"average": Fresh(lambda: MovingAverage(0.9)), "optimizer": optimizers.Momentum},
    "dropout": {"dropout": 0.3},
    "clipped": {"clip": ClipNorm(0.1)},
    "all at once": {"batch_size": None},
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("name", RUNS)
def test_runs_take_the_same_steps(name: str, dtype: Any, weighted: bool) -> None:
    data = pictures(dtype=dtype)
    weights = np.random.default_rng(1).random(data.n_samples) if weighted else None
    same_run(*(trained(each, data, weights, **fresh(RUNS[name])) for each in (REFERENCE, NATIVE)), 1e-11)


@pytest.mark.parametrize(("n_columns", "in_use"), [(36, 0), (36, 1), (1, 1), (1, 0)])
def test_pictures_with_little_or_nothing_on_them(n_columns: int, in_use: int) -> None:
    data = pictures()
    inputs = np.where(np.arange(n_columns) < in_use, data.inputs[:, :n_columns], 0).astype(np.uint8)
    data = replace(data, inputs=inputs, image_shape=None)
    same_run(*(trained(each, data, sizes=(n_columns, 70, 3)) for each in (REFERENCE, NATIVE)), 1e-11)


@pytest.mark.parametrize("name", RUNS)
def test_float32_runs_stay_together(name: str) -> None:
    runs = [trained(each, pictures(), dtype=np.float32, **fresh(RUNS[name])) for each in (REFERENCE, NATIVE)]
    np.testing.assert_allclose(runs[1][0].parameters.vector, runs[0][0].parameters.vector, rtol=0.0, atol=1e-4)


def test_a_callback_that_sees_every_step_changes_no_bit() -> None:
    class Watching(Callback):
        def step_end(self, state: TrainingState) -> None:
            assert len(state.workspace.z[0]) in (10, 3)
            assert np.isfinite(state.grads.vector).all()

    for settings in (RUNS["adamw, smoothing"], RUNS["dropout"], RUNS["averaged"], RUNS["augmented"]):
        runs = [trained(NATIVE, pictures(), callbacks=some, **fresh(settings)) for some in ([], [Watching()])]
        np.testing.assert_array_equal(runs[1][0].parameters.vector, runs[0][0].parameters.vector)


def test_a_callback_that_counts_steps_gets_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "STRETCH_WEIGHTS", STRETCH)

    class Counting(Callback):
        def __init__(self, *, every_step: bool) -> None:
            self.every_step, self.steps = every_step, list[int]()  # type: ignore[misc] - set for each instance

        def step_end(self, state: TrainingState) -> None:
            self.steps.append(state.step)

    patient, exact = Counting(every_step=False), Counting(every_step=True)
    trained(NATIVE, pictures(), epochs=1, callbacks=[patient])
    trained(NATIVE, pictures(), epochs=1, callbacks=[patient, exact])
    assert exact.steps == list(range(1, 22))
    assert patient.steps == [5, 10, 15, 20, 21, *range(1, 22)]


@pytest.mark.parametrize("engine", [REFERENCE, NATIVE], ids=["numpy", "native"])
def test_what_callbacks_take_is_no_time_of_training(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "STRETCH_WEIGHTS", STRETCH)
    now = 0.0

    def tick() -> float:
        nonlocal now
        now += 1.0
        return now

    class Slow(Callback):
        def step_end(self, state: TrainingState) -> None:
            nonlocal now
            now += 1000.0

    monkeypatch.setattr(time, "perf_counter", tick)
    seconds = trained(engine, pictures(), epochs=2, callbacks=[Slow()])[1]["seconds"]
    assert 2 <= seconds[1] < 1000
    assert 2 * seconds[1] == seconds[2]


def test_a_callback_may_ask_for_single_steps_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "STRETCH_WEIGHTS", STRETCH)

    class Curious(Callback):
        every_step = False

        def __init__(self) -> None:
            self.steps = list[int]()

        def step_end(self, state: TrainingState) -> None:
            self.steps.append(state.step)
            self.every_steps = 1 if 10 <= state.step < 15 else None

    curious = Curious()
    network, _, _ = trained(NATIVE, pictures(), callbacks=[curious], epochs=1)
    seen = [step for step in curious.steps if 10 <= step <= 16]
    assert set(range(seen[0], 16)) <= set(curious.steps)
    assert len(curious.steps) < 21
    alone, _, _ = trained(NATIVE, pictures(), epochs=1)
    np.testing.assert_array_equal(network.parameters.vector, alone.parameters.vector)


def test_a_stop_between_stretches_counts_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "STRETCH_WEIGHTS", STRETCH)

    class Stop(Callback):
        every_step = False

        def step_end(self, state: TrainingState) -> None:
            state.stop_reason = "enough"

    _, history, _ = trained(NATIVE, pictures(), callbacks=[Stop()])
    assert (len(history), history["step"][-1], history.stop_reason) == (2, 5, "enough")
    assert 0.0 <= history["train_accuracy"][-1] <= 1.0


def test_a_rate_that_diverges_is_named_at_the_same_step() -> None:
    said = []
    for each in (REFERENCE, NATIVE):
        with pytest.raises(DivergenceError) as caught:
            trained(
                each,
                pictures(),
                schedule=Constant(1e6),
                output=activations.Identity(),
                loss=losses.Quadratic(),
                task="classes",
            )
        said.append(str(caught.value).partition("got a loss of")[2].partition("at step")[2])
    assert said[0] == said[1]
    assert "the learning rate 1e+06 is too high" in said[0]


def test_two_threads_that_train_and_predict_at_once_are_both_right() -> None:
    data = pictures(600)
    alone, _, _ = trained(NATIVE, data)
    predicted = alone.outputs(data.inputs)
    results: dict[int, Any] = {}

    def train_and_predict(number: int) -> None:
        network, _, _ = trained(NATIVE, data)
        results[number] = network.parameters.vector, [alone.outputs(data.inputs) for _ in range(20)]

    threads = [threading.Thread(target=train_and_predict, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for vector, outputs in results.values():
        np.testing.assert_array_equal(vector, alone.parameters.vector)
        assert all(np.array_equal(each, predicted) for each in outputs)
    assert len(results) == 2


def interrupt(*arguments: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer's signal, as POSIX has it")
@pytest.mark.parametrize("batch_size", [50, 20_000])
def test_an_interruption_is_answered_and_no_weight_changes_after_it(batch_size: int) -> None:
    """What is saved then must be what it was when its digest was taken."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(256, size=(20_000, 784), dtype=np.uint8), rng.integers(10, size=20_000)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for seconds in (0.05, 0.11):
            network, threads = Network((784, 128, 10)), threading.active_count()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            with pytest.raises(KeyboardInterrupt):
                fit(network, X, y, epochs=100_000, batch_size=batch_size, engine=NATIVE)
            deadline = time.monotonic() + 5.0  # one that was interrupted while it started ends, and makes no call
            while threading.active_count() > threads and time.monotonic() < deadline:
                time.sleep(0.001)
            assert threading.active_count() == threads
            vector = network.parameters.vector.copy()
            time.sleep(0.01)
            np.testing.assert_array_equal(network.parameters.vector, vector)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_no_call_is_made_after_an_interruption_while_its_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[threading.Thread] = []
    calls: list[Any] = []
    start = threading.Thread.start

    def interrupted_start(thread: threading.Thread) -> None:
        begun.append(threading.Timer(0.02, thread.run))  # the thread is on its way, and its starter does not know
        start(begun[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt):
        loader.call_interruptibly(calls.append, "the call", np.zeros(1, np.uint8))
    begun[0].join()
    assert calls == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork, as POSIX has it")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_fork_while_another_thread_trains_can_train() -> None:
    data, ended = pictures(600), threading.Event()

    def train() -> None:
        while not ended.is_set():
            trained(NATIVE, data, epochs=1)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        alone = trained(NATIVE, data, epochs=1)[0].parameters.vector
        child = os.fork()
        if child == 0:
            same = np.array_equal(trained(NATIVE, data, epochs=1)[0].parameters.vector, alone)
            os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        ended.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork, as POSIX has it")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_calls_of_the_parent_take_no_threads_from_the_child_of_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELTARULE_THREADS")
    monkeypatch.setattr(loader, "most_threads", lambda: 8)
    with loader.threads_for(1e12) as n_threads:
        child = os.fork()
        if child == 0:
            with loader.threads_for(1e12) as n_of_child:
                os._exit(n_of_child)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == n_threads == 8
