"""Worlds of one input: a curve, and cute dogs with the surface of their loss; and a learner's own network."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from test_worlds import choose

from deltarule.cli.options import TrainOptions
from deltarule.cli.resolve import load_data
from deltarule.learn.lessons.exercises import whole_solution
from deltarule.learn.lessons.milestones import attain_again
from deltarule.learn.lessons.worker import Worker
from deltarule.recipes.build import build
from deltarule.recipes.schema import parse
from deltarule.training.evaluation import evaluate

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
DONE = "#train .verdict:has-text('scores')"
PICTURE = "(name) => document.querySelector(`#stage .${name}`).toDataURL()"
# Whether the panel beside the stage, which is painted in the next frame, shows all of these numbers.
SHOWN = """(wanted) => {
    const fields = [...document.querySelectorAll("#stage .detail input")].filter((each) => each.offsetParent);
    const isThere = (number) => fields.some((each) => Math.abs(each.value - number) <= 1e-3 * Math.abs(number));
    return wanted.every(isThere);
}"""
LEARNED = re.compile(r"scores (?:R² )?([\d.]+)")


def train(page: "Page") -> float:
    """Let what was chosen learn to its end; its R², or its accuracy in percent."""
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(DONE)
    found = LEARNED.search(page.inner_text("#train .verdict"))
    assert found is not None
    return float(found[1])


def test_a_curve_is_learned_and_shown_in_every_cell(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    choose(page, data="curve")
    page.wait_for_selector("#stage .plane[aria-label^='400 points, 300 of them for training']")
    before = page.evaluate(PICTURE, "plane")
    assert 0.9 < train(page) < 1
    assert page.evaluate(PICTURE, "plane") != before
    assert page.inner_text("#about") == "1 – 8 – 1"
    assert (
        page.locator("#train .chart").nth(1).get_attribute("aria-label", timeout=1000).startswith("R²: training from")
    )  # type: ignore[union-attr]
    faces = page.evaluate("() => [...document.querySelectorAll('#stage .cell canvas')].map((each) => each.toDataURL())")
    assert len(set(faces)) == 8
    page.locator("#stage .cell").nth(3).hover()
    page.wait_for_selector("#stage .world:has-text('Layer 0, neuron 3: its activation over x')")
    choose(page, rate="0.03")
    train(page)
    assert "Gray: the previous run, rate 0.01 instead of 0.03." in page.inner_text("#train .watch")


def test_dogs_have_a_surface_and_training_a_path_on_it(visit: Visit, untaught: str) -> None:
    page = visit("train", at=untaught)
    choose(page, data="cute-dog")
    surface = page.locator("#stage .surface")
    page.wait_for_selector("#stage .surface[aria-label*='Points of its path: 1.']")
    before = page.evaluate(PICTURE, "surface")
    assert 85 < train(page) < 96
    page.wait_for_function("(before) => document.querySelector('#stage .surface').toDataURL() !== before", arg=before)
    found = re.search(r"w ([\d.]+) across, b .*: loss 0\.(\d+).*path: (\d+)", surface.get_attribute("aria-label") or "")
    assert found is not None
    assert 3 < float(found[1]) < 8
    assert int(found[3]) > 20
    assert f"training 0.{found[2]}" in page.locator("#train .legend").first.inner_text()
    assert page.inner_text("#about") == "1 – 1"
    page.get_by_role("button", name="Step").click()
    page.wait_for_selector("#stage .surface[aria-label*='Points of its path: 2.']")
    page.get_by_role("button", name="Reset").click()
    choose(page, hidden="4")
    page.wait_for_function("() => document.querySelectorAll('#stage .cell canvas').length === 4")
    assert surface.count() == 0


def test_own_points_of_a_curve_and_of_dogs_come_back(visit: Visit, untaught: str) -> None:
    for data in ("curve", "cute-dog"):
        page = visit(f"train&data={data}", at=untaught)
        page.get_by_role("button", name="Add points").click()
        page.get_by_role("button", name="Remove all").click()
        page.wait_for_selector("#train .verdict:has-text('Nothing can learn yet: put at least')")
        box = page.locator("#stage .plane").bounding_box()
        assert box
        for x, y in ((0.7, 0.4), (0.3, 0.2)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.locator("#stage .plane").focus()
        for key in ["ArrowDown"] * 20 + ["Space", "Space", "Backspace"]:
            page.keyboard.press(key)
        page.wait_for_selector("#stage .plane[aria-label^='3 points, 3 of them']")
        page.wait_for_selector("#train .status:has-text('before the first step')")
        text = unquote((page.locator("#train .csv").get_attribute("href") or "").partition(",")[2])
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == (["x", "y"] if data == "curve" else ["eyes", "cute"])
        assert [float(row[0]) for row in rows[1:]] == pytest.approx([0.52, -0.52, -0.52], abs=0.02)
        assert (rows[1][1] > rows[3][1]) or data == "curve"
        page.wait_for_timeout(500)  # until the address is there
        link = page.evaluate("location.hash").removeprefix("#")
        assert f"data={data}" in link
        other = visit(link, at=untaught)
        other.wait_for_selector("#stage .plane[aria-label^='3 points, 3 of them']")
        assert other.locator("#train-data").input_value() == data
        assert "split" not in other.locator("#train pre").inner_text()


@pytest.mark.parametrize("data", ["curve", "cute-dog"])
def test_a_link_restores_the_step_and_python_learns_the_same(
    visit: Visit, untaught: str, data: str, tmp_path: Path
) -> None:
    page = visit(f"train&data={data}&epochs=60&step=41", at=untaught)
    page.wait_for_selector("#train .status:has-text('step 41 of')")
    page.wait_for_timeout(100)
    other = visit(f"train&data={data}&epochs=60&step=41", at=untaught)
    other.wait_for_selector("#train .status:has-text('step 41 of')")
    other.wait_for_function(f"(picture) => ({PICTURE})('plane') === picture", arg=page.evaluate(PICTURE, "plane"))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(DONE)
    found = LEARNED.search(page.inner_text("#train .verdict"))
    assert found is not None
    recipe = parse(page.locator("#train pre").evaluate("(each) => each.textContent"), "recipe.toml")
    href = page.locator("#train .csv").get_attribute("href") or ""
    (tmp_path / f"{data}.csv").write_text(unquote(href.partition(",")[2]), encoding="utf-8")
    target = {"curve": "y", "cute-dog": "cute"}[data]
    job = build(recipe, load_data(str(tmp_path / f"{data}.csv"), TrainOptions(target=target)), seed=0, holdout=0)
    job.trainer.fit(job.train)
    score = evaluate(job.model, job.train).score
    assert abs(score * (1 if data == "curve" else 100) - float(found[1])) < (0.06 if data == "curve" else 6)


@pytest.fixture
def learned(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a page that shows a learner's network, and their folder."""
    (tmp_path / "network.py").write_text(whole_solution(), encoding="utf-8")
    (tmp_path / ".learn.json").write_text(json.dumps({"milestones": {"cute-dog": 0.88}}), encoding="utf-8")
    command = [sys.executable, "-m", "deltarule", "playground", "--learn", str(tmp_path), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            assert found
            yield found[0], tmp_path
        finally:
            process.terminate()  # Ctrl-C may be ignored here, as under nohup
            process.wait(timeout=60)


def test_a_learners_own_weights_are_on_the_stage(visit: Visit, learned: tuple[str, Path]) -> None:
    address, folder = learned
    with Worker() as worker:
        model, _ = attain_again(folder, worker, lambda *_: None)
    page = visit("draw", at=address)
    assert page.inner_text("#about") == "1 – 1"
    page.wait_for_load_state("networkidle")  # until the example is there
    page.locator("#stage .fields input").fill("3")
    page.locator("#stage .bars li").click()
    page.wait_for_function(SHOWN, arg=[model.network.weights[0].item(), model.network.biases[0].item()])
    shown = page.inner_text("#stage .bars .value").removesuffix(" %")
    assert float(shown) == pytest.approx(100 * float(model.outputs([[3.0]])[0, 0]), abs=0.1)


@pytest.mark.parametrize("data", ["curve", "cute-dog"])
def test_axe_finds_nothing_serious_where_there_is_one_input(visit: Visit, untaught: str, data: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    page = visit(f"train&data={data}&epochs=20", at=untaught, viewport={"width": 360, "height": 780})
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    violations = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
