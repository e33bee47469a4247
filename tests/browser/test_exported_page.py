"""The exported page, opened from disk: it reads as Python does, and its Backprop tab shows Python's numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from handwriting import DIGITS, in_address
from strokes import ink_strokes

import deltarule as dr
from deltarule.nn.arrays import Array
from deltarule.nn.network import backward, forward, loss_value

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
TRAIN = dr.load_data("digits").train
RATE = 0.5


@pytest.fixture(scope="module")
def model() -> dr.Model:
    """A network that has learned a little."""
    network = dr.Network((784, 12, 10), rng=2)
    dr.fit(network, TRAIN.inputs, TRAIN.targets, epochs=2, engine="numpy")
    return dr.Model(network, "classes", image_shape=(28, 28))


@pytest.fixture(scope="module")
def address(model: dr.Model, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the page on disk, with a few examples."""
    path = tmp_path_factory.mktemp("page") / "digits.html"
    dr.show(model, TRAIN.take(slice(40))).save(path)
    return path.as_uri()


def opened_example(page: "Page", label: int) -> int:
    """Open an example of a class in Backprop by way of Mistakes; the index of the example."""
    page.get_by_role("tab", name="Mistakes").click()
    page.locator(f".matrix tbody tr:nth-child({label + 1}) button:is(.right, .wrong)").first.click()
    shown = page.locator("button.shown").first
    index = int((shown.get_attribute("aria-label") or "").partition("example ")[2].partition(",")[0])
    shown.click()
    page.wait_for_selector(".bp-sum h3")
    return index


def picked(page: "Page") -> tuple[str, int, float]:
    """The number that the panel explains: its quantity, its index in it, its value."""
    panel = page.locator(".bp-sum")
    value = panel.locator("h3").inner_text().rpartition("=")[2].strip().replace("−", "-")
    return str(panel.get_attribute("data-quantity")), int(str(panel.get_attribute("data-index"))), float(value)


def computed(model: dr.Model, raw: Array, label: int) -> dict[str, Array]:
    """What the library makes of an example, by the page's names of quantities: layers counted from 1."""
    network, y = model.network.astype(np.float64), np.array([label])
    ws, grads = network.workspace(1), network.parameters.zeros_like()
    forward(network, raw[None], ws)
    backward(network, y, ws, grads)
    found = {"C0": np.array([loss_value(network, y, ws)]), "gx0": ws.delta[0] @ network.weights[0].T}
    for l, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        found |= {f"z{l + 1}": ws.z[l], f"a{l + 1}": ws.a[l], f"d{l + 1}": ws.delta[l]}
        found |= {f"gW{l + 1}": grads.weights[l], f"gb{l + 1}": grads.biases[l]}
        found |= {f"nW{l + 1}": W - RATE * grads.weights[l], f"nb{l + 1}": b - RATE * grads.biases[l]}
    return {name: np.ravel(values) for name, values in found.items()}


def test_its_probabilities_are_pythons(visit: Visit, address: str, model: dr.Model) -> None:
    page = visit(at=address)
    for label in (0, 9):
        index = opened_example(page, label)
        page.get_by_role("button", name="forward: Forward through layer 1").click()
        expected = model.probabilities(TRAIN.inputs[index][None].reshape(1, -1))[0]
        for j, probability in enumerate(expected):
            page.locator("#backprop .bp-made").last.locator("button").nth(j).click()
            assert picked(page) == ("a2", j, pytest.approx(probability, abs=1e-5))


def test_the_steppers_numbers_are_pythons(visit: Visit, address: str, model: dr.Model) -> None:
    page = visit(at=address)
    index = opened_example(page, 5)
    expected = computed(model, TRAIN.inputs[index].ravel(), 5)
    seen = set()
    page.locator("#backprop .bp-steps button[tabindex='0']").focus()
    while True:
        name, place, value = picked(page)
        assert value == pytest.approx(expected[name][place], rel=1e-5, abs=1e-12)
        seen.add(name)
        if page.get_by_role("button", name="Next →").is_disabled():
            break
        page.keyboard.press("ArrowRight")
    assert seen == {"z1", "z2", "C0", "d2", "gb2", "gW2", "d1", "gb1", "gW1", "gx0", "nW1", "nW2"}


def test_every_number_is_checked_and_the_result_said(visit: Visit, address: str) -> None:
    page = visit(at=address)
    opened_example(page, 3)
    page.get_by_role("button", name="Check every number").click()
    result = page.locator("#backprop .bp-result")
    page.wait_for_function("() => /^[✓✗]/.test(document.querySelector('.bp-result').textContent)")
    assert result.inner_text().startswith(f"✓ All {784 * 12 + 12 + 12 * 10 + 10:,} parameters agree")
    marks = page.locator("#backprop .bp-steps .bp-mark:not(:empty)").all_inner_texts()
    assert len(marks) == 9  # all steps but the loss and the updates
    assert set(marks) == {"✓"}


def test_keys_alone_pick_a_number(visit: Visit, address: str) -> None:
    page = visit(at=address)
    opened_example(page, 2)
    page.get_by_role("button", name="BP4: The gradient by the weights of layer 0").focus()
    page.keyboard.press("Enter")
    before = picked(page)
    page.locator("#backprop .bp-made canvas").focus()
    page.keyboard.press("ArrowDown")
    name, place, _ = picked(page)
    assert (name, place) == ("gW1", before[1] + 28 * 12)


