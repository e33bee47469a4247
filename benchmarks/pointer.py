"""What a pointer event on the page costs while somebody draws: its handler, what it does in the next frame, the answer.

In Chromium, headless, with the bundled network. Asked: p95 of handling an event, the frame's work included, of at most
8 ms; the answer shows by the second frame.
"""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from measuring import options, surroundings, write_rows
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = 300
# A frame's work is timed between two callbacks of the same frame: one asked for before the event, one after it.
DRAW = """async (count) => {
    const [pad, bars] = ["#stage .pad", "#stage .bars"].map((each) => document.querySelector(each));
    const box = pad.getBoundingClientRect();
    let changed = false;
    new MutationObserver(() => { changed = true; }).observe(bars, { subtree: true, childList: true, attributes: true });
    const frame = () => new Promise((done) => requestAnimationFrame(() => done(performance.now())));
    const rows = [];
    for (let step = 0; step < count; step += 1) {
        const turn = (12 * step) / count;
        const clientX = box.left + box.width * (0.5 + 0.25 * Math.sin(turn) * (1 - step / (2 * count)));
        const clientY = box.top + box.height * (0.5 + 0.32 * Math.sin(2 * turn));
        changed = false;
        const before = frame();
        const began = performance.now();
        pad.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, bubbles: true, clientX, clientY }));
        const handler = performance.now() - began;
        const after = frame();
        const work = -(await before) + (await after);
        let frames = 1;
        for (; !changed && frames < 9; frames += 1) {
            await frame();
        }
        rows.push([handler, work, frames]);
    }
    return rows;
}"""


@contextmanager
def playground() -> "Iterator[str]":
    """The address of a playground that is served for as long as this lasts."""
    command = [sys.executable, "-m", "deltarule", "playground", "--port", "0", "--no-browser", "--offline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            assert found, "the playground gave no address"
            yield found[0]
        finally:
            process.terminate()


def measured(address: str, n_events: int) -> np.ndarray:
    """Milliseconds of the handler, milliseconds of the frame's work, frames until the answer: (n_events, 3)."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector("main:not([aria-busy])")
        box = page.locator("#stage .pad").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 100, box["y"] + 100)
        page.mouse.down()
        page.evaluate(DRAW, 30)  # so that the page's code is compiled
        rows = cast("list[list[float]]", page.evaluate(DRAW, n_events))
        browser.close()
    return np.array(rows)


def main() -> None:
    """Measure, print what was asked for, and write the row."""
    given = options(__doc__, "pointer.json", repetitions=EVENTS).parse_args()
    if shutil.which("chromium") is None:
        print("Chromium is not here, and no other browser is measured: nothing was")
        return
    with playground() as address:
        handler, work, frames = measured(address, given.repetitions).T
    event = handler + work
    row: dict[str, Any] = {
        "benchmark": "pointer",
        "workload": "one stroke, the bundled network",
        "events": len(event),
        "handler_p95_seconds": float(np.quantile(handler, 0.95)) / 1000,
        "event_median_seconds": median(event.tolist()) / 1000,
        "event_p95_seconds": float(np.quantile(event, 0.95)) / 1000,
        "most_frames": int(frames.max()),
    }
    p95, its_handler = 1000 * row["event_p95_seconds"], 1000 * row["handler_p95_seconds"]
    print(f"a pointer event: p95 {p95:.1f} ms, {its_handler:.1f} of them in its handler;", end=" ")
    print(f"median {1000 * row['event_median_seconds']:.1f} ms; the answer within {row['most_frames']} frames")
    write_rows(given.json, [row | surroundings("playwright")])


if __name__ == "__main__":
    main()
