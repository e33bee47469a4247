"""Pictures: valid files with words in them, the same bytes each time, and on them the numbers that were given."""

import io
import os
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from deltarule.data.dataset import Dataset
from deltarule.errors import MissingExtraError, SettingError
from deltarule.inspection.measures.metrics import Mistakes
from deltarule.inspection.plots.answers import confusion
from deltarule.inspection.plots.picture import Picture
from deltarule.inspection.plots.runs import curves
from deltarule.inspection.plots.sheets import mistakes

SVG = "{http://www.w3.org/2000/svg}"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
MATRIX = np.array([[1200, 3, 0], [0, 7, 21], [0, 0, 0]])
NAMES = ("ant", "bee", "a name that is much too long for a column")


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


PICTURES = {
    "curves": lambda: curves(history(), best_epoch=4),
    "confusion": lambda: confusion(MATRIX, NAMES),
    "mistakes": lambda: mistakes(*some_mistakes(7)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_format_is_valid_and_described(name: str) -> None:
    picture = PICTURES[name]()
    words = picture.description
    with Image.open(io.BytesIO(picture.to_bytes(".png"))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size[0] == 700  # 3.5 inches, sharp enough for print
        assert len(image.getcolors(2**24)) > 10
        assert (image.info["Title"], image.info["Description"]) == (words.split(":")[0], words)
    svg = ET.fromstring(picture.to_bytes(".svg"))
    assert svg.tag == f"{SVG}svg"
    assert [element.text for element in svg.iter(DESCRIPTION)] == [words]
    assert (svg.get("role"), svg.findtext(f"{SVG}title"), svg.findtext(f"{SVG}desc")) == ("img", picture.title, words)
    pdf = picture.to_bytes(".pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"/Subject" in pdf


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_picture_is_the_same_file(suffix: str) -> None:
    assert confusion(MATRIX, NAMES).to_bytes(suffix) == confusion(MATRIX, NAMES).to_bytes(suffix)


@pytest.mark.parametrize(("suffix", "got"), [(".gif", r"'\.gif'"), ("", "'no ending'"), ("png", "'png'")])
def test_other_formats_are_refused(suffix: str, got: str) -> None:
    with pytest.raises(SettingError, match=rf"ends in \.png, \.svg or \.pdf: got {got}"):
        PICTURES["curves"]().to_bytes(suffix)


def lines(picture: Picture, panel: int) -> dict[str, tuple[list[float], list[float]]]:
    found = picture.figure.axes[panel].get_lines()
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in found}


def test_curves_show_the_history() -> None:
    rows = history()
    picture = curves(rows, best_epoch=4)
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
    assert curves(history(6)).figure.axes[0].get_yscale() == "log"
    assert curves(history(2)).figure.axes[0].get_yscale() == "linear"


def test_guesses_and_the_last_percent_are_both_in_the_picture() -> None:
    """From 10 to 99.1 %: each tenfold fall of the error is of the same height."""
    axes = curves(history()).figure.axes[1]
    low, high = axes.get_ylim()
    assert low < 0.1 < 1 - 0.9 * 0.4**5 < high < 1.0
    heights = axes.transData.transform([(0.0, share) for share in (0.0, 0.9, 0.99)])[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    assert axes.yaxis.get_major_formatter()(0.98, 0) == "98 %"


def test_a_perfect_score_has_a_place_of_its_own() -> None:
    rows = history()
    rows[5]["train_accuracy"] = 1.0
    axes = curves(rows).figure.axes[1]
    assert axes.get_yticks()[-1] == axes.get_ylim()[1] == 1.0


def test_an_accuracy_that_moves_little_is_linear() -> None:
    assert curves(history(2)).figure.axes[1].get_yscale() == "linear"


@pytest.mark.parametrize("n_epochs", [1, 2, 40])
@pytest.mark.parametrize("validation", [False, True])
def test_curves_of_a_regression(n_epochs: int, validation: bool) -> None:
    picture = curves(history(n_epochs, "r2", validation))
    assert set(lines(picture, 1)) >= ({"train", "validation"} if validation else {"train"})
    assert picture.figure.axes[1].get_title("left") == "R²"


def test_gaps_are_gaps() -> None:
    """A history that was read back has None where a figure was missing or infinite."""
    rows = history()
    rows[2]["validation_loss"] = None
    del rows[3]["train_loss"]
    picture = curves(rows)
    drawn = {part: np.isfinite(lines(picture, 0)[part][1]).tolist() for part in ("train", "validation")}
    assert drawn == {
        "train": [True, True, True, False, True, True],
        "validation": [True, True, False, True, True, True],
    }
    assert picture.to_bytes(".png")


def test_a_history_without_epochs() -> None:
    with pytest.raises(SettingError, match="curves need at least one epoch"):
        curves([])


def texts(picture: Picture) -> dict[tuple[int, int], str]:
    return {text.get_position(): text.get_text() for text in picture.figure.axes[0].texts}


def test_confusion_shows_the_matrix() -> None:
    picture = confusion(MATRIX, NAMES)
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
    picture = confusion(np.eye(n_classes, dtype=int), list(map(str, range(n_classes))))
    assert picture.description == f"Confusion matrix of {n_classes} classes: {n_classes} of {n_classes} right"
    assert set(texts(picture).values()) == {"100.0"}


def test_dollar_signs_are_no_mathematics() -> None:
    assert confusion(np.ones((2, 2), dtype=int), ("$a^", "$x$")).to_bytes(".png")


@pytest.mark.parametrize("n_mistakes", [0, 1, 5, 6])
def test_a_sheet_shows_each_mistake_once(n_mistakes: int) -> None:
    data, found = some_mistakes(n_mistakes)
    picture = mistakes(data, found)
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


def test_a_sheet_needs_images() -> None:
    data = Dataset(np.zeros((2, 3)), np.array([0, 1]), name="iris")
    with pytest.raises(SettingError, match="only images can be drawn: got iris, which says no image_shape"):
        mistakes(data, Mistakes(*(np.array([0]),) * 4))


def test_without_matplotlib_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "deltarule\[plot\]"'):
        curves(history())


def test_no_window_is_needed() -> None:
    program = """
import sys
from deltarule.inspection.plots.runs import curves
assert curves([{"epoch": 0, "train_loss": 1.0, "train_accuracy": 0.1}]).to_bytes(".png")
assert "matplotlib.pyplot" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    subprocess.run([sys.executable, "-c", program], env={**environment, "MPLBACKEND": "tkagg"}, check=True)
