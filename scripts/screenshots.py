"""Pictures of every tab of the page, in three looks, and a network that learns there.

Run as scripts/screenshots.py [FOLDER].

Takes each tab on a desktop, on a phone and in the dark, after something has happened there, and writes NAME-LOOK.png.
Then trains and writes learning.gif. docs/images keeps three of the pictures, and this one as playground-learning.gif.
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
FILM = {"viewport": {"width": 1000, "height": 900}}
PAUSES = (5, *[30] * 6, *[80] * 6)  # milliseconds of training between two pictures


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


def film(page: "Page", path: Path) -> None:
    """Trains a network on MNIST, with a picture at every pause, and writes them as a GIF."""
    page.get_by_label("Recipe").select_option("quick")
    page.get_by_label("Data").select_option("mnist")
    page.get_by_label("Epochs").fill("10000")
    frames = []
    for pause in PAUSES:
        page.locator("#train button.primary").click()  # Start, and then Go on
        page.wait_for_timeout(pause)
        page.get_by_role("button", name="Pause").click()
        page.wait_for_selector("#train .status:has-text('Paused')")
        page.wait_for_timeout(300)
        top = page.locator("#train .status").evaluate("status => status.getBoundingClientRect().top + scrollY")
        shot = page.screenshot(full_page=True, clip={"x": 0, "y": top + 50, "width": 1000, "height": 490})
        taken = Image.open(BytesIO(shot)).convert("RGB").resize((750, 368), Image.Resampling.LANCZOS)
        frames.append(taken.quantize(48, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[*[350] * (len(frames) - 1), 2500], loop=0)


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
            page = browser.new_context(**FILM).new_page()
            page.goto(f"{found[0]}#train&label=3&{in_address(DIGITS[3])}")
            page.wait_for_selector("main:not([aria-busy])")
            film(page, folder / "learning.gif")
            browser.close()
        finally:  # or else this would wait for a server that has no reason to end
            process.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
