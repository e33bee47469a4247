"""What one builds in the page learns: worlds of two numbers, a person's own points, the recipe, two runs compared."""

import csv
import gzip
import io
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np
import pytest

from deltarule.cli.options import TrainOptions
from deltarule.cli.resolve import load_data
from deltarule.data.catalog import load
from deltarule.recipes.build import build
from deltarule.recipes.schema import parse
from deltarule.training.evaluation import evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
DONE = "#train .verdict:has-text('scores')"
PLANE = "() => document.querySelector('#stage .plane').toDataURL()"


def choose(page: "Page", **fields: str) -> None:
    """Fill in fields by their ids, those under More as well."""
    page.evaluate("document.querySelectorAll('#train details').forEach((each) => (each.open = true))")
    for name, value in fields.items():
        field = page.locator(f"#train-{name}")
        if field.evaluate("(each) => each.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.blur()


def train(page: "Page") -> float:
    """Let what was chosen learn to its end; its accuracy in percent."""
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(DONE)
    return float(page.inner_text("#train .verdict").partition("scores ")[2].partition(" %")[0])


def test_a_world_is_learned_and_its_picture_moves(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    choose(page, data="moons", hidden="8, 8", rate="0.03", epochs="20")
    page.wait_for_selector("#stage .plane[aria-label^='400 points, 300 of them for training']")
    before = page.evaluate(PLANE)
    assert train(page) >= 90
    assert page.evaluate(PLANE) != before
    assert page.inner_text("#about") == "2 – 8 – 8 – 2"
    page.wait_for_function("() => document.querySelectorAll('#stage .cell canvas').length === 16")
    page.locator("#stage .cell").nth(3).hover()
    page.wait_for_selector("#stage .world:has-text('Layer 0, neuron 3: blue means high')")


def test_two_runs_are_compared_and_their_difference_is_named(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    choose(
        page,
        data="moons",
        activation="sigmoid",
        loss="quadratic",
        optimizer="momentum",
        batch="30",
        penalty="l2",
        seed="7",
        epochs="10",
    )
    page.wait_for_selector("#train .layers:has-text('8 sigmoid')")
    train(page)
    choose(page, rate="0.3")
    train(page)
    assert "Gray: the previous run, rate 0.01 instead of 0.3." in page.inner_text("#train .watch")
    assert "before from" in (page.locator("#train .chart").nth(0).get_attribute("aria-label") or "")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_selector("#train .status:has-text('before the first step')")


def test_the_recipe_learns_the_same_in_python(visit: Visit, untaught: str, tmp_path: "Path") -> None:
    page = visit("train", at=untaught)
    choose(page, data="circles", penalty="l2", rate="0.03", epochs="40")
    accuracy = train(page)
    recipe = parse(page.inner_text("#train pre"), "recipe.toml")
    link = page.get_by_role("link", name="Save the points as CSV")
    assert link.get_attribute("download") == recipe.data.name == "circles.csv"
    text = unquote((link.get_attribute("href") or "").partition(",")[2])
    assert len(list(csv.reader(io.StringIO(text)))) == 401
    (tmp_path / "circles.csv").write_text(text, encoding="utf-8")
    splits = load_data(str(tmp_path / "circles.csv"), TrainOptions(target="blue"))
    job = build(recipe, splits, seed=0, holdout=0)
    job.trainer.fit(job.train)
    assert abs(100 * evaluate(job.model, job.train).score - accuracy) < 5


def test_a_person_puts_points_by_mouse_and_by_keyboard(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    page.get_by_label("Data").select_option("points")
    assert "put at least one point of each color: got 0 orange and 0 blue" in page.inner_text("#train .verdict")
    page.get_by_role("button", name="Start").click()
    assert "put at least one point" in page.inner_text("#train .verdict")
    page.locator("#stage .plane").scroll_into_view_if_needed()
    box = page.locator("#stage .plane").bounding_box()
    assert box
    for x, y, color in ((0.2, 0.2, "blue"), (0.8, 0.8, "blue"), (0.2, 0.8, "orange")):
        page.get_by_role("button", name=color, exact=True).click()
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.wait_for_selector("#train .status:has-text('before the first step')")
    page.locator("#stage .plane").focus()
    for key in ["ArrowRight"] * 3 + ["Space", "Space", "Backspace"]:
        page.keyboard.press(key)
    page.wait_for_selector("#stage .plane[aria-label^='4 points']")
    page.get_by_label("Epochs").fill("50")
    assert train(page) == 100
    assert "on its training examples" in page.inner_text("#train .verdict")
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.wait_for_selector("#stage .digit:has-text('blue')")


def test_looking_at_points_changes_neither_them_nor_the_network(visit: Visit, untaught: str) -> None:
    page = visit("train&data=moons", at=untaught)
    assert train(page) > 90
    weights = page.locator("#train .layers").inner_text()
    for tab in ("Train", "Inputs"):
        page.get_by_role("tab", name=tab).click()
        plane = page.locator("#stage .plane")
        for x, y, answer in ((0.45, 0.25, "orange"), (0.55, 0.7, "blue")):  # within the upper moon, and the lower one
            box = plane.bounding_box()
            assert box
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_selector(f"#stage .digit:has-text('{answer}')")
        plane.focus()
        for key in ("Space", "Backspace"):
            page.keyboard.press(key)
        assert (plane.get_attribute("aria-label") or "").startswith("400 points, 300 of them for training")
    page.get_by_role("tab", name="Train").click()
    assert page.locator("#train .layers").inner_text() == weights
    blue = page.get_by_role("button", name="blue", exact=True)
    for n_points in (401, 402):
        blue.click()
        page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_selector(f"#stage .plane[aria-label^='{n_points} points']")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rate": "1e9"}, "the learning rate 1000000000 is too high, try 100000000"),
        ({"rate": "1e9", "loss": "quadratic", "epochs": "2"}, "The learning rate 1000000000 may be too high"),
    ],
)
def test_a_rate_that_is_too_high_is_named(visit: Visit, untaught: str, fields: dict[str, str], says: str) -> None:
    page = visit("train", at=untaught)
    choose(page, data="moons", **fields)
    train(page)
    assert says in page.inner_text("#train .verdict")


def test_what_cannot_be_built_is_refused_at_its_field(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    choose(page, data="moons")
    for hidden, says in (("2000, 0", "match"), ("5000, 5000", "At most 20 million parameters: these layers have 25,")):
        choose(page, hidden=hidden)
        page.get_by_role("button", name="Start").click()
        assert says in page.locator("#train-hidden").evaluate("(each) => each.validationMessage")
    choose(page, hidden="3000, 1")
    page.wait_for_selector("#train .layers:has-text('3000 tanh')")
    page.get_by_role("button", name="Step").click()
    page.wait_for_selector("#train .status:has-text('step 1 of')")


def idx(images: np.ndarray) -> bytes:
    """An IDX file of images, (n, 784) of uint8, or of labels, (n,)."""
    count = struct.pack(">I", len(images))
    is_images = images.ndim == 2
    head = b"\0\0\x08\x03" + count + struct.pack(">II", 28, 28) if is_images else b"\0\0\x08\x01" + count
    return head + images.astype(np.uint8).tobytes()


def test_files_of_digits_are_dropped_learned_and_refused(visit: Visit, untaught: str) -> None:
    splits = load("digits")
    page = visit("train&data=mnist&hidden=16&epochs=2&batch=32&schedule=constant&rate=0.003", at=untaught)
    page.wait_for_selector("#train .verdict:has-text('Nothing can learn yet: choose MNIST')")
    files = page.get_by_label("MNIST's files")
    few = gzip.compress(idx(splits.train.inputs[:50]))
    for content, says in (
        ([("a.png", b"\x89PNG")], "a.png is not an IDX file: it begins with 137 80 78 71"),
        ([("empty", b"")], "empty is not an IDX file: it begins with nothing"),
        ([("cut", idx(splits.train.inputs)[:-1])], "cut is cut off: 1,437 examples take"),
        ([("images", few), ("labels", idx(splits.train.targets))], "drop images and labels together"),
    ):
        files.set_input_files([{"name": name, "mimeType": "", "buffer": each} for name, each in content])
        page.wait_for_selector(f"#train .verdict:has-text('{says}')")
    good = {"train-images.gz": gzip.compress(idx(splits.train.inputs)), "train-labels": idx(splits.train.targets)}
    if splits.test is not None:
        good |= {"t10k-images": idx(splits.test.inputs), "t10k-labels.gz": gzip.compress(idx(splits.test.targets))}
    files.set_input_files([{"name": name, "mimeType": "", "buffer": each} for name, each in good.items()])
    page.wait_for_selector("#train .status:has-text('before the first step')")
    assert page.locator("#train-hidden").input_value() == "128"
    assert page.inner_text("#about") == "784 – 128 – 10"
    assert train(page) >= 85
    assert "on 360 test examples" in page.inner_text("#train .verdict")


def test_axe_finds_nothing_serious_and_a_phone_needs_no_scrolling_sideways(visit: Visit, untaught: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    page = visit("train", at=untaught, viewport={"width": 360, "height": 780})
    choose(page, data="xor", penalty="l1", epochs="20")
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    violations = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
