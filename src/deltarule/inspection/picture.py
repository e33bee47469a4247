"""Pictures: one style for all of them, and words in the file for those who cannot see it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltarule.errors import SettingError, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart with every kind of color vision (Okabe & Ito 2008), and in gray
GRAY = "#767676"
WIDTH = 3.5  # inches: the column of a printed page, so that its letters are as large as the text around it

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
    "grid.color": "#E4E4E4",
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
# Where each format keeps a description, and what would make the same picture another file tomorrow.
DESCRIPTION_KEYS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
DATE_KEYS = {".svg": "Date", ".pdf": "CreationDate"}


@dataclass(frozen=True, eq=False)
class Picture:
    """A matplotlib figure, and what it shows, in words."""

    figure: "Figure"
    description: str

    def to_bytes(self, suffix: str) -> bytes:
        """The content of a file that ends in `suffix`, ".png", ".svg" or ".pdf"; the description is in its metadata.

        Raises SettingError for another suffix.
        """
        if suffix not in DESCRIPTION_KEYS:
            raise SettingError(f"a picture's file ends in .png, .svg or .pdf: got {suffix or 'no ending'!r}")
        metadata: dict[str, Any] = {DESCRIPTION_KEYS[suffix]: self.description}
        if suffix in DATE_KEYS:
            metadata[DATE_KEYS[suffix]] = None
        stream = io.BytesIO()
        with require("matplotlib", "plot").rc_context(STYLE):
            self.figure.savefig(stream, format=suffix[1:], metadata=metadata)
        return stream.getvalue()


@contextmanager
def new_figure(height: float, width: float = WIDTH) -> Iterator["Figure"]:
    """An empty figure, sizes in inches, to be drawn on inside the block."""
    # The Figure itself, not pyplot: no window, no display needed, and nothing is left in memory.
    with require("matplotlib", "plot").rc_context(STYLE):
        yield require("matplotlib.figure", "plot").Figure(figsize=(width, height), layout="constrained")
