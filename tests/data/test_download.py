"""Downloads, from mirrors on this machine that fail in every way that mirrors do."""

import errno
import gzip
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deltarule.atomic import atomic_stream
from deltarule.data import download
from deltarule.data.download import Mirrors
from deltarule.data.sources import PublishedFile
from deltarule.errors import DownloadError

CONTENT = bytes.fromhex("00000801 00000400") + bytes(range(256)) * 4
STORED = gzip.compress(CONTENT, mtime=0)
FILE = PublishedFile("labels.gz", len(CONTENT), hashlib.sha256(STORED).hexdigest())
WRONG = gzip.compress(CONTENT[:-1] + b"\x00", mtime=0)


class Mirror(BaseHTTPRequestHandler):
    """Answers each URL as its first part says."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        self.server.asked.append(kind)
        with suppress(OSError):  # a client that has seen enough hangs up
            if kind == "silent":
                self.server.released.wait()
            elif kind == "missing":
                self.send_error(404)
            else:
                self.answer(kind)

    def answer(self, kind: str) -> None:
        body = {"wrong": WRONG, "html": b"<html>Log in</html>", "oversized": STORED + bytes(2000)}.get(kind, STORED)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if kind == "html" else "application/gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if kind in ("truncated", "stalled", "reset") else body)
        self.wfile.flush()
        if kind == "stalled":
            self.server.released.wait()
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *args: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    server.asked, server.released = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed() -> str:
    """A URL on a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def urls(server: ThreadingHTTPServer, *kinds: str) -> tuple[str, ...]:
    return tuple(f"http://127.0.0.1:{server.server_port}/{kind}/" for kind in kinds)


FAILURES = {
    "missing": "HTTP Error 404: Not Found",
    "html": "a gzip file was expected: got an HTML page",
    "wrong": "labels.gz: the SHA-256 of labels.gz as published was expected: got that of another file",
    "truncated": f"ended after 100 bytes, {len(STORED) - 100} too early",
    "oversized": f"at most {len(CONTENT):,} bytes were expected: got more",
    "reset": "broke off after ",
    "stalled": "nothing came for 0.2 seconds",
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_mirror_that_fails_gives_way_to_the_next(server: ThreadingHTTPServer, tmp_path: Path, kind: str) -> None:
    mirrors = Mirrors(urls(server, kind, "good"), stall_seconds=0.2)
    mirrors.fetch(FILE, tmp_path / "mnist" / FILE.name)
    assert (tmp_path / "mnist" / FILE.name).read_bytes() == STORED
    assert [path.name for path in (tmp_path / "mnist").iterdir()] == [FILE.name]
    assert FAILURES[kind] in mirrors.failures[0]
    mirrors.fetch(FILE, tmp_path / "again.gz")
    assert server.asked == [kind, "good", "good"]


def test_a_mirror_that_cannot_be_reached_gives_way_too(
    server: ThreadingHTTPServer, tmp_path: Path, closed: str
) -> None:
    Mirrors((closed, *urls(server, "good"))).fetch(FILE, tmp_path / FILE.name)
    assert (tmp_path / FILE.name).read_bytes() == STORED


def test_when_all_fail_the_error_tells_of_each_and_nothing_is_left(
    server: ThreadingHTTPServer, tmp_path: Path, closed: str
) -> None:
    with pytest.raises(DownloadError, match=r"no mirror gave labels\.gz") as caught:
        Mirrors((*urls(server, *FAILURES), closed), stall_seconds=0.2).fetch(FILE, tmp_path / FILE.name)
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == len(FAILURES) + 1
    for line, kind in zip(lines, FAILURES, strict=False):
        assert f"/{kind}/: " in line
        assert FAILURES[kind] in line
    assert "refused" in lines[-1]
    assert not list(tmp_path.iterdir())


def test_mirrors_that_do_not_answer_share_one_patience(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    mirrors = Mirrors(urls(server, "silent", "silent", "silent"), connect_seconds=0.6)
    with pytest.raises(DownloadError) as caught:
        mirrors.fetch(FILE, tmp_path / FILE.name)
    assert str(caught.value).count("no answer within 0.2 seconds") == 3
    assert mirrors.patience <= 0.0
    assert server.asked == ["silent"] * 3


def test_either_hash_is_enough(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    other = replace(FILE, sha256="0" * 64, content_sha256=hashlib.sha256(CONTENT).hexdigest())
    Mirrors(urls(server, "good")).fetch(other, tmp_path / FILE.name)
    assert other.read(tmp_path / FILE.name).tobytes() == CONTENT[8:]


def test_a_full_disk_is_said_and_no_other_mirror_is_asked(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE.name).write_bytes(b"what was there before")

    class Full:
        def __init__(self, file: object) -> None:
            self.name = file.name

        def write(self, chunk: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    @contextmanager
    def on_full_disk(path: Path) -> Iterator[Full]:
        with atomic_stream(path) as file:
            yield Full(file)

    monkeypatch.setattr(download, "atomic_stream", on_full_disk)
    with pytest.raises(DownloadError, match=r"labels\.gz could not be written, .*the disk is full: make room"):
        Mirrors(urls(server, "good", "good")).fetch(FILE, tmp_path / FILE.name)
    assert server.asked == ["good"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE.name]
    assert (tmp_path / FILE.name).read_bytes() == b"what was there before"


def test_a_folder_that_cannot_be_made_is_said(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "mnist").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="could not be written"):
        Mirrors(urls(server, "good")).fetch(FILE, tmp_path / "mnist" / FILE.name)


def test_an_interrupted_download_leaves_nothing(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PublishedFile, "read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Mirrors(urls(server, "good")).fetch(FILE, tmp_path / FILE.name)
    assert not list(tmp_path.iterdir())
