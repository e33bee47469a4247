"""That everybody in the benchmarks does the same work, and that rows say what was measured."""

import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.nn.activations import ReLU, Sigmoid
from deltarule.nn.network import Network
from deltarule.training.evaluation import evaluate

Run = Callable[..., tuple[str, str]]
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ACTIVATIONS = {"relu": ReLU(), "sigmoid": Sigmoid()}


@pytest.fixture(autouse=True)
def _benchmarks_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


def benchmark(name: str) -> ModuleType:
    return importlib.import_module(name)


def rows_in(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def small(optimizer: str, activation: str = "relu", n_samples: int = 64) -> Any:
    return benchmark("workloads").Workload((784, 12, 8, 10), activation, 64, optimizer, 0.01, n_samples)


def test_the_flops_of_a_step_are_its_products() -> None:
    """By hand for 3-2-4, a sample: forward 2 (6 + 8), the weights' gradient 2 (6 + 8), the way back 2 (8)."""
    workload = benchmark("workloads").Workload((3, 2, 4), "relu", 8, "sgd", 0.1, 5)
    assert workload.flops == 5 * (28 + 28 + 16)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_the_yardstick_is_the_networks_own_loss(activation: str) -> None:
    workload = small("sgd", activation)
    images, classes = benchmark("workloads").synthetic(64)
    network = Network(workload.layer_sizes, hidden=ACTIVATIONS[activation], pixels=True)
    for l, (W, b) in enumerate(workload.start()):
        network.weights[l][:], network.biases[l][:] = W, b
    dataset = Dataset(images, classes, class_names=tuple("0123456789"))
    assert workload.loss(workload.start(), images, classes) == pytest.approx(evaluate(network, dataset)[0], rel=1e-5)


def test_synthetic_images_are_as_sparse_as_mnist() -> None:
    images, classes = benchmark("workloads").synthetic(2500)
    assert (images == 0).mean() == pytest.approx(0.81, abs=0.005)
    assert set(classes) == set(range(10))


@pytest.mark.parametrize(
    ("optimizer", "peers"),
    [
        ("sgd", {"scikit-learn": "sklearn"}),  # with the others its optimizer has seen a batch before
        ("momentum", {}),
        ("adam", {"PyTorch": "torch", "JAX": "jax"}),
    ],
)
def test_everybody_takes_the_same_steps(
    optimizer: str, peers: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An epoch of one batch has one order: after three of them all have the same loss, up to float32's rounding."""
    if not peers:
        request.getfixturevalue("_workers_here")
    entries = benchmark("contenders").ENTRIES
    workload = small(optimizer)
    benchmark("workloads").prepare(tmp_path, workload.n_samples)
    losses = {}
    for name in ("deltarule", "tutorial loop", *peers):
        if not entries[name].absent():
            with benchmark("measuring").training(entries[name].subject, workload, tmp_path) as worker:
                assert all(worker.ask("epoch") > 0.0 for _ in range(3))
                losses[name] = worker.ask("report")["loss"]
    images, classes = np.load(tmp_path / "images.npy"), np.load(tmp_path / "classes.npy")
    assert losses["deltarule"] < workload.loss(workload.start(), images, classes) - 0.001
    assert losses == pytest.approx(dict.fromkeys(losses, losses["deltarule"]), rel=1e-4)


def test_a_worker_that_dies_is_told() -> None:
    with (
        benchmark("measuring").Worker("workloads:nothing", {}) as worker,
        pytest.raises(ChildProcessError, match="exit code 1"),
    ):
        worker.ask("epoch")


def test_who_is_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = benchmark("contenders").Entry
    assert entry("none:None", "no-such", "no_such").absent() == "pip install no-such"
    assert entry("none:None", "numpy", "numpy", compiles=False).absent() is None
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert "C++ compiler" in entry("none:None", "numpy", "numpy", compiles=True).absent()


def test_peers_compares(run: Run, tmp_path: Path) -> None:
    results = tmp_path / "peers.json"
    options = ("--workloads", "nielsen", "--examples", "100", "--repetitions", "2", "--fresh", "1", "--json", results)
    options += ("--engine", "numpy")  # nothing to compile, which with no kept code would take long
    said, _ = run("peers.py", *options, "--peers", "tutorial loop,sgemm")
    loop, sgemm = rows_in(results)
    assert (loop["peer"], loop["images"], loop["learned_alike"]) == ("tutorial loop", "synthetic", True)
    assert loop["ratio_low"] < loop["ratio"] < loop["ratio_high"]
    assert loop["peer_cold_seconds"] > loop["peer_seconds"]
    assert sgemm["flops"] == 100 * (6 * 23_820 - 2 * 23_520)
    assert "GFLOP/s" in said
    measured_anew = sgemm | {"peer_seconds": 1.0}
    benchmark("peers").record(results, [measured_anew])
    assert rows_in(results) == [loop, measured_anew]
    assert "got tensorflow" in run("peers.py", "--peers", "tensorflow", exits=2)[1]


@pytest.mark.usefixtures("_workers_here")
def test_latency_compares(run: Run, tmp_path: Path) -> None:
    said, _ = run("latency.py", "--calls", "20", "--repetitions", "2", "--json", tmp_path / "latency.json")
    rows = rows_in(tmp_path / "latency.json")
    assert [row["peer"] for row in rows[::2]] == ["ONNX Runtime", "PyTorch", "scikit-learn"]
    assert "Network.predict" in said
    for row in rows:
        assert row["ours_p99_seconds"] >= row["ours_seconds"]
        assert ("absent" in row) == (row["ratio"] is None)


@pytest.mark.usefixtures("_workers_here")
def test_an_epoch_beside_a_busy_process_is_compared_with_one_alone(run: Run, tmp_path: Path) -> None:
    options = ("--workloads", "headline", "--examples", "200", "--repetitions", "2", "--json", tmp_path / "busy.json")
    said, _ = run("busy.py", *options)
    (row,) = rows_in(tmp_path / "busy.json")
    assert (row["peer"], row["ratio_low"] <= row["ratio"] <= row["ratio_high"]) == ("beside a busy process", True)
    assert "200 images" in said


def test_a_slope_is_the_power() -> None:
    """3 n^2 for n = 1, 2, 4."""
    assert benchmark("scaling").slope([1, 2, 4], [3.0, 12.0, 48.0]) == pytest.approx(2.0)


def test_training_from_a_mapped_file(run: Run, tmp_path: Path) -> None:
    options = ("--sweeps", "", "--folder", tmp_path, "--json", tmp_path / "scaling.json")
    run("scaling.py", *options, "--gigabytes", "0.002")
    (row,) = rows_in(tmp_path / "scaling.json")
    assert "2,551 images" in row["workload"]
    assert 0.0 < row["loss"] < math.log(10)
    assert list(tmp_path.iterdir()) == [tmp_path / "scaling.json"]  # the file of images is gone
    assert "GB free" in run("scaling.py", *options, "--gigabytes", "1e9", exits=1)[1]


def test_a_dataset_leaves_a_mapped_file_where_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((10, 4), np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    data = Dataset(images, np.arange(10)).take(slice(2, 8))
    assert np.shares_memory(data.inputs, images)


@pytest.mark.usefixtures("_workers_here")
def test_deforming_is_compared_with_numpy_and_scipy(run: Run, tmp_path: Path) -> None:
    run("deform.py", "--examples", "300", "--repetitions", "2", "--json", tmp_path / "deform.json")
    rows = rows_in(tmp_path / "deform.json")
    assert [row["peer"] for row in rows] == ["numpy", "SciPy"]
    for row in rows:
        assert {"ratio", "ratio_low", "ratio_high", "ratio_median", "machine", "versions"} <= row.keys()
