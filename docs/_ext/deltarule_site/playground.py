"""The playground's one file, at an address of its own: playground/index.html."""

from typing import Any

from sphinx.application import Sphinx

import deltarule as dr
from deltarule.files.model_file import PRETRAINED


def write_playground(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        target = app.outdir / "playground" / "index.html"
        target.parent.mkdir(exist_ok=True)
        dr.show(dr.load(PRETRAINED), dr.load_data("digits").train).save(target)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_playground)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
