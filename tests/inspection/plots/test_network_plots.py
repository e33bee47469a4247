"""Pictures of networks: what they show are the weights and layers that they were given."""

import numpy as np
import pytest
from sample_pictures import PICTURES, image_model, recording, table_model

from deltarule.errors import SettingError
from deltarule.inspection.plots.network_plots import (
    draw_architecture,
    draw_first_layer,
    draw_gradients,
)
from deltarule.inspection.plots.picture import Picture


def curve(picture: Picture, panel: int, line: int = 0) -> tuple[list[float], list[float]]:
    found = picture.figure.axes[panel].get_lines()[line]
    return list(found.get_xdata()), list(found.get_ydata())


def test_pixels_that_never_saw_ink_are_masked() -> None:
    first = PICTURES["weights of images"]().figure.axes[0].images[0]
    assert first.get_array().mask.tolist() == [[True, False, False], [False, False, False]]
    np.testing.assert_array_equal(first.get_array().data.ravel(), image_model().network.weights[0][:, 0])
    assert first.get_clim() == (-first.get_clim()[1], first.get_clim()[1])  # white is 0


def test_weights_of_a_table_are_not_images() -> None:
    with pytest.raises(SettingError, match=r"drawn as images: got a network without an image_shape; set network\."):
        draw_first_layer(table_model())


def test_a_small_network_is_drawn_whole_and_a_large_one_in_part() -> None:
    small, large = (draw_architecture(each).figure.axes[0] for each in (table_model(), image_model()))
    neurons = [[line for line in axes.get_lines() if line.get_marker() == "o"] for axes in (small, large)]
    assert [[len(line.get_xdata()) for line in each] for each in neurons] == [[2, 3, 1], [6, 8, 3]]
    assert {"a", "b", "a xor b", "Tanh"} <= {text.get_text() for text in small.texts}
    assert {"⋮", "30", "6×30\n+ 30"} <= {text.get_text() for text in large.texts}


def test_gradients_have_a_line_a_layer() -> None:
    picture, shown = draw_gradients(recording(3)), recording(3)
    for l in range(3):
        assert curve(picture, 0, l) == ([0.0, 1.0, 2.0], shown.gradient_norm[:, l].tolist())
        assert curve(picture, 1, l) == ([0.0, 1.0, 2.0], shown.update_ratio[:, l].tolist())
