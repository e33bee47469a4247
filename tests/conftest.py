"""What every test stands on: NumPy errors raised, none of the user's own files in sight, MNIST where it is at hand."""

import gc
import os
import re
import signal
from collections.abc import Generator, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import settings

from deltarule.data.catalog import load
from deltarule.data.dataset import Splits
from deltarule.errors import DownloadError

DATA_FOLDER = os.environ.get("DELTARULE_DATA", "")
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")  # as in "<function zeros at 0x7f4e282f2980>"

settings.register_profile("deltarule", deadline=None, max_examples=50, derandomize="CI" in os.environ)
settings.load_profile("deltarule")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that hold a memory address: they differ from process to process, and xdist needs them alike."""
    unstable = sorted({item.nodeid for item in items if ADDRESS.search(item.nodeid)})
    if unstable:
        raise pytest.UsageError(f"test ids hold memory addresses: name the parameters with ids=, as in {unstable[0]}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let no garbage collection look through what is imported and collected: it stays, and is most of what there is."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _numpy_errors_raised() -> Iterator[None]:
    """A number too small for a float may become 0; every other floating-point accident is an error."""
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(scope="session", autouse=True)
def _empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every session runs as on a fresh machine; only the `mnist` fixture gives DELTARULE_DATA back."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
            environment.setenv(variable, home)
        environment.delenv("DELTARULE_DATA", raising=False)
        yield


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A shell makes its background jobs, and what they start, deaf to Ctrl-C; processes started here hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@cache
def load_mnist() -> Splits:
    return load("mnist", offline=True)


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch) -> Splits:
    """MNIST, never downloaded; the test that asks for it, and every process it starts, also sees DELTARULE_DATA."""
    monkeypatch.setenv("DELTARULE_DATA", DATA_FOLDER)
    try:
        return load_mnist()
    except DownloadError:
        pytest.skip("MNIST is not here: set DELTARULE_DATA to a folder that holds mnist/")
