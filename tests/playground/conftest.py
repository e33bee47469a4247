"""A playground that is really served: uvicorn on a free port, in a thread, and who talks to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from deltarule.data.catalog import load
from deltarule.playground.playground import NetworkView, Playground
from deltarule.playground.server import Service
from deltarule.recipes import read
from deltarule.recipes.build import build


class Site(NamedTuple):
    """A playground under its address."""

    service: Service
    playground: Playground

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.service.port}"

    @property
    def token(self) -> str:
        return self.service.guard.token

    def get(self, path: str, *, token: str | None = None, **headers: str) -> httpx.Response:
        """The answer to GET, with the token (or another), and with these headers: _ in a name stands for -."""
        given = {"Authorization": f"Bearer {self.token if token is None else token}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"http://{self.host}{path}", headers=given, timeout=20.0)

    def talk(self, **options: Any) -> ClientConnection:
        """A socket as the page opens it."""
        given = {"origin": f"http://{self.host}", "max_size": 2**22, "compression": None} | options
        token = given.pop("token", self.token)
        return connect(f"ws://{self.host}/ws?token={token}", **given)

    def handshake(self, **options: Any) -> int:
        """The status that a WebSocket handshake is answered with."""
        try:
            with self.talk(**options):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    def raw(self, data: str | bytes) -> tuple[int, bytes]:
        """The status and all of the answer to these bytes, until the server hangs up or says nothing for ten seconds.

        {host} and {token} stand for what they are.
        """
        answer = b""
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=10.0) as line:
            line.sendall(self.filled(data) if isinstance(data, str) else data)
            with suppress(TimeoutError, ConnectionResetError):
                while more := line.recv(65_536):
                    answer += more
        return int(answer.split(b" ", 2)[1]), answer

    def filled(self, text: str) -> bytes:
        return text.replace("{host}", self.host).replace("{token}", self.token).encode()


@pytest.fixture(scope="session")
def subject() -> NetworkView:
    """A network that has learned a little about the bundled digits."""
    splits = load("digits")
    job = build(read("quick").with_changes(["epochs=4"]), splits, engine="numpy")
    job.trainer.fit(job.train)
    assert splits.test is not None
    return NetworkView(job.model, {"train": splits.train, "test": splits.test})


Open = Callable[..., Any]


@pytest.fixture(scope="session")
def opened(subject: NetworkView) -> Open:
    """Serves a playground of its own for as long as a `with` lasts."""

    @contextmanager
    def serving() -> Iterator[Site]:
        names = ("digits", "xor", "arithmetic")
        playground = Playground(subject, {name: partial(load, name) for name in names})
        service = Service(playground, 0)
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            yield Site(service, playground)
        finally:
            service.server.should_exit = True
            thread.join(timeout=30.0)
            assert not thread.is_alive()

    return serving


@pytest.fixture(scope="module")
def site(opened: Open) -> Iterator[Site]:
    """One playground for all tests of a file; it must still answer at their end."""
    with opened() as site:
        yield site
        assert site.get("/api/catalogue").status_code == 200
