"""The loss as a landscape: over a plane in the space of all parameters, and along one weight, with accuracy beside it.

Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018, section 7.
"""

from dataclasses import dataclass

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.inspection.gradcheck.numeric_gradient import IMAGINARY, derivatives
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, forward, loss_and_gradient, loss_value, with_meaning
from deltarule.nn.parameters import Parameters
from deltarule.training.evaluation import loss_and_score
from deltarule.training.plan import Score

GRID = 25  # points along each side of a surface
MARGIN = 0.35  # of the path's extent, added on every side
N_OFFSETS = 401  # points of a slice
REACH = 4.0  # times the largest weight of the layer, to both sides
LEAST_SIDE = 0.5  # of the longer side: even a path along one axis gets a landscape beside it


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss over a plane in the space of all parameters: losses[i, k] at (across[k], up[i]).

    is_exact: whether the plane is the whole space: a network of two parameters, a weight and a bias.
    share_of_variance: how much of the variance of a path's points lies in the plane; 1 with two parameters.
    path: (n_points, 2), the points, or their projections, in the plane's coordinates.
    """

    examples: int
    is_exact: bool
    share_of_variance: float
    across: Array
    up: Array
    losses: Array
    path: Array


@dataclass(frozen=True, eq=False)
class WeightSlice:
    """Loss and accuracy while one weight changes and everything else stays: arrays of shape (n_offsets,), float64.

    offsets: the changes of the weight w_jk, `weights[layer][source, neuron]`.
    loss: smooth. slope: its derivative, dC/dw.
    accuracy: a multiple of 1 / n_samples, so a staircase: flat, with slope 0, except for jumps.
    """

    layer: int
    neuron: int
    source: int
    offsets: Array
    loss: Array
    slope: Array
    accuracy: Array


def principal_plane(points: Array) -> tuple[Array, Array, float]:
    """The plane closest to a path: through its last point, along the two principal components of all points.

    points: (n_points, n_parameters) float64, three or more, in order. With two parameters the plane is the whole space.

    Returns the plane's orthonormal axes (2, n_parameters); the path in these axes, (n_points, 2); and the share of the
    points' variance in the plane. Raises SettingError if the points do not span a plane.
    """
    if points.shape[1] == 2:
        return np.eye(2), points, 1.0
    if len(points) < 3:
        raise SettingError(f"a plane needs a path of three points or more: got {len(points)}; train more epochs")
    _, singular, components = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    if singular[1] <= np.finfo(np.float32).eps * singular[0]:
        raise SettingError("a plane needs a path that bends: got one that does not move, or is straight")
    axes, share = components[:2], (singular[:2] ** 2).sum() / (singular**2).sum()
    return axes, (points - points[-1]) @ axes.T, share.item()


def loss_surface(network: Network, dataset: Dataset, snapshots: Array, n_points: int = GRID) -> Surface:
    """The loss at n_points x n_points parameter vectors, on the plane closest to a path of a network and around it.

    dataset: as the network reads it. snapshots: (n_snapshots, n_parameters), the network's parameters along the path.
    Raises ShapeError if they belong to another network, SettingError if they do not span a plane.
    """
    points, n_parameters = np.asarray(snapshots, np.float64), network.parameters.size
    if points.shape[1] != n_parameters:
        raise ShapeError(sentence("measures.other_plane", n_parameters=n_parameters, got=points.shape[1]))
    axes, path, share = principal_plane(points)
    origin = points[-1] - path[-1] @ axes
    low, extent = path.min(axis=0), np.ptp(path, axis=0)
    middle, reach = low + 0.5 * extent, (0.5 + MARGIN) * np.maximum(extent, LEAST_SIDE * extent.max())
    reach = np.where(reach == 0.0, 1.0, reach)
    across, up = np.linspace(middle - reach, middle + reach, n_points, axis=1)
    losses = np.empty((n_points, n_points))
    with np.errstate(over="ignore"):  # far away a loss may be infinite
        for i, k in np.ndindex(losses.shape):
            vector = origin + across[k] * axes[0] + up[i] * axes[1]
            parameters = Parameters(network.layer_sizes, vector.astype(network.dtype))
            losses[i, k] = loss_and_score(with_meaning(network, parameters=parameters), dataset)[0]
    return Surface(dataset.n_samples, n_parameters == 2, share, across, up, losses, path)


def weight_slice(network: Network, dataset: Dataset, layer: int) -> WeightSlice:
    """Measure loss and accuracy while one weight of a layer varies, in a copy: the one that the loss depends on most.

    dataset: classes or labels, as the network reads them. layer: counted from 0.

    Raises SettingError for values, which have no accuracy.

    >>> data = Dataset(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> sorted(set(weight_slice(Network((1, 2)), data, layer=0).accuracy.tolist()))
    [0.5, 1.0]
    """
    if dataset.task == "values":
        raise SettingError(f"accuracy is of classes or labels: got {dataset.name}, which holds values")
    steepest = np.abs(loss_and_gradient(network, dataset.inputs, dataset.targets)[1].weights[layer])
    source, neuron = divmod(int(steepest.argmax()), steepest.shape[1])
    reach = REACH * np.abs(network.weights[layer]).max().item()
    offsets = np.linspace(-reach, reach, N_OFFSETS)
    moved = network.astype(np.complex128)
    before, ws = moved.weights[layer][source, neuron], moved.workspace(dataset.n_samples)
    rows = []
    for offset in offsets:
        moved.weights[layer][source, neuron] = before + offset + IMAGINARY
        score = Score(dataset.task)
        score.add(forward(moved, dataset.inputs, ws).real, dataset.targets)
        value = np.array(loss_value(moved, dataset.targets, ws))
        rows.append((value.real.item(), derivatives(value).item(), score.value))
    loss, slope, accuracy = np.transpose(rows)
    return WeightSlice(layer, neuron, source, offsets, loss, slope, accuracy)
