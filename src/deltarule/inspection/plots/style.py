"""The style of pictures: colors, fonts and axes, the same in all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from deltarule.errors import read_tables, require
from deltarule.settings import in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

BLUE, ORANGE = "#0072B2", "#D55E00"  # distinguishable with every kind of color vision (Okabe & Ito 2008), and in gray
GRAY = "#767676"
PALE = "#E4E4E4"
WIDTH = 3.5  # inches: the column of a printed page, so that its letters are as large as the text around it

LONGEST_NAME = 11  # letters
DASHED: dict[str, Any] = {"color": GRAY, "linewidth": 0.8, "linestyle": (0, (4, 3))}
LEGEND: dict[str, Any] = {"ncols": 2, "loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.0}
NOTE: dict[str, Any] = {"loc": "right", "color": GRAY, "fontweight": "normal", "fontsize": "medium"}  # beside a title
ABOVE: dict[str, Any] = {"loc": "center", "fontsize": 6, "fontweight": "normal"}  # an image of a sheet

SETTINGS: dict[str, Any] = read_tables("inspection/plots/style")


def label_epochs(axes: "Axes") -> None:
    """Label the x axis "epoch", with whole numbers alone."""
    axes.set_xlabel("epoch")
    axes.locator_params("x", integer=True, min_n_ticks=1)


def short_label(name: str) -> str:
    """The name, cut to fit an image or an axis, with escapes for control characters, which no font can show."""
    name = in_a_line(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def are_long(names: Sequence[str]) -> bool:
    """Whether one of these names is too long to fit a small image or a tick: has more than two letters."""
    return max(map(len, names), default=0) > 2


def diverging_colormap() -> "Colormap":
    """A colormap for signed numbers: orange below 0, white for 0, blue above; pale gray for masked cells."""
    colors = require("matplotlib.colors", "plot").LinearSegmentedColormap.from_list("signed", [ORANGE, "white", BLUE])
    return colors.with_extremes(bad=PALE)


def use_log_scale(axes: "Axes", which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with plain numbers; if it spans less than three powers of ten, also at 2 and 5."""
    axes.set(**{f"{which}scale": "log"})
    axis, ticker = getattr(axes, f"{which}axis"), require("matplotlib.ticker", "plot")
    lowest, highest = sorted(axis.get_view_interval())
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if highest < 1000.0 * lowest else (1.0,), numticks=6))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(ticker.NullLocator())


def percent(share: float, _: float = 0.0) -> str:
    """A share as text, such as "98.85 %". The second argument is ignored: matplotlib passes the position of a tick."""
    return f"{round(100.0 * share, 2):g} %"
