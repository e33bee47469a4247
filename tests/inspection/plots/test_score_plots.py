"""Pictures of how well a model does: what they show are the numbers that they were given."""

from collections.abc import Callable

import numpy as np
import pytest
from sample_pictures import MATRIX, NAMES, PICTURES, SCORES, images, some_mistakes

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.plots.picture import Picture
from deltarule.inspection.plots.score_plots import draw_confusion, draw_digits, draw_mistakes


def texts(picture: Picture) -> dict[tuple[int, int], str]:
    return {text.get_position(): text.get_text() for text in picture.figure.axes[0].texts}


def curve(picture: Picture, panel: int, line: int = 0) -> tuple[list[float], list[float]]:
    found = picture.figure.axes[panel].get_lines()[line]
    return list(found.get_xdata()), list(found.get_ydata())


def test_confusion_shows_the_matrix() -> None:
    picture = draw_confusion(MATRIX, NAMES)
    # (column, row): the diagonal in percent of its row; a row without examples has nothing to show
    assert texts(picture) == {(0, 0): "99.8", (1, 0): "3", (1, 1): "25.0", (2, 1): "21"}
    assert picture.figure.axes[0].get_title("left") == "1,207 of 1,231 right"
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["ant", "bee", "a name tha…"]
    words = (
        "Confusion matrix of 3 classes: 1,207 of 1,231 right; most often bee is taken for a name that is much too long"
    )
    assert picture.description == f"{words} for a column, 21 times"


@pytest.mark.parametrize("n_classes", [1, 2, 30])
def test_confusion_without_mistakes(n_classes: int) -> None:
    picture = draw_confusion(np.eye(n_classes, dtype=int), list(map(str, range(n_classes))))
    assert picture.description == f"Confusion matrix of {n_classes} classes: {n_classes} of {n_classes} right"
    assert set(texts(picture).values()) == {"100.0"}


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


def test_wrong_answers_are_told_from_right_ones() -> None:
    picture = PICTURES["digits"]()
    captions = [(axes.get_xlabel(), axes.xaxis.label.get_color()) for axes in picture.figure.axes[:3]]
    assert captions == [("0", "black"), ("1→0", "#D55E00"), ("2→0", "#D55E00")]
    assert picture.title == "Sheet of 12 examples of dots, 4 answered right"
    assert draw_digits(images()).title == "Sheet of 12 examples of dots"


@pytest.mark.parametrize("n_mistakes", [0, 1, 5, 6])
def test_a_sheet_shows_each_mistake_once(n_mistakes: int) -> None:
    data, found = some_mistakes(n_mistakes)
    picture = draw_mistakes(data, found)
    shown = [axes for axes in picture.figure.axes if axes.images]
    assert len(shown) == n_mistakes
    for axes, example, a in zip(shown, found.example, found.activation, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), data.inputs[example].reshape(3, 4))
        assert axes.get_xlabel() == f"{a:.3f}"
        short = ["ant", "bee", "a name tha…"]
        true = data.targets[example]
        assert axes.get_title() == f"{short[true]}\n→ {short[(true + 1) % 3]}"
    assert picture.description.startswith(f"Sheet of the {n_mistakes} most confident mistakes")
    assert picture.description.count("→") == n_mistakes


@pytest.mark.parametrize("draw", [draw_digits, lambda data: draw_mistakes(data, Mistakes(*(np.array([0]),) * 4))])
def test_a_sheet_needs_images(draw: Callable[[Dataset], Picture]) -> None:
    with pytest.raises(SettingError, match="only images can be drawn: got iris, which says no image_shape"):
        draw(Dataset(np.zeros((2, 3)), np.array([0, 1]), name="iris"))
