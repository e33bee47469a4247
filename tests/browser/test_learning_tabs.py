"""Backprop, Train and Mistakes in a real browser: their numbers are Python's, and a run obeys its buttons."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from handwriting import DIGITS, in_address
from strokes import ink_strokes

from deltarule.model import Model
from deltarule.nn.network import backward, forward

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
COMPILATION = 600_000  # milliseconds that the kernels may take before the first step, where the processor is shared
LABEL = 5  # of the drawing of a 3: what the network gets wrong, it learns from

Numbers = dict[str, np.ndarray]
PICKED = """() => {
    const title = document.querySelector(".bp-sum h3").cloneNode(true);
    title.querySelectorAll("sup").forEach((each) => each.replaceWith(`^${each.textContent}`));
    title.querySelectorAll("sub").forEach((each) => each.replaceWith(`_${each.textContent}`));
    return title.textContent;
}"""


@pytest.fixture(scope="module")
def numbers(pretrained: Model) -> Numbers:
    """Every quantity of Backprop for a drawn 3 that is taken for a 5, in float64, by its name on the page."""
    image = ink_strokes(DIGITS[3]).image
    assert image is not None
    network = pretrained.network.astype(np.float64)
    x = image.reshape(1, -1) / 255.0
    y, ws, grads = np.array([LABEL]), network.workspace(1), network.parameters.zeros_like()
    forward(network, x, ws)
    loss = network.loss.value(ws.a[-1], y)
    backward(network, y, ws, grads)
    found = {"x": x, "C": np.array([loss]), "∂C/∂x": ws.delta[0] @ network.weights[0].T}
    for l in range(len(ws.z)):
        found |= {f"z^{l}": ws.z[l], f"a^{l}": ws.a[l], f"δ^{l}": ws.delta[l]}
        found |= {f"∂C/∂b^{l}": grads.biases[l], f"∂C/∂w^{l}": grads.weights[l].T}
        found |= {f"new b^{l}": network.biases[l] - 0.5 * grads.biases[l]}
        found |= {f"new w^{l}": (network.weights[l] - 0.5 * grads.weights[l]).T}
    return {name: np.squeeze(values) for name, values in found.items()}


def steps(page: "Page") -> Iterator[tuple[str, float]]:
    """The number that each step shows, by its name: ("∂C/∂w^0_3,17", 0.25)."""
    while True:
        name, _, value = page.evaluate(PICKED).partition(" = ")
        yield name, float(value.replace("\N{MINUS SIGN}", "-"))
        following = page.get_by_role("button", name="Next")
        if following.is_disabled():
            return
        following.click()


def test_the_stepper_shows_the_numbers_of_python(visit: Visit, numbers: Numbers) -> None:
    page = visit(f"backprop&label={LABEL}&{in_address(DIGITS[3])}")
    page.wait_for_selector(".bp-sum h3")
    seen = set()
    for name, value in steps(page):
        symbol, _, place = name.partition("_")
        index = tuple(int(each) for each in place.split(",")) if place else ()
        assert value == pytest.approx(float(numbers[symbol][index]), rel=1e-5, abs=1e-12), name
        seen.add(symbol.partition("^")[0])
    assert seen >= {"C", "z", "δ", "∂C/∂b", "∂C/∂w", "∂C/∂x"}


def test_every_parameter_of_a_small_network_agrees_with_two_nudges(visit: Visit) -> None:
    page = visit("backprop")
    page.get_by_role("button", name="2 – 3 – 2").first.click()
    page.get_by_role("button", name="Check every number").click()
    page.wait_for_selector(".bp-result.bp-good")
    assert "All 17 parameters agree" in page.inner_text(".bp-result")


def test_training_runs_pauses_steps_and_every_tab_shows_its_network(visit: Visit) -> None:
    page = visit(f"train&{in_address(DIGITS[3])}")
    given = page.inner_text("#about")
    page.get_by_label("Recipe").select_option("nielsen-30")
    page.get_by_label("Data").select_option("digits")
    page.get_by_label("Epochs").fill("10000")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function(
        "() => /step [\\d,]+\\d\\d of/.test(document.querySelector('#train .status').textContent)", timeout=COMPILATION
    )
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("#train .status:has-text('Paused')")
    before = at_step(page)
    page.wait_for_timeout(300)
    assert at_step(page) == before
    page.get_by_role("button", name="Step").click()
    page.wait_for_function(
        "(n) => document.querySelector('#train .status').textContent.includes(`step ${n} of`)", arg=f"{before + 1:,}"
    )
    assert page.inner_text("#about") == "784 – 30 – 10"
    answers = "() => document.querySelector('#stage .bars').textContent"
    held = page.evaluate(answers)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector("#train .status:not(:has-text('Paused'))")
    page.get_by_role("tab", name="Draw").click()
    page.wait_for_function(f"(held) => ({answers})() !== held", arg=held)
    page.wait_for_function(f"(held) => ({answers})() !== held", arg=page.evaluate(answers))
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Back to the previous network").click()
    assert page.inner_text("#about") == given


def test_what_one_builds_learns_in_the_servers_page_too(visit: Visit) -> None:
    page = visit("train")
    given = page.inner_text("#about")
    page.get_by_role("button", name="Your own, in this page").click()
    for data, layers in (("digits", "784 – 32 – 10"), ("moons", "2 – 8 – 2")):
        page.get_by_label("Data").select_option(data)
        page.get_by_label("Epochs").fill("3")
        page.get_by_role("button", name="Start").click()
        page.wait_for_selector("#train .verdict:has-text('scores')")
        assert page.inner_text("#about") == layers
    page.get_by_role("tab", name="Mistakes").click()
    page.wait_for_selector("#mistakes :text('has no examples for it')")
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Recipes, in Python").click()
    page.get_by_role("button", name="Back to the previous network").click()
    assert page.inner_text("#about") == given
    page.get_by_role("tab", name="Mistakes").click()
    page.wait_for_selector("#mistakes :text('reads')")


def test_a_link_to_what_one_built_opens_in_the_servers_page(visit: Visit) -> None:
    page = visit("train&data=xor&hidden=4&step=8")
    page.wait_for_selector("#train .status:has-text('step 8')")
    assert page.inner_text("#about") == "2 – 4 – 2"
    page.get_by_role("button", name="Recipes, in Python").click()
    page.wait_for_selector("#train .verdict:has-text('One run at a time')")


def at_step(page: "Page") -> int:
    """The step at which Train says that it stands."""
    found = re.search(r"step ([\d,]+) of", page.inner_text("#train .status"))
    assert found is not None
    return int(found[1].replace(",", ""))


def test_a_run_that_never_began_leaves_room_for_another(visit: Visit) -> None:
    page = visit("train")
    page.get_by_label("Recipe").select_option("quick")
    page.get_by_label("Data").select_option("digits")
    page.get_by_label("Epochs").fill("1")
    buttons = "[...document.querySelectorAll('#train .lesson .row button')]"
    names = "['Start', 'Stop']"
    page.evaluate(f"() => {names}.forEach((name) => {buttons}.find((one) => one.textContent === name).click())")
    page.wait_for_selector("#train .verdict:has-text('Stopped before it began')")
    for impossible in ("0", "1.5", "10001"):
        page.get_by_label("Epochs").fill(impossible)
        page.get_by_role("button", name="Start").click()
        assert page.get_by_role("button", name="Stop").is_disabled()
    page.get_by_label("Epochs").fill("1")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .verdict:has-text('Done')")


def test_a_rate_that_breaks_training_stops_it_with_the_reason(visit: Visit) -> None:
    page = visit("train")
    page.get_by_label("Recipe").select_option("relu-32-16")
    page.get_by_label("Data").select_option("digits")
    page.get_by_label("Learning rate", exact=True).fill("1e8")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .verdict:has-text('Failed: ')")
    assert "the learning rate 1e+08 is too high" in page.inner_text("#train .verdict")


def test_the_layers_are_those_of_the_network_that_learns(visit: Visit) -> None:
    page = visit("train")
    for recipe, data, rows in (
        ("xor", "xor", ["8 Tanh", "1 Sigmoid"]),
        ("nielsen-30", "digits", ["30 Sigmoid", "10 Sigmoid"]),
    ):
        page.get_by_label("Recipe").select_option(recipe)
        page.get_by_label("Data").select_option(data)
        page.get_by_label("Epochs").fill("1")
        page.get_by_role("button", name="Start").click()
        page.wait_for_selector("#train .verdict:has-text('Done')", timeout=COMPILATION)
        page.wait_for_function("(n) => document.querySelector('.layers tbody td').textContent === n", arg=rows[0])
        assert page.locator(".layers tbody td:nth-child(2)").all_inner_texts() == rows


def test_a_run_that_learns_nothing_is_told_why(visit: Visit) -> None:
    page = visit("train")
    page.get_by_label("Recipe").select_option("sigmoid-16-16-as-written")
    page.get_by_label("Data").select_option("digits")
    page.get_by_label("Epochs").fill("3")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#train .verdict:has-text('It has learned nothing')", timeout=COMPILATION)
    verdict = page.inner_text("#train .verdict")
    assert "units of layer 0 are saturated" in verdict
    assert "Fix: keep pixels as uint8, or divide them by 255" in verdict


def test_a_mistake_leads_to_its_images_and_an_image_to_backprop(visit: Visit) -> None:
    page = visit("mistakes")
    page.locator(".matrix button.right").first.click()
    image = page.locator(".gallery button.shown").first
    said = re.search(r"a (\d) read as (\d)", image.get_attribute("aria-label") or "")
    assert said is not None
    image.click()
    assert page.inner_text("[role=tab][aria-selected=true]") == "Backprop"
    page.wait_for_selector(f"#backprop > p:has-text('The network says {said[2]}')")
    page.get_by_role("tab", name="Draw").click()
    page.wait_for_selector(f"#stage .headline:has-text('the data say {said[1]}')")
    assert page.inner_text("#stage .digit") == said[2]


def test_the_slider_changes_the_answer(visit: Visit) -> None:
    page = visit(f"mistakes&{in_address(DIGITS[3])}")
    slider = page.get_by_label("how far")
    page.wait_for_function("() => Number(document.querySelector('#mind-amount').max) > 0")
    first = page.inner_text("#mind-told")
    slider.focus()
    page.keyboard.press("End")
    assert page.inner_text("#mind-told") != first
