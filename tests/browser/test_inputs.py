"""Networks that read no drawing, in exported pages: what they are given, and how what they answer is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.columns import Column
from deltarule.data.dataset import Dataset

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
TOWNS = ("Bern", "Oslo", "Rome")
BARS = "#stage .bars .bar"


@pytest.fixture
def opened(visit: Visit, tmp_path: Path) -> Callable[..., "Page"]:
    """Opens the exported page of a network."""

    def open_page(*shown: Any, tab: str = "draw", **options: Any) -> "Page":
        dr.show(*shown).save(tmp_path / "page.html", force=True)
        return visit(tab, at=(tmp_path / "page.html").as_uri(), **options)

    return open_page


def widths(page: "Page") -> list[float]:
    """How much of its track each bar fills."""
    page.evaluate("async (n) => { while (n--) await new Promise(requestAnimationFrame); }", 3)
    return page.eval_on_selector_all(
        BARS, "all => all.map((each) => each.getBoundingClientRect().width / each.parentElement.clientWidth)"
    )


def table() -> tuple[dr.Model, Dataset]:
    """A model that has seen a size and a town, and its rows."""
    rng = np.random.default_rng(0)
    inputs = np.column_stack([rng.normal(70.0, 9.0, 60), rng.integers(3, size=60)])
    data = Dataset(inputs, (inputs[:, 1] == 2).astype(int), columns=(Column("size"), Column("town", TOWNS)))
    model = dr.Model.suited(dr.Network((4, 6, 2), rng=1), data)
    return model, data


def test_each_sigmoid_stands_on_0_to_1_and_the_page_says_so(opened: Callable[..., "Page"]) -> None:
    network = dr.Network((3, 4), output="sigmoid", loss="quadratic", rng=0)
    network.biases[0][:] = [-1.2, 0.0, 2.0, -3.0]
    page = opened(network)
    outputs = 1.0 / (1.0 + np.exp(-network.biases[0]))
    np.testing.assert_allclose(widths(page), outputs, atol=0.02)
    assert "they need not add up to 1" in page.inner_text("#stage .answers")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_value_stands_on_an_axis_of_its_own(opened: Callable[..., "Page"]) -> None:
    network = dr.Network((1, 1), output="identity", loss="quadratic", rng=0)
    network.weights[0][:] = 1.0
    page = opened(network)
    field = page.get_by_label("input 0").first
    seen = []
    for value in ("8", "2", "-4"):
        field.fill(value)
        seen.append(widths(page)[0])
    low, high = (
        float(each.replace("\N{MINUS SIGN}", "-")) for each in page.locator("#stage .axis span").all_inner_texts()
    )
    assert low <= -4 < 8 <= high
    assert seen[2] == pytest.approx(4 / (high - low), abs=0.02)
    assert seen[0] > 3 * seen[1] > 0  # a fourth of 8, on the axis that 8 made
    assert "need not" not in page.inner_text("#stage .answers")


def test_no_share_below_1_is_called_100_percent(opened: Callable[..., "Page"]) -> None:
    network = dr.Network((1, 2), rng=0)
    network.weights[0][:] = [[1.0, 0.0]]
    page = opened(network)
    said = []
    for value in ("5", "7.7", "9", "12", "800"):
        page.get_by_label("input 0").first.fill(value)
        widths(page)
        said.append(page.inner_text("#stage .bars .value >> nth=0"))
    assert said == ["99.3 %", "99.95 %", "99.99 %", "> 99.99 %", "100.0 %"]


def test_a_column_of_categories_is_one_choice_and_starts_at_an_example(opened: Callable[..., "Page"]) -> None:
    model, data = table()
    page = opened(model, data)
    assert page.locator("#stage .fields label").count() == 2
    town = page.get_by_label("town").first
    assert town.evaluate("each => each.tagName") == "SELECT"
    assert town.locator("option").all_inner_texts() == list(TOWNS)
    page.wait_for_selector("#stage .headline:has-text('the data say')")
    size = float(page.get_by_label("size").first.input_value())
    row = data.inputs[np.abs(data.inputs[:, 0] - size).argmin()]
    assert row[0] == pytest.approx(size, rel=1e-5)
    assert TOWNS[int(row[1])] == town.input_value()
    town.select_option("Rome")
    widths(page)
    expected = model.probabilities(np.array([[size, 2.0]]))[0]
    said = [float(each.strip("> %")) for each in page.locator("#stage .bars .value").all_inner_texts()]
    np.testing.assert_allclose(said, 100 * expected, atol=0.06)
    page.get_by_role("tab", name="Mistakes").click()
    page.locator(".matrix button:is(.right, .wrong)").first.click()
    page.wait_for_selector(".gallery li")
    words = page.inner_text("#mistakes")
    assert "pixel" not in words
    assert "image" not in words


def test_a_table_without_examples_starts_in_one_of_its_towns(opened: Callable[..., "Page"]) -> None:
    page = opened(table()[0])
    assert page.get_by_label("town").first.input_value() == "Bern"
    assert abs(float(page.get_by_label("size").first.input_value()) - 70) < 5


def test_small_images_are_a_picture_to_paint_on(opened: Callable[..., "Page"]) -> None:
    network = dr.Network((64, 3), rng=0)
    network.image_shape = (8, 8)
    page = opened(network)
    assert page.locator("#stage .input input[type=number]").count() == 0
    canvas = page.locator("#stage .paintable")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.05 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.95 * box["height"], steps=24)
    page.mouse.up()
    image = np.zeros((8, 8))
    image[:, 3] = 1.0
    check_answer(page, network, image)
    canvas.focus()
    for key in ("ArrowUp", "ArrowRight", "Space"):
        page.keyboard.press(key)
    image[6, 4] = 1.0
    check_answer(page, network, image)
    page.keyboard.press("Space")
    image[6, 4] = 0.0
    check_answer(page, network, image)


def check_answer(page: "Page", network: dr.Network, image: np.ndarray) -> None:
    widths(page)
    expected = dr.Model(network, "classes", image_shape=(8, 8)).probabilities(image.reshape(1, 64))[0]
    said = [float(each.strip("> %")) for each in page.locator("#stage .bars .value").all_inner_texts()]
    np.testing.assert_allclose(said, 100 * expected, atol=0.06)


def test_examples_with_values_come_into_the_page(opened: Callable[..., "Page"]) -> None:
    network = dr.Network((2, 3, 1), output="identity", loss="quadratic", task="values", rng=0)
    data = Dataset(np.array([[0.25, 0.75], [0.25, 0.75]], np.float32), np.array([[0.5], [0.5]]), "values")
    page = opened(network, data)
    page.wait_for_selector("#stage .headline:has-text('The data say 0.5')")
    assert page.get_by_label("input 1").first.input_value() == "0.75"
    page.get_by_label("input 0").first.fill("1")
    page.get_by_role("button", name="Random example").click()
    page.wait_for_function("() => document.querySelector('#stage .fields input').value === '0.25'")
    assert page.locator("#tab-mistakes").is_hidden()


def test_a_network_that_comes_back_to_the_stage_is_painted_once(opened: Callable[..., "Page"]) -> None:
    """With another number of outputs than the practice networks, and with what was given to it."""
    network = dr.Network((2, 3, 3), output="identity", loss="quadratic", task="values", rng=0)
    page = opened(network)
    page.locator("#stage").get_by_label("input 0").fill("0.5")
    before = widths(page)
    for _ in range(3):
        page.get_by_role("tab", name="Backprop").click()
        page.get_by_role("button", name="1 – 1 – 1 – 1").click()
        page.wait_for_selector("#about:has-text('1 – 1 – 1 – 1')")
        assert len(widths(page)) == 1
        page.get_by_role("tab", name="Inputs").click()
        page.wait_for_selector("#about:has-text('2 – 3 – 3')")
    np.testing.assert_allclose(widths(page), before)
    assert page.locator("#stage").get_by_label("input 0").input_value() == "0.5"
    assert page.locator(".diagram").count() == 1
