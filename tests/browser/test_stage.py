"""The stage: numbers changed by hand and errors are Python's, and motion stops where the system asks."""

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import pytest
from handwriting import DIGITS, in_address
from strokes import ink_strokes

from deltarule.model import Model
from deltarule.nn.arrays import Array
from deltarule.nn.network import backward, forward

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
WATCH = """() => {
    window.most = 0;
    (function look() {
        requestAnimationFrame(look);
        window.most = Math.max(window.most, document.getAnimations().length);
    })();
}"""


def image_of(digit: int) -> Array:
    """A drawn digit as the network reads it, (1, 784)."""
    image = ink_strokes(DIGITS[digit]).image
    assert image is not None
    return image.reshape(1, -1)


def shares(page: "Page") -> list[float]:
    """The probabilities beside the bars."""
    page.evaluate("async (n) => { while (n--) await new Promise(requestAnimationFrame); }", 3)
    return [float(text.strip("> %")) / 100 for text in page.locator("#stage .bars .value").all_inner_texts()]


def test_what_a_hand_changes_is_what_python_makes_of_it(visit: Visit, pretrained: Model) -> None:
    """A bias, a weight and a silenced neuron, by keys alone; then everything comes back."""
    page = visit(f"draw&{in_address(DIGITS[3])}")
    page.wait_for_selector("#stage .digit:has-text('3')")
    before = shares(page)
    network = deepcopy(pretrained.network)
    page.locator(".cell[data-layer='2']").nth(0).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail.held h2:has-text('Layer 1, neuron 0')")
    page.get_by_label("bias").fill("30")
    page.get_by_label("bias").press("Enter")
    network.biases[1][0] = 30.0
    np.testing.assert_allclose(shares(page), network.outputs(image_of(3))[0], atol=6e-4)
    field = page.locator(".detail .out label:has-text('to Output')").first
    output = int(field.inner_text().split()[-1])
    field.locator("input").fill("0.5")
    field.locator("input").press("Enter")
    network.weights[2][0, output] = 0.5
    np.testing.assert_allclose(shares(page), network.outputs(image_of(3))[0], atol=6e-4)
    page.get_by_role("button", name="Silence it").press("Enter")
    network.weights[2][0, :] = 0.0
    np.testing.assert_allclose(shares(page), network.outputs(image_of(3))[0], atol=6e-4)
    assert page.locator(".cell.silent").count() == 1
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.cell.chosen')")
    page.get_by_role("button", name="Undo changes").press("Enter")
    assert shares(page) == before
    assert page.locator(".cell.silent").count() == 0


def test_a_held_neuron_stays_while_others_are_pointed_at(visit: Visit) -> None:
    page = visit(f"draw&{in_address(DIGITS[3])}")
    page.locator(".cell").nth(5).click()
    page.locator(".cell").nth(90).hover()
    page.wait_for_timeout(50)
    assert page.inner_text(".detail h2") == "Layer 0, neuron 5"
    page.locator(".cell").nth(5).click()
    page.locator(".cell").nth(90).hover()
    page.wait_for_selector(".detail h2:has-text('Layer 0, neuron 90')")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_signal_and_error_move_unless_the_system_asks_for_calm(visit: Visit, motion: str) -> None:
    page = visit(f"draw&label=5&{in_address(DIGITS[3])}", reduced_motion=motion)
    expected = motion == "no-preference"
    page.evaluate(WATCH)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Undo").first.click()
    page.wait_for_timeout(600)
    assert (page.evaluate("window.most") > 20) == expected
    page.get_by_role("tab", name="Backprop").click()
    page.get_by_role("button", name="BP2: The errors of layer 1").click()
    page.wait_for_timeout(700)
    page.evaluate("window.most = 0")
    page.get_by_role("button", name="BP2: The errors of layer 0").click()
    page.wait_for_timeout(200)
    assert (page.evaluate("window.most") > 5) == expected
    assert page.locator(".edges .wire").count() > 20


def test_the_cells_show_pythons_errors_and_a_click_opens_one(visit: Visit, pretrained: Model) -> None:
    page = visit(f"backprop&label=5&{in_address(DIGITS[3])}", viewport={"width": 1280, "height": 640})
    page.get_by_role("button", name="BP2: The errors of layer 1").click()
    network = pretrained.network.astype(np.float64)
    ws = network.workspace(1)
    forward(network, image_of(3) / 255.0, ws)
    backward(network, np.array([5]), ws, network.parameters.zeros_like())
    errors = ws.delta[1][0]
    page.wait_for_selector(".cell[data-layer='2'][data-sign='above']")
    signs = page.eval_on_selector_all(".cell[data-layer='2']", "all => all.map((each) => each.dataset.sign)")
    assert signs == [{-1: "below", 0: "zero", 1: "above"}[int(np.sign(each))] for each in errors]
    largest = int(np.abs(errors).argmax())
    page.locator(".cell[data-layer='2']").nth(largest).click()
    value = page.locator(".bp-sum h3").inner_text().rpartition("=")[2].strip().replace("−", "-")
    assert float(value) == pytest.approx(errors[largest], rel=1e-5)
    for selector in (".bp-top .primary", ".bp-equation", ".bp-sum h3"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 640, selector


def test_backprop_begins_where_gradients_can_be_seen(visit: Visit) -> None:
    """An empty pad with the small network, a drawing without a label with a wrong one; steps then teach it."""
    page = visit("backprop")
    page.wait_for_selector("#about:has-text('2 – 3 – 2')")
    page.get_by_role("tab", name="Draw").click()
    page.wait_for_selector("#about:has-text('784')")
    page.goto(page.url.partition("#")[0] + f"#draw&{in_address(DIGITS[3])}")
    page.wait_for_selector("#stage .digit:has-text('3')")
    page.get_by_role("tab", name="Backprop").click()
    page.wait_for_selector("#backprop > p:has-text('The network says 3. If')")
    page.get_by_label("it is a").select_option("5")
    page.get_by_role("button", name="update: The update of layer 0").click()
    for _ in range(8):
        page.get_by_role("button", name="Take this step").click()
        page.wait_for_timeout(50)
    page.wait_for_selector("#stage .digit:has-text('5')")
    page.get_by_role("button", name="Undo changes").click()
    page.wait_for_selector("#stage .digit:has-text('3')")
