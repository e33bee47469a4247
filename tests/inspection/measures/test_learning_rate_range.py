"""The range test, on a parabola whose best and highest rates are known."""

import json

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.learning_rate_range import HIGHEST, LOWEST, range_test
from deltarule.inspection.presentation import plain
from deltarule.nn.activations import Identity
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.trainer import Trainer


def parabola(start: float = 5.0) -> tuple[Trainer, Dataset]:
    """C = w^2 / 2 + b^2 / 2 + 1 / 2: descent leaves it with a rate above 2, and gets far within a few steps."""
    network = Network((1, 1), output=Identity(), loss=Quadratic(), dtype=np.float64)
    network.weights[0][:] = start
    data = Dataset(np.array([[-1.0], [1.0], [-1.0], [1.0]]), np.array([[1.0], [1.0], [-1.0], [-1.0]]), "values")
    return Trainer(network=network, optimizer=SGD(), batch_size=None), data


def test_the_rate_grows_by_the_same_factor_until_the_loss_explodes() -> None:
    found = range_test(*parabola())
    assert found.rates[0] == pytest.approx(LOWEST)
    np.testing.assert_allclose(found.rates[1:] / found.rates[:-1], (HIGHEST / LOWEST) ** (1 / 149), rtol=1e-9)
    assert found.losses[0] == pytest.approx(13.0)
    assert found.highest is not None
    assert 0.01 < found.steepest < 0.5  # the loss halves in a few steps, and nothing overshoots
    assert 0.5 < found.highest < found.rates[-1] < 30.0
    np.testing.assert_allclose(found.smoothed[50], found.losses[46:55].mean())
    np.testing.assert_allclose(found.smoothed[0], found.losses[:5].mean())
    assert found.losses[-1] > 4.0 * found.losses.min()
    content = plain(found)
    assert json.loads(json.dumps(content)) == content


def test_a_constant_loss_is_smoothed_to_itself() -> None:
    trainer, data = parabola(start=0.0)
    found = range_test(trainer, data)
    assert (len(found.rates), found.highest) == (150, None)
    np.testing.assert_allclose(found.smoothed, 0.5)


def test_the_network_keeps_its_parameters() -> None:
    trainer, data = parabola()
    range_test(trainer, data)
    assert trainer.network.weights[0].item() == 5.0
    assert trainer.epochs == 10


def test_a_network_that_is_lost_from_the_start() -> None:
    trainer, data = parabola(start=1e200)
    with pytest.raises(SettingError, match="a range test needs a few steps with a finite loss: got 0"):
        range_test(trainer, data)
