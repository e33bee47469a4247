"""What `make docs` says of a built site that is not whole, and of answers that are wrong."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "docs"


@pytest.fixture
def script(tmp_path: Path) -> dict[str, Any]:
    """The names of scripts/docs, which look at a small site."""
    names = runpy.run_path(str(SCRIPT))
    site = tmp_path / "html"
    (site / "course").mkdir(parents=True)
    (site / "index.html").write_text('<h1 id="top">A</h1><a href="course/one.html#here">1</a><a href="#top">up</a>')
    (site / "course" / "one.html").write_text(
        '<p id="here">B</p><img src="../picture.svg" alt=""><a href="https://x.org">x</a>'
    )
    (site / "picture.svg").write_text("<svg/>")
    names["faults"].__globals__["SITE"] = site
    return names


def test_a_whole_site_has_no_faults(script: dict[str, Any]) -> None:
    assert list(script["faults"]()) == []


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ('<a href="two.html">2</a>', "course/one.html links to two.html"),
        ('<a href="one.html#there">2</a>', "no such heading"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', "loads //fonts.example/a.css"),
        ('<img src="gone.png" alt="">', "gone.png, which is not there"),
    ],
    ids=["page", "heading", "script", "font", "image"],
)
def test_a_fault_of_the_site_is_named(script: dict[str, Any], added: str, says: str) -> None:
    page = script["faults"].__globals__["SITE"] / "course" / "one.html"
    page.write_text(page.read_text() + added)
    (fault,) = script["faults"]()
    assert says in fault


def test_a_style_from_elsewhere_is_named(script: dict[str, Any]) -> None:
    (script["faults"].__globals__["SITE"] / "a.css").write_text(
        "/* url(https://no.example) */ a { background: url(https://x.org/b.png) }"
    )
    (fault,) = script["faults"]()
    assert "a.css loads https://x.org/b.png" in fault


def test_a_wrong_answer_is_named(script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lost_minus = "import numpy as np\n\n\ndef sigmoid(z):\n    return 1 / (1 + np.exp(z))\n"
    monkeypatch.setitem(script["wrong_answers"].__globals__, "answers", lambda: lost_minus)
    (fault,) = script["wrong_answers"]()
    assert "wrong     The sigmoid" in fault
