"""The stage and Draw in a real browser, by mouse, finger and keyboard."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from handwriting import DIGITS, WRITTEN, Stroke, in_address
from strokes import ink_strokes

from deltarule.model import Model

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Visit = Callable[..., "Page"]
PAD = "#stage .pad"
HOUSE: list[Stroke] = [
    [(70, 130), (70, 230), (210, 230), (210, 130)],
    [(60, 130), (140, 50), (220, 130), (60, 130)],
    [(120, 230), (120, 180), (155, 180), (155, 230)],
]
SIDE = 280  # of the pad, in the strokes' own pixels


def on_pad(pad: "Locator", stroke: Stroke) -> list[tuple[float, float]]:
    """The points of a stroke where the browser shows them."""
    box = pad.bounding_box()
    assert box is not None
    scale = box["width"] / SIDE
    return [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]


def draw(page: "Page", strokes: list[Stroke], pad: str = PAD) -> None:
    """Draws with the mouse."""
    for stroke in strokes:
        (x, y), *others = on_pad(page.locator(pad), stroke)
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(x, y)
        page.mouse.up()


def frames(page: "Page", count: int = 2) -> None:
    """Waits until so many frames have been painted."""
    page.evaluate("async (n) => { while (n--) await new Promise(requestAnimationFrame); }", count)


def answer(page: "Page") -> str:
    """The answer on the stage, once it has been painted."""
    frames(page)
    return page.inner_text("#stage .digit")


def shares(page: "Page") -> list[float]:
    """The probabilities that Draw shows, (10,), as fractions."""
    frames(page)
    return [float(text.strip("> %")) / 100 for text in page.locator("#stage .bars .value").all_inner_texts()]


def test_ten_digits_drawn_by_mouse_are_read_as_python_reads_them(visit: Visit, pretrained: Model) -> None:
    page = visit()
    read = {}
    for digit, strokes in DIGITS.items():
        page.get_by_role("button", name="Clear").click()
        draw(page, strokes)
        read[digit] = answer(page)
        if digit in (2, 5, 8):
            image = ink_strokes(drawn(page), SIDE).image
            assert image is not None
            np.testing.assert_allclose(shares(page), pretrained.probabilities(image.reshape(1, -1))[0], atol=6e-4)
    assert read == {digit: str(digit) for digit in DIGITS}


def test_the_page_says_what_is_unlike_a_digit_and_what_is_several(visit: Visit, pretrained: Model) -> None:
    page = visit()
    doubt = page.locator("#stage .answers .complaint")
    draw(page, DIGITS[3])
    assert (answer(page), doubt.inner_text()) == ("3", "")
    page.get_by_role("button", name="Clear").click()
    draw(page, HOUSE)
    answer(page)
    image = ink_strokes(drawn(page), SIDE).image
    assert image is not None
    share = 100 * float(pretrained.unusual(image.reshape(1, -1))[0])
    said = re.fullmatch(r"Unusual \(([\d.]+) %\): unlike what the network learned\.", doubt.inner_text())
    assert said is not None
    assert abs(float(said[1]) - share) < 0.06
    page.get_by_role("button", name="Clear").click()
    halves = [[(x / 2 + shift, y / 2 + 70) for x, y in DIGITS[digit][0]] for digit, shift in ((1, 0), (6, 120))]
    draw(page, halves)
    answer(page)
    assert doubt.inner_text() == "This looks like several digits: draw one at a time."


def test_a_finger_draws(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)
    for stroke in DIGITS[4]:
        for index, (x, y) in enumerate(on_pad(page.locator(PAD), stroke)):
            event = {"type": "touchMove" if index else "touchStart", "touchPoints": [{"x": x, "y": y}]}
            touch.send("Input.dispatchTouchEvent", event)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert answer(page) == "4"
    assert page.evaluate("scrollY") == 0


def test_the_keyboard_alone_draws_undoes_and_clears(visit: Visit) -> None:
    page = visit()
    reach(page, PAD)
    page.keyboard.press("Space")
    press(page, "ArrowUp", 9)
    page.keyboard.press("Space")
    press(page, "ArrowDown", 18)
    assert answer(page) == "1"
    page.keyboard.press("Space")
    press(page, "ArrowUp", 18)
    press(page, "ArrowLeft", 8)
    page.keyboard.press("Space")
    press(page, "ArrowRight", 8)
    assert answer(page) == "7"
    page.keyboard.press("Backspace")
    assert answer(page) == "1"
    page.keyboard.press("Delete")
    assert answer(page) == "?"
    assert "Draw a digit" in page.inner_text("#stage .headline")
    page.keyboard.press("Control+z")
    assert answer(page) == "1"


def press(page: "Page", key: str, times: int) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def reach(page: "Page", selector: str) -> None:
    """Presses Tab until the focus is there."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    pytest.fail(f"Tab never reached {selector}")


