"""Planes against NumPy's eigenvectors, surfaces against formulas worked by hand."""

import json

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError
from deltarule.inspection.measures.landscape import check_layer, plane_of, surface
from deltarule.nn.activations import Identity
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network
from deltarule.training.evaluation import evaluate


def path(n_points: int = 9, n_parameters: int = 12) -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(size=(n_points, n_parameters)), axis=0)


def test_the_plane_against_the_eigenvectors_of_the_covariance() -> None:
    points = path()
    plane = plane_of(points)
    variances, vectors = np.linalg.eigh(np.cov(points.T))
    np.testing.assert_allclose(np.abs(plane.axes @ vectors[:, [-1, -2]]), np.eye(2), atol=1e-9)
    assert plane.share == pytest.approx(variances[-2:].sum() / variances.sum(), rel=1e-12)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    assert plane.path[-1].tolist() == [0.0, 0.0]
    # The shadow of each point is as near as anything in the plane can be: what is left stands at right angles to it.
    rest = points - plane.origin - plane.path @ plane.axes
    np.testing.assert_allclose(rest @ plane.axes.T, 0.0, atol=1e-12)


def test_a_path_within_a_plane_keeps_its_shape() -> None:
    flat = path(5, 2) @ np.linalg.qr(np.random.default_rng(1).normal(size=(30, 2)))[0].T + 7.0
    plane = plane_of(flat.astype(np.float32))
    assert plane.share == pytest.approx(1.0, abs=1e-6)
    lengths = [np.linalg.norm(np.diff(each, axis=0), axis=1) for each in (plane.path, flat)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)


@pytest.mark.parametrize("points", [path(2), np.zeros((5, 7)), np.outer(np.arange(5.0), np.ones(7))])
def test_points_that_span_no_plane(points: np.ndarray) -> None:
    with pytest.raises(SettingError, match="a plane needs a path"):
        plane_of(points)


def line() -> tuple[Network, Dataset]:
    network = Network((1, 1), output=Identity(), loss=Quadratic(), dtype=np.float64)
    return network, Dataset(np.array([[-1.0], [0.0], [1.0]]), np.array([[-2.0], [1.0], [4.0]]), "values")


def test_two_parameters_are_a_surface_as_it_is() -> None:
    """C = 1/6 sum (w x + b - 3 x - 1)^2 = (w - 3)^2 / 3 + (b - 1)^2 / 2 for x = -1, 0, 1."""
    network, data = line()
    found = surface(network, data, plane_of(np.array([[0.0, 0.0], [2.0, 0.5], [3.0, 1.0]])), n_points=7)
    assert found.is_exact
    assert found.plane.share == 1.0
    np.testing.assert_allclose(
        found.losses, (found.across - 3.0) ** 2 / 3.0 + (found.up[:, np.newaxis] - 1.0) ** 2 / 2.0, atol=1e-14
    )
    assert found.across[0] < 0.0 < 3.0 < found.across[-1]
    assert found.up[0] < 0.0 < 1.0 < found.up[-1]
    content = found.to_json_dict()
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
    found = surface(network, data, plane_of(network.parameters.vector + turn), n_points=3)
    assert not found.is_exact
    assert found.losses[1, 1] == pytest.approx(evaluate(network, data)[0], rel=1e-12)


def test_a_plane_of_another_network() -> None:
    network, data = line()
    with pytest.raises(ShapeError, match="a plane in the space of 2 parameters was expected: got one of 12"):
        surface(network, data, plane_of(path()))


@pytest.mark.parametrize("layer", [-1, 1])
def test_a_layer_that_does_not_exist(layer: int) -> None:
    with pytest.raises(SettingError, match=f"layers 0 to 0: got {layer}"):
        check_layer(line()[0], layer)
