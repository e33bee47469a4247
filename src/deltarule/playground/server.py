"""The server of the page: the answers to requests, the orders over a socket, and the address."""

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from signal import SIG_IGN, SIGINT, SIGTERM, getsignal
from types import FrameType
from typing import Annotated, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn import Config, Server

from deltarule.data.built_in import digit_cells
from deltarule.errors import DataError, DeltaruleError, SettingError, sentence
from deltarule.native.loader import page_engine
from deltarule.playground.frames import message
from deltarule.playground.guard import LOOPBACK, Guard
from deltarule.playground.playground import NetworkView, Playground, Start, TrainingRun, parse_order

MOST_CONNECTIONS = 64
MOST_HEADER_BYTES = MOST_MESSAGE_BYTES = 16 * 1024
UNSUPPORTED, INVALID = 1003, 1007  # RFC 6455, 7.4.1
KEEP = {"cache-control": "private, max-age=31536000, immutable"}  # for addresses that change with their content
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
Index = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class Question(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The parameters in the query of a request's address."""

    of: str = "given"  # or "trained": which network
    true: Index = 0  # and `predicted`: which cell
    predicted: Index = 0


def routes(playground: Playground) -> list[BaseRoute]:
    """A route for each address of the page. Starlette runs `answer` in threads, so that none blocks the others."""
    static, engine, digits = Path(__file__).parent / "static", page_engine(), digit_cells()
    files = {path.relative_to(static).as_posix(): path.read_bytes() for path in sorted(static.rglob("*.*"))}
    version = sha256(b"".join(files.values())).hexdigest()[:16]
    index = files["index.html"].replace(b'"static/', f'"static/{version}/'.encode())
    pages = {f"/static/{name}": file_answer(name, content) for name, content in files.items()}
    pages |= {f"/static/{version}/{name}": file_answer(name, content, KEEP) for name, content in files.items()}
    answers: dict[str, Callable[[NetworkView, Question], Any]] = {
        "engine": lambda view, asked: engine,
        "digits": lambda view, asked: digits,
        "parameters": lambda view, asked: view.model.network.parameters.vector.astype("<f4").tobytes(),
        "model": lambda view, asked: view.content,
        "example": lambda view, asked: view.example(playground.rng),
        "mistakes": lambda view, asked: view.mistakes(),
        "cell": lambda view, asked: view.cell(asked.true, asked.predicted),
        "catalogue": lambda view, asked: playground.catalogue(),
    }

    def answer(request: Request) -> Response:
        asked = msgspec.convert(dict(request.query_params), Question, strict=False)
        return respond(answers[request.url.path.removeprefix("/api/")](playground.view(asked.of), asked))

    return [
        Route("/", file_answer("index.html", index)),
        *(Route(address, page) for address, page in pages.items()),  # a name is never used as a path
        *(Route(f"/api/{name}", answer) for name in answers),
        WebSocketRoute("/ws", partial(converse, playground)),
    ]


def file_answer(name: str, content: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A file of the page, as the answer to a request."""
    return Response(content, 200, headers, media_type=TYPES[Path(name).suffix])


def respond(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The response with a value: bytes unchanged, all else as JSON, with null for numbers that are not finite."""
    if isinstance(value, bytes):
        return Response(value, media_type="application/octet-stream")
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


# {exception: function that makes the response to it}, for instance to a request for something that does not exist.
REFUSED: dict[Any, Any] = {
    **dict.fromkeys((DeltaruleError, msgspec.ValidationError), lambda _, error: respond({"error": str(error)}, 400)),
    HTTPException: lambda _, error: respond({"error": error.detail}, error.status_code, error.headers),
}


class Listener(Server):
    """A server that ends at SIGINT or SIGTERM, unless its process was started to ignore them, as by nohup."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ignored = {each for each in (SIGINT, SIGTERM) if getsignal(each) == SIG_IGN}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig not in self.ignored:
            super().handle_exit(sig, frame)


async def converse(playground: Playground, websocket: WebSocket) -> None:
    """Carry out the orders from a websocket, and send it the messages of its run; the run ends with the socket."""
    await websocket.accept()
    loop = asyncio.get_running_loop()
    training: TrainingRun | None = None

    def say(said: str) -> None:
        sending = websocket.send_text(said)
        try:
            asyncio.run_coroutine_threadsafe(sending, loop)
        except RuntimeError:  # the server has been stopped
            sending.close()

    try:
        while True:
            event = await websocket.receive()
            if event["type"] == "websocket.disconnect":
                return None
            if event.get("text") is None:
                return await websocket.close(UNSUPPORTED, "orders are text")
            try:
                order = parse_order(event["text"])
                if isinstance(order, Start):
                    training = await asyncio.to_thread(playground.start_run, order, say)
                elif training is None:
                    raise SettingError("nothing is learning: start a run first")
                else:
                    training.control.obey(order.type)
            except (SettingError, DataError) as error:
                await websocket.send_text(message("refused", status=400, says=str(error)))
                if isinstance(error, DataError):
                    return await websocket.close(INVALID, "no order")
    except WebSocketDisconnect:
        return None
    finally:
        if training is not None:
            training.control.obey("stop")


class Service:
    """Serves a playground on a port (0: any free one) at `url`; `run` returns at `server.should_exit` or Ctrl-C."""

    def __init__(self, playground: Playground, port: int = 0) -> None:
        self.playground, self.listener = playground, listen(port)
        self.port = self.listener.getsockname()[1]
        app = Starlette(routes=routes(playground), exception_handlers=REFUSED)
        app.router.redirect_slashes = False
        self.guard = Guard(app, self.port)
        limits: dict[str, Any] = {"ws_max_size": MOST_MESSAGE_BYTES, "limit_concurrency": MOST_CONNECTIONS}
        limits |= {"http": "h11", "ws": "websockets-sansio", "timeout_graceful_shutdown": 2}
        limits |= {"h11_max_incomplete_event_size": MOST_HEADER_BYTES, "ws_per_message_deflate": False}
        silent: dict[str, Any] = {"access_log": False, "log_config": None, "log_level": "error"}
        silent |= {"server_header": False, "proxy_headers": False, "loop": "asyncio", "lifespan": "off"}
        self.server = Listener(Config(self.guard, **limits, **silent))
        self.url = f"http://{LOOPBACK}:{self.port}/?token={self.guard.token}"

    def run(self) -> None:
        """Serve the page in this thread until the server is to exit; then close the playground."""
        with self.listener, closing(self.playground):
            self.server.run(sockets=[self.listener])


def listen(port: int) -> socket.socket:
    """A socket that listens on a port of this machine. SettingError, with a fix, if that is impossible."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        key = {errno.EADDRINUSE: "port_taken", errno.EACCES: "port_reserved"}.get(error.errno or 0)
        if key is None:
            raise
        raise SettingError(sentence(f"command.{key}", port=port)) from error
