"""One server and one browser for all tests of the page, and visits that tolerate no complaint."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from deltarule.cli.resolve import load_model
from deltarule.files.page import show
from deltarule.model import Model
from deltarule.nn.network import Network

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Visit = Callable[..., "Page"]
MODEL = "pretrained"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
IMPATIENCE = 120_000  # milliseconds after which something that should have happened has not, on a busy machine, too
STORED = "() => localStorage.length + sessionStorage.length"
_open = ExitStack()  # the browser, and Playwright


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
            process.terminate()  # Ctrl-C may be ignored here, as under nohup
            process.wait(timeout=IMPATIENCE / 1000)


@pytest.fixture(scope="session")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of one file whose network reads digits and has learned nothing."""
    path = tmp_path_factory.mktemp("page") / "untaught.html"
    network = Network((784, 12, 10), rng=2)
    network.image_shape, network.pixels = (28, 28), True
    show(network).save(path)
    return path.as_uri()


@pytest.fixture(scope="session")
def pretrained() -> Model:
    """The bundled network, as Python sees it."""
    return load_model(MODEL)


@pytest.fixture
def browser() -> "Browser":
    """Debian's Chromium, without windows where that is installed, the same for all tests of the page."""
    return started()


@cache
def started() -> "Browser":
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not here: pip install playwright")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("Chromium is not here: install it (apt-get install chromium) to test the page in a browser")
    arguments = ["--disable-gpu"] + ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
    chromium: Browser = _open.enter_context(playwright.sync_playwright()).chromium.launch(
        executable_path=executable, args=arguments
    )
    _open.callback(chromium.close)
    return chromium


@cache
def context(options: str) -> "BrowserContext":
    """A visitor with these options of a context, as JSON, whose window stays: to open one takes a second."""
    made = started().new_context(**json.loads(options))
    made.set_default_timeout(IMPATIENCE)
    made.new_page()
    return made


def pytest_sessionfinish() -> None:
    _open.close()
    for each in (started, context):
        each.cache_clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the browser before tests of other rooms: Playwright keeps an event loop running in this thread."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        pytest_sessionfinish()


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens a tab for a visitor who knows nothing of earlier ones; what the page complains of fails.

    As in `visit("train", has_touch=True)`. at: another address than the server's. The rest are options of a browser
    context. Tests share these, and a page that keeps something in the browser fails.
    """
    complaints: list[str] = []
    pages: list[Page] = []

    def open_page(fragment: str = "draw", at: str | None = None, **options: Any) -> "Page":
        base = at or str(request.getfixturevalue("address"))
        page = context(json.dumps(options, sort_keys=True)).new_page()
        pages.append(page)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.extend(elsewhere(asked.url, base)))
        page.on("websocket", lambda socket: complaints.extend(elsewhere(socket.url, base)))
        page.goto(f"{base}#{fragment}")
        page.wait_for_selector("main:not([aria-busy])")
        return page

    yield open_page
    kept = [(page.evaluate(STORED), page.context.cookies()) for page in pages]
    for tab in [tab for page in pages for tab in page.context.pages[1:]]:
        tab.close()
    assert kept == [(0, [])] * len(pages)
    assert complaints == []


def elsewhere(url: str, base: str) -> list[str]:
    """The complaint about a request that leaves the page's own server, or file."""
    asked, own = urlsplit(url), urlsplit(base)
    inside = (
        asked.scheme in ("data", "blob") or (asked.scheme == "file" == own.scheme) or asked.netloc == own.netloc != ""
    )
    return [] if inside else [f"asked for {url}"]
