"""The same losses, gradients and probabilities as scikit-learn's multilayer perceptrons, whose layout is ours.

Only public calls: weights are assigned to `coefs_` and `intercepts_`, and one `partial_fit` over the whole batch with
the rate 1 and no momentum moves them by the gradient. Its L2 term is alpha / (2 n) sum w^2: our strength is alpha / n.
"""

from typing import Any

import numpy as np
import pytest

from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, loss_and_gradient
from deltarule.nn.penalties import L2

sklearn = pytest.importorskip("sklearn.neural_network", reason='needs pip install "deltarule-nn[sklearn]"')

N_SAMPLES, N_FEATURES, ALPHA, RTOL = 40, 6, 3.0, 1e-12
HIDDEN: dict[str, Activation] = {"identity": Identity(), "logistic": Sigmoid(), "tanh": Tanh(), "relu": ReLU()}
PLAIN_DESCENT = {"solver": "sgd", "learning_rate_init": 1.0, "momentum": 0.0, "shuffle": False, "random_state": 0}
RNG = np.random.default_rng(11)
X = RNG.normal(size=(N_SAMPLES, N_FEATURES))
CLASSES = RNG.integers(3, size=N_SAMPLES)
LABELS = RNG.integers(2, size=(N_SAMPLES, 4))
VALUES = RNG.normal(size=(N_SAMPLES, 2))


def compare(kind: type[Any], hidden: str, output: Activation, loss: Loss, y: Array) -> tuple[float, float]:
    """Hold our outputs and gradient to those of scikit-learn's model; return its loss without the L2 term, and ours."""
    model = kind(hidden_layer_sizes=(5, 4), activation=hidden, alpha=ALPHA, batch_size=N_SAMPLES, **PLAIN_DESCENT)
    outputs = 3 if y is CLASSES else y.shape[1]
    model.partial_fit(X, y, **({"classes": np.arange(outputs)} if kind is sklearn.MLPClassifier else {}))

    network = Network((N_FEATURES, 5, 4, outputs), hidden=HIDDEN[hidden], output=output, loss=loss, dtype=np.float64)
    network.parameters.vector[:] = np.random.default_rng(0).normal(0.1, 0.5, network.parameters.size)
    for l in range(3):
        model.coefs_[l][:] = network.weights[l]
        model.intercepts_[l][:] = network.biases[l]
    outputs_of = model.predict if kind is sklearn.MLPRegressor else model.predict_proba
    np.testing.assert_allclose(network.outputs(X), outputs_of(X), rtol=RTOL)

    model.partial_fit(X, y)
    penalty = L2(ALPHA / N_SAMPLES)
    value, grads = loss_and_gradient(network, X, y)
    penalty.add_gradient(network.parameters, grads)
    for l in range(3):
        np.testing.assert_allclose(network.weights[l] - model.coefs_[l], grads.weights[l], rtol=RTOL, atol=1e-14)
        np.testing.assert_allclose(network.biases[l] - model.intercepts_[l], grads.biases[l], rtol=RTOL, atol=1e-14)
    return model.loss_ - penalty.value(network.parameters), value


@pytest.mark.parametrize("hidden", HIDDEN)
def test_one_class_of_many(hidden: str) -> None:
    theirs, ours = compare(sklearn.MLPClassifier, hidden, Softmax(), CrossEntropy(), CLASSES)
    assert ours == pytest.approx(theirs, rel=RTOL)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_independent_labels(hidden: str) -> None:
    theirs, ours = compare(sklearn.MLPClassifier, hidden, Sigmoid(), BinaryCrossEntropy(), LABELS)
    assert ours == pytest.approx(theirs, rel=RTOL)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_values(hidden: str) -> None:
    """Its loss is averaged over the two outputs, though its gradient is that of their sum, as ours is."""
    theirs, ours = compare(sklearn.MLPRegressor, hidden, Identity(), Quadratic(), VALUES)
    assert ours == pytest.approx(2 * theirs, rel=RTOL)
