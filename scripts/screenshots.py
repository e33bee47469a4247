"""Pictures of every tab of the page, in three looks.

Run as scripts/screenshots.py [FOLDER].

Takes each tab on a desktop, on a phone and in the dark, after something has happened there, and writes NAME-LOOK.png.
docs/images keeps three of them.
"""

import re
import shutil
import subprocess
import sys
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "tests" / "browser"))
from handwriting import DIGITS, in_address

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOKS = {
    "desktop": {"viewport": {"width": 1280, "height": 720}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "dark": {"viewport": {"width": 1280, "height": 720}, "color_scheme": "dark"},
}
TABS = ("draw", "backprop", "train", "mistakes")


def happen(page: "Page", tab: str) -> None:
    """Makes a tab show what it is for."""
    page.wait_for_timeout(500)
    if tab == "draw":
        page.locator(".cell[data-sign='above']").nth(8).hover()
    if tab == "backprop":
        for _ in range(7):
            page.get_by_role("button", name="Next").click()
    if tab == "train":
        page.get_by_label("Recipe").select_option("nielsen-30")
        page.get_by_label("Data").select_option("digits")
        page.get_by_label("Epochs").fill("10000")  # more than can be over before Pause is pressed
        page.get_by_role("button", name="Start").click()
        page.wait_for_function("() => /epoch \\d\\d+ of/.test(document.querySelector('#train .status').textContent)")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_selector("#train .status:has-text('Paused')")
    if tab == "mistakes":
        page.locator(".matrix button.wrong").first.click()
        page.locator(".gallery .why").first.click()
    page.wait_for_timeout(700)


def main(folder: Path) -> None:
    """Serve the bundled network, visit every tab in every look, and write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "deltarule", "playground", "--port", "0", "--no-browser", "--offline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, sync_playwright() as running:
        try:
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            assert found, "the playground gave no address"
            browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for look, tab in product(LOOKS, TABS):
                page = browser.new_context(**LOOKS[look]).new_page()
                label = 5 if tab == "backprop" else 3  # what is wrong shows what the network would learn
                page.goto(f"{found[0]}#{tab}&label={label}&{in_address(DIGITS[3])}")
                page.wait_for_selector("main:not([aria-busy])")
                happen(page, tab)
                page.evaluate("scrollTo(0, 0)")
                taken = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
                few = taken.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                few.save(folder / f"{tab}-{look}.png", optimize=True)
                page.context.close()
            browser.close()
        finally:  # or else this would wait for a server that has no reason to end
            process.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
