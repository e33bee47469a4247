"""One server for all tests of the page, one browser for each file of them, and visits that tolerate no complaint."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from deltarule.cli.resolve import load_model
from deltarule.model import Model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visit = Callable[..., "Page"]
MODEL = "pretrained"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
IMPATIENCE = 120_000  # milliseconds after which something that should have happened has not, on a busy machine, too


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where `deltarule playground` serves the bundled network, with the bundled digits."""
    command = [sys.executable, "-m", "deltarule", "playground", MODEL, "--port", "0", "--no-browser", "--offline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+", said)
            assert found, f"the playground gave no address: {said!r}"
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=IMPATIENCE / 1000)


@pytest.fixture(scope="session")
def pretrained() -> Model:
    """The bundled network, as Python sees it."""
    return load_model(MODEL)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium. For one file of tests only: Playwright keeps an event loop running in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not here: pip install playwright")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("Chromium is not here: install it (apt-get install chromium) to test the page in a browser")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: "Browser", request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens a tab for a fresh visitor, as in `visit("train", has_touch=True)`; what the page complains of fails.

    at: another address than the server's. The rest are options of a browser context.
    """
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(fragment: str = "draw", at: str | None = None, **options: Any) -> "Page":
            base = at or str(request.getfixturevalue("address"))
            context = browser.new_context(**options)
            stack.callback(context.close)
            context.set_default_timeout(IMPATIENCE)
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda asked: complaints.extend(elsewhere(asked.url, base)))
            page.on("websocket", lambda socket: complaints.extend(elsewhere(socket.url, base)))
            page.goto(f"{base}#{fragment}")
            page.wait_for_selector("main:not([aria-busy])")
            return page

        yield open_page
    assert complaints == []


def elsewhere(url: str, base: str) -> list[str]:
    """The complaint about a request that leaves the page's own server, or file."""
    asked, own = urlsplit(url), urlsplit(base)
    inside = (
        asked.scheme in ("data", "blob") or (asked.scheme == "file" == own.scheme) or asked.netloc == own.netloc != ""
    )
    return [] if inside else [f"asked for {url}"]
