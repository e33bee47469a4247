"""What the server answers to requests: the page's files, the network, examples, mistakes, what can be trained."""

import threading
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deltarule.data.ink.normalization import ink_image
from deltarule.data.ink.pictures import read_picture
from deltarule.errors import DataError, DeltaruleError
from deltarule.playground.lessons import catalogue
from deltarule.playground.playground import Playground
from deltarule.playground.subjects import Subject

TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
DECODING = threading.Lock()  # one picture at a time: it may take 16 million pixels
Index = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class Question(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the address of a request says behind its ?.

    of: which network, "given" or "trained". split, index: which example. true, predicted: which cell.
    """

    of: str = "given"
    split: str = "test"
    index: Index | None = None
    true: Index = 0
    predicted: Index = 0


def routes(playground: Playground) -> list[Route]:
    """An answer for each address. Starlette calls them in threads, so that none holds up the others."""
    pages = {file.name: file.read_bytes() for file in files(__package__).joinpath("static").iterdir()}

    def subject(asked: Question) -> Subject:
        return playground.subject(asked.of)

    def model(asked: Question) -> Response:
        return Response(subject(asked).content, media_type="application/octet-stream")

    answers: dict[str, Callable[[Question], Any]] = {
        "model": model,
        "example": lambda asked: subject(asked).example(asked.split, asked.index, playground.rng),
        "mistakes": lambda asked: subject(asked).mistakes(),
        "cell": lambda asked: subject(asked).cell(asked.true, asked.predicted),
        "catalogue": lambda asked: catalogue(playground.datasets, playground.says),
    }
    return [
        Route("/", lambda request: file_of(pages, "index.html")),
        Route("/static/{name}", lambda request: file_of(pages, request.path_params["name"])),
        *(Route(f"/api/{name}", answering(answer)) for name, answer in answers.items()),
        Route("/api/image", picture, methods=["POST"]),
    ]


async def picture(request: Request) -> Response:
    """What the normalizer makes of a picture in a file: {"image": pixels or null, "stages": [...]}.

    The body is the file, at most MOST_BODY_BYTES; the size that it claims is looked at before anything is decoded.
    """
    content = await request.body()
    try:
        found = await run_in_threadpool(reading, content)
    except DataError as error:
        return as_json({"error": str(error)}, 400)
    return as_json(found)


def reading(content: bytes) -> dict[str, Any]:
    """The stages of a picture on its way to 28x28, as JSON. DataError where it is none, or too large."""
    with DECODING:
        read = ink_image(read_picture(content))
    stages = [
        {"name": each.name, "width": each.pixels.shape[1], "height": each.pixels.shape[0], "pixels": plain(each.pixels)}
        for each in read.stages
    ]
    return {"image": None if read.image is None else plain(read.image), "stages": stages}


def plain(pixels: NDArray[np.uint8]) -> list[int]:
    """Pixels row by row."""
    return pixels.ravel().tolist()


def answering(answer: Callable[[Question], Any]) -> Callable[[Request], Response]:
    """An endpoint: what `answer` gives as JSON; 400 and the reason where the request asks for what there is not."""

    def endpoint(request: Request) -> Response:
        try:
            asked = msgspec.convert(dict(request.query_params), Question, strict=False)
            found = answer(asked)
        except (DeltaruleError, msgspec.ValidationError) as error:
            return as_json({"error": str(error)}, 400)
        return found if isinstance(found, Response) else as_json(found)

    return endpoint


def as_json(value: Any, status: int = 200) -> Response:
    """An answer in JSON; numbers that are not finite are null."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def file_of(pages: dict[str, bytes], name: str) -> Response:
    """One of the page's own files; a name is looked up among theirs, and never taken for a path."""
    kind = TYPES.get(name.rpartition(".")[2])
    if name not in pages or kind is None:
        return as_json({"error": "there is no such file"}, 404)
    return Response(pages[name], media_type=f"{kind}; charset=utf-8")
