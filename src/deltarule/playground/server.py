"""The server of the page: what answers, what stands before it, and the port that it listens at."""

import errno
import os
import socket

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn import Server

from deltarule.errors import SettingError
from deltarule.playground.connections import PATIENCE, Patience, configured
from deltarule.playground.conversation import Conversation
from deltarule.playground.guard import ANYWHERE, LOOPBACK, Guard
from deltarule.playground.pages import routes
from deltarule.playground.playground import Playground

MOST_SOCKETS = 8


def application(playground: Playground, patience: Patience = PATIENCE) -> Starlette:
    """What answers requests, and holds conversations over sockets."""
    n_sockets = 0

    async def converse(websocket: WebSocket) -> None:
        nonlocal n_sockets
        if n_sockets >= MOST_SOCKETS:
            await websocket.close()  # before it was accepted: HTTP's 403
            return
        n_sockets += 1
        try:
            await websocket.accept()
            await Conversation(playground, websocket, patience.idle).hold()
        finally:
            n_sockets -= 1

    app = Starlette(routes=[*routes(playground), WebSocketRoute("/ws", converse)])
    app.router.redirect_slashes = False
    return app


class Service:
    """A playground on a port: `url` opens it, `run` serves it until it is told to stop, or by Ctrl-C.

    port: 0 for any that is free. host: the address to listen at; one other than this machine's own opens the page to
    whoever knows the token. Raises SettingError where it cannot listen there.
    """

    def __init__(
        self, playground: Playground, port: int = 0, host: str = LOOPBACK, patience: Patience = PATIENCE
    ) -> None:
        self.playground, self.listener = playground, listener(host, port)
        self.port = self.listener.getsockname()[1]
        self.guard = Guard(application(playground, patience), self.port, host, body_seconds=patience.request / 2)
        self.server = Server(configured(self.guard, patience))
        name = LOOPBACK if host in ANYWHERE else f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self.port}/?token={self.guard.token}"

    def run(self) -> None:
        """Serve, in this thread."""
        try:
            self.server.run(sockets=[self.listener])
        finally:
            self.playground.close()
            self.listener.close()

    def stop(self) -> None:
        """Let `run` come to its end; from any thread."""
        self.server.should_exit = True


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens at a port. SettingError, with what to do, where that is not possible."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SettingError(why_not(host, port, error)) from error
    try:
        if os.name == "posix":  # elsewhere it would share a port that is taken
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen()
    except OSError as error:
        found.close()
        raise SettingError(why_not(host, port, error)) from error
    return found


def why_not(host: str, port: int, error: OSError) -> str:
    """What keeps the server from listening there, and what to do about it."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"a free port was expected: got {port}, where another program listens (another playground?); "
            "--port 0 takes any that is free"
        )
    if error.errno == errno.EACCES:
        return f"a port from 1024 on was expected: got {port}, which is not for everybody; --port 0 takes any"
    return f"an address of this machine was expected: got {host} ({error.strerror}); leave out --host"
