"""How much may be sent: what is too much is refused cheaply, and the server lives on."""

import socket
import time
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection

from deltarule.playground.server import MOST_CONNECTIONS, MOST_HEADER_BYTES

SOON = 8.0


POST = "POST /api/model HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"


def closing_code(line: ClientConnection) -> int:
    """What a socket is closed with, after whatever else is said over it."""
    with suppress(ConnectionClosedError):
        for said in line:
            assert '"status":400' in str(said)
    return line.protocol.close_code or 0


@pytest.mark.parametrize("length", [64, 10**15, 10**17, "-1", "x"])
def test_a_body_is_refused_before_it_is_read(site: Any, length: int | str) -> None:
    with socket.create_connection(("127.0.0.1", site.service.port), timeout=SOON) as line:
        line.sendall(site.filled(f"{POST}Content-Length: {length}\r\n\r\n"))
        assert line.recv(65_536).split(b" ", 2)[1] == (b"400" if isinstance(length, str) else b"405")


def test_a_body_of_unknown_length_is_refused_too(site: Any) -> None:
    chunk = "8000\r\n" + 0x8000 * "x" + "\r\n"
    with socket.create_connection(("127.0.0.1", site.service.port), timeout=SOON) as line:
        line.sendall(site.filled(f"{POST}Transfer-Encoding: chunked\r\n\r\n" + 2 * chunk))
        assert line.recv(65_536).split(b" ", 2)[1] == b"405"


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * (MOST_HEADER_BYTES + 1),
        bytes(range(256)) + b"\r\n\r\n",
    ],
    ids=["TLS", "no version", "an endless header", "all bytes"],
)
def test_junk_gets_400_and_a_closed_line(site: Any, junk: bytes) -> None:
    assert site.raw(junk)[0] == 400


@pytest.mark.parametrize("header", ["Host: {host}", "Authorization: Bearer x", "Origin: http://{host}"])
def test_a_header_that_decides_must_not_come_twice(site: Any, header: str) -> None:
    lines = ["GET /api/model HTTP/1.1", "Host: {host}", "Authorization: Bearer {token}", "Origin: http://{host}"]
    assert site.raw("\r\n".join([*lines, "Connection: close\r\n\r\n"]))[0] == 200
    assert site.raw("\r\n".join([*lines, header, "Connection: close\r\n\r\n"]))[0] == 400


@pytest.mark.parametrize("text", ["{}" + " " * 16_384, "x" * 20_000], ids=["just too long", "long"])
def test_a_frame_over_16_kib_closes_its_socket_alone(site: Any, text: str) -> None:
    with site.talk() as other, site.talk() as line:
        line.send(text)
        assert closing_code(line) == 1009
        other.send('{"type":"more"}')
        assert '"type":"refused"' in str(other.recv(timeout=SOON))


def test_fragments_are_counted_together(site: Any) -> None:
    with site.talk() as line:
        with suppress(ConnectionClosedError):  # the line may be closed before the last of them
            line.send("x" * 9_000 for _ in range(2))
        assert closing_code(line) == 1009


START = '{"type":"start","recipe":"quick","data":"digits"'


@pytest.mark.parametrize(
    "junk",
    [
        *("", "null", "{", "[" * 16_000, '{"a":' * 3_000, '{"type":"evil"}', '{"type":"more","x":1}', '"\\ud800"'),
        *('{"type":"start"}', '{"type":"start","recipe":7,"data":"digits"}', '{"type":"more"}{"type":"more"}'),
        *(START + ',"rate":-1}', START + ',"rate":1e999}', START + ',"rate":NaN}', START + ',"rate":"1"}'),
        *(START + ',"epochs":1.5}', START + ',"epochs":0}', START + ',"seed":99999999999999999999}'),
    ],
    ids=lambda junk: junk[-30:],
)
def test_what_is_no_order_is_refused_and_the_server_lives_on(site: Any, junk: str) -> None:
    with site.talk() as line:
        line.send(junk)
        assert '"status":400' in str(line.recv(timeout=SOON))
        assert closing_code(line) == 1007
    assert site.get("/api/catalogue").status_code == 200


@pytest.mark.parametrize(("junk", "is_text", "code"), [(b"\x00\x01", False, 1003), (b"\xff\xfe", True, 1007)])
def test_bytes_that_are_no_text_close_the_socket(site: Any, junk: bytes, is_text: bool, code: int) -> None:
    with site.talk() as line:
        line.send(junk, text=is_text)
        assert closing_code(line) == code


def test_too_many_connections_are_turned_away(site: Any) -> None:
    with ExitStack() as lines:
        for _ in range(MOST_CONNECTIONS):
            lines.enter_context(socket.create_connection(("127.0.0.1", site.service.port)))
        assert site.get("/api/catalogue").status_code == 503
    deadline = time.monotonic() + SOON
    while site.get("/api/catalogue").status_code != 200:
        assert time.monotonic() < deadline
