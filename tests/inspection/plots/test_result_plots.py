"""Pictures of results: the numbers that they were given, on scales on which all of them can be seen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sample_pictures import (
    MATRIX,
    NAMES,
    PICTURES,
    RANGE,
    history,
    images,
    landscape,
    some_mistakes,
)

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.plots.picture import Picture
from deltarule.inspection.plots.result_plots import (
    draw_confusion,
    draw_curves,
    draw_digits,
    draw_mistakes,
    draw_range_test,
    draw_surface,
)


def curve(picture: Picture, panel: int, line: int = 0) -> tuple[list[float], list[float]]:
    found = picture.figure.axes[panel].get_lines()[line]
    return list(found.get_xdata()), list(found.get_ydata())


def lines(picture: Picture, panel: int) -> dict[str, tuple[list[float], list[float]]]:
    found = picture.figure.axes[panel].get_lines()
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in found}


def test_curves_show_the_history() -> None:
    rows = history()
    picture = draw_curves(rows, best_epoch=4)
    for panel, name in enumerate(("loss", "accuracy")):
        for part in ("train", "validation"):
            column = [row[f"{part}_{name}"] for row in rows]
            assert lines(picture, panel)[part] == ([0, 1, 2, 3, 4, 5], column)
        marks = [line for line in picture.figure.axes[panel].get_lines() if line.get_marker() == "o"]
        assert [(list(mark.get_xdata()), list(mark.get_ydata())) for mark in marks] == [
            ([4], [rows[4][f"{part}_{name}"]]) for part in ("train", "validation")
        ]
    assert picture.description == "Loss and accuracy against the epoch: 10 % at epoch 0, 94.38 % at epoch 4"


def test_a_loss_that_falls_far_is_logarithmic_and_another_is_not() -> None:
    assert draw_curves(history(6)).figure.axes[0].get_yscale() == "log"
    assert draw_curves(history(2)).figure.axes[0].get_yscale() == "linear"


def test_guesses_and_the_last_percent_are_both_in_the_picture() -> None:
    """From 10 to 99.1 %: each tenfold fall of the error is of the same height."""
    axes = draw_curves(history()).figure.axes[1]
    low, high = axes.get_ylim()
    assert low < 0.1 < 1 - 0.9 * 0.4**5 < high < 1.0
    heights = axes.transData.transform([(0.0, share) for share in (0.0, 0.9, 0.99)])[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    assert axes.yaxis.get_major_formatter()(0.98, 0) == "98 %"


def test_a_perfect_score_has_a_place_of_its_own() -> None:
    rows = history()
    rows[5]["train_accuracy"] = 1.0
    axes = draw_curves(rows).figure.axes[1]
    assert axes.get_yticks()[-1] == axes.get_ylim()[1] == 1.0


def test_an_accuracy_that_moves_little_is_linear() -> None:
    assert draw_curves(history(2)).figure.axes[1].get_yscale() == "linear"


@pytest.mark.parametrize("n_epochs", [1, 2, 40])
@pytest.mark.parametrize("validation", [False, True])
def test_curves_of_a_regression(n_epochs: int, validation: bool) -> None:
    picture = draw_curves(history(n_epochs, "r2", validation))
    assert set(lines(picture, 1)) >= ({"train", "validation"} if validation else {"train"})
    assert picture.figure.axes[1].get_title("left") == "R²"


def test_gaps_are_gaps() -> None:
    """A history that was read back has None where a figure was missing or infinite."""
    rows = history()
    rows[2]["validation_loss"] = None
    del rows[3]["train_loss"]
    picture = draw_curves(rows)
    drawn = {part: np.isfinite(lines(picture, 0)[part][1]).tolist() for part in ("train", "validation")}
    assert drawn == {
        "train": [True, True, True, False, True, True],
        "validation": [True, True, False, True, True, True],
    }
    assert picture.to_bytes(".png")


def test_a_history_without_epochs() -> None:
    with pytest.raises(SettingError, match="curves need at least one epoch"):
        draw_curves([])


def test_a_slice_is_called_one() -> None:
    exact, part = draw_surface(landscape(2)), draw_surface(landscape(7))
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
    assert draw_surface(found).to_bytes(".png")


def test_the_staircase_has_steps() -> None:
    picture = PICTURES["slice"]()
    assert curve(picture, 0)[1] == [3.0, 2.0, 1.5, 2.0]
    assert curve(picture, 1)[1] == [0.25, 0.5, 0.5, 0.75]
    assert "accuracy flat except for 2 steps" in picture.description


def test_the_range_test_is_told() -> None:
    assert PICTURES["range test"]().description.endswith("the loss falls fastest at 0.01 and rises from 0.1 on")
    assert draw_range_test(replace(RANGE, highest=None)).description.endswith("and never rises")


def texts(picture: Picture) -> dict[tuple[int, int], str]:
    return {text.get_position(): text.get_text() for text in picture.figure.axes[0].texts}


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


def test_a_class_that_is_never_recognized_says_so() -> None:
    assert texts(draw_confusion(np.array([[0, 2], [0, 3]]), ("0", "1"))) == {
        (0, 0): "0.0",
        (1, 0): "2",
        (1, 1): "100.0",
    }


@pytest.mark.parametrize("n_classes", [1, 2, 30])
def test_confusion_without_mistakes(n_classes: int) -> None:
    picture = draw_confusion(np.eye(n_classes, dtype=int), list(map(str, range(n_classes))))
    assert picture.description == f"Confusion matrix of {n_classes} classes: {n_classes} of {n_classes} right"
    assert set(texts(picture).values()) == {"100.0"}


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
    with pytest.raises(SettingError, match="only images can be drawn: got iris, which has no image_shape"):
        draw(Dataset(np.zeros((2, 3)), np.array([0, 1]), name="iris"))
