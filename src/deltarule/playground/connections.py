"""The connections that the server holds: who dawdles, or does not listen, is cut."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from deltarule.playground.protocol import MOST_MESSAGE_BYTES

MOST_CONNECTIONS = 64
MOST_HEADER_BYTES = 16 * 1024
KEEP_ALIVE_SECONDS = 10


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, the server waits for others.

    request: for a request to come, and its answer to be read. idle: for a word over a socket while nothing is learning.
    ping: between two pings over a socket, and for the answer to one. reader: for a page to read what it is sent.
    """

    request: float = 20.0
    idle: float = 120.0
    ping: float = 20.0
    reader: float = 20.0


PATIENCE = Patience()


class Requests(H11Protocol):
    """HTTP with a deadline: from one answer to the end of the next, the request included.

    uvicorn itself waits for ever for the rest of a header, and for a reader that does not read.
    """

    seconds = PATIENCE.request

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._set_deadline()

    def on_response_complete(self) -> None:
        self._deadline.cancel()
        self._set_deadline()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._deadline.cancel()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def _set_deadline(self) -> None:
        self._deadline: asyncio.TimerHandle = self.loop.call_later(self.seconds, self.transport.abort)


class Sockets(WebSocketsSansIOProtocol):
    """A socket that is cut when its reader lets what it is sent pile up."""

    seconds = PATIENCE.reader
    _deadline: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._deadline = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def configured(app: ASGIApp, patience: Patience = PATIENCE) -> Config:
    """How uvicorn is to run `app`: silently, and with a limit to everything."""
    return Config(
        app,
        http=type("Requests", (Requests,), {"seconds": patience.request}),
        ws=type("Sockets", (Sockets,), {"seconds": patience.reader}),
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_ping_interval=patience.ping,
        ws_ping_timeout=patience.ping,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
