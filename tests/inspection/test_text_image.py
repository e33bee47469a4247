"""Images in text, drawn by hand beside what comes out."""

import numpy as np
import pytest

from deltarule.inspection.explain.text_image import text_image

SEVEN = np.array(
    [
        [0, 0, 0, 0, 0],
        [255, 255, 255, 255, 255],
        [0, 0, 0, 255, 0],
        [0, 0, 255, 0, 0],
        [0, 130, 255, 60, 0],
        [0, 130, 255, 60, 0],
        [0, 255, 0, 0, 0],
    ],
    dtype=np.uint8,
)


def test_blocks() -> None:
    assert text_image(SEVEN).split("\n") == ["▄▄▄▄▄", "  ▄▀", " ▒█░", " ▀"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_plain_characters_where_the_encoding_lacks_blocks(encoding: str) -> None:
    assert text_image(SEVEN, encoding).split("\n") == ["_____", '  _"', " +#:", ' "']


def test_any_dtype_and_scale_draws_the_same() -> None:
    for image in (SEVEN / 255.0, SEVEN.astype(np.float32) * 3, SEVEN.astype(np.int64)):
        assert text_image(image) == text_image(SEVEN)


def test_paper_may_be_negative() -> None:
    """As pixels are after standardization."""
    assert text_image(np.array([[-0.4, 2.8], [2.8, -0.4]])) == "▄▀"


def test_a_blank_image_is_blank() -> None:
    assert text_image(np.zeros((28, 28), np.uint8)) == "\n" * 13
    assert text_image(np.full((2, 2), -1.0)) == ""


def test_each_shade_has_its_character() -> None:
    shades = np.tile(np.array([0, 64, 128, 191, 255], np.uint8), (2, 1))
    assert text_image(shades) == " ░▒▓█"
