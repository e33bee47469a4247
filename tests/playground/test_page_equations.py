"""The page says of an equation what the library says: equations.js is what its script writes from the registry."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "playground_equations.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    pytest.importorskip("latex2mathml", reason="latex2mathml is not here: pip install latex2mathml")
    return runpy.run_path(str(SCRIPT))


def test_the_module_is_up_to_date(script: dict[str, Any]) -> None:
    written = script["MODULE"].read_text(encoding="utf-8")
    assert written == script["module"](), "run  python scripts/playground_equations.py"


def test_a_proof_becomes_paragraphs(script: dict[str, Any]) -> None:
    found = script["as_html"]("Let $x < 1$ be\n*small*, as in `a < b`.\n\n**So** $$y$$")
    assert found == (
        "<p>Let <math><mi>x</mi><mo>&lt;</mo><mn>1</mn></math> be <em>small</em>, as in <code>a &lt; b</code>.</p>"
        '<p><b>So</b> <math display="block"><mi>y</mi></math></p>'
    )
    with pytest.raises(AssertionError, match="teach as_html"):
        script["as_html"]("- a list")
