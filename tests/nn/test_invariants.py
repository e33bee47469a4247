"""What must hold for every network and every batch, whatever the numbers."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.nn.activations import ELU, Identity, LeakyReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.arrays import BLOCK_ELEMENTS, Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Quadratic
from deltarule.nn.network import (
    Network,
    backward,
    forward,
    loss_and_gradient,
    loss_value,
    with_meaning,
)
from deltarule.nn.parameters import Parameters

seeds = st.integers(0, 2**32 - 1)
sizes = st.lists(st.integers(1, 9), min_size=2, max_size=5).map(lambda chosen: (*chosen[:-1], chosen[-1] + 1))
pairs = st.sampled_from(
    [
        (Softmax(), CrossEntropy()),
        (Sigmoid(), BinaryCrossEntropy(0.1)),
        (Softmax(), Quadratic()),
        (Identity(), Quadratic()),
    ]
)


@st.composite
def networks(draw: st.DrawFn, dtype: type = np.float64) -> Network:
    """Smooth or leaky hidden layers: where a z lies on a kink, the last bit may choose the side."""
    output, loss = draw(pairs)
    hidden = draw(st.sampled_from([Tanh(), ELU(), SiLU(), LeakyReLU()]))
    return Network(draw(sizes), hidden=hidden, output=output, loss=loss, dtype=dtype, rng=draw(seeds))


def batch_for(network: Network, n_samples: int, seed: int) -> tuple[Array, Array, Array]:
    """X, integer labels and sample weights of which some are 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, network.layer_sizes[0]))
    weights = rng.integers(0, 4, n_samples).astype(float)
    weights[0] = 1.0
    return X, rng.integers(network.layer_sizes[-1], size=n_samples), weights


def assert_same(found: tuple[float, Parameters], expected: tuple[float, Parameters]) -> None:
    """Equal but for the order in which a sum was taken."""
    assert found[0] == pytest.approx(expected[0], rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(found[1].vector, expected[1].vector, rtol=1e-11, atol=1e-13)


@given(networks(), st.integers(1, 30), seeds)
def test_permuting_a_batch_does_not_move_the_gradient(network: Network, n_samples: int, seed: int) -> None:
    X, y, weights = batch_for(network, n_samples, seed)
    order = np.random.default_rng(seed).permutation(n_samples)
    permuted = loss_and_gradient(network, X[order], y[order], sample_weight=weights[order])
    assert_same(permuted, loss_and_gradient(network, X, y, sample_weight=weights))


@given(networks(), st.integers(2, 30), seeds, st.data())
def test_the_parts_of_a_batch_add_up(network: Network, n_samples: int, seed: int, data: st.DataObject) -> None:
    X, y, weights = batch_for(network, n_samples, seed)
    cut = data.draw(st.integers(1, n_samples - 1))
    ws, grads = network.workspace(n_samples), network.parameters.zeros_like()
    value, total = 0.0, network.parameters.zeros_like()
    for rows in (slice(0, cut), slice(cut, n_samples)):
        share = {"sample_weight": weights[rows], "divisor": weights.sum()}
        forward(network, X[rows], ws)
        backward(network, y[rows], ws, grads, **share)
        value += loss_value(network, y[rows], ws, **share)
        total.vector += grads.vector
    assert_same((value, total), loss_and_gradient(network, X, y, sample_weight=weights))


@given(networks(), st.integers(1, 30), seeds)
def test_a_weight_counts_as_that_many_samples(network: Network, n_samples: int, seed: int) -> None:
    X, y, weights = batch_for(network, n_samples, seed)
    counted = np.repeat(np.arange(n_samples), weights.astype(int))
    weighted = loss_and_gradient(network, X, y, sample_weight=weights)
    assert_same(weighted, loss_and_gradient(network, X[counted], y[counted]))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@given(data=st.data())
def test_a_row_alone_is_the_row_in_its_batch(dtype: type, tolerance: float, data: st.DataObject) -> None:
    network, n_samples = data.draw(networks(dtype)), data.draw(st.integers(1, 30))
    X, _, _ = batch_for(network, n_samples, data.draw(seeds))
    whole = network.outputs(X)
    for i in range(n_samples):
        np.testing.assert_allclose(network.outputs(X[i : i + 1])[0], whole[i], rtol=tolerance, atol=tolerance)


@given(networks(), st.lists(st.integers(1, 12), min_size=2, max_size=5), seeds)
def test_a_workspace_remembers_nothing(network: Network, batch_sizes: list[int], seed: int) -> None:
    ws, grads = network.workspace(max(batch_sizes)), network.parameters.zeros_like()
    for n_samples in batch_sizes:
        X, y, _ = batch_for(network, n_samples, seed)
        forward(network, X, ws)
        backward(network, y, ws, grads)
        assert_same((loss_value(network, y, ws), grads), loss_and_gradient(network, X, y))


@pytest.mark.parametrize(("output", "loss"), [(Softmax(), CrossEntropy()), (Softmax(), Quadratic())])
def test_a_batch_of_many_blocks_is_its_samples_one_by_one(output: Softmax, loss: CrossEntropy | Quadratic) -> None:
    """Formulas are worked out block by block; the seams must not show."""
    network = Network((3, 5, 4), hidden=SiLU(), output=output, loss=loss, dtype=np.float64)
    n_samples = 2 * BLOCK_ELEMENTS // 5 + 1
    X, y, weights = batch_for(network, n_samples, 0)
    value, total = 0.0, network.parameters.zeros_like()
    for i in range(0, n_samples, 500):
        rows = slice(i, i + 500)
        part = loss_and_gradient(network, X[rows], y[rows], sample_weight=weights[rows])
        value += part[0] * weights[rows].sum() / weights.sum()
        total.vector += part[1].vector * weights[rows].sum() / weights.sum()
    assert_same((value, total), loss_and_gradient(network, X, y, sample_weight=weights))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 20), seeds)
