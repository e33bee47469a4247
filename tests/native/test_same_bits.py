"""The same bits on any number of threads and any instructions, in any batch, with and without columns of zeros."""

import hashlib
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from deltarule.data.augment import Deformation
from deltarule.native import build, engine_call, loader
from deltarule.native.loader import library
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.training.clip_and_average import ClipNorm, MovingAverage, NoClipping
from deltarule.training.engine import Engine, engine
from deltarule.training.evaluation import loss_and_outputs
from deltarule.training.plan import Buffers, Plan


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Which takes as many threads as it may, however small the work is."""
    monkeypatch.setattr(loader, "FLOPS_A_THREAD", 1e-9)
    return engine("native")


RUNS: dict[str, dict[str, Any]] = {
    "relu, Adam": {"sizes": (70, 90, 33, 10), "optimizer": Adam()},
    "sigmoid, SGD": {"sizes": (70, 30, 10), "hidden": "sigmoid", "optimizer": SGD(), "batch_size": 10},
    "tanh, clipped": {"sizes": (70, 17, 10), "hidden": "tanh", "optimizer": Momentum(), "clip": ClipNorm(0.3)},
    "elu, dropout": {"sizes": (70, 40, 35, 10), "hidden": "elu", "dropout": 0.3, "optimizer": AdamW()},
    "silu, L1": {"sizes": (70, 65, 10), "hidden": "silu", "optimizer": RMSProp(), "penalty": L1(1e-4)},
    "softmax, L2, all": {
        "sizes": (70, 21, 10),
        "hidden": "softmax",
        "optimizer": Nesterov(),
        "penalty": L2(1e-3),
        "batch_size": 1100,
    },
}
GOLDEN = {
    "relu, Adam": "7713b8f07e7c3023",
    "sigmoid, SGD": "79e4527eeb2a73b5",
    "tanh, clipped": "f850f81aef6b0ca7",
    "elu, dropout": "c5d3a8896e045c2a",
    "silu, L1": "0118079388e24d1e",
    "softmax, L2, all": "9af152305108a425",
}


def pixels(n_samples: int = 1200) -> tuple[Array, Array]:
    """Images of 70 pixels, from integers alone, so that they are the same everywhere."""
    numbers = (np.arange(n_samples * 70, dtype=np.uint64) * np.uint64(2654435761)) >> np.uint64(7)
    X = (numbers % np.uint64(256)).astype(np.uint8).reshape(n_samples, 70)
    X[(X % 5) > 0] = 0
    X[:, 20:31] = 0
    return X, np.arange(n_samples) % 10


def weights(net: Network) -> None:
    """Weights that need no random number and no rounding."""
    numbers = (np.arange(net.parameters.size, dtype=np.uint64) * np.uint64(40503)) % np.uint64(1021)
    net.parameters.vector[:] = (numbers.astype(np.float64) - 510.0) / 4096.0


def run(native: Engine, sizes: Any, optimizer: Any, dtype: Any = np.float32, **more: Any) -> bytes:
    """The parameters, moments, average and losses after eight steps or so."""
    X, y = pixels()
    settings = {key: more[key] for key in ("hidden", "dropout") if key in more}
    net, batch_size = Network(sizes, dtype=dtype, **settings), more.get("batch_size", 128)
    weights(net)
    own = deepcopy(optimizer)
    average, n_steps = MovingAverage(0.9), min(8, -(-1200 // batch_size))
    average.begin(net.parameters)
    order = (np.arange(1200) * 7 % 1200)[: n_steps * batch_size]
    plan = Plan(X, y, order, batch_size, np.full(n_steps, 2.0**-7), buffers=Buffers(net, batch_size), average=average)
    plan.penalty, plan.clip = more.get("penalty", Penalty()), more.get("clip", NoClipping())
    outcome = native.run_steps(net, own, plan)
    arrays = [net.parameters.vector, average.parameters.vector, *own.state().values(), np.array(outcome.losses)]
    assert np.isfinite(outcome.losses).all()
    return b"".join(array.tobytes() for array in arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", RUNS)
def test_any_threads_and_any_instructions(
    native: Engine, name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for instructions in loader.available(library()):
        monkeypatch.setenv("DELTARULE_INSTRUCTIONS", instructions)
        for n_threads in (1, 2, 3, 7):
            monkeypatch.setenv("DELTARULE_THREADS", str(n_threads))
            found[instructions, n_threads] = run(native, dtype=dtype, **RUNS[name])
    assert len(set(found.values())) == 1


@pytest.mark.parametrize("name", RUNS)
def test_the_bits_are_those_of_this_version(native: Engine, name: str) -> None:
    """Another compiler, processor or thread changes none of them; who changes one says so in the changelog."""
    assert hashlib.sha256(run(native, **RUNS[name])).hexdigest()[:16] == GOLDEN[name]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(70, 45, 12, 10), (70, 300, 1), (70, 2), (70, 1, 1, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_a_row_alone_has_the_bits_that_it_has_in_any_batch(
    native: Engine, sizes: Any, dtype: Any, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an evaluation and in `outputs`, by rows and by blocks, with any instructions."""
    X, y = pixels(70)
    X, y = (X[:, ::-1] if kind == np.int64 else X).astype(kind), y % sizes[-1]
    how = {"hidden": ["tanh", "silu", "relu"][: len(sizes) - 2], "pixels": kind == np.uint8}
    net = Network(sizes, output="sigmoid", loss="quadratic", task="values", dtype=dtype, **how)
    weights(net)
    together = loss_and_outputs(net, X, y, native)[1]
    for i in (0, 13, 69):
        alone = loss_and_outputs(net, X[i : i + 1], y[i : i + 1], native)[1]
        np.testing.assert_array_equal(alone[0], together[i])
    others = np.concatenate([X[33:34], np.full((20, 70), 255).astype(kind)])  # no column is 0 there
    dense = loss_and_outputs(net, others, np.zeros(21, np.int64), native)[1]
    np.testing.assert_array_equal(dense[0], together[33])
    for instructions in loader.available(library()):
        monkeypatch.setenv("DELTARULE_INSTRUCTIONS", instructions)
        for few in (1e9, 0):
            monkeypatch.setattr(engine_call, "FEW_PRODUCTS", few)
            engine_call.is_compiled.cache_clear()
            answered = net.astype(dtype)  # which has no call yet
            found = engine_call.outputs(answered, X)
            np.testing.assert_array_equal(found, together)
            np.testing.assert_array_equal(answered.outputs(X[33:34]), together[33:34])
            np.testing.assert_array_equal(answered.outputs(X[:0]), together[:0])
            np.testing.assert_array_equal(answered.outputs(np.asfortranarray(X)[::2]), together[::2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deformed_images_are_the_same_with_any_instructions(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltarule.native.engine_call import deform

    images, found = pixels(40)[0].astype(dtype) / 255, []
    how = Deformation(rotation=12, scale=0.1, shift=1, elastic_alpha=20, stroke=1)
    for instructions in loader.available(library()):
        monkeypatch.setenv("DELTARULE_INSTRUCTIONS", instructions)
        out = np.empty_like(images)
        found.append(deform(images, (7, 10), how, np.random.default_rng(1), out).tobytes())
    assert len(set(found)) == 1


def test_both_instruction_sets_are_compiled_on_x86() -> None:
    assert build.instruction_sets() in (["v4", "v3"], ["neon"])
