"""Who may speak to the server, and how much: what stands before every request and every socket.

A page on another site can make a browser send requests here, and can even give its own name the address of this
machine (DNS rebinding). So Host must be a name of this server, Origin and Sec-Fetch-Site must be its own page, and what
is worth anything asks for the token of this launch, which no other page can know.
"""

import asyncio
import ipaddress
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deltarule.playground.protocol import MOST_BODY_BYTES

LOOPBACK = "127.0.0.1"
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  what asks for every address, to be told from others
DECISIVE = ("host", "origin", "authorization", "content-length", "sec-fetch-site")  # one that comes twice says nothing
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class Refusal(Exception):  # noqa: N818  a refusal is no failure of ours
    """The HTTP status, and why, that a request or a socket gets, and nothing else."""


@dataclass(frozen=True)
class Guard:
    """Lets through what is allowed to come to `app`."""

    app: ASGIApp
    port: int  # where the server is bound, with `host`
    host: str = LOOPBACK
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))  # what a visitor must know
    body_seconds: float = 10.0  # that a request may take to arrive whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let `app` answer it."""
        body: list[bytes] = []

        async def send_with_headers(event: Message) -> None:
            if event["type"] == "http.response.start":
                MutableHeaders(scope=event).update(HEADERS)
            await send(event)

        async def receive_body_first() -> Message:
            return {"type": "http.request", "body": body.pop()} if body else await receive()

        try:
            self.check(scope)
            if scope["type"] == "http":
                body.append(await self._body(scope, receive))
        except Refusal as refusal:
            status, why = refusal.args
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})  # before it was accepted: HTTP's 403
            else:  # what a request has not sent yet is never read: its connection is closed
                answer = JSONResponse({"error": why}, status, {"connection": "close"})
                await answer(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive_body_first, send_with_headers)

    def check(self, scope: Scope) -> None:
        """Raise Refusal unless the visitor is our own page, or somebody else who knows the token."""
        headers, path = Headers(scope=scope), scope["path"]
        for name in DECISIVE:
            if len(headers.getlist(name)) > 1:
                raise Refusal(400, f"one {name} was expected: got two")
        host = headers.get("host", "")
        if not self.is_own(host):
            raise Refusal(403, "this server does not go by that name")
        is_cross_site = path != "/" and headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        if is_cross_site or headers.get("origin", f"http://{host}") != f"http://{host}":
            raise Refusal(403, "a page of another origin must not reach this server")
        if path == "/" or scope["type"] == "websocket":
            given = QueryParams(scope["query_string"]).get("token", "")
        elif path.startswith("/api/"):
            given = headers.get("authorization", "").removeprefix("Bearer ")
        else:
            return  # the page's own files, which hold no secret
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            raise Refusal(401, "open the address that `deltarule playground` has printed: it ends in its token")

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this server: an address that it listens at, or this machine's own name."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if (port if name else "80") != str(self.port):
            return False
        name = (name or host).strip("[]").lower()
        if self.host not in ANYWHERE:
            return name == self.host.lower() or (name == "localhost" and self.host == LOOPBACK)
        with suppress(ValueError):
            return bool(ipaddress.ip_address(name))  # no rebinding without a name
        machine = socket.gethostname().lower()
        return name in ("localhost", machine, f"{machine}.local")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body of a request; Refusal for one that is too large or too slow."""
        too_large = Refusal(413, f"at most {MOST_BODY_BYTES:,} bytes were expected")
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > MOST_BODY_BYTES:
            raise too_large
        body, is_whole = bytearray(), False
        try:
            async with asyncio.timeout(self.body_seconds):
                while not is_whole and (event := await receive())["type"] == "http.request":
                    body += event.get("body", b"")
                    is_whole = not event.get("more_body", False)
                    if len(body) > MOST_BODY_BYTES:
                        raise too_large
        except TimeoutError as error:
            raise Refusal(408, "the request took too long to arrive") from error
        return bytes(body)
