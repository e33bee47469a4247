"""The engine as the page has it: small, the same bytes at every build, and words where it cannot be had."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltarule.errors import FileError
from deltarule.native import build
from deltarule.native.loader import page_engine


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    page_engine.cache_clear()
    yield
    page_engine.cache_clear()


def copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The room's sources in another place, without what was compiled of them."""
    shutil.copy(build.HERE.parent / "parts.toml", folder)
    ignored = shutil.ignore_patterns("*.so", "*.wasm", "__pycache__")
    monkeypatch.setattr(build, "HERE", Path(shutil.copytree(build.HERE, folder / "native", ignore=ignored)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder / "native"


def test_it_is_small_and_the_same_wherever_it_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = page_engine()
    page_engine.cache_clear()
    folder = copied(tmp_path, monkeypatch)
    (folder / f"engine-{'0' * 16}.wasm").write_bytes(b"of other sources")
    assert page_engine() == here
    assert [path.name for path in folder.glob("engine-*.wasm")] == [build.page_engine_name()]
    assert len(here) <= 60_000


def test_without_zig_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copied(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "ziglang", None)
    with pytest.raises(FileError, match="run  pip install ziglang  and try again"):
        page_engine()
