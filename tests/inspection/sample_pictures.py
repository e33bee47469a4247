"""What the tests of pictures share: small records of everything that is drawn, and a picture of each."""

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
from deltarule.inspection.measures.layer_history import LayerHistory
from deltarule.inspection.measures.learning_rate_range import RangeTest
from deltarule.inspection.measures.loss_landscape import Surface, WeightSlice
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.plots import network_plots, result_plots
from deltarule.inspection.plots.picture import Picture
from deltarule.model import Model
from deltarule.nn.activations import Sigmoid, Tanh
from deltarule.nn.losses import BinaryCrossEntropy
from deltarule.nn.network import Network

NAMES = ("ant", "bee", "a name that is much too long for a column")
MATRIX = np.array([[1200, 3, 0], [0, 7, 21], [0, 0, 0]])
RANGE = RangeTest(np.geomspace(1e-3, 1.0, 4), np.array([2.0, 1.5, 1.0, 9.0]), np.array([2.0, 1.7, 1.3, 5.0]), 0.01, 0.1)
SLICE = WeightSlice(
    1, 0, 2, *(np.array(each) for each in ([-1, 0, 1, 2], [3, 2, 1.5, 2], [0, 0, 0, 0], [0.25, 0.5, 0.5, 0.75]))
)


def history(n_epochs: int = 6, score: str = "accuracy", validation: bool = True) -> list[dict[str, Any]]:
    rows = []
    for epoch in range(n_epochs):
        row = {
            "epoch": epoch,
            "step": 10 * epoch,
            "train_loss": 2.3 * 0.4**epoch,
            f"train_{score}": 1 - 0.9 * 0.4**epoch,
        }
        if validation:
            row |= {"validation_loss": 2.3 * 0.5**epoch, f"validation_{score}": 1 - 0.9 * 0.5**epoch}
        rows.append(row)
    return rows


def some_mistakes(n_mistakes: int) -> tuple[Dataset, Mistakes]:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (n_mistakes + 5, 12), dtype=np.uint8)
    data = Dataset(inputs, rng.integers(0, 3, len(inputs)), class_names=NAMES, image_shape=(3, 4))
    example = np.arange(n_mistakes)[::-1]
    true = data.targets[example]
    return data, Mistakes(example, (true + 1) % 3, true, np.linspace(0.99, 0.5, n_mistakes))


def recording(n_layers: int = 2) -> LayerHistory:
    rng, shape = np.random.default_rng(0), (3, n_layers)
    return LayerHistory(
        epochs=np.arange(3.0),
        parameters=rng.normal(size=(3, 7)),
        gradient_norm=rng.random(shape) + 0.1,
        update_ratio=rng.random(shape) + 0.1,
    )


def landscape(n_parameters: int) -> Surface:
    path = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 2.0]])
    across = np.linspace(-1.0, 3.0, 9)
    losses = (across - 2.0) ** 2 + (across[:, np.newaxis] - 2.0) ** 2 + 1.0
    return Surface(5, n_parameters == 2, 0.875, across, across, losses, path)


def images(n_samples: int = 12) -> Dataset:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (n_samples, 6), dtype=np.uint8)
    return Dataset(inputs, np.arange(n_samples) % 3, class_names=("0", "1", "2"), image_shape=(2, 3), name="dots")


def image_model() -> Model:
    return Model(Network((6, 30, 3)), "classes", NAMES, image_shape=(2, 3))


def table_model() -> Model:
    network = Network((2, 3, 1), hidden=Tanh(), output=Sigmoid(), loss=BinaryCrossEntropy())
    return Model(network, "labels", ("a xor b",), columns=(Column("a"), Column("b")))


PICTURES: dict[str, Callable[[], Picture]] = {
    "curves": lambda: result_plots.draw_curves(history(), best_epoch=4),
    "range test": lambda: result_plots.draw_range_test(RANGE),
    "surface": lambda: result_plots.draw_surface(landscape(2)),
    "slice": lambda: result_plots.draw_weight_slice(SLICE),
    "confusion": lambda: result_plots.draw_confusion(MATRIX, NAMES),
    "mistakes": lambda: result_plots.draw_mistakes(*some_mistakes(7)),
    "digits": lambda: result_plots.draw_digits(images(), np.zeros(12, int)),
    "weights of images": lambda: network_plots.draw_first_layer(image_model(), np.array([False] + [True] * 5)),
    "architecture": lambda: network_plots.draw_architecture(image_model()),
    "gradients": lambda: network_plots.draw_gradients(recording()),
}