def drawn(page: "Page") -> list[Stroke]:
    """The strokes in the page's address, once it is up to date."""
    page.wait_for_function("() => location.hash.includes('strokes=')")
    page.evaluate(WRITTEN)
    text = re.search(r"strokes=([0-9a-z-]+)", page.url)
    assert text is not None
    numbers = [[int(part[at : at + 2], 36) / 2 - 180 for at in range(0, len(part), 2)] for part in text[1].split("-")]
    return [list(zip(each[::2], each[1::2], strict=True)) for each in numbers]


def test_arrow_keys_nudge_the_picture_which_only_the_normalizer_forgives(visit: Visit) -> None:
    small = [[(4 + 0.3 * x, 4 + 0.3 * y) for x, y in stroke] for stroke in DIGITS[3]]
    page = visit(f"draw&{in_address(small)}")
    before = shares(page)
    assert answer(page) == "3"
    reach(page, PAD)
    press(page, "ArrowRight", 3)
    assert shares(page) == before
    page.get_by_label("Skip the normalizer").check()
    raw = shares(page)
    assert page.locator("#draw .film li").count() == 1
    assert raw[3] < 0.5 < before[3]
    page.focus(PAD)
    press(page, "ArrowDown", 3)
    assert shares(page) != raw


def test_an_example_of_the_data_comes_with_its_label(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Random example").click()
    page.wait_for_function("() => document.querySelector('#stage .headline').textContent.includes('the data say')")
    assert answer(page) in "0123456789"


def test_an_image_file_is_read_and_anything_else_is_refused_in_words(visit: Visit) -> None:
    page = visit()
    find_no_digit_in_a_blank_image_and_a_dot(page)
    page.get_by_role("button", name="Clear").click()
    page.set_input_files(
        "#stage input[type=file]", {"name": "7.png", "mimeType": "image/png", "buffer": photo(DIGITS[7])}
    )
    page.wait_for_function("() => document.querySelector('#stage .digit').textContent === '7'")
    refuse(page, b"no image", "cannot read the file as an image: use a PNG")
    page.evaluate("() => { [window.kept, window.createImageBitmap] = [window.createImageBitmap, null]; }")
    refuse(page, bomb(), "5000 × 5000 pixels: use one of at most 16")  # and is not decoded
    page.evaluate("() => { window.createImageBitmap = window.kept; }")
    assert answer(page) == "7"
    drop(page, photo(DIGITS[2]))
    page.wait_for_function("() => document.querySelector('#stage .digit').textContent === '2'")
    assert page.inner_text("#stage .complaint") == ""


def refuse(page: "Page", content: bytes, complaint: str) -> None:
    page.set_input_files("#stage input[type=file]", {"name": "no.png", "mimeType": "image/png", "buffer": content})
    page.wait_for_selector(f"#stage .complaint:has-text('{complaint}')")


def bomb() -> bytes:
    """A PNG of 3 kB with 25 megapixels."""
    data = io.BytesIO()
    pytest.importorskip("PIL.Image").new("1", (5000, 5000)).save(data, "PNG")
    return data.getvalue()


def find_no_digit_in_a_blank_image_and_a_dot(page: "Page") -> None:
    blank = {"name": "blank.png", "mimeType": "image/png", "buffer": photo([])}
    page.set_input_files("#stage input[type=file]", blank)
    page.wait_for_selector("#stage .headline:has-text('No digit found')")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector("#stage .headline:has-text('Draw a digit')")
    assert not page.locator("#draw ol.film").is_visible()
    draw(page, [[(140, 140)]])
    page.wait_for_selector("#stage .headline:has-text('No digit found')")


def drop(page: "Page", data: bytes) -> None:
    """Drops a PNG file on the pad."""
    page.evaluate(
        """(bytes) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
            document.querySelector("#stage .pad").dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer }));
        }""",
        list(data),
    )


def photo(strokes: list[Stroke]) -> bytes:
    """A PNG of dark strokes on light paper, 420 x 300."""
    Image, ImageDraw = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageDraw")
    image = Image.new("L", (420, 300), 225)
    for stroke in strokes:
        ImageDraw.Draw(image).line([(x + 60, y + 10) for x, y in stroke], fill=40, width=20, joint="curve")
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def test_every_neuron_is_a_cell_that_says_what_python_computes(visit: Visit, pretrained: Model) -> None:
    page = visit()
    draw(page, DIGITS[3])
    image = ink_strokes(drawn(page), SIDE).image
    assert image is not None
    network = pretrained.network.astype(np.float64)
    shared = [-(-size // 128) for size in network.layer_sizes]  # neurons a cell
    for l, size in list(enumerate(network.layer_sizes))[1:-1]:
        assert page.locator(f".cell[data-layer='{l}']").count() == -(-size // shared[l])
    z = (image.reshape(1, -1) / 255.0 @ network.weights[0] + network.biases[0])[0]
    a = np.empty_like(z)
    network.activations[0].forward(z, a)
    cell = int(np.abs(a).argmax()) // shared[1]
    reach(page, ".cell[data-layer='1']")
    press(page, "ArrowRight", cell)
    frames(page)
    shown = re.search(r"z = (\S+), and", page.inner_text(".detail"))
    assert shown is not None
    assert float(shown[1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(z[np.abs(a).argmax()], rel=6e-3)
    assert 0 < page.locator(".edges .edge").count() <= 6


def test_neurons_and_outputs_open_by_keys_with_nothing_drawn(visit: Visit, pretrained: Model) -> None:
    page = visit()
    reach(page, ".cell[data-layer='2']")
    page.wait_for_selector(".detail h2:has-text('Layer 1, neuron 0')")
    largest = np.abs(pretrained.network.weights[1][:, 0]).max()
    assert page.inner_text(".detail figcaption >> nth=0") == f"incoming weights, up to ±{largest:.3g}"
    page.locator(".cell[data-layer='1']").nth(5).hover()
    page.wait_for_selector(".detail h2:has-text('Layer 0, neuron 5')")
    reach(page, "#stage .bars li")
    press(page, "ArrowDown", 7)
    page.wait_for_selector(".detail h2:has-text('Output 7')")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 640)])
def test_the_stage_stays_in_every_tab_and_nothing_lies_below_the_fold(visit: Visit, width: int, height: int) -> None:
    page = visit(f"draw&{in_address(DIGITS[3])}", viewport={"width": width, "height": height})
    for tab in ("Draw", "Train", "Backprop", "Mistakes"):
        page.get_by_role("tab", name=tab).click()
        frames(page)
        assert answer(page) == "3"
        assert page.locator(".cell[data-sign='above']").count() > 5
        for selector in (PAD, ".cell:last-child >> nth=-1", ".bars li:last-child", ".beside"):
            box = page.locator(selector).bounding_box()
            assert box is not None, selector
            assert box["y"] + box["height"] <= height, selector
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("tab", name="Draw").click()
    page.locator(".cell").last.hover()
    page.wait_for_selector(".detail h2:has-text('Layer 1, neuron 127')")
    box = page.locator(".detail .out li").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= height


def test_an_address_brings_a_drawing_back_and_a_broken_one_does_no_harm(visit: Visit) -> None:
    page = visit()
    draw(page, DIGITS[5])
    before = shares(page)
    drawn(page)
    again = visit(page.url.partition("#")[2])
    assert shares(again) == before
    page = visit("nowhere&label=-1&strokes=zz")
    for broken in ("draw&strokes=%00-", "&&=", "draw&label=99"):
        page.evaluate("(address) => { location.hash = address; }", broken)
        assert answer(page) == "?"
