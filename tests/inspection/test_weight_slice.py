"""Along one weight the loss goes where its slope points, and accuracy is a staircase: the third condition on a loss."""

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.inspection.landscape import WeightSlice, weight_slice
from deltarule.nn.activations import Tanh
from deltarule.nn.network import Network, loss_and_gradient

NETWORK = Network((3, 4, 2), hidden=Tanh(), dtype=np.float64, rng=1)
DATA = Dataset(np.random.default_rng(0).normal(size=(30, 3)), np.random.default_rng(1).integers(2, size=30))
PLACE = (2, 1)


@pytest.fixture(scope="module")
def along() -> WeightSlice:
    return weight_slice(NETWORK, DATA, 1, PLACE, np.linspace(-4.0, 4.0, 401))


def test_the_loss_changes_by_the_integral_of_its_slope(along: WeightSlice) -> None:
    network, slopes = NETWORK.astype(np.float64), []
    for value in along.values:
        network.weights[1][PLACE] = value
        slopes.append(loss_and_gradient(network, DATA.inputs, DATA.targets)[1].weights[1][PLACE])
    trapezoids = np.diff(along.values) * (np.array(slopes[1:]) + slopes[:-1]) / 2
    np.testing.assert_allclose(along.losses[0] + np.cumsum(trapezoids), along.losses[1:], rtol=1e-4)
    assert np.ptp(along.losses) > 0.1


def test_accuracy_is_a_staircase(along: WeightSlice) -> None:
    """Flat nearly everywhere, so its slope says nothing; yet it gets from one value to another, in jumps of 1 / 30."""
    right = along.accuracies * 30
    np.testing.assert_allclose(right, np.rint(right), atol=1e-9)
    assert 3 <= np.count_nonzero(np.diff(right)) <= 30
    assert np.count_nonzero(np.diff(along.losses)) == 400
