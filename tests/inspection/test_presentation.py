"""Numbers in columns that can be added up by eye, and images in text, drawn by hand beside what comes out."""

import numpy as np
import pytest

from deltarule.inspection.presentation import align, encodable, in_unicode, number, table, text_image, wrap
from deltarule.nn.equations import EQUATIONS, SYMBOLS

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


def test_a_number() -> None:
    assert [number(value) for value in (0.123456, -1234.56, 1.5e-7, -0.0, 3)] == [
        "0.12346",
        "-1234.6",
        "1.5e-07",
        "0",
        "3",
    ]
    assert [number(value, "+") for value in (1.0, -1.0)] == ["+1", "-1"]


def test_the_decimals_are_those_of_the_largest() -> None:
    assert align([12.34567, 0.001, 4.0]) == ["12.346", "0.001", "4.000"]
    assert align([-0.5, 0.25]) == ["-0.50000", "+0.25000"]
    assert align([-0.000001, 1.0]) == ["+0.0000", "+1.0000"]
    assert align([3e-9, -1e-9]) == ["+3.0000e-09", "-1.0000e-09"]
    assert align([0.0, 0.0]) == ["0.0", "0.0"]
    assert align([123456.7]) == ["123457"]
    assert align([]) == []


def test_a_table() -> None:
    assert table(["from", "a"], [["x", "1"], ["longer", "-10"]]) == [
        "    from      a",
        "    x         1",
        "    longer  -10",
    ]


def test_a_sentence() -> None:
    lines = wrap("word " * 40)
    assert max(map(len, lines)) <= 78
    assert all(line.startswith("  word") for line in lines)


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"$\delta^{l+1}_{ik} \ge 0$", "δ^(l+1)_ik ≥ 0"),
        (
            r"$$\frac{\partial C}{\partial z_j} = s\, \frac{a_j - t_j}{a_j}\; a_j .$$",
            "∂C/∂z_j = s ((a_j - t_j)/a_j) a_j.",
        ),
        (r"\sum_k t_k \ln \frac{t_k}{a_k} , \qquad \sigma'(z)", "Σ_k t_k ln(t_k/a_k),   σ′(z)"),
        (
            r"**What it is.** It is $1 / \sqrt{t}$, *not* $\lVert g \rVert^2$ . \tag{1}",
            "What it is. It is 1 / √t, not ‖g‖^2.   (1)",
        ),
    ],
)
def test_latex_in_a_terminal(latex: str, shown: str) -> None:
    assert in_unicode(latex) == shown


def test_no_equation_leaves_latex_in_a_terminal() -> None:
    for equation in EQUATIONS.values():
        texts = [equation.latex, *equation.proof.split("\n\n"), *(SYMBOLS[name].latex for name in equation.symbols)]
        for text in map(in_unicode, texts):
            assert not set("\\${}") & set(text), text
            assert encodable(text, "ascii").isascii()


def test_blocks() -> None:
    assert text_image(SEVEN).split("\n") == ["▄▄▄▄▄", "  ▄▀", " ▒█░", " ▀"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_plain_characters_where_the_encoding_lacks_blocks(encoding: str) -> None:
    assert encodable(text_image(SEVEN), encoding).split("\n") == ["_____", '  _"', " +#:", ' "']


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
