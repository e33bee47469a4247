"""Planes against NumPy's eigenvectors, surfaces by hand; along one weight the loss follows its slope."""

import json

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError
from deltarule.inspection.measures.loss_landscape import WeightSlice, loss_surface, principal_plane, weight_slice
from deltarule.inspection.presentation import plain
from deltarule.nn.activations import Identity, Tanh
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network, loss_and_gradient
from deltarule.training.evaluation import evaluate


def path(n_points: int = 9, n_parameters: int = 12) -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(size=(n_points, n_parameters)), axis=0)


def test_the_plane_against_the_eigenvectors_of_the_covariance() -> None:
    points = path()
    axes, shadow, share = principal_plane(points)
    variances, vectors = np.linalg.eigh(np.cov(points.T))
    np.testing.assert_allclose(np.abs(axes @ vectors[:, [-1, -2]]), np.eye(2), atol=1e-9)
    assert share == pytest.approx(variances[-2:].sum() / variances.sum(), rel=1e-12)
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-12)
    assert shadow[-1].tolist() == [0.0, 0.0]
    # The shadow of each point is as near as anything in the plane can be: what is left stands at right angles to it.
    rest = points - points[-1] - shadow @ axes
    np.testing.assert_allclose(rest @ axes.T, 0.0, atol=1e-12)


def test_a_path_within_a_plane_keeps_its_shape() -> None:
    flat = path(5, 2) @ np.linalg.qr(np.random.default_rng(1).normal(size=(30, 2)))[0].T + 7.0
    _, shadow, share = principal_plane(flat.astype(np.float32).astype(np.float64))
    assert share == pytest.approx(1.0, abs=1e-6)
    lengths = [np.linalg.norm(np.diff(each, axis=0), axis=1) for each in (shadow, flat)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)


@pytest.mark.parametrize("points", [path(2), np.zeros((5, 7)), np.outer(np.arange(5.0), np.ones(7))])
def test_points_that_span_no_plane(points: np.ndarray) -> None:
    with pytest.raises(SettingError, match="a plane needs a path"):
        principal_plane(points)


def line() -> tuple[Network, Dataset]:
    network = Network((1, 1), output=Identity(), loss=Quadratic(), dtype=np.float64)
    return network, Dataset(np.array([[-1.0], [0.0], [1.0]]), np.array([[-2.0], [1.0], [4.0]]), "values")


def test_two_parameters_are_a_surface_as_it_is() -> None:
    """C = 1/6 sum (w x + b - 3 x - 1)^2 = (w - 3)^2 / 3 + (b - 1)^2 / 2 for x = -1, 0, 1."""
    network, data = line()
    found = loss_surface(network, data, np.array([[0.0, 0.0], [2.0, 0.5], [3.0, 1.0]]), n_points=7)
    assert found.is_exact
    assert found.share_of_variance == 1.0
    np.testing.assert_allclose(
        found.losses, (found.across - 3.0) ** 2 / 3.0 + (found.up[:, np.newaxis] - 1.0) ** 2 / 2.0, atol=1e-14
    )
    assert found.across[0] < 0.0 < 3.0 < found.across[-1]
    assert found.up[0] < 0.0 < 1.0 < found.up[-1]
    content = plain(found)
    assert json.loads(json.dumps(content)) == content
    assert np.shape(content["losses"]) == (7, 7)


def test_a_slice_holds_the_loss_of_the_last_point() -> None:
    network = Network((3, 4, 2), dtype=np.float64, rng=0)
    rng = np.random.default_rng(0)
    data = Dataset(rng.normal(size=(20, 3)), rng.integers(0, 2, 20))
    size = network.parameters.size
    # A path that is the same to every side of its last point: the middle of the grid is that point.
    turn = np.zeros((5, size))
    turn[[0, 1, 2, 3], [0, 0, 1, 1]] = [2.0, -2.0, 1.0, -1.0]
    found = loss_surface(network, data, network.parameters.vector + turn, n_points=3)
    assert not found.is_exact
    assert found.losses[1, 1] == pytest.approx(evaluate(network, data)[0], rel=1e-12)


def test_a_plane_of_another_network() -> None:
    network, data = line()
    with pytest.raises(ShapeError, match="a plane in the space of 2 parameters was expected: got one of 12"):
        loss_surface(network, data, path())


def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(30, 3)), rng.integers(2, size=30))


@pytest.fixture
def along() -> WeightSlice:
    network = Network((3, 4, 2), hidden=Tanh(), rng=1)
    before = network.parameters.vector.copy()
    found = weight_slice(network, dataset(), layer=1)
    np.testing.assert_array_equal(network.parameters.vector, before)
    return found


def test_the_loss_changes_by_the_integral_of_its_slope(along: WeightSlice) -> None:
    steps = np.diff(along.offsets) * (along.slope[1:] + along.slope[:-1]) / 2
    np.testing.assert_allclose(along.loss[0] + np.cumsum(steps), along.loss[1:], rtol=1e-4)
    assert np.ptp(along.loss) > 0.1


def test_accuracy_is_a_staircase(along: WeightSlice) -> None:
    """Flat nearly everywhere, so its slope says nothing; yet it gets from one value to another, in jumps of 1 / 30."""
    right = along.accuracy * 30
    np.testing.assert_allclose(right, np.rint(right), atol=1e-9)
    jumps = np.diff(right)
    assert 3 <= np.count_nonzero(jumps) <= 30
    assert np.count_nonzero(np.diff(along.loss)) == 400


def test_where_the_weight_is(along: WeightSlice) -> None:
    network = Network((3, 4, 2), hidden=Tanh(), rng=1)
    gradient = loss_and_gradient(network, dataset().inputs, dataset().targets)[1].weights[1]
    assert abs(gradient[along.source, along.neuron]) == np.abs(gradient).max()
    network.weights[1][along.source, along.neuron] += along.offsets[-1]
    assert evaluate(network, dataset())[0] == pytest.approx(along.loss[-1], rel=1e-6)


def test_values_are_neither_right_nor_wrong() -> None:
    data = Dataset(np.ones((2, 3)), np.ones((2, 2)), "values")
    with pytest.raises(SettingError, match="holds values"):
        weight_slice(Network((3, 4, 2)), data, layer=0)
