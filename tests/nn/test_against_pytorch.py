"""Losses, gradients and 1,000 steps of every optimizer, as PyTorch 2.13 computes them (scripts/make_goldens.py)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltarule.nn import activations, losses, optimizers
from deltarule.nn.network import Network, backward, forward, loss_and_gradient, with_meaning
from deltarule.nn.parameters import Parameters

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "pytorch.json").read_text(encoding="utf-8"))
ARRAYS = {name: np.array(GOLDEN[name]) for name in ("vector", "X", "classes", "labels", "values")}
GRADIENTS, STEPS = 1e-13, 1e-10  # the largest normwise relative errors allowed


def golden_network(hidden: str, output: str, loss: str) -> Network:
    parts = {"hidden": getattr(activations, hidden)(), "output": getattr(activations, output)()}
    network = Network(GOLDEN["layer_sizes"], **parts, loss=getattr(losses, loss)(), dtype=np.float64)
    return with_meaning(network, parameters=Parameters(network.layer_sizes, ARRAYS["vector"].copy()))


def relative_error(found: Any, expected: Any) -> float:
    return float(np.linalg.norm(np.subtract(found, expected)) / np.linalg.norm(expected))


@pytest.mark.parametrize(
    "case", GOLDEN["gradients"], ids=lambda case: f"{case['hidden']}-{case['output']}-{case['loss']}"
)
def test_loss_and_gradient(case: dict[str, Any]) -> None:
    network = golden_network(case["hidden"], case["output"], case["loss"])
    value, grads = loss_and_gradient(network, ARRAYS["X"], ARRAYS[case["targets"]])
    assert value == pytest.approx(case["value"], rel=GRADIENTS)
    assert relative_error(grads.vector, case["gradient"]) <= GRADIENTS


@pytest.mark.parametrize("run", GOLDEN["optimizers"], ids=lambda run: f"{run['optimizer']}-{run['settings']}")
def test_a_thousand_steps(run: dict[str, Any]) -> None:
    network = golden_network("Tanh", "Identity", "Quadratic")
    optimizer = getattr(optimizers, run["optimizer"])(**run["settings"])
    ws, grads = network.workspace(5), network.parameters.zeros_like()
    X, y = ARRAYS["X"], ARRAYS["values"]
    for step in range(1000):
        rows = slice(5 * step % len(X), 5 * step % len(X) + 5)
        forward(network, X[rows], ws)
        backward(network, y[rows], ws, grads)
        optimizer.step(network.parameters, grads, run["rate"])
        if after := run["after"].get(str(step + 1)):
            assert relative_error(network.parameters.vector, after) <= STEPS
