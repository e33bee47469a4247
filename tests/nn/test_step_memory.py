"""A training step works in the arrays that it has."""

import tracemalloc

import numpy as np
import pytest

from deltarule.nn.activations import Activation, ReLU, SiLU
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.optimizers import AdamW
from deltarule.nn.penalties import L1

KIB = 1024


def step_peak(hidden: Activation, batch_size: int) -> int:
    """The most bytes that a step of a 784-128-10 network holds at once beyond what it held before."""
    network, optimizer = Network((784, 128, 10), hidden=hidden, dropout=0.2), AdamW()
    ws, grads = network.workspace(batch_size), network.parameters.zeros_like()
    rng = np.random.default_rng(0)
    X, y = rng.integers(256, size=(batch_size, 784), dtype=np.uint8), rng.integers(10, size=batch_size)

    def step() -> None:
        ws.draw_masks(0)
        forward(network, X, ws)
        loss_value(network, y, ws)
        backward(network, y, ws, grads)
        L1(1e-5).add_gradient(network.parameters, grads)
        optimizer.step(network.parameters, grads, 0.001)

    step()
    step()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("hidden", [ReLU(), SiLU()], ids=lambda hidden: type(hidden).__name__)
def test_a_step_allocates_no_batch(hidden: Activation) -> None:
    small, large = step_peak(hidden, 128), step_peak(hidden, 1024)
    assert small <= 128 * KIB
    assert large <= 128 * KIB
    assert large - small <= 2 * 8 * (1024 - 128)  # two float64 a sample: its weight and its loss
