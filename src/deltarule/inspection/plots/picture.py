"""Pictures: matplotlib figures with a description in the file for people who cannot see them."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from deltarule.atomic import AnyPath, write_atomically
from deltarule.errors import SettingError, require
from deltarule.inspection.plots import style
from deltarule.nn.arrays import Array
from deltarule.public import public

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Where each format keeps a description, and its other metadata: the mark that `atomic.py` looks for, and no date, so
# that the same picture is always the same file.
DESCRIPTION_KEYS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": "deltarule"},
    ".svg": {"Creator": "deltarule", "Date": None},
    ".pdf": {"Creator": "deltarule", "CreationDate": None},
}


@public()
@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A matplotlib figure and its description in words: a title, a colon, and what the figure shows."""

    figure: "Figure"
    description: str

    @property
    def title(self) -> str:
        """The description up to its first colon."""
        return self.description.partition(":")[0]

    def to_bytes(self, suffix: str) -> bytes:
        """The picture as the content of a file, with title and description in its metadata. suffix: .png, .svg or .pdf.

        Raises SettingError for another suffix.
        """
        if suffix not in DESCRIPTION_KEYS:
            raise SettingError(f"a picture's file ends in .png, .svg or .pdf: got {suffix or 'no ending'!r}; use .png")
        metadata = {"Title": self.title, DESCRIPTION_KEYS[suffix]: self.description} | METADATA[suffix]
        stream = io.BytesIO()
        with require("matplotlib", "plot").rc_context(style.SETTINGS):
            self.figure.savefig(stream, format=suffix[1:], metadata=metadata)
        if suffix != ".svg":
            return stream.getvalue()
        # Add the description where a browser looks for it: after the title.
        described = f"</title>\n <desc>{escape(self.description)}</desc>"
        text = stream.getvalue().decode().replace("</title>", described, 1)
        return text.replace("<svg ", '<svg role="img" ', 1).encode()

    def save(self, path: AnyPath) -> None:
        """Write the picture to a file, whole or not at all, in the format that the path's ending names.

        Raises SettingError for another ending than .png, .svg or .pdf, FileError if the file cannot be written.
        """
        write_atomically(path, self.to_bytes(Path(path).suffix))

    def _repr_png_(self) -> bytes:
        """The picture as PNG, for a notebook."""
        return self.to_bytes(".png")

    def __repr__(self) -> str:
        return f"<Picture: {self.description}>"


@contextmanager
def new_figure(height: float, width: float = style.WIDTH) -> Iterator["Figure"]:
    """Create an empty figure to draw on inside a `with` block; sizes are in inches."""
    # Figure instead of pyplot: it needs no window or display, and leaves nothing in memory.
    with require("matplotlib", "plot").rc_context(style.SETTINGS):
        yield require("matplotlib.figure", "plot").Figure(figsize=(width, height), layout="constrained")


@contextmanager
def new_sheet(
    images: Array, title: str, *, per_row: int, row_height: float, margin: float = 0.3, **colors: Any
) -> Iterator[tuple["Figure", list["Axes"]]]:
    """Create a figure of images (n, height, width) in rows below a title; yields it and the axes of each image."""
    n_rows = max(1, math.ceil(len(images) / per_row))
    with new_figure(height=margin + row_height * n_rows) as figure:
        bare = {"frame_on": False, "xticks": [], "yticks": []}
        panels = figure.subplots(n_rows, per_row, squeeze=False, subplot_kw=bare).flatten().tolist()
        for axes, image in zip(panels, images, strict=False):
            axes.imshow(image, **colors)
        figure.suptitle(title, x=0.02, ha="left")
        yield figure, panels[: len(images)]
