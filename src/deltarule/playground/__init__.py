"""A page to draw on, to look inside with and to watch a network learn. Needs the extra `page`, and says so."""

from deltarule.errors import require

for name in ("starlette", "uvicorn", "websockets"):
    require(name, "page")
