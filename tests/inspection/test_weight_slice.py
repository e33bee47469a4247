"""Along one weight: the loss goes where its slope points, accuracy jumps."""

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.weight_slice import WeightSlice, weight_slice
from deltarule.nn.activations import Tanh
from deltarule.nn.network import Network


def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(30, 3)), rng.integers(2, size=30))


@pytest.fixture
def along() -> WeightSlice:
    network = Network((3, 4, 2), hidden=Tanh(), rng=1)
    before = network.parameters.vector.copy()
    found = weight_slice(network, dataset(), layer=1, neuron=1, source=2, offsets=np.linspace(-4.0, 4.0, 401))
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
    network.weights[1][2, 1] += along.offsets[-1]
    loss = weight_slice(network, dataset(), layer=0, neuron=0, source=0, offsets=np.zeros(1)).loss
    assert loss[0] == pytest.approx(along.loss[-1], rel=1e-6)


@pytest.mark.parametrize("place", [(2, 0, 0), (-1, 0, 0), (0, 4, 0), (0, 0, 3), (1, 2, 0), (1, 0, -1)])
def test_a_weight_that_does_not_exist(place: tuple[int, int, int]) -> None:
    layer, neuron, source = place
    with pytest.raises(SettingError, match=r"\[\(3, 4\), \(4, 2\)\].*: got layer"):
        weight_slice(Network((3, 4, 2)), dataset(), layer=layer, neuron=neuron, source=source, offsets=np.zeros(1))


def test_values_are_neither_right_nor_wrong() -> None:
    data = Dataset(np.ones((2, 3)), np.ones((2, 2)), "values")
    with pytest.raises(SettingError, match="holds values"):
        weight_slice(Network((3, 4, 2)), data, layer=0, neuron=0, source=0, offsets=np.zeros(1))
