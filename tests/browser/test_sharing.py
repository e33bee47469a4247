"""A link holds what the page shows, without a token, and brings it back; a lesson link hides what it should."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from handwriting import DIGITS, in_address

import deltarule as dr

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
LEARNS = "The network of this link is learning again"
POINTS = "() => document.querySelector('#stage .plane').toDataURL()"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> "Path":
    """A page with a network that has learned nothing."""
    path = tmp_path_factory.mktemp("page") / "shared.html"
    network = dr.Network((784, 12, 10), rng=2)
    network.image_shape, network.pixels = (28, 28), True
    dr.show(network).save(path)
    return path


def shared(page: "Page", *hides: str) -> str:
    """The link that Share shows, where these are to be hidden; without what stands before the "#"."""
    page.get_by_role("button", name="Share").click()
    for each in hides:
        page.locator(f"dialog input[name={each}]").check()
    link = page.get_by_label("It holds drawing, network, settings and step").input_value()
    page.get_by_role("button", name="Close").click()
    return link.partition("#")[2]


def test_a_link_brings_back_network_world_and_step(visit: Visit, file: "Path") -> None:
    address = file.as_uri()
    page = visit("train&data=moons&hidden=6-5&rate=0.03&seed=4&noise=0.2&epochs=20&step=37", at=address)
    page.wait_for_selector("#train .status:has-text('step 37 of 380')")
    box = page.locator("#stage .plane").bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_for_timeout(100)
    picture, answers, link = page.evaluate(POINTS), page.inner_text("#stage .answers"), shared(page)
    assert link == "train&data=moons&hidden=6-5&rate=0.03&epochs=20&seed=4&noise=0.2&at=52.52&step=37&v=1"
    other = visit(link, at=address)
    assert LEARNS in other.inner_text("#stage .answers") or "step 37 of 380" in other.inner_text("#train .status")
    other.wait_for_selector("#train .status:has-text('step 37 of 380')")
    other.wait_for_function(f"(picture) => ({POINTS})() === picture", arg=picture)
    assert other.inner_text("#stage .answers") == answers
    assert other.get_by_label("Hidden layers").input_value() == "6, 5"


def test_a_link_holds_a_persons_points_and_drawing(visit: Visit, file: "Path") -> None:
    page = visit(f"train&{in_address(DIGITS[3])}&data=points", at=file.as_uri())
    box = page.locator("#stage .plane").bounding_box()
    assert box
    for place, color in ((0.3, "blue"), (0.6, "orange")):
        page.get_by_role("button", name=color, exact=True).click()
        page.mouse.click(box["x"] + place * box["width"], box["y"] + place * box["height"])
    link = shared(page)
    assert re.search(r"data=points&points=-?\d+\.-?\d+\.1_-?\d+\.-?\d+\.0&at=26\.-26&v=1$", link)
    other = visit(link, at=file.as_uri())
    other.wait_for_selector("#stage .plane[aria-label^='2 points']")


def test_a_lesson_link_hides_what_it_should_and_so_does_the_next(visit: Visit, file: "Path") -> None:
    page = visit("train&data=xor", at=file.as_uri())
    link = shared(page, "backprop", "settings", "answers")
    assert "hide=backprop-settings-answers" in link
    other = visit(link, at=file.as_uri())
    assert not other.get_by_role("tab", name="Backprop").is_visible()
    assert other.get_by_role("tab", name="Draw").or_(other.get_by_role("tab", name="Inputs")).is_visible()
    assert not other.get_by_label("Hidden layers").is_visible()
    assert not other.locator("#stage .answers").is_visible()
    assert other.locator("#stage .plane").is_visible()
    other.reload()
    other.wait_for_selector("#stage .plane")
    assert not other.get_by_role("tab", name="Backprop").is_visible()


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("train&data=moons&v=2&teleport=3", "A newer deltarule made this link"),
        ("train&data=constructor&hidden=x&rate=-3&seed=zz&points=q&step=-1e9", ""),
        ("train&data=spirals&hidden=99999&activation=magic&batch=0&step=0x10", ""),
    ],
)
def test_what_a_link_says_wrongly_is_left_out(visit: Visit, file: "Path", link: str, says: str) -> None:
    page = visit(link, at=file.as_uri())
    page.wait_for_selector("#train .status:has-text('step')")
    assert page.inner_text("#failure") == "" if not says else says in page.inner_text("#failure")
    assert page.locator("#train-activation").input_value() in ("tanh", "relu")


def test_a_served_page_gives_a_link_without_its_token(visit: Visit, address: str) -> None:
    page = visit(f"draw&{in_address(DIGITS[5])}", at=address)
    denied = "{ value: { writeText: () => Promise.reject(new Error('denied')) } }"
    page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {denied})")
    page.get_by_role("button", name="Share").click()
    link = page.get_by_label("It holds drawing, network, settings and step").input_value()
    assert "token" not in link
    assert "strokes=" in link
    page.get_by_role("button", name="Copy").click()
    page.wait_for_selector("dialog [role=status]:has-text('select the text')")
