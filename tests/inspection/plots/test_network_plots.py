"""Pictures of networks: what they show are the weights, layers and histograms that they were given."""

import numpy as np
import pytest
from sample_pictures import PICTURES, image_model, recording, table_model

from deltarule.data.columns import Column
from deltarule.inspection.plots.network_plots import (
    SHOWN_Z,
    curve_of,
    draw_architecture,
    draw_first_layer,
    draw_gradients,
)
from deltarule.inspection.plots.picture import Picture
from deltarule.model import Model
from deltarule.nn.activations import Softmax, Tanh
from deltarule.nn.network import Network


def curve(picture: Picture, panel: int, line: int = 0) -> tuple[list[float], list[float]]:
    found = picture.figure.axes[panel].get_lines()[line]
    return list(found.get_xdata()), list(found.get_ydata())


def test_pixels_that_never_saw_ink_are_masked() -> None:
    first = PICTURES["weights of images"]().figure.axes[0].images[0]
    assert first.get_array().mask.tolist() == [[True, False, False], [False, False, False]]
    np.testing.assert_array_equal(first.get_array().data.ravel(), image_model().network.weights[0][:, 0])
    assert first.get_clim() == (-first.get_clim()[1], first.get_clim()[1])  # white is 0


def test_a_small_matrix_is_written_out() -> None:
    model = table_model()
    texts = {text.get_position(): text.get_text() for text in draw_first_layer(model).figure.axes[0].texts}
    assert len(texts) == 9
    assert texts[1, 0] == f"{model.network.weights[0][0, 1]:.2f}"
    assert texts[2, 2] == "0.00"  # the biases are below the weights


def test_the_inputs_of_a_wide_layer_have_their_names() -> None:
    model = Model(Network((2, 40, 3)), "classes", columns=(Column("a"), Column("b")))
    axes = draw_first_layer(model).figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "bias"]


def test_a_small_network_is_drawn_whole_and_a_large_one_in_part() -> None:
    small, large = (draw_architecture(each).figure.axes[0] for each in (table_model(), image_model()))
    neurons = [[line for line in axes.get_lines() if line.get_marker() == "o"] for axes in (small, large)]
    assert [[len(line.get_xdata()) for line in each] for each in neurons] == [[2, 3, 1], [6, 8, 3]]
    assert {"a", "b", "a xor b", "Tanh"} <= {text.get_text() for text in small.texts}
    assert {"⋮", "30", "6×30\n+ 30"} <= {text.get_text() for text in large.texts}


@pytest.mark.parametrize("name", ["Tanh", "Softmax"])
def test_derivatives_are_slopes(name: str) -> None:
    activation = {"Tanh": Tanh(), "Softmax": Softmax()}[name]
    value, derivative = curve_of(activation)
    np.testing.assert_allclose(np.gradient(value, SHOWN_Z)[1:-1], derivative[1:-1], atol=2e-4)


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
    picture, shown = draw_gradients(recording(3)), recording(3)
    for l in range(3):
        assert curve(picture, 0, l) == ([0.0, 1.0, 2.0], shown.gradient_norm[:, l].tolist())
        assert curve(picture, 1, l) == ([0.0, 1.0, 2.0], shown.update_ratio[:, l].tolist())
