"""docs/the-posts.md: what was wrong in the programs that deltarule grew from, each claim by running it.

The lines of the posts stand here as they were printed, so far as a claim needs them. test_pages.py holds the page to
this file.
"""

from typing import Any

import numpy as np
import pytest

from deltarule.data.catalog import load as load_data
from deltarule.inspection.gradcheck.numeric_gradient import IMAGINARY, Problem, derivatives
from deltarule.nn.activations import Activation, Identity, ReLU, Sigmoid, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic
from deltarule.nn.network import Network, backward, forward, loss_and_gradient, with_meaning
from deltarule.nn.optimizers import SGD
from deltarule.nn.parameters import Parameters
from deltarule.recipes import read
from deltarule.recipes.build import build


def batch_of(n_samples: int, n_features: int, n_classes: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.random((n_samples, n_features)), rng.integers(n_classes, size=n_samples)


# "Neural Networks from scratch"


def printed_sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(z))


def printed_sigmoid_prime(z: Array) -> Array:
    return printed_sigmoid(z) * (1 - printed_sigmoid(z))


class PrintedSigmoid(Activation):
    def value(self, z: Array) -> Array:
        return printed_sigmoid(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return printed_sigmoid_prime(z)


def test_the_sigmoid_lost_a_minus() -> None:
    z = np.linspace(-4.0, 4.0, 9)
    true = derivatives(printed_sigmoid(z + IMAGINARY))
    np.testing.assert_allclose(printed_sigmoid_prime(z), -true, rtol=1e-12)
    np.testing.assert_allclose(Sigmoid().derivative(z, Sigmoid().value(z)), derivatives(Sigmoid().value(z + IMAGINARY)))
    X, y = batch_of(8, 3, 2)
    network = Network((3, 2), output=PrintedSigmoid(), loss=Quadratic(), dtype=np.float64)
    before, grads = loss_and_gradient(network, X, y)
    SGD().step(network.parameters, grads, 0.1)
    assert loss_and_gradient(network, X, y)[0] > before  # it climbs


def test_the_loss_has_two_scales() -> None:
    a, t = np.random.default_rng(0).random((2, 5, 1))
    nudged = a + IMAGINARY * np.eye(5)[:, :1]
    as_loss = derivatives(((nudged - t) ** 2).mean())  # L = 1/n sum (y^ - y)^2, where the post introduces it
    as_proof = derivatives(np.mean(0.5 * ((nudged - t) ** 2)))  # C = 1/2 |y - a|^2, where it proves the first equation
    assert as_loss == pytest.approx(2 * as_proof, rel=1e-14)
    assert Quadratic().gradient(a, t)[0, 0] == pytest.approx(as_proof, rel=1e-14)


def test_the_text_swaps_j_and_k() -> None:
    """In the post's example layer 4 has three neurons and layer 5 two; its own matrix is 2x3."""
    a_4 = np.ones(3)
    as_in_the_formula, as_in_the_text = np.ones((2, 3)), np.ones((3, 2))  # row j is of layer 5; or of layer 4
    assert (as_in_the_formula @ a_4).shape == (2,)
    with pytest.raises(ValueError, match="mismatch"):
        as_in_the_text @ a_4
    network = Network((3, 2), output=Identity(), loss=Quadratic(), dtype=np.float64)
    z = [sum(network.weights[0][k, j] * a_4[k] for k in range(3)) for j in range(2)]
    np.testing.assert_allclose(network.outputs(a_4[None])[0], z, rtol=1e-14)


def test_the_last_layer_is_never_filled() -> None:
    """A backward loop that begins one layer too late leaves the zeros that the gradient was made of."""
    X, y = batch_of(8, 4, 3)
    network = Network((4, 5, 3), hidden=Sigmoid(), output=Sigmoid(), loss=Quadratic(), dtype=np.float64)
    case, filled = Problem.of(network, X, y), network.parameters.zeros_like()
    for l in range(len(network.weights) - 2, -1, -1):
        filled.weights[l][:] = case.ws.inputs[l].T @ case.delta[l]
        filled.biases[l][:] = case.delta[l].sum(axis=0)
    np.testing.assert_allclose(filled.weights[0], case.grads.weights[0], rtol=1e-12)
    assert not filled.weights[1].any()
    assert not filled.biases[1].any()
    assert np.abs(case.grads.weights[1]).min() > 0.0


def test_the_dog_was_left_blank() -> None:
    recipe = read("cute-dog")
    job = build(recipe, load_data(recipe.data.name))
    assert job.model.network.layer_sizes == (1, 1)
    assert job.model.network.parameters.size == 2


# "Coding a Neural Network from scratch"


def first_layer(recipe_name: str) -> tuple[Array, Array]:
    """The first layer's sigma'(z) and dC/dW on fifty real digits, before any step."""
    recipe = read(recipe_name).with_changes(["data.name=digits", 'data.split={kind="given"}'])
    job = build(recipe, load_data("digits"))
    network, data = job.model.network.astype(np.float64), job.train.take(slice(50))
    case = Problem.of(network, data.inputs, data.targets)
    return network.activations[0].derivative(case.ws.z[0], case.ws.a[0]), case.grads.weights[0]


def test_every_neuron_starts_saturated() -> None:
    slopes, gradient = first_layer("sigmoid-16-16-as-written")
    assert not slopes.any()  # not small: 0 to the last bit, since a is 1 to the last bit
    assert not gradient.any()
    slopes, gradient = first_layer("sigmoid-16-16")
    assert slopes.mean() > 0.1
    assert gradient.any()


def test_a_bias_of_shape_16_is_no_column() -> None:
    W1, B1, X = np.ones((16, 784)), np.random.default_rng(0).random(16), np.ones((784, 100))
    with pytest.raises(ValueError, match="broadcast"):
        W1 @ X + B1
    sixteen = W1 @ X[:, :16] + B1  # the one batch for which it runs, it gives each sample, not each neuron, a bias
    np.testing.assert_array_equal(sixteen, W1 @ X[:, :16] + B1[None, :])
    assert Network((784, 16)).biases[0].shape == (16,)  # a row: right where a sample is a row


def test_m_is_used_before_it_has_a_value() -> None:
    with pytest.raises(NameError, match="'m' is not defined"):
        exec("Y_one = np.zeros((m, 10))\nm = 30000", {"np": np})


# "Neural Net from Scratch"


@pytest.mark.parametrize(
    ("output", "loss", "right"),
    [
        (Identity(), Quadratic(), True),
        (Softmax(), CrossEntropy(), True),
        (Sigmoid(), BinaryCrossEntropy(), True),
        (Sigmoid(), Quadratic(), False),
        (Tanh(), Quadratic(), False),
    ],
)
def test_delta_is_not_always_a_minus_y(output: Activation, loss: Loss, right: bool) -> None:
    X, y = batch_of(1, 4, 3)
    case = Problem.of(Network((4, 3), output=output, loss=loss), X, y)
    a_minus_y = case.ws.a[0] - np.eye(3)[y]
    numeric = case.numeric_delta(0, np.arange(3))
    assert np.allclose(a_minus_y, numeric, rtol=1e-12, atol=1e-15) == right
    np.testing.assert_allclose(case.delta[0], numeric, rtol=1e-12, atol=1e-15)


def test_the_weights_gradient_lacks_a_transpose() -> None:
    a, delta = np.ones((1, 4)), np.ones((1, 3))
    with pytest.raises(ValueError, match="mismatch"):
        a @ delta
    assert (a.T @ delta).shape == (4, 3)


def test_the_bias_update_forgets_the_learning_rate() -> None:
    params, grads = Parameters((2, 1), np.ones(3)), Parameters((2, 1), np.full(3, 0.5))
    b, rate = params.biases[0].copy(), 0.01
    as_written = b - grads.biases[0]
    SGD().step(params, grads, rate)
    np.testing.assert_allclose(as_written - b, (params.biases[0] - b) / rate, rtol=1e-12)  # a step 100 times too long


def test_every_derivative_is_the_sigmoids() -> None:
    class AsWritten(ReLU):
        def derivative(self, z: Array, a: Array) -> Array:
            return Sigmoid().derivative(z, Sigmoid().value(z))

    X, y = batch_of(8, 4, 3)
    wrong = Problem.of(Network((4, 5, 3), hidden=AsWritten(), rng=0), X, y)
    right = Problem.of(Network((4, 5, 3), hidden=ReLU(), rng=0), X, y)
    numeric = right.numeric_delta(0, np.arange(5)) / 8
    np.testing.assert_allclose(right.delta[0], numeric, rtol=1e-10, atol=1e-15)
    assert np.linalg.norm(wrong.delta[0] - numeric) > 0.3 * np.linalg.norm(numeric)


# "Building Neural Networks From Scratch"


def init_params() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    sizes = ((32, 784), (16, 32), (10, 16))
    W1, W2, W3 = (rng.standard_normal(size) * 0.5 for size in sizes)
    b1, b2, b3 = (rng.random((size[0], 1)) * 0.5 for size in sizes)
    return W1, W2, W3, b1, b2, b3


def test_six_values_do_not_unpack_into_four() -> None:
    with pytest.raises(ValueError, match=r"too many values to unpack \(expected 4\)"):
        _W1, _b1, _W2, _b2 = init_params()


def printed_forward(X: Array) -> Array:
    W1, W2, W3, b1, b2, b3 = init_params()
    A1 = np.maximum(0, W1 @ X + b1)
    A2 = np.dot(W2, A1) + b2
    np.maximum(0, A2)  # Z2, which nothing reads
    return np.dot(W3, A2) + b3


def test_the_second_layer_is_linear() -> None:
    """A2 and Z2 are swapped, so the third layer reads what ReLU was to be taken of."""
    X, (W1, W2, W3, b1, b2, b3) = batch_of(6, 784, 10)[0], init_params()
    network = Network((784, 32, 16, 10), hidden=(ReLU(), Identity()), output=Identity(), loss=Quadratic(), dtype="f8")
    for l, (W, b) in enumerate(((W1, b1), (W2, b2), (W3, b3))):
        network.weights[l][:], network.biases[l][:] = W.T, b[:, 0]
    np.testing.assert_allclose(printed_forward(X.T).T, network.outputs(X), rtol=1e-9)
    as_meant = with_meaning(network, parameters=network.parameters)
    as_meant.activations = (ReLU(), ReLU(), Identity())
    assert np.abs(as_meant.outputs(X) - network.outputs(X)).max() > 1.0


def test_the_sum_over_all_axes_is_0() -> None:
    """A softmax and a one-hot target both sum to 1, so dB2 is 0 whatever the network says, and the bias never moves."""
    X, y = batch_of(50, 4, 3)
    case = Problem.of(Network((4, 3), rng=0), X, y)
    dZ2 = (case.ws.a[0] - np.eye(3)[y]).T
    assert abs(1 / 50 * np.sum(dZ2)) < 1e-15
    by_rows = 1 / 50 * np.sum(dZ2, axis=1)
    assert np.abs(by_rows).min() > 1e-3
    np.testing.assert_allclose(case.grads.biases[0], by_rows, rtol=1e-12)


def test_it_divides_by_the_whole_set() -> None:
    """Of 42 rows 2 are held out and 40 train; m is still 42."""
    X, y = batch_of(40, 4, 3)
    case = Problem.of(Network((4, 3), rng=0), X, y)
    dW = 1 / 42 * (case.ws.a[0] - np.eye(3)[y]).T @ X
    np.testing.assert_allclose(dW.T, case.grads.weights[0] * 40 / 42, rtol=1e-12)


def test_it_says_squared_error_and_descends_cross_entropy() -> None:
    X, y = batch_of(8, 4, 3)
    printed = {loss: Problem.of(Network((4, 3), loss=loss, rng=0), X, y) for loss in (Quadratic(), CrossEntropy())}
    for loss, case in printed.items():
        a_minus_y = (case.ws.a[0] - np.eye(3)[y]) / 8
        is_its_gradient = isinstance(loss, CrossEntropy)
        assert np.allclose(case.delta[0], a_minus_y, rtol=1e-12, atol=1e-16) == is_its_gradient


def test_its_softmax_overflows() -> None:
    z = np.array([[800.0], [0.0]])
    with pytest.raises(FloatingPointError, match="overflow"):
        np.exp(z) / sum(np.exp(z))
    np.testing.assert_array_equal(Softmax().value(z.T), [[1.0, 0.0]])


def test_one_bias_is_returned_twice() -> None:
    def trained(W1: Array, b1: Array, W2: Array, b2: Array) -> tuple[Array, ...]:
        return W1, b2, W2, b2

    W1, b1, X = np.ones((10, 784)), np.ones((10, 1)), np.ones((784, 7))
    returned = trained(W1, b1, np.ones((5, 10)), np.ones((5, 1)))
    assert (W1 @ X + b1).shape == (10, 7)
    with pytest.raises(ValueError, match="broadcast"):
        returned[0] @ X + returned[1]  # what was learned cannot be asked


def test_the_steps_of_all_of_them_are_ours_in_rows() -> None:
    """Columns for samples, as three of them have it, are the transpose: the same numbers."""
    X, y = batch_of(6, 4, 3)
    network = Network((4, 5, 3), hidden=ReLU(), dtype=np.float64, rng=0)
    ws, grads = network.workspace(6), network.parameters.zeros_like()
    forward(network, X, ws)
    backward(network, y, ws, grads)
    (W1, W2), (b1, b2) = (W.T for W in network.weights), (b[:, None] for b in network.biases)
    Z1 = W1 @ X.T + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    A2 = np.exp(Z2) / np.exp(Z2).sum(axis=0)
    dZ2 = (A2 - np.eye(3)[y].T) / 6
    dZ1 = W2.T @ dZ2 * (Z1 > 0)
    for found, expected in ((ws.a[1].T, A2), (ws.delta[1].T, dZ2), (ws.delta[0].T, dZ1)):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(grads.weights[1].T, dZ2 @ A1.T, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(grads.biases[0], dZ1.sum(axis=1), rtol=1e-10, atol=1e-15)
