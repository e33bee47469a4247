"""docs/equations.md is what the registry says today."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("equations_page", ROOT / "scripts" / "equations_page.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
    assert found == script.page(), "run scripts/equations_page.py"
