"""What the server answers to requests: the page's files, the network, examples, mistakes, what can be trained."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from deltarule.data.built_in import digit_cells
from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import read_picture
from deltarule.errors import DeltaruleError
from deltarule.native.loader import page_engine
from deltarule.playground.playground import NetworkView, Playground
from deltarule.playground.protocol import MOST_BODY_BYTES

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
BODY_SECONDS = 10.0  # for a body to arrive whole
DECODING = threading.Lock()  # one picture at a time: it may take 16 million pixels
Index = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class Question(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the address of a request says behind its ?."""

    of: str = "given"  # or "trained": which network
    split: str = "test"  # and `index`: which example
    index: Index | None = None
    true: Index = 0  # and `predicted`: which cell
    predicted: Index = 0


def routes(playground: Playground) -> list[Route]:
    """An answer for each address. Starlette calls them in threads, so that none holds up the others."""
    static, engine, digits = Path(__file__).parent / "static", page_engine(), digit_cells()
    pages = {
        path.relative_to(static).as_posix(): Response(path.read_bytes(), media_type=TYPES[path.suffix])
        for path in static.rglob("*.*")
    }
    answers: dict[str, Callable[[NetworkView, Question], Any]] = {
        "engine": lambda view, asked: engine,
        "digits": lambda view, asked: digits,
        "model": lambda view, asked: view.content,
        "example": lambda view, asked: view.example(asked.split, asked.index, playground.rng),
        "mistakes": lambda view, asked: view.mistakes(),
        "cell": lambda view, asked: view.cell(asked.true, asked.predicted),
        "catalogue": lambda view, asked: playground.catalogue(),
    }

    def answer(request: Request) -> Response:
        asked = msgspec.convert(dict(request.query_params), Question, strict=False)
        return respond(answers[request.url.path.removeprefix("/api/")](playground.view(asked.of), asked))

    return [
        Route("/", pages["index.html"]),
        *(Route(f"/static/{name}", page) for name, page in pages.items()),  # a name is never taken for a path
        *(Route(f"/api/{name}", answer) for name in answers),
        Route("/api/image", answer_picture, methods=["POST"]),
    ]


async def answer_picture(request: Request) -> Response:
    """What the normalizer makes of a picture in a file, the body: {"image": pixels or null, "stages": [...], ...}."""
    try:
        content = await asyncio.wait_for(read_body(request), BODY_SECONDS)
    except (TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408, "the request took too long to arrive", {"connection": "close"}) from error
    return respond(await run_in_threadpool(picture_stages, content))


async def read_body(request: Request) -> bytes:
    """The whole body of a request. HTTPException for one that is too large, as soon as it says so or is."""
    too_large = HTTPException(413, f"at most {MOST_BODY_BYTES:,} bytes were expected", {"connection": "close"})
    if int(request.headers.get("content-length", 0)) > MOST_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise too_large
    return bytes(body)


def picture_stages(content: bytes) -> dict[str, Any]:
    """The stages of a picture on its way to 28x28, as JSON. DataError where it is none, or too large."""
    with DECODING:
        read = ink_image(read_picture(content))
    stages = []
    for name, pixels in read.stages.items():
        height, width = pixels.shape
        stages.append({"name": name, "width": width, "height": height, "pixels": pixels.ravel().tolist()})
    image = None if read.image is None else read.image.ravel().tolist()
    return {"image": image, "stages": stages, "showsSeveral": read.shows_several}


def respond(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer: bytes as they are, all else in JSON, in which numbers that are not finite are null."""
    if isinstance(value, bytes):
        return Response(value, media_type="application/octet-stream")
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


# What Starlette does with an error: the answer to a request that asks for what there is not.
REFUSED: dict[Any, Any] = {
    **dict.fromkeys((DeltaruleError, msgspec.ValidationError), lambda _, error: respond({"error": str(error)}, 400)),
    HTTPException: lambda _, error: respond({"error": error.detail}, error.status_code, error.headers),
}
