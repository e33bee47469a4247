"""The check before every request and every socket: only our own page may talk to the server.

A page on another site can make a browser send requests here, and can even point its own name to this
machine (DNS rebinding). So Host must be a name of this server, Origin and Sec-Fetch-Site must be its own page, and
everything of value needs the token of this launch, which no other page can know.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = "127.0.0.1"
DECISIVE = ("host", "origin", "authorization", "sec-fetch-site")  # headers that must not come twice
LOCKED = Path(__file__).parent / "static" / "locked.html"
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data: blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Guard:
    """An ASGI app that passes allowed requests on to `app`, and refuses all others."""

    app: ASGIApp
    port: int  # of the server
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))  # a request needs it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or let `app` answer it."""

        async def send_with_headers(event: Message) -> None:
            if event["type"] == "http.response.start":
                headers = MutableHeaders(scope=event)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(event)

        answer = self.app
        try:
            self.check(scope)
        except HTTPException as refusal:
            answer = WebSocketClose()  # before the socket is accepted this answers with HTTP 403
            asks_for_page = scope["path"] == "/" and "text/html" in Headers(scope=scope).get("accept", "")
            if asks_for_page and refusal.status_code == 401:  # a person's bookmark of another launch
                answer = HTMLResponse(LOCKED.read_bytes(), 401, {"connection": "close"})
            elif scope["type"] == "http":  # the rest of a request is never read: its connection is closed
                answer = JSONResponse({"error": refusal.detail}, refusal.status_code, {"connection": "close"})
        await answer(scope, receive, send_with_headers)

    def check(self, scope: Scope) -> None:
        """Raise HTTPException unless a request comes from our own page and, except for its files, has the token."""
        headers, path = Headers(scope=scope), scope["path"]
        for name in DECISIVE:
            if len(headers.getlist(name)) > 1:
                raise HTTPException(400, f"one {name} was expected: got two")
        host = headers.get("host", "")
        if not self.is_own(host):
            raise HTTPException(403, "that is not a name of this server")
        is_cross_site = path != "/" and headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        if is_cross_site or headers.get("origin", f"http://{host}") != f"http://{host}":
            raise HTTPException(403, "a page of another origin must not reach this server")
        if path == "/" or scope["type"] == "websocket":
            given = QueryParams(scope["query_string"]).get("token", "")
        elif path.startswith("/api/"):
            given = headers.get("authorization", "").removeprefix("Bearer ")
        else:
            return  # the page's own files, which hold no secret
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            raise HTTPException(401, "open the address that `deltarule playground` has printed: it ends in its token")

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this server."""
        port = f":{self.port}"
        names = [LOOPBACK + port, "localhost" + port, *([LOOPBACK, "localhost"] if self.port == 80 else [])]
        return host.lower() in names  # a browser leaves out port 80
