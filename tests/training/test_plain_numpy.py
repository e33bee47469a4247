"""The library against a program that knows nothing of it: one example after another, as the textbooks write it.

Everything here is a column: W[j, k] goes from neuron k to neuron j, so it is our weights[l] transposed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from batch_order import batches
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset
from deltarule.nn.activations import ReLU, Sigmoid, Softmax
from deltarule.nn.losses import CrossEntropy, Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer

Column = NDArray[np.float64]
Gradients = list[tuple[Column, Column]]
EPOCHS, BATCH_SIZE, RATE, SEED = 2, 7, 0.5, 5


def sigmoid(z: Column) -> Column:
    return 1.0 / (1.0 + np.exp(-z))


def nielsen(x: Column, t: Column, layers: Gradients) -> Gradients:
    """network.py of Nielsen's book: sigmoids everywhere, quadratic cost."""
    (W1, b1), (W2, b2) = layers
    a1 = sigmoid(W1 @ x + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    delta2 = (a2 - t) * a2 * (1 - a2)
    delta1 = (W2.T @ delta2) * a1 * (1 - a1)
    return [(np.outer(delta1, x), delta1), (np.outer(delta2, a1), delta2)]


def classifier(x: Column, t: Column, layers: Gradients) -> Gradients:
    """ReLU, softmax and cross-entropy; the softmax's derivative is taken by its Jacobian, not by the shortcut."""
    (W1, b1), (W2, b2) = layers
    z1 = W1 @ x + b1
    a1 = np.where(z1 > 0, z1, 0.0)
    e = np.exp(W2 @ a1 + b2)
    p = e / e.sum()
    delta2 = (np.diag(p) - np.outer(p, p)) @ (-t / p)
    delta1 = (W2.T @ delta2) * (z1 > 0)
    return [(np.outer(delta1, x), delta1), (np.outer(delta2, a1), delta2)]


@pytest.mark.parametrize(
    ("parts", "example"),
    [
        ({"hidden": Sigmoid(), "output": Sigmoid(), "loss": Quadratic()}, nielsen),
        ({"hidden": ReLU(), "output": Softmax(), "loss": CrossEntropy()}, classifier),
    ],
    ids=["nielsen", "classifier"],
)
def test_the_same_steps(parts: dict[str, Any], example: Callable[[Column, Column, Gradients], Gradients]) -> None:
    network = Network((4, 6, 3), **parts, dtype=np.float64)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), rng.integers(3, size=40)
    layers = [(W.T.copy(), b.copy()) for W, b in zip(network.weights, network.biases, strict=True)]
    for epoch in range(1, EPOCHS + 1):
        for batch in batches(40, BATCH_SIZE, SEED, epoch):
            sums = [(np.zeros_like(W), np.zeros_like(b)) for W, b in layers]
            for i in batch:
                gradients = example(X[i], np.eye(3)[y[i]], layers)
                sums = [(dW + gW, db + gb) for (dW, db), (gW, gb) in zip(sums, gradients, strict=True)]
            layers = [
                (W - RATE / len(batch) * dW, b - RATE / len(batch) * db)
                for (W, b), (dW, db) in zip(layers, sums, strict=True)
            ]
    start = network.parameters.vector.copy()
    Trainer(
        network=network, optimizer=SGD(), schedule=Constant(RATE), epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED
    ).fit(Dataset(X, y))
    assert abs(network.parameters.vector - start).max() > 0.01
    for l, (W, b) in enumerate(layers):
        np.testing.assert_allclose(network.weights[l], W.T, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(network.biases[l], b, rtol=1e-12, atol=1e-12)
