"""What the page keeps: labels with drawings, strokes in the middle, tabs in the history, an address that lasts."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from handwriting import DIGITS, WRITTEN, in_address

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
PAD = "#stage .pad"
STROKES = "(location.hash.match(/strokes=([0-9a-z-]+)/) ?? ['', ''])[1].split('-').filter(Boolean)"


def headline(page: "Page") -> str:
    page.evaluate("async (n) => { while (n--) await new Promise(requestAnimationFrame); }", 3)
    return page.inner_text("#stage .headline")


def strokes(page: "Page") -> list[list[tuple[float, float]]]:
    """The strokes in the address, once it is up to date."""
    page.evaluate(WRITTEN)
    numbers = [
        [int(part[at : at + 2], 36) / 2 - 180 for at in range(0, len(part), 2)] for part in page.evaluate(STROKES)
    ]
    return [list(zip(each[::2], each[1::2], strict=True)) for each in numbers]


class Pen:
    """The mouse on the pad, in the pad's own pixels."""

    def __init__(self, page: "Page") -> None:
        box = page.locator(PAD).bounding_box()
        assert box is not None
        self.page, self.box, self.scale = page, box, box["width"] / 280

    def move(self, x: float, y: float) -> None:
        self.page.mouse.move(self.box["x"] + x * self.scale, self.box["y"] + y * self.scale)

    def down(self, x: float, y: float) -> None:
        self.move(x, y)
        self.page.mouse.down()


def test_a_label_goes_with_its_drawing_and_comes_back_with_it(visit: Visit) -> None:
    page = visit(f"draw&{in_address(DIGITS[1])}")
    assert "say" not in headline(page)
    page.get_by_role("button", name="Random example").click()
    page.wait_for_selector("#stage .headline:has-text('the data say')")
    labelled = headline(page)
    page.get_by_role("button", name="Clear").click()
    assert "say" not in headline(page)
    page.get_by_role("button", name="Undo").click()
    assert headline(page) == labelled
    page.get_by_role("button", name="Undo").click()
    assert headline(page).startswith("1")
    assert "say" not in headline(page)
    page.get_by_role("button", name="Random example").click()
    page.wait_for_selector("#stage .headline:has-text('the data say')")
    page.evaluate(WRITTEN)
    page.reload()
    page.wait_for_selector("main:not([aria-busy])")
    assert "say" not in headline(page)


@pytest.mark.parametrize("change", ["Delete", "Control+z", "Random example"])
def test_a_drawing_that_changes_in_mid_stroke_ends_the_stroke(visit: Visit, change: str) -> None:
    page = visit()
    pen = Pen(page)
    pen.down(100, 60)
    pen.move(100, 200)
    page.mouse.up()
    pen.down(40, 40)
    pen.move(60, 40)
    if change == "Random example":
        named = "(each) => each.textContent === 'Random example'"
        page.evaluate(f"() => [...document.querySelectorAll('#stage button')].find({named}).click()")
        page.wait_for_selector("#stage .headline:has-text('the data say')")
    else:
        page.keyboard.press(change)
    before = strokes(page)
    for x in (100, 150, 200):
        pen.move(x, 220)
    page.mouse.up()
    assert strokes(page) == before
    pen.down(200, 200)
    pen.move(220, 220)
    page.mouse.up()
    assert strokes(page)[-1] == [(200, 200), (220, 220)]


def test_scrolling_in_mid_stroke_leaves_the_ink_at_the_pointer(visit: Visit) -> None:
    page = visit(viewport={"width": 800, "height": 420})
    pen = Pen(page)
    pen.down(140, 60)
    page.evaluate("scrollBy(0, 50)")
    page.wait_for_timeout(100)
    pen.move(140, 100)
    page.mouse.up()
    ((_, end),) = strokes(page)
    assert end[1] == pytest.approx(100 + 50 / pen.scale, abs=1)


def test_back_leads_to_the_tab_of_before(visit: Visit) -> None:
    page = visit(f"draw&{in_address(DIGITS[1])}")
    page.get_by_role("tab", name="Backprop").click()
    page.get_by_role("tab", name="Draw").click()
    pen = Pen(page)
    pen.down(200, 60)
    pen.move(240, 60)
    page.mouse.up()
    drawn = strokes(page)
    page.get_by_role("tab", name="Mistakes").click()
    for tab in ("Draw", "Backprop", "Draw"):
        page.go_back()
        page.wait_for_selector(f"[role=tab][aria-selected=true]:has-text('{tab}')")
    assert strokes(page) == drawn  # Back leads through the page, and changes nothing in it
    page.go_forward()
    page.wait_for_selector("[role=tab][aria-selected=true]:has-text('Backprop')")


def test_a_reload_in_a_run_is_asked_about(visit: Visit) -> None:
    page = visit("train")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Recipe").select_option("nielsen-30")
    page.get_by_label("Data").select_option("digits")
    page.get_by_label("Epochs").fill("10000")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .status:has-text('epoch')")
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("#train .verdict:has-text('scores')")
    page.reload()
    assert asked == ["beforeunload"]


def test_an_old_address_asks_for_the_new_one_and_keeps_the_drawing(
    browser: "object", visit: Visit, address: str
) -> None:
    page = visit(f"draw&{in_address(DIGITS[3])}")
    other = page.context.new_page()  # whose browser complains of the 401, as it should
    other.goto(f"{re.sub('token=.*', 'token=of-yesterday', address)}#draw&{in_address(DIGITS[3])}")
    assert "needs its token" in other.inner_text("main")
    assert "{" not in other.inner_text("body")
    other.get_by_label("Address").fill(f"The page is at {address}  (Ctrl-C ends it)")
    other.get_by_role("button", name="Open").click()
    other.wait_for_selector("#stage .headline:has-text('3')")


def test_a_long_drawing_survives_a_reload(visit: Visit) -> None:
    page = visit()
    pen = Pen(page)
    pen.down(140, 140)
    page.evaluate(
        """() => {
            const pad = document.querySelector("#stage .pad"), box = pad.getBoundingClientRect();
            for (let k = 0; k < 9000; k += 1) {
                const at = (turn) => box.width * (0.5 + 0.3 * turn(k / 9));
                const [clientX, clientY] = [box.left + at(Math.cos), box.top + at(Math.sin)];
                pad.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, pointerId: 1 }));
            }
        }"""
    )
    page.mouse.up()
    read = headline(page)[0]
    (before,) = strokes(page)
    assert len(before) > 100
    page.reload()
    page.wait_for_selector("main:not([aria-busy])")
    assert strokes(page) == [before]
    assert headline(page)[0] == read
