"""examples/one_page.py says in one page what the library does."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.optimizers import SGD

ONE_PAGE = Path(__file__).parents[2] / "examples" / "one_page.py"
SOURCE = ONE_PAGE.read_text(encoding="utf-8")


def test_it_is_one_page_of_numpy() -> None:
    assert len(SOURCE.splitlines()) <= 100
    nodes = list(ast.walk(ast.parse(SOURCE)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert names - sys.stdlib_module_names == {"numpy"}


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-13)])
def test_the_library_takes_the_same_steps(dtype: Any, tolerance: float) -> None:
    one_page, rng = runpy.run_path(str(ONE_PAGE)), np.random.default_rng(0)
    weights, biases = one_page["new_network"]((30, 20, 15, 10), rng)
    weights, biases = ([array.astype(dtype) for array in arrays] for arrays in (weights, biases))
    network = Network((30, 20, 15, 10), dtype=dtype)
    for mine, theirs in zip((*network.weights, *network.biases), weights + biases, strict=True):
        mine[:] = theirs
    start = network.parameters.vector.copy()

    ws, grads, optimizer = network.workspace(16), network.parameters.zeros_like(), SGD()
    for batch_size in (16, 16, 5, 16) * 5:
        X, y = rng.random((batch_size, 30)).astype(dtype), rng.integers(10, size=batch_size)
        forward(network, X, ws)
        backward(network, y, ws, grads)
        loss = loss_value(network, y, ws)
        optimizer.step(network.parameters, grads, 0.3)
        assert one_page["learn"](weights, biases, X, y, 0.3) == pytest.approx(loss, rel=tolerance)
    theirs = np.concatenate([array.ravel() for array in weights + biases])
    assert theirs.dtype == dtype
    assert np.linalg.norm(network.parameters.vector - theirs) <= tolerance * np.linalg.norm(theirs)
    assert np.linalg.norm(start - theirs) >= 0.1 * np.linalg.norm(theirs), "twenty steps that lead somewhere"
    assert one_page["accuracy"](weights, biases, X, y) == (network.predict(X) == y).mean()


@pytest.mark.usefixtures("mnist")
def test_it_reads_97_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # two threads that spin are slow where the processor is shared
    result = subprocess.run([sys.executable, "-W", "error", ONE_PAGE], capture_output=True, text=True, check=True)
    before, *epochs = result.stdout.splitlines()
    assert before.startswith("before training: ")
    assert float(before.split()[2].rstrip("%")) < 25
    assert len(epochs) == 5
    assert float(epochs[-1].split()[-1].rstrip("%")) >= 97


def test_without_mnist_it_learns_the_bundled_digits_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", ONE_PAGE, tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"MNIST is not in {tmp_path}: run  deltarule data fetch mnist" in result.stderr
    assert "1,797 digits of 8x8 pixels" in result.stderr
    assert float(result.stdout.splitlines()[-1].split()[-1].rstrip("%")) >= 85


def test_alone_and_without_mnist_it_ends_with_a_sentence(tmp_path: Path) -> None:
    alone = tmp_path / "one_page.py"
    alone.write_text(SOURCE, encoding="utf-8")
    result = subprocess.run([sys.executable, alone, tmp_path], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert "MNIST is not in" in result.stderr
    assert "Traceback" not in result.stderr