def test_a_mask_depends_on_layer_and_row_alone(fan_out: int, capacity: int, first_row: int, seed: int) -> None:
    """Not on how many rows there is room for, nor on the dtype, nor on how wide the other layers are."""
    whole = Network((1, 5, fan_out, 1), output="identity", loss="quadratic", dropout=0.5).workspace(40)
    part = Network((1, 3, fan_out, 1), output="identity", loss="quadratic", dropout=0.5, dtype=np.float64).workspace(
        capacity
    )
    whole.draw_masks(seed, 2, 3)
    part.draw_masks(seed, 2, 3, first_row)
    assert whole.masks is not None
    assert part.masks is not None
    np.testing.assert_array_equal(part.masks[1], whole.masks[1][first_row : first_row + capacity])


@given(networks(), st.integers(2, 12), seeds)
def test_masks_fit_every_batch(network: Network, capacity: int, seed: int) -> None:
    """A short batch is treated with the first rows of the masks, whether they were drawn before it or after another."""
    network.dropout = (0.5,) * (len(network.layer_sizes) - 2)
    X, _, _ = batch_for(network, capacity, seed)
    early, late = network.workspace(capacity), network.workspace(capacity)
    early.draw_masks(seed)
    whole = forward(network, X, early).copy()
    forward(network, X[:1], late)
    late.draw_masks(seed)
    np.testing.assert_allclose(forward(network, X[:1], early), whole[:1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(forward(network, X, late), whole, rtol=1e-12, atol=1e-12)


def test_pixels_count_as_value_over_255() -> None:
    network = Network((256, 3), pixels=True, rng=1)
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 256)
    as_floats = network.outputs((np.arange(256) / 255).astype(np.float32).reshape(1, 256))
    np.testing.assert_array_equal(network.outputs(pixels), as_floats)
    wider = with_meaning(network, pixels=False).outputs(pixels.astype(np.int64))
    for dtype in (np.uint8, np.float32, np.float64):
        np.testing.assert_array_equal(wider, with_meaning(network, pixels=False).outputs(pixels.astype(dtype)))
    assert (abs(wider - as_floats) > 0.01).any()


COPIES: list[Callable[[Network], Network]] = [
    lambda network: pickle.loads(pickle.dumps(network)),
    copy.copy,
    copy.deepcopy,
    lambda network: network.astype(np.float32),
    lambda network: with_meaning(network, parameters=network.parameters.copy()),
    lambda network: with_meaning(network, parameters=network.parameters.zeros_like()),
    lambda network: with_meaning(network, parameters=copy.copy(network.parameters)),
]


@pytest.mark.parametrize("make_copy", COPIES)
@given(network=networks())
def test_views_alias_the_vector(make_copy: Callable[[Network], Network], network: Network) -> None:
    """Writing 0, 1, 2 ... into the vector shows in the views: all weights, layer by layer, then all biases."""
    network = make_copy(network)
    vector = network.parameters.vector
    vector[:] = np.arange(vector.size)
    views = [*network.weights, *network.biases]
    assert np.concatenate([view.ravel() for view in views]).tolist() == list(range(vector.size))
    assert [W.shape for W in network.weights] == list(zip(network.layer_sizes, network.layer_sizes[1:], strict=False))
    network.biases[-1][:] = -1.0
    network.weights[0][0, 0] = -2.0
    assert vector[-1] == -1.0
    assert vector[0] == network.parameters.weight_block[0] == -2.0


@pytest.mark.parametrize("make_copy", [lambda network: pickle.loads(pickle.dumps(network)), copy.deepcopy])
@given(network=networks())
def test_a_copy_is_equal_and_independent(make_copy: Callable[[Network], Network], network: Network) -> None:
    other, before = make_copy(network), network.parameters.vector.copy()
    assert (other.layer_sizes, other.activations, other.loss) == (
        network.layer_sizes,
        network.activations,
        network.loss,
    )
    np.testing.assert_array_equal(other.parameters.vector, before)
    other.parameters.vector[:] = 7.0
    np.testing.assert_array_equal(network.parameters.vector, before)
