"""What the server answers to requests: the page's files, the network, examples, mistakes, what can be trained."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deltarule.errors import DeltaruleError
from deltarule.native.loader import page_engine
from deltarule.playground.playground import NetworkView, Playground

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
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
    static, engine = Path(__file__).parent / "static", page_engine()
    pages = {
        path.relative_to(static).as_posix(): Response(path.read_bytes(), media_type=TYPES[path.suffix])
        for path in static.rglob("*.*")
    }
    answers: dict[str, Callable[[NetworkView, Question], Any]] = {
        "engine": lambda view, asked: engine,
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
    ]


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
