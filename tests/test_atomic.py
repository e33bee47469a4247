"""Writing whole or not at all: every step of a write fails once; the old file must live, without litter."""

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from deltarule.atomic import atomic_stream, write_atomically
from deltarule.errors import DeltaruleError, FileError

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and pipes of POSIX")


def failing(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_bytes(b"old")
    return path


def assert_untouched(old: Path) -> None:
    assert {path.name: path.read_bytes() for path in old.parent.iterdir()} == {"model": b"old"}


def test_a_new_file_appears_and_an_old_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for content in (b"first", b"second, longer", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_there_until_the_block_ends(old: Path) -> None:
    with atomic_stream(old) as stream:
        stream.write(b"new")
        stream.flush()
        assert old.read_bytes() == b"old"
    assert old.read_bytes() == b"new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no"), MemoryError()], ids=repr)
def test_a_block_that_fails_changes_nothing(old: Path, error: BaseException) -> None:
    def write_half() -> None:
        with atomic_stream(old) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert_untouched(old)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "advice"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "error"), (errno.EACCES, "not permitted")]
)
def test_a_system_that_fails_changes_nothing(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int, advice: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync" if step == "fsync" else "replace", failing(OSError(code, os.strerror(code))))
        with pytest.raises(FileError, match=f"nothing was changed: .*{advice}"):
            write_atomically(old, b"new")
    assert_untouched(old)


@posix
def test_an_interrupt_while_the_disk_is_awaited_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(old, b"new")
    assert_untouched(old)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write itself fails, when the buffer goes to the disk: /dev/full stands in for the temporary file."""
    real_open = Path.open
    monkeypatch.setattr(Path, "open", lambda _, mode: real_open(Path("/dev/full"), "wb"))
    with pytest.raises(FileError, match="the disk is full: make room"):
        write_atomically(old, b"new" * 100_000)
    monkeypatch.undo()
    assert_untouched(old)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="its folder does not exist: create that first"):
        write_atomically(tmp_path / "none" / "model", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(old: Path) -> None:
    with pytest.raises(FileError, match="could not be written"):
        write_atomically(old / "model", b"new")
    assert_untouched(old)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="which is a folder"):
        write_atomically(tmp_path, b"new")


@posix
def test_a_pipe_in_the_place_of_the_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="a device or pipe"):
        write_atomically(tmp_path / "pipe", b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(old: Path) -> None:
    old.parent.chmod(0o500)
    with pytest.raises(FileError, match="not permitted there"):
        write_atomically(old, b"new")
    old.parent.chmod(0o700)
    assert_untouched(old)


@posix
def test_permissions_are_those_of_the_old_file_or_the_usual_ones(old: Path) -> None:
    old.chmod(0o640)
    write_atomically(old, b"new")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    usual, ours = old.with_name("usual"), old.with_name("ours")
    usual.write_bytes(b"")
    write_atomically(ours, b"")
    assert ours.stat().st_mode == usual.stat().st_mode


@posix
def test_a_link_is_followed(old: Path) -> None:
    link = old.with_name("link")
    link.symlink_to(old)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert old.read_bytes() == b"new"


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("m" * 255)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@posix
def test_the_disk_is_awaited_before_the_name_changes(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (calls.append("fsync"), fsync(descriptor))[1])
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("replace"), replace(*names))[1])
    write_atomically(old, b"new")
    assert calls == ["fsync", "replace", "fsync"]  # the content, its name, the folder
    calls.clear()
    write_atomically(old, b"newer", sync=False)
    assert calls == ["replace"]


def test_the_error_belongs_to_both_trees() -> None:
    assert issubclass(FileError, DeltaruleError)
    assert issubclass(FileError, OSError)


def folder_that_fails(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let fsync fail for folders, and for them only."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@posix
def test_a_disk_that_does_not_confirm_the_name_is_an_error(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_that_fails(monkeypatch, errno.EIO)
    with pytest.raises(FileError, match="was written, but the disk has not confirmed its name: Input/output error"):
        write_atomically(old, b"new")
    assert {path.name: path.read_bytes() for path in old.parent.iterdir()} == {"model": b"new"}


@posix
def test_only_a_folder_that_may_not_be_synced_is_a_warning(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder_that_fails(monkeypatch, errno.EINVAL)
    write_atomically(old, b"new")
    assert caplog.text == ""
    folder_that_fails(monkeypatch, errno.EACCES)
    write_atomically(old, b"newer")
    assert "a power cut could bring the older file back" in caplog.text
    assert old.read_bytes() == b"newer"
