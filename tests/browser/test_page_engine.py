"""The page's engine in a real browser: NumPy's numbers to 1e-10, and words where a policy denies WebAssembly."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from page_cases import page_cases

import deltarule as dr

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visit = Callable[..., "Page"]
ANSWERS = """async ({ cases, runs, rate }) => {
    const main = document.querySelector("script[src]").src; // whose modules have the engine
    const [{ backward, update }, { Training }, { readModel }] = await Promise.all(
        ["engine/network.js", "engine/training.js", "shared/model_file.js"].map((name) => import(new URL(name, main))));
    const flat = (...parts) => parts.flatMap((each) => [...each]);
    const networkIn = (text) => readModel(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
    return [
        ...cases.map(({ model, x, y }) => {
            const network = networkIn(model);
            const { a, loss, gradient } = backward(network, Float64Array.from(x), y);
            const { weights, biases } = update(network, gradient, rate);
            return flat(...a, [loss], gradient.input, ...weights, ...biases);
        }),
        ...runs.map(({ model, x, y, optimizer, order }) => {
            const training = new Training(networkIn(model), {
                inputs: Float64Array.from(x), targets: BigInt64Array.from(y, BigInt), batchSize: 8, optimizer,
                Real: Float64Array,
            });
            const losses = training.steps(order, 0.05);
            return flat(losses, ...training.network.weights, ...training.network.biases);
        }),
    ];
}"""


def test_forward_gradients_and_steps_are_numpys(visit: Visit) -> None:
    given = page_cases()
    found = visit().evaluate(ANSWERS, given)
    wanted = [[*chain(*each["a"], [each["loss"]], each["input"], each["updated"])] for each in given["cases"]]
    wanted += [[*each["losses"], *each["parameters"]] for each in given["runs"]]
    assert len(found) == len(wanted) > 30
    for ours, numpys in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, numpys, rtol=1e-10, atol=1e-10)


def test_a_page_that_denies_webassembly_says_so(browser: "Browser", tmp_path: Path) -> None:
    html = dr.show(dr.Network((2, 3, 2), rng=0)).html
    assert html.count(" 'wasm-unsafe-eval'") == 1
    (tmp_path / "denied.html").write_text(html.replace(" 'wasm-unsafe-eval'", ""), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "denied.html").as_uri())
    failure = page.locator("#failure:not([hidden])").inner_text()
    assert failure.startswith("The page could not start: WebAssembly is not allowed here (")
    assert failure.endswith("): a Content-Security-Policy needs script-src 'wasm-unsafe-eval'")
    page.close()
