"""Pictures: one style for all of them, and words in the file for those who cannot see it."""

import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from deltarule.atomic import write_atomically
from deltarule.errors import SettingError, require
from deltarule.nn.arrays import Array
from deltarule.public import public

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart with every kind of color vision (Okabe & Ito 2008), and in gray
GRAY = "#767676"
PALE = "#E4E4E4"
WIDTH = 3.5  # inches: the column of a printed page, so that its letters are as large as the text around it

LONGEST_NAME = 11  # letters
DASHED: dict[str, Any] = {"color": GRAY, "linewidth": 0.8, "linestyle": (0, (4, 3))}
LEGEND: dict[str, Any] = {"ncols": 2, "loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.0}
NOTE: dict[str, Any] = {"loc": "right", "color": GRAY, "fontweight": "normal", "fontsize": "medium"}  # beside a title
ABOVE: dict[str, Any] = {"loc": "center", "fontsize": 6, "fontweight": "normal"}  # an image of a sheet

STYLE: dict[str, Any] = {
    "axes.edgecolor": GRAY,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "figure.constrained_layout.hspace": 0.05,
    "figure.dpi": 200,
    "figure.titlesize": 8,
    "figure.titleweight": "bold",
    "font.size": 7.5,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.dpi": "figure",
    "svg.hashsalt": "deltarule",  # the same picture is the same file
    "text.parse_math": False,  # the name of a class may hold a dollar sign
    "xtick.color": GRAY,
    "xtick.labelcolor": "black",
    "ytick.color": GRAY,
    "ytick.labelcolor": "black",
}
# Where each format keeps a description, and what else stands in it: the mark that `atomic.py` looks for, and no date,
# which would make the same picture another file tomorrow.
DESCRIPTION_KEYS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": "deltarule"},
    ".svg": {"Creator": "deltarule", "Date": None},
    ".pdf": {"Creator": "deltarule", "CreationDate": None},
}


@public()
@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A matplotlib figure, and what it shows, in words: a title, a colon, and what there is to see."""

    figure: "Figure"
    description: str

    @property
    def title(self) -> str:
        """The description up to its first colon."""
        return self.description.partition(":")[0]

    def to_bytes(self, suffix: str) -> bytes:
        """The content of a file that ends in `suffix`, ".png", ".svg" or ".pdf", title and description in its metadata.

        Raises SettingError for another suffix.
        """
        if suffix not in DESCRIPTION_KEYS:
            raise SettingError(f"a picture's file ends in .png, .svg or .pdf: got {suffix or 'no ending'!r}")
        metadata = {"Title": self.title, DESCRIPTION_KEYS[suffix]: self.description} | METADATA[suffix]
        stream = io.BytesIO()
        with require("matplotlib", "plot").rc_context(STYLE):
            self.figure.savefig(stream, format=suffix[1:], metadata=metadata)
        if suffix != ".svg":
            return stream.getvalue()
        # The description, too, where a browser looks for it: behind the title.
        described = f"</title>\n <desc>{escape(self.description)}</desc>"
        text = stream.getvalue().decode().replace("</title>", described, 1)
        return text.replace("<svg ", '<svg role="img" ', 1).encode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all, in the format that its name ends in.

        Raises SettingError for another ending than .png, .svg or .pdf, FileError where the file cannot be written.
        """
        write_atomically(path, self.to_bytes(Path(path).suffix))

    def _repr_png_(self) -> bytes:
        """The picture, for a notebook."""
        return self.to_bytes(".png")

    def __repr__(self) -> str:
        return f"<Picture: {self.description}>"


@contextmanager
def new_figure(height: float, width: float = WIDTH) -> Iterator["Figure"]:
    """An empty figure, sizes in inches, to be drawn on inside the block."""
    # The Figure itself, not pyplot: no window, no display needed, and nothing is left in memory.
    with require("matplotlib", "plot").rc_context(STYLE):
        yield require("matplotlib.figure", "plot").Figure(figsize=(width, height), layout="constrained")


@contextmanager
def new_sheet(
    images: Array, title: str, *, per_row: int, row_height: float, margin: float = 0.3, **colors: Any
) -> Iterator[tuple["Figure", list["Axes"]]]:
    """A figure of images (n, height, width) in rows below a title, and the axes of each image, for words beside it."""
    n_rows = max(1, math.ceil(len(images) / per_row))
    with new_figure(height=margin + row_height * n_rows) as figure:
        bare = {"frame_on": False, "xticks": [], "yticks": []}
        panels = figure.subplots(n_rows, per_row, squeeze=False, subplot_kw=bare).flatten().tolist()
        for axes, image in zip(panels, images, strict=False):
            axes.imshow(image, **colors)
        figure.suptitle(title, x=0.02, ha="left")
        yield figure, panels[: len(images)]


def label_epochs(axes: "Axes") -> None:
    """Whole epochs on the x axis of curves."""
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def short_label(name: str) -> str:
    """A name that fits under an image or beside an axis."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def are_long(names: Sequence[str]) -> bool:
    """Whether these names are wider than an image or a tick."""
    return max(map(len, names), default=0) > 2


def diverging_colormap() -> "Colormap":
    """Orange for what is below 0, white for 0, blue for what is above; pale gray for what is masked."""
    colors = require("matplotlib.colors", "plot").LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
    return colors.with_extremes(bad=PALE)


def use_log_scale(axes: "Axes", which: Literal["x", "y"]) -> None:
    """Plain numbers on a logarithmic axis, at 1, 2 and 5 where it spans less than three powers of ten."""
    axes.set(**{f"{which}scale": "log"})
    axis, ticker = getattr(axes, f"{which}axis"), require("matplotlib.ticker", "plot")
    lowest, highest = sorted(axis.get_view_interval())
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if highest < 1000.0 * lowest else (1.0,), numticks=6))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(ticker.NullLocator())


def percent(share: float, _: float = 0.0) -> str:
    """A share for people, "98.85 %"; and, with a tick's place as the second argument, for the axis of a plot."""
    return f"{round(100.0 * share, 2):g} %"
