"""Chapter 10 shows PyTorch's own numbers: those kept in the repository are what deltarule's four equations find."""

import json
from pathlib import Path

import numpy as np

import deltarule as dr

GOLDEN = Path(__file__).parents[1] / "goldens" / "pytorch_course.json"


def test_loss_backward_of_pytorch_is_bp1_to_bp4() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    X, t = np.array([[0.9, 0.1], [0.8, 0.9], [0.1, 0.8], [0.2, 0.2]]), np.array([[1.0], [0.0], [1.0], [0.0]])
    network = dr.Network(
        (2, 3, 1), hidden="sigmoid", output="sigmoid", loss="quadratic", task="labels", dtype="float64"
    )
    network.weights[0][:], network.biases[0][:] = [[4.0, -3.0, -2.0], [-4.0, 3.0, 1.0]], [-1.0, -1.0, 1.0]
    network.weights[1][:], network.biases[1][:] = [[1.0], [4.0], [-2.0]], [-2.0]
    loss, gradient = dr.loss_and_gradient(network, X, t)
    np.testing.assert_allclose(loss, golden["loss"], rtol=1e-12)
    ours = {"W1": gradient.weights[0], "b1": gradient.biases[0], "W2": gradient.weights[1], "b2": gradient.biases[1]}
    for name, theirs in golden["gradient"].items():
        np.testing.assert_allclose(ours[name], theirs, rtol=1e-12, err_msg=name)
