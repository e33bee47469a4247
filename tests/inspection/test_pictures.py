"""What the pictures of networks, answers and runs show: the numbers that they were given, in a file with words."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.diagnosis.range_test import RangeTest
from deltarule.inspection.measures.calibration import reliability
from deltarule.inspection.measures.landscape import Plane, Surface
from deltarule.inspection.measures.metrics import class_scores
from deltarule.inspection.measures.recording import N_BINS, QUANTITIES, Recording
from deltarule.inspection.measures.robustness import Response
from deltarule.inspection.measures.sensitivity import Flip
from deltarule.inspection.measures.weight_slice import WeightSlice
from deltarule.inspection.plots import answers, landscapes, layers, networks, runs, sheets
from deltarule.inspection.plots.picture import Picture
from deltarule.model import Model
from deltarule.nn.activations import Sigmoid, Softmax, Tanh
from deltarule.nn.losses import BinaryCrossEntropy
from deltarule.nn.network import Network

NAMES = ("ant", "bee", "a name that is much too long for a column")
SCORES = class_scores(np.array([[90, 10, 0], [0, 50, 0], [0, 0, 0]]), NAMES)
RELIABLE = reliability(np.array([[0.65, 0.35], [0.35, 0.65], [0.05, 0.95]]), np.array([0, 0, 1]))
RESPONSES = [
    Response("shift", "pixels", 0.0, 4, *(np.array(each) for each in ([-1.0, 0.0], [0.5, 1.0], [0.2, 0.6], [0.8, 1.0])))
] * 3
FLIP = Flip(np.full(4, 0.5), np.array([1.0, -2.0, 0.0, 0.5]), "3", 0.9, np.array([0.5, 0.1, 0.5, 0.5]), "8", 0.4)
RANGE = RangeTest(np.geomspace(1e-3, 1.0, 4), np.array([2.0, 1.5, 1.0, 9.0]), np.array([2.0, 1.7, 1.3, 5.0]), 0.01, 0.1)
SLICE = WeightSlice(
    1, 0, 2, *(np.array(each) for each in ([-1, 0, 1, 2], [3, 2, 1.5, 2], [0, 0, 0, 0], [0.25, 0.5, 0.5, 0.75]))
)


def recording(n_layers: int = 2) -> Recording:
    rng, shape = np.random.default_rng(0), (3, n_layers)
    limits = np.sort(rng.normal(size=(*shape, 2)), axis=2)
    return Recording(
        epochs=np.arange(3.0),
        parameters=rng.normal(size=(3, 7)),
        gradient_norm=rng.random(shape) + 0.1,
        update_ratio=rng.random(shape) + 0.1,
        counts={each: rng.integers(0, 9, (*shape, N_BINS)) + 1.0 for each in QUANTITIES},
        limits=dict.fromkeys(QUANTITIES, limits),
    )


def landscape(n_parameters: int) -> Surface:
    path = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 2.0]])
    plane = Plane(np.zeros(n_parameters), np.eye(2, n_parameters), path, 0.875)
    across = np.linspace(-1.0, 3.0, 9)
    return Surface(plane, across, across, (across - 2.0) ** 2 + (across[:, np.newaxis] - 2.0) ** 2 + 1.0, 5)


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
    "scores": lambda: answers.scores(SCORES),
    "reliability": lambda: answers.reliability(RELIABLE),
    "robustness": lambda: answers.robustness(RESPONSES),
    "digits": lambda: sheets.digits(images(), np.zeros(12, int)),
    "flips": lambda: sheets.flips([FLIP, replace(FLIP, changed=None, becomes=None, distance=None)], (2, 2)),
    "weights of images": lambda: networks.first_layer(image_model(), np.array([False] + [True] * 5)),
    "weights of a table": lambda: networks.first_layer(table_model()),
    "architecture": lambda: networks.architecture(image_model()),
    "activations": lambda: networks.activations({"Tanh": Tanh(), "Softmax": Softmax(), "Sigmoid": Sigmoid()}),
    "histograms": lambda: layers.histograms(recording(), [1]),
    "gradients": lambda: layers.gradients(recording()),
    "surface": lambda: landscapes.surface(landscape(2)),
    "slice": lambda: landscapes.weight_slice(SLICE),
    "range test": lambda: runs.range_curve(RANGE),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_a_whole_file_with_words_in_it(name: str) -> None:
    picture = PICTURES[name]()
    with Image.open(io.BytesIO(picture.to_bytes(".png"))) as image:
        image.load()
        assert image.size[0] == 700
        assert len(image.getcolors(2**24)) > 10
        assert (image.info["Title"], image.info["Description"]) == (picture.title, picture.description)
    assert len(picture.title) < len(picture.description)


def curve(picture: Picture, panel: int, line: int = 0) -> tuple[list[float], list[float]]:
    found = picture.figure.axes[panel].get_lines()[line]
    return list(found.get_xdata()), list(found.get_ydata())


def test_scores_show_recall_between_its_limits() -> None:
    picture = PICTURES["scores"]()
    assert curve(picture, 0)[0][:2] == [0.9, 1.0]
    ends = [segment[:, 0].tolist() for segment in picture.figure.axes[0].collections[0].get_segments()]
    assert ends == [[each.recall_low, each.recall_high] for each in SCORES]
    assert picture.description.endswith("the lowest and the highest recall are 90 % for ant, 100 % for bee")


def test_reliability_shows_the_bins_that_hold_answers() -> None:
    picture = PICTURES["reliability"]()
    np.testing.assert_allclose(curve(picture, 0, 1), ([0.65, 0.95], [0.5, 1.0]))
    assert "expected calibration error 11.67 %, 3 answers" in picture.description


def test_robustness_shows_every_amount() -> None:
    assert curve(PICTURES["robustness"](), 2, 1) == ([-1.0, 0.0], [0.5, 1.0])
    assert "shift of -1 pixels 50 %" in PICTURES["robustness"]().description


def test_wrong_answers_are_told_from_right_ones() -> None:
    picture = PICTURES["digits"]()
    captions = [(axes.get_xlabel(), axes.xaxis.label.get_color()) for axes in picture.figure.axes[:3]]
    assert captions == [("0", "black"), ("1→0", "#D55E00"), ("2→0", "#D55E00")]
    assert picture.title == "Sheet of 12 examples of dots, 4 answered right"
    assert sheets.digits(images()).title == "Sheet of 12 examples of dots"


def test_flips_show_what_was_changed() -> None:
    panels = PICTURES["flips"]().figure.axes
    np.testing.assert_allclose(panels[2].images[0].get_array(), [[0.0, -0.4], [0.0, 0.0]])
    assert [axes.get_xlabel() for axes in panels[:4]] == ["3 (0.900)", "up to 2", "length 0.40", "8"]
    assert [axes.get_xlabel() for axes in panels[4:]] == ["3 (0.900)", "up to 2", "none found", "3"]


def test_pixels_that_never_saw_ink_are_masked() -> None:
    first = PICTURES["weights of images"]().figure.axes[0].images[0]
    assert first.get_array().mask.tolist() == [[True, False, False], [False, False, False]]
    np.testing.assert_array_equal(first.get_array().data.ravel(), image_model().network.weights[0][:, 0])
    assert first.get_clim() == (-first.get_clim()[1], first.get_clim()[1])  # white is 0


def test_a_small_matrix_is_written_out() -> None:
    model = table_model()
    texts = {text.get_position(): text.get_text() for text in networks.first_layer(model).figure.axes[0].texts}
    assert len(texts) == 9
    assert texts[1, 0] == f"{model.network.weights[0][0, 1]:.2f}"
    assert texts[2, 2] == "0.00"  # the biases are below the weights


def test_a_small_network_is_drawn_whole_and_a_large_one_in_part() -> None:
    small, large = (networks.architecture(each).figure.axes[0] for each in (table_model(), image_model()))
    neurons = [[line for line in axes.get_lines() if line.get_marker() == "o"] for axes in (small, large)]
    assert [[len(line.get_xdata()) for line in each] for each in neurons] == [[2, 3, 1], [6, 8, 3]]
    assert {"a", "b", "a xor b", "Tanh"} <= {text.get_text() for text in small.texts}
    assert {"⋮", "30", "6×30\n+ 30"} <= {text.get_text() for text in large.texts}


@pytest.mark.parametrize("name", ["Tanh", "Softmax"])
def test_derivatives_are_slopes(name: str) -> None:
    activation = {"Tanh": Tanh(), "Softmax": Softmax()}[name]
    value, derivative = networks.curve_of(activation)
    np.testing.assert_allclose(np.gradient(value, networks.SHOWN_Z)[1:-1], derivative[1:-1], atol=2e-4)


def test_histograms_stand_where_their_numbers_are() -> None:
    shown, axes = recording(), PICTURES["histograms"]().figure.axes[0]
    assert len(axes.collections) == 3  # an epoch each
    corners = axes.collections[1].get_coordinates()
    assert (corners[0, 0].tolist(), corners[-1, -1].tolist()) == (
        [1.0, shown.limits["weights"][1, 1, 0]],
        [2.0, shown.limits["weights"][1, 1, 1]],
    )
    counts = shown.counts["weights"][1, 1]
    np.testing.assert_allclose(axes.collections[1].get_array().ravel() ** 2, counts / counts.max())


def test_gradients_have_a_line_a_layer() -> None:
    picture, shown = layers.gradients(recording(3)), recording(3)
    for l in range(3):
        assert curve(picture, 0, l) == ([0.0, 1.0, 2.0], shown.gradient_norm[:, l].tolist())
        assert curve(picture, 1, l) == ([0.0, 1.0, 2.0], shown.update_ratio[:, l].tolist())


def test_a_slice_is_called_one() -> None:
    exact, part = landscapes.surface(landscape(2)), landscapes.surface(landscape(7))
    assert "the loss, exactly: two parameters" in exact.description
    assert "a slice, 87.5 % of the path's variance" in part.description
    assert (exact.figure.axes[0].get_xlabel(), part.figure.axes[0].get_xlabel()) == (
        "weight",
        "first principal component",
    )
    assert curve(part, 0) == ([0.0, 1.0, 2.0], [0.0, 2.0, 2.0])


def test_a_landscape_with_an_abyss_is_drawn() -> None:
    found = landscape(2)
    found.losses[0, 0] = np.inf
    assert landscapes.surface(found).to_bytes(".png")


def test_the_staircase_has_steps() -> None:
    picture = PICTURES["slice"]()
    assert curve(picture, 0)[1] == [3.0, 2.0, 1.5, 2.0]
    assert curve(picture, 1)[1] == [0.25, 0.5, 0.5, 0.75]
    assert "accuracy flat but for 2 steps" in picture.description


def test_the_range_test_is_told() -> None:
    assert PICTURES["range test"]().description.endswith("the loss falls fastest at 0.01 and rises from 0.1 on")
    assert runs.range_curve(replace(RANGE, highest=None)).description.endswith("and never rises")


@pytest.mark.parametrize("draw", [sheets.digits, lambda data: sheets.flips([FLIP], data.image_shape)])
def test_sheets_need_images(draw: Any) -> None:
    with pytest.raises(SettingError, match="only images can be drawn"):
        draw(Dataset(np.zeros((2, 3)), np.array([0, 1]), name="iris"))
