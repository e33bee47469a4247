"""The loss as a landscape: over both parameters of a network that has two, else over a slice of the space of all.

Source: H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS
2018, section 7: the plane that holds most of a path is spanned by the principal components of its points.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, with_parameters
from deltarule.nn.parameters import Parameters
from deltarule.training.evaluation import loss_and_score

GRID = 25  # points along each side of a surface
MARGIN = 0.35  # of the path's extent, on every side of it
LEAST_SIDE = 0.5  # of the longer side: a path along one axis still has a landscape beside it


@dataclass(frozen=True, eq=False)
class Plane:
    """Two directions in the space of all parameters, and a path seen in their coordinates.

    origin: (n_parameters,). axes: (2, n_parameters), of length 1 and at right angles.
    path: (n_points, 2), the coordinates of each point of the path, or of its shadow on the plane.
    share: of the variance of the path's points, how much lies in the plane; 1 where there are two parameters.
    """

    origin: Array
    axes: Array
    path: Array
    share: float


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss over a plane: losses[i, k] at (across[k], up[i])."""

    plane: Plane
    across: Array
    up: Array
    losses: Array
    examples: int

    @property
    def is_exact(self) -> bool:
        """Whether the plane is the whole space: a network of two parameters, a weight and a bias."""
        return len(self.plane.origin) == 2

    def to_json_dict(self) -> dict[str, Any]:
        """The same in numbers and lists, without the directions."""
        grid = {name: getattr(self, name).tolist() for name in ("across", "up", "losses")}
        share = {"examples": self.examples, "is_exact": self.is_exact, "share_of_variance": self.plane.share}
        return share | grid | {"path": self.plane.path.tolist()}


def plane_of(snapshots: Array) -> Plane:
    """The plane of a path through the space of parameters.

    snapshots: (n_points, n_parameters), three or more, in order. With two parameters the plane is the space itself, in
    its own coordinates. Else it goes through the last point, along the two principal components of all points.

    Raises SettingError where the points span no plane.
    """
    points = np.asarray(snapshots, np.float64)
    if points.shape[1] == 2:
        return Plane(np.zeros(2), np.eye(2), points, 1.0)
    if len(points) < 3:
        raise SettingError(f"a plane needs a path of three points or more: got {len(points)}; train more epochs")
    _, singular, components = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    axes = components[:2]
    if singular[1] <= np.finfo(np.float32).eps * singular[0]:
        raise SettingError("a plane needs a path that bends: got one that stands still, or runs straight")
    share = (singular[:2] ** 2).sum() / (singular**2).sum()
    return Plane(points[-1], axes, (points - points[-1]) @ axes.T, share.item())


def surface(network: Network, dataset: Dataset, plane: Plane, n_points: int = GRID) -> Surface:
    """The loss of a network, on a dataset as it reads it, at n_points x n_points points around the plane's path.

    Raises ShapeError where the plane lies in the space of another network.
    """
    if plane.origin.shape != (network.parameters.size,):
        raise ShapeError(
            f"a plane in the space of {network.parameters.size} parameters was expected: got one of "
            f"{len(plane.origin)}; give the run that the network comes from"
        )
    middle = 0.5 * (plane.path.min(axis=0) + plane.path.max(axis=0))
    reach = (0.5 + MARGIN) * np.maximum(np.ptp(plane.path, axis=0), LEAST_SIDE * np.ptp(plane.path, axis=0).max())
    reach = np.where(reach == 0.0, 1.0, reach)
    across, up = (np.linspace(middle[k] - reach[k], middle[k] + reach[k], n_points) for k in range(2))
    losses = np.empty((n_points, n_points))
    with np.errstate(over="ignore"):  # far out a loss may be infinite
        for i, k in np.ndindex(losses.shape):
            losses[i, k] = loss_at(network, dataset, plane.origin + across[k] * plane.axes[0] + up[i] * plane.axes[1])
    return Surface(plane, across, up, losses, dataset.n_samples)


def loss_at(network: Network, dataset: Dataset, vector: Array) -> float:
    """C with other parameters, (n_parameters,), in the place of the network's own."""
    parameters = Parameters(network.layer_sizes, vector.astype(network.dtype))
    return loss_and_score(with_parameters(network, parameters), dataset)[0]


def check_layer(network: Network, layer: int) -> None:
    """Raise SettingError unless the network has that layer."""
    if not 0 <= layer < len(network.weights):
        raise SettingError(f"this network has layers 0 to {len(network.weights) - 1}: got {layer}")