def test_a_practice_network_can_be_changed(visit: Visit, address: str) -> None:
    page = visit("backprop", at=address)
    page.get_by_role("button", name="1 – 1 – 1 – 1").click()
    page.locator("#backprop .bp-block").nth(1).get_by_role("button", name="= 0.6", exact=False).click()
    assert picked(page) == ("W1", 0, 0.6)
    page.get_by_label("Change it").fill("2")
    page.get_by_label("Change it").press("Enter")
    page.wait_for_function("() => document.querySelector('.bp-sum h3').textContent.endsWith('= 2')")
    assert picked(page) == ("W1", 0, 2.0)
    page.locator("#backprop .bp-made").first.locator("button").click()
    assert picked(page) == ("z1", 0, pytest.approx(2.2))


@pytest.mark.parametrize("digit", [2, 7])
def test_a_drawing_is_read_as_python_reads_it(visit: Visit, address: str, model: dr.Model, digit: int) -> None:
    page = visit(f"draw&{in_address(DIGITS[digit])}", at=address)
    image = ink_strokes(DIGITS[digit]).image
    assert image is not None
    answer = model.predict(image.reshape(1, -1))[0]
    page.wait_for_function(f"() => document.querySelector('#stage .digit').textContent === '{answer}'")
    page.get_by_role("tab", name="Backprop").click()
    page.get_by_role("button", name="forward: Forward through layer 1").click()
    page.locator("#backprop .bp-made").last.locator("button").nth(answer).click()
    expected = model.probabilities(image.reshape(1, -1))[0, answer]
    assert picked(page) == ("a2", answer, pytest.approx(expected, abs=1e-5))


def test_a_network_without_images_has_fields(visit: Visit, tmp_path: Path) -> None:
    network = dr.Network((2, 4, 1), hidden=dr.Tanh(), output=dr.Identity(), loss=dr.Quadratic(), rng=3)
    scaling = dr.Standardization(np.array([10.0, 0.0]), np.array([2.0, 1.0]))
    model = dr.Model(
        network, "values", ("sum",), input_scaling=scaling, columns=(dr.Column("first"), dr.Column("second"))
    )
    dr.show(model).save(tmp_path / "sum.html")
    page = visit(at=(tmp_path / "sum.html").as_uri())
    page.locator("#stage").get_by_label("first").fill("12")
    page.locator("#stage").get_by_label("second").fill("0.5")
    page.get_by_role("tab", name="Backprop").click()
    page.get_by_role("button", name="forward: Forward through layer 1").click()
    expected = model.predict(np.array([[12.0, 0.5]]))[0, 0]
    page.locator("#backprop .bp-made").last.locator("button").click()
    assert picked(page) == ("a2", 0, pytest.approx(expected, abs=1e-5))


def test_the_tour_shows_all_by_keys_alone_and_hands_over_the_pen(visit: Visit, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    page = visit(at=address, reduced_motion="reduce")
    shows = {
        1: ".film li:nth-child(4)",
        2: "#stage .bars .most",
        3: ".detail h2:has-text('Layer 0, neuron')",
        4: ".cell.silent",
        5: "#backprop .bp-steps [aria-label^='BP1:'][aria-current]",
        6: "#backprop .bp-steps [aria-label^='BP2:'][aria-current]",
        7: "#stage .headline:has-text('✓')",
        8: "#stage .headline:has-text('Draw a digit')",
    }
    page.get_by_role("button", name="Tour").press("Enter")
    for step, selector in shows.items():
        page.wait_for_selector(f".tour:has-text('{step} of 8')")
        page.wait_for_selector(selector)
        page.wait_for_selector(".toured")
        if step in (3, 6):
            found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
            assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        assert page.evaluate("document.activeElement.matches('.tour p, .tour .primary')")
        page.locator(".tour .primary").press("Enter")
    assert not page.locator(".tour").is_visible()
    assert page.evaluate("document.activeElement.matches('.pad')")
    assert not page.locator(".changed").is_visible()


def test_a_tour_that_is_skipped_leaves_everything_as_it_was(visit: Visit, address: str) -> None:
    page = visit(f"draw&{in_address(DIGITS[7])}", at=address, reduced_motion="reduce")
    page.wait_for_selector("#stage .bars .most")
    before = page.inner_text("#stage .answers")
    page.get_by_role("button", name="Tour").click()
    for _ in range(3):
        page.locator(".tour .primary").click()
    page.wait_for_selector(".cell.silent")
    page.keyboard.press("Escape")
    page.wait_for_function("(wanted) => document.querySelector('#stage .answers').innerText === wanted", arg=before)
    assert page.locator(".cell.silent").count() == 0


@pytest.fixture
def framed(visit: Visit, model: dr.Model, tmp_path: Path) -> Any:
    """The frame that a notebook shows."""
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><title>A notebook</title><main>{dr.show(model)._repr_html_()}</main>", encoding="utf-8"
    )
    return visit(at=path.as_uri()).frame_locator("iframe")


def test_a_notebook_shows_it(framed: Any) -> None:
    framed.get_by_role("tab", name="Backprop").click()
    framed.locator(".bp-sum h3").wait_for()


def test_a_network_of_flat_rows_gets_its_pad_by_the_lines_shown(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = dr.Network((784, 12, 10), rng=2)
    dr.fit(network, TRAIN.inputs, TRAIN.targets, epochs=1, engine="numpy")
    dr.save(network, "model.safetensors")
    dr.show(network).save("flat.html")
    page = visit("draw", at=(tmp_path / "flat.html").as_uri())
    lines = page.locator("#stage pre").inner_text()
    assert page.locator("#stage canvas.pad").count() == 0
    exec(lines, {"dr": dr})
    dr.show(dr.load("images.safetensors")).save("images.html")
    page = visit("draw", at=(tmp_path / "images.html").as_uri())
    assert page.locator("#stage canvas.pad").count() == 1
