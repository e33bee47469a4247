"""Pictures: valid files with words in them, and the same bytes each time."""

import io
import os
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from sample_pictures import MATRIX, NAMES, PICTURES, history

import deltarule as dr
from deltarule.errors import MissingExtraError, SettingError
from deltarule.inspection.plots.result_plots import draw_confusion, draw_curves

SVG = "{http://www.w3.org/2000/svg}"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_a_whole_file_with_words_in_it(name: str) -> None:
    picture = PICTURES[name]()
    with Image.open(io.BytesIO(picture.to_bytes(".png"))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size[0] == 700  # 3.5 inches, sharp enough for print
        assert len(image.getcolors(2**24)) > 10
        assert (image.info["Title"], image.info["Description"]) == (picture.title, picture.description)
    assert picture.description.startswith(f"{picture.title}: ")


@pytest.mark.parametrize("name", ["curves", "confusion", "mistakes"])
def test_every_format_is_valid_and_described(name: str) -> None:
    picture = PICTURES[name]()
    words = picture.description
    svg = ET.fromstring(picture.to_bytes(".svg"))
    assert svg.tag == f"{SVG}svg"
    assert [element.text for element in svg.iter(DESCRIPTION)] == [words]
    assert (svg.get("role"), svg.findtext(f"{SVG}title"), svg.findtext(f"{SVG}desc")) == ("img", picture.title, words)
    pdf = picture.to_bytes(".pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"/Subject" in pdf


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_picture_is_the_same_file(suffix: str) -> None:
    assert draw_confusion(MATRIX, NAMES).to_bytes(suffix) == draw_confusion(MATRIX, NAMES).to_bytes(suffix)


@pytest.mark.parametrize(("suffix", "got"), [(".gif", r"'\.gif'"), ("", "'no ending'"), ("png", "'png'")])
def test_other_formats_are_refused(suffix: str, got: str) -> None:
    with pytest.raises(SettingError, match=rf"ends in \.png, \.svg or \.pdf: got {got}"):
        PICTURES["curves"]().to_bytes(suffix)


def test_dollar_signs_are_no_mathematics() -> None:
    assert draw_confusion(np.ones((2, 2), dtype=int), ("$a^", "$x$")).to_bytes(".png")


def test_without_matplotlib_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "deltarule-nn\[plot\]"'):
        draw_curves(history())


def test_no_window_is_needed() -> None:
    program = """
import sys
from deltarule.inspection.plots.result_plots import draw_confusion, draw_curves
assert draw_curves([{"epoch": 0, "train_loss": 1.0, "train_accuracy": 0.1}]).to_bytes(".png")
assert "matplotlib.pyplot" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    subprocess.run([sys.executable, "-c", program], env={**environment, "MPLBACKEND": "tkagg"}, check=True)


def test_control_characters_of_names_are_escapes_in_pictures() -> None:
    """No font has them: matplotlib would warn, and here a warning is an error."""
    names = ["a\x1b[2J", "b\x07", "c\u202ed"]
    data = dr.Dataset(np.random.default_rng(0).random((12, 4)), np.arange(12) % 3, class_names=names)
    network = dr.Network((4, 3), class_names=names)
    for kind in ("confusion", "architecture"):
        assert dr.plot(kind, network, data).to_bytes(".png").startswith(b"\x89PNG")
