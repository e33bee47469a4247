#!/usr/bin/env python3
"""What the library computes, for tests/playground/engine.test.js: python scripts/make_playground_golden.py.

Every activation between layers, every output with every loss that fits it, a standardized model and a float32 one.
A case holds the model file that `save` writes, in base64, one example, and all that the library says about it: float64
numbers, written so that they read back exactly.
"""

import base64
import json
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.columns import Column
from deltarule.files.model_file import save
from deltarule.model import Model, Standardization
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.parts import PARTS, Kind, make

GOLDEN = Path(__file__).parents[1] / "tests" / "playground" / "golden.json"
SETTINGS: dict[str, list[dict[str, float]]] = {
    "leaky_relu": [{"slope": 0.2}],
    "elu": [{"alpha": 1.0}, {"alpha": 0.7}],
    "cross_entropy": [{}, {"label_smoothing": 0.1}],
    "binary_cross_entropy": [{}, {"label_smoothing": 0.2}],
}
TASKS = {"Identity": "values", "Exp": "values", "Sigmoid": "labels"}  # after the others, classes
RATE = 0.5


def parts(kind: Kind) -> Iterator[Any]:
    """Every activation or loss, with its settings."""
    for name in PARTS[kind]:
        yield from (make(kind, {"name": name} | settings) for settings in SETTINGS.get(name, [{}]))


def models() -> Iterator[Model]:
    """The networks of all cases."""
    losses = list(parts("loss"))
    for hidden in parts("activation"):
        yield Model(Network((3, 4, 2), hidden=hidden, dtype=np.float64))
    for output, loss in product(parts("activation"), losses):
        if isinstance(output, loss.fits):
            network = Network((3, 2, 3), hidden="tanh", output=output, loss=loss, dtype=np.float64)
            yield Model(network, TASKS.get(type(output).__name__, "classes"))
    mixed = ["relu", "softmax", "silu"]
    yield Model(Network((4, 5, 3, 4, 3), hidden=mixed, dtype=np.float64), "classes", ("a", "b", "ç"), (2, 2))
    regression = {"output": "identity", "loss": "quadratic"}
    scalings = (Standardization(np.array([3.0, -2.0]), np.array([0.5, 4.0])), Standardization(np.ones(1), np.ones(1)))
    yield Model(
        Network((2, 3, 1), **regression, dtype=np.float64),
        "values",
        ("sum",),
        None,
        *scalings,
        (Column("p"), Column("q")),
    )
    yield Model(Network((3, 4, 2), dtype=np.float32))


def case(model: Model, rng: np.random.Generator) -> dict[str, Any]:
    """A model with weights drawn anew, an example, and what the library makes of it."""
    vector = model.network.parameters.vector
    vector[:] = rng.normal(0.1, 0.8, vector.size)
    network = model.network.astype(np.float64)
    raw = rng.uniform(0.0, 1.0, (1, network.layer_sizes[0])) * (4.0 if model.input_scaling else 1.0)
    one_class = model.task == "classes"
    y = (
        rng.integers(network.layer_sizes[-1], size=1)
        if one_class
        else rng.uniform(0.1, 0.9, (1, len(network.biases[-1])))
    )
    X = np.asarray(model.inputs(raw), np.float64)
    ws, grads = network.workspace(1), network.parameters.zeros_like()
    forward(network, X, ws)
    backward(network, y, ws, grads)
    return {
        "name": f"{network.layer_sizes} {[type(part).__name__ for part in network.activations]} {network.loss}",
        "model": in_base64(model),
        "x": raw[0].tolist(),
        "y": y[0].tolist(),
        "z": [z[0].tolist() for z in ws.z],
        "a": [X[0].tolist(), *(a[0].tolist() for a in ws.a)],
        "loss": loss_value(network, y, ws),
        "delta": [delta[0].tolist() for delta in ws.delta],
        "weights": [W.ravel().tolist() for W in grads.weights],
        "biases": [b.tolist() for b in grads.biases],
        "input": (ws.delta[0] @ network.weights[0].T)[0].tolist(),
        "updated": (network.parameters.vector - RATE * grads.vector).tolist(),
    }


def in_base64(model: Model) -> str:
    """The bytes of its model file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save(model, path)
        return base64.b64encode(path.read_bytes()).decode()


def golden() -> dict[str, Any]:
    """The whole file."""
    rng = np.random.default_rng(5)
    return {"rate": RATE, "cases": [case(model, rng) for model in models()]}


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in golden()["cases"])
    GOLDEN.write_text(f'{{"rate":{RATE},"cases":[\n{lines}\n]}}\n', encoding="utf-8", newline="\n")
