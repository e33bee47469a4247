"""What the page's engine is asked for, and what NumPy answers in float64: cases and runs.

Every activation between layers, every output with every loss that fits it, a standardized model and a float32 one: a
case holds the model file, in base64, one example, and all that the library says about it. A run is ten steps of an
optimizer.
"""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.columns import Column
from deltarule.files.model_file import model_bytes, read_model
from deltarule.model import Doubt, Model, Standardization
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.parts import PARTS, Kind, make, spec_of
from deltarule.training.engine import REFERENCE
from deltarule.training.plan import Plan

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
    yield Model(Network((3, 4, 2), dtype=np.float64), doubt=Doubt(np.array([0.5, -1.0, 2.0, 0.25]), -0.3))
    yield Model(Network((3, 2), dtype=np.float64), doubt=Doubt(np.array([0.5, -9.0, 2.0]), 0.7))


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
        "model": base64.b64encode(model_bytes(model, "no case was made")).decode(),
        "x": raw[0].tolist(),
        "y": y[0].tolist(),
        "z": [z[0].tolist() for z in ws.z],
        "a": [X[0].tolist(), *(a[0].tolist() for a in ws.a)],
        "loss": loss_value(network, y, ws),
        "unusual": 0.0 if model.doubt is None else float(model.unusual(raw)[0]),
        "delta": [delta[0].tolist() for delta in ws.delta],
        "weights": [W.ravel().tolist() for W in grads.weights],
        "biases": [b.tolist() for b in grads.biases],
        "input": (ws.delta[0] @ network.weights[0].T)[0].tolist(),
        "updated": (network.parameters.vector - RATE * grads.vector).tolist(),
    }


def run(optimizer: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Ten steps on 80 samples in batches of 8, and where they end."""
    network = Network((5, 4, 3), hidden="tanh", dtype=np.float64, rng=rng)
    X, y, order = rng.normal(size=(80, 5)), rng.integers(3, size=80), rng.permutation(80)
    begun = model_bytes(Model(network), "no case was made")
    outcome = REFERENCE.run_steps(network, optimizer, Plan(X, y, order, 8, np.full(10, 0.05)))
    return {
        "optimizer": spec_of("optimizer", optimizer),
        "model": base64.b64encode(begun).decode(),
        "x": X.ravel().tolist(),
        "y": y.tolist(),
        "order": order.tolist(),
        "losses": outcome.losses,
        "parameters": network.parameters.vector.tolist(),
    }


def older() -> Iterator[dict[str, Any]]:
    """Files of earlier versions, as the page gets them: read and written anew by Python."""
    goldens = Path(__file__).parents[1] / "goldens" / "model_files.json"
    for each in json.loads(goldens.read_text(encoding="utf-8")):
        model = read_model(BytesIO(base64.b64decode(each["model"])), "no case was made")
        yield each | {"model": base64.b64encode(model_bytes(model)).decode()}


def page_cases() -> dict[str, Any]:
    """All of them."""
    rng = np.random.default_rng(5)
    optimizers = [make("optimizer", name) for name in PARTS["optimizer"]]
    return {
        "rate": RATE,
        "cases": [case(model, rng) for model in models()],
        "older": list(older()),
        "runs": [run(each, rng) for each in optimizers],
    }
