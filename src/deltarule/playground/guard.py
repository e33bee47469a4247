"""Who may speak to the server, and how much: what stands before every request and every socket.

A page on another site can make a browser send requests here, and can even give its own name the address of this
machine (DNS rebinding). So Host must be a name of this server, Origin and Sec-Fetch-Site must be its own page, and what
is worth anything asks for the token of this launch, which no other page can know.
"""

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deltarule.playground.protocol import MOST_BODY_BYTES

LOOPBACK = "127.0.0.1"
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  what asks for every address, to be told from others
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


class Refused(Exception):  # noqa: N818  a refusal is no failure of ours
    """A request that gets an answer of this status, and nothing else."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status, self.says = status, says


@dataclass(frozen=True)
class Guard:
    """Lets through what is allowed to come to `app`.

    host: the address that the server is bound to. port: where.
    token: what a visitor must know.
    body_seconds: how long a request may take to arrive whole.
    """

    app: ASGIApp
    port: int
    host: str = LOOPBACK
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    body_seconds: float = 10.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let `app` answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._request(scope, receive, with_headers(send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.check(scope)
        except Refused:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: HTTP's 403
            return
        await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.check(scope)
            body = await self._body(scope, receive)
        except Refused as refusal:
            await answer(send, refusal)
            return
        parts = [body]

        async def replayed() -> Message:
            return {"type": "http.request", "body": parts.pop()} if parts else await receive()

        await self.app(scope, replayed, send)

    def check(self, scope: Scope) -> None:
        """Raise Refused unless the visitor is our own page, or somebody else who knows the token."""
        headers = only_once(scope)
        host = headers.get("host", "")
        if not self.is_own(host):
            raise Refused(403, "this server does not go by that name")
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            raise Refused(403, "a page of another origin must not reach this server")
        path = scope["path"]
        if path != "/" and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "a page of another origin must not reach this server")
        if path == "/" or scope["type"] == "websocket":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        elif path.startswith("/api/"):
            given = headers.get("authorization", "").removeprefix("Bearer ")
        else:
            return  # the page's own files, which hold no secret
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            raise Refused(401, "open the address that `deltarule playground` has printed: it ends in its token")

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this server: an address that it listens at, or this machine's own name."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if (port if name else "80") != str(self.port):
            return False
        name = (name or host).strip("[]").lower()
        local = {LOOPBACK, "localhost"}
        if self.host == LOOPBACK:
            return name in local
        if self.host in ANYWHERE:
            machine = socket.gethostname().lower()
            return name in local | {machine, f"{machine}.local"} or is_address(name)  # no rebinding without a name
        return name == self.host.lower()

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body of a request; Refused for one that is too large or too slow."""
        length = only_once(scope).get("content-length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > MOST_BODY_BYTES:
            raise Refused(413, f"at most {MOST_BODY_BYTES:,} bytes were expected")
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_seconds):
                while (event := await receive())["type"] == "http.request":
                    body += event.get("body", b"")
                    if len(body) > MOST_BODY_BYTES:
                        raise Refused(413, f"at most {MOST_BODY_BYTES:,} bytes were expected")
                    if not event.get("more_body", False):
                        break
        except TimeoutError as error:
            raise Refused(408, "the request took too long to arrive") from error
        return bytes(body)


def only_once(scope: Scope) -> Mapping[str, str]:
    """The headers by name. Refused where one of those that decide comes twice, and so says nothing."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        if key in headers and key in ("host", "origin", "authorization", "content-length", "sec-fetch-site"):
            raise Refused(400, f"one {key} was expected: got two")
        headers[key] = value.decode("latin-1")
    return headers


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def with_headers(send: Send) -> Send:
    """A `send` that adds HEADERS to the answer."""
    added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(event: Message) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event.get("headers", []), *added]
        await send(event)

    return sending


async def answer(send: Send, refusal: Refused) -> None:
    """Refuse a request, and the connection with it: what it has not sent yet is never read."""
    body = msgspec.json.encode({"error": refusal.says})
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
