"""Minutes of drawing while a network learns in the page: frames a second, pointer events, and what memory grows by.

The exported file in Chromium, headless: again and again 784-32-10 learns the bundled digits while somebody draws on the
pad, at full speed and with the processor slowed four times. Asked: 10 frames a second and 16 ms for an event (p95)
while it learns; memory grows by less than 20 MB in ten minutes, from the second minute on.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from measuring import RESULTS, Row, surroundings, write_rows
from playwright.sync_api import CDPSession, Page, sync_playwright
from pointer import DRAW

EVENTS = 40  # of a stroke
MEGABYTE = 2**20
# Counts frames until the run has ended or been stopped.
FRAMES = """() => { const state = { count: 0, began: performance.now() };
    const next = () => { state.count += 1; state.last = performance.now(); requestAnimationFrame(next); };
    requestAnimationFrame(next); window.frames_drawn = state; }"""


def start(page: Page) -> None:
    """Let a network learn for longer than anybody looks."""
    page.get_by_label("Epochs").fill("1000")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("() => /epoch [0-9]/.test(document.querySelector('#train .status').textContent)")


def draw(page: Page) -> np.ndarray:
    """One stroke; milliseconds of each event, its work in the frame included."""
    box = page.locator("#stage .pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    rows = np.array(cast("list[list[float]]", page.evaluate(DRAW, EVENTS)))
    page.mouse.up()
    page.get_by_role("button", name="Clear", exact=True).click()
    return rows[:, 0] + rows[:, 1]


def round_of(page: Page) -> tuple[float, np.ndarray]:
    """(frames a second, milliseconds of each pointer event) while a network learns and somebody draws."""
    start(page)
    before = cast("dict[str, float]", page.evaluate("window.frames_drawn"))
    events = np.concatenate([draw(page) for _ in range(3)])
    after = cast("dict[str, float]", page.evaluate("window.frames_drawn"))
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("#train .verdict:has-text('Ended early')")
    return 1000 * (after["count"] - before["count"]) / (after["last"] - before["last"]), events


def heap(session: CDPSession) -> float:
    """The memory that the page's JavaScript holds after a garbage collection, in MB."""
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Runtime.getHeapUsage")
    return float(found["usedSize"] + found.get("backingStorageSize", 0)) / MEGABYTE


def measured(address: str, minutes: float, slowdown: int) -> Row:
    """The row of a session of so many minutes on a processor that is so many times slower."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        session = page.context.new_cdp_session(page)
        page.goto(f"{address}#train")
        page.wait_for_selector("#train .status")
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        page.evaluate(FRAMES)
        began, rates, events, heaps = time.monotonic(), list[float](), list[np.ndarray](), list[float]()
        while (passed := time.monotonic() - began) < 60 * minutes or not rates:
            frames, times = round_of(page)
            rates.append(frames)
            events.append(times)
            if passed >= min(60.0, 6 * minutes) or minutes < 1:
                heaps.append(heap(session))
        browser.close()
    every = np.concatenate(events)
    return {
        "benchmark": "page_session",
        "workload": "784-32-10 learns in the page while somebody draws",
        "slowdown": slowdown,
        "minutes": minutes,
        "rounds": len(rates),
        "frames_per_second": median(rates),
        "least_frames_per_second": min(rates),
        "event_p95_seconds": float(np.quantile(every, 0.95)) / 1000,
        "first_megabytes": heaps[0] if heaps else None,
        "last_megabytes": heaps[-1] if heaps else None,
    }


def main() -> None:
    """Measure both speeds, print what was asked for, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the session at full speed (10)")
    parser.add_argument("--json", type=Path, default=RESULTS / "page_session.json", metavar="FILE")
    parser.add_argument("--slowdowns", type=int, nargs="+", default=[1, 4], metavar="N", help="of the processor (1 4)")
    given = parser.parse_args()
    if shutil.which("chromium") is None:
        print("Chromium is not here, and no other browser is measured: nothing was")
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        subprocess.run([sys.executable, "-m", "deltarule", "playground", "--html", path], check=True)
        rows = [measured(path.as_uri(), given.minutes / slower**0.5, slower) for slower in given.slowdowns]
    about: dict[str, Any] = surroundings("playwright")
    for row in rows:
        grown = (row["last_megabytes"] or 0.0) - (row["first_megabytes"] or 0.0)
        print(
            f"slowed {row['slowdown']} times: {row['frames_per_second']:.0f} frames a second, an event p95 "
            f"{1000 * row['event_p95_seconds']:.1f} ms, memory {grown:+.1f} MB in {row['minutes']:.1f} minutes"
        )
    write_rows(given.json, [row | about for row in rows])


if __name__ == "__main__":
    main()
