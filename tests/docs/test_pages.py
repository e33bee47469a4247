"""The pages of docs/: current, their claims tested, their quotations word for word."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSTS = (ROOT / "docs" / "the-posts.md").read_text(encoding="utf-8")


def test_the_equations_are_those_of_the_registry() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "equations_page.py"))
    found = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
    assert found == script["page"](), "run scripts/equations_page.py"


def test_every_claim_about_the_posts_has_its_test() -> None:
    tests = (ROOT / "tests" / "docs" / "test_the_posts.py").read_text(encoding="utf-8")
    assert sorted(re.findall(r"`(test_\w+)`", POSTS)) == sorted(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))


def test_our_lines_beside_the_posts_are_quoted_word_for_word() -> None:
    rows = re.findall(r"^\|.+`test_\w+`.*\|$", POSTS, re.MULTILINE)
    quoted = [re.findall(r"`([^`]+)` in \[[^\]]+\]\(\.\./([^)]+)\)", row) for row in rows]
    assert len(quoted) > 15
    for row, ours in zip(rows, quoted, strict=True):
        assert len(ours) == 1, row
        assert ours[0][0] in (ROOT / ours[0][1]).read_text(encoding="utf-8"), row


def anchors_of(page: Path) -> set[str]:
    """Where GitHub and the site put the sections of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" not in link:
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link
