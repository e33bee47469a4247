"""A page of one file learns, opened from disk and in a notebook's sandbox: answer, weights and curve move meanwhile."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from handwriting import DIGITS, WRITTEN, in_address

import deltarule as dr
from deltarule.cli.resolve import load_model

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
PICTURE = "() => document.querySelector('#train .weights').toDataURL()"
DONE = "#train .verdict:has-text('scores')"


def accuracy(page: "Page") -> float:
    """What the verdict says of the digits that were held out, in percent."""
    verdict = page.inner_text("#train .verdict")
    assert "on 360 test examples" in verdict
    return float(verdict.partition("scores ")[2].partition(" %")[0])


def test_it_learns_the_digits_in_the_page_and_reads_a_drawing(visit: Visit, untaught: str) -> None:
    page = visit(f"train&{in_address(DIGITS[3])}", at=untaught)
    page.wait_for_selector("#train .status")
    page.evaluate(
        """() => { window.seen = []; new MutationObserver(() => window.seen.push([
            document.querySelector("#stage .digit").textContent,
            document.querySelector("#stage .answers .most .value")?.textContent,
            document.querySelector("#train .weights").toDataURL().length,
        ])).observe(document.querySelector("#train .status"), { childList: true, subtree: true }); }"""
    )
    began = time.perf_counter()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(DONE)
    assert time.perf_counter() - began < 30  # on a machine that is shared; benchmarks measure it
    assert accuracy(page) >= 93
    assert len(set(map(tuple, page.evaluate("window.seen")))) > 8  # answer and weights moved on the way
    page.wait_for_selector("#stage .digit:has-text('3')")
    assert "784 – 32 – 10" in page.inner_text("#about")
    assert "held out from" in (page.locator("#train .chart").nth(0).get_attribute("aria-label") or "")
    assert page.locator(".cell").count() == 32
    page.get_by_role("button", name="Back to the previous network").click()
    page.wait_for_function("() => document.querySelector('#about').textContent === '784 – 12 – 10'")


def test_a_run_in_the_page_pauses_steps_and_goes_on(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    page.evaluate(
        """() => ["Start", "Stop"].forEach((name) =>
            [...document.querySelectorAll("#train button")].find((each) => each.textContent === name).click())"""
    )
    page.wait_for_selector("#train .verdict:has-text('Stopped before it began.')")
    page.get_by_label("Epochs").fill("1000")
    page.get_by_role("button", name="Step").click()
    page.wait_for_selector("#train .status:has-text('step 1 of 45,000')")
    page.get_by_role("button", name="Step").click()
    page.wait_for_selector("#train .status:has-text('step 2 of 45,000')")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(r"() => /epoch ([3-9]|\d\d+) of/.test(document.querySelector('#train .status').textContent)")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("#train .status:has-text('Paused')")
    page.wait_for_timeout(300)
    picture = page.evaluate(PICTURE)
    page.wait_for_timeout(300)
    assert page.evaluate(PICTURE) == picture
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("#train .verdict:has-text('Ended early: stopped on the page')")
    page.get_by_label("Epochs").fill("2")
    page.get_by_label("Learning rate", exact=True).fill("1e9")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .verdict:has-text('the learning rate 1000000000 is too high, try 100000000')")


def test_a_frozen_layer_stays_while_the_others_learn(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    page.get_by_role("button", name="Step").click()
    page.wait_for_selector("#train .status:has-text('step 1 of')")
    page.locator("#stage .cell").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Freeze its layer").press("Enter")
    page.wait_for_selector("#stage .layer.frozen:has-text('Layer 0')")
    picture, answers = page.evaluate(PICTURE), page.inner_text("#train .status")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(DONE)
    assert page.evaluate(PICTURE) == picture
    assert page.inner_text("#train .status") != answers
    assert accuracy(page) > 60  # of what 32 random neurons tell the output layer
    page.get_by_role("button", name="Freeze its layer").press("Enter")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .status:has-text('epoch 10')")
    page.wait_for_selector(DONE)
    assert page.evaluate(PICTURE) != picture


def go_to(page: "Page", digit: int) -> None:
    """Opens the address of a drawing, once the page has written its own."""
    page.evaluate(WRITTEN)
    page.evaluate("(address) => { location.hash = address; }", f"draw&{in_address(DIGITS[digit])}")


def test_it_learns_your_handwriting_and_says_what_it_forgets(visit: Visit, tmp_path: Path) -> None:
    dr.show(load_model("pretrained")).save(tmp_path / "page.html")
    page = visit(f"draw&{in_address(DIGITS[3])}", at=(tmp_path / "page.html").as_uri())
    near = page.locator("#draw [aria-label='Nearest digits'] li")
    near.nth(5).wait_for()
    assert all(text.startswith("3 ·") for text in near.all_inner_texts()[:3])
    learn = page.get_by_role("button", name="Take 10 steps")
    assert learn.is_disabled()
    for digit, label in ((3, "8"), (7, "1"), (3, "8")):
        go_to(page, digit)
        page.wait_for_selector(f"#stage .digit:has-text('{digit}')")
        page.get_by_label("You drew a").select_option(label)
        page.get_by_role("button", name="Keep it", disabled=False).press("Enter")
        page.wait_for_selector("#stage .headline:has-text('Draw a digit')")
    assert page.evaluate("document.activeElement.matches('#stage .pad')")
    page.get_by_role("button", name="Remove a drawing of 8").last.press("Enter")
    said = ""
    for _ in range(3):
        learn.press("Enter")
        page.wait_for_function(
            "(old) => ![old, ''].includes(document.querySelector('#draw [role=status]').textContent)", arg=said
        )
        said = page.inner_text("#draw [role=status]")
    found = re.fullmatch(
        r"Your drawings: 0 of 2 right before, 2 now\. "
        r"The 1,797 bundled digits: ([\d.]+) % right before, ([\d.]+) % now\.",
        said,
    )
    assert found, said
    before, now = map(float, found.groups())
    assert before > 90
    assert 20 < now < before
    go_to(page, 3)
    page.wait_for_selector("#stage .digit:has-text('8')")
    page.get_by_role("button", name="Undo changes").click()
    page.wait_for_selector("#stage .digit:has-text('3')")
    page.get_by_role("tab", name="Mistakes").click()
    page.wait_for_selector("#mistakes:has-text('Of 360 examples of this page')")  # the digits that no run trains on


def test_it_learns_in_a_notebooks_frame(visit: Visit, untaught: str, tmp_path: Path) -> None:
    network = dr.Network((784, 12, 10), rng=2)
    network.image_shape, network.pixels = (28, 28), True
    frame = dr.show(network)._repr_html_()
    assert 'sandbox="allow-scripts"' in frame
    (tmp_path / "notebook.html").write_text(f"<!doctype html><main>{frame}</main>", encoding="utf-8")
    page = visit("", at=(tmp_path / "notebook.html").as_uri())
    inside = page.frame_locator("iframe")
    inside.get_by_role("tab", name="Train").click()
    inside.get_by_role("button", name="Start").click()
    inside.locator(DONE).wait_for()
    assert "Done" in inside.locator("#train .verdict").inner_text()


def test_axe_finds_nothing_serious_and_a_phone_needs_no_scrolling_sideways(visit: Visit, untaught: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    page = visit(f"train&{in_address(DIGITS[3])}", at=untaught, viewport={"width": 360, "height": 780})
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    violations = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
