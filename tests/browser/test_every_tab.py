"""What holds for every tab: nothing serious for axe-core, a phone's width, keys, colors, and an answer in time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from handwriting import DIGITS, in_address

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
TABS = ("Draw", "Train", "Backprop", "Mistakes")


@pytest.mark.parametrize(
    ("colors", "options"), [("light", {}), ("dark", {"runOnly": ["color-contrast", "link-in-text-block"]})]
)
def test_axe_finds_nothing_serious_in_any_tab(visit: Visit, colors: str, options: Any) -> None:
    """In the dark only colors can differ."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    page = visit(f"draw&label=3&{in_address(DIGITS[3])}", color_scheme=colors)
    found = {}
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(200)
        context = None if tab == "Draw" else {"exclude": [[".diagram"]]}  # which is the same in all of them
        found[tab] = [
            serious(each)
            for each in axe.run(page, context=context, options=options | {"resultTypes": ["violations"]}).response[
                "violations"
            ]
            if each["impact"] in ("serious", "critical")
        ]
    assert found == {tab: [] for tab in TABS}


def serious(violation: dict[str, Any]) -> str:
    """A violation in a line: the rule, and where."""
    return f"{violation['id']}: " + " | ".join(node["html"][:120] for node in violation["nodes"])


def test_a_phone_shows_every_tab_without_scrolling_sideways(visit: Visit) -> None:
    page = visit(f"draw&label=3&{in_address(DIGITS[3])}", viewport={"width": 390, "height": 844}, is_mobile=True)
    widths = {}
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(100)
        widths[tab] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(TABS, 390)


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_no_tab_scrolls_sideways_at_any_width_or_direction(visit: Visit, direction: str) -> None:
    """At 683 px a window of 1366 px is zoomed to 200 %."""
    page = visit(f"draw&label=3&{in_address(DIGITS[3])}")
    page.evaluate("(direction) => { document.documentElement.dir = direction; }", direction)
    wide = {}
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        for width in (320, 360, 600, 640, 683, 700, 768, 960, 1366):
            page.set_viewport_size({"width": width, "height": 700})
            page.wait_for_timeout(50)
            wide[tab, width] = page.evaluate("document.documentElement.scrollWidth") - width
    assert {where: more for where, more in wide.items() if more > 0} == {}


FILLS = (
    """(selector) => [...document.querySelectorAll(selector)].map((each) => getComputedStyle(each).backgroundColor)"""
)


def test_forced_colors_leave_what_only_a_fill_tells(visit: Visit) -> None:
    page = visit(f"draw&label=5&{in_address(DIGITS[3])}", forced_colors="active")
    page.wait_for_selector("#stage .bars .most")
    bar, track = (page.evaluate(FILLS, f"#stage .most .{part}")[0] for part in ("bar", "track"))
    assert bar != track
    page.wait_for_selector(".cell[data-sign='above']")
    assert len(set(page.evaluate(FILLS, ".cell"))) > 5
    page.get_by_role("tab", name="Mistakes").click()
    page.locator(".matrix button.wrong").first.click()
    assert len(set(page.evaluate(FILLS, ".matrix button"))) > 3
    page.get_by_role("tab", name="Backprop").click()
    page.wait_for_selector(".bp-sum h3")
    pressed, others = (page.evaluate(FILLS, f".bp-source button[aria-pressed={each}]") for each in ("true", "false"))
    assert pressed[0] not in others


def test_parentheses_are_as_high_as_text_in_every_font(visit: Visit) -> None:
    page = visit("backprop", bypass_csp=True)  # for the style
    page.get_by_role("button", name="2 – 3 – 2").first.click()
    page.wait_for_selector(".bp-equation math")
    page.add_style_tag(content="math { font-family: 'Liberation Sans', sans-serif !important; }")
    heights = page.eval_on_selector_all(
        ".bp-equation mo",
        "all => all.filter((mo) => '()'.includes(mo.textContent)).map((mo) => mo.getBoundingClientRect().height)",
    )
    assert heights
    assert max(heights) < 32


def test_arrow_keys_walk_the_tabs(visit: Visit) -> None:
    page = visit()
    page.get_by_role("tab", name="Draw").focus()
    seen = []
    for _ in TABS:
        page.keyboard.press("ArrowRight")
        seen.append(page.inner_text("[role=tab][aria-selected=true]"))
    assert seen == [*TABS[1:], "Draw"]
    page.keyboard.press("End")
    assert page.locator("[role=tabpanel]:not([hidden])").get_attribute("id") == "mistakes"
    assert page.locator("[role=tab][tabindex='0']").count() == 1


PAPER = """() => {
    const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    copy.drawImage(document.querySelector("#stage .pad"), -9, -9);
    return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


def test_the_switch_turns_light_to_dark_and_pictures_with_it(visit: Visit) -> None:
    page = visit(f"draw&{in_address(DIGITS[1])}", color_scheme="light")
    page.wait_for_function(f"() => Math.min(...({PAPER})()) > 192")
    page.get_by_role("button", name="Dark").click()
    page.wait_for_function(f"() => Math.max(...({PAPER})()) < 64")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_a_screen_reader_hears_the_answer_and_not_every_frame(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        """() => {
            window.heard = [];
            const place = document.querySelector("[aria-live=polite]");
            new MutationObserver(() => window.heard.push(place.textContent)).observe(place, { childList: true });
        }"""
    )
    for digit in (0, 7):
        page.goto(page.url.partition("#")[0] + f"#draw&{in_address(DIGITS[digit])}")
        page.wait_for_timeout(50)
    page.wait_for_function("() => window.heard.length > 0 && window.heard.at(-1).startsWith('Reads 7')")
    assert len(page.evaluate("window.heard")) <= 2


def test_the_answer_shows_by_the_second_frame(visit: Visit) -> None:
    """Counted from every one of 60 pointer events to the first change of the bars; less than 7 pixels are a dot."""
    page = visit()
    pad = page.locator("#stage .pad").bounding_box()
    assert pad is not None
    page.mouse.move(pad["x"] + 60, pad["y"] + 60)
    page.mouse.down()
    waited = page.evaluate(
        """async () => {
            const [pad, bars] = ["#stage .pad", "#stage .bars"].map((each) => document.querySelector(each));
            const box = pad.getBoundingClientRect();
            let changed = false;
            const watcher = new MutationObserver(() => { changed = true; });
            watcher.observe(bars, { subtree: true, childList: true, attributes: true });
            const waited = [];
            for (let step = 1; step <= 60; step += 1) {
                changed = false;
                pad.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, bubbles: true,
                    clientX: box.left + 80 + 3 * step, clientY: box.top + 60 + 2 * step * (step % 2) }));
                let frames = 0;
                while (!changed && frames < 9) {
                    await new Promise(requestAnimationFrame);
                    frames += 1;
                }
                waited.push(frames);
            }
            return waited;
        }"""
    )
    assert max(waited) <= 2
