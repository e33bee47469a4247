"""The page in Debian's Firefox, served and from disk: it reads, learns, explains a number, and breaks no policy."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from firefox import Firefox, running
from handwriting import DIGITS, in_address


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """One Firefox for all tests: it takes seconds to start."""
    with running(tmp_path_factory.mktemp("firefox")) as started:
        yield started


@pytest.fixture
def page(firefox: Firefox) -> Iterator[Firefox]:
    """Firefox's tab, for a test during which the page must not complain."""
    firefox.complaints.clear()
    yield firefox
    firefox.evaluate("new Promise((done) => setTimeout(done, 100, true))")  # the log may be behind
    assert firefox.complaints == []


@pytest.fixture(scope="module")
def exported(firefox: Firefox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the bundled network's page on disk. Without Firefox the file is not written."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    command = [sys.executable, "-m", "deltarule", "playground", "--html", str(path), "--offline"]
    subprocess.run(command, check=True, capture_output=True)
    return path.as_uri()


def train(page: Firefox, data: str, **fields: str) -> float:
    """Train to the end; the accuracy on the test examples in percent."""
    page.choose(data=data)
    page.text("#train .status", "before the first step")  # the new network is there, and the buttons have moved
    page.choose(**fields)
    page.click("#train button", "Start")
    return float(page.text("#train .verdict", "test examples").partition("scores ")[2].partition(" %")[0])


def test_firefox_reads_what_the_mouse_draws_on_the_served_page(page: Firefox, request: pytest.FixtureRequest) -> None:
    page.open(f"{request.getfixturevalue('address')}#draw")
    for digit in (3, 7):
        page.click("#stage button", "Clear")
        page.draw(DIGITS[digit])
        assert page.text("#stage .digit") == str(digit)
    page.until("document.querySelectorAll('[aria-label=\"Nearest digits\"] li').length === 6")  # a worker finds them


def test_firefox_reads_what_the_mouse_draws_on_the_exported_page(page: Firefox, exported: str) -> None:
    page.open(f"{exported}#draw")
    page.draw(DIGITS[5])
    assert page.text("#stage .digit") == "5"


def test_firefox_trains_on_digits_and_on_moons(page: Firefox, exported: str) -> None:
    page.open(f"{exported}#train&{in_address(DIGITS[3])}")
    assert train(page, "digits", epochs="3") > 80
    assert page.text("#stage .digit") == "3"
    assert train(page, "moons", hidden="8, 8", rate="0.03", epochs="20") > 90


def test_firefox_opens_a_number_as_its_sum(page: Firefox, exported: str) -> None:
    page.open(f"{exported}#backprop&{in_address(DIGITS[3])}")
    page.click("#backprop .bp-made canvas")
    shown = page.text(".bp-sum h3", "= ").partition("= ")[2]
    assert page.text(".bp-sum tfoot td:last-child") == shown
    assert "A sum of 785 terms" in page.text(".bp-sum caption")


def test_firefox_tells_of_errors_and_of_blocked_requests(page: Firefox, exported: str) -> None:
    """Otherwise the other tests would find nothing to complain of on a page that is broken."""
    page.open(exported)
    page.evaluate("setTimeout(() => { throw new Error('on purpose'); })")
    page.evaluate("Object.assign(new Image(), { src: 'http://deltarule.invalid/' }).complete")
    page.evaluate("new Promise((done) => setTimeout(done, 200, true))")
    assert "Error: on purpose" in page.complaints
    assert "img-src blocks http://deltarule.invalid/" in page.complaints
    page.complaints.clear()
