"""Threads that share a step, and the BLAS that they call: alone, together, forsaken, and on any number of threads."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deltarule.training.plan import Buffers, Plan

pytest.importorskip("numba", reason="the extra fast is not installed")
threadpoolctl = pytest.importorskip("threadpoolctl", reason="the extra fast is not installed")

from deltarule.compiled import blas, steps, team  # noqa: E402
from deltarule.compiled.kernels import kernel  # noqa: E402
from deltarule.nn.network import Network  # noqa: E402
from deltarule.nn.optimizers import Adam  # noqa: E402

pytestmark = pytest.mark.skipif(not blas.available(), reason="SciPy is not installed")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 3, 64])
def test_products_are_numpys(n_rows: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a, b, wide = (rng.random(shape).astype(dtype) for shape in ((n_rows, 5), (5, 7), (n_rows, 20)))
    out = np.empty((n_rows, 7), dtype)
    blas.multiply(a, b, out, False, False)
    np.testing.assert_allclose(out, a @ b, rtol=1e-6)
    blas.multiply(a, np.ascontiguousarray(b.T), out, False, True)
    np.testing.assert_allclose(out, a @ b, rtol=1e-6)
    turned = np.empty((6, 5), dtype)
    blas.multiply(wide[:, 3:9], a, turned, True, False)
    np.testing.assert_allclose(turned, wide[:, 3:9].T @ a, rtol=1e-6)


@kernel
def count_together(rank: int, n_ranks: int, meeting: Any, counts: Any) -> bool:
    """Each round everybody writes its number, and reads those of all others: false where one came too early."""
    for i in range(len(counts)):
        counts[i, rank] = i + 1
        if not team.meet(meeting, n_ranks) or counts[i].sum() != n_ranks * (i + 1):
            return False
    return True


@pytest.mark.parametrize("n_ranks", [1, 2, 3])
def test_nobody_goes_on_before_all_have_come(n_ranks: int) -> None:
    meeting, counts = np.zeros(team.CELLS, np.int64), np.zeros((2000, n_ranks), np.int64)
    well = [False] * n_ranks

    def take_part(rank: int) -> None:
        well[rank] = count_together(rank, n_ranks, meeting, counts)

    threads = [threading.Thread(target=take_part, args=(rank,)) for rank in range(n_ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(well)


def test_who_waits_for_nobody_is_let_go() -> None:
    meeting = np.zeros(team.CELLS, np.int64)
    meeting[team.FORSAKEN] = 1
    assert not team.meet(meeting, 2)


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """As on a machine of two cores, whatever the tests run on."""
    blas.libraries()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        yield


@pytest.mark.usefixtures("two_threads")
def test_blas_threads_are_as_before_when_the_last_user_leaves() -> None:
    before = blas_threads()
    assert set(before) == {2}
    with blas.one_thread():
        with blas.one_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


@pytest.mark.usefixtures("two_threads")
def test_any_thread_may_limit_a_blas_whoever_did_before() -> None:
    before, meanwhile = blas_threads(), []

    def limited() -> None:
        with blas.one_thread():
            meanwhile.append(set(blas_threads()))

    limited()
    other = threading.Thread(target=limited)
    other.start()
    other.join()
    limited()
    assert meanwhile == [{1}] * 3
    assert blas_threads() == before


@pytest.mark.parametrize("hidden", [9, 80])
def test_any_number_of_threads_takes_the_same_steps(monkeypatch: pytest.MonkeyPatch, hidden: int) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (130, 35), np.uint8), rng.integers(0, 3, 130)
    X *= rng.random(X.shape) < 0.3
    runs = []
    for n_ranks in (1, 2, 3):
        monkeypatch.setattr(steps.team, "most", lambda n=n_ranks: n)
        network = Network((35, hidden, 7, 3), dtype=np.float64, rng=0)
        plan = Plan(X, y, np.arange(130), 20, np.full(7, 0.01), buffers=Buffers(network, 20))
        losses, right, _ = steps.take_steps(network, Adam(), plan)
        runs.append((losses, right, network.parameters.vector, plan.buffers.grads.vector))
        monkeypatch.undo()
    for run in runs[1:]:
        for one, other in zip(runs[0], run, strict=True):
            np.testing.assert_allclose(other, one, rtol=0.0, atol=1e-11)
